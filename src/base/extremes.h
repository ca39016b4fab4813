// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <span>

namespace vigie {

/// The smallest and the largest of some values; of none: low > high.
struct Extremes {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
};

/// Widens `extremes` to cover the values; NaN changes nothing. False when one of the values is NaN or infinite.
/// 0.3 ns a value in cache.
bool widen(std::span<const double> values, Extremes& extremes);

}  // namespace vigie
