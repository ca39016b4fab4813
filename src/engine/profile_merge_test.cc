// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <set>

#include "engine/compare.h"
#include "engine/memory_input_internal.h"
#include "engine/profile.h"

namespace vigie::engine {
namespace {

using Texts = std::vector<std::string>;

// Rows of names "n<first>" and up whose frequency falls by `power` of their rank; 0 is uniform.
Texts names(std::int64_t rows, int first, int count, double power, std::uint64_t seed) {
  std::vector<double> weights;
  for (int i = 0; i < count; ++i) weights.push_back(std::pow(i + 1, -power));
  std::discrete_distribution<int> law(weights.begin(), weights.end());
  std::mt19937_64 rng(seed);
  Texts out;
  for (std::int64_t i = 0; i < rows; ++i) out.push_back("n" + std::to_string(first + law(rng)));
  return out;
}

Texts together(Texts a, const Texts& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Profile profile_of(const Texts& values, const Texts& segments = {}) {
  MemoryInput input("rows");
  input.add("c", values);
  ProfileOptions options;
  if (!segments.empty()) input.add("s", segments), options.segments = {{"s"}}, options.roles.ignore = {"s"};
  auto profile = make_profile(input, options);
  EXPECT_TRUE(profile) << (profile ? "" : profile.error().message);
  return std::move(*profile);
}

Profile merged(const Profile& a, const Profile& b) {
  auto m = merge_profiles(a, b);
  EXPECT_TRUE(m) << (m ? "" : m.error().message);
  // As it is stored: a merged profile is a profile like any other.
  auto again = load_profile(save_profile(*m), "merged");
  EXPECT_TRUE(again) << (again ? "" : again.error().message);
  return std::move(*again);
}

std::map<std::string, std::int64_t> counts(const ColumnProfile& c) {
  std::map<std::string, std::int64_t> out;
  for (const auto& k : c.categories) out[k.name] = k.count;
  return out;
}

ColumnResult compared(const Profile& reference, const Texts& values) {
  MemoryInput current("current");
  current.add("c", values);
  auto result = compare(reference, current, {});
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  return result->windows[0].columns[0];
}

bool noted(const Profile& p, std::string_view text) {
  return std::any_of(p.notes.begin(), p.notes.end(), [&](const auto& n) { return n.find(text) != n.npos; });
}

TEST(ProfileMerge, AHalfAndAWholeWeighAlikeInEitherOrder) {
  auto left = names(20'000, 0, 3000, .5, 1);
  Texts right(10'001, "n0");
  for (std::size_t i = 0; i < 2000; ++i) right[i].clear();
  auto half = profile_of(left), whole = profile_of(right);
  ASSERT_TRUE(half.columns[0].halved);
  ASSERT_FALSE(whole.columns[0].halved);
  for (bool first : {true, false}) {
    auto m = first ? merged(half, whole) : merged(whole, half);
    const auto& c = m.columns[0];
    EXPECT_TRUE(c.halved);
    // 8001 rows and 2000 missing ones of the whole: half are counted, none is lost.
    EXPECT_EQ(c.whole().rows(), half.columns[0].whole().rows() + 4000);
    EXPECT_EQ(c.whole().missing, 1000);
    EXPECT_EQ(c.whole().total_rows(), 28'001);
    EXPECT_EQ(c.whole().total_missing(), 2000);
    EXPECT_EQ(counts(c)["n0"], counts(half.columns[0])["n0"] + 4000);
    EXPECT_TRUE(noted(m, "half of the rows of rows are not counted")) << m.notes.size();
    EXPECT_LT(c.error_bound, .001);
  }
}

TEST(ProfileMerge, ANameStaysWhereTheOtherSideIsKnownToLackIt) {
  auto many = profile_of(names(20'000, 0, 3000, .5, 1)), few = profile_of({"n0", "n0", "x", "x", "x", "x"});
  for (bool first : {true, false}) {
    auto m = first ? merged(many, few) : merged(few, many);
    const auto& c = m.columns[0];
    // `few` has no others: what it does not know, it lacks. But x may lie among the others of `many`.
    EXPECT_EQ(c.categories.size(), many.columns[0].categories.size());
    EXPECT_EQ(counts(c).count("x"), 0U);
    EXPECT_EQ(c.other, many.columns[0].other + 2);
    EXPECT_TRUE(noted(m, "1 value, ")) << m.notes.back();
    EXPECT_NEAR(c.error_bound, 3 / static_cast<double>(c.whole().rows()), 1e-9);  // two of x, one of rounding
    EXPECT_FALSE(c.exact);
  }
}

TEST(ProfileMerge, AllNamesThatFitStay) {
  auto m = merged(profile_of({"a", "a", "b"}), profile_of({"c", "a", "c", "c"}));
  const auto& c = m.columns[0];
  EXPECT_EQ(counts(c), (std::map<std::string, std::int64_t>{{"a", 3}, {"b", 1}, {"c", 3}}));
  EXPECT_EQ(c.categories[0].name, "a");  // by falling count, then name
  EXPECT_EQ(c.categories[1].name, "c");
  EXPECT_TRUE(c.exact);
  EXPECT_FALSE(c.halved);
  EXPECT_TRUE(m.notes.empty());
}

// The contract: a merged profile gives the whole's verdicts, effects within 0.01.
TEST(ProfileMerge, ManyCategoriesGiveTheVerdictsOfTheWhole) {
  auto left = names(60'000, 0, 4000, 1, 1), right = names(40'000, 0, 400, 1, 2);
  auto whole = profile_of(together(left, right)), half = profile_of(left), few = profile_of(right);
  auto same = together(names(6000, 0, 4000, 1, 3), names(4000, 0, 400, 1, 4)), other = names(10'000, 100, 2000, .8, 5);
  for (const auto& current : {same, other}) {
    auto want = compared(whole, current);
    for (bool first : {true, false}) {
      auto got = compared(first ? merged(half, few) : merged(few, half), current);
      EXPECT_EQ(got.verdict, want.verdict) << got.reason;
      EXPECT_NEAR(got.effect, want.effect, .01);
    }
  }
  EXPECT_EQ(compared(whole, same).verdict, Verdict::kOk);
  EXPECT_EQ(compared(whole, other).verdict, Verdict::kDrift);
}

TEST(ProfileMerge, NamesThatDoNotFitAreChosenByRowsThatAreNotCounted) {
  // 1500 names, equally frequent. The thousand that happen to be most frequent are not: all rows counted, they would
  // seem to hold a tenth more than they do.
  auto left = names(5000, 0, 900, 0, 1), right = names(5000, 600, 900, 0, 2);
  auto a = profile_of(left), b = profile_of(right);
  ASSERT_FALSE(a.columns[0].halved || b.columns[0].halved);
  auto m = merged(a, b);
  const auto& c = m.columns[0];
  EXPECT_TRUE(c.halved);
  EXPECT_LE(c.categories.size(), kCategories);
  EXPECT_EQ(c.whole().total_rows(), 10'000);
  EXPECT_NEAR(static_cast<double>(c.whole().rows()), 5000, 250);
  EXPECT_TRUE(noted(m, "more categories than are kept"));
  auto current = together(names(40'000, 0, 900, 0, 3), names(40'000, 600, 900, 0, 4));
  double others = 0;
  auto known = counts(c);
  for (const auto& v : current) others += known.count(v) == 0;
  EXPECT_NEAR(static_cast<double>(c.other) / static_cast<double>(c.whole().rows()), others / 80'000, .025);
  EXPECT_EQ(compared(m, current).verdict, Verdict::kOk);
  EXPECT_EQ(counts(merged(b, a).columns[0]), known);
}

TEST(ProfileMerge, SegmentsSumToTheWhole) {
  auto left = names(9000, 0, 900, 0, 1), right = names(9000, 600, 900, 0, 2);
  Texts by;
  for (int i = 0; i < 9000; ++i) by.push_back(i % 3 == 0 ? "u" : "v");
  auto many = names(9000, 0, 3000, .5, 3);
  auto a = profile_of(left, by), b = profile_of(right, by), halved = profile_of(many, by);
  ASSERT_TRUE(halved.columns[0].halved);
  for (const auto& m : {merged(a, b), merged(halved, a), merged(a, halved)}) {
    const auto& c = m.columns[0];
    ASSERT_EQ(c.parts[1].size(), 2U);
    Counts sum;
    for (const auto& part : c.parts[1]) {
      sum.merge(part.counts);
      EXPECT_GT(part.counts.rows(), 2000);
    }
    EXPECT_EQ(sum.total_rows(), 18'000);
    for (std::size_t i = 0; i < sum.cells.size(); ++i)
      EXPECT_NEAR(static_cast<double>(sum.cells[i]), static_cast<double>(c.whole().cells[i]), 1) << i;
  }
}

// Rounded down from the first segment on, the first ones would lose their small cells to the last ones.
TEST(ProfileMerge, NoSegmentIsFavouredWhenHalfOfTheRowsIsLeftOut) {
  auto by = [](std::int64_t rows, int count) {
    Texts out;
    for (std::int64_t i = 0; i < rows; ++i) out.push_back("s" + std::to_string(10 + i % count));
    return out;
  };
  auto thinned_a = profile_of(names(12'000, 0, 800, 0, 1), by(12'000, 20)),
       thinned_b = profile_of(names(12'000, 800, 800, 0, 2), by(12'000, 20)),
       half = profile_of(names(12'000, 0, 1600, 0, 3), by(12'000, 20)),
       whole = profile_of(names(12'000, 0, 700, 0, 4), by(12'000, 20));
  ASSERT_FALSE(thinned_a.columns[0].halved || thinned_b.columns[0].halved || whole.columns[0].halved);
  ASSERT_TRUE(half.columns[0].halved);
  for (auto [a, b] : {std::pair{&thinned_a, &thinned_b}, std::pair{&half, &whole}}) {
    auto m = merged(*a, *b), swapped = merged(*b, *a);
    for (std::size_t s = 0; s < m.segments[1].size(); ++s) {
      const auto &p = m.columns[0].parts[1][s].counts, &q = swapped.columns[0].parts[1][s].counts;
      EXPECT_EQ(p.cells, q.cells) << m.segments[1][s];
      EXPECT_EQ(p.total_rows(), 1200);
      EXPECT_NEAR(static_cast<double>(p.rows()), 600, 60) << m.segments[1][s];
      EXPECT_NEAR(static_cast<double>(p.cells.back()) / static_cast<double>(p.rows()),
                  static_cast<double>(m.columns[0].other) / static_cast<double>(m.columns[0].whole().rows()), .09);
    }
    if (a == &half) continue;
    for (std::uint64_t seed = 10; seed < 14; ++seed) {
      MemoryInput current("current");
      current.add("c", together(names(12'000, 0, 800, 0, seed), names(12'000, 800, 800, 0, seed + 100)));
      current.add("s", together(by(12'000, 20), by(12'000, 20)));
      CompareOptions options;
      options.segments = {{"s"}};
      auto result = compare(m, current, options);
      ASSERT_TRUE(result) << result.error().message;
      for (const auto& r : result->windows[0].columns)
        EXPECT_FALSE(r.p_value < 1e-4) << r.segment.value_or("whole") << ": " << r.reason;
    }
  }
}

Profile windowed(const Texts& values, std::int64_t rows) {
  MemoryInput input("rows");
  input.add("c", values);
  ProfileOptions options;
  options.window = {.kind = WindowSpec::Kind::kRows, .rows = rows, .zone = {}};
  auto profile = make_profile(input, options);
  EXPECT_TRUE(profile) << (profile ? "" : profile.error().message);
  return std::move(*profile);
}

// What a trace tells of a category is the same whatever the order in which the profile knows its categories.
TEST(ProfileMerge, WindowsFollowTheirCategoriesIntoAnotherOrder) {
  auto rows = [](int a, int b, int c) {  // of 100
    Texts out;
    for (int i = 0; i < 1000; ++i)
      for (auto [name, count] :
           {std::pair{"a", a}, std::pair{"b", b}, std::pair{"c", c}, std::pair{"", 100 - a - b - c}})
        if (i % 10 == 0) out.insert(out.end(), static_cast<std::size_t>(count), name);
    return out;
  };
  auto left = windowed(rows(60, 20, 0), 1000), right = windowed(rows(10, 20, 15), 1000);
  auto m = merged(left, right);
  EXPECT_TRUE(m.notes.empty());
  EXPECT_EQ(m.window_count, 20);
  const auto& part = m.columns[0].parts[0][0];
  ASSERT_EQ(part.windows.size(), 20U);
  ASSERT_EQ(part.missing_windows.size(), 20U);
  ASSERT_EQ(m.columns[0].categories[0].name, "a");
  ASSERT_EQ(m.columns[0].categories[2].name, "c");
  for (std::size_t w = 0; w < 20; ++w) {
    const auto& trace = part.windows[w];
    std::vector<double> want = w < 10 ? std::vector<double>{600, 200, 0} : std::vector<double>{100, 200, 150};
    ASSERT_EQ(trace.arcsine.size(), 3U) << w;
    for (std::size_t i = 0; i < 3; ++i)
      EXPECT_NEAR(trace.arcsine[i], std::asin(std::sqrt((want[i] + .375) / (trace.rows + .75))), 1e-5) << w << i;
    // 800 of 1000 rows have a value on the left, 450 on the right, most of both.
    const auto& gap = part.missing_windows[w];
    EXPECT_NEAR(gap.arcsine[0], std::asin(std::sqrt(((w < 10 ? 800 : 450) + .375) / 1000.75)), 1e-5) << w;
  }
}

TEST(ProfileMerge, SaysWhyThereAreNoWindows) {
  auto a = windowed(names(6000, 0, 10, 0, 1), 500), other = windowed(names(6000, 0, 10, 0, 2), 1000),
       none = profile_of(names(6000, 0, 10, 0, 3)), many = windowed(names(6000, 0, 3000, 0, 3), 500);
  EXPECT_TRUE(noted(merged(a, other), "no healthy windows: rows has windows by 500 rows, rows has windows by 1000"));
  EXPECT_TRUE(noted(merged(none, a), "rows has no windows, rows has windows by 500 rows"));
  EXPECT_TRUE(noted(merged(a, many), "column \"c\" has more categories than are told apart"));
  EXPECT_FALSE(noted(merged(none, none), "windows"));
  Texts numbers;
  for (int i = 0; i < 6000; ++i) numbers.push_back(std::to_string(i * .37));
  auto x = windowed(numbers, 500), y = windowed(Texts(numbers.begin() + 1000, numbers.end()), 500);
  EXPECT_TRUE(noted(merged(x, y), "column \"c\" has other bins in each")) << merged(x, y).notes.size();
}

TEST(ProfileMerge, AsksWhetherAProfileIsMergedWithItself) {
  auto a = profile_of(names(600, 0, 10, 0, 1)), b = profile_of(names(600, 0, 10, 0, 2));
  EXPECT_TRUE(noted(merged(a, a), "each row now counts twice"));
  EXPECT_FALSE(noted(merged(a, b), "each row now counts twice"));
}

TEST(ProfileMerge, DifferentNamesAreCountedThoughNotKept) {
  auto m = merged(profile_of(names(30'000, 0, 3000, 0, 1)), profile_of(names(30'000, 2000, 3000, 0, 2)));
  EXPECT_NEAR(m.columns[0].distinct, 5000, 150);
}

TEST(ProfileMerge, KeepsTheFirstProblemsOnly) {
  auto a = profile_of({"a"}), b = profile_of({"a"});
  a.problems = {"1", "2"}, b.problems = {"3", "4", "5"};
  a.rejected = 2, b.rejected = 7;
  auto m = merged(a, b);
  EXPECT_EQ(m.problems, (Texts{"1", "2", "3"}));
  EXPECT_EQ(m.rejected, 9);
}

}  // namespace
}  // namespace vigie::engine
