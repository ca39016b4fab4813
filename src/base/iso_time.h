// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace vigie {

/// Microseconds since 1970 in UTC as ISO 8601, to the microsecond without zeros at the end: "2024-01-31T08:30:00.25Z".
/// Empty for NaN and for times that are not of the years 0001 to 9999.
std::string iso_time(double micros);

}  // namespace vigie
