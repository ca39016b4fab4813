// SPDX-License-Identifier: Apache-2.0
#include "server/planned_work.h"

#include <date/tz.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "engine/windows.h"
#include "server/model_config.h"
#include "server/said_internal.h"
#include "table/json_rows.h"

namespace vigie::server {
namespace {

using said::Json, said::known, said::object_of, said::take, said::wrong;

constexpr std::int64_t kSecond = 1'000'000, kDay = 86'400 * kSecond;
constexpr std::int64_t kLongest = 7 * kDay;  // of what comes again
constexpr std::size_t kLongestNote = 400;
constexpr std::array<std::string_view, 7> kDays{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0);
}

Result<std::int64_t> time_of(const Json& json, const std::string& key) {
  const auto text = json.is_string() ? json.get<std::string>() : json.dump();
  const auto time = json.is_structured() ? std::nullopt : table::parse_time(text);
  if (!time || !(std::abs(*time) < 4e17)) return wrong(key, "a time, as ISO 8601 or an epoch number", json);
  return static_cast<std::int64_t>(*time);
}

Result<std::int64_t> length_of(const Json& json, const std::string& key) {
  const auto length = json.is_string() ? duration_of(json.get<std::string>()) : std::nullopt;
  if (!length) return wrong(key, "a length of at most 400 days, as 90m, 4h or 3d", json);
  return *length;
}

// "02:30": µs.
Result<std::int64_t> time_of_day(const Json& json, const std::string& key) {
  const auto text = json.is_string() ? json.get<std::string>() : std::string();
  const auto digit = [&](std::size_t i) { return text[i] - '0'; };
  const bool form = text.size() == 5 && text[2] == ':' && text.find_first_not_of("0123456789:") == text.npos &&
                    std::count(text.begin(), text.end(), ':') == 1;
  const int hour = form ? 10 * digit(0) + digit(1) : 24, minute = form ? 10 * digit(3) + digit(4) : 60;
  if (hour > 23 || minute > 59) return wrong(key, "a time of day, as 02:30", json);
  return (hour * 60 + minute) * 60 * kSecond;
}

Result<unsigned> days_of(const Json& json, const std::string& key) {
  const auto list = json.is_string() ? Json::array({json}) : json;
  unsigned days = 0;
  for (const auto& one : list.is_array() ? list : Json::array()) {
    const auto* at = std::find(kDays.begin(), kDays.end(), one.is_string() ? one.get<std::string>() : "");
    if (at == kDays.end()) return wrong(key, "days, of mon, tue, wed, thu, fri, sat and sun", one);
    days |= 1U << static_cast<unsigned>(at - kDays.begin());
  }
  if (days == 0) return wrong(key, "a list of days, of mon, tue, wed, thu, fri, sat and sun", json);
  return days;
}

// "monitors[0]: lacks at", or of a whole body "lacks at".
Error lacks(const std::string& prefix, std::string_view what) {
  return fail(Code::kInput,
              fmt::format("{}lacks {}", prefix.empty() ? "" : prefix.substr(0, prefix.size() - 1) + ": ", what));
}

// Once: from a time, or from `now` where there is one, to another or for a while.
Status read_once(const Json& json, const std::string& prefix, std::optional<std::int64_t> now, PlannedWork& out) {
  const auto said = [&](const char* key) { return json.contains(key) && !json[key].is_null(); };
  if (!said("from") && !now) return lacks(prefix, "from and to, or at and for");
  out.from = now.value_or(0);
  if (said("from")) {
    VIGIE_ASSIGN(out.from, time_of(json["from"], prefix + "from"));
  }
  if (said("to") == said("for")) return lacks(prefix, "one of to and for");
  if (said("to")) {
    VIGIE_ASSIGN(out.to, time_of(json["to"], prefix + "to"));
    if (out.to <= out.from) return wrong(prefix + "to", "a time behind its beginning", json["to"]);
  } else {
    VIGIE_ASSIGN(const auto length, length_of(json["for"], prefix + "for"));
    out.to = out.from + length;
  }
  if (now && out.to <= *now) return fail(Code::kInput, prefix + (said("to") ? "to" : "for") + ": it is over already");
  return {};
}

Status take_note(const Json& json, const char* key, std::string_view where, std::string& into) {
  VIGIE_TRY(take(json, key, where, into));
  if (into.size() > kLongestNote || !is_utf8(into))
    return fail(Code::kInput, fmt::format("{}{}: expected at most {} bytes of UTF-8", where, key, kLongestNote));
  return {};
}

}  // namespace

std::optional<PlannedWork::Time> PlannedWork::touching(std::int64_t start, std::int64_t end) const {
  const auto in_common = [&](std::int64_t a, std::int64_t b) { return a < end && b > start; };
  if (days == 0) return in_common(from, to) ? std::optional(Time{from, to, note, by}) : std::nullopt;
  const auto* place = zone.empty() || zone == "UTC" ? nullptr : date::locate_zone(zone);
  const auto offset = [&](std::int64_t micros) {
    if (!place) return std::int64_t{0};
    return place->get_info(date::sys_seconds(std::chrono::seconds(floor_div(micros, kSecond)))).offset.count() *
           kSecond;
  };
  const auto first = start - length - kDay;
  auto day = floor_div(first + offset(first), kDay);
  // A week has all of its days.
  for (int i = 0; i < 9 + length / kDay + 2; ++i, ++day) {
    if (day * kDay > end + kDay) break;
    const auto weekday = static_cast<unsigned>((day + 3) % 7 + 7) % 7;  // 1970-01-01 was a Thursday
    if (!(days >> weekday & 1)) continue;
    const auto local = std::chrono::seconds((day * kDay + at) / kSecond);
    const auto begins =
        place ? place->to_sys(date::local_seconds(local), date::choose::earliest).time_since_epoch() : local;
    const auto micros = std::chrono::microseconds(begins).count();
    if (in_common(micros, micros + length)) return Time{micros, micros + length, note, by};
  }
  return {};
}

Result<PlannedWork> read_planned_work(std::string_view text, std::string_view where, const std::string& zone) {
  const auto prefix = where.empty() ? std::string() : std::string(where) + ".";
  VIGIE_ASSIGN(const auto json, object_of(text, where.empty() ? "maintenance" : where));
  PlannedWork out;
  VIGIE_TRY(take_note(json, "note", prefix, out.note));
  const auto said = [&](const char* key) { return json.contains(key) && !json[key].is_null(); };
  if (!said("at") && !said("days")) {
    VIGIE_TRY(known(json, prefix, {"from", "to", "for", "days", "at", "timezone", "note"}));
    if (said("timezone"))
      return fail(Code::kInput,
                  prefix + "timezone: is of at and days; times of from and to have their own, or are UTC");
    VIGIE_TRY(read_once(json, prefix, std::nullopt, out));
    return out;
  }
  VIGIE_TRY(known(json, prefix, {"days", "at", "for", "timezone", "note"}));
  for (const auto* key : {"at", "for"})
    if (!said(key)) return lacks(prefix, key);
  out.days = PlannedWork::kEveryDay, out.zone = zone;
  if (said("days")) {
    VIGIE_ASSIGN(out.days, days_of(json["days"], prefix + "days"));
  }
  VIGIE_ASSIGN(out.at, time_of_day(json["at"], prefix + "at"));
  VIGIE_ASSIGN(out.length, length_of(json["for"], prefix + "for"));
  if (out.length > kLongest) return wrong(prefix + "for", "at most 7d of what comes again", json["for"]);
  VIGIE_TRY(take(json, "timezone", prefix, out.zone));
  engine::WindowSpec spec;
  spec.zone = out.zone;
  if (auto windows = engine::Windower::make(spec); !windows)
    return fail(Code::kInput, fmt::format("{}timezone: there is no {}", prefix, vigie::quoted(out.zone)));
  return out;
}

Result<PlannedWork> read_work_said(std::string_view text, std::int64_t now) {
  VIGIE_ASSIGN(const auto json, object_of(text, "body"));
  VIGIE_TRY(known(json, "", {"from", "to", "for", "note", "by"}));
  PlannedWork out;
  VIGIE_TRY(take_note(json, "note", "", out.note));
  VIGIE_TRY(take_note(json, "by", "", out.by));
  VIGIE_TRY(read_once(json, "", now, out));
  return out;
}

}  // namespace vigie::server
