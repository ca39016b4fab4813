// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace vigie::stats {

/// P(X ≥ k) of X successes among n ≥ 0 trials of probability p, accurate relative to itself however small. 1 for k ≤ 0,
/// 0 for k > n; NaN for p outside [0, 1]. About 1 µs.
double binomial_tail(std::int64_t k, std::int64_t n, double p);

}  // namespace vigie::stats
