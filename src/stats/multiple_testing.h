// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

namespace vigie::stats {

/// Adjusted p-values of Benjamini & Hochberg (1995), in the order of `p`: flagging those at or below q keeps the
/// expected share of false ones among the flagged at or below q, for independent and for positively dependent tests;
/// when nothing is there to be found, the chance of flagging anything is at most q. Equal p-values get equal results; a
/// result is never below its p-value and never above 1. A NaN is no member of the family and stays NaN. O(n log n).
std::vector<double> benjamini_hochberg(std::span<const double> p);

}  // namespace vigie::stats
