// SPDX-License-Identifier: Apache-2.0
#include "engine/bins.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace vigie::engine {
namespace {

std::vector<double> uniform(std::size_t n, std::uint64_t seed = 1) {
  Rng rng(seed);
  std::vector<double> v(n);
  for (auto& x : v) x = rng.uniform();
  return v;
}

Bins build(const std::vector<double>& values, std::size_t batch = 1000, bool* again = nullptr) {
  BinBuilder builder;
  auto feed = [&] {
    for (std::size_t i = 0; i < values.size(); i += batch)
      builder.add(std::span(values).subspan(i, std::min(batch, values.size() - i)));
  };
  feed();
  auto bins = builder.finish();
  if (again) *again = !bins;
  if (bins) return *bins;
  builder.start_again();
  feed();
  return builder.finish().value();
}

void expect_sound(const Bins& bins, const std::vector<double>& values) {
  ASSERT_EQ(bins.counts.size(), bins.cuts.size() + 1);
  ASSERT_TRUE(std::is_sorted(bins.cuts.begin(), bins.cuts.end()));
  std::vector<std::int64_t> counts(bins.counts.size());
  for (double v : values)
    ++counts[static_cast<std::size_t>(std::upper_bound(bins.cuts.begin(), bins.cuts.end(), v) - bins.cuts.begin())];
  EXPECT_EQ(counts, bins.counts);
  EXPECT_EQ(bins.counts.front(), 0);
  EXPECT_EQ(bins.counts.back(), 0);
}

TEST(Bins, ContinuousValuesGiveEqualShares) {
  auto values = uniform(12'800);
  auto bins = build(values);
  expect_sound(bins, values);
  EXPECT_EQ(bins.counts.size(), 130U);
  for (std::size_t j = 1; j + 1 < bins.counts.size(); ++j) EXPECT_EQ(bins.counts[j], 100);
  EXPECT_FALSE(bins.lattice);
}

TEST(Bins, BeyondTheBufferCountsAreStillExactAndEven) {
  auto values = uniform(400'000);
  bool again = true;
  auto bins = build(values, 7777, &again);
  EXPECT_FALSE(again);
  expect_sound(bins, values);
  for (std::size_t j = 1; j + 1 < bins.counts.size(); ++j) EXPECT_LT(bins.counts[j], 2 * 400'000 / 128);
  EXPECT_GT(bins.counts.size(), 100U);
}

TEST(Bins, SortedInputAsksForASecondPassAndThenFits) {
  auto values = uniform(400'000);
  std::sort(values.begin(), values.end());
  bool again = false;
  auto bins = build(values, 7777, &again);
  EXPECT_TRUE(again);
  expect_sound(bins, values);
  for (std::size_t j = 1; j + 1 < bins.counts.size(); ++j) EXPECT_LT(bins.counts[j], 2 * 400'000 / 128);
}

TEST(Bins, HowTheInputIsCutUpDoesNotMatter) {
  auto values = uniform(100'000);
  auto a = build(values, 1000), b = build(values, 333);
  EXPECT_EQ(a.cuts, b.cuts);
  EXPECT_EQ(a.counts, b.counts);
  EXPECT_EQ(a.centers, b.centers);
}

TEST(Bins, FewValuesEachHaveACellOfTheirOwn) {
  std::vector<double> values;
  for (int i = 0; i < 100'000; ++i) values.push_back(i % 7);
  auto bins = build(values);
  expect_sound(bins, values);
  EXPECT_TRUE(bins.lattice);
  EXPECT_EQ(std::count_if(bins.counts.begin(), bins.counts.end(), [](auto c) { return c > 0; }), 7);
}

TEST(Bins, AnAtomStandsAlone) {
  auto values = uniform(50'000);
  for (std::size_t i = 0; i < values.size(); i += 2) values[i] = 0.25;
  auto bins = build(values);
  expect_sound(bins, values);
  auto at = std::find(bins.cuts.begin(), bins.cuts.end(), 0.25);
  ASSERT_NE(at, bins.cuts.end());
  EXPECT_EQ(*(at + 1), std::nextafter(0.25, 1.0));
  EXPECT_EQ(bins.counts[static_cast<std::size_t>(at - bins.cuts.begin()) + 1], 25'000);
}

TEST(Bins, OddInput) {
  EXPECT_TRUE(build({}).cuts.empty());
  auto one = build({5.0});
  expect_sound(one, {5.0});
  EXPECT_EQ(one.sd, 0);
  std::vector<double> constant(100'000, -0.0);
  expect_sound(build(constant), constant);
  std::vector<double> huge = {-1e308, 1e308, 5e-324, 0, -5e-324};
  expect_sound(build(huge), huge);
}

TEST(Bins, CoarsenKeepsRowsAndAtoms) {
  auto values = uniform(20'000);
  auto bins = build(values);
  auto twice = bins;
  for (auto& c : twice.counts) c *= 2;
  auto joined = coarsen(twice);
  EXPECT_EQ(std::accumulate(joined.counts.begin(), joined.counts.end(), std::int64_t{0}), 40'000);
  EXPECT_EQ(joined.cuts.front(), bins.cuts.front());
}

}  // namespace
}  // namespace vigie::engine
