// SPDX-License-Identifier: Apache-2.0
#include "metric/regression.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"
#include "metric/golden_test_internal.h"
#include "stats/distributions.h"

namespace vigie::metric {
namespace {

using golden::value_of;

struct Rows {
  std::vector<double> predictions, labels;
};

std::vector<Entry> evaluated(const Rows& rows, std::size_t limit = SortedValues::kLimit) {
  RegressionState state(limit);
  state.update(rows.predictions, rows.labels);
  return evaluate(state.summarize());
}

Rows random_rows(Rng& rng, std::size_t n) {
  Rows rows;
  for (std::size_t i = 0; i < n; ++i) {
    rows.labels.push_back(20 + 3 * stats::normal_quantile(rng.uniform()));
    rows.predictions.push_back(rows.labels.back() + 1.5 * stats::normal_quantile(rng.uniform()));
  }
  return rows;
}

TEST(Regression, AsScikitLearn) {
  Rows rows;
  for (const auto& line : golden::numbers("regression.in")) {
    rows.labels.push_back(line[0]);
    rows.predictions.push_back(line[1]);
  }
  golden::check(evaluated(rows), "regression");
}

TEST(Regression, BaselinesByHand) {
  const auto entries = evaluated({{0, 0, 0, 0, 0}, {1, 2, 4, 8, 10}});
  EXPECT_NEAR(value_of(entries, "mae").baseline, 15 / 5., 1e-12);
  EXPECT_NEAR(value_of(entries, "mse").baseline, 12, 1e-12);
  EXPECT_NEAR(value_of(entries, "rmse").baseline, std::sqrt(12), 1e-12);
  EXPECT_NEAR(value_of(entries, "mape").baseline, (0 + .5 + .75 + .875 + .9) / 5, 1e-12);
  EXPECT_NEAR(value_of(entries, "max_error").baseline, 4.5, 1e-12);
  EXPECT_NEAR(value_of(entries, "medae").baseline, 3, 1e-12);
  EXPECT_EQ(value_of(entries, "r2").baseline, 0);
}

TEST(Regression, LabelsOfZeroAndBelow) {
  const auto negative = evaluated({{-1, -3}, {-2, -2}});
  EXPECT_EQ(value_of(negative, "mape").value, .5);  // the label's size, not its sign
  EXPECT_EQ(value_of(negative, "rmsle").reason, "2 rows with a label or prediction of -1 or less");
  EXPECT_EQ(value_of(negative, "r2").reason, "all labels are equal");
  EXPECT_EQ(value_of(evaluated({{0, 3}, {0, 2}}), "mape").value, .25);  // 0 for 0 is no error
  EXPECT_EQ(value_of(evaluated({{1, 3}, {0, 2}}), "mape").reason, "1 label is 0");
  EXPECT_EQ(value_of(evaluated({{0, 3}, {0, 3}}), "smape").value, 0);
}

TEST(Regression, FarFromZero) {
  Rows rows;
  for (int i = 0; i < 1000; ++i) {
    rows.labels.push_back(1e9 + i % 10);
    rows.predictions.push_back(1e9 + i % 10 + (i % 2 ? 1 : -1));
  }
  EXPECT_NEAR(value_of(evaluated(rows), "r2").value, 1 - 1 / 8.25, 1e-9);
}

TEST(Regression, RoundedBeyondTheLimit) {
  Rng rng(1);
  const Rows rows = random_rows(rng, 5000);
  const auto exact = evaluated(rows), rounded = evaluated(rows, 1000);
  for (const auto name : {"medae", "max_error", "mae", "rmsle"}) EXPECT_GT(value_of(rounded, name).rounding, 0) << name;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const Value &truth = exact[i].value, &got = rounded[i].value;
    // What is not read from rounded numbers is the same, the others by that part of their size.
    const double part = std::max(got.rounding, 1e-12);
    EXPECT_NEAR(got.value, truth.value, part * std::abs(truth.value)) << exact[i].metric->name;
    EXPECT_NEAR(got.baseline, truth.baseline, part * std::abs(truth.baseline)) << exact[i].metric->name;
  }
}

TEST(Regression, RoundedFarFromZero) {
  Rng rng(2);
  Rows rows = random_rows(rng, 5000);
  for (std::size_t i = 0; i < rows.labels.size(); ++i)
    rows.labels[i] = 1e6 + rng.uniform(), rows.predictions[i] = 1e6 + rng.uniform();
  const auto exact = evaluated(rows), rounded = evaluated(rows, 1000);
  EXPECT_GT(value_of(rounded, "mae").rounding, 0);
  EXPECT_NEAR(value_of(rounded, "mae").baseline, value_of(exact, "mae").baseline, 1e-3);
  EXPECT_NEAR(value_of(rounded, "medae").value, value_of(exact, "medae").value, 2e-3);
}

TEST(SlowRegression, IntervalsHoldTheTruth) {
  Rng rng(3);
  const auto truth = evaluated(random_rows(rng, 1000000));
  std::vector<int> held(truth.size());
  constexpr int kTrials = 1000;
  for (int t = 0; t < kTrials; ++t) {
    const auto got = evaluated(random_rows(rng, 200));
    for (std::size_t i = 0; i < got.size(); ++i) {
      held[i] += got[i].value.low <= truth[i].value.value && truth[i].value.value <= got[i].value.high;
    }
  }
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i].metric == &regression_max_error) continue;  // has none
    EXPECT_GT(held[i], .93 * kTrials) << truth[i].metric->name;
    EXPECT_LT(held[i], .975 * kTrials) << truth[i].metric->name;
  }
}

}  // namespace
}  // namespace vigie::metric
