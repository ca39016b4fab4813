// SPDX-License-Identifier: Apache-2.0
#include "metric/fairness.h"

#include <algorithm>
#include <cmath>

#include "metric/interval_internal.h"

namespace vigie::metric {
namespace {

enum class Rate { kSelection, kTrue, kFalse };

struct Share {
  std::int64_t k, n;
  double value() const { return static_cast<double>(k) / static_cast<double>(n); }
  Interval interval() const { return wilson(static_cast<double>(k), static_cast<double>(n)); }
};

Share share_of(const BinaryCounts& c, Rate rate) {
  switch (rate) {
    case Rate::kSelection:
      return {c.selected(), c.rows()};
    case Rate::kTrue:
      return {c.tp, c.positives()};
    case Rate::kFalse:
      break;
  }
  return {c.fp, c.negatives()};
}

std::string_view lacking(Rate rate) {
  return rate == Rate::kTrue ? "no positive rows" : rate == Rate::kFalse ? "no negative rows" : "no labelled rows";
}

/// The baseline is the rate of all groups together.
template <Rate rate>
Value by_group(const FairnessSummary& s, std::size_t group) {
  BinaryCounts all;
  for (const BinaryCounts& counts : s.counts) all.add(counts);
  const Share one = share_of(s.counts[group], rate);
  return share(static_cast<double>(one.k), static_cast<double>(one.n), share_of(all, rate).value(),
               s.counts[group].rows(), lacking(rate));
}

/// The lowest and the highest rate of the groups that have one, or why there are none.
struct Extremes {
  Share low{0, 0}, high{0, 0};
  std::string reason;
};

Extremes extremes(const FairnessSummary& s, Rate rate) {
  Extremes out;
  int groups = 0;
  for (const BinaryCounts& counts : s.counts) {
    const Share one = share_of(counts, rate);
    if (one.n == 0) continue;
    if (groups == 0 || one.value() < out.low.value()) out.low = one;
    if (groups == 0 || one.value() > out.high.value()) out.high = one;
    ++groups;
  }
  if (s.n == 0) {
    out.reason = "no labelled rows";
  } else if (groups < 2) {
    out.reason = "fewer than two groups have " + std::string(lacking(rate).substr(3));
  }
  return out;
}

template <Rate rate>
Value difference(const FairnessSummary& s) {
  const Extremes e = extremes(s, rate);
  if (!e.reason.empty()) return none(e.reason, s.n);
  const double low = e.low.value(), high = e.high.value(), value = high - low;
  const Interval a = e.high.interval(), b = e.low.interval();  // combined as in Newcombe 1998
  return some(
      value,
      {std::max(0.0, value - std::hypot(high - a.low, b.high - low)), value + std::hypot(a.high - high, low - b.low)},
      0, s.n);
}

template <Rate rate>
Value smallest_ratio(const FairnessSummary& s) {
  const Extremes e = extremes(s, rate);
  if (!e.reason.empty()) return none(e.reason, s.n);
  if (e.high.k == 0) return none("the rate of every group is 0", s.n);
  const double low = e.low.value(), high = e.high.value(), value = low / high;
  const Interval a = e.low.interval(), b = e.high.interval();  // combined as in Zou & Donner 2008, in logarithms
  if (low == 0) return some(0, {0, std::min(1.0, a.high / b.low)}, 1, s.n);
  const double down = std::hypot(std::log(low / a.low), std::log(b.high / high));
  const double up = std::hypot(std::log(a.high / low), std::log(high / b.low));
  return some(value, {value * std::exp(-down), std::min(1.0, value * std::exp(up))}, 1, s.n);
}

constexpr Metric group_metric(std::string_view name, std::string_view summary, Part<FairnessSummary> run) {
  return {name, summary, "interval: Wilson 1927", Better::kNeither, 0, 1, run};
}

constexpr Metric gap(std::string_view name, std::string_view summary, std::string_view reference,
                     Whole<FairnessSummary> run, Better better) {
  return {name, summary, reference, better, 0, 1, run};
}

constexpr std::string_view kDifference = "Newcombe 1998", kRatio = "Zou & Donner 2008";

}  // namespace

constinit const Metric fairness_selection_rate = group_metric(
    "selection_rate", "share of the group predicted positive; baseline: of all", by_group<Rate::kSelection>);
constinit const Metric fairness_tpr =
    group_metric("tpr", "share of the group's positives predicted positive; baseline: of all", by_group<Rate::kTrue>);
constinit const Metric fairness_fpr =
    group_metric("fpr", "share of the group's negatives predicted positive; baseline: of all", by_group<Rate::kFalse>);
constinit const Metric fairness_selection_rate_difference =
    gap("selection_rate_difference",
        "highest minus lowest selection rate of the groups (demographic parity); baseline: equal groups", kDifference,
        difference<Rate::kSelection>, Better::kLower);
constinit const Metric fairness_selection_rate_ratio =
    gap("selection_rate_ratio",
        "lowest over highest selection rate of the groups (the four-fifths rule); baseline: equal groups", kRatio,
        smallest_ratio<Rate::kSelection>, Better::kHigher);
constinit const Metric fairness_tpr_difference =
    gap("tpr_difference",
        "highest minus lowest true positive rate of the groups (equal opportunity); baseline: equal groups",
        kDifference, difference<Rate::kTrue>, Better::kLower);
constinit const Metric fairness_tpr_ratio =
    gap("tpr_ratio", "lowest over highest true positive rate of the groups; baseline: equal groups", kRatio,
        smallest_ratio<Rate::kTrue>, Better::kHigher);
constinit const Metric fairness_fpr_difference =
    gap("fpr_difference", "highest minus lowest false positive rate of the groups; baseline: equal groups", kDifference,
        difference<Rate::kFalse>, Better::kLower);
constinit const Metric fairness_fpr_ratio =
    gap("fpr_ratio", "lowest over highest false positive rate of the groups; baseline: equal groups", kRatio,
        smallest_ratio<Rate::kFalse>, Better::kHigher);

}  // namespace vigie::metric
