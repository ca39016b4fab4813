// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <memory>

#include "base/hash.h"
#include "base/rng.h"
#include "drift/null_internal.h"
#include "stats/sampling.h"

namespace vigie::drift {
namespace {

constexpr std::int64_t kExceedances = 20;
/// Share of the rows in one cell from which a column counts as one of atoms.
constexpr double kAtom = .1;
constexpr double kMostDraws = 1e6, kMostCounts = 4e8, kFewestDraws = 999;

/// Numbers of gaps between reference rows in each cell: as many as rows, one in a cell without any, and one less for
/// the two ends together, since n rows leave n + 1 gaps of which two lie outside.
std::vector<double> gaps_of(const Cells& cells) {
  std::vector<double> gaps(cells.size());
  std::size_t first = cells.size(), last = 0;
  for (std::size_t j = 0; j < gaps.size(); ++j) {
    gaps[j] = cells.x[j] > 0 ? static_cast<double>(cells.x[j]) : 1;
    if (cells.x[j] == 0) continue;
    first = std::min(first, j);
    last = j;
  }
  if (first < gaps.size()) {
    gaps[first] -= .5;
    gaps[last] -= .5;
  }
  return gaps;
}

Redraw into_gaps(const Cells& cells) {
  return [gaps = gaps_of(cells), rows = cells.m](Rng& rng, auto&, auto& y) { stats::Gaps(gaps, rows)(rng, y); };
}

Redraw on_fixed_margins(const Cells& cells) {
  auto pooled = std::make_shared<const std::vector<std::int64_t>>(cells.pooled());
  const bool draws_reference = cells.n <= cells.m;
  return [pooled, draws_reference, margins = stats::FixedMargins(*pooled, std::min(cells.n, cells.m))](
             Rng& rng, auto& x, auto& y) {
    auto& drawn = draws_reference ? x : y;
    auto& rest = draws_reference ? y : x;
    margins(rng, drawn);
    for (std::size_t j = 0; j < drawn.size(); ++j) rest[j] = (*pooled)[j] - drawn[j];
  };
}

}  // namespace

bool is_sparse(const Cells& cells) {
  const double share = cells.largest_share();
  return share >= kAtom && static_cast<double>(std::min(cells.n, cells.m)) * (1 - share) < kSparse;
}

void set_apart(Score& score, const Cells& cells) {
  const auto a = static_cast<double>(cells.n), b = static_cast<double>(cells.m);
  const double ways = std::lgamma(a + b + 1) - std::lgamma(a + 1) - std::lgamma(b + 1);
  score.p_value = std::min(1., (cells.n == cells.m ? 2 : 1) * std::exp(-ways));
  score.null = Null::kExact;
  score.note = "each sample has one value";
}

double besag_clifford(double observed, const Args& args, double afforded, const std::function<double()>& draw) {
  // Two draws for each at the level let a p below it be reached, twenty make it precise.
  const double wanted = std::ceil(std::max(2., args.effort * static_cast<double>(kExceedances)) / args.level);
  const auto draws = static_cast<std::int64_t>(
      std::min(wanted >= 1 ? wanted : kMostDraws, std::min(kMostDraws, std::max(kFewestDraws, afforded))));
  const double enough = std::isfinite(observed) ? observed - 1e-9 * std::abs(observed) : observed;
  std::int64_t exceeded = 0;
  for (std::int64_t b = 1; b <= draws; ++b) {
    if (!(draw() < enough) && ++exceeded == kExceedances) {
      return static_cast<double>(exceeded) / static_cast<double>(b);
    }
  }
  return static_cast<double>(exceeded + 1) / static_cast<double>(draws + 1);
}

double simulated_p(const Cells& cells, const Args& args, double observed, const Statistic& statistic,
                   const Redraw& redraw) {
  std::uint64_t seed = mix64(args.seed + 0x5eed);
  for (std::size_t j = 0; j < cells.size(); ++j) {
    seed = mix64(seed ^ static_cast<std::uint64_t>(cells.x[j]));
    seed = mix64(seed ^ static_cast<std::uint64_t>(cells.y[j]));
  }
  Rng rng(seed);
  std::vector<std::int64_t> x = cells.x, y = cells.y;
  const Redraw again = redraw ? redraw : cells.quantiles ? into_gaps(cells) : on_fixed_margins(cells);
  return besag_clifford(observed, args, kMostCounts / static_cast<double>(cells.size() + 1), [&] {
    again(rng, x, y);
    return statistic(x, y);
  });
}

void simulate(Score& score, const Cells& cells, const Args& args, const Statistic& statistic, const Redraw& redraw) {
  score.p_value = simulated_p(cells, args, statistic(cells.x, cells.y), statistic, redraw);
  score.null = Null::kSimulated;
}

}  // namespace vigie::drift
