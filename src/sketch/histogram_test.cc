// SPDX-License-Identifier: Apache-2.0
#include "sketch/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "sketch/state_test_internal.h"

namespace vigie::sketch {
namespace {

using Values = std::vector<double>;

/// Values on, beside, between and far from the cuts.
Values probes(const Values& cuts) {
  Values values = {0.0, -0.0, 1e-320, -1e-320, 1e308, -1e308, INFINITY, -INFINITY, NAN, -NAN, 1, -1};
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    values.push_back(cuts[i]);
    values.push_back(-cuts[i]);
    values.push_back(std::nextafter(cuts[i], -INFINITY));
    values.push_back(std::nextafter(cuts[i], INFINITY));
    if (i) values.push_back(cuts[i - 1] / 2 + cuts[i] / 2);
  }
  return values;
}

void expect_exact(const Values& cuts) {
  ASSERT_TRUE(std::is_sorted(cuts.begin(), cuts.end()));
  const CutIndex index(cuts);
  ASSERT_EQ(index.cells(), cuts.size() + 1);
  Values values = probes(cuts);
  const auto check = [&] {
    std::vector<std::int64_t> wanted(index.cells(), 1), found = wanted;
    std::vector<std::uint16_t> cells(values.size());
    std::int64_t missing = 0;
    index.locate(values, cells);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::isnan(values[i])) {
        ++missing;
        ASSERT_EQ(cells[i], CutIndex::kNoCell);
        continue;
      }
      const auto cell = static_cast<std::size_t>(std::upper_bound(cuts.begin(), cuts.end(), values[i]) - cuts.begin());
      ++wanted[cell];
      ASSERT_EQ(cells[i], cell) << values[i] << " steps " << index.steps();
      ASSERT_EQ(index.cell(values[i]), cell);
    }
    EXPECT_EQ(index.count(values, found), missing);
    EXPECT_EQ(found, wanted);
  };
  check();
  // Long enough for the separate sets of counters, and no multiple of them.
  const std::size_t once = values.size();
  while (values.size() < 5 * index.cells() + 3)
    values.insert(values.end(), values.begin(), values.begin() + static_cast<long>(once));
  check();
}

Values draw(std::size_t size, std::uint64_t seed, auto shape) {
  Rng rng(seed);
  Values cuts(size);
  for (double& cut : cuts) cut = shape(rng);
  std::sort(cuts.begin(), cuts.end());
  return cuts;
}

TEST(CutIndex, AgreesWithUpperBoundOnOrdinaryCuts) {
  for (std::size_t size : {1, 2, 3, 5, 20, 130, 511, 2048, 4096}) {
    expect_exact(draw(size, size, [](Rng& rng) { return roughly_normal(rng); }));
    expect_exact(draw(size, size, [](Rng& rng) { return std::exp(2 * roughly_normal(rng)); }));
    expect_exact(draw(size, size, [size](Rng& rng) { return static_cast<double>(rng.below(size)); }));
    expect_exact(draw(size, size, [](Rng& rng) { return 1.7e15 + 1e9 * rng.uniform(); }));
    expect_exact(draw(size, size, [](Rng& rng) { return std::tan(3.14159 * (rng.uniform() - 0.5)); }));
  }
}

TEST(CutIndex, AgreesWithUpperBoundOnAdversarialCuts) {
  expect_exact({});
  expect_exact({0.0});
  expect_exact({-0.0});
  expect_exact({5e-324});
  expect_exact({-5e-324, 0.0, 5e-324});
  expect_exact({-1.7e308, 1.7e308});
  expect_exact({-INFINITY, 0, INFINITY});
  expect_exact({-INFINITY});
  expect_exact({3, 3, 3, 3, 3});
  expect_exact({0.0, 5e-324, 1, std::nextafter(1, 2), 2, std::nextafter(2, 3)});  // atoms with cells of their own
  for (double at : {1.0, -1e-300, 1e300, 0.0}) {
    Values cuts = {at};
    for (int i = 0; i < 1000; ++i) cuts.push_back(std::nextafter(cuts.back(), INFINITY));
    expect_exact(cuts);
    cuts.push_back(1e307);
    std::sort(cuts.begin(), cuts.end());
    expect_exact(cuts);
    cuts.insert(cuts.begin(), -1e307);
    expect_exact(cuts);
  }
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {  // any bit pattern
    expect_exact(draw(1 + seed * 7, seed, [](Rng& rng) {
      for (;;) {
        const auto value = std::bit_cast<double>(rng());
        if (!std::isnan(value)) return value;
      }
    }));
  }
}

TEST(CutIndex, OrdinaryCutsNeedFewSteps) {
  EXPECT_LE(CutIndex(draw(130, 1, [](Rng& rng) { return roughly_normal(rng); })).steps(), 3U);
  EXPECT_LE(CutIndex(draw(130, 1, [](Rng& rng) { return std::exp(2 * roughly_normal(rng)); })).steps(), 3U);
}

TEST(CutIndex, TooManyCutsAreDropped) {
  Values cuts(5000);
  for (std::size_t i = 0; i < cuts.size(); ++i) cuts[i] = static_cast<double>(i);
  EXPECT_EQ(CutIndex(cuts).cells(), CutIndex::kMostCuts + 1);
}

}  // namespace
}  // namespace vigie::sketch
