// SPDX-License-Identifier: Apache-2.0
#include "stats/empirical_laws.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "stats/weighted_chi2.h"

namespace vigie::stats {
namespace {

// Reference values: scipy 1.17.1.
TEST(EmpiricalLaws, KolmogorovMatchesScipy) {
  EXPECT_NEAR(kolmogorov_sf(.5), 0.9639452436648751, 1e-13);
  EXPECT_NEAR(kolmogorov_sf(.9), 0.3927307079406543, 1e-13);
  EXPECT_NEAR(kolmogorov_sf(1.36), 0.049485876755377876, 1e-14);
  EXPECT_NEAR(kolmogorov_sf(2) / 0.0006709252557796953, 1, 1e-13);
  EXPECT_NEAR(kolmogorov_sf(4) / 2.532833109818835e-14, 1, 1e-13);
}

// Upper percentage points: Stephens 1970, table 1 (the limit).
TEST(EmpiricalLaws, KuiperHasItsPercentagePoints) {
  EXPECT_NEAR(kuiper_sf(1.620), .10, 4e-4);
  EXPECT_NEAR(kuiper_sf(1.747), .05, 2e-4);
  EXPECT_NEAR(kuiper_sf(1.862), .025, 1e-4);
  EXPECT_NEAR(kuiper_sf(2.001), .01, 4e-5);
  EXPECT_NEAR(kuiper_sf(.5), 1, 1e-3);
}

TEST(EmpiricalLaws, CramerVonMisesMatchesScipy) {
  EXPECT_NEAR(cramer_von_mises_sf(.02), 0.9969993856983981, 1e-12);
  EXPECT_NEAR(cramer_von_mises_sf(.1), 0.5848734384067971, 1e-12);
  EXPECT_NEAR(cramer_von_mises_sf(.2), 0.2674704305407771, 1e-12);
  EXPECT_NEAR(cramer_von_mises_sf(.3) / 0.13517126880510733, 1, 1e-6);
  EXPECT_NEAR(cramer_von_mises_sf(.5) / 0.039833217565609313, 1, 1e-6);
  EXPECT_NEAR(cramer_von_mises_sf(1.2) / 0.0008426019154603726, 1, 1e-6);
  EXPECT_NEAR(cramer_von_mises_sf(.25), cramer_von_mises_sf(.25 + 1e-9), 1e-6);
}

TEST(EmpiricalLaws, ExactOnesMatchScipy) {
  EXPECT_NEAR(smirnov_sf(5, 7, 23), 0.11616161616161617, 1e-12);
  EXPECT_NEAR(smirnov_sf(30, 30, 360), 0.015643390496754332, 1e-12);
  EXPECT_NEAR(smirnov_sf(100, 30, 1040), 0.005789677735334561, 1e-12);
  EXPECT_NEAR(smirnov_sf(1000, 100, 14200), 0.04704672711641248, 1e-11);
  EXPECT_NEAR(smirnov_sf(999, 1000, 68439), 0.017246745814768562, 1e-11);
  EXPECT_NEAR(smirnov_sf(10, 8, 80) / 4.570592805886923e-05, 1, 1e-11);
  EXPECT_NEAR(smirnov_sf(1000, 1000, 87000), 0.0010264669536591562, 1e-11);
  EXPECT_NEAR(cramer_von_mises_exact(5, 7, 2210), 0.05808080808080808, 1e-13);
  EXPECT_NEAR(cramer_von_mises_exact(10, 10, 19400), 0.046104050748013596, 1e-13);
  EXPECT_NEAR(cramer_von_mises_exact(12, 20, 173568), 0.011615239880945738, 1e-13);
  EXPECT_NEAR(cramer_von_mises_exact(20, 19, 515333), 0.0039550796720598915, 1e-13);
  EXPECT_NEAR(mann_whitney_cdf(5, 7, 4), 0.015151515151515152, 1e-14);
  EXPECT_NEAR(mann_whitney_cdf(8, 8, 10), 0.010334110334110334, 1e-14);
  EXPECT_NEAR(mann_whitney_cdf(8, 100, 250), 0.03966891367526775, 1e-13);
  EXPECT_NEAR(mann_whitney_cdf(3, 4, 0), 0.02857142857142857, 1e-14);
}

// Two of the C(2n, n) paths stay on one side throughout, and D = 1 on them alone.
TEST(EmpiricalLaws, SmirnovKeepsItsDigitsFarOut) {
  EXPECT_NEAR(smirnov_sf(100, 100, 10000) / (2 / 9.054851465610328e58), 1, 1e-10);
  EXPECT_GT(smirnov_sf(10000, 10000, 90000 * 100), 0);
  EXPECT_EQ(smirnov_sf(30, 40, 0), 1);
  EXPECT_NEAR(smirnov_sf(30, 40, 1), 1, 1e-12);
  EXPECT_EQ(smirnov_sf(30, 40, 1201), 0);
}

TEST(EmpiricalLaws, CramerVonMisesLawOfTies) {
  const std::vector<std::int64_t> fine(500, 3), two = {30, 70}, three = {20, 30, 50};
  CramerVonMisesLaw many(fine);
  EXPECT_NEAR(many.mean(), 1.0 / 6, 1e-6);
  for (const double x : {.25, .5, 1.2}) EXPECT_NEAR(many.sf(x / many.mean()) / cramer_von_mises_sf(x), 1, .02);
  CramerVonMisesLaw pair(two);
  EXPECT_NEAR(pair.sf(5), std::erfc(std::sqrt(2.5)), 1e-12);
  // The eigenvalues of a 2 × 2 matrix.
  const double h1 = .2, h2 = .5, w1 = .25, w2 = .4, a = w1 * h1 * (1 - h1), d = w2 * h2 * (1 - h2);
  const double b2 = w1 * w2 * h1 * h1 * (1 - h2) * (1 - h2), root = std::sqrt((a - d) * (a - d) / 4 + b2);
  const std::vector<double> weights = {(a + d) / 2 + root, (a + d) / 2 - root};
  CramerVonMisesLaw triple(three);
  EXPECT_NEAR(triple.mean(), a + d, 1e-15);
  EXPECT_NEAR(triple.sf(6) / WeightedChi2(weights).tail(6 * (a + d)), 1, 1e-5);
  EXPECT_NEAR(triple.sum2() * (a + d) * (a + d), weights[0] * weights[0] + weights[1] * weights[1], 1e-15);
  EXPECT_NEAR(triple.sum3() * std::pow(a + d, 3), std::pow(weights[0], 3) + std::pow(weights[1], 3), 1e-15);
}

TEST(EmpiricalLaws, NonsenseIsNan) {
  const double nan = std::nan("");
  EXPECT_TRUE(std::isnan(kolmogorov_sf(nan)) && std::isnan(kuiper_sf(nan)) && std::isnan(cramer_von_mises_sf(nan)));
  EXPECT_TRUE(std::isnan(smirnov_sf(0, 3, 1)) && std::isnan(cramer_von_mises_exact(3, 0, 1)));
  EXPECT_TRUE(std::isnan(mann_whitney_cdf(0, 3, 1)));
  EXPECT_EQ(mann_whitney_cdf(3, 4, -1), 0);
  EXPECT_EQ(mann_whitney_cdf(3, 4, 12), 1);
}

}  // namespace
}  // namespace vigie::stats
