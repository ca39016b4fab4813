// SPDX-License-Identifier: Apache-2.0
#include "stats/binomial.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vigie::stats {
namespace {

TEST(BinomialTail, IsTheSumOfItsTerms) {
  EXPECT_DOUBLE_EQ(binomial_tail(0, 5, .3), 1);
  EXPECT_DOUBLE_EQ(binomial_tail(6, 5, .3), 0);
  EXPECT_NEAR(binomial_tail(5, 5, .3), std::pow(.3, 5), 1e-17);
  EXPECT_NEAR(binomial_tail(1, 5, .3), 1 - std::pow(.7, 5), 1e-15);
  EXPECT_NEAR(binomial_tail(2, 3, .5), .5, 1e-15);
  EXPECT_EQ(binomial_tail(3, 10, 0), 0);
  EXPECT_EQ(binomial_tail(3, 10, 1), 1);
  EXPECT_TRUE(std::isnan(binomial_tail(3, 10, 1.5)));
}

TEST(BinomialTail, IsAccurateFarOut) {
  EXPECT_NEAR(binomial_tail(100, 100, 1e-3) / 1e-300, 1, 1e-10);
  // scipy 1.17.1: binom.sf(79, 1000, 0.05) and binom.sf(5, 1_000_000, 1e-7)
  EXPECT_NEAR(binomial_tail(80, 1000, .05) / 3.488644975793487e-05, 1, 1e-9);
  EXPECT_NEAR(binomial_tail(6, 1'000'000, 1e-7) / 1.2748802185646584e-09, 1, 1e-8);
}

}  // namespace
}  // namespace vigie::stats
