// SPDX-License-Identifier: Apache-2.0
#include "server/model_config.h"

#include <gtest/gtest.h>

#include "server/watch.h"

namespace vigie::server {
namespace {

std::string window_of(const std::string& said) {
  const auto read = read_model_config("{\"window\": " + said + "}");
  return read ? to_string(read->window) : read.error().message;
}

TEST(ModelConfig, WindowsAreThoseOfTheCalendarOrByRows) {
  for (const std::string unit : {"1m", "15m", "30m", "hour", "day", "week", "month"})
    EXPECT_EQ(window_of("\"" + unit + "\""), unit);
  EXPECT_EQ(window_of("500"), "500 rows");
  EXPECT_EQ(window_of(R"({"rows": 1000, "time": "hour"})"), "hour or 1000 rows");
  EXPECT_EQ(window_of(R"({"rows": 1000, "time": "15m"})"), "15m or 1000 rows");
  EXPECT_EQ(window_of(R"({"rows": 1000})"), "window: lacks time: it is of rows and time, whichever ends it first");
  EXPECT_EQ(window_of(R"({"time": "day"})"), "window: lacks rows: it is of rows and time, whichever ends it first");
  EXPECT_EQ(window_of(R"({"rows": 0, "time": "day"})"), "window.rows: expected a number of rows up to 1e9, got 0");
  EXPECT_EQ(window_of(R"({"rows": 5, "time": "60m"})"),
            "window.time: windows of 60m do not divide an hour; did you mean hour?");
  EXPECT_NE(window_of(R"({"rows": 5, "time": "day", "tiem": 1})").find("tiem"), std::string::npos);
  EXPECT_EQ(window_of("\"60m\""), "window: windows of 60m do not divide an hour; did you mean hour?");
  EXPECT_EQ(window_of("\"hours\""),
            "window: unknown unit \"hours\"; did you mean \"hour\"? (hour, day, week, month, or minutes as 15m)");
  for (const std::string none : {"0", "1.5", "true", "[1]", "2e9"})
    EXPECT_TRUE(window_of(none).starts_with("window: expected hour, ")) << window_of(none);
}

TEST(ModelConfig, LateRowsAreAllowedForAnHourOrTenWindows) {
  constexpr std::int64_t kMinute = 60'000'000;
  const auto usual = [](std::string_view unit) {
    return Watch::usual_lateness(engine::calendar_windows(unit).value()) / kMinute;
  };
  EXPECT_EQ(usual("1m"), 10);
  EXPECT_EQ(usual("5m"), 50);
  EXPECT_EQ(usual("15m"), 60);
  EXPECT_EQ(usual("day"), 60);
}

}  // namespace
}  // namespace vigie::server
