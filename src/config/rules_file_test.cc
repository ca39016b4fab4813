// SPDX-License-Identifier: Apache-2.0
#include "config/rules_file.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vigie::config {
namespace {

using Kind = Expectation::Kind;
using Order = Expectation::Order;

std::vector<Expectation> parsed(std::string_view text) {
  auto rules = parse_rules(text, "rules.yaml");
  EXPECT_TRUE(rules.has_value()) << rules.error().message;
  return rules ? *rules : std::vector<Expectation>();
}

std::string refused(std::string_view text) {
  const auto rules = parse_rules(text, "rules.yaml");
  EXPECT_FALSE(rules.has_value()) << text;
  if (rules) return {};
  EXPECT_EQ(rules.error().code, Code::kUsage);
  EXPECT_EQ(rules.error().message.find('\n'), std::string::npos);
  return rules.error().message;
}

TEST(RulesFile, ReadsEveryRule) {
  const auto rules = parsed(R"(
columns:
  age: {not_null: true, range: [0, 120], at_most: 0.01}
  score:
    range: [0, null]
    severity: warn
  country: {set: [FR, "12", 7, no]}
  zip: {regex: "[0-9]{5}", unique: false}
  income: {missing_at_most: 0.2, range: [0, null], at_most: 0.1}
  id: {unique: true}
  seen at: {monotone: strictly_increasing}
relations:
  - pickup <= dropoff
  - {rule: "`net amount`!=gross", at_most: 0.5, severity: warn}
)");
  ASSERT_EQ(rules.size(), 11U);
  EXPECT_EQ(rules[0].kind, Kind::kNotNull);
  EXPECT_EQ(rules[0].at_most, .01);
  EXPECT_EQ(rules[0].line, 3);
  EXPECT_EQ(rules[1].kind, Kind::kRange);
  EXPECT_EQ(rules[1].column, "age");
  EXPECT_EQ(rules[1].low, 0);
  EXPECT_EQ(rules[1].high, 120);
  EXPECT_EQ(rules[1].at_most, .01);
  EXPECT_TRUE(std::isinf(rules[2].high));
  EXPECT_TRUE(rules[2].warn);
  EXPECT_EQ(rules[3].texts, (std::vector<std::string>{"FR", "12", "7", "no"}));
  EXPECT_EQ(rules[3].numbers, (std::vector<double>{12, 7}));
  EXPECT_EQ(rules[4].texts, std::vector<std::string>{"[0-9]{5}"});
  EXPECT_EQ(rules[5].kind, Kind::kNotNull);
  EXPECT_EQ(rules[5].at_most, .2);
  EXPECT_EQ(rules[6].at_most, .1);
  EXPECT_EQ(rules[7].kind, Kind::kUnique);
  EXPECT_EQ(rules[8].column, "seen at");
  EXPECT_EQ(rules[8].order, Order::kLess);
  EXPECT_EQ(rules[9].column, "pickup");
  EXPECT_EQ(rules[9].order, Order::kLessEqual);
  EXPECT_EQ(rules[9].other, "dropoff");
  EXPECT_EQ(rules[10].column, "net amount");
  EXPECT_EQ(rules[10].order, Order::kNotEqual);
  EXPECT_EQ(rules[10].at_most, .5);
}

TEST(RulesFile, ErrorsNameLineKeyAndTheNearest) {
  EXPECT_EQ(refused("column:\n  a: {}\n"), "rules.yaml:1: unknown key \"column\"; did you mean \"columns\"?");
  EXPECT_EQ(refused("columns:\n  a: {rnage: [0, 1]}\n"),
            "rules.yaml:2: columns.a: unknown key \"rnage\"; did you mean \"range\"? (not_null, missing_at_most, "
            "range, set, regex, unique, monotone, at_most, severity)");
  EXPECT_EQ(refused("columns:\n  a:\n    monotone: increasin\n"),
            "rules.yaml:3: columns.a.monotone: unknown order \"increasin\"; did you mean \"increasing\"? "
            "(strictly_increasing, increasing, decreasing, strictly_decreasing)");
  EXPECT_EQ(refused("columns:\n  a: {range: [0, high]}\n"),
            "rules.yaml:2: columns.a.range: expected a number or null, got \"high\"");
  EXPECT_EQ(refused("columns:\n  a: {range: [2, 1]}\n"),
            "rules.yaml:2: columns.a.range: the low end is above the high one");
  EXPECT_EQ(refused("columns:\n  a: {at_most: 2}\n"), "rules.yaml:2: columns.a.at_most: expected 0..1, got \"2\"");
  EXPECT_EQ(refused("columns:\n  a: {not_null: maybe}\n"), "rules.yaml:2: columns.a.not_null: expected true or false");
  EXPECT_EQ(refused("columns:\n  a: {missing_at_most: true}\n"),
            "rules.yaml:2: columns.a.missing_at_most: expected 0..1, got \"true\"");
  EXPECT_EQ(refused("columns:\n  a: {severity: wran}\n"),
            "rules.yaml:2: columns.a.severity: unknown severity \"wran\"; did you mean \"warn\"? (warn, fail)");
  EXPECT_EQ(refused("columns:\n  a: {at_most: 0.1}\n").substr(0, 43), "rules.yaml:2: columns.a: no rule in it, of ");
  EXPECT_EQ(refused("relations:\n  - {rule: a < b, rule: b < c}\n"), "rules.yaml:2: \"rule\" stands in line 2 already");
  EXPECT_EQ(refused("relations:\n  - a ~ b\n"),
            "rules.yaml:2: relations: expected \"a <= b\", with one of < <= == != >= >, got \"a ~ b\"");
  EXPECT_EQ(refused("relations:\n  - {at_most: 0.1}\n"), "rules.yaml:2: relations: the key \"rule\" is missing");
  EXPECT_EQ(refused("columns:\n  a: {unique: true}\n  a: {not_null: true}\n"),
            "rules.yaml:3: \"a\" stands in line 2 already");
  EXPECT_FALSE(refused("columns: [1, 2]").empty());
  EXPECT_FALSE(refused("columns:\n  a: 3\n").empty());
  EXPECT_FALSE(refused("columns:\n  a: {set: []}\n").empty());
  EXPECT_FALSE(refused("columns: {a: {regex: \"\"}}").empty());
  EXPECT_FALSE(refused("columns: {a: [").empty());
  EXPECT_FALSE(refused("").empty());
}

TEST(RulesFile, WritesWhatItReads) {
  const auto rules = parsed(R"(
columns:
  "a: b": {not_null: true, range: [-1.5e-7, null], at_most: 0.01, severity: warn}
  'tick"s': {set: ["1", 1, "null", "", "é\n"], unique: true}
  "5": {regex: "\\d+\\.x", monotone: decreasing}
  gaps: {missing_at_most: 0.2, range: [0, 1], at_most: 0.1}
  only: {missing_at_most: 0.2}
relations:
  - a<b
  - {rule: "`x y` >= `z`", at_most: 0.25}
)");
  const std::string text = write_rules(rules, "a comment");
  auto again = parsed(text);
  ASSERT_EQ(again.size(), rules.size()) << text;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    again[i].line = rules[i].line;
    EXPECT_EQ(again[i], rules[i]) << text;
  }
  EXPECT_EQ(text.find("# a comment"), 0U);
}

TEST(RulesFile, AreReadFromJsonToo) {
  const auto yaml = parsed(R"(
columns:
  age: {not_null: true, range: [0, 120], at_most: 0.01}
  "a \"b\" é": {set: [FR, "12", 7, true, 1e3, "no"], severity: warn}
  zip: {regex: "[0-9]{5}\\n#: x"}
relations:
  - {rule: "`net amount` <= gross", at_most: 0.1}
  - a < b
)");
  const auto json = parse_rules_at(
      R"({"columns":{"age":{"not_null":true,"range":[0,120],"at_most":0.01},"a \"b\" é":{"set":["FR","12",7,true,1e3,"no"],)"
      R"("severity":"warn"},"zip":{"regex":"[0-9]{5}\\n#: x"}},"relations":[{"rule":"`net amount` <= gross","at_most":0.1},"a < b"]})",
      "checks");
  ASSERT_TRUE(json.has_value()) << json.error().message;
  ASSERT_EQ(json->size(), yaml.size());
  for (std::size_t i = 0; i < yaml.size(); ++i) {
    auto line = yaml[i];
    line.line = 0;
    EXPECT_EQ((*json)[i], line) << i;
  }
  const auto refused_at = [](std::string_view text) {
    const auto rules = parse_rules_at(text, "checks");
    return rules ? "" : rules.error().message;
  };
  EXPECT_EQ(refused_at(R"({"column":{}})"), "checks: unknown key \"column\"; did you mean \"columns\"?");
  EXPECT_EQ(refused_at("[1]"), "checks: expected a JSON object with the keys \"columns\" and \"relations\"");
  EXPECT_EQ(refused_at(R"({"columns":{"age":{"range":[5]}}})"),
            "checks.columns.age.range: expected [LOW, HIGH], null for none");
  EXPECT_TRUE(
      refused_at(R"({"columns":{"age":{"rang":[5]}}})").starts_with("checks.columns.age: unknown key \"rang\""));
  EXPECT_EQ(refused_at(R"({"relations":["a"]})"),
            "checks.relations: expected \"a <= b\", with one of < <= == != >= >, got \"a\"");
}

}  // namespace
}  // namespace vigie::config
