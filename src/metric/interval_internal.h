// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "metric/metric.h"

namespace vigie::metric {

/// 95 % intervals. NaN in gives NaN out.
struct Interval {
  double low = kNaN, high = kNaN;
};

inline constexpr double kZ = 1.959963984540054;  // Φ⁻¹(0.975)

/// A share of k in n independent rows (Wilson 1927); both may be fractions. Within 0..1 and never empty; NaN at n = 0.
/// `z`: half the width, in standard errors.
Interval wilson(double k, double n, double z = kZ);

/// A number in 0..1 with an estimated variance: Wilson's interval of as many rows as a share of that variance would
/// have, at most `rows`. This keeps it within 0..1, and wide at 0 and 1, where the estimated variance is 0.
Interval share_interval(double value, double variance, double rows);

/// Of a mean of n rows with the estimated variance `variance` of that mean: Student's t. NaN below two rows.
Interval mean_interval(double mean, double variance, std::int64_t n);

/// The same of n numbers in 0..1. Where all are equal, so that they say nothing of how others vary, it is that of a
/// share of n, which is as wide as any law within these bounds asks for.
Interval bounded_interval(double mean, double variance, std::int64_t n);

/// a·interval + b for a > 0.
Interval affine(Interval interval, double a, double b);
/// √ of both bounds, negative ones being 0.
Interval root(Interval interval);

/// No value, and why.
Value none(std::string reason, std::int64_t n);
/// A value with its interval and baseline. An interval of no width from a few rows, which are all alike, is none.
Value some(double value, Interval interval, double baseline, std::int64_t n);
/// A share of k in n; `reason` when n is 0.
Value share(double k, double n, double baseline, std::int64_t rows, std::string_view reason);

}  // namespace vigie::metric
