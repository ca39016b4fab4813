// SPDX-License-Identifier: Apache-2.0
#include "engine/incidents.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace vigie::engine {
namespace {

using event::Incident;
using event::Severity;
using Track = Sighting::Track;
constexpr std::int64_t kHour = 3'600'000'000, kStart = 1'704'067'200'000'000;

event::Cause cause(std::string column, Severity severity = Severity::kWarning, double weight = 1) {
  return {std::move(column), "", "omnibus", severity, weight, "moved", 0, 1};
}
Sighting window(int hour, std::vector<event::Cause> causes = {}, bool firm = true, Track track = Track::kData) {
  Sighting out{track, kStart + hour * kHour,   kStart + (hour + 1) * kHour,
               true,  firm && !causes.empty(), std::move(causes)};
  for (auto& c : out.causes) c.since = out.start;
  return out;
}

// What is told, window by window: "opened", "worse", "resolved", "-".
struct Course {
  Incidents incidents{"credit"};
  std::vector<std::string> told;
  void see(const Sighting& sighting) {
    std::string words;
    for (const auto& notice : incidents.see(sighting, sighting.end + 1)) words += event::to_string(notice.kind);
    told.push_back(words.empty() ? "-" : words);
  }
  std::string all() const { return fmt::format("{}", fmt::join(told, " ")); }
};

TEST(Incidents, WhatStartsTogetherIsOneAndToldOnce) {
  Course course;
  for (int hour = 0; hour < 3; ++hour) course.see(window(hour));
  for (int hour = 3; hour < 8; ++hour) course.see(window(hour, {cause("age"), cause("income", Severity::kWarning, 3)}));
  course.see(window(8));
  course.see(window(9, {cause("age")}));  // one healthy window is not yet the end
  for (int hour = 10; hour < 13; ++hour) course.see(window(hour));
  EXPECT_EQ(course.all(), "- - - opened - - - - - - - resolved -");
  const auto changed = course.incidents.take_changed();
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_EQ(changed[0].id, "credit-20240101T030000Z");
  EXPECT_EQ(changed[0].state, Incident::State::kResolved);
  EXPECT_EQ(changed[0].since, kStart + 3 * kHour);
  EXPECT_EQ(changed[0].until, kStart + 10 * kHour);
  EXPECT_EQ(changed[0].windows, 6);
  EXPECT_EQ(changed[0].causes[0].column, "income");
  EXPECT_EQ(changed[0].causes[1].windows, 6);
  EXPECT_EQ(changed[0].summary, "income: moved; and 1 more");
}

TEST(Incidents, WhatFellAndWhatMovedStandSideBySide) {
  Course course;
  auto metrics = window(3, {}, true, Track::kScores);
  for (const auto* name : {"accuracy", "recall", "precision"}) {
    metrics.causes.push_back(cause("", Severity::kCritical, 8));
    metrics.causes.back().what = name;
  }
  metrics.firm = true;
  course.see(metrics);
  course.see(window(3, {cause("age", Severity::kWarning, 2), cause("income", Severity::kWarning, 3)}));
  std::vector<std::string> order;
  const auto changed = course.incidents.take_changed();
  for (const auto& c : changed.at(0).causes) order.push_back(c.column.empty() ? c.what : c.column);
  EXPECT_EQ(order, (std::vector<std::string>{"accuracy", "income", "recall", "precision", "age"}));
}

TEST(Incidents, WarningsAloneMustStayAndWhatIsNotJudgedIsNeither) {
  Course course;
  course.see(window(0, {cause("age")}, false));
  course.see(window(1));
  course.see(window(2, {cause("age")}, false));
  auto nothing = window(3);
  nothing.judged = false;
  course.see(nothing);
  course.see(window(4, {cause("age")}, false));
  course.see(nothing);
  course.see(window(5));
  course.see(window(6));
  EXPECT_EQ(course.all(), "- - - - opened - - resolved");
  EXPECT_EQ(course.incidents.take_changed()[0].since, kStart + 2 * kHour);
}

TEST(Incidents, AWorseModelIsWorseThanDrift) {
  Course course;
  course.see(window(0, {cause("age")}));
  course.see(window(0, {cause("", Severity::kCritical)}, true, Track::kScores));
  course.see(window(1));
  course.see(window(2));
  course.see(window(1, {}, true, Track::kScores));
  course.see(window(2, {}, true, Track::kScores));
  EXPECT_EQ(course.all(), "opened worse - - - resolved");
  EXPECT_EQ(course.incidents.take_changed()[0].severity, Severity::kCritical);
}

TEST(Incidents, WhatComesBackSoonIsTheSame) {
  Course course;
  course.see(window(0, {cause("age")}));
  course.see(window(1)), course.see(window(2));
  course.see(window(3, {cause("age")}));
  course.see(window(4)), course.see(window(5));
  for (int hour = 6; hour < 12; ++hour) course.see(window(hour));
  course.see(window(12, {cause("age")}));
  EXPECT_EQ(course.all(), "opened - resolved opened - resolved - - - - - - opened");
  const auto changed = course.incidents.take_changed();
  ASSERT_EQ(changed.size(), 2U);
  EXPECT_EQ(changed[0].windows, 2);
  EXPECT_EQ(changed[1].windows, 1);
}

TEST(Incidents, PeopleAnswerAndAFalseAlarmIsLearntFrom) {
  Course course;
  auto& incidents = course.incidents;
  course.see(window(0, {cause("age", Severity::kWarning, 2)}));
  const auto id = incidents.open()->id;
  ASSERT_TRUE(incidents.answer(id, {Incidents::Action::kAcknowledge, "ana", "looking"}, kStart + kHour));
  EXPECT_TRUE(incidents.tick(kStart + 100 * kHour).empty());  // somebody is on it
  ASSERT_TRUE(incidents.answer(id, {Incidents::Action::kSnooze, "ana", "", kStart + 5 * kHour}, kStart + kHour));
  course.see(window(1, {cause("age", Severity::kWarning, 2), cause("score", Severity::kCritical)}));
  EXPECT_TRUE(incidents.tick(kStart + 4 * kHour).empty());
  ASSERT_EQ(incidents.tick(kStart + 5 * kHour).size(), 1U);
  EXPECT_TRUE(incidents.tick(kStart + 6 * kHour).empty());
  EXPECT_EQ(incidents.tick(kStart + 30 * kHour).size(), 1U);  // nobody answered for a day
  const auto told = incidents.answer(id, {Incidents::Action::kFalseAlarm, "bob", "a campaign"}, kStart + 6 * kHour);
  ASSERT_EQ(told->size(), 1U);
  EXPECT_EQ(told->at(0).incident.answered_by, "bob");
  EXPECT_TRUE(told->at(0).incident.false_alarm);
  EXPECT_FALSE(incidents.answer(id, {}, kStart));
  course.see(window(6, {cause("age", Severity::kWarning, 2.4)}));
  course.see(window(7, {cause("age", Severity::kWarning, 2.6)}));
  EXPECT_EQ(course.all(), "opened - - opened");
}

TEST(Incidents, WhatIsOverMayHaveBeenAFalseAlarm) {
  Course course;
  auto& incidents = course.incidents;
  course.see(window(0, {cause("age", Severity::kWarning, 2)}));
  for (int hour = 1; hour < 4; ++hour) course.see(window(hour));
  ASSERT_FALSE(incidents.open());
  auto over = incidents.take_changed().back();
  incidents.was_false(over, {Incidents::Action::kFalseAlarm, "bob", "a campaign"});
  const auto changed = incidents.take_changed();
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_TRUE(changed[0].false_alarm && changed[0].answered_by == "bob");
  EXPECT_EQ(changed[0].state, over.state);
  course.see(window(4, {cause("age", Severity::kWarning, 2.4)}));
  course.see(window(5, {cause("age", Severity::kWarning, 2.6)}));
  EXPECT_EQ(course.all(), "opened - resolved - - opened");
}

TEST(Incidents, MonitorsSayWhatWakesWhom) {
  Course course;
  course.incidents.configure("ana", "https://wiki/credit",
                             {{.column = "dest", .off = true},
                              {.column = "age", .what = "omnibus", .severity = Severity::kCritical, .owner = "bob"}});
  course.see(window(0, {cause("dest")}));
  course.see(window(1, {cause("income"), cause("dest")}));
  EXPECT_EQ(course.incidents.open()->owner, "ana");
  EXPECT_EQ(course.incidents.open()->causes.size(), 1U);
  course.see(window(2, {cause("age")}));
  EXPECT_EQ(course.incidents.open()->owner, "bob");
  EXPECT_EQ(course.incidents.open()->runbook, "https://wiki/credit");
  EXPECT_EQ(course.all(), "- opened worse");
}

// Whoever was told that it began is told that it is over.
TEST(Incidents, MonitorsSayWhoIsTold) {
  Course course;
  const auto told = [&] { return course.incidents.open()->notify; };
  using Names = std::vector<std::string>;
  course.incidents.configure(
      "", "", {{.column = "age", .notify = {"retrain"}}, {.column = "score", .notify = {"pager"}}}, {"team"});
  course.see(window(0, {cause("age", Severity::kWarning, 1)}));
  EXPECT_EQ(told(), Names{"retrain"});
  course.see(window(1, {cause("score", Severity::kWarning, 1.5)}));
  EXPECT_EQ(told(), (Names{"retrain", "pager"}));
  course.see(window(2, {cause("income", Severity::kCritical, 1)}));
  EXPECT_EQ(told(), (Names{"retrain", "pager", "team"}));
  course.incidents.configure("", "", {});
  EXPECT_EQ(told(), Names{});
  course.see(window(3, {cause("score", Severity::kCritical, 19)}));
  course.incidents.configure("", "", {{.column = "score", .notify = {"pager"}}});
  EXPECT_EQ(told(), Names{});
}

TEST(Incidents, AWindowIsLookedAtOnce) {
  Course course;
  const auto scored = [](int hour, std::vector<event::Cause> causes = {}) {
    return window(hour, std::move(causes), true, Track::kScores);
  };
  course.see(scored(0));
  course.see(scored(2, {cause("", Severity::kCritical)}));  // labels of hour 1 are late
  course.see(scored(1, {cause("", Severity::kCritical)}));
  const auto id = course.incidents.open()->id;
  ASSERT_TRUE(course.incidents.answer(id, {Incidents::Action::kResolve, "ana", ""}, kStart + 9 * kHour));
  course.see(scored(2, {cause("", Severity::kCritical)}));
  course.see(scored(0, {cause("", Severity::kCritical)}));
  EXPECT_EQ(course.all(), "- opened - - -");
  for (int hour = 3; hour < 8; ++hour) course.see(window(hour));
  // Others of the same time have other ids.
  course.see(window(2, {cause("age")}));
  ASSERT_TRUE(course.incidents.open());
  EXPECT_NE(course.incidents.open()->id, id);
}

TEST(Incidents, ANewReferenceEndsWhatNoWindowCanEnd) {
  Course course;
  course.see(window(0, {cause("", Severity::kCritical)}, true, Track::kScores));
  course.incidents.compare_anew(false);
  course.see(window(1)), course.see(window(2));
  EXPECT_EQ(course.all(), "opened - resolved");
}

TEST(Incidents, RequestsHaveHoursOfTheirOwnInTheSameIncident) {
  Course course;
  course.see(window(0, {cause("age")}));
  auto failing = window(0, {cause("", Severity::kCritical)}, true, Track::kRequests);
  failing.context = {"feature-store has failed its probe"};
  course.see(failing);
  for (int hour = 1; hour < 4; ++hour) course.see(window(hour));
  course.see(window(1, {}, true, Track::kRequests));
  EXPECT_TRUE(course.incidents.open());
  EXPECT_EQ(course.incidents.open()->context, failing.context);
  course.see(window(2, {}, true, Track::kRequests));
  EXPECT_EQ(course.all(), "opened worse - - - - resolved");
}

TEST(Incidents, HoursOfRequestsAloneTellHowTimePasses) {
  for (const int healthy : {2, 6}) {
    Course course;
    course.see(window(0, {cause("")}, true, Track::kRequests));
    for (int hour = 1; hour < 1 + healthy; ++hour) course.see(window(hour, {}, true, Track::kRequests));
    course.see(window(1 + healthy, {cause("")}, true, Track::kRequests));
    EXPECT_EQ(course.incidents.open()->since, healthy == 2 ? kStart : kStart + (1 + healthy) * kHour);
  }
}

// An alarm is said once, whatever else began at its hour; what it told of goes on until its hours are healthy.
TEST(Incidents, AnAlarmOfAStreamLastsUntilItsHoursAreHealthy) {
  Course course;
  const auto still = [](int hour) {
    auto out = window(hour, {cause("")}, true, Track::kStreams);
    out.still = true;
    return out;
  };
  course.see(window(0, {}, true, Track::kStreams));
  course.see(window(0, {cause("")}, true, Track::kStreams));
  course.see(window(0)), course.see(window(1)), course.see(window(2));
  course.see(still(1)), course.see(window(2, {}, true, Track::kStreams)), course.see(still(3));
  for (int hour = 4; hour < 6; ++hour) course.see(window(hour, {}, true, Track::kStreams));
  EXPECT_EQ(course.all(), "- opened - - - - - - - resolved");
  // It opens none, as where somebody resolved it.
  course.see(still(6));
  EXPECT_EQ(course.told.back(), "-");
  EXPECT_EQ(course.incidents.take_changed()[0].windows, 1);
}

TEST(Incidents, WhatNobodyLooksForKeepsNoneOpen) {
  Course course;
  course.see(window(0, {cause("")}, true, Track::kStreams));
  course.incidents.forget(Track::kStreams);
  course.see(window(1));
  EXPECT_EQ(course.all(), "opened resolved");
  Course anew;
  anew.see(window(0, {cause("")}, true, Track::kStreams));
  anew.incidents.compare_anew(true);
  anew.see(window(1)), anew.see(window(2));
  EXPECT_EQ(anew.all(), "opened - resolved");
}

TEST(Incidents, OfTwoTracksAreRead) {
  auto bytes = Incidents("credit").save();
  bytes[0] = 1, bytes.erase(3 + 2 * 26, 3 * 26);
  Incidents again("credit");
  ASSERT_TRUE(again.load(bytes));
  EXPECT_EQ(again.save(), Incidents("credit").save());
}

TEST(Incidents, GoOnAsTheyWereAfterAStart) {
  for (int at = 0; at < 8; ++at) {
    Course whole, parted;
    const std::vector<Sighting> windows = {window(0, {cause("a")}, false),
                                           window(1, {cause("a")}, false),
                                           window(2),
                                           window(3, {cause("b")}),
                                           window(3, {cause("c")}, true, Track::kScores),
                                           window(4),
                                           window(4, {}, true, Track::kScores),
                                           window(5)};
    for (int i = 0; i < 8; ++i) {
      whole.see(windows[static_cast<std::size_t>(i)]);
      parted.see(windows[static_cast<std::size_t>(i)]);
      if (i != at) continue;
      Incidents again("credit");
      ASSERT_TRUE(again.load(parted.incidents.save()));
      parted.incidents = std::move(again);
    }
    EXPECT_EQ(whole.all(), parted.all()) << at;
    EXPECT_EQ(whole.incidents.save(), parted.incidents.save()) << at;
  }
  EXPECT_EQ(Incidents("credit").load("nonsense").error().code, Code::kCorrupt);
}

// Rows that came late turned a window that was told as healthy: that is news. One that was bad before is not.
TEST(Incidents, AWindowThatIsRestatedMayOpenOne) {
  Incidents incidents("credit");
  const auto see = [&](const Sighting& sighting) { return incidents.see(sighting, sighting.end); };
  const auto restated = [](Sighting sighting) {
    sighting.restated = true;
    return sighting;
  };
  for (int hour = 0; hour < 3; ++hour) EXPECT_TRUE(see(window(hour)).empty());
  EXPECT_TRUE(see(window(1, {cause("age")})).empty()) << "again, and not restated";
  EXPECT_TRUE(see(restated(window(1, {cause("age")}, false))).empty()) << "a warning";
  const auto opened = see(restated(window(1, {cause("age")})));
  ASSERT_EQ(opened.size(), 1U);
  EXPECT_EQ(opened[0].kind, event::Notice::Kind::kOpened);
  EXPECT_EQ(opened[0].incident.since, window(1).start);
  EXPECT_TRUE(see(restated(window(1, {cause("age")}))).empty()) << "twice";
  EXPECT_TRUE(see(window(3)).empty());
  ASSERT_EQ(see(window(4)).size(), 1U) << "is over";
  EXPECT_TRUE(see(restated(window(1, {cause("age")}))).empty()) << "of the last one";
  EXPECT_FALSE(incidents.open());
}

}  // namespace
}  // namespace vigie::engine
