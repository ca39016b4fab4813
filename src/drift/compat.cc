// SPDX-License-Identifier: Apache-2.0
#include "drift/compat.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "drift/cells_internal.h"
#include "drift/compat_internal.h"
#include "drift/distance_internal.h"

namespace vigie::drift {

std::span<const Peer> peers() {
  static const Peer all[] = {evidently, nannyml};
  return all;
}

const Peer* find_peer(std::string_view name) {
  auto all = peers();
  auto it = std::find_if(all.begin(), all.end(), [&](const Peer& p) { return p.name == name; });
  return it == all.end() ? nullptr : &*it;
}

const PeerMethod* find_method(const Peer& peer, std::string_view name) {
  auto it = std::find_if(peer.methods.begin(), peer.methods.end(), [&](const PeerMethod& m) { return m.name == name; });
  return it == peer.methods.end() ? nullptr : &*it;
}

double threshold_of(const PeerMethod& method, std::span<const double> reference_chunks) {
  if (method.rule != PeerRule::kReference) return method.threshold;
  double n = 0, sum = 0, squares = 0;
  for (double v : reference_chunks)
    if (!std::isnan(v)) ++n, sum += v;
  for (double v : reference_chunks)
    if (!std::isnan(v)) squares += (v - sum / n) * (v - sum / n);
  return std::min(method.threshold, sum / n + 3 * std::sqrt(squares / n));
}

bool drifted(const PeerMethod& method, const PeerScore& score, double threshold) {
  switch (method.rule) {
    case PeerRule::kAtLeast:
      return score.statistic >= threshold;
    case PeerRule::kPBelow:
      return score.p_value < threshold;
    case PeerRule::kPAtMost:
      return score.p_value <= threshold;
    case PeerRule::kAbove:
    case PeerRule::kReference:
      break;
  }
  return score.statistic > threshold;
}

Table table_of(const PeerColumn& column) {
  Table t;
  auto add = [&](std::int64_t x, std::int64_t y) {
    if (x + y == 0) return;
    t.x.push_back(x), t.y.push_back(y);
    t.n += x, t.m += y;
  };
  if (column.reference.empty() && column.current.empty()) {
    const auto& a = column.reference_counts;
    const auto& b = column.current_counts;
    for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i)
      add(i < a.size() ? a[i] : 0, i < b.size() ? b[i] : 0);
    return t;
  }
  const Cells cells =
      numeric_cells({}, {.counts = {}, .values = column.reference}, {.counts = {}, .values = column.current});
  for (std::size_t i = 0; i < cells.size(); ++i) add(cells.x[i], cells.y[i]);
  return t;
}

Shares shares_of(const Table& table) {
  Shares s;
  for (auto x : table.x) s.p.push_back(static_cast<double>(x) / static_cast<double>(table.n));
  for (auto y : table.y) s.q.push_back(static_cast<double>(y) / static_cast<double>(table.m));
  return s;
}

std::vector<double> equal_edges(double low, double high, std::size_t bins) {
  if (low == high) low -= .5, high += .5;
  const double step = (high - low) / static_cast<double>(bins);
  std::vector<double> edges(bins + 1);
  for (std::size_t i = 0; i < bins; ++i) edges[i] = static_cast<double>(i) * step + low;
  edges[bins] = high;
  return edges;
}

std::size_t bins_of_width(double range, double width, bool whole) {
  if (!(width > 0)) return 1;
  return static_cast<std::size_t>(std::ceil(range / (whole && width < 1 ? 1 : width)));
}

double sturges_width(double range, std::size_t rows) {
  return range / (std::log2(static_cast<double>(rows)) + 1);
}

double doane_width(std::span<const double> sorted) {
  const auto n = static_cast<double>(sorted.size());
  if (sorted.size() < 3) return 0;
  const double mean = std::accumulate(sorted.begin(), sorted.end(), 0.0) / n;
  double squares = 0, cubes = 0;
  for (double v : sorted) squares += (v - mean) * (v - mean);
  const double sd = std::sqrt(squares / n);
  if (!(sd > 0)) return 0;
  for (double v : sorted) cubes += std::pow((v - mean) / sd, 3);
  const double sg1 = std::sqrt(6 * (n - 2) / ((n + 1) * (n + 3)));
  return (sorted.back() - sorted.front()) / (1 + std::log2(n) + std::log2(1 + std::abs(cubes / n) / sg1));
}

std::vector<std::int64_t> histogram(std::span<const double> sorted, std::span<const double> edges) {
  std::vector<std::int64_t> counts(edges.size() - 1);
  auto at = std::lower_bound(sorted.begin(), sorted.end(), edges[0]);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto next = i + 2 == edges.size() ? std::upper_bound(at, sorted.end(), edges[i + 1])
                                            : std::lower_bound(at, sorted.end(), edges[i + 1]);
    counts[i] = next - at;
    at = next;
  }
  return counts;
}

double jensen_shannon(Shares s) {
  for (auto* side : {&s.p, &s.q}) {
    const double sum = std::accumulate(side->begin(), side->end(), 0.0);
    for (double& v : *side) v /= sum;
  }
  double left = 0, right = 0;
  for (std::size_t i = 0; i < s.p.size(); ++i) {
    const double m = (s.p[i] + s.q[i]) / 2;
    if (s.p[i] > 0) left += s.p[i] * std::log(s.p[i] / m);
    if (s.q[i] > 0) right += s.q[i] * std::log(s.q[i] / m);
  }
  return std::sqrt(std::max(0.0, left + right) / 2);
}

double wasserstein_distance(const PeerColumn& column) {
  const Cells c =
      numeric_cells({}, {.counts = {}, .values = column.reference}, {.counts = {}, .values = column.current});
  return sum_over_gaps(c.at, c.x, c.y, static_cast<double>(c.n), static_cast<double>(c.m),
                       [](double apart) { return std::abs(apart); });
}

}  // namespace vigie::drift
