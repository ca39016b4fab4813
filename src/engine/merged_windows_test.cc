// SPDX-License-Identifier: Apache-2.0
#include "engine/merged_windows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "engine/kept_counts.h"
#include "engine/memory_input_internal.h"

namespace vigie::engine {
namespace {

constexpr std::int64_t kRows = 200;

WindowSpec by_rows(std::int64_t rows = kRows) {
  WindowSpec spec;
  spec.kind = WindowSpec::Kind::kRows, spec.rows = rows;
  return spec;
}

// Windows of x, with gaps, a colour of which one is new where there is a number for it, and a shop to cut them by.
void fill(MemoryInput& input, std::uint64_t seed, std::int64_t rows, double mean, const std::string& fresh = "") {
  std::mt19937_64 rng(seed);
  std::normal_distribution<double> law(mean);
  std::vector<double> x;
  std::vector<std::string> colour, shop;
  for (std::int64_t i = 0; i < rows; ++i) {
    x.push_back(rng() % 20 == 0 ? NAN : law(rng));
    colour.push_back(!fresh.empty() && i % 10 == 0 ? fresh : rng() % 3 ? "red" : "blue");
    shop.push_back(rng() % 4 ? "north" : "south");
  }
  input.add("x", std::move(x)).add("colour", std::move(colour)).add("shop", std::move(shop));
}

const Profile& reference() {
  static const auto profile = [] {
    MemoryInput input("reference");
    fill(input, 1, 100 * kRows, 0);
    ProfileOptions options;
    options.window = by_rows(), options.segments = {{"shop"}};
    return make_profile(input, options).value();
  }();
  return profile;
}

Tally counted(std::uint64_t seed, double mean, const std::string& fresh = "", std::int64_t windows = 1) {
  MemoryInput input("current");
  fill(input, seed, windows * kRows, mean, fresh);
  TallyOptions options;
  options.segmentations = {1}, options.threads = 1;
  return tally(input, reference(), options).value();
}

CompareOptions options_of(std::int64_t rows = kRows) {
  CompareOptions options;
  options.window = by_rows(rows), options.segments = {{"shop"}}, options.threads = 1, options.quality = false;
  return options;
}

struct Course {
  MergedWindows together;
  std::vector<MergedWindows::Merged> found;

  void add(std::int64_t key, const Tally& rows, bool left_out = false, bool partial = false) {
    LiveWindows::Closed window;
    window.key = key, window.start = key * 1000, window.end = window.start + 1000;
    WindowResult result;
    result.partial = partial;
    MergedWindows anew;
    ASSERT_TRUE(anew.load(together.save()));
    auto one = anew.add(window, result, rows, left_out, reference(), options_of(), "current");
    ASSERT_TRUE(one) << one.error().message;
    if (*one) found.push_back(std::move(**one));
    together = anew;
  }
  const ColumnResult& column(std::string_view name, bool segment = false) const {
    const auto& columns = found.at(0).result.columns;
    return *std::find_if(columns.begin(), columns.end(),
                         [&](const auto& c) { return c.column == name && c.segment.has_value() == segment; });
  }
};

TEST(KeptCounts, AreAddedUpByName) {
  auto sum = read_counts(save_counts(counted(1, 0, "lilac")), reference()).value();
  const auto more = counted(2, 0, "teal"), again = counted(3, 0, "lilac");
  put_in(sum, more, reference()), put_in(sum, again, reference());
  EXPECT_EQ(sum.rows, 3 * kRows);
  const auto at = static_cast<std::size_t>(std::find_if(reference().columns.begin(), reference().columns.end(),
                                                        [](const auto& c) { return c.name == "colour"; }) -
                                           reference().columns.begin());
  ASSERT_EQ(sum.fresh[at], (std::vector<std::string>{"lilac", "teal"}));
  const auto base = reference().columns[at].cells();
  EXPECT_EQ(sum.at(at, 0, 0, 0)->cells[base], 2 * kRows / 10);
  EXPECT_EQ(sum.at(at, 0, 0, 0)->cells[base + 1], kRows / 10);
  EXPECT_EQ(sum.at(at, 0, 0, 0)->rows(), 3 * kRows);
  take_out(sum, again, reference());
  EXPECT_EQ(sum.at(at, 0, 0, 0)->cells[base], kRows / 10);
  EXPECT_EQ(sum.rows, 2 * kRows);
}

TEST(KeptCounts, TornOnesAreNoneOfThem) {
  const auto saved = save_counts(counted(1, 0));
  for (std::size_t n = 0; n < saved.size(); n += 7) EXPECT_FALSE(read_counts(saved.substr(0, n), reference()));
  EXPECT_FALSE(read_counts(saved + "x", reference()));
}

TEST(MergedWindows, TenWindowsAreComparedOnceTheNextIsThere) {
  Course course;
  std::int64_t rows = 0;
  for (std::int64_t w = 0; w < 20; ++w) {
    EXPECT_EQ(course.found.size(), w > 10 ? 1U : 0U) << w;
    const auto t = counted(static_cast<std::uint64_t>(w), .25);
    if (w < 10) rows += t.rows;
    course.add(w, t);
  }
  ASSERT_EQ(course.found.size(), 1U);
  const auto& merged = course.found[0];
  EXPECT_EQ(merged.key, 0);
  EXPECT_EQ(merged.start, 0);
  EXPECT_EQ(merged.end, 10'000);
  EXPECT_EQ(merged.windows, 10);
  EXPECT_EQ(merged.result.rows, rows);
  EXPECT_FALSE(merged.result.partial);
  EXPECT_GE(merged.result.verdict, Verdict::kWarning);
  EXPECT_EQ(course.column("x").n_current + course.column("x").missing_current, rows);
  EXPECT_NE(course.column("x", true).verdict, Verdict::kNoData) << course.column("x", true).reason;
  EXPECT_EQ(course.column("colour").verdict, Verdict::kOk);
}

// As the same rows in a file, in windows ten times as long.
TEST(MergedWindows, ComeToWhatTheRowsDo) {
  std::mt19937_64 rng(9);
  std::normal_distribution<double> law(.3);
  std::vector<double> x;
  std::vector<std::string> colour, shop;
  for (std::int64_t i = 0; i < 11 * kRows; ++i)
    x.push_back(law(rng)), colour.push_back(i % 10 ? "red" : "lilac"), shop.push_back(i % 3 ? "north" : "south");
  const auto input = [&](std::int64_t from, std::int64_t to) {
    const auto part = [&](const auto& list) {
      return std::remove_cvref_t<decltype(list)>(list.begin() + from, list.begin() + to);
    };
    MemoryInput out("current");
    out.add("x", part(x)).add("colour", part(colour)).add("shop", part(shop));
    return out;
  };
  TallyOptions counting;
  counting.segmentations = {1}, counting.threads = 1;
  Course course;
  for (std::int64_t w = 0; w < 11; ++w) {
    auto rows = input(w * kRows, (w + 1) * kRows);
    course.add(w, tally(rows, reference(), counting).value());
  }
  auto profile = reference();  // which tells nothing of longer windows
  profile.window_count = 0, profile.window = {};
  auto rows = input(0, 10 * kRows);
  const auto once = compare(profile, rows, options_of(10 * kRows)).value();
  ASSERT_EQ(once.windows.size(), 1U);
  ASSERT_EQ(once.windows[0].columns.size(), course.found.at(0).result.columns.size());
  for (std::size_t i = 0; i < once.windows[0].columns.size(); ++i) {
    const auto &one = once.windows[0].columns[i], &other = course.found[0].result.columns[i];
    EXPECT_EQ(one.column, other.column);
    EXPECT_EQ(one.segment, other.segment);
    EXPECT_EQ(one.statistic, other.statistic) << one.column;
    EXPECT_EQ(one.effect, other.effect) << one.column;
    EXPECT_LE(one.p_value, other.p_value) << one.column;
  }
  EXPECT_EQ(course.column("colour").verdict, Verdict::kDrift);
  EXPECT_EQ(course.column("x").verdict, Verdict::kDrift);
}

TEST(MergedWindows, WhatIsLeftOutOrCutOffHasNoPart) {
  Course course;
  for (std::int64_t w = 0; w < 11; ++w)
    course.add(w, counted(static_cast<std::uint64_t>(w), w == 3 ? 5 : 0), w == 3, w == 4);
  ASSERT_EQ(course.found.size(), 1U);
  EXPECT_EQ(course.found[0].windows, 8);
  EXPECT_EQ(course.found[0].result.rows, 8 * kRows);
  EXPECT_EQ(course.found[0].result.verdict, Verdict::kOk);

  Course few;  // of ten windows eight are needed
  for (std::int64_t w = 0; w < 11; ++w) few.add(w, counted(static_cast<std::uint64_t>(w), 0), w < 3);
  EXPECT_TRUE(few.found.empty());
}

TEST(MergedWindows, ThoseThatComeAgainCountOnce) {
  Course course;
  for (std::int64_t w = 0; w < 10; ++w) course.add(w, counted(static_cast<std::uint64_t>(w), 0));
  course.add(3, counted(3, 9)), course.add(9, counted(9, 9));
  course.add(10, counted(10, 0)), course.add(5, counted(5, 9));
  ASSERT_EQ(course.found.size(), 1U);
  EXPECT_EQ(course.found[0].result.rows, 10 * kRows);
}

TEST(MergedWindows, MinutesAreByTheHour) {
  const auto minutes = calendar_windows("20m").value();
  const auto hours = MergedWindows::longer(minutes).value();
  EXPECT_EQ(to_string(hours), "hour");
  EXPECT_EQ(hours, calendar_windows("hour").value());
  auto options = options_of();
  options.window = minutes;
  constexpr std::int64_t kLength = 1'200'000'000;
  MergedWindows together;
  std::vector<MergedWindows::Merged> found;
  for (std::int64_t key = 1; key < 9; ++key) {  // two of the first hour, three of the next
    LiveWindows::Closed window;
    window.key = key, window.start = key * kLength, window.end = window.start + kLength;
    auto one =
        together.add(window, {}, counted(static_cast<std::uint64_t>(key), 0), key == 1, reference(), options, "c");
    ASSERT_TRUE(one) << one.error().message;
    if (*one) found.push_back(std::move(**one));
  }
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].windows, 3);
  EXPECT_EQ(found[0].start, 3 * kLength);
  EXPECT_EQ(found[0].end, 6 * kLength);
  EXPECT_EQ(found[0].result.start, "1970-01-01T01:00:00Z");
}

TEST(MergedWindows, LongerOnesAreNotPutTogether) {
  WindowSpec spec;
  spec.kind = WindowSpec::Kind::kHour, spec.zone = "Europe/Paris";
  const auto day = MergedWindows::longer(spec);
  ASSERT_TRUE(day);
  EXPECT_EQ(to_string(*day), "day (Europe/Paris)");
  EXPECT_EQ(to_string(*MergedWindows::longer(*day)), "week (Europe/Paris)");
  EXPECT_FALSE(MergedWindows::longer(*MergedWindows::longer(*day)));
  EXPECT_FALSE(MergedWindows::longer(WindowSpec()));
}

TEST(MergedWindows, TornStateIsNone) {
  Course course;
  course.add(0, counted(0, 0));
  const auto saved = course.together.save();
  MergedWindows anew;
  EXPECT_FALSE(anew.load(saved.substr(0, saved.size() / 2)));
  EXPECT_EQ(anew.save(), MergedWindows().save());
}

}  // namespace
}  // namespace vigie::engine
