// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "drift/kernel_internal.h"

namespace vigie::drift {
namespace {

/// What the factor may leave out, of a kernel that is 1 at distance 0.
constexpr double kLeftOut = 1e-7;

}  // namespace

double distance_of_rank(const Cells& cells, double pairs) {
  const auto within = [&](double distance) {
    double found = 0, below = 0;
    std::size_t from = 0;
    for (std::size_t j = 0; j < cells.size(); ++j) {
      const double x = static_cast<double>(cells.x[j]);
      for (; cells.at[j] - cells.at[from] > distance; ++from) below -= static_cast<double>(cells.x[from]);
      found += x * below + x * (x - 1) / 2;
      below += x;
    }
    return found;
  };
  if (within(0) >= pairs) return 0;
  double low = 0, high = cells.at.back() - cells.at.front();
  for (int i = 0; i < 60 && high - low > 1e-12 * high; ++i) {
    const double middle = (low + high) / 2;
    (within(middle) < pairs ? low : high) = middle;
  }
  return high;
}

FactoredKernel::FactoredKernel(std::span<const double> at, const Kernel& kernel) {
  std::vector<double> rest(at.size(), 1);
  while (columns_.size() < at.size()) {
    const auto pivot = static_cast<std::size_t>(std::max_element(rest.begin(), rest.end()) - rest.begin());
    if (rest[pivot] < kLeftOut) break;
    const double root = std::sqrt(rest[pivot]);
    std::vector<double> column(at.size());
    for (std::size_t i = 0; i < at.size(); ++i) {
      double k = kernel(at[i], at[pivot]);
      for (const auto& c : columns_) k -= c[i] * c[pivot];
      column[i] = k / root;
      rest[i] = std::max(0.0, rest[i] - column[i] * column[i]);
    }
    rest[pivot] = 0;
    columns_.push_back(std::move(column));
  }
}

double FactoredKernel::mmd2(std::span<const std::int64_t> x, std::span<const std::int64_t> y, double n,
                            double m) const {
  double xx = 0, yy = 0, xy = 0;
  for (const auto& column : columns_) {
    double a = 0, b = 0;
    for (std::size_t j = 0; j < column.size(); ++j) {
      a += column[j] * static_cast<double>(x[j]);
      b += column[j] * static_cast<double>(y[j]);
    }
    xx += a * a;
    yy += b * b;
    xy += a * b;
  }
  return unbiased_mmd2(xx, yy, xy, n, m);
}

double unbiased_mmd2(double xx, double yy, double xy, double n, double m) {
  return (xx - n) / (n * (n - 1)) + (yy - m) / (m * (m - 1)) - 2 * xy / (n * m);
}

}  // namespace vigie::drift
