// SPDX-License-Identifier: Apache-2.0
#include "view/report.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cctype>
#include <cmath>
#include <map>
#include <set>

#include "base/text.h"
#include "view/chart_parts_internal.h"
#include "view/html_internal.h"
#include "view/make_comparison_internal.h"

namespace vigie::view {
namespace {

bool has(std::string_view text, std::string_view what) {
  return text.find(what) != std::string_view::npos;
}

// A strict reader of what the report is made of: every element closed in its order, every attribute quoted and named
// once, every id used once and every link to it kept; no stray < or &. Gives the complaint, or "".
std::string complaint(std::string_view html) {
  static const std::set<std::string, std::less<>> void_elements = {"meta", "input", "br"};
  std::vector<std::string> open;
  std::set<std::string> ids, links;
  auto entity = [&](std::size_t i) {
    auto end = html.find(';', i);
    return end != std::string_view::npos && end - i <= 6 &&
           (std::isalpha(static_cast<unsigned char>(html[i + 1])) || html[i + 1] == '#');
  };
  std::size_t i = html.starts_with("<!doctype html>") ? 15 : 0;
  if (i == 0) return "no doctype";
  while (i < html.size()) {
    auto near = std::string(html.substr(i, 60));
    if (html[i] == '&' && !entity(i)) return "stray & at " + near;
    if (html[i] == '>') return "stray > at " + near;
    if (html[i] != '<') {
      ++i;
      continue;
    }
    bool closing = html[++i] == '/';
    if (closing) ++i;
    auto end = i;
    while (end < html.size() && std::isalnum(static_cast<unsigned char>(html[end]))) ++end;
    auto name = std::string(html.substr(i, end - i));
    if (name.empty()) return "no element name at " + near;
    i = end;
    std::set<std::string> attributes;
    while (html[i] != '>' && html[i] != '/') {
      if (html[i] == ' ') {
        ++i;
        continue;
      }
      end = html.find_first_of("= />", i);
      auto attribute = std::string(html.substr(i, end - i));
      if (!attributes.insert(attribute).second) return "attribute twice at " + near;
      i = end;
      if (html[i] != '=') continue;
      if (html[++i] != '"') return "unquoted attribute at " + near;
      end = html.find('"', i + 1);
      auto value = std::string(html.substr(i + 1, end - i - 1));
      if (has(value, "<")) return "< in an attribute at " + near;
      if (attribute.starts_with("on")) return "inline handler at " + near;
      if (attribute == "id" && !ids.insert(value).second) return "id twice: " + value;
      if (attribute == "href" || attribute == "src") {
        if (!value.starts_with('#')) return "leaves the page: " + value;
        links.insert(value.substr(1));
      }
      i = end + 1;
    }
    bool alone = html[i] == '/';
    if (alone && html[i + 1] != '>') return "stray / at " + near;
    i += alone ? 2 : 1;
    if (closing) {
      if (open.empty() || open.back() != name)
        return fmt::format("closes {}, open is {} at {}", name, open.empty() ? "nothing" : open.back(), near);
      open.pop_back();
    } else if (!alone && !void_elements.contains(name)) {
      open.push_back(name);
      if (name == "script" || name == "style") {
        i = html.find("</" + name, i);
        if (i == std::string_view::npos) return "endless " + name;
      }
    }
  }
  for (const auto& link : links)
    if (!ids.contains(link)) return "no place for #" + link;
  return open.empty() ? "" : "left open: " + open.back();
}

TEST(Report, WellFormed) {
  for (auto [columns, windows] : {std::pair{1, 1}, {20, 1}, {20, 12}, {50, 50}, {70, 300}, {1000, 2}})
    EXPECT_EQ(complaint(to_report(make_comparison(columns, windows))), "") << columns << " x " << windows;
  EXPECT_EQ(complaint(to_report(engine::Comparison{})), "");
}

TEST(Report, TheReaderItselfComplains) {
  EXPECT_EQ(complaint("<!doctype html><p>a</p>"), "");
  for (auto bad : {"<p>", "<p></b></p>", "<p a=b></p>", "<p a=\"1\" a=\"2\"></p>", "<a href=\"#x\"></a>", "a & b",
                   "a > b", "<a href=\"http://x\"></a>", "<p id=\"a\"></p><p id=\"a\"></p>", "<p onclick=\"x\"></p>"})
    EXPECT_NE(complaint(std::string("<!doctype html>") + bad), "") << bad;
}

TEST(Report, Small) {
  EXPECT_LT(to_report(make_comparison(50, 50)).size(), 700'000U);
  EXPECT_LT(to_report(make_comparison(1000, 50)).size(), 1'500'000U);
  EXPECT_LT(to_report(make_comparison(1000, 1)).size(), 1'500'000U);
}

TEST(Report, SmallWhateverTheTexts) {
  auto c = make_comparison(400, 20);
  std::map<std::string, std::string> names;
  for (auto& p : c.pictures) {
    p.column = names[p.column] = p.column + std::string(5000, '<');
    for (auto& category : p.categories) category += std::string(5000, '&');
  }
  for (auto& w : c.windows)
    for (auto& r : w.columns) {
      r.column = names[r.column];
      r.reason = std::string(5000, '"');
      if (r.segment) *r.segment += std::string(5000, '\'');
      for (int k = 0; k < 40; ++k) r.components.push_back({fmt::format("a_rather_long_component_{}", k), 0.1});
    }
  c.notes.assign(1000, std::string(5000, '>'));
  c.options.assign(1000, {std::string(500, '&'), std::string(5000, '<')});
  c.current.source = std::string(100'000, '&');
  auto html = to_report(c);
  EXPECT_LT(html.size(), 1'500'000U);
  EXPECT_EQ(complaint(html), "");
}

TEST(Report, NamesAreEscaped) {
  auto c = make_comparison(8, 3);
  const std::string evil = "<script>alert(1)</script>\"'&\x01\xff";
  auto rename = [&](std::string& name) {
    if (name == "age" || name == "carrier") name += evil;
  };
  for (auto& p : c.pictures) {
    rename(p.column);
    for (auto& category : p.categories) category += evil;
  }
  for (auto& w : c.windows) {
    for (auto& r : w.columns) {
      rename(r.column);
      r.reason += evil;
      r.method += evil;
      r.null = evil;
      r.effect_scale += evil;
      if (r.segment) *r.segment += evil;
      for (auto& [name, p] : r.components) name += evil;
    }
    w.quality.push_back({evil, evil, 1, evil, "fail", evil});
    w.start = evil + evil;
    w.end = evil;
  }
  c.current.source = c.reference.source = c.version = evil;
  c.notes = {evil};
  c.options = {{evil, evil}};
  auto html = to_report(c);
  EXPECT_EQ(complaint(html), "");
  EXPECT_FALSE(has(html, "<script>alert"));
  EXPECT_FALSE(has(html, "\x01"));
  EXPECT_TRUE(is_utf8(html));
  EXPECT_TRUE(has(html, "age&lt;script&gt;"));
}

TEST(Report, AsksTheNetworkForNothing) {
  auto html = to_report(make_comparison(20, 12));
  EXPECT_TRUE(has(html, "default-src 'none'"));
  for (auto word : {"http:", "https:", "//www", "url(", "@import", "fetch(", "<img", "<link"})
    EXPECT_FALSE(has(html, word)) << word;
  auto policy = html.find("script-src 'sha256-");
  ASSERT_NE(policy, std::string::npos);
  EXPECT_EQ(html[policy + 19 + 44], '\'') << "a SHA-256 is 44 characters in base64";
}

TEST(Report, SaysTheVerdictFirst) {
  auto html = to_report(make_comparison(20, 12));
  EXPECT_TRUE(has(html,
                  "<h1>4 of 20 columns changed; late moved most, +0.8\u00a0sd; drift since window 8 <span "
                  "class=\"nw\">(2013-06-08)</span>.</h1>"));
  EXPECT_LT(html.find("id=\"outputs\""), html.find("id=\"changed\""));
  EXPECT_TRUE(has(html, "aria-label=\"age: drift in 4, warning in 0 of 12 windows; since window 8 (2013-06-08)\""));
  EXPECT_TRUE(has(html, "the reference has one value only"));
  EXPECT_TRUE(has(html, "origin=JFK"));
}

TEST(Report, AnOkThatNeedsAWordOfCaution) {
  auto c = make_comparison(1, 3);
  EXPECT_TRUE(has(to_report(c), "<p class=\"word\">OK</p>"));
  for (auto& w : c.windows)
    for (auto& r : w.columns) r.detectable_effect = 2 * r.major;
  auto html = to_report(c);
  EXPECT_EQ(complaint(html), "");
  EXPECT_TRUE(has(html, "<p class=\"word\">OK, but</p><h1>No change of the size that matters could have been seen"));
}

TEST(Report, AnOkOfMostlyBlindColumnsIsCautious) {
  auto c = make_comparison(1, 3);
  for (auto& w : c.windows)
    for (auto name : {"height", "weight"}) {
      w.columns.push_back(w.columns[0]);
      w.columns.back().column = name;
      w.columns.back().detectable_effect = 2 * w.columns[0].major;
    }
  c.summary.columns = 3;
  auto html = to_report(c);
  EXPECT_EQ(complaint(html), "");
  EXPECT_TRUE(has(html,
                  "<p class=\"word\">OK, but</p><h1>2 of 3 columns could not have shown a change of the size that "
                  "matters: "));
}

TEST(Report, ASmallerChangeThanIsSeenFourTimesInFiveIsNoContradiction) {
  auto c = make_comparison(2, 1);
  for (auto& r : c.windows[0].columns)
    if (r.column == "age" && r.method == "omnibus") r.detectable_effect = 4;
  auto html = to_report(c);
  EXPECT_EQ(complaint(html), "");
  EXPECT_TRUE(has(html,
                  "this window sees <b>≥\u00a04\u00a0sd</b> four times in five; a change as small as this one it sees "
                  "more rarely."));
  EXPECT_FALSE(has(html, "could have gone unseen"));
  for (auto& r : c.windows[0].columns)
    if (r.column == "age" && r.method == "omnibus") r.detectable_effect = 12;
  html = to_report(c);
  EXPECT_FALSE(has(html, ">nothing<")) << "something was seen";
}

TEST(Report, DetailsSayTheSegmentAndWhatOfATextIsCompared) {
  auto c = make_comparison(2, 1);
  auto details = [&] {
    auto html = to_report(c);
    EXPECT_EQ(complaint(html), "");
    auto from = html.find("<details class=\"col\" id=\"c1\"");
    return html.substr(from, html.find("</details>", from) - from);
  };
  EXPECT_FALSE(has(details(), "<p><b>Where <bdi>"));
  for (auto& r : c.windows[0].columns)
    if (r.column == "age") {
      r.type = engine::ColumnType::kText;
      if (!r.segment) r.verdict = engine::Verdict::kOk;
    }
  auto said = details();
  EXPECT_TRUE(has(said, "<p><b>Where <bdi>origin=JFK</bdi>.</b> ")) << said;
  EXPECT_TRUE(has(said, "feature, text, by its length</span></summary>")) << said;
  EXPECT_TRUE(has(to_report(c), "<td>text, by its length</td>"));
}

TEST(Report, ATableThatGoesOnBesideTheEdgeIsShadedThere) {
  auto html = to_report(make_comparison(3, 1));
  auto rule = html.substr(html.find("\n.scroll {"));
  rule.resize(rule.find('}'));
  for (auto part : {"overflow-x: auto", "var(--shade), transparent) right", "no-repeat local", "no-repeat scroll"})
    EXPECT_TRUE(has(rule, part)) << part;
}

TEST(Report, WhatIsUndecidedIsNotDrawnAsOk) {
  auto c = make_comparison(2, 3);
  EXPECT_FALSE(has(to_report(c), "undecided</span>"));
  auto r = c.windows[1].columns[0];
  r.method = "missing_share", r.verdict = engine::Verdict::kNoData, r.effect = 0.3;
  c.windows[1].columns.push_back(r);
  auto html = to_report(c);
  EXPECT_EQ(complaint(html), "");
  EXPECT_TRUE(has(html, "aria-label=\"dep_time: drift in 0, warning in 0 of 3 windows; undecided in 1\""));
  EXPECT_TRUE(has(html, "M1 10v-1.5h.9v1.5zM1 6.5v-1.5h.9v1.5z"));
  EXPECT_TRUE(has(html, "</svg>undecided</span>"));
}

TEST(Report, AllWithoutVerdict) {
  auto c = make_comparison(10, 2);
  for (auto& w : c.windows) {
    w.verdict = engine::Verdict::kNoData;
    for (auto& r : w.columns) {
      r.verdict = engine::Verdict::kNoData;
      r.statistic = r.p_value = r.effect = r.p_adjusted = r.watch = r.major = r.detectable_effect = NAN;
      r.reason = "fewer than 30 rows";
    }
  }
  for (auto& p : c.pictures) {
    p.minimum = p.maximum = NAN;
    p.cuts.clear();
    p.reference_shares.clear();
    p.current_shares.clear();
    for (auto& point : p.points) point = {NAN, NAN, NAN, NAN, {}};
  }
  c.summary.verdict = engine::Verdict::kNoData;
  auto html = to_report(c);
  EXPECT_EQ(complaint(html), "");
  EXPECT_TRUE(has(html, "<h1>None of 10 columns could be judged: fewer than 30 rows.</h1>"));
  auto body = html.substr(html.find("<body"), html.find("<script>") - html.find("<body"));
  for (auto word : {"nan", ">inf", "NaN"}) EXPECT_FALSE(has(body, word)) << word;
}

engine::Picture picture(std::vector<double> cuts, std::vector<double> reference, std::vector<double> current,
                        double low, double high) {
  engine::Picture p;
  p.cuts = std::move(cuts);
  p.reference_shares = std::move(reference);
  p.current_shares = std::move(current);
  p.minimum = low;
  p.maximum = high;
  return p;
}
double sum(const Density& d, double Pair::* side) {
  double total = d.below.*side + d.above.*side;
  for (const auto& cell : d.cells) total += cell.*side;
  return total;
}

TEST(LogTicks, EndWhateverTheNumbers) {
  EXPECT_EQ(chart::log_ticks(0.5, 60, 6), (std::vector<double>{1, 10}));
  const auto ticks = chart::log_ticks(5e-324, 49.3, 6);
  EXPECT_GT(ticks.size(), 1U);
  EXPECT_LE(ticks.size(), 6U);
}

TEST(Density, KeepsAllRows) {
  Rng rng(5);
  for (int i = 0; i < 20; ++i) {
    auto p = sample::picture("x", i, 1, rng);
    if (p.cuts.empty()) continue;
    auto d = density_of(p);
    ASSERT_FALSE(d.cells.empty());
    EXPECT_LE(d.cells.size(), 48U);
    EXPECT_NEAR(sum(d, &Pair::reference), 1, 1e-9);
    EXPECT_NEAR(sum(d, &Pair::current), 1, 1e-9);
    EXPECT_LT(d.above.reference, 0.02);
    EXPECT_EQ(d.log, i % 4 == 2) << i;
  }
}

std::vector<double> lone(int from, int to) {
  std::vector<double> cuts;
  for (int v = from; v <= to; ++v) {
    cuts.push_back(v);
    cuts.push_back(std::nextafter(v, 1e9));
  }
  return cuts;
}

TEST(Density, FewValuesAreShownOneByOne) {
  auto p = picture(lone(1, 3), {0, .2, 0, .3, 0, .5, 0}, {.1, .4, 0, .3, 0, .1, .1}, -4, 9);
  auto d = density_of(p);
  EXPECT_EQ(d.values, (std::vector<double>{1, 2, 3}));
  EXPECT_DOUBLE_EQ(d.cells[2].reference, .5);
  EXPECT_DOUBLE_EQ(d.below.current, .1);
  EXPECT_DOUBLE_EQ(d.above.current, .1);
}

TEST(Density, ManyIntegersAreMixedEvenly) {
  auto cuts = lone(1, 60);
  std::vector<double> shares(cuts.size() + 1, 0);
  for (std::size_t j = 1; j < shares.size(); j += 2) shares[j] = 1.0 / 60;
  auto d = density_of(picture(cuts, shares, shares, 1, 60));
  ASSERT_TRUE(d.values.empty());
  for (const auto& cell : d.cells) EXPECT_NEAR(cell.reference, 2.0 / 60, 1e-9);
}

TEST(Density, OneFarValueDoesNotSquashTheRest) {
  auto p = picture({0, 1, 2, 3}, {0, .3, .4, .3, 0}, {0, .3, .4, .2, .1}, 0, 1e9);
  auto d = density_of(p);
  EXPECT_LT(d.edges.back(), 20);
  EXPECT_NEAR(d.above.current, .1, 1e-3);
  EXPECT_TRUE(has(distribution_chart(p, d), "&gt;</text>"));
}

TEST(Density, Degenerate) {
  EXPECT_TRUE(density_of({}).cells.empty());
  auto p = picture({5, std::nextafter(5, 6)}, {0, 1, 0}, {0, 0, 0}, 5, 5);
  auto d = density_of(p);
  EXPECT_EQ(d.cells.size(), 1U);
  EXPECT_TRUE(std::isnan(d.p50.current));
  EXPECT_FALSE(has(distribution_chart(p, d), "nan"));
}

}  // namespace
}  // namespace vigie::view
