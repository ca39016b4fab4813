// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "drift/cells_internal.h"

/// Gaussian kernels of numbers. For this room only.
namespace vigie::drift {

struct Kernel {
  double width;  ///< 2σ²
  double operator()(double a, double b) const { return std::exp(-(a - b) * (a - b) / width); }
};

/// The smallest distance within which so many pairs of reference rows lie, to 1e-12; 0 where equal ones are enough.
double distance_of_rank(const Cells& cells, double pairs);

/// K ≈ L Lᵀ by pivoted Cholesky (Fine & Scheinberg 2001), to 1e-7: in one dimension a Gaussian kernel has a dozen or
/// two of directions that matter, so that a statistic costs points × 20 and not points².
class FactoredKernel {
 public:
  FactoredKernel(std::span<const double> at, const Kernel& kernel);
  /// Unbiased MMD² of n and m rows counted on the points.
  double mmd2(std::span<const std::int64_t> x, std::span<const std::int64_t> y, double n, double m) const;

 private:
  std::vector<std::vector<double>> columns_;
};

/// Unbiased MMD² from the sums of a kernel that is 1 at distance 0 over all pairs of rows, each row with itself
/// included.
double unbiased_mmd2(double xx, double yy, double xy, double n, double m);

}  // namespace vigie::drift
