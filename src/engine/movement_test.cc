// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "engine/movement_internal.h"

namespace vigie::engine {
namespace {

using Values = std::vector<double>;

Values drawn(std::uint64_t seed, const std::function<double(double)>& from_normal) {
  std::mt19937_64 rng(seed);
  std::normal_distribution<double> law;
  Values v(20'000);
  for (auto& x : v) x = from_normal(law(rng));
  return v;
}

std::string told(Values reference, const Values& current, ColumnType type = ColumnType::kNumeric,
                 const Known& known = {}) {
  ColumnProfile column;
  column.type = type;
  std::sort(reference.begin(), reference.end());
  std::vector<Tie> ties;
  for (double v : reference) {
    if (ties.empty() || ties.back().value != v) ties.push_back({v, 0});
    ++ties.back().count;
  }
  column.bins = make_bins(ties);
  std::vector<std::int64_t> counts(column.bins.counts.size());
  const auto& cuts = column.bins.cuts;
  for (double v : current)
    ++counts[static_cast<std::size_t>(std::upper_bound(cuts.begin(), cuts.end(), v) - cuts.begin())];
  return movement(column, column.bins.counts, counts, {}, known);
}

TEST(Movement, LargeNumbersThatDifferLittleAreToldApart) {
  Values seconds, late, stands;
  for (int i = 0; i < 20'000; ++i) seconds.push_back(1.7e9 + i % 4000);
  for (int i = 0; i < 20'000; ++i) late.push_back(1.7e9 + 2000 + i % 2000);
  stands.assign(500, 1.7e9 + 1234);
  auto median = told(seconds, late), still = told(seconds, stands);
  EXPECT_TRUE(median.starts_with("median 1,700,002,0")) << median;
  EXPECT_NE(median.find(" → 1,700,003,0"), std::string::npos) << median;
  EXPECT_TRUE(still.starts_with("between 1,700,001,2")) << still;
}

TEST(Movement, BeyondTheReferenceWhatIsKnownOfTheValuesIsTold) {
  Values usual, far;
  for (int i = 0; i < 1000; ++i) usual.push_back(i % 100), far.push_back(1000 + i);
  const auto to = [&](const Known& known) {
    const auto text = told(usual, far, ColumnType::kNumeric, known);
    return text.substr(text.find("→"));
  };
  EXPECT_EQ(to({}), "→ above 99");
  EXPECT_EQ(to({1000, 1999, NAN}), "→ above 99 (up to 1999)");
  EXPECT_EQ(to({1000, 1999, 1500}), "→ 1500");
  EXPECT_EQ(to({1234, 1234, NAN}), "→ 1234");
  for (auto& v : far) v = -v;
  EXPECT_EQ(to({-1999, -1000, NAN}), "→ below 0 (down to -1999)");
}

TEST(Movement, OneValueIsToldAsSuch) {
  EXPECT_EQ(told(Values{0, 0, 0, 0, 0, 0, 1, 1, 1, 1}, Values{0, 0, 0, 0, 0, 0, 0, 0, 1, 1}),
            "the value 0: 60 % → 80 %");
  Values codes;
  for (int i = 0; i < 400; ++i) codes.push_back(1.7e9 + i % 4);
  EXPECT_EQ(told(codes, Values(100, 1.7e9 + 3)), "the value 1,700,000,003: 25 % → 100 %");
}

// Above a zero a cell begins at the next number that there is.
TEST(Movement, NothingIsToldInTheLeastNumberThatThereIs) {
  Values zeros(1000, 0), some;
  for (int i = 0; i < 1000; ++i) some.push_back(i % 10 < 8 ? .5 : 0);
  EXPECT_EQ(told(zeros, some), "median 0 → above 0");
}

TEST(Movement, LengthsAndNormsAreNotToldAsValues) {
  Values mixed;
  for (int i = 0; i < 600; ++i) mixed.push_back(10 + i % 60);
  EXPECT_EQ(told(mixed, Values(100, 43), ColumnType::kText), "the length 43: 1.67 % → 100 %");
  Values halves{0, 0, 0, 0, 0, 0, 1, 1, 1, 1}, fewer{0, 0, 0, 0, 0, 0, 0, 0, 1, 1};
  EXPECT_EQ(told(halves, fewer, ColumnType::kEmbedding), "the norm 0: 60 % → 80 %");
  // Some rows leave the range, and no quantile that is told moves.
  Values wide, shorter;
  for (int i = 0; i < 1000; ++i) wide.push_back(i < 200 ? 5 : 9);
  shorter = wide;
  for (std::size_t i = 0; i < 50; ++i) shorter[i < 25 ? i : i + 500] = 2;
  EXPECT_EQ(told(wide, shorter, ColumnType::kText), "lengths below 5: 0 % → 5 %");
  EXPECT_EQ(told(wide, shorter, ColumnType::kEmbedding), "norms below 5: 0 % → 5 %");
  EXPECT_EQ(told(wide, shorter), "below 5: 0 % → 5 %");
  for (auto& v : shorter)
    if (v == 2) v = 20;
  EXPECT_TRUE(told(wide, shorter, ColumnType::kText).starts_with("lengths above 9: 0 % → 5 %"))
      << told(wide, shorter, ColumnType::kText);
  Values seconds;
  for (int i = 0; i < 20'000; ++i) seconds.push_back(1.7e9 + i % 4000);
  auto still = told(seconds, Values(500, 1.7e9 + 1234), ColumnType::kText);
  EXPECT_TRUE(still.starts_with("lengths between 1,700,001,2")) << still;
}

TEST(Movement, AnotherSpreadIsToldByTheMiddle) {
  auto before = drawn(1, [](double z) { return 10 + 2 * z; }), now = drawn(2, [](double z) { return 10.05 + 4 * z; });
  auto wider = told(before, now), narrower = told(now, before);
  EXPECT_TRUE(wider.starts_with("middle 80 %: 7.38")) << wider;
  EXPECT_NE(wider.find(" → 4.71"), std::string::npos) << wider;
  EXPECT_TRUE(narrower.starts_with("middle 80 %: 4.86")) << narrower;
  EXPECT_TRUE(told(before, now, ColumnType::kText).starts_with("middle 80 % of lengths: ")) << wider;
}

TEST(Movement, AShiftIsToldByTheMedian) {
  auto normal = drawn(1, [](double z) { return 10 + 2 * z; });
  auto moved = told(normal, drawn(2, [](double z) { return 12 + 2 * z; }));
  EXPECT_TRUE(moved.starts_with("median 10 → 12") || moved.starts_with("median 9.99 → 12")) << moved;
  auto skewed =
      told(drawn(1, [](double z) { return std::exp(z); }), drawn(2, [](double z) { return 1.5 * std::exp(z); }));
  EXPECT_TRUE(skewed.starts_with("median ")) << skewed;
  auto above = told(normal, Values(300, 1e6));
  EXPECT_TRUE(above.find(" → above ") != std::string::npos) << above;
}

TEST(Movement, AMedianThatHardlyMovesIsNotTold) {
  auto before = drawn(1, [](double z) { return 100 + z; });
  auto now = before;
  for (auto& v : now)
    if (v > 100.5) v += 3;
  EXPECT_TRUE(told(before, now).starts_with("middle 80 %: ")) << told(before, now);
}

}  // namespace
}  // namespace vigie::engine
