// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>

#include "engine/zone_internal.h"

namespace vigie::engine {

Result<Zone> Zone::find(const std::string& name) {
  Zone zone;
  if (name.empty() || name == "UTC") return zone;
  try {
    zone.zone_ = date::locate_zone(name);
  } catch (const std::exception&) {
    return fail(
        Code::kUsage,
        fmt::format("--timezone: \"{}\" is not in the time zone database (try Europe/Paris, America/New_York, UTC)",
                    name));
  }
  return zone;
}

std::int64_t Zone::offset(std::int64_t seconds) {
  if (!zone_) return 0;
  date::sys_seconds at{std::chrono::seconds(seconds)};
  if (!known_ || at < info_.begin || at >= info_.end) info_ = zone_->get_info(at), known_ = true;
  return info_.offset.count();
}

std::int64_t Zone::off_hours() {
  if (!zone_) return 0;
  constexpr std::int64_t k2100 = 4'102'444'800;  // by the latest rule: Nepal's and Liberia's were others once
  auto seconds = offset(k2100) % 3600;
  return seconds < 0 ? seconds + 3600 : seconds;
}

std::int64_t Zone::to_utc(std::int64_t local) const {
  if (!zone_) return local;
  return zone_->to_sys(date::local_seconds{std::chrono::seconds(local)}, date::choose::earliest)
      .time_since_epoch()
      .count();
}

}  // namespace vigie::engine
