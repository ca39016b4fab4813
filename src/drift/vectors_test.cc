// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "drift/simulation_internal.h"
#include "stats/distributions.h"

namespace vigie::drift {
namespace {

using simulation::Pair;

/// Normal rows; the first number of current ones is moved.
Pair moved(std::int64_t n, std::int64_t m, std::size_t width, double by, std::uint64_t seed) {
  Rng rng(seed);
  std::normal_distribution<double> normal;
  return simulation::vectors(n, m, width, [&](std::span<float> row, bool current) {
    for (float& v : row) v = static_cast<float>(normal(rng));
    if (current) row[0] += static_cast<float>(by);
  });
}

Score run(const Method& method, const Pair& pair) {
  return method.run(pair.axis(), pair.reference_sample(), pair.current_sample(), {.level = .05, .params = {}});
}

/// The same rows of one number each as values.
Score run_values(const Method& method, const Pair& rows) {
  std::vector<double> x(rows.reference_rows.begin(), rows.reference_rows.end()),
      y(rows.current_rows.begin(), rows.current_rows.end());
  std::sort(x.begin(), x.end()), std::sort(y.begin(), y.end());
  return method.run({}, {.counts = {}, .values = x}, {.counts = {}, .values = y}, {.level = .05, .params = {}});
}

TEST(Vectors, MmdOfOneNumberIsThatOfValues) {
  const Pair pair = moved(300, 200, 1, .5, 1);
  const Score rows = run(mmd, pair), values = run_values(mmd, pair);
  EXPECT_NEAR(rows.statistic, values.statistic, 1e-5);
  EXPECT_TRUE(rows.exact);
  EXPECT_LT(rows.p_value, .01);
}

TEST(Vectors, FourierFeaturesComeNearTheKernel) {
  const Pair pair = moved(1500, 1500, 1, .7, 2);
  const Score rows = run(mmd, pair), values = run_values(mmd, pair);
  EXPECT_NEAR(rows.statistic / values.statistic, 1, .25);
  EXPECT_FALSE(rows.exact);
}

TEST(Vectors, CentroidsAreAsFarApartAsTheyWereMoved) {
  const Score s = run(centroid_distance, moved(2000, 1500, 8, 1, 3));
  EXPECT_NEAR(s.statistic, 1, .1);
  ASSERT_TRUE(s.moved);
  EXPECT_NEAR(s.moved->corrected, 1, .1);
  EXPECT_FALSE(s.moved->share);
  EXPECT_LT(s.detectable, .25);
}

TEST(Vectors, ClassifierKnowsTheAucOfAShift) {
  const Score s = run(domain_classifier, moved(3000, 2000, 8, 1, 4));
  EXPECT_NEAR(s.statistic, stats::normal_cdf(1 / std::sqrt(2.)), .02);
  EXPECT_LT(s.p_value, 1e-12);
  EXPECT_NEAR(s.moved->corrected, 2 * s.statistic - 1, .01);
}

TEST(Vectors, OfAnySizeOfNumbersAreTheSame) {
  for (const std::int64_t rows : {300, 1200})
    for (const double size : {1e-37, 1e-25, 1e22, 1e37})
      for (const Method* method : {&mmd, &centroid_distance, &domain_classifier}) {
        const Pair pair = moved(rows, rows, 8, .6, 7);
        Pair scaled = pair;
        for (auto* values : {&scaled.reference_rows, &scaled.current_rows})
          for (float& v : *values) v = static_cast<float>(double{v} * size);
        const Score own = run(*method, pair), other = run(*method, scaled);
        EXPECT_LT(own.p_value, .01) << method->name;
        EXPECT_NEAR(other.p_value, own.p_value, 1e-3) << method->name << " " << size;
        ASSERT_TRUE(other.moved) << method->name << " " << size;
        EXPECT_NEAR(other.moved->corrected, own.moved->corrected, 1e-3) << method->name << " " << size;
      }
}

TEST(Vectors, OfAnotherWidthAreNotCompared) {
  Pair pair = moved(100, 100, 8, 0, 5), other = moved(100, 100, 4, 0, 6);
  for (const Method* method : {&mmd, &centroid_distance, &domain_classifier}) {
    const Score s = method->run(pair.axis(), pair.reference_sample(), other.current_sample(), {.params = {}});
    EXPECT_EQ(s.status, Status::kEmpty) << method->name;
    EXPECT_TRUE(std::isnan(s.p_value)) << method->name;
  }
}

}  // namespace
}  // namespace vigie::drift
