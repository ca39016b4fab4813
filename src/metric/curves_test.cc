// SPDX-License-Identifier: Apache-2.0
#include "metric/curves.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"
#include "metric/golden_test_internal.h"
#include "stats/distributions.h"

namespace vigie::metric {
namespace {

BinaryState ten_rows() {
  BinaryState state;
  state.update(std::array{.1, .4, .35, .8, .65, .7, .2, .9, .55, .3},
               std::array<std::uint8_t, 10>{0, 0, 1, 1, 0, 1, 0, 1, 1, 0});
  return state;
}

BinaryState many_rows(std::size_t n) {
  Rng rng(1);
  std::vector<double> scores(n);
  std::vector<std::uint8_t> labels(n);
  for (std::size_t i = 0; i < n; ++i) {
    scores[i] = rng.uniform();
    labels[i] = rng.uniform() < scores[i];
  }
  BinaryState state;
  state.update(scores, labels);
  return state;
}

TEST(Curves, RocGoesThroughEveryScoreOfAFew) {
  BinaryState state = ten_rows();
  const auto roc = roc_curve(state);
  ASSERT_EQ(roc.size(), 11U);
  double area = 0;
  for (std::size_t i = 1; i < roc.size(); ++i) {
    area += (roc[i].false_positive_rate - roc[i - 1].false_positive_rate) *
            (roc[i].true_positive_rate + roc[i - 1].true_positive_rate) / 2;
    EXPECT_LT(roc[i].threshold, roc[i - 1].threshold);
  }
  EXPECT_NEAR(area, state.summarize().roc_auc, 1e-15);
  EXPECT_EQ(roc.front().true_positive_rate, 0);
  EXPECT_EQ(roc.back().false_positive_rate, 1);
}

TEST(Curves, PrecisionAndRecallOfAFew) {
  BinaryState state = ten_rows();
  const auto curve = precision_recall_curve(state);
  EXPECT_EQ(curve.front().threshold, .9);
  EXPECT_EQ(curve.front().precision, 1);
  EXPECT_EQ(curve.back().recall, 1);
  double sum = 0, before = 0;
  for (const auto& point : curve) {
    sum += (point.recall - before) * point.precision;
    before = point.recall;
  }
  EXPECT_LE(sum, state.summarize().pr_auc + 1e-15);  // thinned in recall: of equal recalls the last
}

TEST(Curves, FewPointsWhateverTheRows) {
  BinaryState state = many_rows(20000);
  const auto roc = roc_curve(state, 100);
  EXPECT_GT(roc.size(), 90U);
  EXPECT_LE(roc.size(), 102U);
  EXPECT_LE(precision_recall_curve(state, 100).size(), 102U);
  EXPECT_EQ(reliability_curve(state).size(), 15U);
}

TEST(Curves, ReliabilityIsWhatEceMeasures) {
  BinaryState state = many_rows(1001);
  double ece = 0, rows = 0;
  for (const auto& bin : reliability_curve(state)) {
    ece += bin.rows * std::abs(bin.positive_share - bin.mean_score) / 1001;
    rows += bin.rows;
    EXPECT_LE(bin.low, bin.positive_share);
    EXPECT_GE(bin.high, bin.positive_share);
  }
  EXPECT_NEAR(ece, state.summarize().ece, 1e-12);
  EXPECT_NEAR(rows, 1001, 1e-9);
}

TEST(Curves, GainAndLift) {
  BinaryState state = ten_rows();
  const auto gain = gain_curve(state, 10);
  ASSERT_EQ(gain.size(), 10U);
  const double expected[] = {.2, .4, .6, .6, .8, .8, 1, 1, 1, 1};
  for (std::size_t i = 0; i < 10; ++i) EXPECT_NEAR(gain[i].gain, expected[i], 1e-12) << i;
  EXPECT_NEAR(gain[0].lift, 2, 1e-12);
  EXPECT_NEAR(gain[0].lift, 10 * state.summarize().top_positives / 5, 1e-12);
  EXPECT_NEAR(gain[9].rows, 1, 1e-12);
}

TEST(Curves, ResidualsThatAreNormalLieOnTheLine) {
  Rng rng(2);
  std::vector<double> labels(20000, 5), predictions;
  for (std::size_t i = 0; i < labels.size(); ++i) predictions.push_back(6 + 2 * stats::normal_quantile(rng.uniform()));
  RegressionState state;
  state.update(predictions, labels);
  const auto curve = residual_curve(state, 9);
  ASSERT_EQ(curve.size(), 9U);
  for (const auto& point : curve) EXPECT_NEAR(point.residual, point.normal, .1) << point.share;
  EXPECT_NEAR(curve[4].residual, 1, .1);
}

TEST(Curves, NothingToDraw) {
  BinaryState empty, ones;
  ones.update(std::array{.5, 7.}, std::array<std::uint8_t, 2>{1, 1});
  for (BinaryState* state : {&empty, &ones}) {
    EXPECT_TRUE(roc_curve(*state).empty());
    EXPECT_TRUE(precision_recall_curve(*state).empty());
    EXPECT_TRUE(reliability_curve(*state).empty());
  }
  EXPECT_TRUE(gain_curve(empty).empty());
  RegressionState none;
  EXPECT_TRUE(residual_curve(none).empty());
}

}  // namespace
}  // namespace vigie::metric
