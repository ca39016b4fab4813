// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/null_internal.h"
#include "stats/weighted_chi2.h"

namespace vigie::drift {
namespace {

/// Points beyond which the law is taken on groups: as near to the limit as matters.
constexpr std::size_t kMostPoints = 4096;

/// Midrank A² of two samples, mean 1 without drift.
double a2(std::span<const std::int64_t> x, std::span<const std::int64_t> y) {
  double n = 0, m = 0, i = 0, j = 0, sum = 0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    n += static_cast<double>(x[k]);
    m += static_cast<double>(y[k]);
  }
  const double all = n + m;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const double a = static_cast<double>(x[k]), b = static_cast<double>(y[k]), p = (a + b) / all;
    if (p == 0) continue;
    const double apart = (i + a / 2) / n - (j + b / 2) / m;
    const double h = (i + j + (a + b) / 2) / all, rest = ((n - i) + (m - j) - (a + b) / 2) / all;
    sum += p * apart * apart / (h * rest - p / 4);
    i += a;
    j += b;
  }
  return sum * ((all - 1) / all) * (n / all) * m;
}

/// Variance of A² without ties (Scholz & Stephens 1987, equation 4, two samples).
double variance(double n, double m) {
  const double all = n + m, reciprocals = 1 / n + 1 / m;
  const auto rows = static_cast<std::int64_t>(all);
  double h = 0, g = 0, tail = 0;
  // g = Σ_{i<j} 1/((N − i) j), its inner sum carried along from above.
  constexpr std::int64_t kSummed = 1000000;
  if (rows <= kSummed) {
    for (std::int64_t i = 1; i < rows; ++i) h += 1 / static_cast<double>(i);
    for (std::int64_t i = rows - 2; i >= 1; --i) {
      tail += 1 / static_cast<double>(i + 1);
      g += tail / static_cast<double>(rows - i);
    }
  } else {
    h = std::log(all) + .5772156649015329;
    g = 1.6449340668482264;  // π²/6
  }
  const double a = (4 * g - 6) + (10 - 6 * g) * reciprocals;
  const double b = (2 * g - 4) * 4 + 8 * h * 2 + (2 * g - 14 * h - 4) * reciprocals - 8 * h + 4 * g - 6;
  const double c = (6 * h + 2 * g - 2) * 4 + (4 * h - 4 * g + 6) * 2 + (2 * h - 6) * reciprocals + 4 * h;
  const double d = (2 * h + 6) * 4 - 4 * h * 2;
  return (((a * all + b) * all + c) * all + d) / ((all - 1) * (all - 2) * (all - 3));
}

Score run(const Axis& axis, const Sample& reference, const Sample& current, const Args& args) {
  const Cells cells = nonempty(numeric_cells(axis, reference, current));
  Score score = blank_score(cells);
  if (is_done(score)) return score;
  const double observed = a2(cells.x, cells.y);
  stats::AndersonDarlingLaw law(grouped(cells, kMostPoints).pooled());
  double standardised = observed;
  if (cells.n + cells.m > 3) {
    const double sd = std::sqrt(variance(static_cast<double>(cells.n), static_cast<double>(cells.m)));
    score.statistic = (observed - 1) / sd;
    // Without ties its own deviation takes the place of the limit law's, which differs among few rows.
    const bool ties = cells.size() < static_cast<std::size_t>(cells.n + cells.m);
    if (!ties) standardised = 1 + score.statistic * std::sqrt(2 * law.sum2());
  }
  score.p_value = law.sf(standardised);
  score.null = Null::kAsymptotic;
  if (!cells.quantiles && is_sparse(cells) && score.p_value < kUndecided) simulate(score, cells, args, a2);
  return score;
}

}  // namespace

constinit const Method anderson_darling{
    .name = "anderson_darling",
    .summary = "Squared distance of the two distribution functions, weighted towards the tails",
    .reference = "Pettitt 1976; Scholz & Stephens 1987",
    .accepts = kNumeric,
    .statistic = "midrank A² less 1, in its standard deviation without ties",
    .params = {},
    .run = run};

}  // namespace vigie::drift
