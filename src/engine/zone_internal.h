// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <date/tz.h>

#include <cstdint>
#include <string>

#include "base/result.h"

namespace vigie::engine {

/// A time zone; UTC by default. One thread at a time.
class Zone {
 public:
  /// Code::kUsage for a name that the time zone database does not have.
  static Result<Zone> find(const std::string& name);

  bool utc() const { return !zone_; }
  /// Seconds that local time is ahead of UTC.
  std::int64_t offset(std::int64_t seconds);
  /// What the zone is off full hours, as India's half hour, in seconds; the latest is taken for all times.
  std::int64_t off_hours();
  std::int64_t to_utc(std::int64_t local) const;

 private:
  const date::time_zone* zone_ = nullptr;
  date::sys_info info_{};  // the offset is looked up once per stretch of time between its changes
  bool known_ = false;
};

inline std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0);
}

}  // namespace vigie::engine
