// SPDX-License-Identifier: Apache-2.0
#include "metric/curves.h"

#include <algorithm>
#include <cmath>

#include "metric/binary_groups_internal.h"
#include "metric/interval_internal.h"
#include "sketch/moments.h"
#include "stats/distributions.h"

namespace vigie::metric {
namespace {

/// Calls f(threshold, positives, negatives at or above it) for each score, ascending.
template <class F>
void each_threshold(const BinaryState& state, F f) {
  auto positives = static_cast<double>(state.positive().count());
  auto negatives = static_cast<double>(state.negative().count());
  each_score(state, [&](double score, double ones, double zeros) {
    f(score, positives, negatives);
    positives -= ones;
    negatives -= zeros;
  });
}

}  // namespace

std::vector<RocPoint> roc_curve(BinaryState& state, int most) {
  state.sort();
  const auto p = static_cast<double>(state.positive().count()), n = static_cast<double>(state.negative().count());
  std::vector<RocPoint> out;
  if (p == 0 || n == 0) return out;
  each_threshold(state, [&](double threshold, double positives, double negatives) {
    const RocPoint point{threshold, negatives / n, positives / p};
    const double step = out.empty() ? kInfinity
                                    : out.back().false_positive_rate - point.false_positive_rate +
                                          out.back().true_positive_rate - point.true_positive_rate;
    if (step >= 2. / most) out.push_back(point);
  });
  out.push_back({kInfinity, 0, 0});
  std::reverse(out.begin(), out.end());
  return out;
}

std::vector<PrecisionRecallPoint> precision_recall_curve(BinaryState& state, int most) {
  state.sort();
  const auto p = static_cast<double>(state.positive().count());
  std::vector<PrecisionRecallPoint> out;
  if (p == 0 || state.negative().count() == 0) return out;
  PrecisionRecallPoint last{};
  each_threshold(state, [&](double threshold, double positives, double negatives) {
    if (positives == 0) return;
    last = {threshold, positives / p, positives / (positives + negatives)};
    if (out.empty() || out.back().recall - last.recall >= 1. / most) out.push_back(last);
  });
  if (out.back().threshold != last.threshold) out.push_back(last);
  std::reverse(out.begin(), out.end());
  return out;
}

std::vector<ReliabilityBin> reliability_curve(BinaryState& state) {
  state.sort();
  std::vector<ReliabilityBin> out;
  bool probabilities = true;
  CalibrationBins calibration(static_cast<double>(state.positive().count() + state.negative().count()));
  each_score(state, [&](double score, double ones, double zeros) {
    probabilities = probabilities && score >= 0 && score <= 1;
    calibration.add(score, ones, ones + zeros);
  });
  if (!probabilities) return out;
  for (const CalibrationBins::Bin& bin : calibration.bins()) {
    const Interval interval = wilson(bin.positives, bin.rows);
    out.push_back({bin.rows, bin.scores / bin.rows, bin.positives / bin.rows, interval.low, interval.high});
  }
  return out;
}

std::vector<GainPoint> gain_curve(BinaryState& state, int steps) {
  state.sort();
  const auto p = static_cast<double>(state.positive().count());
  const double n = p + static_cast<double>(state.negative().count());
  std::vector<GainPoint> out;
  if (p == 0) return out;
  double rows_below = 0, positives_below = 0;
  int left = steps;  // how many shares end above the rows seen so far
  each_score(state, [&](double, double ones, double zeros) {
    const double rows = ones + zeros;
    for (; left > 0; --left) {
      const double share = static_cast<double>(left) / steps, bound = n * (1 - share);
      if (bound >= rows_below + rows) break;
      const double gain = 1 - (positives_below + ones * (bound - rows_below) / rows) / p;
      out.push_back({share, gain, gain / share});
    }
    rows_below += rows;
    positives_below += ones;
  });
  std::reverse(out.begin(), out.end());
  return out;
}

std::vector<ResidualPoint> residual_curve(RegressionState& state, int steps) {
  state.sort();
  const SortedValues& residuals = state.residuals();
  std::vector<ResidualPoint> out;
  if (residuals.count() == 0) return out;
  const sketch::Moments& moments = state.residual_moments();
  const double sd = residuals.count() > 1 ? moments.sd() : 0;
  for (int i = 0; i < steps; ++i) {
    const double share = (i + .5) / steps;
    const double residual = residuals.at(static_cast<std::int64_t>(share * static_cast<double>(residuals.count())));
    out.push_back({share, residual, moments.mean() + sd * stats::normal_quantile(share)});
  }
  return out;
}

}  // namespace vigie::metric
