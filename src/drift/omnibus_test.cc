// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "drift/drift.h"
#include "stats/hypergeometric.h"

namespace vigie::drift {
namespace {

using Counts = std::vector<std::int64_t>;

Score run(const Axis& axis, const Counts& reference, const Counts& current, const Args& args = {}) {
  return omnibus.run(axis, {reference, {}}, {current, {}}, args);
}

struct Numeric {
  Counts reference, current;
  bool lattice;
  double statistic;
  std::vector<double> components;
};

// The recipe's own code: numpy, Smirnov's formula on dense eigenvalues with 64 nodes, scipy for the rest.
const Numeric kNumericCases[] = {
    {{0, 10, 20, 30, 40, 0},
     {3, 14, 20, 40, 22, 1},
     false,
     4.083851124,
     {0.02431214005, 0.05052237742, 0.04964359733, 0.2462311558}},
    {{700, 200, 100}, {640, 230, 130}, true, 7.784693115, {0.003534992345, 0.01298261933, 0.01295443667}},
    {{950, 50}, {900, 100}, true, 18.00900901, {2.198620081e-05, 2.198620081e-05, 2.188239934e-05}},
    {{600, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8,
      8,   8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 0},
     {250, 6, 5, 8, 2, 7, 4, 7, 5, 3, 8, 4, 8, 4, 6, 5, 2, 8, 5, 5, 6, 5, 10, 5, 7, 4,
      8,   2, 9, 1, 3, 2, 2, 7, 5, 6, 6, 9, 6, 3, 6, 4, 3, 2, 6, 8, 3, 5, 11, 4, 9, 6},
     false,
     16.82118442,
     {3.207664426e-06, 2.30123671e-05, 0.0004845232483, 0.003267320039}},
    {{0,  10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10,
      10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10,
      10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10,
      10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 0},
     {2,  9,  8,  6,  7,  7,  9,  9,  11, 9,  13, 7,  10, 8,  15, 10, 12, 11, 11, 8,  10, 7,  12, 7,  4,  8,
      11, 12, 8,  8,  10, 6,  14, 9,  5,  8,  7,  10, 11, 10, 9,  8,  9,  8,  5,  8,  12, 7,  9,  18, 9,  8,
      13, 8,  7,  12, 8,  11, 9,  11, 12, 20, 8,  18, 11, 13, 9,  5,  9,  10, 13, 16, 6,  12, 9,  13, 12, 8,
      12, 5,  13, 14, 8,  10, 11, 11, 14, 9,  18, 6,  12, 7,  11, 13, 12, 15, 14, 12, 11, 5,  11, 9},
     false,
     2.444986783,
     {0.05455853362, 0.3321655294, 0.8355702187, 0.004102723371}},
    {{5, 0, 80, 0, 7, 120, 3, 1, 0, 44},
     {2, 0, 60, 0, 17, 130, 0, 0, 1, 20},
     true,
     2.686179157,
     {0.07984345047, 0.0007330736987, 0.0007211599284}},
    {{1000000, 3000000, 2000000, 500},
     {1001000, 3000900, 1997000, 600},
     true,
     2.126587879,
     {0.1294576893, 0.007755257831, 0.007755254267}},
};

TEST(OmnibusNumeric, MatchesTheRecipe) {
  for (const Numeric& c : kNumericCases) {
    const Score s = run({.kind = kNumeric, .cuts = {}, .centers = {}, .lattice = c.lattice}, c.reference, c.current);
    EXPECT_EQ(s.status, Status::kOk);
    EXPECT_NE(s.null, Null::kSimulated);
    EXPECT_NEAR(s.statistic / c.statistic, 1, 1e-8);
    ASSERT_EQ(s.components.size(), c.components.size());
    for (std::size_t i = 0; i < c.components.size(); ++i) {
      // The first component comes from the three-moment screen where nothing is decided.
      const double tolerance = i == 0 && c.components[i] > .1 ? .05 : 1e-5;
      EXPECT_NEAR(s.components[i].p_value / c.components[i], 1, tolerance) << s.components[i].name;
    }
    double least = 1;
    const std::vector<double> weights = c.lattice ? std::vector{.5, .35, .15} : std::vector{.5, .3, .15, .05};
    for (std::size_t i = 0; i < weights.size(); ++i) least = std::min(least, s.components[i].p_value / weights[i]);
    EXPECT_DOUBLE_EQ(s.p_value, least);
  }
}

struct Categorical {
  Counts reference, current;
  double statistic, pearson, single;
};

// The recipe's own code: exact moments by factorial moments, scipy's hypergeometric.
const Categorical kCategoricalCases[] = {
    {{272, 128, 114, 70, 53, 46, 41, 42, 28, 25, 18, 21, 23, 15, 22, 25, 23, 15, 8, 11},
     {259, 132, 111, 58, 50, 51, 45, 41, 31, 28, 25, 21, 25, 19, 19, 19, 23, 13, 14, 16},
     7.84666205,
     0.9889080122,
     1},
    {{266, 144, 108, 69, 50, 45, 43, 40, 34, 30, 24, 17, 21, 20, 16, 20, 13, 14, 16, 10},
     {9, 5, 3, 1, 5, 1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 0, 2, 0, 0},
     0.1720428657,
     0.6824479335,
     0.7390936443},
    {{50, 50}, {70, 30}, 8.333333333, 0.003918486808, 0.01187468233},
    {{2313, 1148, 687, 580, 460, 398, 339, 300, 257, 289, 234, 190, 172, 171, 153, 149, 131, 137, 143, 137, 127,
      109,  101,  107, 96,  85,  81,  66,  77,  82,  81,  84,  63,  67,  60,  58,  52,  66,  67,  83,  0},
     {58, 46, 19, 18, 14, 20, 6, 9, 12, 6, 5, 6, 4, 8, 2, 3, 2, 5, 3, 6, 6,
      6,  2,  0,  2,  6,  3,  0, 3, 4,  4, 2, 3, 2, 0, 0, 2, 0, 2, 1, 6},
     17.58937196,
     0.2275100705,
     5.355698891e-08},
    {{400, 300, 2, 1, 0, 0, 5}, {100, 210, 0, 0, 3, 1, 0}, 53.23311029, 1.465484039e-12, 7.276253366e-13},
};

TEST(OmnibusCategorical, MatchesTheRecipe) {
  for (const Categorical& c : kCategoricalCases) {
    const Score s = run({.kind = kCategorical, .cuts = {}, .centers = {}}, c.reference, c.current);
    EXPECT_EQ(s.status, Status::kOk);
    EXPECT_NEAR(s.statistic / c.statistic, 1, 1e-8);
    ASSERT_EQ(s.components.size(), 2U);
    EXPECT_NEAR(s.components[0].p_value / c.pearson, 1, 1e-6);
    EXPECT_NEAR(s.components[1].p_value / c.single, 1, 1e-6);
    EXPECT_DOUBLE_EQ(s.p_value, std::min(1.0, std::min(s.components[0].p_value / .7, s.components[1].p_value / .3)));
  }
}

TEST(OmnibusNumeric, RangeNeedsNoReferenceRowsThere) {
  const Axis axis{.kind = kNumeric, .cuts = {}, .centers = {}};
  const Score clean = run(axis, {0, 500, 500, 0}, {12, 244, 244, 0});
  const Score merged = run(axis, {3, 500, 497, 0}, {12, 244, 244, 0});
  EXPECT_LT(clean.components[3].p_value, 1e-4);
  EXPECT_EQ(merged.components[3].p_value, 1);
}

TEST(OmnibusNumeric, ReferenceConstantCurrentNot) {
  const Axis axis{.kind = kNumeric, .cuts = {}, .centers = {}, .lattice = true};
  EXPECT_GT(run(axis, {0, 1000, 0}, {0, 999, 1}).p_value, .05);
  const Score s = run(axis, {0, 1000, 0}, {0, 900, 100});
  EXPECT_EQ(s.status, Status::kOk);
  EXPECT_LT(s.p_value, 1e-6);
  EXPECT_FALSE(s.note.empty());
}

// A nearly constant column of two values: every component orders the tables by the same number, so the exact p-value
// is a hypergeometric sum.
TEST(OmnibusNumeric, SimulatedPIsTheExactOne) {
  const Axis axis{.kind = kNumeric, .cuts = {}, .centers = {}, .lattice = true};
  const Counts reference = {960, 40}, current = {91, 9};
  const stats::Hypergeometric law{1100, 49, 100};
  double exact = 0;
  for (std::int64_t y = law.lowest(); y <= law.highest(); ++y) {
    if (std::abs(static_cast<double>(y) - law.mean()) >= 9 - law.mean() - 1e-9) exact += law.pmf(y);
  }
  double sum = 0;
  constexpr int kSeeds = 300;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Score s = run(axis, reference, current, {.seed = seed, .params = {}});
    EXPECT_EQ(s.null, Null::kSimulated);
    sum += s.p_value;
  }
  EXPECT_NEAR(sum / kSeeds / exact, 1, .06);
}

TEST(OmnibusNumeric, SimulationRepeatsAndGoesToTheLevel) {
  const Axis axis{.kind = kNumeric, .cuts = {}, .centers = {}, .lattice = true};
  const Counts reference = {980, 5, 5, 5, 5}, current = {70, 10, 0, 10, 10};
  const Score once = run(axis, reference, current), again = run(axis, reference, current);
  EXPECT_EQ(once.p_value, again.p_value);
  EXPECT_NEAR(once.p_value, 1.0 / 8001, 1e-12);
  const Score deep = run(axis, reference, current, {.level = 1e-3, .params = {}});
  EXPECT_NEAR(deep.p_value, 1.0 / 20001, 1e-12);
}

TEST(OmnibusCategorical, OrderOfCategoriesDoesNotMatter) {
  Counts reference = {900, 301, 299, 40, 7, 6, 1, 0, 13}, current = {400, 180, 120, 33, 0, 9, 2, 5, 1};
  const Axis axis{.kind = kCategorical, .cuts = {}, .centers = {}};
  const Score first = run(axis, reference, current);
  for (int turn = 0; turn < 8; ++turn) {
    std::rotate(reference.begin(), reference.begin() + 1, reference.end());
    std::rotate(current.begin(), current.begin() + 1, current.end());
    const Score s = run(axis, reference, current);
    EXPECT_EQ(s.p_value, first.p_value);
    EXPECT_EQ(s.statistic, first.statistic);
  }
}

}  // namespace
}  // namespace vigie::drift
