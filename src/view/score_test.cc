// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "view/json.h"
#include "view/report.h"
#include "view/terminal.h"
#include "view/utf8_internal.h"

namespace vigie::view {
namespace {

using metric::Task;

/// A scorecard with a name that is markup, a metric without a value, a part, a segment and a drift.
engine::Scorecard card() {
  engine::Scorecard c;
  c.version = "1.2.3", c.source = "<b>.csv", c.reference = "ref.csv";
  c.task = Task::kMulticlass;
  c.options = {{"classes", std::vector<std::string>{"<i>", "\"x\""}}, {"top_k", 2.0}, {"positive", std::string("1")}};
  auto& w = c.windows.emplace_back();
  w.rows = {10, 8, 1, 1};
  const auto add = [&](const char* name, double value) -> engine::MetricResult& {
    auto& r = w.metrics.emplace_back();
    r.metric = metric::find_metric(Task::kMulticlass, name);
    r.value = {.value = value, .low = value - .1, .high = value + .1, .baseline = .5, .n = 8};
    r.verdict = engine::Verdict::kOk, r.reason = "as it was";
    return r;
  };
  auto& moved = add("accuracy", .25);
  moved.verdict = engine::Verdict::kDrift, moved.reason = "worse by much";
  moved.reference = .75, moved.effect = 2;
  auto& none = add("log_loss", metric::kNaN);
  none.value.reason = none.reason = "no scores were given", none.verdict = engine::Verdict::kNoData;
  add("recall", .5).part = "<i>";
  add("accuracy", .5).segment = "origin=<u>";
  w.confusion = {{"<i>", "\"x\""}, {3, 1, 2, 2}};
  w.verdict = c.summary.verdict = engine::Verdict::kDrift;
  c.summary.rows = w.rows, c.summary.windows = 1, c.summary.drift = 1;
  c.notes = {"a \x1b[31mnote"};
  return c;
}

TEST(Score, JsonHasTheContractsKeys) {
  const auto j = nlohmann::json::parse(to_json(card()));
  EXPECT_EQ(j["command"], "score");
  EXPECT_EQ(j["task"], "multiclass");
  EXPECT_EQ(j["options"]["positive"], "1") << "text stays text";
  EXPECT_EQ(j["options"]["classes"][1], "\"x\"");
  const auto& w = j["windows"][0];
  EXPECT_EQ(w["labelled"], 8);
  EXPECT_EQ(w["metrics"][0]["verdict"], "drift");
  EXPECT_EQ(w["metrics"][0]["value"], .25);
  EXPECT_FALSE(w["metrics"][0].contains("class"));
  EXPECT_TRUE(w["metrics"][1]["value"].is_null());
  EXPECT_TRUE(w["metrics"][1]["low"].is_null());
  EXPECT_EQ(w["metrics"][2]["class"], "<i>");
  EXPECT_EQ(w["metrics"][3]["segment"], "origin=<u>");
  EXPECT_EQ(w["confusion"]["matrix"], nlohmann::json::parse("[[3, 1], [2, 2]]"));
  EXPECT_EQ(j["rejected"], 0);
  EXPECT_EQ(j["summary"]["verdict"], "drift");
}

TEST(Score, KIsANumber) {
  engine::Scorecard c;
  auto& r = c.windows.emplace_back().metrics.emplace_back();
  r.metric = metric::find_metric(Task::kRanking, "ndcg_at_k"), r.part = "5";
  EXPECT_EQ(nlohmann::json::parse(to_json(c))["windows"][0]["metrics"][0]["k"], 5);
}

TEST(Score, TerminalFitsAndSaysWhatMoved) {
  for (const int width : {40, 80, 120}) {
    for (const bool unicode : {true, false}) {
      std::istringstream lines(to_terminal(card(), {.width = width, .colour = false, .unicode = unicode}));
      std::string line, all;
      while (std::getline(lines, line)) {
        EXPECT_LE(display_width(line), static_cast<std::size_t>(width)) << line;
        for (const char ch : line) EXPECT_TRUE(unicode || (ch >= ' ' && ch < 127)) << line;
        all += line + "\n";
      }
      EXPECT_TRUE(all.starts_with("DRIFT"));
      EXPECT_NE(all.find("worse by much"), std::string::npos);
      EXPECT_TRUE(width < 80 || all.find("no scores were given") != std::string::npos);
      EXPECT_EQ(all.find('\x1b'), std::string::npos) << "control characters are escaped";
    }
  }
}

TEST(Score, ReportEscapesAndAsksTheNetworkForNothing) {
  const auto page = to_report(card());
  for (const char* markup : {"<b>.csv", "<i>", "<u>"})
    EXPECT_EQ(page.find(std::string(">") + markup), std::string::npos);
  EXPECT_NE(page.find("&lt;b&gt;.csv"), std::string::npos);
  EXPECT_NE(page.find("id=\"confusion\""), std::string::npos);
  EXPECT_NE(page.find("data-label=\"dummy\">0.5<"), std::string::npos) << "on a phone there is no head of the table";
  for (const char* address : {"src=", "http://", "https://", "@import"})
    EXPECT_EQ(page.find(address), std::string::npos);
  EXPECT_TRUE(page.ends_with("</html>\n"));
}

}  // namespace
}  // namespace vigie::view
