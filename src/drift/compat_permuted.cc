// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdlib>

#include "drift/compat_internal.h"
#include "drift/kernel_internal.h"
#include "stats/sampling.h"

/// Evidently's methods whose p-value comes from random permutations: its definition, and draws of vigie's own.
namespace vigie::drift {
namespace {

constexpr int kShuffles = 1000, kFewShuffles = 100;

/// The share of draws that are at or above what is seen, without the one that is seen itself.
template <class Value, class Draw>
PeerScore share_of_draws(Value observed, int draws, std::span<const std::int64_t> pooled, std::int64_t n,
                         Draw&& value) {
  Rng rng(0);
  const stats::FixedMargins margins(pooled, n);
  std::vector<std::int64_t> x(pooled.size()), y(pooled.size());
  int exceeded = 0;
  for (int i = 0; i < draws; ++i) {
    margins(rng, x);
    for (std::size_t j = 0; j < x.size(); ++j) y[j] = pooled[j] - x[j];
    exceeded += observed <= value(x, y);
  }
  const double p = static_cast<double>(exceeded) / draws;
  return {.statistic = p, .p_value = p};
}

}  // namespace

PeerScore shuffled_tvd(const PeerColumn& column) {
  const Table t = table_of(column);
  std::vector<std::int64_t> pooled;
  for (std::size_t j = 0; j < t.x.size(); ++j) pooled.push_back(t.x[j] + t.y[j]);
  // Twice the distance times n·m: whole numbers, since ties with what is seen count.
  const auto apart = [&](std::span<const std::int64_t> x, std::span<const std::int64_t> y) {
    __int128 sum = 0;
    for (std::size_t j = 0; j < x.size(); ++j) {
      const auto d = static_cast<__int128>(x[j]) * t.m - static_cast<__int128>(y[j]) * t.n;
      sum += d < 0 ? -d : d;
    }
    return sum;
  };
  return share_of_draws(apart(t.x, t.y), kShuffles, pooled, t.n, apart);
}

PeerScore shuffled_mmd(const PeerColumn& column) {
  const Cells cells =
      numeric_cells({}, {.counts = {}, .values = column.reference}, {.counts = {}, .values = column.current});
  if (std::min(cells.n, cells.m) < 2) return {};
  const double n = static_cast<double>(cells.n), m = static_cast<double>(cells.m);
  // The median is that of all n² distances, each row's from itself among them; 1 instead of 0.
  const double rank = std::nearbyint((n * n - 1) / 2), median = distance_of_rank(cells, std::ceil((rank + 1 - n) / 2));
  const FactoredKernel kernel(cells.at, Kernel{median > 0 ? median * median : 1});
  const auto value = [&](std::span<const std::int64_t> x, std::span<const std::int64_t> y) {
    return kernel.mmd2(x, y, n, m);
  };
  return share_of_draws(value(cells.x, cells.y), kFewShuffles, cells.pooled(), cells.n, value);
}

}  // namespace vigie::drift
