// SPDX-License-Identifier: Apache-2.0
#include "stats/weighted_chi2.h"

#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <cmath>
#include <numeric>

#include "base/rng.h"
#include "stats/distributions.h"

namespace vigie::stats {
namespace {

using Counts = std::vector<std::int64_t>;

/// The weights as the recipe defines them, by a dense eigensolver: descending, the null one left out.
std::vector<double> dense_weights(const Counts& pooled) {
  const auto k = static_cast<Eigen::Index>(pooled.size());
  const double total = static_cast<double>(std::accumulate(pooled.begin(), pooled.end(), std::int64_t{0}));
  Eigen::VectorXd p(k), h(k), v(k);
  double below = 0;
  for (Eigen::Index j = 0; j < k; ++j) {
    p[j] = static_cast<double>(pooled[static_cast<std::size_t>(j)]) / total;
    h[j] = below + p[j] / 2;
    below += p[j];
    v[j] = h[j] * (1 - h[j]) - p[j] / 4;
  }
  Eigen::MatrixXd matrix(k, k);
  for (Eigen::Index i = 0; i < k; ++i) {
    for (Eigen::Index j = 0; j < k; ++j) {
      matrix(i, j) = i == j ? p[j] : std::sqrt(p[i] * p[j] / (v[i] * v[j])) * (h[std::min(i, j)] - h[i] * h[j]);
    }
  }
  const Eigen::VectorXd values =
      Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(matrix, Eigen::EigenvaluesOnly).eigenvalues();
  std::vector<double> out;
  for (Eigen::Index j = k - 1; j > 0; --j) out.push_back(values[j]);
  return out;
}

std::vector<Counts> layouts() {
  std::vector<Counts> out = {{700, 200, 100}, {10, 980, 10}, {950, 50}, {5, 6, 7, 8}, Counts(128, 10), Counts(400, 3)};
  Counts zeros(51, 8);
  zeros[0] = 600;
  out.push_back(zeros);
  Counts nearly(31, 1);
  nearly[15] = 970;
  out.push_back(nearly);
  Counts mixed;
  Rng rng(5);
  for (int i = 0; i < 90; ++i) mixed.push_back(static_cast<std::int64_t>(1 + rng.below(i % 9 == 0 ? 3000 : 40)));
  out.push_back(mixed);
  return out;
}

TEST(AndersonDarlingLaw, ZerosAndMomentsAreThoseOfTheDenseMatrix) {
  for (const Counts& pooled : layouts()) {
    const std::vector<double> weights = dense_weights(pooled);
    AndersonDarlingLaw law(pooled);
    double sum2 = 0, sum3 = 0;
    for (const double w : weights) {
      sum2 += w * w;
      sum3 += w * w * w;
    }
    EXPECT_NEAR(law.sum2(), sum2, 1e-10);
    EXPECT_NEAR(law.sum3(), sum3, 1e-10);
    for (std::size_t j = 0; j < std::min<std::size_t>(12, weights.size()); ++j) {
      EXPECT_NEAR(law.zero(j, 1e9) * 2 * weights[j], 1, 1e-8) << pooled.size() << " cells, zero " << j;
    }
    EXPECT_TRUE(std::isinf(law.zero(weights.size(), 1e9)));
  }
}

TEST(AndersonDarlingLaw, TailIsThatOfTheDenseWeights) {
  for (const Counts& pooled : layouts()) {
    AndersonDarlingLaw law(pooled);
    WeightedChi2 dense(dense_weights(pooled));
    for (const double x : {1.5, 2.5, 4.0, 6.0, 9.0, 13.0, 17.0, 25.0, 60.0}) {
      EXPECT_NEAR(law.tail(x) / dense.tail(x), 1, 1e-6) << pooled.size() << " cells, x " << x;
    }
  }
}

struct Known {
  Counts pooled;
  double x, tail;
};

// shared oracle: Smirnov's formula on numpy's eigenvalues, 64 nodes.
TEST(AndersonDarlingLaw, TailMatchesTheOracle) {
  const Known known[] = {
      {{700, 200, 100}, 2.5, 0.10438108197},    {{700, 200, 100}, 5, 0.0203774234044},
      {{700, 200, 100}, 8, 0.00323737590919},   {{700, 200, 100}, 40, 3.72892510821e-11},
      {{10, 980, 10}, 5, 0.0247694703937},      {{10, 980, 10}, 8, 0.00450058774255},
      {{950, 50}, 17, 3.73798184017e-05},       {{5, 6, 7, 8}, 2.5, 0.0877125503934},
      {{5, 6, 7, 8}, 17, 2.44130726357e-06},    {Counts(128, 10), 1, 0.358020250399},
      {Counts(128, 10), 2.5, 0.0507518224663},  {Counts(128, 10), 8, 0.000124554034498},
      {Counts(128, 10), 17, 1.18386325048e-08}, {Counts(128, 10), 40, 1.04755857127e-18},
  };
  for (const Known& k : known) {
    AndersonDarlingLaw law(k.pooled);
    EXPECT_NEAR(law.tail(k.x) / k.tail, 1, 2e-6) << k.pooled.size() << " cells, x " << k.x;
  }
}

TEST(AndersonDarlingLaw, TwoCellsAreOneChiSquare) {
  AndersonDarlingLaw law(Counts{30, 970});
  for (const double x : {.1, 1.0, 9.0, 40.0}) EXPECT_NEAR(law.sf(x) / chi2_sf(x, 1), 1, 1e-9);
}

TEST(AndersonDarlingLaw, ScreenIsCloseWhereItIsUsed) {
  for (const Counts& pooled : layouts()) {
    if (pooled.size() < 3) continue;
    AndersonDarlingLaw law(pooled);
    WeightedChi2 dense(dense_weights(pooled));
    for (int tenths = 10; tenths < 30; ++tenths) {
      const double x = tenths / 10.;
      EXPECT_NEAR(weighted_chi2_screen(x, 1, law.sum2(), law.sum3()) / dense.tail(x), 1, .07)
          << pooled.size() << " " << x;
    }
  }
}

TEST(AndersonDarlingLaw, TailFallsSteadily) {
  for (const Counts& pooled : layouts()) {
    AndersonDarlingLaw law(pooled);
    double previous = 1.01;
    for (int step = 0; step < 117; ++step) {
      const double x = std::pow(1.05, step), p = law.tail(x);
      EXPECT_LT(p, previous) << pooled.size() << " cells, x " << x;
      EXPECT_GT(p, 0);
      previous = p;
    }
  }
}

TEST(AndersonDarlingLaw, QuantileInvertsTheTail) {
  for (const Counts& pooled : layouts()) {
    AndersonDarlingLaw law(pooled);
    for (const double p : {.3, .02, 1e-4, 1e-8}) EXPECT_NEAR(law.sf(law.quantile(p)) / p, 1, 1e-5);
  }
}

TEST(AndersonDarlingLaw, BillionsOfRows) {
  Counts pooled(128, 15000000);
  pooled.front() = 1;
  pooled.back() = 2;
  AndersonDarlingLaw law(pooled);
  EXPECT_NEAR(law.tail(5.127) / .0025, 1, .15);
}

// The recipe's table of the continuous limit, weights 1/(j(j+1)); the mean of the weights left out is added.
TEST(WeightedChi2, QuantilesOfTheLimitLaw) {
  std::vector<double> weights;
  for (int j = 1; j <= 2000; ++j) weights.push_back(1.0 / (j * (j + 1.0)));
  WeightedChi2 law(weights);
  const std::pair<double, double> table[] = {{.1, 1.933},    {.05, 2.492},   {.01, 3.878},
                                             {.0025, 5.127}, {.001, 5.969},  {1e-4, 8.122},
                                             {1e-5, 10.308}, {1e-6, 12.516}, {1e-8, 16.972}};
  for (const auto& [p, x] : table) EXPECT_NEAR(law.tail(x - 1.0 / 2001) / p, 1, 2e-3) << p;
}

TEST(WeightedChi2, OneWeightAndNonsense) {
  WeightedChi2 one(std::vector<double>{2.0});
  EXPECT_NEAR(one.tail(20) / chi2_sf(10, 1), 1, 1e-7);
  EXPECT_EQ(one.tail(-1), 1);
  EXPECT_TRUE(std::isnan(one.tail(std::nan(""))));
}

// Two equal weights make an exponential law: the pair of zeros coincides.
TEST(WeightedChi2, EqualWeights) {
  WeightedChi2 law(std::vector<double>{.5, .5, .1});
  WeightedChi2 near(std::vector<double>{.5000001, .5, .1});
  EXPECT_NEAR(law.tail(8) / near.tail(8), 1, 1e-4);
  WeightedChi2 pure(std::vector<double>{.5, .5});
  EXPECT_NEAR(pure.tail(8) / std::exp(-8), 1, 1e-4);
}

}  // namespace
}  // namespace vigie::stats
