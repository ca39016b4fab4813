// SPDX-License-Identifier: Apache-2.0
#include "base/iso_time.h"

#include <fmt/format.h>

#include <cmath>
#include <ctime>

namespace vigie {

std::string iso_time(double micros) {
  constexpr double kFirst = -62135596800, kEnd = 253402300800;  // of the years 0001 and 10000, in seconds
  const double whole = std::floor(micros / 1e6);
  if (!(whole >= kFirst && whole < kEnd)) return {};
  const auto seconds = static_cast<std::time_t>(whole);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  auto out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                         parts.tm_hour, parts.tm_min, parts.tm_sec);
  if (const auto rest = static_cast<int>(micros - whole * 1e6); rest > 0) {
    out += fmt::format(".{:06}", rest);
    out.erase(out.find_last_not_of('0') + 1);
  }
  return out + "Z";
}

std::string clock_time(std::int64_t time, std::int64_t beside) {
  const auto text = iso_time(static_cast<double>(time)), other = iso_time(static_cast<double>(beside));
  if (text.size() < 16) return "?";
  return (text.substr(0, 10) == other.substr(0, 10) ? "" : text.substr(0, 10) + " ") + text.substr(11, 5) + " UTC";
}

}  // namespace vigie
