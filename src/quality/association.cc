// SPDX-License-Identifier: Apache-2.0
#include "stats/association.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "base/lanes.h"
#include "quality/association_internal.h"

namespace vigie::quality {
namespace {

constexpr std::size_t kClasses = 32;
constexpr double kHeavy = 10;

void rank(Prepared& column) {
  std::vector<std::pair<double, std::uint32_t>> order;
  for (std::uint32_t i = 0; i < column.values.size(); ++i)
    if (!std::isnan(column.values[i])) order.emplace_back(column.values[i], i);
  std::sort(order.begin(), order.end());
  column.ranks.assign(column.values.size(), kNaN);
  for (std::size_t i = 0; i < order.size();) {
    std::size_t j = i;
    while (j < order.size() && order[j].first == order[i].first) ++j;
    for (std::size_t t = i; t < j; ++t) column.ranks[order[t].second] = (static_cast<double>(i + j) + 1) / 2;
    i = j;
  }
}

bool heavy(std::span<const double> values) {
  double n = 0, mean = 0, m2 = 0, m4 = 0;
  for (const double x : values)
    if (!std::isnan(x)) ++n, mean += (x - mean) / n;
  for (const double x : values) {
    if (std::isnan(x)) continue;
    const double d = (x - mean) * (x - mean);
    m2 += d;
    m4 += d * d;
  }
  return !(m2 > 0) || !std::isfinite(m4) || n * m4 / (m2 * m2) - 3 > kHeavy;
}

}  // namespace

Prepared prepare(const ColumnState& column, std::span<const std::uint64_t> words, const Prepared* like) {
  Prepared out;
  if (column.spec().kind != Kind::kString) {
    for (const std::uint64_t word : words) {
      const double value = word == ColumnState::kMissingHash ? kNaN : std::bit_cast<double>(word);
      out.values.push_back(std::isfinite(value) ? value : kNaN);
    }
    rank(out);
    out.heavy = heavy(out.values);
    return out;
  }
  if (like) {
    out.words = like->words;
  } else {
    std::unordered_map<std::uint64_t, std::int64_t> counts;
    for (const std::uint64_t word : words)
      if (word != ColumnState::kMissingHash) ++counts[word];
    std::vector<std::pair<std::int64_t, std::uint64_t>> order;
    for (const auto& [word, count] : counts) order.emplace_back(-count, word);
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < std::min(order.size(), kClasses - 1); ++i) out.words.push_back(order[i].second);
  }
  out.classes = static_cast<std::int32_t>(out.words.size()) + 1;
  std::unordered_map<std::uint64_t, std::int32_t> codes;
  for (std::size_t i = 0; i < out.words.size(); ++i) codes[out.words[i]] = static_cast<std::int32_t>(i);
  for (const std::uint64_t word : words) {
    const auto at = codes.find(word);
    out.codes.push_back(word == ColumnState::kMissingHash ? -1 : at == codes.end() ? out.classes - 1 : at->second);
  }
  return out;
}

Correlation correlate(std::span<const double> x, std::span<const double> y) {
  Correlation out{kNaN, kNaN, 0};
  std::vector<double> u, v;
  u.reserve(x.size()), v.reserve(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i] + y[i])) continue;
    u.push_back(x[i]), v.push_back(y[i]);
  }
  out.rows = static_cast<std::int64_t>(u.size());
  if (out.rows < kFewestRows) return out;
  const double n = static_cast<double>(u.size());
  const double mx = sum_of(u.size(), [&](std::size_t i) { return u[i] / n; }),
               my = sum_of(u.size(), [&](std::size_t i) { return v[i] / n; });
  for (double& d : u) d -= mx;
  for (double& d : v) d -= my;
  const double xx = sum_of(u.size(), [&](std::size_t i) { return u[i] * u[i]; }),
               yy = sum_of(u.size(), [&](std::size_t i) { return v[i] * v[i]; }),
               xy = sum_of(u.size(), [&](std::size_t i) { return u[i] * v[i]; });
  if (!(xx > 0) || !(yy > 0) || !std::isfinite(xx + yy)) return out;
  const double sx = std::sqrt(xx / n), sy = std::sqrt(yy / n);
  out.r = std::clamp(xy / n / sx / sy, -1.0, 1.0);
  for (double& d : u) d /= sx;
  for (double& d : v) d /= sy;
  const double half = out.r / 2, squares = sum_of(u.size(), [&](std::size_t i) {
                                   const double influence = u[i] * v[i] - half * (u[i] * u[i] + v[i] * v[i]);
                                   return influence * influence;
                                 });
  // At |r| = 1 the scale has no end; a floor keeps the error a number.
  const double slope = std::max(1 - out.r * out.r, 1e-6);
  out.error = std::sqrt(squares) / n / slope;
  return out;
}

std::vector<std::int64_t> cross(std::span<const std::int32_t> a, std::int32_t a_classes,
                                std::span<const std::int32_t> b, std::int32_t b_classes) {
  std::vector<std::int64_t> table(static_cast<std::size_t>(a_classes) * static_cast<std::size_t>(b_classes));
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] >= 0 && b[i] >= 0)
      ++table[static_cast<std::size_t>(a[i]) * static_cast<std::size_t>(b_classes) + static_cast<std::size_t>(b[i])];
  return table;
}

double cramers_v(std::span<const std::int64_t> table, std::size_t columns) {
  if (columns == 0) return 0;
  std::vector<double> across(table.size() / columns), down(columns);
  for (std::size_t i = 0; i < table.size(); ++i) {
    across[i / columns] += static_cast<double>(table[i]);
    down[i % columns] += static_cast<double>(table[i]);
  }
  const double n = std::accumulate(down.begin(), down.end(), 0.0);
  const auto used = [](const std::vector<double>& sums) {
    return static_cast<double>(std::count_if(sums.begin(), sums.end(), [](double s) { return s > 0; }));
  };
  const double r = used(across), k = used(down);
  if (r < 2 || k < 2 || n < 2) return 0;
  double phi = -1;
  for (std::size_t i = 0; i < table.size(); ++i)
    if (table[i])
      phi += static_cast<double>(table[i]) * static_cast<double>(table[i]) / across[i / columns] / down[i % columns];
  return stats::cramers_v(phi, n, r, k);
}

std::vector<std::int32_t> cut(const Prepared& column, std::int32_t classes) {
  double rows = 0;
  for (const double rank : column.ranks) rows += !std::isnan(rank);
  std::vector<std::int32_t> out;
  for (const double rank : column.ranks)
    out.push_back(std::isnan(rank) ? -1
                                   : std::min(classes - 1, static_cast<std::int32_t>((rank - .5) / rows * classes)));
  return out;
}

}  // namespace vigie::quality
