// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/null_internal.h"
#include "stats/distributions.h"

namespace vigie::drift {
namespace {

/// Points in which a null is simulated.
constexpr std::size_t kMostPoints = 512;
/// Rows that the smaller sample needs for each unit of squared skewness before Student's law holds at small levels
/// (Cochran's rule has 25, for a level of .05).
constexpr double kRowsOfSkewness = 50;

struct T {
  double t, nu;
};

/// `at` is centred on the pooled mean.
T welch(std::span<const double> at, std::span<const std::int64_t> x, std::span<const std::int64_t> y) {
  const auto moments = [&](std::span<const std::int64_t> rows, double& n, double& mean) {
    n = mean = 0;
    for (std::size_t j = 0; j < at.size(); ++j) {
      n += static_cast<double>(rows[j]);
      mean += static_cast<double>(rows[j]) * at[j];
    }
    mean /= n;
    double squares = 0;
    for (std::size_t j = 0; j < at.size(); ++j)
      squares += static_cast<double>(rows[j]) * (at[j] - mean) * (at[j] - mean);
    return squares / (n - 1) / n;
  };
  double n = 0, m = 0, mean_x = 0, mean_y = 0;
  const double a = moments(x, n, mean_x), b = moments(y, m, mean_y), apart = mean_x - mean_y;
  if (a + b == 0) return {apart == 0 ? 0 : std::copysign(HUGE_VAL, apart), std::nan("")};
  return {apart / std::sqrt(a + b), (a + b) * (a + b) / (a * a / (n - 1) + b * b / (m - 1))};
}

Score run(const Axis& axis, const Sample& reference, const Sample& current, const Args& args) {
  Cells cells = numeric_cells(axis, reference, current);
  Score score = blank_score(cells);
  if (is_done(score) || std::min(cells.n, cells.m) < 2) return score;
  const double all = static_cast<double>(cells.n + cells.m);
  double mean = 0, squares = 0, cubes = 0;
  for (std::size_t j = 0; j < cells.size(); ++j) mean += static_cast<double>(cells.pooled(j)) / all * cells.at[j];
  for (std::size_t j = 0; j < cells.size(); ++j) {
    const double d = cells.at[j] -= mean, share = static_cast<double>(cells.pooled(j)) / all;
    squares += share * d * d;
    cubes += share * d * d * d;
  }
  const T seen = welch(cells.at, cells.x, cells.y);
  score.statistic = seen.t;
  if (std::isinf(seen.t)) {
    set_apart(score, cells);
    return score;
  }
  score.p_value = seen.t == 0 ? 1 : 2 * stats::student_t_sf(std::abs(seen.t), seen.nu);
  score.null = Null::kAsymptotic;
  const double skewness2 = squares > 0 ? cubes / squares * (cubes / squares) / squares : 0;
  const bool skewed = static_cast<double>(std::min(cells.n, cells.m)) < kRowsOfSkewness * skewness2;
  if (score.status == Status::kOk && score.p_value < kUndecided && (skewed || is_sparse(cells))) {
    const Cells points = grouped(cells, kMostPoints);
    simulate(score, points, args, [&](std::span<const std::int64_t> x, std::span<const std::int64_t> y) {
      return std::abs(welch(points.at, x, y).t);
    });
  }
  return score;
}

}  // namespace

constinit const Method welch_t{
    .name = "welch_t",
    .summary = "Difference of the means, each sample with a variance of its own",
    .reference = "Welch 1947; Janssen 1997",
    .accepts = kNumeric,
    .statistic = "t, mean of the reference minus that of the current sample in its standard error",
    .params = {},
    .run = run};

}  // namespace vigie::drift
