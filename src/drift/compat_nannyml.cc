// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>

#include "drift/cells_internal.h"
#include "drift/compat_internal.h"
#include "stats/distributions.h"

namespace vigie::drift {
namespace {

constexpr std::size_t kExactBelow = 10'000, kFine = 10'000;
constexpr double kNoLimit = std::numeric_limits<double>::infinity();

// The bins or categories of the reference, and one more for current rows in none of them.
Shares on_reference(const PeerColumn& column) {
  Shares s;
  if (column.kind == kCategorical) {
    const Table t = table_of(column);
    const Shares all = shares_of(t);
    for (std::size_t i = 0; i < all.p.size(); ++i)
      if (t.x[i] > 0) s.p.push_back(all.p[i]), s.q.push_back(all.q[i]);
  } else {
    const double low = column.reference.front(), high = column.reference.back();
    const auto edges = equal_edges(low, high, bins_of_width(high - low, doane_width(column.reference), false));
    for (auto c : histogram(column.reference, edges))
      s.p.push_back(static_cast<double>(c) / static_cast<double>(column.reference.size()));
    for (auto c : histogram(column.current, edges))
      s.q.push_back(static_cast<double>(c) / static_cast<double>(column.current.size()));
  }
  const double leftover = 1 - std::accumulate(s.q.begin(), s.q.end(), 0.0);
  if (leftover > 0) s.p.push_back(0), s.q.push_back(leftover);
  return s;
}

PeerScore jensen_shannon_base_2(const PeerColumn& column) {
  return {.statistic = jensen_shannon(on_reference(column)) / std::sqrt(std::log(2))};
}

PeerScore hellinger_distance(const PeerColumn& column) {
  const Shares s = on_reference(column);
  double sum = 0;
  for (std::size_t i = 0; i < s.p.size(); ++i) sum += std::pow(std::sqrt(s.p[i]) - std::sqrt(s.q[i]), 2);
  return {.statistic = std::sqrt(sum) / std::sqrt(2)};
}

double share_below(std::span<const double> sorted, double v) {
  return static_cast<double>(std::lower_bound(sorted.begin(), sorted.end(), v) - sorted.begin()) /
         static_cast<double>(sorted.size());
}

// The distribution functions of both at the right edges of 10,000 equal bins of the reference.
struct Fine {
  std::vector<double> edges, x, y;
  explicit Fine(const PeerColumn& column)
      : edges(equal_edges(column.reference.front(), column.reference.back(), kFine)),
        x(cumulated(column.reference)),
        y(cumulated(column.current)) {}
  std::vector<double> cumulated(std::span<const double> sorted) const {
    std::vector<double> out;
    double sum = 0;
    for (auto c : histogram(sorted, edges))
      out.push_back(sum += static_cast<double>(c) / static_cast<double>(sorted.size()));
    return out;
  }
};

PeerScore kolmogorov_smirnov(const PeerColumn& column) {
  double most = 0;
  if (column.reference.size() < kExactBelow) {
    const Table t = table_of(column);
    double x = 0, y = 0;
    for (std::size_t i = 0; i < t.x.size(); ++i) {
      x += static_cast<double>(t.x[i]), y += static_cast<double>(t.y[i]);
      most = std::max(most, std::abs(x / static_cast<double>(t.n) - y / static_cast<double>(t.m)));
    }
    return {.statistic = most};
  }
  const Fine fine(column);
  const double below = share_below(column.current, fine.edges.front());
  for (std::size_t i = 0; i < kFine; ++i) most = std::max(most, std::abs(fine.x[i] - (below + fine.y[i])));
  return {.statistic = most};
}

// ∫ of the distribution function, or of what it lacks to 1, of rows beyond a bound and the bound itself.
double tail(std::span<const double> rows, double bound, bool below) {
  std::vector<double> all(rows.begin(), rows.end());
  all.insert(below ? all.end() : all.begin(), bound);
  double sum = 0;
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    const double f = static_cast<double>(i + 1) / static_cast<double>(all.size());
    sum += (below ? f : 1 - f) * (all[i + 1] - all[i]);
  }
  return sum;
}

PeerScore wasserstein_of(const PeerColumn& column) {
  if (column.reference.size() < kExactBelow) return {.statistic = wasserstein_distance(column)};
  const Fine fine(column);
  const auto& now = column.current;
  const auto rows = static_cast<double>(now.size());
  const double low = fine.edges.front(), high = fine.edges.back();
  const auto smaller = static_cast<std::size_t>(std::lower_bound(now.begin(), now.end(), low) - now.begin()),
             larger = static_cast<std::size_t>(now.end() - std::upper_bound(now.begin(), now.end(), high));
  double sum = 0, share = 0;
  // One row more than there are: the bound that was added to them.
  if (smaller > 0) {
    share = static_cast<double>(smaller + 1) / rows;
    sum += share * tail(now.first(smaller), low, true);
  }
  if (larger > 0) sum += static_cast<double>(larger + 1) / rows * tail(now.last(larger), high, false);
  const double width = fine.edges[1] - fine.edges[0];
  for (std::size_t i = 0; i < kFine; ++i) sum += std::abs(fine.x[i] - (fine.y[i] + share)) * width;
  return {.statistic = sum};
}

PeerScore chi2_contingency(const PeerColumn& column) {
  const Table t = table_of(column);
  if (t.x.size() < 2) return {.statistic = 0, .p_value = 1};
  const double n = static_cast<double>(t.n), m = static_cast<double>(t.m);
  double sum = 0;
  for (std::size_t i = 0; i < t.x.size(); ++i) {
    const double both = static_cast<double>(t.x[i] + t.y[i]), e = both * n / (n + m), f = both * m / (n + m);
    double apart = std::abs(static_cast<double>(t.x[i]) - e);
    if (t.x.size() == 2) apart -= std::min(.5, apart);  // Yates
    sum += apart * apart / e + apart * apart / f;
  }
  return {.statistic = sum, .p_value = stats::chi2_sf(sum, static_cast<double>(t.x.size() - 1))};
}

PeerScore largest_change(const PeerColumn& column) {
  const Shares s = shares_of(table_of(column));
  double most = 0;
  for (std::size_t i = 0; i < s.p.size(); ++i) most = std::max(most, std::abs(s.p[i] - s.q[i]));
  return {.statistic = most};
}

constexpr PeerMethod kMethods[] = {
    {"jensen_shannon", "Jensen–Shannon distance in base 2 on the reference's bins (Doane) or categories",
     kNumeric | kCategorical, PeerRule::kReference, kNoLimit, jensen_shannon_base_2},
    {"hellinger", "Hellinger distance on the same bins", kNumeric | kCategorical, PeerRule::kReference, kNoLimit,
     hellinger_distance},
    {"kolmogorov_smirnov", "D; from 10,000 reference rows on, on 10,000 equal bins", kNumeric, PeerRule::kReference, 1,
     kolmogorov_smirnov},
    {"wasserstein", "W₁ in the column's unit; from 10,000 reference rows on, on 10,000 equal bins", kNumeric,
     PeerRule::kReference, kNoLimit, wasserstein_of},
    {"chi2", "χ² of the table, with Yates' correction for two categories", kCategorical, PeerRule::kPBelow, .05,
     chi2_contingency},
    {"l_infinity", "largest change of a share", kCategorical, PeerRule::kReference, kNoLimit, largest_change},
};

}  // namespace

const Peer nannyml{.name = "nannyml",
                   .version = "0.13.1",
                   .methods = kMethods,
                   .kind = [](const PeerColumn& column) { return column.kind; },
                   .usual = [](const PeerColumn&) -> const PeerMethod& { return kMethods[0]; },
                   .share = std::numeric_limits<double>::quiet_NaN(),
                   .chunks = 10};

}  // namespace vigie::drift
