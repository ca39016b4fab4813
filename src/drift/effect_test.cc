// SPDX-License-Identifier: Apache-2.0
#include "drift/effect.h"

#include <gtest/gtest.h>

#include <cmath>

#include "drift/simulation_internal.h"

namespace vigie::drift {
namespace {

using Counts = std::vector<std::int64_t>;

TEST(Effect, WassersteinByHand) {
  const std::vector<double> cuts = {-2.5, -1.5, -.5, .75, 2}, centers = {-2, -2, -1, 0, 1.5, 1.5};
  const Axis axis{kNumeric, cuts, centers, 1.25, false};
  const Counts x = {0, 10, 20, 30, 40, 0}, y = {3, 14, 20, 40, 22, 1};
  const Effect e = effect(axis, {x, {}}, {y, {}});
  EXPECT_NEAR(e.raw, .316, 1e-12);
  EXPECT_NEAR(e.noise, 0.13635224213072966, 1e-12);
  EXPECT_NEAR(e.corrected, 0.2850685287188379, 1e-12);
  EXPECT_FALSE(e.share);
}

TEST(Effect, TotalVariationByHand) {
  const Counts x = {50, 30, 20}, y = {20, 10, 30};
  for (const Kind kind : {kCategorical, kNumeric}) {  // a constant reference (sd 0) is measured the same way
    const Effect e = effect({.kind = kind, .cuts = {}, .centers = {}}, {x, {}}, {y, {}});
    EXPECT_NEAR(e.raw, .3, 1e-12);
    EXPECT_NEAR(e.noise, 0.09072394100184934, 1e-12);
    EXPECT_TRUE(e.share);
  }
}

TEST(Effect, EmptySidesHaveNone) {
  const Counts x = {5, 5}, none = {0, 0};
  EXPECT_TRUE(std::isnan(effect({.kind = kCategorical, .cuts = {}, .centers = {}}, {x, {}}, {none, {}}).raw));
  EXPECT_TRUE(std::isnan(share_effect(0, 0, 3, 10).corrected));
  EXPECT_TRUE(std::isnan(detectable_effect({.kind = kCategorical, .cuts = {}, .centers = {}}, {x, {}}, {x, {}}, .05)));
}

// Recipe section 6: without drift the raw effect is what the noise term says.
TEST(Effect, NoiseTermOfTheRecipe) {
  struct Row {
    std::int64_t n, m;
    double noise;
  };
  for (const Row& row : {Row{1000, 30, .231}, Row{100, 100, .173}, Row{1000, 100, .131}, Row{1000, 1000, .056}}) {
    double noise = 0, raw = 0;
    constexpr int kTrials = 400;
    for (std::uint64_t t = 0; t < kTrials; ++t) {
      Rng rng(t);
      const simulation::Pair pair = simulation::normal_rows(rng, row.n, row.m);
      const Effect e = effect(pair.axis(), pair.reference_sample(), pair.current_sample());
      noise += e.noise / kTrials;
      raw += e.raw / kTrials;
    }
    EXPECT_NEAR(noise, row.noise, .06 * row.noise) << row.n << "," << row.m;
    EXPECT_NEAR(raw, noise, .06 * noise) << row.n << "," << row.m;
  }
}

TEST(ShareEffect, ByHand) {
  const Effect e = share_effect(10, 100, 40, 200);
  EXPECT_NEAR(e.raw, .1, 1e-12);
  EXPECT_NEAR(e.noise, std::sqrt(2 / M_PI * (1.0 / 6) * (5.0 / 6) * .015), 1e-12);
  EXPECT_TRUE(e.share);
}

TEST(MissingShare, MatchesScipy) {
  EXPECT_NEAR(missing_share(2, 1000, 6, 300).p_value, 0.00285244203139, 1e-11);
  EXPECT_NEAR(missing_share(100, 1000, 130, 1000).p_value, 0.0357619605386, 1e-10);
  EXPECT_NEAR(missing_share(0, 1000, 3, 1000).p_value, 0.124812406203, 1e-10);
  EXPECT_NEAR(missing_share(5, 100, 0, 100).p_value, 0.0296916052343, 1e-11);
  EXPECT_NEAR(missing_share(5, 100, 0, 100).statistic, -.05, 1e-15);
}

TEST(MissingShare, Statuses) {
  EXPECT_EQ(missing_share(0, 0, 3, 10).status, Status::kEmpty);
  EXPECT_EQ(missing_share(0, 29, 3, 100).status, Status::kTooFewRows);
  EXPECT_EQ(missing_share(0, 100, 0, 100).p_value, 1);
  EXPECT_EQ(missing_share(100, 100, 100, 100).p_value, 1);
}

TEST(DetectableEffect, MatchesTheRecipe) {
  const auto location = [](std::int64_t n, std::int64_t m, double level) {
    const Counts x = {0, n, 0}, y = {0, m, 0};
    return detectable_effect({.kind = kNumeric, .cuts = {}, .centers = {}, .sd = 1}, {x, {}}, {y, {}}, level);
  };
  EXPECT_NEAR(location(1000, 1000, .05), 0.14063456353046908, 1e-9);
  EXPECT_NEAR(location(1000, 100, .0025), 0.43527837374411993, 1e-9);
  EXPECT_NEAR(location(10000, 300, 6.9e-5), 0.2978256069478209, 1e-9);
  const auto largest = [](const Counts& x, const Counts& y, double level) {
    return detectable_effect({.kind = kCategorical, .cuts = {}, .centers = {}}, {x, {}}, {y, {}}, level);
  };
  EXPECT_NEAR(largest({500, 300, 200}, {500, 300, 200}, .05), 0.07260091421229287, 5e-4);
  EXPECT_NEAR(largest({600, 200, 100, 50, 30, 10, 5, 5}, {60, 20, 10, 5, 3, 1, 1, 0}, .0025), 0.2363930141004298, 2e-3);
}

TEST(DetectableEffect, AlwaysThereAboveTheFloor) {
  for (const Counts& x : {Counts{1000, 0}, Counts{30, 0}, Counts{999, 1}, Counts{1, 1, 1, 97}}) {
    const double d = detectable_effect({.kind = kCategorical, .cuts = {}, .centers = {}}, {x, {}}, {x, {}}, 1e-6);
    EXPECT_GT(d, 0);
    EXPECT_LE(d, 1);
  }
  EXPECT_GT(detectable_share(0, 1000, 100, .0025), detectable_share(0, 1000, 1000, .0025));
}

}  // namespace
}  // namespace vigie::drift
