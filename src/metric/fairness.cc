// SPDX-License-Identifier: Apache-2.0
#include "metric/fairness.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

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

/// One end of a gap: how far out a group's rate is, and how far its bound is from there.
struct End {
  std::size_t group;
  double at, reach;
};

/// Without those to which two others are to be preferred, of which one is not at the gap's other end.
std::vector<End> best(std::vector<End> ends, double sign) {
  std::sort(ends.begin(), ends.end(),
            [&](const End& a, const End& b) { return a.at != b.at ? a.at > b.at : sign * a.reach > sign * b.reach; });
  double first = -kInfinity, second = -kInfinity;
  std::erase_if(ends, [&](const End& end) {
    const double reach = sign * end.reach;
    if (reach <= second) return true;
    second = std::min(first, reach), first = std::max(first, reach);
    return false;
  });
  return ends;
}

/// The most that a.at + b.at + sign · √(a.reach² + b.reach²) comes to for two groups; −∞ where there are not two. As
/// few ends are the best, some n log n.
double widest(const std::vector<End>& some, const std::vector<End>& others, double sign) {
  double out = -kInfinity;
  const auto last = best(others, sign);
  for (const End& a : best(some, sign))
    for (const End& b : last)
      if (a.group != b.group) out = std::max(out, a.at + b.at + sign * std::hypot(a.reach, b.reach));
  return out;
}

/// Of each group `f` gives the ends of a gap that it may be: the upper and the lower one.
template <class F>
double widest(const std::vector<Group>& groups, double sign, F f) {
  std::vector<End> upper, lower;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto [up, down] = f(groups[i]);
    upper.push_back({i, up.first, up.second}), lower.push_back({i, down.first, down.second});
  }
  return widest(upper, lower, sign);
}

// The gap is at least that of any pair, by bounds that hold for all pairs at once; and it is that of one pair,
// whichever, so that the highest of the pairs' own upper bounds will do.

template <Rate rate>
Value difference(const FairnessSummary& s) {
  const Groups g = groups_of(s, rate);
  if (!g.reason.empty()) return none(g.reason, s.n);
  const double low = widest(g.groups, -1, [](const Group& one) {
    return std::pair(std::pair(one.rate, one.rate - one.joint.low), std::pair(-one.rate, one.joint.high - one.rate));
  });
  const double high = widest(g.groups, 1, [](const Group& one) {
    return std::pair(std::pair(one.rate, one.own.high - one.rate), std::pair(-one.rate, one.rate - one.own.low));
  });
  Value v = some(g.highest - g.lowest, {std::max(0.0, low), std::min(1.0, high)}, 0, s.n);
  v.noise = g.noise;
  return v;
}

template <Rate rate>
Value smallest_ratio(const FairnessSummary& s) {
  const Groups g = groups_of(s, rate);
  if (!g.reason.empty()) return none(g.reason, s.n);
  if (g.highest == 0) return none("the rate of every group is 0", s.n);
  std::vector<Group> above;
  double of_none = kInfinity, surest = 0;
  for (const Group& one : g.groups) {
    if (one.rate > 0)
      above.push_back(one), surest = std::max(surest, one.joint.low);
    else
      of_none = std::min(of_none, one.joint.high);
  }
  const double down = widest(above, 1, [](const Group& one) {
    const double at = std::log(one.rate);
    return std::pair(std::pair(at, std::log(one.own.high / one.rate)),
                     std::pair(-at, std::log(one.rate / one.own.low)));
  });
  const double up = widest(above, -1, [](const Group& one) {
    const double at = std::log(one.rate);
    return std::pair(std::pair(at, std::log(one.rate / one.joint.low)),
                     std::pair(-at, std::log(one.joint.high / one.rate)));
  });
  const double low = g.lowest > 0 ? std::exp(-down) : 0;
  Value v = some(g.lowest / g.highest, {std::min(1.0, low), std::min({1.0, std::exp(-up), of_none / surest})}, 1, s.n);
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
