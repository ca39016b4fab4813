// SPDX-License-Identifier: Apache-2.0
#include "quality/rules.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "quality/data_test_internal.h"

namespace vigie::quality {
namespace {

using Rule = Expectation;
using test::kNone;
using test::Table;

const std::vector<ColumnSpec> kSpecs = {{"x", Kind::kNumber, Role::kFeature},
                                        {"y", Kind::kNumber, Role::kFeature},
                                        {"s", Kind::kString, Role::kFeature},
                                        {"t", Kind::kString, Role::kFeature}};

// Rows of x, y, s, t, fed in two parts in the wrong order and merged.
std::vector<Finding> judge(const std::vector<Rule>& rules, const std::vector<double>& x, const std::vector<double>& y,
                           const std::vector<std::string>& s, const std::vector<std::string>& t) {
  std::optional<RuleStates> merged;
  const std::size_t half = x.size() / 2;
  for (const auto& [from, to] : {std::pair(half, x.size()), std::pair(std::size_t{0}, half)}) {
    auto states = RuleStates::make(rules, kSpecs, "rules.yaml");
    EXPECT_TRUE(states.has_value());
    std::vector<std::string_view> dictionary;
    std::vector<std::int32_t> codes[2];
    for (const auto* texts : {&s, &t})
      for (std::size_t i = from; i < to; ++i) {
        const bool none = (*texts)[i] == kNone;
        codes[texts == &t].push_back(none ? -1 : static_cast<std::int32_t>(dictionary.size()));
        if (!none) dictionary.push_back((*texts)[i]);
      }
    std::vector<Values> values(4);
    values[0].numbers = std::span(x).subspan(from, to - from);
    values[1].numbers = std::span(y).subspan(from, to - from);
    for (std::size_t i : {0U, 1U}) values[2 + i].codes = codes[i], values[2 + i].dictionary = dictionary;
    states->update(static_cast<std::int64_t>(from), to - from, values);
    if (merged)
      merged->merge(*states);
    else
      merged.emplace(std::move(*states));
  }
  return merged->findings();
}

Finding only(Rule rule) {
  const std::vector<double> x = {1, 2, kNaN, 3, 3, std::numeric_limits<double>::infinity()}, y = {1, 1, 1, 4, 2, kNaN};
  auto found = judge({std::move(rule)}, x, y, {"a", "b", kNone, "a", "12", "c d"}, {"a", "x", "y", "b", kNone, "c"});
  EXPECT_EQ(found.size(), 1U);
  return found.at(0);
}

TEST(Rules, EachKind) {
  Finding f = only({.kind = Rule::Kind::kNotNull, .column = "x"});
  EXPECT_DOUBLE_EQ(f.value, 1 / 6.);
  EXPECT_EQ(f.check, "not_null");
  EXPECT_EQ(f.verdict, Verdict::kFail);
  EXPECT_EQ(f.reason, "1 of 6 rows break it, row 3 first: no value");
  EXPECT_DOUBLE_EQ(only({.kind = Rule::Kind::kNotNull, .column = "s"}).value, 1 / 6.);
  f = only({.kind = Rule::Kind::kRange, .column = "x", .low = 2, .high = 3});
  EXPECT_DOUBLE_EQ(f.value, 2 / 5.);
  EXPECT_EQ(f.expected, "2 to 3");
  EXPECT_EQ(f.reason, "2 of 5 rows break it, row 1 first: 1");
  EXPECT_DOUBLE_EQ(only({.kind = Rule::Kind::kRange, .column = "x", .low = 2}).value, 1 / 5.);
  EXPECT_DOUBLE_EQ(only({.kind = Rule::Kind::kSet, .column = "x", .numbers = {1, 3}}).value, 2 / 5.);
  EXPECT_DOUBLE_EQ(only({.kind = Rule::Kind::kSet, .column = "s", .texts = {"a", "b"}}).value, 2 / 5.);
  f = only({.kind = Rule::Kind::kRegex, .column = "s", .texts = {"[a-z]|\\d+"}});
  EXPECT_DOUBLE_EQ(f.value, 1 / 5.);
  EXPECT_EQ(f.reason, "1 of 5 rows break it, row 6 first: \"c d\"");
  EXPECT_DOUBLE_EQ(only({.kind = Rule::Kind::kUnique, .column = "x"}).value, 1 / 5.);
  EXPECT_DOUBLE_EQ(only({.kind = Rule::Kind::kUnique, .column = "s"}).value, 1 / 5.);
  EXPECT_DOUBLE_EQ(only({.kind = Rule::Kind::kMonotone, .column = "x", .order = Rule::Order::kLess}).value, 1 / 4.);
  EXPECT_DOUBLE_EQ(only({.kind = Rule::Kind::kMonotone, .column = "x"}).value, 0);
  f = only({.kind = Rule::Kind::kRelation, .column = "x", .order = Rule::Order::kLessEqual, .other = "y"});
  EXPECT_DOUBLE_EQ(f.value, 2 / 4.);
  EXPECT_EQ(f.reason, "2 of 4 rows break it, row 2 first: 2 and 1");
  f = only({.kind = Rule::Kind::kRelation, .column = "s", .order = Rule::Order::kEqual, .other = "t"});
  EXPECT_DOUBLE_EQ(f.value, 3 / 4.);
  EXPECT_EQ(f.reason, "3 of 4 rows break it, row 2 first: \"b\" and \"x\"");
}

TEST(Rules, ToleranceAndSeverity) {
  EXPECT_EQ(only({.kind = Rule::Kind::kNotNull, .column = "x", .at_most = .2}).verdict, Verdict::kPass);
  EXPECT_EQ(only({.kind = Rule::Kind::kNotNull, .column = "x", .warn = true}).verdict, Verdict::kWarn);
  EXPECT_EQ(only({.kind = Rule::Kind::kNotNull, .column = "y", .at_most = .1}).verdict, Verdict::kFail);
}

TEST(Rules, WhatCannotBeJudgedIsSaid) {
  EXPECT_EQ(only({.kind = Rule::Kind::kRange, .column = "s", .low = 0}).reason,
            "cannot be judged: the column holds strings");
  EXPECT_EQ(only({.kind = Rule::Kind::kUnique, .column = "xx"}).reason, "unknown column \"xx\"; did you mean \"x\"?");
  EXPECT_EQ(only({.kind = Rule::Kind::kRelation, .column = "x", .other = "s"}).verdict, Verdict::kFail);
  const auto bad =
      RuleStates::make({{.kind = Rule::Kind::kRegex, .column = "s", .texts = {"["}, .line = 4}}, kSpecs, "rules.yaml");
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().message, "rules.yaml:4: columns.s.regex: \"[\" is not a regular expression: missing ]: [");
  const auto empty = judge(
      {{.kind = Rule::Kind::kUnique, .column = "x"}, {.kind = Rule::Kind::kNotNull, .column = "s"}}, {}, {}, {}, {});
  for (const Finding& f : empty) EXPECT_EQ(f.verdict, Verdict::kNoData);
}

TEST(Rules, HostileTextsDoNotHarm) {
  const std::string huge(2'000'000, 'a'), nested = std::string(900, 'a') + "!";
  const auto found = judge({{.kind = Rule::Kind::kRegex, .column = "s", .texts = {"(a+)+b|a*"}}}, {1, 2, 3}, {1, 2, 3},
                           {huge, nested, "aa"}, {"", "", ""});
  EXPECT_DOUBLE_EQ(found.at(0).value, 1 / 3.);
}

TEST(Rules, ExpressionsAreOfLettersAndNotOfBytes) {
  const auto found = judge({{.kind = Rule::Kind::kRegex, .column = "s", .texts = {"[a-zéü]{3}"}}}, {1, 2, 3}, {1, 2, 3},
                           {"été", "ab", "a\nb"}, {"", "", ""});
  EXPECT_DOUBLE_EQ(found.at(0).value, 2 / 3.);
  const auto any = judge({{.kind = Rule::Kind::kRegex, .column = "s", .texts = {"..."}}}, {1, 2, 3}, {1, 2, 3},
                         {"été", "abc", "a\nb"}, {"", "", ""});
  EXPECT_DOUBLE_EQ(any.at(0).value, 0);
}

/// The range that is suggested for a column of values from `low` to `high`.
Rule range_of(double low, double high, Role role, std::vector<std::string> probabilities = {}) {
  std::vector<double> values(500);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = low + (high - low) * static_cast<double>(i) / 499;
  TableState state({{"p", Kind::kNumber, role}}, nullptr);
  std::vector<Values> columns(1);
  columns[0].numbers = values;
  state.update(0, values.size(), columns);
  for (const auto& rule : suggest(state, probabilities))
    if (rule.kind == Rule::Kind::kRange) return rule;
  ADD_FAILURE() << "no range";
  return {};
}

TEST(Rules, SharesAreSuggestedNoValueAboveOne) {
  const auto share = range_of(.031, .9971, Role::kFeature), answer = range_of(.031, .42, Role::kOther, {"p"});
  EXPECT_EQ(share.low, 0);
  EXPECT_EQ(share.high, 1);
  EXPECT_EQ(answer.low, 0);
  EXPECT_EQ(answer.high, 1);
  EXPECT_EQ(range_of(.2, .6, Role::kFeature).high, .64);
  EXPECT_GT(range_of(.031, 1.02, Role::kOther, {"p"}).high, 1.02);
  EXPECT_LT(range_of(.2, .42, Role::kOther).high, .5) << "a weight, or an answer of a regression";
  EXPECT_GT(range_of(.2, .97, Role::kOther).high, 1);
}

TEST(Rules, SuggestionsHoldOnDataOfTheSameLaw) {
  Rng rng(21);
  const TableState reference = test::state_of(test::healthy(rng, 3000));
  const auto rules = suggest(reference);
  const auto has = [&](std::string_view column, Rule::Kind kind) {
    return std::any_of(rules.begin(), rules.end(), [&](const Rule& r) { return r.column == column && r.kind == kind; });
  };
  EXPECT_TRUE(has("normal", Rule::Kind::kNotNull));
  for (const Rule& r : rules) {
    if (r.column == "gappy" && r.kind == Rule::Kind::kNotNull) {
      EXPECT_TRUE(r.at_most > .06 && r.at_most < .1) << r.at_most;
    }
  }
  EXPECT_TRUE(has("gappy", Rule::Kind::kNotNull));
  EXPECT_TRUE(has("normal", Rule::Kind::kRange));
  EXPECT_TRUE(has("few", Rule::Kind::kSet));
  EXPECT_FALSE(has("many", Rule::Kind::kSet));
  EXPECT_TRUE(has("id", Rule::Kind::kUnique));
  EXPECT_TRUE(has("at", Rule::Kind::kMonotone));
  for (const Rule& r : rules) EXPECT_TRUE(r.column != "lognormal" || r.kind != Rule::Kind::kRange || r.low == 0);
  for (const Rule& r : rules) EXPECT_TRUE(r.column != "normal" || fmt::format("{}", r.low).size() < 6) << r.low;
  for (int trial = 0; trial < 20; ++trial) {
    const Table table = test::healthy(rng, 1000);
    auto states = RuleStates::make(rules, table.specs(), "");
    ASSERT_TRUE(states.has_value());
    std::vector<Values> values;
    std::vector<std::vector<std::int32_t>> codes(table.columns.size());
    std::vector<std::vector<std::string_view>> names(table.columns.size());
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      const test::Data& d = table.columns[c];
      for (const std::string& text : d.texts) {
        codes[c].push_back(text == kNone ? -1 : static_cast<std::int32_t>(names[c].size()));
        names[c].push_back(text);
      }
      values.push_back({.numbers = d.numbers, .codes = codes[c], .dictionary = names[c]});
    }
    for (Values& v : values)
      for (std::size_t i = 0; i < v.codes.size(); ++i) ASSERT_LT(v.codes[i], static_cast<int>(v.dictionary.size()));
    states->update(0, table.rows(), values);
    for (const Finding& f : states->findings())
      EXPECT_EQ(f.verdict, Verdict::kPass) << f.check << " " << f.column.value_or("") << ": " << f.reason;
  }
}

// Of x, y and s, one of each kind.
std::vector<Rule> of_each_kind() {
  return {{.kind = Rule::Kind::kNotNull, .column = "x", .at_most = .1},
          {.kind = Rule::Kind::kRange, .column = "x", .low = 0, .high = 40, .warn = true},
          {.kind = Rule::Kind::kSet, .column = "s", .texts = {"b", "a", "c"}},
          {.kind = Rule::Kind::kRegex, .column = "s", .texts = {"[a-d]"}},
          {.kind = Rule::Kind::kUnique, .column = "x"},
          {.kind = Rule::Kind::kMonotone, .column = "y", .order = Rule::Order::kLess},
          {.kind = Rule::Kind::kRelation, .column = "x", .order = Rule::Order::kLess, .other = "y"},
          {.kind = Rule::Kind::kRange, .column = "none", .low = 0, .high = 1}};
}

// Rows [from, to) of a hundred, of which some break each.
void feed(RuleStates& states, std::size_t from, std::size_t to) {
  const std::vector<std::string_view> dictionary{"a", "b", "d", "e f"};
  std::vector<double> x, y;
  std::vector<std::int32_t> s;
  for (std::size_t i = from; i < to; ++i) {
    x.push_back(i % 10 == 3 ? kNaN : static_cast<double>(i % 48));
    y.push_back(i % 30 == 29 ? 0 : static_cast<double>(i));
    s.push_back(i % 7 == 6 ? -1 : static_cast<std::int32_t>(i % 4));
  }
  std::vector<Values> values(kSpecs.size());
  values[0].numbers = x, values[1].numbers = y, values[2].codes = s, values[2].dictionary = dictionary;
  states.update(states.next_row(), to - from, values);
}

std::string all_of(const RuleStates& states) {
  std::string out;
  for (const Finding& f : states.findings())
    out += fmt::format("{} {} {} {} {} {}\n", f.check, f.column.value_or("-"), f.value, f.expected,
                       to_string(f.verdict), f.reason);
  return out;
}

std::string saved(const RuleStates& states) {
  ByteWriter out;
  states.save(out);
  return out.take();
}

TEST(Rules, GoOnFromWhatWasSaved) {
  auto whole = RuleStates::make(of_each_kind(), kSpecs, "").value();
  feed(whole, 0, 100);
  for (const std::size_t cut : {0U, 1U, 37U, 100U}) {
    auto first = RuleStates::make(of_each_kind(), kSpecs, "").value();
    if (cut > 0) feed(first, 0, cut);
    const auto bytes = saved(first);
    ByteReader in(bytes);
    auto again = RuleStates::load(in, kSpecs);
    ASSERT_TRUE(again.has_value()) << cut;
    EXPECT_EQ(in.remaining(), 0U);
    EXPECT_EQ(saved(*again), bytes);
    EXPECT_EQ(all_of(*again), all_of(first));
    if (cut < 100) feed(*again, cut, 100);
    EXPECT_EQ(all_of(*again), all_of(whole)) << cut;
    EXPECT_EQ(all_of(again->copy()), all_of(whole));
  }
  EXPECT_NE(all_of(whole).find("range x 0.1333333333333333"), std::string::npos) << all_of(whole);
  EXPECT_NE(all_of(whole).find("unknown column \"none\""), std::string::npos) << all_of(whole);
}

TEST(Rules, RefuseWhatTheyDidNotSave) {
  auto states = RuleStates::make(of_each_kind(), kSpecs, "").value();
  feed(states, 0, 100);
  const auto bytes = saved(states);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ByteReader in(std::string_view(bytes).substr(0, size));
    const auto cut = RuleStates::load(in, kSpecs);
    ASSERT_FALSE(cut.has_value()) << size;
    EXPECT_EQ(cut.error().code, Code::kCorrupt);
  }
  int refused = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto other = bytes;
    other[i] = static_cast<char>(other[i] ^ 0x80);
    ByteReader in(other);
    auto read = RuleStates::load(in, kSpecs);
    if (!read) {
      EXPECT_EQ(read.error().code, Code::kCorrupt);
      ++refused;
      continue;
    }
    const auto once = saved(*read);
    ByteReader again(once);
    const auto second = RuleStates::load(again, kSpecs);
    ASSERT_TRUE(second.has_value()) << i;
    EXPECT_EQ(saved(*second), once) << i;
  }
  EXPECT_GT(refused, 50);
  auto later = bytes;
  later[0] = 2;
  ByteReader in(later);
  EXPECT_FALSE(RuleStates::load(in, kSpecs).has_value());
}

TEST(Rules, JoinWhatNobodyKnowsTheOrderOf) {
  auto whole = RuleStates::make(of_each_kind(), kSpecs, "").value();
  feed(whole, 0, 100);
  RuleStates joined;
  for (const auto& [from, to] : {std::pair(0U, 40U), std::pair(40U, 75U), std::pair(75U, 100U)}) {
    auto part = RuleStates::make(of_each_kind(), kSpecs, "").value();
    feed(part, from, to);
    joined.join(part);
  }
  const auto want = whole.findings(), found = joined.findings();
  ASSERT_EQ(found.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (want[i].check == "monotone") continue;
    EXPECT_EQ(found[i].check, want[i].check);
    EXPECT_TRUE(found[i].value == want[i].value || (std::isnan(found[i].value) && std::isnan(want[i].value)));
    EXPECT_EQ(found[i].verdict, want[i].verdict);
  }
  EXPECT_EQ(want[5].reason, "3 of 99 rows break it");
  EXPECT_EQ(found[5].reason, "3 of 97 rows break it");
  EXPECT_TRUE(joined.reads(0) && joined.reads(1) && joined.reads(2) && !joined.reads(3));

  // By other rules each is of the rows that it was counted by.
  auto others =
      RuleStates::make({{.kind = Rule::Kind::kNotNull, .column = "s"}, of_each_kind()[4]}, kSpecs, "").value();
  feed(others, 0, 10);
  joined.join(others);
  const auto both = joined.findings();
  ASSERT_EQ(both.size(), want.size() + 1);
  EXPECT_EQ(both[8].reason, "1 of 10 rows break it, row 7 first: no value");
  EXPECT_NE(both[4].value, want[4].value);
  EXPECT_EQ(both[0].value, want[0].value);
}

TEST(Rules, SayWhichCannotBeJudged) {
  const auto states = RuleStates::make({{.kind = Rule::Kind::kRange, .column = "age", .low = 0},
                                        {.kind = Rule::Kind::kRange, .column = "s", .low = 0},
                                        {.kind = Rule::Kind::kNotNull, .column = "s"},
                                        {.kind = Rule::Kind::kRelation, .column = "x", .other = "s"}},
                                       kSpecs, "");
  const auto unfit = states->unfit();
  ASSERT_EQ(unfit.size(), 3U);
  EXPECT_TRUE(unfit[0].starts_with("columns.age.range: unknown column \"age\"")) << unfit[0];
  EXPECT_EQ(unfit[1], "columns.s.range: cannot be judged: the column holds strings");
  EXPECT_TRUE(unfit[2].starts_with("relations: x <= s: cannot be judged: one column holds numbers")) << unfit[2];
  const auto regex = RuleStates::make({{.kind = Rule::Kind::kRegex, .column = "s", .texts = {"["}}}, {}, "checks");
  ASSERT_FALSE(regex.has_value());
  EXPECT_EQ(regex.error().message, "checks.columns.s.regex: \"[\" is not a regular expression: missing ]: [");
}

}  // namespace
}  // namespace vigie::quality
