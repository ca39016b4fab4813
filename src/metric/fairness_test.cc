// SPDX-License-Identifier: Apache-2.0
#include "metric/fairness.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/rng.h"
#include "metric/golden_test_internal.h"
#include "metric/interval_internal.h"
#include "stats/normal_range.h"

namespace vigie::metric {
namespace {

using golden::value_of;

std::vector<Entry> evaluated(const std::vector<std::string>& groups, const std::vector<std::uint8_t>& predictions,
                             const std::vector<std::uint8_t>& labels) {
  FairnessState state;
  state.update(std::vector<std::string_view>(groups.begin(), groups.end()), predictions, labels);
  return evaluate(state.summarize());
}

TEST(Fairness, AsScikitLearnByGroup) {
  std::vector<std::string> groups;
  std::vector<std::uint8_t> predictions, labels;
  for (const auto& line : golden::numbers("fairness.in")) {
    groups.push_back(std::to_string(static_cast<int>(line[0])));
    predictions.push_back(static_cast<std::uint8_t>(line[1]));
    labels.push_back(static_cast<std::uint8_t>(line[2]));
  }
  golden::check(evaluated(groups, predictions, labels), "fairness");
}

TEST(Fairness, WhatDoesNotExist) {
  const auto one = evaluated({"a", "a"}, {1, 0}, {1, 0});
  EXPECT_EQ(value_of(one, "tpr_difference").reason, "fewer than two groups have positive rows");
  const auto two = evaluated({"a", "a", "b", "b"}, {0, 0, 0, 0}, {1, 0, 0, 0});
  EXPECT_EQ(value_of(two, "selection_rate_ratio").reason, "the rate of every group is 0");
  EXPECT_EQ(value_of(two, "selection_rate_difference").value, 0);
  EXPECT_EQ(value_of(two, "tpr", "b").reason, "no positive rows");
  EXPECT_EQ(value_of(evaluated({}, {}, {}), "fpr_ratio").reason, "no labelled rows");
}

/// `groups` of `rows` each, where the first has another rate.
std::vector<Entry> drawn(std::uint64_t seed, std::size_t groups, std::size_t rows, double first, double others) {
  Rng rng(seed);
  std::vector<std::string> names;
  std::vector<std::uint8_t> predictions, labels;
  for (std::size_t i = 0; i < groups * rows; ++i) {
    names.push_back(std::to_string(i % groups));
    predictions.push_back(rng.uniform() < (i % groups == 0 ? first : others));
    labels.push_back(i / groups % 2);
  }
  return evaluated(names, predictions, labels);
}

TEST(SlowFairness, IntervalsHoldTheGapOfTheLaw) {
  constexpr int kTrials = 200;
  struct Case {
    std::size_t groups, rows;
    double first, others;
  };
  for (const auto& [groups, rows, first, others] :
       {Case{2, 100, .3, .3}, {20, 100, .3, .3}, {20, 100, .6, .3}, {5, 60, .5, .4}, {40, 20, .5, .5}}) {
    int missed = 0, missed_ratio = 0;
    double gap = 0, ratio = 0, noise = 0, ratio_noise = 0;
    const double truth = std::abs(first - others), truth_ratio = std::min(first, others) / std::max(first, others);
    for (std::uint64_t t = 0; t < kTrials; ++t) {
      const auto entries = drawn(t, groups, rows, first, others);
      const Value d = value_of(entries, "selection_rate_difference"), r = value_of(entries, "selection_rate_ratio");
      missed += d.low > truth || d.high<truth, missed_ratio += r.low> truth_ratio || r.high < truth_ratio;
      gap += d.value / kTrials, noise += d.noise / kTrials;
      ratio += r.value / kTrials, ratio_noise += r.noise / kTrials;
    }
    // Binomial(200, .05) is above 25 with probability 1e-5.
    EXPECT_LE(missed, 25) << groups << " " << rows << " " << first;
    EXPECT_LE(missed_ratio, 25) << groups << " " << rows << " " << first;
    if (truth > 0) continue;
    EXPECT_NEAR(noise / gap, 1, .2) << groups;
    EXPECT_NEAR(ratio_noise / (ratio - 1), 1, .2) << groups;
  }
}

// The bounds of all pairs of groups, and of so many groups that all pairs would take minutes.
TEST(Fairness, BoundsAreThoseOfEveryPair) {
  for (const std::uint64_t seed : {1, 2, 3, 4}) {
    Rng rng(seed);
    FairnessState state;
    const std::size_t groups = seed == 1 ? 2 : 60;
    std::vector<double> k, n;
    for (std::size_t g = 0; g < groups; ++g) {
      const auto rows = static_cast<std::size_t>(1 + std::exp(6 * rng.uniform()));
      const auto picked = static_cast<std::size_t>(static_cast<double>(rows) * std::min(1., rng.uniform() * 1.05));
      std::vector<std::uint8_t> predictions(rows);
      std::fill_n(predictions.begin(), seed == 4 ? std::max(picked, std::size_t{1}) : picked, 1);
      state.update(std::vector<std::string_view>(rows, std::string_view(std::to_string(g))), predictions, predictions);
      k.push_back(static_cast<double>(std::count(predictions.begin(), predictions.end(), 1)));
      n.push_back(static_cast<double>(rows));
    }
    const double z = stats::normal_range_quantile(.95, static_cast<std::int64_t>(groups)) / std::sqrt(2.);
    double low = 0, high = 0, low_ratio = 1, high_ratio = 1;
    for (std::size_t a = 0; a < groups; ++a)
      for (std::size_t b = 0; b < groups; ++b) {
        if (a == b) continue;
        const double of_a = k[a] / n[a], of_b = k[b] / n[b];
        const Interval own_a = wilson(k[a], n[a]), own_b = wilson(k[b], n[b]), joint_a = wilson(k[a], n[a], z),
                       joint_b = wilson(k[b], n[b], z);
        low = std::max(low, of_b - of_a - std::hypot(of_b - joint_b.low, joint_a.high - of_a));
        high = std::max(high, of_b - of_a + std::hypot(own_b.high - of_b, of_a - own_a.low));
        if (of_b == 0) continue;
        if (of_a == 0) {
          low_ratio = 0, high_ratio = std::min(high_ratio, joint_a.high / joint_b.low);
          continue;
        }
        const double down = std::hypot(std::log(of_a / own_a.low), std::log(own_b.high / of_b)),
                     up = std::hypot(std::log(joint_a.high / of_a), std::log(of_b / joint_b.low));
        low_ratio = std::min(low_ratio, of_a / of_b * std::exp(-down));
        high_ratio = std::min(high_ratio, of_a / of_b * std::exp(up));
      }
    const auto entries = evaluate(state.summarize());
    const Value difference = value_of(entries, "selection_rate_difference"),
                ratio = value_of(entries, "selection_rate_ratio");
    EXPECT_NEAR(difference.low, low, 1e-12) << seed;
    EXPECT_NEAR(difference.high, std::min(1., high), 1e-12) << seed;
    EXPECT_NEAR(ratio.low, low_ratio, 1e-12) << seed;
    EXPECT_NEAR(ratio.high, high_ratio, 1e-12) << seed;
  }
}

TEST(Fairness, OfManyGroups) {
  const auto entries = drawn(5, 20'000, 10, .5, .5);
  EXPECT_LT(value_of(entries, "tpr_difference").low, value_of(entries, "tpr_difference").high);
  EXPECT_EQ(value_of(entries, "tpr_ratio").low, 0);
}

TEST(Fairness, MissingGroups) {
  FairnessState state;
  state.update(std::array<std::string_view, 3>{std::string_view{}, "", "b"}, std::array<std::uint8_t, 3>{1, 1, 0},
               std::array<std::uint8_t, 3>{1, 1, 7});
  EXPECT_EQ(state.unscored(), 1);
  EXPECT_EQ(state.unlabelled(), 1);
  EXPECT_EQ(value_of(evaluate(state.summarize()), "tpr", "").value, 1);
}

}  // namespace
}  // namespace vigie::metric
