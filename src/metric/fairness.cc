// SPDX-License-Identifier: Apache-2.0
#include "metric/fairness.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "metric/interval_internal.h"
#include "stats/normal_range.h"

namespace vigie::metric {
namespace {

enum class Rate { kSelection, kTrue, kFalse };

struct Share {
  std::int64_t k, n;
  double value() const { return static_cast<double>(k) / static_cast<double>(n); }
  Interval interval(double z) const { return wilson(static_cast<double>(k), static_cast<double>(n), z); }
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
  const Share one = share_of(s.counts[group], rate);
  return share(static_cast<double>(one.k), static_cast<double>(one.n), share_of(s.all, rate).value(),
               s.counts[group].rows(), lacking(rate));
}

/// The rate of a group that has one. `joint` bounds are as wide as it takes for all pairs of groups to differ by what
/// they allow, at once.
struct Group {
  double rate;
  Interval own, joint;
};

/// The groups that have a rate, or why there is no gap between them.
struct Groups {
  std::vector<Group> groups;
  double lowest = 1, highest = 0;
  double noise = 0;  ///< the gap that chance leaves between groups of one rate
  std::string reason;
};

Groups groups_of(const FairnessSummary& s, Rate rate) {
  Groups out;
  std::vector<Share> shares;
  for (const BinaryCounts& counts : s.counts)
    if (const Share one = share_of(counts, rate); one.n > 0) shares.push_back(one);
  if (s.n == 0) {
    out.reason = "no labelled rows";
  } else if (shares.size() < 2) {
    out.reason = "fewer than two groups have " + std::string(lacking(rate).substr(3));
  }
  if (!out.reason.empty()) return out;
  const double z = stats::normal_range_quantile(.95, static_cast<std::int64_t>(shares.size())) / std::numbers::sqrt2;
  const double overall = share_of(s.all, rate).value();
  std::vector<double> sds;
  for (const Share& one : shares) {
    out.groups.push_back({one.value(), one.interval(kZ), one.interval(z)});
    out.lowest = std::min(out.lowest, one.value()), out.highest = std::max(out.highest, one.value());
    sds.push_back(std::sqrt(overall * (1 - overall) / static_cast<double>(one.n)));
  }
  out.noise = stats::normal_range_mean(sds);
  return out;
}

/// Calls f(one, other) for each two groups, in both orders. The gap is at least that of any pair, by bounds that hold
/// for all pairs at once; and it is that of one pair, whichever, so that the highest of the pairs' own upper bounds
/// will do.
template <class F>
void each_pair(const std::vector<Group>& groups, F f) {
  for (const Group& one : groups)
    for (const Group& other : groups)
      if (&one != &other) f(one, other);
}

template <Rate rate>
Value difference(const FairnessSummary& s) {
  const Groups g = groups_of(s, rate);
  if (!g.reason.empty()) return none(g.reason, s.n);
  double low = 0, high = 0;
  each_pair(g.groups, [&](const Group& a, const Group& b) {
    const double value = b.rate - a.rate;
    low = std::max(low, value - std::hypot(b.rate - b.joint.low, a.joint.high - a.rate));
    high = std::max(high, value + std::hypot(b.own.high - b.rate, a.rate - a.own.low));
  });
  Value v = some(g.highest - g.lowest, {low, std::min(1.0, high)}, 0, s.n);
  v.noise = g.noise;
  return v;
}

template <Rate rate>
Value smallest_ratio(const FairnessSummary& s) {
  const Groups g = groups_of(s, rate);
  if (!g.reason.empty()) return none(g.reason, s.n);
  if (g.highest == 0) return none("the rate of every group is 0", s.n);
  double low = 1, high = 1;
  each_pair(g.groups, [&](const Group& a, const Group& b) {
    if (b.rate == 0) return;
    if (a.rate == 0) {
      low = 0, high = std::min(high, a.joint.high / b.joint.low);
      return;
    }
    const double value = a.rate / b.rate;
    const double down = std::hypot(std::log(a.rate / a.own.low), std::log(b.own.high / b.rate));
    const double up = std::hypot(std::log(a.joint.high / a.rate), std::log(b.rate / b.joint.low));
    low = std::min(low, value * std::exp(-down)), high = std::min(high, value * std::exp(up));
  });
  Value v = some(g.lowest / g.highest, {low, high}, 1, s.n);
  const double overall = share_of(s.all, rate).value(), half = std::min(overall, g.noise / 2);
  v.noise = (overall - half) / (overall + half) - 1;
  return v;
}

constexpr Metric group_metric(std::string_view name, std::string_view summary, Part<FairnessSummary> run) {
  return {name, summary, "interval: Wilson 1927", Better::kNeither, 0, 1, run};
}

constexpr Metric gap(std::string_view name, std::string_view summary, std::string_view reference,
                     Whole<FairnessSummary> run, Better better) {
  return {name, summary, reference, better, 0, 1, run};
}

constexpr std::string_view kDifference = "interval: Newcombe 1998, jointly as Kramer 1956",
                           kRatio = "interval: Zou & Donner 2008, jointly as Kramer 1956";

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
