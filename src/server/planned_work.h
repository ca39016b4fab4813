// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vigie::server {

/// Work on a model, or on what it stands on, that is known before: a time in which it may be wrong, and wakes nobody.
/// Once, or again and again on days of the week.
struct PlannedWork {
  static constexpr unsigned kEveryDay = 0b111'1111;
  std::int64_t from = 0, to = 0;    ///< µs since 1970, of one that is once
  unsigned days = 0;                ///< of the week, a bit each, Monday the lowest; 0: once
  std::int64_t at = 0, length = 0;  ///< µs: the time of day at which it begins, and how long it takes
  std::string zone{};               ///< IANA name of the zone of `at` and `days`; empty: UTC
  std::string note{}, by{};
  bool operator==(const PlannedWork&) const = default;

  struct Time {
    std::int64_t from = 0, to = 0;  ///< µs since 1970
    std::string note{}, by{};
    bool operator==(const Time&) const = default;
  };
  /// The first time of it that has an instant in common with [from, to). Where a clock change repeats the time of day
  /// at which it begins, it begins the first time; where one leaves it out, when the change is.
  std::optional<Time> touching(std::int64_t from, std::int64_t to) const;
};

/// Reads {"from": TIME, "to": TIME} or, in place of "to", "for": "4h"; or {"days": ["sat", "sun"], "at": "02:00",
/// "for": "4h", "timezone": "Europe/Paris"}, of all days where none are said, in `zone` unless told. Each with a
/// "note". `where`: what messages begin with, as "maintenance[2]"; empty: nothing. Code::kInput.
Result<PlannedWork> read_planned_work(std::string_view json, std::string_view where, const std::string& zone);

/// Reads what somebody says of work that begins now or later: {"from": TIME, "to": TIME, "for": "2h", "note": …, "by":
/// …}, of which "to" or "for" must be there. `now`: µs. Code::kInput.
Result<PlannedWork> read_work_said(std::string_view json, std::int64_t now);

}  // namespace vigie::server
