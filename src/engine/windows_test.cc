// SPDX-License-Identifier: Apache-2.0
#include "engine/windows.h"

#include <gtest/gtest.h>

#include <cmath>

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
