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

}  // namespace
}  // namespace vigie::quality
