// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <span>
#include <string>
#include <vector>

#include "engine/profile.h"

namespace vigie::engine {

/// What is known of the current values besides their counts; NaN where it is not.
struct Known {
  double low = std::numeric_limits<double>::quiet_NaN(), high = low, median = low;
};

/// What changed between two sets of counts of a column, in a few words for people: "median 12 → 19", "middle 80 %: 5 to
/// 15 → 0 to 20" where the outer quantiles moved further, "the value 0: 60 % → 75 %", "new value \"IT\" 0 % → 8 %".
/// Numbers have the digits that show the difference. Beyond the reference's range counts say nothing: there a quantile
/// is told by what is `known`, "above 30 (up to 900)". Empty when a side has no rows. `fresh`: names of the cells
/// beyond the profile's categories.
std::string movement(const ColumnProfile& column, std::span<const std::int64_t> reference,
                     std::span<const std::int64_t> current, const std::vector<std::string>& fresh,
                     const Known& known = {});

/// The scale of an effect, as the contract names it.
std::string scale_of(bool share);
/// An effect on its scale: "0.42 sd", "12 % of rows".
std::string amount(double effect, bool share);

}  // namespace vigie::engine
