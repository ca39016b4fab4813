// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "view/chart_parts_internal.h"
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

/// Five windows of which one segment drifts in the last three, and what all windows together say.
engine::Scorecard where_one_segment_drifts() {
  engine::Scorecard c;
  c.version = "1", c.source = "now.csv", c.reference = "ref.csv", c.task = Task::kBinary;
  const auto add = [](engine::ScoreWindow& w, const char* name, const char* segment, engine::Verdict verdict) {
    auto& r = w.metrics.emplace_back();
    r.metric = metric::find_metric(Task::kBinary, name);
    if (*segment) r.segment = segment;
    r.value = {.value = .5, .low = .4, .high = .6, .baseline = .2, .n = 80};
    r.verdict = verdict, r.reference = .7, r.effect = verdict == engine::Verdict::kDrift ? 2 : 0, r.major = 1;
    r.reason = verdict == engine::Verdict::kDrift ? "worse by much" : "no change seen";
    w.verdict = std::max(w.verdict, verdict);
  };
  using enum engine::Verdict;
  for (int i = 0; i < 5; ++i) {
    auto& w = c.windows.emplace_back();
    w.index = i, w.start = "2026-04-0" + std::to_string(i + 1) + "T00:00:00Z";
    for (const auto* metric : {"recall", "f1"})
      for (const auto* segment : {"", "at=east", "at=west"})
        add(w, metric, segment, i > 1 && std::string(segment) == "at=east" ? kDrift : kOk);
  }
  auto& whole = c.whole.emplace();
  for (const auto* segment : {"", "at=east", "at=west"})
    for (const auto* metric : {"recall", "f1"}) add(whole, metric, segment, kOk);
  c.summary.verdict = kDrift, c.summary.windows = 5, c.summary.metrics = 2, c.summary.drift = 2;
  return c;
}

/// In one line.
std::string words_of(const engine::Scorecard& card) {
  auto text = to_terminal(card, {});
  std::replace(text.begin(), text.end(), '\n', ' ');
  std::string words;
  for (const char letter : text)
    if (letter != ' ' || words.empty() || words.back() != ' ') words += letter;
  return words;
}

TEST(Score, TheSegmentThatDriftsIsTheNews) {
  const auto words = words_of(where_one_segment_drifts());
  EXPECT_NE(
      words.find("; only where at=east, 2 of 2 metrics moved against the reference: f1, recall; drift since window "
                 "2 (2026-04-03)"),
      std::string::npos)
      << words;
  EXPECT_NE(words.find("2 of 2 metrics: f1, recall, since window 2 (2026-04-03); f1 worse by much"), std::string::npos)
      << words;
}

TEST(Score, SegmentsThatOnlyWarnAreToldBesideTheOneThatDrifts) {
  auto c = where_one_segment_drifts();
  auto& other = c.windows[4].metrics;
  for (auto& r : other)
    if (r.segment == "at=west" && r.metric->name == "recall") r.verdict = engine::Verdict::kWarning;
  for (auto& w : c.windows)
    std::erase_if(w.metrics, [](const auto& r) { return r.segment == "at=east" && r.metric->name == "recall"; });
  const auto words = words_of(c);
  EXPECT_NE(words.find("; where at=east, 1 of 2 metrics moved against the reference: f1; drift since window 2 "
                       "(2026-04-03); warnings where at=west "),
            std::string::npos)
      << words;
}

TEST(Score, WhatIsAgainAtTheEndIsCalledByItsVerdict) {
  const auto told = [](std::string_view course) {
    auto c = where_one_segment_drifts();
    c.windows.resize(course.size(), c.windows[0]);
    for (std::size_t w = 0; w < course.size(); ++w) {
      c.windows[w].index = static_cast<std::int64_t>(w), c.windows[w].start.reset();
      for (auto& r : c.windows[w].metrics)
        r.verdict = r.segment          ? engine::Verdict::kOk
                    : course[w] == 'd' ? engine::Verdict::kDrift
                    : course[w] == 'w' ? engine::Verdict::kWarning
                                       : engine::Verdict::kOk;
    }
    const auto words = words_of(c);
    const auto from = words.find("; drift in ");
    return from == std::string::npos ? words : words.substr(from + 2, words.find(" metric ", from) - from - 2);
  };
  EXPECT_EQ(told("oddoooowww"), "drift in 2 of 10 windows, first in window 1, warnings again since window 7");
  EXPECT_EQ(told("odooowwddd"), "drift in 4 of 10 windows, first in window 1, again since window 7");
  EXPECT_EQ(told("oddooooooo"), "drift in 2 of 10 windows, first in window 1");
}

TEST(Score, CellsOfSegmentsSayWhatTheWindowsDo) {
  const auto html = to_report(where_one_segment_drifts());
  const auto badges = [&](const std::string& segment) {
    const auto from = html.find("data-name=\"at=" + segment), to = html.find("</tr>", from);
    const auto row = html.substr(from, to - from);
    int count = 0;
    for (auto at = row.find("drift"); at != std::string::npos; at = row.find("drift", at + 1)) ++count;
    return count;
  };
  EXPECT_GE(badges("east"), 2) << "that of f1, and that of the row";
  EXPECT_EQ(badges("east") % 2, 0);
  EXPECT_EQ(badges("west"), 0);
}

TEST(Score, WithoutADummyThereIsNoColumnOfIt) {
  auto c = card();
  EXPECT_NE(to_report(c).find("<th class=\"n\">dummy</th>"), std::string::npos);
  for (auto& r : c.windows[0].metrics) r.value.baseline = metric::kNaN;
  EXPECT_EQ(to_report(c).find("<th class=\"n\">dummy</th>"), std::string::npos);
  EXPECT_EQ(to_terminal(c, {}).find("dummy"), std::string::npos);
}

TEST(Score, AnAxisHasTwoMarksAtLeast) {
  for (const auto& [low, high] : {std::pair(.12, .97), std::pair(.4, .61), std::pair(-3.1, -.9), std::pair(0., 1e9)})
    EXPECT_GE(chart::ticks(low, high, 4).size(), 2U) << low << " to " << high;
}

TEST(Score, AnAxisBearsWhatDoublesCannotTellApart) {
  constexpr double kMost = std::numeric_limits<double>::max(), kLeast = std::numeric_limits<double>::denorm_min();
  for (const auto& [low, high] : {std::pair(-1e308, 1e308), std::pair(-kMost, kMost), std::pair(0., kLeast),
                                  std::pair(-kLeast, kLeast), std::pair(1., std::nextafter(1., 2.))}) {
    EXPECT_EQ(chart::ticks(low, high, 4), (std::vector{low, high}));
    const chart::Scale y{low, high};
    EXPECT_EQ(y(low), chart::kBottom) << low << " to " << high;
    EXPECT_EQ(y(high), chart::kTop) << low << " to " << high;
  }
  EXPECT_EQ((chart::Scale{-kMost, kMost}(0)), (chart::kBottom + chart::kTop) / 2);
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

/// The same metric in six days, of which all from the third on drift, though all together are ok.
engine::Scorecard days() {
  auto c = card();
  auto one = c.windows[0];
  one.metrics.resize(1);
  one.metrics[0].verdict = engine::Verdict::kOk, one.metrics[0].reason = "no change seen";
  c.windows.assign(6, one), c.whole = one;
  for (std::size_t i = 0; i < 6; ++i) {
    auto& w = c.windows[i];
    w.index = static_cast<std::int64_t>(i), w.start = "2024-01-0" + std::to_string(i + 1) + "T00:00:00Z";
    w.verdict = i < 2 ? engine::Verdict::kOk : engine::Verdict::kDrift;
    w.metrics[0].verdict = w.verdict, w.metrics[0].effect = i == 4 ? 3 : 1, w.metrics[0].major = 1;
    if (i > 1) w.metrics[0].reason = "worse by day " + std::to_string(i + 1);
  }
  c.summary.windows = 6, c.summary.metrics = 1;
  return c;
}

TEST(Score, HeadlineAndTableAgreeOverWindowsAndSaySinceWhen) {
  const auto text = to_terminal(days(), {.width = 200, .colour = false, .unicode = true});
  EXPECT_TRUE(
      text.starts_with("DRIFT  8 of 10 rows scored; 1 of 1 metric moved against the reference: accuracy; "
                       "drift since window 2 (2024-01-03)\n"))
      << text;
  EXPECT_NE(text.find("0.75  ■ drift\n    since window 2 (2024-01-03), worst in window 4 (2024-01-05): worse by day 5"),
            std::string::npos)
      << text;
  const auto page = to_report(days());
  EXPECT_NE(page.find("Since window 2 (2024-01-03), worst in"), std::string::npos) << page;
}

TEST(Score, OfAllWindowsTogetherIsSaidApart) {
  auto c = days();
  for (auto& w : c.windows) w.verdict = w.metrics[0].verdict = engine::Verdict::kOk;
  c.summary.verdict = engine::Verdict::kOk;
  c.whole->metrics[0].verdict = engine::Verdict::kWarning, c.whole->metrics[0].reason = "worse in all";
  const auto text = to_terminal(c, {.width = 200, .colour = false, .unicode = true});
  EXPECT_TRUE(
      text.starts_with("OK  8 of 10 rows scored; no metric moved against the reference in any window, but of all "
                       "windows together accuracy\n"))
      << text;
  EXPECT_NE(text.find("    all windows together, warning: worse in all"), std::string::npos) << text;
}

TEST(Score, WithoutAReferenceNothingIsJudged) {
  auto c = card();
  c.reference = std::nullopt;
  for (auto& r : c.windows[0].metrics)
    if (r.verdict == engine::Verdict::kDrift)
      r.verdict = engine::Verdict::kOk, r.value.value = .75, r.value.low = .65, r.value.high = .85;
  c.windows[0].verdict = c.summary.verdict = engine::Verdict::kOk;
  const auto text = to_terminal(c, {.width = 80, .colour = false, .unicode = true});
  EXPECT_TRUE(text.starts_with("NOT JUDGED  no reference; 8 of 10 rows scored")) << text;
  EXPECT_EQ(text.find(" ok"), std::string::npos) << text;
  const auto page = to_report(c);
  EXPECT_NE(page.find("Not judged"), std::string::npos);
  EXPECT_EQ(page.find(">ok<"), std::string::npos);
}

TEST(Score, SegmentsStandBesideThoseOfTheReference) {
  auto c = card();
  c.windows[0].metrics[3].reference = .625;
  const auto text = to_terminal(c, {.width = 80, .colour = false, .unicode = true});
  EXPECT_NE(text.find("\n  reference"), std::string::npos) << text;
  EXPECT_NE(text.find("0.625"), std::string::npos) << text;
  EXPECT_NE(to_report(c).find("reference 0.625"), std::string::npos);
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
