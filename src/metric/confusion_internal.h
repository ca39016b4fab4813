// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "metric/interval_internal.h"

namespace vigie::metric {

/// Numbers of a k × k confusion matrix, row = truth, column = prediction, and the variances of their estimates by the
/// delta method for a multinomial sample. O(k²). NaN where the number does not exist.
struct Estimate {
  double value = kNaN, variance = kNaN;
};

/// Cohen 1960: (observed − chance agreement) / (1 − chance agreement); NaN when all rows are of one class in both.
Estimate kappa_of(std::span<const std::int64_t> matrix, std::size_t k);
/// The correlation coefficient of Matthews 1975, of many classes as in Gorodkin 2004; NaN when truth or prediction has
/// one class only.
Estimate mcc_of(std::span<const std::int64_t> matrix, std::size_t k);

/// Value of a coefficient in −1..1 with its interval.
Value coefficient(Estimate estimate, std::int64_t n, std::string_view reason);

}  // namespace vigie::metric
