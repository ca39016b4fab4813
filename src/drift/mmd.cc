// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/null_internal.h"

namespace vigie::drift {
namespace {

/// Points up to which every pair is looked at; more are joined to as many groups.
constexpr std::size_t kMostPoints = 2048, kDrawnPoints = 256;
/// What the factor of the kernel may leave out, of a kernel that is 1 at distance 0.
constexpr double kLeftOut = 1e-7;

/// Twice the square of the kernel's width: the median of the squared distances between two reference rows, else (half
/// of the rows are equal) twice the variance. 0 for a constant.
double bandwidth(const Cells& cells) {
  const double n = static_cast<double>(cells.n);
  const auto pairs_within = [&](double distance) {
    double pairs = 0, below = 0;
    std::size_t from = 0;
    for (std::size_t j = 0; j < cells.size(); ++j) {
      const double x = static_cast<double>(cells.x[j]);
      for (; cells.at[j] - cells.at[from] > distance; ++from) below -= static_cast<double>(cells.x[from]);
      pairs += x * below + x * (x - 1) / 2;
      below += x;
    }
    return pairs;
  };
  const double half = n * (n - 1) / 4;
  double low = 0, high = cells.at.back() - cells.at.front();
  if (pairs_within(0) < half) {
    for (int i = 0; i < 60 && high - low > 1e-12 * high; ++i) {
      const double middle = (low + high) / 2;
      (pairs_within(middle) < half ? low : high) = middle;
    }
    return high * high;
  }
  double mean = 0, squares = 0;
  const double all = static_cast<double>(cells.n + cells.m);
  for (std::size_t j = 0; j < cells.size(); ++j) mean += static_cast<double>(cells.pooled(j)) / all * cells.at[j];
  for (std::size_t j = 0; j < cells.size(); ++j) {
    squares += static_cast<double>(cells.pooled(j)) / all * (cells.at[j] - mean) * (cells.at[j] - mean);
  }
  return 2 * squares;
}

struct Kernel {
  double width;  ///< 2σ²
  double operator()(double a, double b) const { return std::exp(-(a - b) * (a - b) / width); }
};

/// Unbiased MMD² from the sums of the kernel over all pairs of rows, each row with itself included.
double unbiased(double xx, double yy, double xy, double n, double m) {
  return (xx - n) / (n * (n - 1)) + (yy - m) / (m * (m - 1)) - 2 * xy / (n * m);
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
  return unbiased(xx, yy, xy, static_cast<double>(cells.n), static_cast<double>(cells.m));
}

/// K ≈ L Lᵀ by pivoted Cholesky (Fine & Scheinberg 2001): in one dimension a Gaussian kernel has a dozen or two of
/// directions that matter, so that a draw costs points × 20 and not points². Column by column.
std::vector<std::vector<double>> factor(std::span<const double> at, const Kernel& kernel) {
  std::vector<double> rest(at.size(), 1);
  std::vector<std::vector<double>> columns;
  while (columns.size() < at.size()) {
    const auto pivot = static_cast<std::size_t>(std::max_element(rest.begin(), rest.end()) - rest.begin());
    if (rest[pivot] < kLeftOut) break;
    const double root = std::sqrt(rest[pivot]);
    std::vector<double> column(at.size());
    for (std::size_t i = 0; i < at.size(); ++i) {
      double k = kernel(at[i], at[pivot]);
      for (const auto& c : columns) k -= c[i] * c[pivot];
      column[i] = k / root;
      rest[i] = std::max(0.0, rest[i] - column[i] * column[i]);
    }
    rest[pivot] = 0;
    columns.push_back(std::move(column));
  }
  return columns;
}

Score run(const Axis& axis, const Sample& reference, const Sample& current, const Args& args) {
  const Cells cells = nonempty(numeric_cells(axis, reference, current));
  Score score = blank_score(cells);
  if (is_done(score) || std::min(cells.n, cells.m) < 2) return score;
  const Kernel kernel{bandwidth(cells)};
  if (cells.size() > kMostPoints) score.exact = false, score.error = std::nan("");
  score.statistic = every_pair(grouped(cells, kMostPoints), kernel);
  // Empty cells of a reference at quantiles are places where rows can be drawn.
  const Cells points = grouped(cells.quantiles ? numeric_cells(axis, reference, current) : cells, kDrawnPoints);
  const auto columns = factor(points.at, kernel);
  const double n = static_cast<double>(cells.n), m = static_cast<double>(cells.m);
  simulate(score, points, args, [&](std::span<const std::int64_t> x, std::span<const std::int64_t> y) {
    double xx = 0, yy = 0, xy = 0;
    for (const auto& column : columns) {
      double a = 0, b = 0;
      for (std::size_t j = 0; j < column.size(); ++j) {
        a += column[j] * static_cast<double>(x[j]);
        b += column[j] * static_cast<double>(y[j]);
      }
      xx += a * a;
      yy += b * b;
      xy += a * b;
    }
    return unbiased(xx, yy, xy, n, m);
  });
  return score;
}

}  // namespace

constinit const Method mmd{
    .name = "mmd",
    .summary = "Maximum mean discrepancy: difference of the densities, seen through a Gaussian window",
    .reference = "Gretton et al. 2012; Fine & Scheinberg 2001",
    .accepts = kNumeric,
    .statistic =
        "unbiased MMD², kernel exp(−d²/w), w the median squared distance of two reference rows; mean 0 without "
        "drift",
    .params = {},
    .run = run};

}  // namespace vigie::drift
