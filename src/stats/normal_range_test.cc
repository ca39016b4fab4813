// SPDX-License-Identifier: Apache-2.0
#include "stats/normal_range.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace vigie::stats {
namespace {

// Reference values: scipy 1.17, studentized_range with infinite degrees of freedom.
TEST(NormalRange, QuantilesMatchScipy) {
  EXPECT_NEAR(normal_range_quantile(.95, 2), 2.771807648699355, 1e-8);
  EXPECT_NEAR(normal_range_quantile(.95, 3), 3.314493155398122, 1e-8);
  EXPECT_NEAR(normal_range_quantile(.95, 20), 5.0116887941184425, 1e-8);
  EXPECT_NEAR(normal_range_quantile(.95, 1000), 7.369627485138476, 1e-7);
  EXPECT_TRUE(std::isnan(normal_range_quantile(.95, 1)));
}

TEST(NormalRange, MeansAreThoseOfTheControlChart) {
  // Tippett 1925; of two, the mean distance of two normals.
  EXPECT_NEAR(normal_range_mean(std::vector<double>(5, 1.)) / 2.32593, 1, 1e-3);
  EXPECT_NEAR(normal_range_mean(std::vector<double>(20, 3.)) / (3 * 3.73495), 1, 1e-3);
  EXPECT_NEAR(normal_range_mean(std::vector<double>{3, 4}) / (5 * 2 / std::sqrt(std::numbers::pi * 2)), 1, 1e-3);
  EXPECT_NEAR(normal_range_mean(std::vector<double>{1, 0}) / std::sqrt(2 / std::numbers::pi), 1, 1e-2);
  EXPECT_EQ(normal_range_mean(std::vector<double>{7}), 0);
  EXPECT_EQ(normal_range_mean(std::vector<double>{0, 0}), 0);
}

}  // namespace
}  // namespace vigie::stats
