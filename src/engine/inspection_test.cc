// SPDX-License-Identifier: Apache-2.0
#include "engine/inspection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "engine/memory_input_internal.h"
#include "engine/quality_counter_internal.h"

namespace vigie::engine {
namespace {

constexpr double kDay = 86400e6, kStart = 19675 * kDay;

struct Rows {
  std::vector<double> x, at;
  std::vector<std::string> kind;
};

// `n` rows over `days` days, in time order or in none.
Rows rows_of(std::size_t n, int days, bool ordered, std::uint64_t seed = 1) {
  std::mt19937_64 rng(seed);
  std::normal_distribution<double> law;
  Rows out;
  std::vector<std::size_t> order(n);
  for (std::size_t i = 0; i < n; ++i) order[i] = i;
  if (!ordered) std::shuffle(order.begin(), order.end(), rng);
  for (const std::size_t i : order) {
    out.x.push_back(i % 17 == 3 ? std::nan("") : law(rng));
    out.at.push_back(kStart + kDay * days * static_cast<double>(i) / static_cast<double>(n));
    out.kind.push_back(std::string(1, static_cast<char>('a' + rng() % 4)));
  }
  return out;
}

MemoryInput input_of(const Rows& rows, std::int64_t batch = 1000) {
  MemoryInput input("rows", batch);
  input.add("x", rows.x).add("kind", rows.kind).add("at", rows.at, table::Type::kTimestamp);
  return input;
}

InspectOptions by_day() {
  InspectOptions options;
  options.roles.timestamp = "at";
  options.window.kind = WindowSpec::Kind::kDay;
  return options;
}

std::string told(const Inspection& inspection) {
  std::string out;
  for (const auto& w : inspection.windows) {
    out += std::to_string(w.index) + " " + std::to_string(w.rows) + "\n";
    for (const auto& q : w.quality)
      out += q.check + " " + q.column.value_or("-") + " " + std::to_string(q.value) + " " + q.verdict + " " + q.reason +
             "\n";
  }
  return out;
}

Inspection inspected(table::Input& input, const QualityReference* reference, const InspectOptions& options) {
  auto found = inspect(input, reference, options);
  EXPECT_TRUE(found) << (found ? "" : found.error().message);
  return std::move(*found);
}

const QualityResult* find(const WindowResult& window, std::string_view check, std::string_view column) {
  for (const auto& q : window.quality)
    if (q.check == check && q.column.value_or("") == column) return &q;
  return nullptr;
}

TEST(Inspect, AnUnfinishedDayIsNoFailureButItsRowsAreLookedAt) {
  const auto rows = rows_of(6000, 6, true);
  auto current = rows_of(3500, 5, true, 2);
  current.x.resize(3150), current.at.resize(3150), current.kind.resize(3150);  // four days and a half
  for (std::size_t i = 2800; i < current.x.size(); ++i) current.x[i] = i % 4 == 1 ? NAN : 50, current.kind[i] = "night";
  std::fill(current.x.end() - 10, current.x.end(), INFINITY);
  auto options = by_day();
  auto learn = input_of(rows);
  const auto reference = learn_quality(learn, options);
  ASSERT_TRUE(reference);
  auto input = input_of(current);
  const auto found = inspected(input, &*reference, options);
  ASSERT_EQ(found.windows.size(), 5U);
  EXPECT_TRUE(found.windows[4].partial);
  EXPECT_EQ(found.summary.fail, 0) << told(found);
  for (const auto* check : {"missing", "out_of_range", "constant"})
    EXPECT_EQ(find(found.windows[4], check, "x")->verdict, "no_data") << check;
  EXPECT_EQ(find(found.windows[4], "new_categories", "kind")->verdict, "no_data");
  EXPECT_EQ(find(found.windows[4], "infinite", "x")->verdict, "warn");
  // All there is in one unfinished window: that is judged, but for its rows' number.
  options.window.kind = WindowSpec::Kind::kMonth;
  auto again = input_of(current);
  EXPECT_NE(find(inspected(again, &*reference, options).windows.at(0), "missing", "x")->verdict, "no_data");
}

// Two days of three hold one value only: that is healthy, and a value that no day had is not.
TEST(Inspect, ADayMayBeMoreAlikeThanTheReferenceOfMany) {
  auto rows = rows_of(6000, 30, true), current = rows_of(2400, 12, true, 2);
  for (auto* side : {&rows, &current})
    for (std::size_t i = 0; i < side->x.size(); ++i)
      if ((i / 200) % 3 != 0) side->x[i] = 0;
  std::fill_n(current.x.begin() + 600, 200, 7.25);
  auto options = by_day();
  auto learn = input_of(rows);
  const auto reference = learn_quality(learn, options);
  ASSERT_TRUE(reference);
  auto input = input_of(current);
  const auto found = inspected(input, &*reference, options);
  ASSERT_EQ(found.windows.size(), 12U);
  for (const auto& window : found.windows) {
    EXPECT_EQ(find(window, "constant", "x")->verdict, window.index == 3 ? "fail" : "pass") << told(found);
    EXPECT_EQ(find(window, "cardinality", "x")->verdict, "no_data");
  }
  // The same of one day alone, without windows.
  Rows day;
  day.x.assign(current.x.begin() + 200, current.x.begin() + 400);
  day.at.assign(current.at.begin() + 200, current.at.begin() + 400);
  day.kind.assign(current.kind.begin() + 200, current.kind.begin() + 400);
  options.window = {};
  auto alone = input_of(day);
  const auto one = inspected(alone, &*reference, options);
  EXPECT_EQ(find(one.windows[0], "constant", "x")->verdict, "pass");
  EXPECT_EQ(find(one.windows[0], "cardinality", "x")->verdict, "no_data");
}

// A day has one weekday of seven; a kind that every day had is another matter.
TEST(Inspect, ADayLacksWhatHealthyDaysLackAsWell) {
  auto rows = rows_of(8400, 42, true), current = rows_of(2800, 14, true, 2);
  const auto name = [](Rows& side) {
    std::vector<std::string> weekday;
    for (const double at : side.at) weekday.push_back(std::to_string(static_cast<int>(std::floor(at / kDay)) % 7));
    return weekday;
  };
  const auto with_weekday = [&](Rows& side) {
    auto input = input_of(side);
    input.add("weekday", name(side));
    return input;
  };
  for (std::size_t i = 1000; i < 1200; ++i)
    if (current.kind[i] == "a") current.kind[i] = "b";
  ProfileOptions making;
  making.roles.timestamp = "at", making.window.kind = WindowSpec::Kind::kDay;
  auto learn = with_weekday(rows);
  const auto profile = make_profile(learn, making);
  ASSERT_TRUE(profile);
  auto loaded = load_profile(save_profile(*profile), "profile");
  ASSERT_TRUE(loaded);
  const auto reference = quality_of(*loaded);
  auto input = with_weekday(current);
  const auto found = inspected(input, &reference, by_day());
  ASSERT_EQ(found.windows.size(), 14U);
  for (const auto& window : found.windows) {
    EXPECT_EQ(find(window, "vanished_categories", "weekday")->verdict, "pass") << told(found);
    EXPECT_EQ(find(window, "vanished_categories", "kind")->verdict, window.index == 5 ? "fail" : "pass");
  }
  // Without windows all of them must be there.
  auto options = by_day();
  options.window = {};
  auto one = rows_of(200, 1, true, 3);
  auto day = with_weekday(one);
  EXPECT_EQ(find(inspected(day, &reference, options).windows[0], "vanished_categories", "weekday")->verdict, "fail");
}

TEST(Inspect, BatchesAndThreadsDoNotMatter) {
  const auto rows = rows_of(6000, 5, true), current = rows_of(5000, 4, true, 2);
  auto options = by_day();
  auto learn = input_of(rows);
  const auto reference = learn_quality(learn, options);
  ASSERT_TRUE(reference);
  options.threads = 1;
  auto whole = input_of(current, 100'000);
  const auto want = told(inspected(whole, &*reference, options));
  for (const std::int64_t batch : {64, 999, 1250}) {
    options.threads = 3;
    auto input = input_of(current, batch);
    EXPECT_EQ(told(inspected(input, &*reference, options)), want) << batch;
  }
}

TEST(Inspect, AWindowIsCheckedAsIfItWereAlone) {
  for (const bool ordered : {true, false}) {
    const auto all = rows_of(4000, 4, ordered);
    auto input = input_of(all, 700);
    const auto found = inspected(input, nullptr, by_day());
    ASSERT_EQ(found.windows.size(), 4U);
    for (int day = 0; day < 4; ++day) {
      Rows one;
      for (std::size_t i = 0; i < all.x.size(); ++i) {
        if (static_cast<int>((all.at[i] - kStart) / kDay) != day) continue;
        one.x.push_back(all.x[i]), one.at.push_back(all.at[i]), one.kind.push_back(all.kind[i]);
      }
      auto alone = input_of(one);
      InspectOptions options;
      options.roles.timestamp = "at";
      const auto want = inspected(alone, nullptr, options);
      const auto &a = found.windows[static_cast<std::size_t>(day)], &b = want.windows[0];
      EXPECT_EQ(a.rows, 1000);
      ASSERT_EQ(a.quality.size(), b.quality.size());
      for (std::size_t i = 0; i < a.quality.size(); ++i) {
        EXPECT_EQ(a.quality[i].check, b.quality[i].check);
        EXPECT_EQ(a.quality[i].reason, b.quality[i].reason) << a.quality[i].check;
      }
    }
  }
}

TEST(Inspect, VolumeIsThatOfTheReferencesWindows) {
  const auto rows = rows_of(20'000, 20, true);
  auto options = by_day();
  auto learn = input_of(rows);
  const auto reference = learn_quality(learn, options);
  ASSERT_TRUE(reference);
  EXPECT_EQ(reference->windows.size(), 20U);
  EXPECT_EQ(reference->windows[3].rows, 1000);
  EXPECT_NEAR(static_cast<double>(reference->windows[3].missing[0]), 1000. / 17, 2);
  auto current = rows_of(3000, 3, true, 4);
  for (auto* column : {&current.x, &current.at}) column->erase(column->begin() + 1000, column->begin() + 1900);
  current.kind.erase(current.kind.begin() + 1000, current.kind.begin() + 1900);
  auto input = input_of(current);
  const auto found = inspected(input, &*reference, options);
  ASSERT_EQ(found.windows.size(), 3U);
  EXPECT_EQ(find(found.windows[0], "volume", "")->verdict, "pass");
  EXPECT_EQ(find(found.windows[1], "volume", "")->verdict, "fail");
  EXPECT_EQ(found.summary.verdict, "fail");
}

TEST(Inspect, BrokenRulesAreToldByTheRowOfTheData) {
  auto rows = rows_of(4000, 4, false);
  Expectation rule;
  rule.kind = Expectation::Kind::kSet;
  rule.column = "kind";
  rule.texts = {"a", "b", "c", "d"};
  auto options = by_day();
  options.rules = {rule};
  std::size_t third = 0;  // a row of the third day in the middle of a batch
  for (std::size_t i = 1500; third == 0; ++i)
    if (static_cast<int>((rows.at[i] - kStart) / kDay) == 2) third = i;
  rows.kind[third] = "z";
  auto input = input_of(rows, 700);
  const auto found = inspected(input, nullptr, options);
  const auto* q = find(found.windows[2], "set", "kind");
  ASSERT_TRUE(q);
  EXPECT_EQ(q->reason, "1 of 1,000 rows break it, row " + std::to_string(third + 1) + " first: \"z\"");
  EXPECT_EQ(find(found.windows[1], "set", "kind")->verdict, "pass");
}

TEST(Inspect, OfAReferenceNothingInCommonIsAnError) {
  const auto rows = rows_of(100, 1, true);
  auto learn = input_of(rows);
  const auto reference = learn_quality(learn, {});
  MemoryInput other("other");
  other.add("y", rows.x);
  const auto found = inspect(other, &*reference, {});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::kInput);
  EXPECT_EQ(found.error().message, "other: no column in common with the reference rows");
}

TEST(Inspect, ColumnsLeftOutAreNotMissed) {
  const auto rows = rows_of(500, 1, true);
  auto learn = input_of(rows);
  const auto reference = learn_quality(learn, {});
  MemoryInput current("current");
  current.add("x", rows.x);
  InspectOptions options;
  options.roles.ignore = {"kind"};
  const auto found = inspected(current, &*reference, options);
  EXPECT_EQ(find(found.windows[0], "schema", "kind"), nullptr);
  EXPECT_EQ(find(found.windows[0], "schema", "at")->verdict, "fail");
}

TEST(Inspect, WhatFeaturesLeaveOutIsNotMissed) {
  const auto rows = rows_of(500, 1, true);
  auto learn = input_of(rows), current = input_of(rows);
  InspectOptions options;
  options.roles.label = "kind";
  const auto reference = learn_quality(learn, options);
  options.roles.label.clear();
  options.roles.features = {"x"};
  const auto found = inspected(current, &*reference, options);
  for (const auto& q : found.windows[0].quality)
    if (q.check == "schema") {
      EXPECT_EQ(q.column, "x") << q.reason;
    }
}

TEST(Inspect, LabelsMayComeLate) {
  const auto rows = rows_of(500, 1, true);
  auto learn = input_of(rows);
  MemoryInput current("current");
  current.add("x", rows.x);
  for (const bool told : {true, false}) {
    InspectOptions options;
    options.roles.timestamp = "at";
    if (told) options.roles.label = "kind";
    const auto reference = learn_quality(learn, options);
    options.roles.timestamp.clear();
    options.roles.label = "kind";
    const auto found = inspected(current, &*reference, options);
    const auto* q = find(found.windows[0], "schema", "kind");
    ASSERT_TRUE(q);
    EXPECT_EQ(q->verdict, "no_data");
    EXPECT_EQ(q->reason, "the current data has no such column; labels often come later");
    EXPECT_EQ(find(found.windows[0], "schema", "at")->verdict, "no_data");
  }
}

// Rows that lie together are alike, and no block of them stands for the rest.
TEST(Inspect, ALargeSortedReferencePassesItself) {
  const std::size_t n = kWholeQuality + 80'000;
  std::vector<double> shop(n), value(n);
  std::vector<std::string> name(n);
  std::mt19937_64 rng(4);
  std::normal_distribution<double> law;
  for (std::size_t i = 0; i < n; ++i) {
    shop[i] = std::floor(static_cast<double>(i) * 100 / static_cast<double>(n));
    name[i] = "shop " + std::to_string(i * 100 / n);
    value[i] = i % 20 == 19 ? value[i - 1] : shop[i] / 100 + law(rng);
  }
  MemoryInput input("rows");
  input.add("shop", shop).add("name", name).add("value", value);
  const auto profile = make_profile(input, {});
  ASSERT_TRUE(profile) << profile.error().message;
  const auto reference = quality_of(*profile);
  EXPECT_EQ(reference.state->rows(), static_cast<std::int64_t>(n));
  EXPECT_NEAR(reference.state->row_repeats().share(), .05, .001);
  const auto found = inspected(input, &reference, {});
  for (const auto& q : found.windows[0].quality)
    EXPECT_TRUE(q.verdict == "pass" || q.check == "volume")
        << q.check << " " << q.column.value_or("-") << " " << q.reason;
}

TEST(Pieces, MisfitsGoWithTheirRows) {
  const std::vector<std::int32_t> groups = {1, 0, -1, 1, 0, 1};
  const std::vector<double> numbers(groups.size(), std::nan(""));
  const std::vector<std::uint32_t> misfits = {0, 2, 3};
  table::Column column;
  column.type = table::Type::kFloat;
  column.numbers = numbers;
  column.misfits = misfits;
  QualityBuffer buffer;
  Pieces pieces;
  pieces.cut(groups);
  const auto values =
      pieces.arrange(quality_values(column, {"x", quality::Kind::kNumber, quality::Role::kFeature}, buffer), buffer);
  ASSERT_EQ(pieces.pieces().size(), 2U);
  EXPECT_EQ(Pieces::part(values, buffer, pieces.pieces()[0]).mismatches, 0);
  EXPECT_EQ(Pieces::part(values, buffer, pieces.pieces()[1]).mismatches, 2);
}

TEST(QualityCounter, OfManyRowsWhatBatchesDoNotChoose) {
  const std::size_t n = kWholeQuality + 50'000;
  std::vector<double> x(n), at(n);
  std::mt19937_64 rng(3);
  for (std::size_t i = 0; i < n; ++i)
    x[i] = static_cast<double>(rng() % 1000), at[i] = kStart + static_cast<double>(i) * 1e6;
  std::vector<std::string> saved;
  for (const std::size_t batch : {n, std::size_t{10'000}, std::size_t{777}}) {
    QualityCounter counter(
        {{"x", quality::Kind::kNumber, quality::Role::kFeature}, {"at", quality::Kind::kTime, quality::Role::kTime}},
        quality::Depth::kAll);
    for (std::size_t from = 0; from < n; from += batch) {
      const std::size_t rows = std::min(batch, n - from);
      counter.begin(static_cast<std::int64_t>(rows));
      table::Column column;
      column.type = table::Type::kFloat;
      column.numbers = std::span(x).subspan(from, rows);
      counter.column(0, column);
      column.type = table::Type::kTimestamp;
      column.numbers = std::span(at).subspan(from, rows);
      counter.column(1, column);
      counter.end();
    }
    const auto state = counter.take();
    EXPECT_EQ(state.rows(), static_cast<std::int64_t>(n));
    EXPECT_EQ(state.find("at")->times().count(), static_cast<std::int64_t>(n));
    EXPECT_LT(state.find("at")->times().gaps().largest[0], 200e6);
    ByteWriter out;
    state.save(out);
    saved.push_back(out.take());
  }
  EXPECT_EQ(saved[0], saved[1]);
  EXPECT_EQ(saved[0], saved[2]);
}

TEST(ProfileQuality, FitsTheFileAndComesBack) {
  const auto rows = rows_of(30'000, 30, true);
  MemoryInput input("rows");
  std::vector<std::string> names;
  for (std::size_t i = 0; i < rows.x.size(); ++i)
    names.push_back("a rather long name of a category " + std::to_string(i % 900));
  input.add("x", rows.x).add("name", names).add("at", rows.at, table::Type::kTimestamp);
  ProfileOptions options;
  options.roles.timestamp = "at", options.window.kind = WindowSpec::Kind::kHour;
  auto profile = make_profile(input, options);
  ASSERT_TRUE(profile) << profile.error().message;
  const auto bytes = save_profile(*profile);
  EXPECT_LE(bytes.size(), 100'000U);
  auto loaded = load_profile(bytes, "p");
  ASSERT_TRUE(loaded) << loaded.error().message;
  ASSERT_TRUE(loaded->quality);
  EXPECT_EQ(loaded->quality->find("x")->missing(), profile->quality->find("x")->missing());
  EXPECT_EQ(loaded->quality_windows.size(), profile->quality_windows.size());
  auto merged = merge_profiles(*loaded, *loaded);
  ASSERT_TRUE(merged) << merged.error().message;
  ASSERT_TRUE(merged->quality);
  EXPECT_EQ(merged->quality->rows(), 60'000);
  EXPECT_TRUE(load_profile(save_profile(*merged), "m"));
}

}  // namespace
}  // namespace vigie::engine
