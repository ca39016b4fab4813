// SPDX-License-Identifier: Apache-2.0
#include "server/model_config.h"

#include <fmt/format.h>
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
  const std::string other = ": it is of rows and time, whichever ends it first, or of time and every";
  EXPECT_EQ(window_of(R"({"rows": 1000})"), "window: lacks time" + other);
  EXPECT_EQ(window_of(R"({"time": "day"})"), "window: lacks rows" + other);
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

TEST(ModelConfig, HowWindowsAreJudgedIsInTheWordsOfCompare) {
  const auto of = [](const std::string& said) {
    const auto read = read_model_config("{\"compare\": " + said + "}");
    return read ? "" : read.error().message;
  };
  const auto read = read_model_config(R"({"compare": {"alpha": 0.01, "watch": 0.2, "major": 0.2,
      "methods": ["psi", {"column": "age", "method": "auto"}]}, "silent_after": "15m"})");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->compare.alpha, 0.01);
  EXPECT_TRUE(read->compare.levels && read->compare.levels->watch == 0.2 && read->compare.levels->major == 0.2);
  ASSERT_EQ(read->compare.methods.size(), 2U);
  EXPECT_EQ(read->compare.methods[1].column, "age");
  EXPECT_EQ(read->silent_after, 900'000'000);
  EXPECT_EQ(read_model_config("{}")->compare.alpha, 0.05);
  for (const std::string none : {"{}", "{\"methods\": []}", "null", "{\"alpha\": null}"})
    EXPECT_EQ(of(none), "") << none;
  EXPECT_EQ(of("[1]"), "compare: expected a JSON object, got [1]");
  EXPECT_EQ(of(R"({"major": 1})"), "compare.watch: is missing: watch and major go together");
  EXPECT_EQ(of(R"({"watch": 0, "major": 1})"), "compare.watch: expected a number above 0, got 0");
  EXPECT_EQ(of(R"({"watch": "1", "major": 1})"), "compare.watch: expected a number above 0, got \"1\"");
  EXPECT_EQ(of(R"({"methods": "psi"})"), "compare.methods: expected a list of at most 1000, got \"psi\"");
  EXPECT_EQ(of(R"({"methods": [7]})"),
            "compare.methods[0]: expected a method, or a JSON object of column and method, got 7");
  EXPECT_EQ(of(R"({"methods": [{"method": "psi"}]})"), "compare.methods[0]: names no column");
  EXPECT_TRUE(of(R"({"methods": [{"column": "a"}]})").starts_with("compare.methods[0]: unknown method \"\""));
}

TEST(ModelConfig, ChecksAreTheRulesOfCheck) {
  const auto of = [](const std::string& checks) {
    const auto read = read_model_config("{\"checks\": " + checks + "}");
    return read ? "" : read.error().message;
  };
  const auto read = read_model_config(R"({"checks": {"columns": {"age": {"range": [0, null], "at_most": 0.1}},
      "relations": ["a <= b"]}, "monitors": [{"what": "range", "severity": "off"}]})");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  ASSERT_EQ(read->checks.size(), 2U);
  EXPECT_EQ(read->checks[0],
            (Expectation{.kind = Expectation::Kind::kRange, .column = "age", .low = 0, .at_most = 0.1}));
  EXPECT_EQ(read->checks[1].other, "b");
  EXPECT_EQ(of("null"), "");
  EXPECT_EQ(of("{}"), "");
  EXPECT_EQ(of("[]"), "checks: expected a JSON object of columns and relations, got []");
  EXPECT_EQ(of(R"({"columns": {"age": {}}})"),
            "checks.columns.age: no rule in it, of not_null, missing_at_most, range, "
            "set, regex, unique, monotone");
  EXPECT_EQ(of(R"({"columns": {"a": {"regex": "["}}})"),
            "checks.columns.a.regex: \"[\" is not a regular expression: missing ]: [");
  std::string many, unique;
  for (int i = 0; i < 1001; ++i) {
    many += fmt::format("{}\"a < b\"", i ? "," : "");
    if (i < 11) unique += fmt::format(R"({}"c{}": {{"unique": true}})", i ? "," : "", i);
  }
  EXPECT_EQ(of("{\"relations\": [" + many + "]}"), "checks: 1001 rules are more than 1000");
  EXPECT_EQ(of("{\"columns\": {" + unique + "}}"), "checks: 11 columns that are unique are more than 10");
}

TEST(ModelConfig, WindowsThatOverlapAreOfPanes) {
  EXPECT_EQ(window_of(R"({"time": "hour", "every": "5m"})"), "hour each 5m");
  EXPECT_EQ(window_of(R"({"time": "week", "every": "day"})"), "week each day");
  EXPECT_EQ(window_of(R"({"time": "day", "every": "hour"})"), "day each hour");
  EXPECT_EQ(window_of(R"({"time": "30m", "every": "10m"})"), "30m each 10m");
  EXPECT_EQ(window_of(R"({"time": "30m", "every": "12m"})"), "window.every: 12m does not divide 30m");
  EXPECT_EQ(window_of(R"({"time": "month", "every": "week"})"),
            "window.every: expected hour, day or minutes as 5m, which divide window.time, got \"week\"");
  EXPECT_EQ(window_of(R"({"time": "hour", "every": "5"})"),
            "window.every: unknown unit \"5\" (hour, day, week, month, or minutes as 15m)");
  EXPECT_EQ(window_of(R"({"rows": 100, "time": "hour", "every": "5m"})"),
            "window.every: not beside rows: it is of time alone, of which it is a part");
  EXPECT_TRUE(window_of(R"({"every": "5m"})").starts_with("window: lacks time: "));
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
