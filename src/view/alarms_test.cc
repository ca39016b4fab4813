// SPDX-License-Identifier: Apache-2.0
#include "view/alarms.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vigie::view {
namespace {

detect::Alarm alarm() {
  return {.index = 1023,
          .state = detect::State::kDrift,
          .statistic = 1.5,
          .threshold = 0.25,
          .direction = detect::Direction::kUp,
          .onset = 1000,
          .before = 0.2,
          .after = 0.8};
}

TEST(Alarms, Json) {
  TimedAlarm a{.alarm = alarm()};
  EXPECT_EQ(to_json(a),
            R"({"index":1023,"state":"drift","statistic":1.5,"threshold":0.25,"direction":"up","onset":1000,)"
            R"("before":0.2,"after":0.8})");
  a.timed = true;
  a.time = 1767225600.25e6;
  a.onset_time = std::nan("");
  a.alarm.direction = detect::Direction::kNone;
  a.alarm.before = std::nan("");
  a.alarm.statistic = INFINITY;
  EXPECT_EQ(to_json(a),
            R"({"index":1023,"state":"drift","time":"2026-01-01T00:00:00.25Z","statistic":null,"threshold":0.25,)"
            R"("direction":null,"onset":1000,"onset_time":null,"before":null,"after":0.8})");
  Detection d{.detector = "a\xff", .observations = 2000, .drifts = 1};
  EXPECT_EQ(to_json(d), R"({"command":"detect","observations":2000,"drifts":1,"warnings":0,"detector":"a)"
                        "\xef\xbf\xbd"
                        R"(","used":2000,"skipped":0,"rejected":0,"to_learn":0})");
  d.evaluation = detect::evaluate({}, {}, 2000);
  EXPECT_NE(to_json(d).find(R"("never_alarm":{"alarms":0,"detected":0,"episode_recall":null)"), std::string::npos);
}

TEST(Alarms, Terminal) {
  TimedAlarm a{.alarm = alarm()};
  EXPECT_EQ(to_terminal(a, {}), "drift   at 1,023, up: 0.2 → 0.8, since 1,000  statistic 1.5, threshold 0.25");
  a.alarm.state = detect::State::kWarning;
  a.alarm.onset = a.alarm.index;
  a.alarm.before = a.alarm.after = a.alarm.statistic = std::nan("");
  a.alarm.direction = detect::Direction::kNone;
  a.timed = true;
  EXPECT_EQ(to_terminal(a, {}), "warning at 1,023 (1970-01-01T00:00:00Z)");
  EXPECT_EQ(more_warnings(1204, a, {}), "warning 1,204 more, the last at 1,023 (1970-01-01T00:00:00Z)");
  a.timed = false;
  EXPECT_EQ(more_warnings(2, a, {}), "warning 2 more, the last at 1,023");
  Detection d{.detector = "ddm", .observations = 2000, .drifts = 1, .skipped = 3, .rejected = 1, .interrupted = true};
  EXPECT_EQ(to_terminal(d, {}),
            "ddm: 2,000 observations (1,997 used, 3 skipped), 1 drift, no warning; 1 record rejected; interrupted\n");
  d = {.detector = "ddm", .observations = 3, .to_learn = 28};
  EXPECT_EQ(to_terminal(d, {}),
            "ddm: 3 observations, no drift, no warning\n"
            "still learning, nothing was tested: no alarm can come before 28 values more\n");
  d.drifts = 1;
  EXPECT_NE(to_terminal(d, {}).find("learning anew since the last drift: no alarm"), std::string::npos);
  d = {.detector = "ddm", .observations = 2000, .drifts = 1};
  const detect::Change changes[] = {{1000, 1000}};
  const std::int64_t alarms[] = {100, 1023};
  d.evaluation = detect::evaluate(alarms, changes, 2000);
  const auto text = to_terminal(d, {});
  EXPECT_NE(text.find("Against 1 change known, an alarm within 500 values after it counts"), std::string::npos) << text;
  EXPECT_NE(text.find("1 of 1"), std::string::npos) << text;
  EXPECT_NE(text.find("never alarm"), std::string::npos) << text;
}

}  // namespace
}  // namespace vigie::view
