// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace vigie::stats {

/// Distribution functions. None of them throws or sets errno; NaN in, or a parameter outside its domain, gives NaN.
/// "sf" is the upper tail P(X > x), accurate relative to itself however small. Cost: 0.1 to 2 µs each.

double normal_pdf(double x);
double normal_cdf(double x);
double normal_sf(double x);
/// Φ⁻¹(p); ±∞ at 1 and 0.
double normal_quantile(double p);

/// χ² with `df` > 0 degrees of freedom (not necessarily whole).
double chi2_sf(double x, double df);
/// The x with chi2_sf(x, df) = p; 0 at p = 1, ∞ at p = 0.
double chi2_isf(double p, double df);
/// The λ at which a noncentral χ² with `df` degrees exceeds `critical` with probability `power`, by Sankaran's (1963)
/// normal approximation: within 1 % for power .8. 0 when the central one already does.
double chi2_noncentrality(double critical, double df, double power);

/// Gamma with mean shape·scale.
double gamma_sf(double x, double shape, double scale);

/// Student's t with `nu` > 0 degrees of freedom (not necessarily whole).
double student_t_sf(double x, double nu);
/// The t with P(T ≤ t) = p.
double student_t_quantile(double p, double nu);

/// ln n! for n ≥ 0, to full precision.
double log_factorial(std::int64_t n);

}  // namespace vigie::stats
