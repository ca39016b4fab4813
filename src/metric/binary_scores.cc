// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "metric/binary.h"
#include "metric/interval_internal.h"

namespace vigie::metric {
namespace {

/// Why a metric of scores does not exist; empty when it does.
std::string obstacle(const BinarySummary& s, bool needs_both_classes, bool needs_probabilities) {
  const BinaryCounts& c = s.counts;
  if (c.rows() == 0) return "no labelled rows";
  if (!s.has_scores) return "no scores were given";
  if (needs_both_classes && c.positives() == 0) return "no positive rows";
  if (needs_both_classes && c.negatives() == 0) return "no negative rows";
  if (needs_probabilities && !s.probabilities) return "scores outside 0..1 are no probabilities";
  return {};
}

Value read(const BinarySummary& s, Value v) {
  v.rounding = s.rounding;
  return v;
}

/// A number that ranks positives above negatives, in 0..1.
Value ranked(const BinarySummary& s, double value, double variance, double baseline, bool positives_only = false) {
  const auto positives = static_cast<double>(s.counts.positives()),
             negatives = static_cast<double>(s.counts.negatives());
  const double fewer = positives_only ? positives : std::min(positives, negatives);
  // One row of a class says nothing of how such rows vary.
  const bool known = fewer > 1 && variance > 0 && value > 0 && value < 1;
  return read(s, some(value, share_interval(value, known ? variance : 0, known ? positives + negatives : fewer),
                      baseline, s.counts.rows()));
}

Value roc_auc(const BinarySummary& s) {
  if (const std::string why = obstacle(s, true, false); !why.empty()) return none(why, s.counts.rows());
  return ranked(s, s.roc_auc, s.roc_auc_positive + s.roc_auc_negative, .5);
}

Value gini(const BinarySummary& s) {
  Value auc = roc_auc(s);
  if (std::isnan(auc.value)) return auc;
  return read(s, some(2 * auc.value - 1, affine({auc.low, auc.high}, 2, -1), 0, auc.n));
}

Value pr_auc(const BinarySummary& s) {
  if (const std::string why = obstacle(s, true, false); !why.empty()) return none(why, s.counts.rows());
  return ranked(s, s.pr_auc, s.pr_auc_variance, s.positive_share(), true);
}

Value ks(const BinarySummary& s) {
  if (const std::string why = obstacle(s, true, false); !why.empty()) return none(why, s.counts.rows());
  const double variance = s.ks_true * (1 - s.ks_true) / static_cast<double>(s.counts.positives()) +
                          s.ks_false * (1 - s.ks_false) / static_cast<double>(s.counts.negatives());
  Value v = ranked(s, s.ks, variance, 0);
  constexpr double kMeanDistance = .8687311606361592;  // of Kolmogorov's law, √(π/2) ln 2
  v.noise = kMeanDistance *
            std::sqrt(1 / static_cast<double>(s.counts.positives()) + 1 / static_cast<double>(s.counts.negatives()));
  return v;
}

Value lift_10(const BinarySummary& s) {
  const auto positives = static_cast<double>(s.counts.positives());
  std::string why = obstacle(s, false, false);
  if (why.empty() && positives == 0) why = "no positive rows";
  if (!why.empty()) return none(why, s.counts.rows());
  // The share of positives that are on top, by the delta method: the bound moves with the rows, too.
  const auto n = static_cast<double>(s.counts.rows());
  const double on_top = s.top_positives, value = on_top / positives, edge = s.edge_share;
  const double squares = on_top * std::pow(1 - value - .9 * edge, 2) + (n / 10 - on_top) * std::pow(.9 * edge, 2) +
                         (positives - on_top) * std::pow(value - .1 * edge, 2) +
                         (.9 * n - positives + on_top) * std::pow(.1 * edge, 2);
  Interval interval = affine(share_interval(value, squares / (positives * positives), n), 10, 0);
  // At most 1 over the share of positives, which is not that of the sample.
  interval.high = std::min(interval.high, std::max(10 * value, 1 / wilson(positives, n).low));
  return read(s, some(10 * value, interval, 1, s.counts.rows()));
}

/// A mean loss of probabilities, with mean_interval or, where it is at most 1, bounded_interval.
Value loss(const BinarySummary& s, double value, double variance, double baseline,
           Interval (*interval)(double, double, std::int64_t)) {
  if (const std::string why = obstacle(s, false, true); !why.empty()) return none(why, s.counts.rows());
  return read(s, some(value, interval(value, variance, s.counts.rows()), baseline, s.counts.rows()));
}

double entropy(double p) {
  return p > 0 && p < 1 ? -p * std::log(p) - (1 - p) * std::log1p(-p) : 0;
}

Value log_loss(const BinarySummary& s) {
  return loss(s, s.log_loss, s.log_loss_variance, entropy(s.positive_share()), mean_interval);
}

Value brier(const BinarySummary& s) {
  return loss(s, s.brier, s.brier_variance, s.positive_share() * (1 - s.positive_share()), bounded_interval);
}

Value ece(const BinarySummary& s) {
  constexpr double kBins = 15, kMeanSize = .7978845608028654;  // E|Z|
  Value value = loss(s, s.ece, s.ece_variance, 0, bounded_interval);
  value.noise = kMeanSize * std::sqrt(kBins * s.ece_variance);
  return value;
}

}  // namespace

constinit const Metric binary_roc_auc{
    .name = "roc_auc",
    .summary = "probability that a positive row scores above a negative one, ties half; baseline: random",
    .reference = "interval: DeLong, DeLong & Clarke-Pearson 1988",
    .better = Better::kHigher,
    .least = 0,
    .most = 1,
    .run = roc_auc};
constinit const Metric binary_pr_auc{
    .name = "pr_auc",
    .summary = "average precision, step-wise, ties grouped; baseline: random, the share of positives",
    .reference = "interval: influence function",
    .better = Better::kHigher,
    .least = 0,
    .most = 1,
    .run = pr_auc};
constinit const Metric binary_log_loss{
    .name = "log_loss",
    .summary = "mean of -ln of the probability given to the truth; baseline: always the share of positives",
    .reference = "Good 1952",
    .better = Better::kLower,
    .least = 0,
    .most = kInfinity,
    .run = log_loss};
constinit const Metric binary_brier{
    .name = "brier",
    .summary = "mean squared difference of probability and truth; baseline: always the share of positives",
    .reference = "Brier 1950",
    .better = Better::kLower,
    .least = 0,
    .most = 1,
    .run = brier};
constinit const Metric binary_ece{
    .name = "ece",
    .summary =
        "mean distance of probability and share of positives in 15 bins of equal counts; small samples raise it; "
        "baseline: always the share of positives",
    .reference = "Naeini, Cooper & Hauskrecht 2015",
    .better = Better::kLower,
    .least = 0,
    .most = 1,
    .run = ece};
constinit const Metric binary_ks{
    .name = "ks",
    .summary =
        "largest distance of the score distributions of positives and negatives; small samples raise it; "
        "baseline: random",
    .reference = "interval: of the two shares where it is found",
    .better = Better::kHigher,
    .least = 0,
    .most = 1,
    .run = ks};
constinit const Metric binary_gini{.name = "gini",
                                   .summary = "2 ROC AUC - 1; baseline: random",
                                   .reference = "interval: DeLong, DeLong & Clarke-Pearson 1988",
                                   .better = Better::kHigher,
                                   .least = -1,
                                   .most = 1,
                                   .run = gini};
constinit const Metric binary_lift_10{
    .name = "lift_10",
    .summary = "share of positives in the tenth of rows with the highest scores over that of all; baseline: random",
    .reference = "interval: delta method",
    .better = Better::kHigher,
    .least = 0,
    .most = 10,
    .run = lift_10};

}  // namespace vigie::metric
