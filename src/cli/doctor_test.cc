// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/iso_time.h"
#include "cli/doctor_findings_internal.h"
#include "table/json_rows.h"

namespace vigie::cli {
namespace {

using nlohmann::json;

const double kNow = table::parse_time("2026-03-02T12:00:00Z").value();
constexpr double kHour = 3600e6;

// A model with nothing to see to: hourly windows until now.
ModelAnswers healthy() {
  ModelAnswers out;
  out.model = {{"model", "credit"},
               {"predictions", 5000},
               {"labels", 4000},
               {"last_seen", iso_time(kNow - 60e6)},
               {"watched", true},
               {"late_rows", 0},
               {"config", {{"owner", "ana"}, {"runbook", "https://wiki.example.org"}}}};
  out.windows = json::array();
  for (int i = 40; i > 0; --i)
    out.windows.push_back({{"start", iso_time(kNow - i * kHour)},
                           {"end", iso_time(kNow - (i - 1) * kHour)},
                           {"rows", 120},
                           {"verdict", i % 10 ? "ok" : "drift"},
                           {"coverage", 0.8},
                           {"columns", {{{"column", "age"}, {"verdict", i % 10 ? "ok" : "drift"}}}},
                           {"quality", json::array()}});
  out.incidents = json::array();
  return out;
}

std::string found(const ModelAnswers& answers) {
  std::string out;
  for (const auto& f : findings_of(answers, kNow))
    out += std::string(to_string(f.grade)) + " " + f.what + ": " + f.reason + "\n";
  return out;
}

json incident(double hours_ago, const char* state, bool wrong) {
  return {{"id", "credit-1"},
          {"state", state},
          {"opened", iso_time(kNow - hours_ago * kHour)},
          {"false_alarm", wrong},
          {"causes", {{{"column", "age"}, {"what", "omnibus"}}}}};
}

TEST(Doctor, FindsNothingInAHealthyModel) {
  EXPECT_EQ(found(healthy()), "");
}

TEST(Doctor, KnowsWhoIsSilentByHowLongWindowsAre) {
  auto hourly = healthy();
  hourly.model["last_seen"] = iso_time(kNow - 2 * kHour);
  EXPECT_EQ(found(hourly), "");
  hourly.model["last_seen"] = iso_time(kNow - 5 * kHour);
  EXPECT_EQ(found(hourly), "fail silent: nothing came for 5 h\n");
  auto none = healthy();
  none.windows = json::array();
  none.model["last_seen"] = iso_time(kNow - 5 * kHour);
  EXPECT_EQ(found(none), "");
  none.model["predictions"] = 0, none.model["labels"] = 0;
  EXPECT_EQ(found(none), "warning unused: it was declared, and no prediction ever came\n");
}

TEST(Doctor, FindsWhatIsMissing) {
  auto bare = healthy();
  bare.windows = json::array();
  bare.model["watched"] = false, bare.model["labels"] = 0, bare.model["config"] = json::object();
  bare.model["late_rows"] = 50, bare.model["early_rows"] = 100;
  EXPECT_EQ(found(bare),
            "fail clock: 2 % of its predictions are of a time to come, and in no window\n"
            "warning no reference: there is no reference: its predictions are counted, and compared with nothing\n"
            "warning late: 1 % of its predictions came too late for their window\n"
            "hint no labels: no label ever came: how good it is cannot be told\n"
            "hint nobody's: it has no owner and runbook: who is woken does not know whom to ask\n");
}

TEST(Doctor, FindsRecordsThatDepartFromTheirSchema) {
  auto other = healthy();
  other.model["schema"] = {{"version", 2}, {"columns", {{"age", "number"}}}, {"departs", {{"age", "text"}}}};
  EXPECT_EQ(found(other), "warning schema: its records depart from its schema: \"age\" is text\n");
  other.model["schema"].erase("departs");
  EXPECT_EQ(found(other), "");
}

TEST(Doctor, FindsWindowsThatSayNothingOrTooMuch) {
  auto small = healthy();
  for (auto& window : small.windows) window["verdict"] = "no_data", window["rows"] = 7;
  EXPECT_EQ(found(small),
            "warning too small: 40 of its last 40 windows had too few rows to say anything; half have less than 7\n");
  auto old = healthy();
  for (auto& window : old.windows) window["verdict"] = window["columns"][0]["verdict"] = "drift";
  EXPECT_EQ(found(old), "warning old reference: 40 of its last 40 windows drifted, age in 40\n");
}

TEST(Doctor, FindsMonitorsOfNothing) {
  auto of = healthy();
  of.model["config"]["monitors"] = {{{"column", "agee"}, {"severity", "off"}}, {{"what", "missing"}}};
  const auto said = found(of);
  EXPECT_TRUE(said.starts_with("warning monitors: ")) << said;
  EXPECT_NE(said.find("agee"), std::string::npos) << said;
  EXPECT_NE(said.find("did you mean"), std::string::npos) << said;
}

TEST(Doctor, FindsAlarmsThatAreFalseManyOrUnanswered) {
  auto wolf = healthy();
  wolf.incidents = {incident(3, "resolved", true), incident(30, "resolved", true), incident(900, "resolved", true)};
  EXPECT_EQ(found(wolf),
            "warning noisy: 2 of its 2 incidents in 30 days were marked as false alarms; 1 are borne with\n");
  wolf.model["config"]["false_alarms"] = 5;
  EXPECT_EQ(found(wolf), "");
  for (int i = 0; i < 7; ++i) wolf.incidents.push_back(incident(50 + i, "resolved", false));
  EXPECT_EQ(found(wolf), "warning noisy: 9 incidents in 30 days, 9 of them first of all by age\n");
  auto alone = healthy();
  alone.incidents = {incident(30, "open", false)};
  EXPECT_EQ(found(alone), "warning unanswered: incident credit-1 is open for 1.25 d, and nobody answered\n");
}

// What a service of another version does not say is not held against anybody.
TEST(Doctor, TakesAnyAnswer) {
  for (const auto& odd : {json::object(), json{{"model", 3}, {"config", nullptr}}, json::array()}) {
    ModelAnswers answers{odd, json{{{"columns", 3}}, 7}, json{nullptr}};
    (void)findings_of(answers, kNow);
    answers.index = {{"left_out", {3}}, {"late_rows", "7"}};
    (void)findings_of(answers, kNow);
  }
}

// Nobody sends anything to a model that is watched in an index: no advice says so.
TEST(Doctor, FindsWhatKeepsAnIndex) {
  auto there = healthy();
  there.model["labels"] = 0;
  there.index = {{"model", "credit"}, {"index", "logs-*"},         {"windows", 40},     {"rows", 4800},
                 {"late_rows", 0},    {"left_out", json::array()}, {"trouble", nullptr}};
  EXPECT_EQ(found(there), "");
  auto kept = there;
  kept.index["trouble"] = "there are no rows yet", kept.model["predictions"] = 0;
  EXPECT_EQ(found(kept), "fail index: logs-* is not counted on: there are no rows yet\n");
  kept.index["trouble"] = nullptr;
  EXPECT_EQ(found(kept), "hint index: no window of logs-* was counted yet\n");
  kept.model = {{"model", "credit"}, {"watched", false}};
  kept.index["trouble"] = "it has no reference yet";
  EXPECT_EQ(found(kept),
            "warning no reference: there is no reference: nothing of logs-* is counted\n"
            "hint nobody's: it has no owner and runbook: who is woken does not know whom to ask\n");
  there.model["last_seen"] = iso_time(kNow - 5 * kHour);
  there.index["late_rows"] = 47;
  EXPECT_EQ(found(there), "fail silent: nothing new is in logs-* for 5 h\n");
  there.index["late_rows"] = 48, there.index["left_out"] = {"note", "name"};
  EXPECT_EQ(found(there),
            "fail silent: nothing new is in logs-* for 5 h\n"
            "warning late: 48 rows came to logs-* when their window was counted, and are in none\n"
            "warning columns: of its reference these are not watched in logs-*: note, name\n");
}

TEST(Doctor, FindsSourcesThatAreNotRead) {
  const auto source = [](json trouble, int accepted, int rejected) {
    return json{{"source", "log"},
                {"model", "credit"},
                {"trouble", std::move(trouble)},
                {"accepted", accepted},
                {"duplicates", 0},
                {"rejected", rejected},
                {"last_rejected", rejected > 0 ? json{{{"file", "a.log"}, {"line", 7}, {"error", "\"id\" is missing"}}}
                                               : json::array()}};
  };
  EXPECT_TRUE(findings_of_sources({source(nullptr, 1000, 0), source(nullptr, 1000, 5)}).empty());
  const auto found = findings_of_sources({source("a.log: Permission denied", 0, 0), source(nullptr, 900, 100)});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].grade, Grade::kFail);
  EXPECT_EQ(found[0].reason, "log is not read on: a.log: Permission denied");
  EXPECT_EQ(found[1].reason, "10 % of the records of log were rejected, the last at a.log:7: \"id\" is missing");
}

TEST(Doctor, FindsWhatIsNotShipped) {
  const auto shipping = [](json trouble, double since, int rejected, int dropped) {
    return json{{"trouble", std::move(trouble)},
                {"trouble_since", iso_time(since)},
                {"stored", 900},
                {"there", 0},
                {"rejected", rejected},
                {"dropped", dropped}};
  };
  EXPECT_TRUE(findings_of_shipping(nullptr, kNow).empty());
  EXPECT_TRUE(findings_of_shipping(shipping(nullptr, 0, 1, 0), kNow).empty());
  auto found = findings_of_shipping(shipping("401: \"Unauthorized\"", kNow - 2 * kHour, 100, 7), kNow);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].grade, Grade::kFail);
  EXPECT_EQ(found[0].reason, "it waits for 2 h: 401: \"Unauthorized\"");
  EXPECT_EQ(found[1].reason, "the journal kept 7 records no longer when they were to be shipped");
  EXPECT_EQ(found[2].reason, "10 % of its documents were rejected");
  found = findings_of_shipping(shipping("503", kNow - 30e6, 0, 0), kNow);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].grade, Grade::kWarning);
}

}  // namespace
}  // namespace vigie::cli
