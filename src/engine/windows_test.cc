// SPDX-License-Identifier: Apache-2.0
#include "engine/windows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

namespace vigie::engine {
namespace {

constexpr double kHour = 3.6e9;  // µs

Windower make(WindowSpec::Kind kind, std::string zone = {}) {
  WindowSpec spec;
  spec.kind = kind, spec.zone = std::move(zone);
  auto windower = Windower::make(spec);
  EXPECT_TRUE(windower);
  return std::move(*windower);
}

std::vector<std::int32_t> assign(Windower& w, const std::vector<double>& times) {
  std::vector<std::int32_t> out;
  w.assign(0, static_cast<std::int64_t>(times.size()), times, out);
  return out;
}

std::vector<std::string> starts(const Windower& w) {
  std::vector<std::string> out;
  for (auto i : w.order()) out.push_back(w.start_text(w[i].key));
  return out;
}

double utc(std::int64_t seconds) {
  return static_cast<double>(seconds) * 1e6;
}

TEST(Windows, OutOfOrderTimesAreSorted) {
  auto w = make(WindowSpec::Kind::kDay);
  EXPECT_EQ(assign(w, {utc(86400), utc(0), utc(86399), utc(-1), NAN}), (std::vector<std::int32_t>{0, 1, 1, 2, -1}));
  EXPECT_EQ(starts(w),
            (std::vector<std::string>{"1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z"}));
}

TEST(Windows, WeeksBeginOnMondayAndMonthsOnTheFirst) {
  auto week = make(WindowSpec::Kind::kWeek);
  assign(week, {utc(1767225600)});  // 2026-01-01, a Thursday
  EXPECT_EQ(starts(week).front(), "2025-12-29T00:00:00Z");
  auto month = make(WindowSpec::Kind::kMonth);
  assign(month, {utc(1767225600 - 1), utc(1767225600), utc(-1)});
  EXPECT_EQ(starts(month),
            (std::vector<std::string>{"1969-12-01T00:00:00Z", "2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z"}));
}

TEST(Windows, TheHourThatAClockChangeRepeatsIsTwoWindows) {
  auto w = make(WindowSpec::Kind::kHour, "Europe/Paris");
  double change = utc(1792890000);  // 2026-10-25T01:00:00Z: 03:00 summer time becomes 02:00
  EXPECT_EQ(assign(w, {change - kHour, change - 1, change, change + kHour}), (std::vector<std::int32_t>{0, 0, 1, 2}));
  EXPECT_EQ(starts(w), (std::vector<std::string>{"2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00",
                                                 "2026-10-25T03:00:00+01:00"}));
  EXPECT_EQ(w[0].hour, 2);
  EXPECT_EQ(w[1].hour, 2);
  EXPECT_EQ(w[2].hour, 3);
  EXPECT_EQ(w[0].weekday, 6);
}

TEST(Windows, DaysOfAZoneAreAsLongAsItsClockSays) {
  auto w = make(WindowSpec::Kind::kDay, "Europe/Paris");
  assign(w, {utc(1792890000)});
  auto key = w[0].key;
  EXPECT_EQ(w.start(key + 1) - w.start(key), 25 * kHour);
  EXPECT_EQ(w.start_text(key), "2026-10-25T00:00:00+02:00");
}

TEST(Windows, HoursOfAZoneWithAHalfHour) {
  auto w = make(WindowSpec::Kind::kHour, "Asia/Kolkata");
  EXPECT_EQ(assign(w, {utc(1767225600), utc(1767225600 + 1800)}), (std::vector<std::int32_t>{0, 1}));
  EXPECT_EQ(starts(w), (std::vector<std::string>{"2026-01-01T05:00:00+05:30", "2026-01-01T06:00:00+05:30"}));
}

TEST(Windows, HoursOfAZoneAreThoseOfItsLatestRule) {
  auto w = make(WindowSpec::Kind::kHour, "Asia/Kathmandu");  // 5:45, and 5:30 until 1986
  assign(w, {utc(1767225600)});
  EXPECT_EQ(starts(w), (std::vector<std::string>{"2026-01-01T05:00:00+05:45"}));
}

Windower minutes(std::int64_t length, std::string zone = {}) {
  WindowSpec spec;
  spec.kind = WindowSpec::Kind::kMinutes, spec.minutes = length, spec.zone = std::move(zone);
  return Windower::make(spec).value();
}

TEST(Windows, MinutesDivideTheHour) {
  auto w = minutes(15);
  const double at = utc(1767225600);  // 2026-01-01, a Thursday
  EXPECT_EQ(assign(w, {at, at + kHour / 4 - 1, at + kHour / 4, at + 13.9 * kHour, at - 1}),
            (std::vector<std::int32_t>{0, 0, 1, 2, 3}));
  EXPECT_EQ(starts(w), (std::vector<std::string>{"2025-12-31T23:45:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:15:00Z",
                                                 "2026-01-01T13:45:00Z"}));
  EXPECT_EQ(std::tuple(w[2].weekday, w[2].hour, w[2].minute), std::tuple(3, 13, 45));
  EXPECT_EQ(w.start(w[1].key + 1) - w.start(w[1].key), kHour / 4);
  EXPECT_TRUE(w.possible(w[1].key));
  EXPECT_FALSE(w.possible(std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(w.other_midnight(), "");
  EXPECT_EQ(w.lacking(), "53 of 57 windows of 15m have no row, at most 53 running, from 2026-01-01T00:30:00Z on");
}

TEST(Windows, MinutesOfZonesThatAreOffFullHours) {
  const auto start = [](std::int64_t length, const std::string& zone) {
    auto w = minutes(length, zone);
    assign(w, {utc(1767225600)});
    return starts(w).front();
  };
  EXPECT_EQ(start(15, "Asia/Kathmandu"), "2026-01-01T05:45:00+05:45");
  EXPECT_EQ(start(20, "Asia/Kathmandu"), "2026-01-01T05:40:00+05:45");
  EXPECT_EQ(start(30, "Asia/Kathmandu"), "2026-01-01T05:30:00+05:45");
  EXPECT_EQ(start(20, "Asia/Kolkata"), "2026-01-01T05:20:00+05:30");
  EXPECT_EQ(start(1, "America/New_York"), "2025-12-31T19:00:00-05:00");
}

TEST(Windows, MinutesThatAClockChangeRepeatsAreOthers) {
  auto paris = minutes(30, "Europe/Paris");
  const double change = utc(1792890000);
  assign(paris, {change - kHour / 2, change, change + kHour / 2});
  EXPECT_EQ(starts(paris), (std::vector<std::string>{"2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00",
                                                     "2026-10-25T02:30:00+01:00"}));
  auto lord_howe = minutes(15, "Australia/Lord_Howe");  // at 02:00 back to 01:30
  const double half = utc(1775314800);                  // 2026-04-04T15:00:00Z
  assign(lord_howe, {half - kHour / 4, half, half + kHour / 4});
  EXPECT_EQ(starts(lord_howe), (std::vector<std::string>{"2026-04-05T01:45:00+11:00", "2026-04-05T01:30:00+10:30",
                                                         "2026-04-05T01:45:00+10:30"}));
}

TEST(Windows, AreCalledAsTheyAreAskedFor) {
  for (const auto* unit :
       {"hour", "day", "week", "month", "1m", "2m", "3m", "4m", "5m", "6m", "10m", "12m", "15m", "20m", "30m"}) {
    const auto windows = calendar_windows(unit);
    ASSERT_TRUE(windows) << unit;
    EXPECT_EQ(to_string(*windows), unit);
    EXPECT_TRUE(windows->calendar()) << unit;
  }
  const auto wrong = [](std::string_view unit) { return calendar_windows(unit).error().message; };
  EXPECT_EQ(wrong("60m"), "windows of 60m do not divide an hour; did you mean hour?");
  EXPECT_EQ(wrong("90m"), "windows of 90m do not divide an hour; did you mean hour?");
  EXPECT_EQ(wrong("7m"), "windows of 7m do not divide an hour; did you mean 6m?");
  EXPECT_EQ(wrong("25m"), "windows of 25m do not divide an hour; did you mean 20m?");
  EXPECT_EQ(wrong("dya"), "unknown unit \"dya\"; did you mean \"day\"? (hour, day, week, month, or minutes as 15m)");
  for (const auto* unit : {"", "m", "0m", "-5m", "015m", "1.5m", "15", "15min", "99999999999999999999m"})
    EXPECT_TRUE(wrong(unit).starts_with("unknown unit")) << unit;
  WindowSpec spec = *calendar_windows("15m");
  spec.rows = 500;
  EXPECT_EQ(to_string(spec), "15m or 500 rows");
  EXPECT_EQ(spec, *calendar_windows("15m"));
  EXPECT_FALSE(spec == *calendar_windows("20m"));
}

TEST(Windows, AnUnknownZoneIsAnError) {
  WindowSpec spec;
  spec.kind = WindowSpec::Kind::kDay, spec.zone = "Europe/Pariss";
  auto windower = Windower::make(spec);
  ASSERT_FALSE(windower);
  EXPECT_NE(windower.error().message.find("Pariss"), std::string::npos);
}

TEST(Windows, CutOffAtEitherEnd) {
  auto w = make(WindowSpec::Kind::kDay);
  std::vector<double> times;
  for (int hour = 10; hour < 24 * 4 + 12; ++hour) times.push_back(static_cast<double>(hour) * kHour);
  assign(w, times);
  EXPECT_EQ(w.cut_off(), (std::vector<bool>{true, false, false, false, true}));
}

TEST(Windows, WhereNoneIsWholeIsSaid) {
  auto w = make(WindowSpec::Kind::kDay);
  assign(w, {9.5 * kHour, 23 * kHour});
  EXPECT_FALSE(w.some_whole());
  ASSERT_EQ(w.remarks().size(), 1U);
  EXPECT_EQ(w.remarks()[0],
            "its only day is not whole: it is judged by the rows at hand, and not by how many they are");
  assign(w, {25 * kHour, 33 * kHour});
  EXPECT_FALSE(w.some_whole());
  EXPECT_EQ(w.remarks()[0],
            "neither of its two days is whole: they are judged by the rows at hand, and not by how many they are");
  assign(w, {48 * kHour, 71 * kHour});
  EXPECT_TRUE(w.some_whole());
  EXPECT_TRUE(w.remarks().empty());
}

TEST(Windows, DaysThatBeginAtMidnightElsewhereAreToldOnce) {
  const auto hinted = [](int from, int to, int step, const std::string& zone) {
    auto w = make(WindowSpec::Kind::kDay, zone);
    std::vector<double> times;
    for (int minute = from; minute < to; minute += step) times.push_back(static_cast<double>(minute) * kHour / 60);
    assign(w, times);
    return w.other_midnight();
  };
  const int hour = 60, day = 24 * hour;
  EXPECT_NE(hinted(5 * hour, 4 * day + 5 * hour, 7, "UTC")
                .find("begins at 05:00 UTC and ends about then, as days of "
                      "UTC-05:00 do"),
            std::string::npos);
  EXPECT_NE(hinted(18 * hour + 30, 3 * day + 18 * hour + 30, hour, "UTC").find("UTC+05:30"), std::string::npos);
  EXPECT_NE(hinted(12 * hour, 4 * day + 12 * hour, 7, "UTC").find("as days of UTC+12:00 do"), std::string::npos);
  EXPECT_NE(hinted(11 * hour, 4 * day + 11 * hour, 7, "UTC").find("as days of UTC-11:00 or UTC+13:00 do"),
            std::string::npos);
  EXPECT_NE(hinted(10 * hour, 4 * day + 10 * hour, 7, "UTC").find("as days of UTC-10:00 do"), std::string::npos);
  EXPECT_EQ(hinted(5 * hour, 4 * day + 5 * hour, 7, "America/Lima"), "");
  EXPECT_EQ(hinted(0, 4 * day, 7, "UTC"), "");
  EXPECT_EQ(hinted(0, 4 * day + 5 * hour, 7, "UTC"), "") << "cut off by its end alone";
  EXPECT_EQ(hinted(5 * hour, 4 * day + 11 * hour, 7, "UTC"), "");
  EXPECT_EQ(hinted(6 * hour, 4 * day + 6 * hour, day, "UTC"), "") << "one row a day";
}

}  // namespace
}  // namespace vigie::engine
