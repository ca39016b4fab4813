// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/null_internal.h"
#include "stats/empirical_laws.h"
#include "stats/weighted_chi2.h"

namespace vigie::drift {
namespace {

constexpr std::int64_t kMostExact = 20;
/// Points beyond which the law of the ties is taken on groups.
constexpr std::size_t kMostPoints = 4096;

/// Σ l (D₋² + D₊²)/2 · nm/N², D± the difference of the distribution functions at either end of a tie: the same whether
/// read from below or from above. What the law of tied samples is known of.
double t(std::span<const std::int64_t> x, std::span<const std::int64_t> y) {
  double n = 0, m = 0, i = 0, j = 0, sum = 0, before = 0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    n += static_cast<double>(x[k]);
    m += static_cast<double>(y[k]);
  }
  for (std::size_t k = 0; k < x.size(); ++k) {
    i += static_cast<double>(x[k]);
    j += static_cast<double>(y[k]);
    const double apart = i / n - j / m, after = apart * apart;
    sum += static_cast<double>(x[k] + y[k]) * (before + after) / 2;
    before = after;
  }
  return sum * (n / (n + m)) * (m / (n + m));
}

/// T by mid-ranks; without ties the same.
double midrank_t(const Cells& cells) {
  const auto squares = [](double middle, double rows) {  // Σ (middle − t)² over t = 1..rows
    return rows * (middle * middle - middle * (rows + 1) + (rows + 1) * (2 * rows + 1) / 6);
  };
  const double n = static_cast<double>(cells.n), m = static_cast<double>(cells.m), all = n + m;
  double i = 0, j = 0, u = 0, w = 0;
  for (std::size_t k = 0; k < cells.size(); ++k) {
    const double x = static_cast<double>(cells.x[k]), y = static_cast<double>(cells.y[k]), half = (x + y + 1) / 2;
    u += squares(j + half, x);
    w += squares(i + half, y);
    i += x;
    j += y;
  }
  return (u / m + w / n) / all - (4 * n * m - 1) / (6 * all);
}

Score run(const Axis& axis, const Sample& reference, const Sample& current, const Args& args) {
  const Cells cells = nonempty(numeric_cells(axis, reference, current));
  Score score = blank_score(cells);
  if (is_done(score)) return score;
  const double n = static_cast<double>(cells.n), m = static_cast<double>(cells.m), all = n + m, pairs = n * m;
  score.statistic = t(cells.x, cells.y);
  score.null = Null::kAsymptotic;
  const bool ties = cells.size() < static_cast<std::size_t>(cells.n + cells.m);
  if (!ties && std::max(cells.n, cells.m) <= kMostExact) {
    score.p_value = stats::cramer_von_mises_exact(cells.n, cells.m, std::llround(score.statistic * pairs * all * all));
    score.null = Null::kExact;
  } else if (!ties) {
    // Standardised by its own mean and variance, as far as these differ from those of the limit.
    const double mean = (1 + 1 / all) / 6;
    const double variance =
        (all + 1) / (all * all * 45) * (4 * pairs * all - 3 * (n * n + m * m) - 2 * pairs) / (4 * pairs);
    score.p_value = stats::cramer_von_mises_sf(1.0 / 6 + (score.statistic - mean) / std::sqrt(45 * variance));
  } else {
    stats::CramerVonMisesLaw law(grouped(cells, kMostPoints).pooled());
    score.p_value = law.sf(score.statistic * (all - 1) / all / law.mean());
    score.statistic = midrank_t(cells);
    if (!cells.quantiles && is_sparse(cells) && score.p_value < kUndecided) simulate(score, cells, args, t);
  }
  return score;
}

}  // namespace

constinit const Method cvm{.name = "cvm",
                           .summary = "Cramér–von Mises: mean squared distance of the two distribution functions",
                           .reference = "Anderson 1962; Burr 1963",
                           .accepts = kNumeric,
                           .statistic = "T, mean 1/6 without drift and without ties",
                           .params = {},
                           .run = run};

}  // namespace vigie::drift
