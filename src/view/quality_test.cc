// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "view/json.h"
#include "view/quality_internal.h"
#include "view/quality_sentence_internal.h"
#include "view/report.h"
#include "view/terminal.h"

namespace vigie::view {
namespace {

using engine::Inspection;

engine::WindowResult window(std::int64_t index, std::vector<engine::QualityResult> quality) {
  engine::WindowResult w;
  w.index = index;
  w.rows = 100;
  w.quality = std::move(quality);
  return w;
}

Inspection three_windows() {
  Inspection c;
  c.version = "0.1.0";
  c.data = {"cur.csv", 300, 0};
  c.reference = {"ref.csv", 1000, 0};
  const engine::QualityResult gone{"schema", "zip", NAN, "number", "fail", "the current data has no such column"};
  auto also = gone;
  also.column = "street";
  const engine::QualityResult fine{"missing", "age", 0, "at most 1 %", "pass", "0 % missing"};
  c.windows = {window(0, {gone, also, fine}),
               window(1, {gone, also, {"missing", "age", .3, "at most 1 %", "warn", "30 % missing"}}),
               window(2, {gone, also, fine, {"freshness", "at", NAN, "", "no_data", "the present time is not given"}})};
  c.summary = {"fail", 4, 0, 1, 2, 1};
  return c;
}

TEST(QualityView, AlikeFindingsAreOne) {
  const auto c = three_windows();
  const auto found = alike(c.windows);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].columns, (std::vector<std::string_view>{"zip", "street"}));
  EXPECT_EQ(in_windows(found[0], c.windows), "");
  EXPECT_EQ(found[1].first->reason, "30 % missing");
  EXPECT_EQ(in_windows(found[1], c.windows), "in window 1");
  const auto counts = quality_counts(c.windows);
  EXPECT_EQ(counts.fail, 2);
  EXPECT_EQ(counts.warn, 1);
  EXPECT_EQ(counts.pass, 0);
  EXPECT_EQ(counts.no_data, 1);
}

TEST(QualityView, ANumberStandsBesideTheWindowThatItIsOf) {
  auto c = three_windows();
  c.windows[0].quality = {{"missing", "age", .03, "at most 1 %", "warn", "3 % missing"}};
  c.windows[1].quality = {{"missing", "age", .9, "at most 1 %", "fail", "90 % missing"}};
  c.windows[2].quality = {{"missing", "age", 1, "at most 1 %", "fail", "100 % missing"}};
  EXPECT_EQ(in_windows(alike(c.windows).at(0), c.windows), "in all 3 windows, worst in window 2");
  c.windows[1].quality[0].verdict = "pass";
  const auto found = alike(c.windows);
  EXPECT_EQ(found.at(0).first->reason, "100 % missing");
  EXPECT_EQ(in_windows(found[0], c.windows), "in 2 of 3 windows, first in window 0, worst in window 2");
  EXPECT_TRUE(quality_sentence(c).ends_with("missing of age, 100 % missing in window 2")) << quality_sentence(c);
}

TEST(QualityView, WhereLessIsWorseTheWorstIsFarthestFromWhatIsExpected) {
  auto c = three_windows();
  const auto rows = [](double count, double distance) {
    return engine::QualityResult{"volume", std::nullopt, count, "90 to 110 rows", "fail", "", distance};
  };
  c.windows[0].quality = {rows(600, 1.8)};
  c.windows[1].quality = {rows(3, 3.5)};
  c.windows[2].quality = {rows(900, 2.2)};
  EXPECT_EQ(alike(c.windows).at(0).window, 1U);
  c.windows[2].quality[0].verdict = "warn", c.windows[2].quality[0].distance = 9;
  EXPECT_EQ(alike(c.windows).at(0).window, 1U) << "the verdict goes before";
}

TEST(QualityView, WindowsThatAreCutOffAreTold) {
  auto c = three_windows();
  c.windows[2].partial = true;
  const TerminalOptions options{.width = 200, .colour = false, .unicode = true};
  EXPECT_EQ(to_terminal(c, options).find("cut off"), std::string::npos) << "of fewer rows, and judged";
  for (auto& w : c.windows) w.start = "2026-01-01T00:00:00Z";
  EXPECT_NE(to_terminal(c, options)
                .find("the last window is cut off by the end of the data; there only checks that hold of a part"),
            std::string::npos);
  EXPECT_NE(to_report(c).find("The last window is cut off by the end of the data"), std::string::npos);
}

TEST(QualityView, TerminalPutsTheGravestFirst) {
  const auto text = to_terminal(three_windows(), {.width = 80, .colour = false, .unicode = true});
  EXPECT_EQ(text,
            "FAIL  2 of 4 checks failed and 1 warns; first: schema of zip and 1 more, the\n"
            "      current data has no such column\n"
            "\n"
            "■ fail  schema of zip, street\n"
            "        the current data has no such column; expected number\n"
            "▲ warn  missing of age\n"
            "        in window 1: 30 % missing; expected at most 1 %\n"
            "\n"
            "no data   1 check (freshness): the present time is not given\n"
            "looked at cur.csv (300 rows) against ref.csv (1,000 rows) in 3 windows\n");
}

TEST(QualityView, ThePageCountsAsTheTerminalDoes) {
  const auto html = to_report(three_windows());
  EXPECT_NE(html.find("<dt>Checks failed</dt><dd>2<small>of 4; 1 warns</small>"), std::string::npos);
  EXPECT_NE(html.find("0 checks passed, 2 failed, 1 warns, 1 could not be made."), std::string::npos);
  EXPECT_NE(html.find("<dt>1 check (freshness)</dt><dd>the present time is not given</dd>"), std::string::npos);
  EXPECT_NE(html.find("<th scope=\"col\">verdict</th><th scope=\"col\">check</th><th scope=\"col\">column</th>"),
            std::string::npos);
}

TEST(QualityView, FindingsOfOneColumnStandTogether) {
  auto c = three_windows();
  for (auto& w : c.windows)
    w.quality = {{"missing", "age", .3, "at most 1 %", "fail", "30 % missing"},
                 {"volume", std::nullopt, .3, "", "fail", "half the rows"},
                 {"outliers", "age", .1, "", "warn", "10 % outliers"}};
  const auto text = to_terminal(c, {.width = 80, .colour = false, .unicode = true});
  EXPECT_NE(text.find("■ fail  age, 2 checks\n"
                      "        missing: 30 % missing; expected at most 1 %\n"
                      "        outliers warns: 10 % outliers\n"
                      "■ fail  volume\n"),
            std::string::npos)
      << text;
}

TEST(QualityView, JsonKeepsTheContract) {
  const auto doc = nlohmann::ordered_json::parse(to_json(three_windows()));
  EXPECT_EQ(doc["command"], "check");
  EXPECT_EQ(
      doc["windows"][1]["quality"][2].dump(),
      R"({"check":"missing","column":"age","value":0.3,"expected":"at most 1 %","verdict":"warn","reason":"30 % missing"})");
  EXPECT_TRUE(doc["windows"][0]["quality"][0]["value"].is_null());
  EXPECT_TRUE(doc["windows"][0]["start"].is_null());
  EXPECT_EQ(doc["summary"].dump(), R"({"verdict":"fail","checks":4,"pass":0,"warn":1,"fail":2,"no_data":1})");
  EXPECT_TRUE(nlohmann::json::parse(to_json(Inspection{}))["reference"].is_null());
}

TEST(QualityView, ReportEscapesNames) {
  auto c = three_windows();
  const std::string evil = "<script>alert(1)</script>";
  c.data.source = evil;
  for (auto& w : c.windows)
    for (auto& q : w.quality) q.check = evil, q.column = evil, q.reason = evil, q.expected = evil;
  c.notes = c.problems = {evil};
  c.rejected = 1;
  const auto html = to_report(c);
  EXPECT_EQ(html.find("<script>alert"), std::string::npos);
  EXPECT_NE(html.find("id=\"quality\""), std::string::npos);
  EXPECT_NE(to_report(Inspection{}).find("There is nothing to check"), std::string::npos);
}

}  // namespace
}  // namespace vigie::view
