// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/null_internal.h"
#include "stats/distributions.h"
#include "stats/empirical_laws.h"

namespace vigie::drift {
namespace {

constexpr std::int64_t kMostExact = 8;
/// Above this many pairs even the exact law of 8 rows is not worth its time.
constexpr std::int64_t kMostPairs = 10000000;

/// Twice the number of pairs in which the reference row is larger, ties counting half.
__int128 twice_u(std::span<const std::int64_t> x, std::span<const std::int64_t> y) {
  __int128 u = 0, below = 0;
  for (std::size_t j = 0; j < x.size(); ++j) {
    u += static_cast<__int128>(x[j]) * (2 * below + y[j]);
    below += y[j];
  }
  return u;
}

Score run(const Axis& axis, const Sample& reference, const Sample& current, const Args& args) {
  const Cells cells = nonempty(numeric_cells(axis, reference, current));
  Score score = blank_score(cells);
  if (cells.n > 0 && cells.m > 0) score.statistic = static_cast<double>(twice_u(cells.x, cells.y)) / 2;
  if (is_done(score)) return score;
  const double n = static_cast<double>(cells.n), m = static_cast<double>(cells.m), all = n + m;
  const std::int64_t least = std::min(cells.n, cells.m);
  if (cells.size() == static_cast<std::size_t>(cells.n + cells.m) && least <= kMostExact &&
      std::max(cells.n, cells.m) <= kMostPairs / least) {
    const auto u = static_cast<std::int64_t>(std::min(score.statistic, n * m - score.statistic));
    score.p_value = std::min(1.0, 2 * stats::mann_whitney_cdf(cells.n, cells.m, u));
    score.null = Null::kExact;
    return score;
  }
  double ties = 0;
  for (std::size_t j = 0; j < cells.size(); ++j) {
    const double l = static_cast<double>(cells.pooled(j));
    ties += l * (l - 1) / all * ((l + 1) / (all - 1));
  }
  const double sd = std::sqrt(n * (m / 12) * (all + 1 - ties));
  const double apart = std::abs(score.statistic - n * (m / 2));
  score.p_value = std::min(1.0, 2 * stats::normal_sf((apart - .5) / sd));
  score.null = Null::kAsymptotic;
  if (!cells.quantiles && is_sparse(cells) && score.p_value < kUndecided) {
    const __int128 pairs = static_cast<__int128>(cells.n) * cells.m;
    simulate(score, cells, args, [&](std::span<const std::int64_t> x, std::span<const std::int64_t> y) {
      return std::abs(static_cast<double>(twice_u(x, y) - pairs));
    });
  }
  return score;
}

}  // namespace

constinit const Method mann_whitney{
    .name = "mann_whitney",
    .summary = "How often a reference row is larger than a current one: sees shifts, whatever the outliers",
    .reference = "Mann & Whitney 1947; Lehmann 1975",
    .accepts = kNumeric,
    .statistic = "U of the reference: pairs in which its row is the larger, ties counting half; nm/2 without drift",
    .params = {},
    .run = run};

}  // namespace vigie::drift
