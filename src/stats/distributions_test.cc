// SPDX-License-Identifier: Apache-2.0
#include "stats/distributions.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vigie::stats {
namespace {

// Reference values: scipy 1.17.
TEST(Distributions, MatchScipy) {
  EXPECT_NEAR(chi2_sf(20, 4) / 0.000499399227387334, 1, 1e-12);
  EXPECT_NEAR(chi2_sf(150, 19) / 2.19156359934606e-22, 1, 1e-10);
  EXPECT_NEAR(chi2_isf(1e-5, 19), 57.3725040108915, 1e-9);
  EXPECT_NEAR(gamma_sf(12.5, 7.3, .9) / 0.0195839616073408, 1, 1e-12);
  EXPECT_NEAR(normal_quantile(1e-9), -5.99780701500769, 1e-12);
  EXPECT_NEAR(student_t_sf(4.2, 3.7) / 0.00805839310353253, 1, 1e-11);
  EXPECT_NEAR(student_t_sf(50, 1.2) / 0.00306402634259188, 1, 1e-11);
  EXPECT_NEAR(student_t_quantile(.99995, 5.5), 9.96786209721662, 1e-9);
  EXPECT_NEAR(log_factorial(300), 1414.9058499450678, 1e-11);
  EXPECT_NEAR(log_factorial(1000000000) / 19723265848.226982, 1, 1e-15);
  EXPECT_NEAR(chi2_noncentrality(8, 1, .8) / 13.469254951, 1, .01);
  EXPECT_NEAR(chi2_noncentrality(30, 10, .8) / 30.192081264, 1, .01);
  EXPECT_NEAR(chi2_noncentrality(150, 100, .8) / 68.539346207, 1, .01);
}

TEST(Distributions, QuantilesInvert) {
  for (const double p : {1e-12, 1e-4, .2, .5, .9, 1 - 1e-9}) {
    EXPECT_NEAR(normal_cdf(normal_quantile(p)) / p, 1, 1e-9);
    EXPECT_NEAR(chi2_sf(chi2_isf(p, 3.5), 3.5) / p, 1, 1e-9);
    EXPECT_NEAR(student_t_sf(-student_t_quantile(p, 2.5), 2.5) / p, 1, 1e-7);
  }
}

TEST(Distributions, LogFactorialIsContinuousAcrossTheTable) {
  for (std::int64_t n = 250; n < 262; ++n) {
    EXPECT_NEAR(log_factorial(n) - log_factorial(n - 1), std::log(static_cast<double>(n)), 1e-11);
  }
}

TEST(Distributions, NonsenseIsNan) {
  const double nan = std::nan("");
  for (const double x :
       {chi2_sf(nan, 3), chi2_sf(3, 0), chi2_sf(3, -1), chi2_isf(-.1, 3), gamma_sf(1, 0, 1), gamma_sf(1, 1, 0),
        normal_quantile(1.5), normal_quantile(nan), student_t_sf(1, 0), student_t_sf(nan, 3), student_t_quantile(2, 3),
        log_factorial(-1), chi2_noncentrality(-1, 3, .8)}) {
    EXPECT_TRUE(std::isnan(x));
  }
}

TEST(Distributions, Ends) {
  EXPECT_EQ(chi2_sf(0, 3), 1);
  EXPECT_EQ(chi2_sf(-1, 3), 1);
  EXPECT_EQ(chi2_sf(INFINITY, 3), 0);
  EXPECT_EQ(chi2_isf(1, 3), 0);
  EXPECT_TRUE(std::isinf(chi2_isf(0, 3)));
  EXPECT_TRUE(std::isinf(normal_quantile(1)));
  EXPECT_NEAR(student_t_sf(2, INFINITY), normal_sf(2), 1e-15);
  EXPECT_EQ(chi2_noncentrality(.01, 3, .8), 0);
  EXPECT_LT(chi2_sf(1e6, 3), 1e-300);
}

}  // namespace
}  // namespace vigie::stats
