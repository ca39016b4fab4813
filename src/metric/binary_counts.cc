// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>

#include "metric/binary.h"
#include "metric/confusion_internal.h"

namespace vigie::metric {
namespace {

constexpr std::string_view kNoRows = "no labelled rows", kNoPositives = "no positive rows",
                           kNoNegatives = "no negative rows", kNoneSelected = "no row was predicted positive",
                           kOneClass = "all rows are of one class, or predicted so";

/// As doubles, and the shares that most metrics are.
struct Counts {
  explicit Counts(const BinaryCounts& c)
      : tn(static_cast<double>(c.tn)),
        fp(static_cast<double>(c.fp)),
        fn(static_cast<double>(c.fn)),
        tp(static_cast<double>(c.tp)),
        n(tn + fp + fn + tp),
        rows(c.rows()),
        share_positive((tp + fn) / n) {}
  double tn, fp, fn, tp, n;
  std::int64_t rows;
  double share_positive;
};

Value accuracy(const BinarySummary& s) {
  const Counts c(s.counts);
  return share(c.tp + c.tn, c.n, std::max(c.share_positive, 1 - c.share_positive), c.rows, kNoRows);
}

Value balanced_accuracy(const BinarySummary& s) {
  const Counts c(s.counts);
  if (c.rows == 0) return none(std::string(kNoRows), 0);
  if (c.tp + c.fn == 0 || c.tn + c.fp == 0) {
    return none(std::string(c.tp + c.fn == 0 ? kNoPositives : kNoNegatives), c.rows);
  }
  const double tpr = c.tp / (c.tp + c.fn), tnr = c.tn / (c.tn + c.fp), value = (tpr + tnr) / 2;
  // The intervals of the two shares combined as in Newcombe 1998.
  const Interval a = wilson(c.tp, c.tp + c.fn), b = wilson(c.tn, c.tn + c.fp);
  return some(value,
              {value - std::hypot(tpr - a.low, tnr - b.low) / 2, value + std::hypot(a.high - tpr, b.high - tnr) / 2},
              .5, c.rows);
}

Value precision(const BinarySummary& s) {
  const Counts c(s.counts);
  return share(c.tp, c.tp + c.fp, c.share_positive, c.rows, c.rows ? kNoneSelected : kNoRows);
}

Value recall(const BinarySummary& s) {
  const Counts c(s.counts);
  return share(c.tp, c.tp + c.fn, c.share_positive, c.rows, c.rows ? kNoPositives : kNoRows);
}

Value specificity(const BinarySummary& s) {
  const Counts c(s.counts);
  return share(c.tn, c.tn + c.fp, 1 - c.share_positive, c.rows, c.rows ? kNoNegatives : kNoRows);
}

Value f1(const BinarySummary& s) {
  const Counts c(s.counts);
  const double most = c.tp + c.fp + c.fn;
  if (most == 0) return none(c.rows ? "no row is positive or predicted so" : std::string(kNoRows), c.rows);
  // F1 = 2J / (1 + J), where J = tp / (tp + fp + fn) is a share of rows.
  const Interval j = wilson(c.tp, most);
  return some(2 * c.tp / (most + c.tp), {2 * j.low / (1 + j.low), 2 * j.high / (1 + j.high)}, c.share_positive, c.rows);
}

Value f_beta(const BinarySummary& s) {
  const Counts c(s.counts);
  const double b = s.beta * s.beta, all = (1 + b) * c.tp + b * c.fn + c.fp;
  if (!(all > 0)) return none(c.rows ? "no row is positive or predicted so" : std::string(kNoRows), c.rows);
  const double value = (1 + b) * c.tp / all;
  const double variance =
      (c.tp * std::pow((1 + b) * (1 - value), 2) + c.fn * std::pow(b * value, 2) + c.fp * value * value) / (all * all);
  return some(value, share_interval(value, variance, c.tp + c.fp + c.fn), c.share_positive, c.rows);
}

Value mcc(const BinarySummary& s) {
  const BinaryCounts& c = s.counts;
  return coefficient(mcc_of(std::array{c.tn, c.fp, c.fn, c.tp}, 2), c.rows(), c.rows() ? kOneClass : kNoRows);
}

Value kappa(const BinarySummary& s) {
  const BinaryCounts& c = s.counts;
  return coefficient(kappa_of(std::array{c.tn, c.fp, c.fn, c.tp}, 2), c.rows(), c.rows() ? kOneClass : kNoRows);
}

Value selection_rate(const BinarySummary& s) {
  const Counts c(s.counts);
  return share(c.tp + c.fp, c.n, c.share_positive, c.rows, kNoRows);
}

Value business_value(const BinarySummary& s) {
  const Counts c(s.counts);
  if (!s.costs) return none("no cost matrix was given", c.rows);
  if (c.rows == 0) return none(std::string(kNoRows), 0);
  const auto [tn, fp, fn, tp] = *s.costs;
  const double total = c.tn * tn + c.fp * fp + c.fn * fn + c.tp * tp, mean = total / c.n;
  const double squares = c.tn * std::pow(tn - mean, 2) + c.fp * std::pow(fp - mean, 2) + c.fn * std::pow(fn - mean, 2) +
                         c.tp * std::pow(tp - mean, 2);
  const double p = c.share_positive, q = 1 - p;
  return some(total, mean_interval(total, squares * c.n / (c.n - 1), c.rows),
              c.n * (q * q * tn + q * p * fp + p * q * fn + p * p * tp), c.rows);
}

}  // namespace

constinit const Metric binary_accuracy{.name = "accuracy",
                                       .summary = "share of rows predicted right; baseline: always the larger class",
                                       .reference = "interval: Wilson 1927",
                                       .better = Better::kHigher,
                                       .least = 0,
                                       .most = 1,
                                       .run = accuracy};
constinit const Metric binary_balanced_accuracy{
    .name = "balanced_accuracy",
    .summary = "mean of recall and specificity; baseline: random by the shares of the classes",
    .reference = "Brodersen et al. 2010; interval: Newcombe 1998",
    .better = Better::kHigher,
    .least = 0,
    .most = 1,
    .run = balanced_accuracy};
constinit const Metric binary_precision{
    .name = "precision",
    .summary = "share of positives among rows predicted positive; baseline: random by the shares of the classes",
    .reference = "interval: Wilson 1927",
    .better = Better::kHigher,
    .least = 0,
    .most = 1,
    .run = precision};
constinit const Metric binary_recall{
    .name = "recall",
    .summary = "share of positives that were predicted so; baseline: random by the shares of the classes",
    .reference = "interval: Wilson 1927",
    .better = Better::kHigher,
    .least = 0,
    .most = 1,
    .run = recall};
constinit const Metric binary_specificity{
    .name = "specificity",
    .summary = "share of negatives that were predicted so; baseline: random by the shares of the classes",
    .reference = "interval: Wilson 1927",
    .better = Better::kHigher,
    .least = 0,
    .most = 1,
    .run = specificity};
constinit const Metric binary_f1{
    .name = "f1",
    .summary = "harmonic mean of precision and recall; baseline: random by the shares of the classes",
    .reference = "van Rijsbergen 1979",
    .better = Better::kHigher,
    .least = 0,
    .most = 1,
    .run = f1};
constinit const Metric binary_f_beta{.name = "f_beta",
                                     .summary =
                                         "F measure that counts recall beta times as much as precision (default 2); "
                                         "baseline: random by the shares of the classes",
                                     .reference = "van Rijsbergen 1979; interval: delta method",
                                     .better = Better::kHigher,
                                     .least = 0,
                                     .most = 1,
                                     .run = f_beta};
constinit const Metric binary_mcc{.name = "mcc",
                                  .summary = "correlation of truth and prediction; baseline: random",
                                  .reference = "Matthews 1975; interval: delta method",
                                  .better = Better::kHigher,
                                  .least = -1,
                                  .most = 1,
                                  .run = mcc};
constinit const Metric binary_kappa{.name = "kappa",
                                    .summary = "agreement of truth and prediction beyond chance; baseline: random",
                                    .reference = "Cohen 1960; interval: Fleiss, Cohen & Everitt 1969",
                                    .better = Better::kHigher,
                                    .least = -1,
                                    .most = 1,
                                    .run = kappa};
constinit const Metric binary_selection_rate{
    .name = "selection_rate",
    .summary = "share of rows predicted positive; baseline: the share that is positive",
    .reference = "interval: Wilson 1927",
    .better = Better::kNeither,
    .least = 0,
    .most = 1,
    .run = selection_rate};
constinit const Metric binary_business_value{
    .name = "business_value",
    .summary = "sum of what each row is worth by the cost matrix; baseline: random by the shares of the classes",
    .reference = "",
    .better = Better::kHigher,
    .least = -kInfinity,
    .most = kInfinity,
    .run = business_value,
    .total = true};

}  // namespace vigie::metric
