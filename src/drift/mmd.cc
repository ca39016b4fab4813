// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/kernel_internal.h"
#include "drift/null_internal.h"
#include "drift/vectors_internal.h"

namespace vigie::drift {
namespace {

/// Points up to which every pair is looked at; more are joined to as many groups: of numbers that is off by 2·10⁻⁴ of
/// the value (4,000 + 4,000 normal rows), where 1,024 random Fourier features are by 3 %. Vectors have no such groups.
constexpr std::size_t kMostPoints = 2048, kDrawnPoints = 256;

/// Twice the square of the kernel's width: the median of the squared distances between two reference rows, else (half
/// of the rows are equal) twice the variance. 0 for a constant.
double bandwidth(const Cells& cells) {
  const double n = static_cast<double>(cells.n), all = n + static_cast<double>(cells.m);
  const double median = distance_of_rank(cells, n * (n - 1) / 4);
  if (median > 0) return median * median;
  double mean = 0, squares = 0;
  for (std::size_t j = 0; j < cells.size(); ++j) mean += static_cast<double>(cells.pooled(j)) / all * cells.at[j];
  for (std::size_t j = 0; j < cells.size(); ++j) {
    squares += static_cast<double>(cells.pooled(j)) / all * (cells.at[j] - mean) * (cells.at[j] - mean);
  }
  return 2 * squares;
}

double every_pair(const Cells& cells, const Kernel& kernel) {
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const double a = static_cast<double>(cells.x[i]), b = static_cast<double>(cells.y[i]);
    double to_x = a / 2, to_y = b / 2;
    for (std::size_t j = 0; j < i; ++j) {
      const double k = kernel(cells.at[i], cells.at[j]);
      to_x += k * static_cast<double>(cells.x[j]);
      to_y += k * static_cast<double>(cells.y[j]);
    }
    xx += 2 * a * to_x;
    yy += 2 * b * to_y;
    xy += a * to_y + b * to_x;
  }
  return unbiased_mmd2(xx, yy, xy, static_cast<double>(cells.n), static_cast<double>(cells.m));
}

Score run(const Axis& axis, const Sample& reference, const Sample& current, const Args& args) {
  if (axis.kind == kVectors) return mmd_of_vectors(reference, current, args);
  const Cells cells = nonempty(numeric_cells(axis, reference, current));
  Score score = blank_score(cells);
  if (is_done(score) || std::min(cells.n, cells.m) < 2) return score;
  const Kernel kernel{bandwidth(cells)};
  if (cells.size() > kMostPoints) score.exact = false, score.error = std::nan("");
  score.statistic = every_pair(grouped(cells, kMostPoints), kernel);
  // Empty cells of a reference at quantiles are places where rows can be drawn.
  const Cells points = grouped(cells.quantiles ? numeric_cells(axis, reference, current) : cells, kDrawnPoints);
  const FactoredKernel factored(points.at, kernel);
  const double n = static_cast<double>(cells.n), m = static_cast<double>(cells.m);
  simulate(score, points, args,
           [&](std::span<const std::int64_t> x, std::span<const std::int64_t> y) { return factored.mmd2(x, y, n, m); });
  return score;
}

}  // namespace

constinit const Method mmd{
    .name = "mmd",
    .summary = "Maximum mean discrepancy: difference of the densities, seen through a Gaussian window",
    .reference = "Gretton et al. 2012; Rahimi & Recht 2007; Fine & Scheinberg 2001",
    .accepts = kNumeric | kVectors,
    .statistic =
        "unbiased MMD², kernel exp(−d²/w), w the median squared distance of two reference rows; mean 0 without "
        "drift",
    .params = {},
    .run = run};

}  // namespace vigie::drift
