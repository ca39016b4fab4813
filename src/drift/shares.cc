// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/shares_internal.h"
#include "stats/distributions.h"

namespace vigie::drift {
namespace {

/// Beside an atom of no more than this share, what makes the law are the bins at quantiles of the other rows: permuting
/// them gave 10 % alarms at a nominal 5 % (psi, 60 % zeros, 30 reference rows).
constexpr double kMostlyOneValue = .75;

}  // namespace

Cells share_bins(const Axis& axis, const Sample& reference, const Sample& current, std::size_t bins) {
  const Cells cells = nonempty(numeric_cells(axis, {.counts = reference.counts, .values = {}},
                                             {.counts = current.counts, .values = {}, .beyond = current.beyond}));
  Cells out;
  out.n = cells.n;
  out.m = cells.m;
  out.exact = true;  // the bins are the statistic's own
  out.quantiles = !axis.lattice && cells.largest_share() < kMostlyOneValue;
  const double wide = static_cast<double>(cells.n) / static_cast<double>(bins);
  const auto quantile = [&](std::int64_t below) {
    return static_cast<std::int64_t>(static_cast<double>(below) / wide);
  };
  std::int64_t x = 0, y = 0, below = 0, opened = 0;
  bool last_is_heavy = false;
  const auto close = [&](bool heavy) {
    if (x + y == 0) return;
    // What is left above the last bin, the reference's maximum or near it, is none of its own.
    const bool leftover = !heavy && !last_is_heavy && !out.x.empty() && static_cast<double>(x) < wide / 2;
    if (leftover) {
      out.x.back() += x;
      out.y.back() += y;
    } else {
      out.x.push_back(x);
      out.y.push_back(y);
      last_is_heavy = heavy;
    }
    x = y = 0;
    opened = quantile(below);
  };
  for (std::size_t j = 0; j < cells.size(); ++j) {
    const bool heavy = static_cast<double>(cells.x[j]) >= wide;
    if (heavy) close(false);
    x += cells.x[j];
    y += cells.y[j];
    below += cells.x[j];
    if (heavy || quantile(below) > opened) close(heavy);
  }
  close(false);
  return out;
}

Score shares_score(const Axis& axis, const Sample& reference, const Sample& current, const Args& args, Limit limit,
                   const Statistic& statistic) {
  const Cells cells = axis.kind == kCategorical
                          ? category_cells(reference, current)
                          : share_bins(axis, reference, current,
                                       static_cast<std::size_t>(std::clamp(argument(args, kBinsParams, 0), 2.0, 1e6)));
  Score score = blank_score(cells);
  if (is_done(score)) return score;
  score.statistic = statistic(cells.x, cells.y);
  const double n = static_cast<double>(cells.n), m = static_cast<double>(cells.m), share = std::min(n, m) / (n + m);
  std::int64_t rarest = cells.n + cells.m;
  for (std::size_t j = 0; j < cells.size(); ++j) rarest = std::min(rarest, cells.pooled(j));
  if (limit.scale > 0 && static_cast<double>(rarest) * share >= limit.enough) {
    const double x2 = limit.scale * std::pow(score.statistic, limit.power) / (1 / n + 1 / m);
    score.p_value = stats::chi2_sf(x2, static_cast<double>(cells.size()) - 1);
    score.null = Null::kAsymptotic;
  } else {
    simulate(score, cells, args, statistic);
  }
  return score;
}

}  // namespace vigie::drift
