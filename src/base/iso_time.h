// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace vigie {

/// Microseconds since 1970 in UTC as ISO 8601, to the microsecond without zeros at the end: "2024-01-31T08:30:00.25Z".
/// Empty for NaN and for times that are not of the years 0001 to 9999.
std::string iso_time(double micros);

/// "12:03 UTC", with the day where it is another than that of `beside`; "?" where iso_time() is empty. In µs.
std::string clock_time(std::int64_t time, std::int64_t beside);

}  // namespace vigie
