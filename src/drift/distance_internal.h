// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <limits>

#include "drift/null_internal.h"

/// Distances whose null law is had by drawing anew. For this room only.
namespace vigie::drift {

/// Points on which a null is simulated; more are joined to groups, observed and simulated alike.
inline constexpr std::size_t kDrawnPoints = 512;

/// The sum over gaps between neighbouring points of term(F − G there)·gap.
template <class Term>
double sum_over_gaps(std::span<const double> at, std::span<const std::int64_t> x, std::span<const std::int64_t> y,
                     double n, double m, Term&& term) {
  double i = 0, j = 0, sum = 0;
  for (std::size_t k = 0; k + 1 < at.size(); ++k) {
    i += static_cast<double>(x[k]);
    j += static_cast<double>(y[k]);
    sum += term(i / n - j / m) * (at[k + 1] - at[k]);
  }
  return sum;
}

/// The Score of finish(Σ term(F − G)·gap), finish increasing, p by drawing anew. A statistic in the column's unit is
/// unknown where the reference has no scale.
template <class Term, class Finish>
Score gaps_score(const Cells& cells, const Args& args, Term&& term, Finish&& finish) {
  Score score = blank_score(cells);
  if (is_done(score)) return score;
  const double n = static_cast<double>(cells.n), m = static_cast<double>(cells.m);
  score.statistic = cells.placed ? finish(sum_over_gaps(cells.at, cells.x, cells.y, n, m, term))
                                 : std::numeric_limits<double>::quiet_NaN();
  const Cells points = grouped(cells, kDrawnPoints);
  simulate(score, points, args, [&](std::span<const std::int64_t> x, std::span<const std::int64_t> y) {
    return sum_over_gaps(points.at, x, y, n, m, term);
  });
  return score;
}

/// What the distance of the rows' own values can at most differ by in mean: each row lies in its cell, which begins and
/// ends at a cut; outside rows are at a known mean distance.
double most_displaced(const Axis& axis, const Sample& reference, const Sample& current);

}  // namespace vigie::drift
