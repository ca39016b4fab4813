// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engine/profile.h"

namespace vigie::engine {

/// "looks like × 1000: a unit changed?" where current values of a numeric column are the reference's in another unit:
/// times a power of ten, seconds and hours, miles and kilometres, Celsius and Fahrenheit, … Empty where they are not,
/// or where the rows do not tell one factor from others. By the mean, where it is known, and the ends `low` and `high`
/// of the current values, NaN where unknown.
std::string unit_change(const ColumnProfile& column, std::span<const std::int64_t> reference, const Counts& current,
                        double low, double high);

}  // namespace vigie::engine
