// SPDX-License-Identifier: Apache-2.0
#include "stats/hypergeometric.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace vigie::stats {
namespace {

struct Known {
  Hypergeometric law;
  std::int64_t k;
  double pmf, upper, lower;
};

// scipy 1.17, stats.hypergeom. Its own error for the largest table is about 1e-6.
constexpr Known kKnown[] = {
    {{100, 20, 30}, 3, 0.0596742510384, 0.977318833669, 0.0823554173691},
    {{1000, 17, 500}, 14, 0.00492059650618, 0.00600432867257, 0.998916267834},
    {{2000, 1000, 1000}, 560, 1.94827559869e-08, 4.96689798957e-08, 0.999999969814},
    {{10300, 400, 300}, 25, 0.000158360310431, 0.000264400707517, 0.999893959603},
    {{1000000, 3000, 500000}, 1650, 4.18077972372e-09, 2.23055793712e-08, 0.999999981875},
    {{50, 5, 10}, 0, 0.310562782005, 1, 0.310562782005},
    {{2000000000, 1000000, 1000000000}, 502000, 2.66654469825e-07, 3.16705571353e-05, 0.999968596095},
};

TEST(Hypergeometric, MatchesScipy) {
  for (const Known& known : kKnown) {
    const double tolerance = known.law.total > 1000000 ? 1e-4 : 1e-8;
    EXPECT_NEAR(known.law.pmf(known.k) / known.pmf, 1, tolerance);
    EXPECT_NEAR(known.law.upper(known.k) / known.upper, 1, tolerance);
    EXPECT_NEAR(known.law.lower(known.k) / known.lower, 1, tolerance);
  }
}

TEST(Hypergeometric, ProbabilitiesSumToOne) {
  for (const Hypergeometric law : {Hypergeometric{40, 13, 21}, Hypergeometric{3000, 1200, 900}, Hypergeometric{9, 9, 4},
                                   Hypergeometric{1000000000, 1000, 400000000}}) {
    double sum = 0, mean = 0, square = 0;
    for (std::int64_t k = law.lowest(); k <= law.highest(); ++k) {
      sum += law.pmf(k);
      mean += law.pmf(k) * static_cast<double>(k);
      square += law.pmf(k) * static_cast<double>(k * k);
    }
    EXPECT_NEAR(sum, 1, 1e-11);
    EXPECT_NEAR(mean, law.mean(), 1e-9 * law.mean());
    EXPECT_NEAR(square - mean * mean, law.variance(), 1e-6 * law.variance() + 1e-12);
  }
}

TEST(Hypergeometric, TailsAgreeWithTheSumOfTheirTerms) {
  const Hypergeometric law{300, 70, 110};
  double below = 0;
  for (std::int64_t k = law.lowest(); k <= law.highest(); ++k) {
    EXPECT_NEAR(law.upper(k), 1 - below, 1e-12);
    below += law.pmf(k);
    EXPECT_NEAR(law.lower(k), below, 1e-12);
    EXPECT_LE(law.two_sided_mid(k), law.two_sided(k));
  }
}

TEST(Hypergeometric, EdgesAndNonsense) {
  EXPECT_EQ((Hypergeometric{10, 0, 5}.two_sided_mid(0)), 1);
  EXPECT_EQ((Hypergeometric{0, 0, 0}.pmf(0)), 1);
  EXPECT_EQ((Hypergeometric{10, 3, 5}.upper(4)), 0);
  EXPECT_EQ((Hypergeometric{10, 3, 5}.lower(-1)), 0);
  EXPECT_TRUE(std::isnan(Hypergeometric{10, 11, 5}.pmf(0)));
  EXPECT_TRUE(std::isnan(Hypergeometric{10, 3, -1}.upper(0)));
}

void expect_moments(const std::vector<std::int64_t>& cells, std::int64_t drawn, int draws) {
  const MultivariateHypergeometric sampler(cells, drawn);
  const std::int64_t total = std::accumulate(cells.begin(), cells.end(), std::int64_t{0});
  Rng rng(11);
  std::vector<std::int64_t> out(cells.size());
  std::vector<double> sum(cells.size()), square(cells.size());
  for (int b = 0; b < draws; ++b) {
    sampler(rng, out);
    ASSERT_EQ(std::accumulate(out.begin(), out.end(), std::int64_t{0}), drawn);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      ASSERT_GE(out[i], 0);
      ASSERT_LE(out[i], cells[i]);
      const double off = static_cast<double>(out[i]) - Hypergeometric{total, cells[i], drawn}.mean();
      sum[i] += off;
      square[i] += off * off;
    }
  }
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const Hypergeometric law{total, cells[i], drawn};
    const double mean = sum[i] / draws, variance = square[i] / draws;
    EXPECT_NEAR(mean, 0, 5 * std::sqrt(law.variance() / draws) + 1e-12) << "cell " << i;
    EXPECT_NEAR(variance, law.variance(), .1 * law.variance() + .01) << "cell " << i;
  }
}

TEST(MultivariateHypergeometric, MarginsHaveTheirLaw) {
  expect_moments({970, 10, 0, 15, 5}, 300, 20000);
  expect_moments({3, 970, 10, 0, 15, 2}, 990, 20000);  // nearly all: drawn from the other side
  expect_moments({40, 30, 20, 10}, 50, 20000);
  expect_moments({999999000, 400, 600}, 20000000, 20000);
}

TEST(MultivariateHypergeometric, TrivialTables) {
  expect_moments({5}, 3, 5);
  expect_moments({0, 7, 0}, 7, 5);
  expect_moments({4, 4}, 0, 5);
}

}  // namespace
}  // namespace vigie::stats
