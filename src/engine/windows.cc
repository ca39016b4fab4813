// SPDX-License-Identifier: Apache-2.0
#include "engine/windows.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/text.h"
#include "engine/zone_internal.h"

namespace vigie::engine {
namespace {

using LocalSeconds = date::local_seconds;
constexpr double kMostTime = 4e17;  // µs of times that are in windows
constexpr double kMicro = 1e6;

}  // namespace

Windower::Windower() : zone_(std::make_unique<Zone>()) {}
Windower::Windower(const Windower& o)
    : spec_(o.spec_),
      zone_(std::make_unique<Zone>(*o.zone_)),
      index_(o.index_),
      windows_(o.windows_),
      last_key_(o.last_key_),
      last_(o.last_) {}
Windower::Windower(Windower&&) noexcept = default;
Windower& Windower::operator=(Windower&&) noexcept = default;
Windower::~Windower() = default;

Result<Windower> Windower::make(const WindowSpec& spec) {
  Windower w;
  w.spec_ = spec;
  VIGIE_ASSIGN(*w.zone_, Zone::find(spec.zone));
  return w;
}

namespace {

std::int64_t month_of(std::int64_t day) {
  date::year_month_day ymd{date::sys_days{date::days(day)}};
  return (static_cast<int>(ymd.year()) - 1970) * 12 + static_cast<int>(static_cast<unsigned>(ymd.month())) - 1;
}
std::int64_t month_start(std::int64_t month) {
  auto year = floor_div(month, 12);
  date::year_month_day ymd{date::year(static_cast<int>(1970 + year)),
                           date::month(static_cast<unsigned>(month - year * 12 + 1)), date::day(1)};
  return date::sys_days(ymd).time_since_epoch().count();
}

// First second, in local time, of the window with this key.
std::int64_t local_start(WindowSpec::Kind kind, std::int64_t key) {
  switch (kind) {
    case WindowSpec::Kind::kDay:
      return key * 86400;
    case WindowSpec::Kind::kWeek:
      return (key * 7 - 3) * 86400;  // 1970-01-01 was a Thursday; weeks begin on Monday
    default:
      return month_start(key) * 86400;
  }
}

}  // namespace

std::int64_t Windower::length() const {
  if (spec_.kind == WindowSpec::Kind::kMinutes) return spec_.minutes * 60;
  return spec_.kind == WindowSpec::Kind::kHour ? 3600 : 0;
}

std::int64_t Windower::key_of(double time) const {
  auto seconds = static_cast<std::int64_t>(std::floor(time / kMicro));
  auto local = seconds + zone_->offset(seconds);
  switch (spec_.kind) {
    case WindowSpec::Kind::kMinutes:
    case WindowSpec::Kind::kHour:
      // Hours, and parts of them, are counted in UTC, shifted by what the zone is off full hours: the hour that a clock
      // change repeats is two windows.
      return floor_div(seconds + zone_->off_hours(), length());
    case WindowSpec::Kind::kDay:
      return floor_div(local, 86400);
    case WindowSpec::Kind::kWeek:
      return floor_div(floor_div(local, 86400) + 3, 7);
    default:
      return month_of(floor_div(local, 86400));
  }
}

Windower::Window Windower::opened(std::int64_t key) const {
  Window window;
  window.key = key;
  const bool hours = length() > 0;
  if (!hours && spec_.kind != WindowSpec::Kind::kDay) return window;
  auto local = start_of(key).local;
  auto day = floor_div(local, 86400);
  if (hours) window.hour = static_cast<std::int16_t>((local - day * 86400) / 3600);
  if (spec_.kind == WindowSpec::Kind::kMinutes)
    window.minute = static_cast<std::int16_t>((local - day * 86400) % 3600 / 60);
  window.weekday = static_cast<std::int16_t>(day + 3 - floor_div(day + 3, 7) * 7);
  return window;
}

bool Windower::possible(std::int64_t key) const {
  constexpr std::int64_t kDay = 86400;
  const auto most = (static_cast<std::int64_t>(kMostTime / kMicro) + kDay) / (length() > 0 ? length() : kDay);
  return !spec_.calendar() || (key >= -most && key <= most);
}

std::size_t Windower::met(std::int64_t key, double first, double last) {
  const auto [it, fresh] = index_.try_emplace(key, static_cast<std::int32_t>(windows_.size()));
  if (fresh) windows_.push_back(opened(key));
  auto& window = windows_[static_cast<std::size_t>(it->second)];
  window.first = std::min(window.first, first), window.last = std::max(window.last, last);
  return static_cast<std::size_t>(it->second);
}

void Windower::assign(std::int64_t first, std::int64_t rows, std::span<const double> times,
                      std::vector<std::int32_t>& out) {
  out.resize(static_cast<std::size_t>(rows));
  auto find = [&](std::int64_t key) {
    if (key == last_key_) return last_;
    auto [it, fresh] = index_.try_emplace(key, static_cast<std::int32_t>(windows_.size()));
    if (fresh) windows_.push_back(opened(key));
    last_key_ = key;
    return last_ = it->second;
  };
  for (std::int64_t i = 0; i < rows; ++i) {
    auto& slot = out[static_cast<std::size_t>(i)];
    if (spec_.kind == WindowSpec::Kind::kNone) {
      slot = find(0);
    } else if (spec_.kind == WindowSpec::Kind::kRows) {
      slot = find((first + i) / spec_.rows);
    } else {
      double time = i < static_cast<std::int64_t>(times.size()) ? times[static_cast<std::size_t>(i)] : NAN;
      if (!(std::fabs(time) < kMostTime)) {
        slot = -1;
        continue;
      }
      slot = find(key_of(time));
      auto& w = windows_[static_cast<std::size_t>(slot)];
      w.first = std::min(w.first, time);
      w.last = std::max(w.last, time);
    }
  }
}

std::vector<std::size_t> Windower::order() const {
  std::vector<std::size_t> order;
  for (const auto& [key, i] : index_) order.push_back(static_cast<std::size_t>(i));
  return order;
}

Windower::Start Windower::start_of(std::int64_t key) const {
  if (length() > 0) {
    auto utc = key * length() - zone_->off_hours();
    return {utc, utc + zone_->offset(utc)};
  }
  auto local = local_start(spec_.kind, key);
  return {zone_->to_utc(local), local};
}

double Windower::start(std::int64_t key) const {
  return static_cast<double>(start_of(key).utc) * kMicro;
}

std::string Windower::start_text(std::int64_t key) const {
  auto [utc, local] = start_of(key);
  auto text = date::format("%FT%T", LocalSeconds{std::chrono::seconds(local)});
  if (zone_->utc()) return text + "Z";
  auto offset = local - utc;
  auto minutes = std::abs(offset) / 60;
  return fmt::format("{}{}{:02}:{:02}", text, offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

std::string Windower::lacking() const {
  if (!spec_.calendar() || index_.empty()) return {};
  const auto all = index_.rbegin()->first - index_.begin()->first + 1, gone = all - static_cast<std::int64_t>(size());
  if (gone == 0) return {};
  std::int64_t longest = 0, from = 0, last = index_.begin()->first;
  for (const auto& [key, i] : index_) {
    if (key - last - 1 > longest) longest = key - last - 1, from = last + 1;
    last = key;
  }
  return fmt::format("{} of {} {} {} no row, at most {} running, from {} on", with_commas(gone), with_commas(all),
                     units_of(spec_, all == 1), gone == 1 ? "has" : "have", with_commas(longest), start_text(from));
}

std::string Windower::other_midnight() const {
  constexpr std::int64_t kMinute = 60, kHour = 3600, kDay = 86400;
  if (!spec_.calendar() || length() > 0 || !zone_->utc()) return {};
  const auto cut = cut_off();
  if (std::find(cut.begin(), cut.end(), true) == cut.end()) return {};
  const auto sorted = order();
  const auto of_day = [](std::int64_t seconds) { return seconds - floor_div(seconds, kDay) * kDay; };
  const auto first = of_day(static_cast<std::int64_t>(windows_[sorted.front()].first / kMicro));
  const auto midnight = first / (30 * kMinute) * (30 * kMinute);
  // Up to an hour before, or an hour more or less where clocks were changed.
  const auto end = of_day(static_cast<std::int64_t>(windows_[sorted.back()].last / kMicro) - midnight + 2 * kHour);
  if (midnight == 0 || first - midnight > 15 * kMinute || end > 3 * kHour) return {};
  const auto zone = [](char sign, std::int64_t off) {
    return fmt::format("UTC{}{:02}:{:02}", sign, off / kHour, off / kMinute % 60);
  };
  // Either side of the date line has such days from 10:00 to 12:00; hardly anybody lives at UTC+14:00 or at UTC-12:00.
  std::string where;
  if (midnight < kDay / 2) where = zone('-', midnight);
  if (midnight >= 11 * kHour) where += (where.empty() ? "" : " or ") + zone('+', kDay - midnight);
  return fmt::format(
      "it begins at {:02}:{:02} UTC and ends about then, as days of {} do, but windows begin at midnight UTC; "
      "--timezone REGION/CITY has them begin at midnight there",
      midnight / kHour, midnight / kMinute % 60, where);
}

bool Windower::some_whole() const {
  const auto cut = cut_off();
  return std::find(cut.begin(), cut.end(), false) != cut.end();
}

std::vector<std::string> Windower::remarks() const {
  std::vector<std::string> out;
  if (spec_.calendar() && !windows_.empty() && !some_whole()) {
    const bool one = size() == 1;
    const auto units = units_of(spec_, one);
    out.push_back(fmt::format(
        "{}: {} judged by the rows at hand, and not by how many they are",
        one ? fmt::format("its only {} is not whole", units) : fmt::format("neither of its two {} is whole", units),
        one ? "it is" : "they are"));
  }
  for (auto& remark : {lacking(), other_midnight()})
    if (!remark.empty()) out.push_back(remark);
  return out;
}

std::vector<bool> Windower::cut_off() const {
  auto sorted = order();
  std::vector<bool> cut(sorted.size(), false);
  if (!spec_.calendar() || sorted.empty()) return cut;
  double inner_head = 0, inner_tail = 0, length = 0;
  auto head = [&](std::size_t i) { return windows_[sorted[i]].first - start(windows_[sorted[i]].key); };
  auto tail = [&](std::size_t i) { return start(windows_[sorted[i]].key + 1) - windows_[sorted[i]].last; };
  for (std::size_t i = 1; i + 1 < sorted.size(); ++i) {
    inner_head = std::max(inner_head, head(i));
    inner_tail = std::max(inner_tail, tail(i));
  }
  auto last = sorted.size() - 1;
  length = start(windows_[sorted[last]].key + 1) - start(windows_[sorted[last]].key);
  bool some = sorted.size() >= 3;
  cut[0] = head(0) > (some ? 2 * inner_head + 0.01 * length : 0.1 * length);
  cut[last] = cut[last] || tail(last) > (some ? 2 * inner_tail + 0.01 * length : 0.1 * length);
  return cut;
}

}  // namespace vigie::engine
