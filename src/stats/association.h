// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace vigie::stats {

/// Bias-corrected V (Bergsma 2013) of a table of `rows` ≥ 2 observations in a × b classes, a and b ≥ 2, whose X² / rows
/// is `phi2`: 0..1, and 0 on average where the two have nothing to do with each other.
double cramers_v(double phi2, double rows, double a, double b);

}  // namespace vigie::stats
