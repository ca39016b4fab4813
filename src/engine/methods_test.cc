// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "engine/aspects.h"
#include "engine/compare.h"
#include "engine/memory_input_internal.h"

/// Every method of the registry through the engine, on a column of each kind.
namespace vigie::engine {
namespace {

struct Drift {
  double shift = 0;  // of the embedding's first number, in sd
  double scale = 1;  // of all of them
  int new_words = 0;
};

MemoryInput rows(std::uint64_t seed, int rows, const Drift& drift = {}) {
  std::mt19937_64 rng(seed);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  std::vector<double> number, flag, time;
  std::vector<std::string> category, text;
  MemoryInput::Lists vector{.width = 12};
  for (int i = 0; i < rows; ++i) {
    number.push_back(normal(rng));
    flag.push_back(uniform(rng) < .3);
    time.push_back((20'000 + 28 * uniform(rng)) * 86.4e9);
    category.push_back(std::string(1, static_cast<char>('a' + static_cast<int>(6 * uniform(rng) * uniform(rng)))));
    std::string words;
    for (int j = static_cast<int>(5 * uniform(rng)); j < 10; ++j)
      words += "w" + std::to_string(10'000 + static_cast<int>(std::pow(4000, uniform(rng))) + drift.new_words) + " ";
    text.push_back(words);
    for (std::size_t j = 0; j < vector.width; ++j)
      vector.values.push_back(drift.scale * normal(rng) + (j == 0 ? drift.shift : 0));
  }
  MemoryInput input("rows of seed " + std::to_string(seed), 500);
  input.add("number", number).add("flag", flag, table::Type::kBoolean).add("time", time, table::Type::kTimestamp);
  input.add("category", category).add("text", text).add("vector", vector);
  return input;
}

Result<Comparison> compared(MemoryInput& reference, MemoryInput& current, const std::vector<MethodChoice>& methods,
                            bool with_rows = true) {
  auto profile = make_profile(reference, {});
  if (!profile) return std::move(profile.error());
  CompareOptions options;
  options.methods = methods;
  options.quality = false;
  if (with_rows) options.reference_rows = &reference;
  return compare(*profile, current, options);
}

std::vector<const ColumnResult*> entries(const Comparison& of, std::string_view method) {
  std::vector<const ColumnResult*> out;
  for (const auto& r : of.windows[0].columns)
    if (r.method == method) out.push_back(&r);
  return out;
}

class SlowMethods : public ::testing::TestWithParam<const drift::Method*> {};

TEST_P(SlowMethods, AreRunOnTheColumnsThatTheyTake) {
  const auto& method = *GetParam();
  auto before = rows(1, 2000), now = rows(2, 600);
  const auto found = compared(before, now, {{{}, std::string(method.name)}});
  ASSERT_TRUE(found);
  const auto taken = columns_of(method);
  std::size_t expected = 0;
  const auto takes = [&](std::string_view kind) { return std::find(taken.begin(), taken.end(), kind) != taken.end(); };
  if (takes("numeric")) expected += 4;  // beside numbers times, lengths and norms
  if (takes("categorical")) expected += 2;
  if (takes("timestamp")) ++expected;
  if (takes("text")) ++expected;
  if (takes("embedding") && !takes("numeric")) ++expected;
  const auto its = entries(*found, method.name);
  EXPECT_EQ(its.size(), expected);
  for (const auto* r : its) {
    EXPECT_NE(r->verdict, Verdict::kNoData) << r->column << ": " << r->reason;
    EXPECT_NE(r->verdict, Verdict::kDrift) << r->column << ": " << r->reason;
    EXPECT_FALSE(std::isnan(r->statistic) || std::isnan(r->p_value)) << r->column;
    EXPECT_FALSE(r->null.empty()) << r->column;
    const auto again = compared(before, now, {{r->column, std::string(method.name)}});
    ASSERT_TRUE(again);
    const auto own = entries(*again, method.name);
    EXPECT_TRUE(std::any_of(own.begin(), own.end(), [&](const auto* o) {
      return o->column == r->column && (o->p_value == r->p_value || o->null == "simulated");
    })) << r->column;
  }
}

TEST_P(SlowMethods, SayWhatTheyDoNotTake) {
  const auto& method = *GetParam();
  const auto taken = columns_of(method);
  const bool numbers = std::find(taken.begin(), taken.end(), "numeric") != taken.end();
  const std::string column = numbers ? "category" : "number";
  if (numbers && (method.accepts & drift::kCategorical)) GTEST_SKIP();
  auto before = rows(1, 300), now = rows(2, 300);
  const auto found = compared(before, now, {{column, std::string(method.name)}});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().message, "--method " + column + "=" + std::string(method.name) + ": " +
                                       std::string(method.name) + " does not take " +
                                       (numbers ? "categorical" : "numeric") + " columns");
}

INSTANTIATE_TEST_SUITE_P(All, SlowMethods, ::testing::ValuesIn(drift::methods().begin(), drift::methods().end()),
                         [](const auto& of) { return std::string(of.param->name); });

TEST(SlowMethodsOfRows, SeeWhatTheyAreFor) {
  auto before = rows(1, 3000), moved = rows(2, 1000, {.shift = .6}), wider = rows(3, 1000, {.scale = 1.5}),
       renewed = rows(4, 1000, {.new_words = 700});
  const auto verdict = [&](MemoryInput& now, const char* column, const char* method) {
    const auto found = compared(before, now, {{column, method}});
    EXPECT_TRUE(found);
    const auto its = entries(*found, method);
    EXPECT_EQ(its.size(), 1U);
    EXPECT_EQ(its[0]->n_reference, 3000);
    return its[0]->verdict;
  };
  EXPECT_EQ(verdict(moved, "vector", "centroid_distance"), Verdict::kDrift);
  EXPECT_EQ(verdict(moved, "vector", "domain_classifier"), Verdict::kDrift);
  EXPECT_GE(verdict(moved, "vector", "mmd"), Verdict::kWarning);
  EXPECT_EQ(verdict(wider, "vector", "centroid_distance"), Verdict::kOk);
  EXPECT_EQ(verdict(wider, "vector", "mmd"), Verdict::kDrift);
  EXPECT_EQ(verdict(renewed, "text", "domain_classifier"), Verdict::kDrift);
  EXPECT_EQ(verdict(renewed, "text", "length"), Verdict::kOk);
}

TEST(MethodsOfRows, NeedThem) {
  auto before = rows(1, 300), now = rows(2, 300);
  const auto found = compared(before, now, {{{}, "domain_classifier"}}, false);
  ASSERT_TRUE(found);
  for (const auto* r : entries(*found, "domain_classifier")) {
    EXPECT_EQ(r->verdict, Verdict::kNoData);
    EXPECT_NE(r->reason.find("needs the rows of the reference"), std::string::npos) << r->reason;
  }
}

TEST(SlowMethodsOfRows, OfMoreThanAreKeptAreASample) {
  auto before = rows(1, 7000), now = rows(2, 600, {.shift = 1.5});
  const auto vector = std::vector<MethodChoice>{{"vector", "mmd"}, {"text", "domain_classifier"}};
  const auto once = compared(before, now, vector), again = compared(before, now, vector);
  ASSERT_TRUE(once && again);
  const auto *a = entries(*once, "mmd")[0], *b = entries(*again, "mmd")[0];
  EXPECT_EQ(a->p_value, b->p_value);
  EXPECT_FALSE(a->exact);
  EXPECT_NE(a->reason.find("5,000 of 7,000 rows against 600"), std::string::npos) << a->reason;
}

}  // namespace
}  // namespace vigie::engine
