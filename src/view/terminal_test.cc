// SPDX-License-Identifier: Apache-2.0
#include "view/terminal.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/text.h"
#include "view/make_comparison_internal.h"
#include "view/report.h"
#include "view/utf8_internal.h"

namespace vigie::view {
namespace {

std::string without_colour(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b')
      i = text.find('m', i);
    else
      out += text[i];
  }
  return out;
}

std::size_t widest(std::string_view text) {
  std::size_t most = 0;
  auto plain = without_colour(text);
  for (std::size_t from = 0, to; (to = plain.find('\n', from)) != std::string::npos; from = to + 1)
    most = std::max(most, display_width(std::string_view(plain).substr(from, to - from)));
  return most;
}

bool has(std::string_view text, std::string_view what) {
  return text.find(what) != std::string_view::npos;
}

engine::Comparison awkward() {
  auto c = make_comparison(14, 5);
  for (auto& w : c.windows)
    for (auto& r : w.columns) {
      if (r.column == "age") r.column = std::string(300, 'x') + "\xff";
      if (r.column == "late") r.column = "出発時刻の遅れとその予測値についての列名";
      if (r.column == "visib") r.column = "\x1b[2Jred\n\u202Egnp.exe";
    }
  for (auto& p : c.pictures) {
    if (p.column == "late") p.column = "出発時刻の遅れとその予測値についての列名";
  }
  return c;
}

TEST(Terminal, NeverWiderThanAsked) {
  for (int width : {40, 60, 80, 120, 200})
    for (const auto& c :
         {make_comparison(20, 12), make_comparison(60, 700), make_comparison(20, 1), awkward(), engine::Comparison{}})
      for (bool unicode : {true, false}) {
        auto text = to_terminal(c, {width, true, unicode});
        EXPECT_LE(widest(text), static_cast<std::size_t>(width)) << text;
        EXPECT_EQ(text.back(), '\n');
      }
}

TEST(Terminal, VerdictFirst) {
  auto text = to_terminal(make_comparison(20, 12), {200, false, true});
  EXPECT_TRUE(
      text.starts_with("DRIFT  4 of 20 columns changed; late moved most, +0.8 sd; drift since window 8 (2013-06-08)\n"))
      << text;
  EXPECT_TRUE(has(text, "model outputs that changed"));
  EXPECT_LT(text.find("\nlate "), text.find("\nvisib "));
  EXPECT_LT(text.find("\nvisib "), text.find("\nage "));
  EXPECT_TRUE(has(text, "in segments: origin=JFK"));
  EXPECT_TRUE(has(text, "1 column: tailnum: the reference has one value only"));
  EXPECT_TRUE(has(text, "········■■■■"));
  EXPECT_TRUE(has(text, "0.6 of 12 windows"));
  EXPECT_TRUE(has(text, "assumes independent rows"));
}

// Verdicts of one column a string, one letter a window: o ok, w warning, d drift.
engine::Comparison course_of(const std::vector<std::string>& courses) {
  auto c = make_comparison(static_cast<int>(courses.size()), static_cast<int>(courses[0].size()));
  c.pictures.clear();  // without them a move has no direction
  c.summary.verdict = engine::Verdict::kOk, c.summary.drift = c.summary.warning = 0;
  for (std::size_t w = 0; w < c.windows.size(); ++w) {
    auto& window = c.windows[w];
    window.verdict = engine::Verdict::kOk;
    std::erase_if(window.columns, [](const auto& r) { return r.segment || r.method == "missing_share"; });
    for (std::size_t i = 0; i < courses.size(); ++i) {
      auto& r = window.columns[i];
      const char letter = courses[i][w];
      r.verdict = letter == 'd'   ? engine::Verdict::kDrift
                  : letter == 'w' ? engine::Verdict::kWarning
                                  : engine::Verdict::kOk;
      r.effect = letter == 'd' ? 2 : letter == 'w' ? 0.2 : 0;
      window.verdict = std::max(window.verdict, r.verdict);
      c.summary.verdict = std::max(c.summary.verdict, r.verdict);
    }
  }
  for (const auto& course : courses)
    ++(course.find('d') != std::string::npos   ? c.summary.drift
       : course.find('w') != std::string::npos ? c.summary.warning
                                               : c.summary.ok);
  return c;
}

std::string headline_of(const engine::Comparison& c) {
  const auto text = to_terminal(c, {300, false, true});
  return text.substr(0, text.find('\n'));
}

TEST(Terminal, OfSegmentsTheOneThatTellsMostIsNamed) {
  auto c = course_of({"d"});
  auto& columns = c.windows[0].columns;
  const auto name = columns[0].column;
  auto whole = columns[0];
  whole.verdict = engine::Verdict::kOk;
  const auto part = [&](const char* segment, engine::Verdict verdict, double effect, double p) {
    auto r = whole;
    r.segment = segment, r.verdict = verdict, r.effect = effect, r.p_value = p;
    return r;
  };
  columns = {whole, part("shop=small", engine::Verdict::kDrift, 3, 1e-5),
             part("shop=large", engine::Verdict::kDrift, 0.5, 1e-12), part("shop=other", engine::Verdict::kOk, 0, .5)};
  EXPECT_NE(headline_of(c).find(name + " where shop=large moved most, 0.5 sd"), std::string::npos) << headline_of(c);
  columns[3].verdict = engine::Verdict::kNoData, columns[1].verdict = engine::Verdict::kOk;
  EXPECT_NE(headline_of(c).find(name + " where shop=large moved most, 0.5 sd"), std::string::npos) << headline_of(c);
  columns[1].verdict = columns[3].verdict = engine::Verdict::kDrift;
  const auto told = [&](const std::string& words) { return headline_of(c).find(name + words) != std::string::npos; };
  EXPECT_TRUE(told(" in all 3 segments moved most, up to 3 sd, though not all rows together")) << headline_of(c);
  columns[0].verdict = engine::Verdict::kWarning;
  EXPECT_TRUE(told(" in all 3 segments moved most, up to 3 sd; ") || headline_of(c).ends_with(", up to 3 sd"))
      << headline_of(c);
  columns[3].verdict = engine::Verdict::kNoData;
  EXPECT_TRUE(told(" in all 2 segments that were judged moved most, up to 3 sd")) << headline_of(c);
  // Segments by another column are others.
  columns.push_back(part("day=mon", engine::Verdict::kWarning, 4, 1e-3));
  EXPECT_TRUE(told(" in all 2 segments that were judged moved most, up to 3 sd")) << headline_of(c);
  // Shares of missing values that went opposite ways are no one change.
  std::erase_if(columns, [](const auto& r) {
    return !r.segment || r.segment == "day=mon" || r.verdict == engine::Verdict::kNoData;
  });
  for (auto& r : columns) r.method = "missing_share", r.statistic = 1;
  EXPECT_TRUE(headline_of(c).find("in all 2 segments changed most") != std::string::npos) << headline_of(c);
  columns[0].statistic = -1;
  EXPECT_TRUE(headline_of(c).find("where shop=large changed most") != std::string::npos) << headline_of(c);
}

TEST(Terminal, WhatIsBehindAChangeIsToldOfWhicheverWindowShowsIt) {
  auto c = course_of({"oddddo"});
  const auto count = [&](std::string_view what) {
    const auto text = to_terminal(c, {300, false, true});
    std::size_t n = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
    return n;
  };
  auto& third = c.windows[3].columns[0];
  third.guess = "looks like × 1000: a unit changed?";
  third.reason += "; " + third.guess;
  c.windows[2].columns[0].effect = 9;
  EXPECT_EQ(count("; window 3 (2013-06-03) looks like × 1000: a unit changed?"), 1U)
      << to_terminal(c, {300, false, true});
  EXPECT_NE(to_report(c).find("; window 3 (2013-06-03) looks like × 1000"), std::string::npos);
  c.windows[2].columns[0].effect = 1;
  third.effect = 9;
  EXPECT_EQ(count("looks like"), 1U) << "the worst window says it itself";
}

TEST(Terminal, ChangesThatStayAreToldFirstAndSingleDaysApart) {
  EXPECT_EQ(headline_of(course_of({"oooooowwww", "oodooooooo", "ooooooooww", "owoooooooo"})),
            "DRIFT  2 of 4 columns changed somewhat; dep_time moved most, 0.2 sd; warnings since window 6 "
            "(2013-06-06); besides 2 columns on 2 single days, drift among them");
  EXPECT_EQ(headline_of(course_of({"oooooooooo", "oowooooooo"})),
            "WARNING  no change that stayed: 1 column on 1 single day; age moved most, 0.2 sd; warnings in window 2 "
            "(2013-06-02)");
  EXPECT_EQ(headline_of(course_of({"ooooddd", "ooooooo"})),
            "DRIFT  1 of 2 columns changed; dep_time moved most, 2 sd; drift since window 4 (2013-06-04)");
}

TEST(Terminal, AHeldVerdictIsSaidToBeOne) {
  auto c = course_of({"oooowww", "ooooooo"});
  c.summary.held = 1;
  EXPECT_EQ(headline_of(c),
            "WARNING  1 of 2 columns changed somewhat; dep_time moved most, 0.2 sd; warnings since window 4 "
            "(2013-06-04); 1 would be a drift, had the reference five windows to tell by");
}

TEST(Terminal, OtherMethodsShowTheirStatistic) {
  auto c = make_comparison(2, 1);
  EXPECT_FALSE(has(to_terminal(c, {120, false, true}), "statistic"));
  for (auto& [key, value] : c.options)
    if (key == "method") value = "[\"psi\"]";
  for (auto& r : c.windows[0].columns)
    if (!r.segment && r.method == "omnibus") r.method = "psi", r.statistic = 0.3217;
  const auto text = to_terminal(c, {120, false, true});
  EXPECT_TRUE(has(text, "\nby method\ncolumn    method  statistic")) << text;
  EXPECT_TRUE(has(text, "\ndep_time  psi        0.3217")) << text;
  EXPECT_TRUE(has(text, "\nage       psi        0.3217")) << text;
}

TEST(Terminal, AtMostTwentyAreListed) {
  auto c = make_comparison(200, 1);
  ASSERT_EQ(c.summary.drift + c.summary.warning, 36);  // one of them a prediction, which is listed apart
  auto text = to_terminal(c, {80, false, true});
  EXPECT_TRUE(has(text, "… and 15 more: --json or -o report.html")) << text;
}

TEST(Terminal, NamesAreWhole) {
  auto c = make_comparison(20, 12);
  std::string name = "departures_in_the_hour_of_the_same_airport_and_carrier";
  for (auto& w : c.windows)
    for (auto& r : w.columns)
      if (r.column == "late") r.column = name;
  for (int width : {60, 80, 120}) {
    auto text = to_terminal(c, {width, false, true});
    EXPECT_TRUE(has(text, "\n" + name + "\n")) << text;
    EXPECT_FALSE(has(text.substr(0, text.find("\nok ")), "…")) << text;
  }
}

TEST(Terminal, NumbersSayTheirWindow) {
  auto c = make_comparison(1, 4);
  for (std::size_t w = 0; w < 4; ++w) {
    auto& r = c.windows[w].columns[0];
    r.verdict = w ? engine::Verdict::kDrift : engine::Verdict::kOk;
    r.effect = w == 2 ? 2 : w ? 1 : 0;
    r.reason = "median 1 → 3";
    c.windows[w].verdict = r.verdict;
  }
  c.summary.verdict = engine::Verdict::kDrift;
  auto text = to_terminal(c, {120, false, true});
  EXPECT_TRUE(has(text, "\n    worst in window 2 (2013-06-02): median 1 → 3\n")) << text;
}

TEST(Terminal, ColourOnlyWhenAsked) {
  auto c = make_comparison(20, 12);
  auto plain = to_terminal(c, {80, false, true}), colour = to_terminal(c, {80, true, true});
  EXPECT_FALSE(has(plain, "\x1b"));
  EXPECT_TRUE(has(colour, "\x1b["));
  EXPECT_EQ(without_colour(colour), plain);
}

TEST(Terminal, AsciiOnlyWhenAsked) {
  for (unsigned char byte : to_terminal(awkward(), {80, false, false})) EXPECT_LT(byte, 0x80);
}

TEST(Terminal, NamesCannotSteerTheTerminal) {
  auto text = to_terminal(awkward(), {200, false, true});
  EXPECT_FALSE(has(text, "\x1b"));
  EXPECT_FALSE(has(text, "\u202E"));
  EXPECT_TRUE(has(text, "\\x1b[2Jred\\x0a\\u202egnp.exe"));
}

TEST(Terminal, NothingToJudge) {
  EXPECT_TRUE(to_terminal(engine::Comparison{}, {}).starts_with("NO DATA  there is no window to judge\n"));
  auto c = make_comparison(10, 1);
  for (auto& r : c.windows[0].columns) {
    r.verdict = engine::Verdict::kNoData;
    r.effect = r.p_adjusted = r.detectable_effect = NAN;
    r.reason = "fewer than 30 rows";
  }
  c.summary.verdict = engine::Verdict::kNoData;
  auto text = to_terminal(c, {80, false, true});
  EXPECT_TRUE(text.starts_with("NO DATA  none of 10 columns could be judged: fewer than 30 rows\n")) << text;
  EXPECT_TRUE(has(text, "no data   10 columns: dep_time"));
}

TEST(Terminal, AllWell) {
  auto c = make_comparison(1, 3);
  auto text = to_terminal(c, {80, false, true});
  EXPECT_TRUE(text.starts_with("OK  none of 1 column changed enough to matter in any of 3 windows\n")) << text;
}

TEST(Terminal, SilenceForWantOfRowsIsSaid) {
  auto c = make_comparison(3, 1);
  std::erase_if(c.windows[0].columns, [](const auto& r) { return r.column == "age"; });
  c.windows[0].columns[0].detectable_effect = 0.9;
  EXPECT_TRUE(has(to_terminal(c, {120, false, true}), "1 of these could not have shown even a major change: dep_time"));
}

TEST(Terminal, QualityIsToldOnceForAllColumnsAndWindows) {
  auto c = make_comparison(3, 2);
  for (auto& w : c.windows) {
    w.quality.clear();
    for (auto name : {"age", "fare"}) w.quality.push_back({"schema", name, NAN, "numeric", "fail", "no such column"});
  }
  c.windows[1].quality.push_back({"missing", "zip", .3, "at most 0.1", "warn", "too many missing"});
  auto text = to_terminal(c, {120, false, true});
  EXPECT_TRUE(has(text, "OK, but 2 checks of data quality failed: none of 3")) << text;
  EXPECT_TRUE(has(text, "quality   fail: schema of age, fare: no such column\n")) << text;
  EXPECT_TRUE(has(text, "warn: missing of zip in window 1 (2013-06-01): too many missing\n")) << text;
}

TEST(Terminal, WhenItHappened) {
  auto c = make_comparison(2, 6);
  auto set = [&](std::vector<int> drifting) {
    for (std::size_t w = 0; w < 6; ++w) {
      auto v = drifting[w] ? engine::Verdict::kDrift : engine::Verdict::kOk;
      c.windows[w].verdict = v;
      for (auto& r : c.windows[w].columns)
        if (r.column == "age" && r.method == "omnibus") r.verdict = v;
    }
    auto text = to_terminal(c, {200, false, true});
    return text.substr(0, text.find('\n'));
  };
  EXPECT_TRUE(set({1, 1, 1, 1, 1, 1}).ends_with("; drift in all 6 windows"));
  EXPECT_TRUE(set({0, 0, 1, 0, 0, 0}).ends_with("; drift in window 2 (2013-06-02)"));
  EXPECT_TRUE(set({0, 0, 0, 0, 0, 1}).ends_with("; drift since window 5 (2013-06-05)"));
  EXPECT_TRUE(set({0, 1, 0, 1, 0, 0}).ends_with("; drift in 2 of 6 windows, first in window 1 (2013-06-01)"));
  EXPECT_TRUE(set({0, 1, 1, 1, 0, 0}).ends_with("; drift in 3 of 6 windows, first in window 1 (2013-06-01)"));
}

TEST(Terminal, SinceTheRunBegan) {
  using engine::Verdict;
  auto c = make_comparison(2, 6);
  // w warning, d drift, o ok, u undecided, - no data
  auto set = [&](std::string_view states) {
    for (std::size_t w = 0; w < 6; ++w) {
      auto& window = c.windows[w];
      auto v = states[w] == 'w'   ? Verdict::kWarning
               : states[w] == 'd' ? Verdict::kDrift
               : states[w] == 'o' ? Verdict::kOk
                                  : Verdict::kNoData;
      window.verdict = v;
      window.partial = false;
      std::erase_if(window.columns,
                    [](const auto& r) { return r.column != "age" || r.method != "omnibus" || r.segment; });
      window.columns[0].verdict = v;
      window.columns[0].effect = states[w] == '-' ? NAN : 0.3;
    }
    c.summary.verdict = Verdict::kDrift;
    auto text = to_terminal(c, {200, false, true});
    return text.substr(0, text.find('\n'));
  };
  EXPECT_TRUE(set("owwddd").ends_with("; warnings since window 1 (2013-06-01), drift since window 3 (2013-06-03)"))
      << set("owwddd");
  EXPECT_TRUE(set("owdwd-").ends_with("; warnings since window 1 (2013-06-01), drift in 2 of them")) << set("owdwd-");
  EXPECT_TRUE(set("oddd--").ends_with("; drift since window 1 (2013-06-01)")) << set("oddd--");
  EXPECT_TRUE(set("oduddd").ends_with("; drift in 4 of 6 windows, first in window 1 (2013-06-01)")) << set("oduddd");
  EXPECT_TRUE(set("-ddddd").ends_with("; drift in all 5 windows with data")) << set("-ddddd");
  EXPECT_TRUE(set("udd-dd").ends_with("; drift since window 1 (2013-06-01)")) << set("udd-dd");
  EXPECT_TRUE(set("dddddu").ends_with("; drift in 5 of 6 windows, first in window 0 (2013-05-31)")) << set("dddddu");
}

TEST(Terminal, AWindowThatIsCutOffSaysSo) {
  auto c = make_comparison(3, 4);
  EXPECT_FALSE(has(to_terminal(c, {200, false, true}), "cut off"));
  c.windows[3].verdict = engine::Verdict::kNoData;
  EXPECT_TRUE(
      has(to_terminal(c, {200, false, true}), "the last window is cut off by the end of the data, and not judged"));
  c.windows[0].verdict = engine::Verdict::kNoData, c.windows[0].partial = true;
  EXPECT_TRUE(
      has(to_terminal(c, {200, false, true}), "the first and the last window are cut off by the ends of the data"));
}

TEST(Terminal, AnEmptyColumnIsNotListedAsOk) {
  auto c = make_comparison(3, 2);
  for (auto& w : c.windows)
    for (auto& r : w.columns) {
      if (r.column != "age") continue;
      r.n_reference = r.n_current = 0;
      bool values = r.method == "omnibus";
      r.verdict = engine::Verdict::kNoData;  // of the missing share too: the engine decides that
      r.reason = values ? "the reference has no value" : "every value is missing in both";
    }
  auto text = to_terminal(c, {120, false, true});
  EXPECT_TRUE(has(text, "ok        2 columns: dep_time, distance\n")) << text;
  EXPECT_TRUE(has(text, "no data   1 column: age: the reference has no value\n")) << text;
  EXPECT_TRUE(has(text, "1 could not be judged")) << text;
}

TEST(Terminal, AnOkThatNeedsAWordOfCaution) {
  auto c = make_comparison(1, 3);
  EXPECT_TRUE(to_terminal(c, {200, false, true}).starts_with("OK  none of 1 column changed"));
  c.windows[1].quality.push_back({"schema", "gone", NAN, "numeric", "fail", "the current data has no such column"});
  c.windows[2].quality.push_back(c.windows[1].quality.back());
  EXPECT_TRUE(to_terminal(c, {200, false, true})
                  .starts_with("OK, but 1 check of data quality failed: none of 1 column changed enough to matter"));
  for (auto& w : c.windows)
    for (auto& r : w.columns) r.detectable_effect = 2 * r.major;
  auto blind = to_terminal(c, {200, false, true});
  EXPECT_TRUE(blind.starts_with(
      "OK, but no change of the size that matters could have been seen: none of 1 column changed enough in any of 3 "
      "windows to be seen, which takes 0.5 sd or more; 1 check of data quality failed\n"))
      << blind;
  c.windows[1].columns[0].detectable_effect = 0.1;
  EXPECT_FALSE(to_terminal(c, {200, false, true}).starts_with("OK, but no change"));
}

TEST(Terminal, AnOkOfMostlyBlindColumnsIsCautious) {
  auto c = make_comparison(5, 1);
  std::erase_if(c.windows[0].columns, [](const auto& r) { return r.column == "age"; });
  c.summary.columns = 4, c.summary.verdict = engine::Verdict::kOk;
  auto& columns = c.windows[0].columns;
  ASSERT_EQ(columns.size(), 4U);
  for (std::size_t i = 0; i < 2; ++i) columns[i].detectable_effect = 0.9;
  EXPECT_TRUE(to_terminal(c, {200, false, true}).starts_with("OK  none of 4 columns changed")) << "half is not most";
  columns[2].detectable_effect = 0.9;
  auto text = to_terminal(c, {200, false, true});
  EXPECT_TRUE(
      text.starts_with("OK, but 3 of 4 columns could not have shown a change of the size that matters: none of "
                       "4 columns changed enough to matter\n"))
      << text;
  c.windows[0].quality.push_back({"schema", "gone", NAN, "numeric", "fail", "the current data has no such column"});
  EXPECT_TRUE(has(to_terminal(c, {200, false, true}), "enough to matter; 1 check of data quality failed\n"));
}

TEST(Terminal, TextsAreSaidToBeComparedByLength) {
  auto c = make_comparison(3, 1);
  for (auto& r : c.windows[0].columns) {
    if (r.column == "distance") r.type = engine::ColumnType::kText;
    if (r.column == "dep_time") r.type = engine::ColumnType::kEmbedding;
    if (r.column == "age") r.type = engine::ColumnType::kText;
  }
  auto text = to_terminal(c, {200, false, true});
  EXPECT_TRUE(has(text, "2 columns: dep_time (embedding, by its norm), distance (text, by its length)\n")) << text;
  EXPECT_TRUE(has(text, "\n    text, by its length: moved ")) << text;
}

TEST(Table, AlignsAndCuts) {
  TerminalOptions options{60, false, true};
  auto text = table({"column", "rows"}, {{"出発", "5"}, {"b", "1,234"}}, {Align::kLeft, Align::kRight}, options);
  EXPECT_EQ(text,
            "column   rows\n"
            "──────  ─────\n"
            "出発        5\n"
            "b       1,234\n");
  auto wide = table({"a", "b"}, {{std::string(100, 'x') + "end", "2"}, {"short"}}, {}, options);
  EXPECT_LE(widest(wide), 60U);
  EXPECT_TRUE(has(wide, "…"));
  EXPECT_TRUE(has(wide, "end  2"));
  auto prose = table({"a", "b"}, {{"x", "begins well " + std::string(100, 'y')}}, {}, options);
  EXPECT_TRUE(has(prose, "begins well"));
  EXPECT_TRUE(has(prose, std::string(57, 'y') + "\n   " + std::string(43, 'y') + "\n")) << "prose goes on below itself";
  auto shares = table({"a", "b"}, {{"x", std::string(54, 'y') + " 20 %"}}, {}, options);
  EXPECT_TRUE(has(shares, "y\n   20 %\n")) << "a number keeps its per cent sign";
  std::vector<std::string> many(90, "h");
  EXPECT_LE(widest(table(many, {many}, {}, options)), 60U);
  EXPECT_EQ(table({}, {}, {}, options), "\n\n");
}

TEST(Utf8, WidthsAndRepair) {
  EXPECT_EQ(display_width("e\u0301"), 1U);
  EXPECT_EQ(display_width("日本"), 4U);
  EXPECT_EQ(display_width("\xff"), 1U);
  EXPECT_EQ(shortened("日本語", 4, "…"), "日…");
  EXPECT_EQ(shortened("abcdefgh", 5, "…", true), "ab…gh");
  EXPECT_EQ(shortened("abc", 0, "…"), "");
  EXPECT_TRUE(is_utf8(repaired("\xf0\x9f\x98 a\xc0\xaf")));
  EXPECT_EQ(printable("a – b ≥ 日", false), "a - b >= ?");
}

}  // namespace
}  // namespace vigie::view
