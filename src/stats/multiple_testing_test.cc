// SPDX-License-Identifier: Apache-2.0
#include "stats/multiple_testing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/rng.h"

namespace vigie::stats {
namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();

void expect_adjusted(const std::vector<double>& p, const std::vector<double>& expected) {
  const auto q = benjamini_hochberg(p);
  ASSERT_EQ(q.size(), expected.size());
  for (std::size_t i = 0; i < q.size(); ++i) {
    if (std::isnan(expected[i])) {
      EXPECT_TRUE(std::isnan(q[i])) << i;
    } else {
      EXPECT_NEAR(q[i], expected[i], 1e-15) << i;
    }
  }
}

TEST(BenjaminiHochberg, NothingIsNothing) {
  expect_adjusted({}, {});
}
TEST(BenjaminiHochberg, OneStays) {
  expect_adjusted({.03}, {.03});
}
TEST(BenjaminiHochberg, StepsUp) {
  expect_adjusted({.04, .01, .03, .5}, {.16 / 3, .04, .16 / 3, .5});
}
TEST(BenjaminiHochberg, TiesAreEqual) {
  expect_adjusted({.02, .02, .02, 1}, {.08 / 3, .08 / 3, .08 / 3, 1});
}
TEST(BenjaminiHochberg, ZeroAndOne) {
  expect_adjusted({0, 1, 1}, {0, 1, 1});
}
TEST(BenjaminiHochberg, NanIsNoMember) {
  expect_adjusted({kNan, .01, kNan, .5}, {kNan, .02, kNan, .5});
}
TEST(BenjaminiHochberg, OnlyNan) {
  expect_adjusted({kNan, kNan}, {kNan, kNan});
}

TEST(BenjaminiHochberg, AgreesWithTheStepUpRule) {
  Rng rng(7);
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<double> p(1 + rng.below(40));
    for (auto& x : p) x = std::floor(200 * rng.uniform() * rng.uniform()) / 200;  // with ties
    const double level = .05 + .2 * rng.uniform();
    auto sorted = p;
    std::ranges::sort(sorted);
    double bound = -1;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      if (sorted[i] * static_cast<double>(p.size()) <= level * static_cast<double>(i + 1)) bound = sorted[i];
    }
    const auto q = benjamini_hochberg(p);
    for (std::size_t i = 0; i < p.size(); ++i) {
      EXPECT_EQ(q[i] <= level, p[i] <= bound);
      EXPECT_GE(q[i], p[i]);
      EXPECT_LE(q[i], 1);
    }
  }
}

TEST(BenjaminiHochberg, KeepsTheRateOfAnyFalseAlarm) {
  Rng rng(11);
  for (const std::size_t members : {1U, 20U, 200U}) {
    const int trials = 4000;
    int alarms = 0;
    std::vector<double> p(members);
    for (int trial = 0; trial < trials; ++trial) {
      for (auto& x : p) x = rng.uniform();
      alarms += std::ranges::min(benjamini_hochberg(p)) <= .05;
    }
    // Simes' inequality is an equality for independent tests; 5 standard errors.
    EXPECT_NEAR(alarms / double{trials}, .05, 5 * std::sqrt(.05 * .95 / trials)) << members;
  }
}

}  // namespace
}  // namespace vigie::stats
