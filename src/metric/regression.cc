// SPDX-License-Identifier: Apache-2.0
#include "metric/regression.h"

#include <cmath>

#include "base/text.h"
#include "metric/interval_internal.h"

namespace vigie::metric {
namespace {

using State = RegressionState;
constexpr std::string_view kNoRows = "no labelled rows";

/// A mean loss, with Student's interval.
Value mean_loss(const RegressionSummary& s, State::Loss loss) {
  if (s.n == 0) return none(std::string(kNoRows), 0);
  if (loss == State::kRelative && s.zero_labels) {
    return none(plural(s.zero_labels, "label") + (s.zero_labels == 1 ? " is 0" : " are 0"), s.n);
  }
  if (loss == State::kSquaredLog && s.no_logarithm) {
    return none(plural(s.no_logarithm, "row") + " with a label or prediction of -1 or less", s.n);
  }
  const sketch::Moments& m = s.losses[loss];
  const double variance = m.variance() / static_cast<double>(s.n);
  Value v = some(m.mean(), mean_interval(m.mean(), variance, s.n), s.baselines[loss], s.n);
  // The moments are exact; the best constants are read from the labels.
  if (loss != State::kError && loss != State::kSquared) v.rounding = s.rounding;
  if (loss == State::kError) v.scale = std::sqrt(s.label_squares / static_cast<double>(s.n));
  return v;
}

template <State::Loss loss>
Value mean(const RegressionSummary& s) {
  return mean_loss(s, loss);
}

template <State::Loss loss>
Value root_mean(const RegressionSummary& s) {
  Value v = mean_loss(s, loss);
  if (std::isnan(v.value)) return v;
  Value out = some(std::sqrt(v.value), root({v.low, v.high}), std::sqrt(v.baseline), v.n);
  out.rounding = v.rounding;
  return out;
}

Value r2(const RegressionSummary& s) {
  if (s.n == 0) return none(std::string(kNoRows), 0);
  if (!(s.label_squares > 0)) return none(s.n == 1 ? "one row only" : "all labels are equal", s.n);
  const double value = 1 - s.losses[State::kSquared].mean() * static_cast<double>(s.n) / s.label_squares;
  return some(value, mean_interval(value, s.r2_variance, s.n), 0, s.n);
}

Value max_error(const RegressionSummary& s) {
  if (s.n == 0) return none(std::string(kNoRows), 0);
  return {.value = s.largest,
          .baseline = s.largest_baseline,
          .n = s.n,
          .reason = "the largest error of other rows may be any",
          .rounding = s.rounding};
}

Value medae(const RegressionSummary& s) {
  if (s.n == 0) return none(std::string(kNoRows), 0);
  Value v = some(s.median, {s.median_low, s.median_high}, s.median_baseline, s.n);
  v.rounding = s.rounding;
  return v;
}

constexpr Metric metric(std::string_view name, std::string_view summary, std::string_view reference,
                        Whole<RegressionSummary> run, Better better = Better::kLower, double least = 0,
                        double most = kInfinity) {
  return {name, summary, reference, better, least, most, run};
}

constexpr std::string_view kMean = "interval: Student's t";

}  // namespace

constinit const Metric regression_me = metric("me", "mean of prediction - label; baseline: always the mean", kMean,
                                              mean<State::kError>, Better::kNeither, -kInfinity);
constinit const Metric regression_mae =
    metric("mae", "mean absolute error; baseline: always the median", kMean, mean<State::kAbsolute>);
constinit const Metric regression_mape =
    metric("mape", "mean absolute error relative to the label's size, a share; baseline: the best constant", kMean,
           mean<State::kRelative>);
constinit const Metric regression_smape =
    metric("smape", "mean of 2|prediction - label| / (|prediction| + |label|), 0..2; baseline: always the median",
           kMean, mean<State::kSymmetric>, Better::kLower, 0, 2);
constinit const Metric regression_mse =
    metric("mse", "mean squared error; baseline: always the mean", kMean, mean<State::kSquared>);
constinit const Metric regression_rmse =
    metric("rmse", "root of the mean squared error; baseline: always the mean", kMean, root_mean<State::kSquared>);
constinit const Metric regression_rmsle =
    metric("rmsle", "root of the mean squared error of ln(1 + x); baseline: the best constant", kMean,
           root_mean<State::kSquaredLog>);
constinit const Metric regression_r2 =
    metric("r2", "share of the labels' variance that is explained; baseline: always the mean", "interval: delta method",
           r2, Better::kHigher, -kInfinity, 1);
constinit const Metric regression_max_error = metric(
    "max_error", "largest absolute error, without an interval; baseline: the middle of the range", "", max_error);
constinit const Metric regression_medae =
    metric("medae", "median absolute error; baseline: always the median", "interval: David & Nagaraja 2003", medae);
constinit const Metric regression_pinball_10 =
    metric("pinball_10", "mean pinball loss of a predicted 10 % quantile; baseline: always the quantile",
           "Koenker & Bassett 1978", mean<State::kPinball10>);
constinit const Metric regression_pinball_50 =
    metric("pinball_50", "mean pinball loss of a predicted median; baseline: always the median",
           "Koenker & Bassett 1978", mean<State::kPinball50>);
constinit const Metric regression_pinball_90 =
    metric("pinball_90", "mean pinball loss of a predicted 90 % quantile; baseline: always the quantile",
           "Koenker & Bassett 1978", mean<State::kPinball90>);

}  // namespace vigie::metric
