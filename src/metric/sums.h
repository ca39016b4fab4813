// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>

namespace vigie::metric {

/// Sums and sums of products of whole numbers over rows: what a ratio of sums, or a score made of them, needs for its
/// value and, by the delta method, its variance. Exact, so merging in any order gives the same bits, while the sums of
/// products stay below 2⁵³.
template <std::size_t N>
struct Sums {
  std::array<double, N> sum{};
  std::array<double, N*(N + 1) / 2> product{};

  void add(const std::array<double, N>& row) {
    for (std::size_t i = 0, at = 0; i < N; ++i) {
      sum[i] += row[i];
      for (std::size_t j = 0; j <= i; ++j, ++at) product[at] += row[i] * row[j];
    }
  }
  void merge(const Sums& other) {
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += other.sum[i];
    for (std::size_t i = 0; i < product.size(); ++i) product[i] += other.product[i];
  }
  /// Variance of a function of the sums that does not change when all are scaled, from its gradient there.
  double variance(const std::array<double, N>& gradient) const {
    double out = 0;
    for (std::size_t i = 0, at = 0; i < N; ++i) {
      for (std::size_t j = 0; j <= i; ++j, ++at) out += (i == j ? 1 : 2) * gradient[i] * gradient[j] * product[at];
    }
    return out > 0 ? out : 0;
  }
};

/// First sum over second, 0/0 being NaN, and its variance over independent rows.
struct Ratio {
  double value, variance;
};
inline Ratio ratio(const Sums<2>& sums) {
  const double value = sums.sum[0] / sums.sum[1];
  return {value, sums.variance({1 / sums.sum[1], -value / sums.sum[1]})};
}

}  // namespace vigie::metric
