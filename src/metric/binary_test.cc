// SPDX-License-Identifier: Apache-2.0
#include "metric/binary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/rng.h"
#include "metric/golden_test_internal.h"
#include "stats/distributions.h"

namespace vigie::metric {
namespace {

using golden::value_of;

constexpr std::array<double, 4> kCosts = {0, -5, -50, 100};

struct Rows {
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
};

BinaryState state_of(const Rows& rows, BinaryOptions options = {}) {
  BinaryState state(options);
  state.update(rows.scores, rows.labels);
  return state;
}

std::vector<Entry> evaluated(const Rows& rows, BinaryOptions options = {}) {
  return evaluate(state_of(rows, options).summarize(2, kCosts));
}

/// Normal scores brought to 0..1, positives higher by `shift`.
Rows normal_rows(Rng& rng, std::size_t n, double share, double shift) {
  Rows rows;
  for (std::size_t i = 0; i < n; ++i) {
    const bool positive = rng.uniform() < share;
    rows.labels.push_back(positive);
    rows.scores.push_back(stats::normal_cdf(stats::normal_quantile(rng.uniform()) + (positive ? shift : 0)));
  }
  return rows;
}

TEST(Binary, AsScikitLearn) {
  for (const std::string name : {"binary", "binary_ties", "binary_ten_rows", "binary_rare"}) {
    Rows rows;
    for (const auto& line : golden::numbers(name + ".in")) {
      rows.scores.push_back(line[0]);
      rows.labels.push_back(static_cast<std::uint8_t>(line[1]));
    }
    golden::check(evaluated(rows), name);
  }
}

TEST(Binary, ScoresAtTheEndsAsScikitLearn) {
  // sklearn.metrics.log_loss([1, 0, 1, 0], [0, 1, 1, 0]) of 1.9.1
  EXPECT_NEAR(value_of(evaluated({{0, 1, 1, 0}, {1, 0, 1, 0}}), "log_loss").value, 18.021826694558577, 1e-12);
}

TEST(Binary, PredictionsBesideScoresDecide) {
  BinaryState state;
  state.update(std::array{.9, .8, .2, .1, .6}, std::array<std::uint8_t, 5>{1, 1, 0, 0, 1},
               std::array<std::uint8_t, 5>{0, 1, 1, 0, 2});
  EXPECT_EQ(state.unscored(), 1);
  const BinarySummary s = state.summarize();
  EXPECT_EQ(s.counts.tp, 1);
  EXPECT_EQ(s.counts.fn, 1);
  EXPECT_EQ(s.counts.fp, 1);
  EXPECT_EQ(s.counts.tn, 1);
  EXPECT_EQ(s.roc_auc, 1);
}

TEST(Binary, DeLongVariance) {
  // By hand: positives .9 .6 .4, negatives .7 .3. Wins of each positive 1, .5, .5; losses of each negative 1/3, 1.
  const BinarySummary s = state_of({{.9, .6, .4, .7, .3}, {1, 1, 1, 0, 0}}).summarize();
  EXPECT_NEAR(s.roc_auc, 2. / 3, 1e-15);
  EXPECT_NEAR(s.roc_auc_positive, (1. / 9 + 1. / 36 + 1. / 36) / 2 / 3, 1e-15);
  EXPECT_NEAR(s.roc_auc_negative, (1. / 9 + 1. / 9) / 1 / 2, 1e-15);
}

TEST(Binary, TiesAcrossBinsAndTenthAreShared) {
  Rows rows;
  for (int i = 0; i < 300; ++i) {
    rows.scores.push_back(.25);
    rows.labels.push_back(i < 90);
  }
  const auto entries = evaluated(rows);
  EXPECT_NEAR(value_of(entries, "ece").value, .05, 1e-12);
  EXPECT_NEAR(value_of(entries, "lift_10").value, 1, 1e-12);
  EXPECT_NEAR(value_of(entries, "pr_auc").value, .3, 1e-12);
  EXPECT_NEAR(value_of(entries, "roc_auc").value, .5, 1e-12);
  EXPECT_NEAR(value_of(entries, "ks").value, 0, 1e-12);
}

TEST(Binary, RoundedBeyondTheLimit) {
  Rng rng(1);
  const Rows rows = normal_rows(rng, 20000, .3, 1);
  const auto exact = evaluated(rows), rounded = evaluated(rows, {.limit = 1000});
  EXPECT_EQ(state_of(rows).summarize().rounding, 0);
  EXPECT_GT(state_of(rows, {.limit = 1000}).summarize().rounding, 0);
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const Value &truth = exact[i].value, &got = rounded[i].value;
    EXPECT_NEAR(got.value, truth.value, std::max(got.rounding, 1e-12) * std::abs(truth.value)) << exact[i].metric->name;
    // Counts at the threshold are exact whatever the limit.
    if (exact[i].metric == &binary_f1) {
      EXPECT_EQ(got.rounding, 0);
    }
  }
}

TEST(Binary, RoundedAsTheScoresLie) {
  // All within 1e-5 of each other: bits that all of them share cost no cells.
  Rng rng(4);
  Rows rows = normal_rows(rng, 20000, .3, 1);
  const auto truth = state_of(rows).summarize();
  for (double& score : rows.scores) score = .999 + 1e-5 * score;
  const auto rounded = state_of(rows, {.limit = 1000}).summarize();
  EXPECT_GT(rounded.rounding, 0);
  EXPECT_LT(rounded.rounding, 1e-5);
  EXPECT_NEAR(rounded.roc_auc, truth.roc_auc, 1e-4);
  // Many rows, few different scores: nothing to round.
  for (double& score : rows.scores) score = std::floor(100 * (score - .999) * 1e5) / 100;
  EXPECT_EQ(state_of(rows, {.limit = 1000}).summarize().rounding, 0);
}

TEST(Binary, OneClassBeyondTheLimitStillTiesWithTheOther) {
  Rows rows;
  for (int i = 0; i < 2000; ++i) {
    rows.scores.push_back(.1234567);
    rows.labels.push_back(i % 20 == 0);
  }
  EXPECT_EQ(state_of(rows, {.limit = 1000}).summarize().roc_auc, .5);
}

TEST(Binary, PredictionsWithoutScores) {
  BinaryState state;
  state.update_predictions(std::array<std::uint8_t, 6>{1, 0, 1, 0, 1, 2},
                           std::array<std::uint8_t, 6>{1, 0, 0, 1, 9, 1});
  EXPECT_EQ(state.unlabelled(), 1);
  EXPECT_EQ(state.unscored(), 1);
  const auto entries = evaluate(state.summarize());
  EXPECT_EQ(value_of(entries, "accuracy").value, .5);
  EXPECT_EQ(value_of(entries, "roc_auc").reason, "no scores were given");
  EXPECT_EQ(value_of(entries, "business_value").reason, "no cost matrix was given");
}

TEST(Binary, ReasonsOfWhatDoesNotExist) {
  const auto positives = evaluated({{.2, .3}, {1, 1}});
  EXPECT_EQ(value_of(positives, "roc_auc").reason, "no negative rows");
  EXPECT_EQ(value_of(positives, "specificity").reason, "no negative rows");
  EXPECT_EQ(value_of(positives, "precision").reason, "no row was predicted positive");
  EXPECT_EQ(value_of(positives, "recall").value, 0);
  EXPECT_EQ(value_of(evaluated({{-2, 3}, {0, 1}}), "log_loss").reason, "scores outside 0..1 are no probabilities");
  EXPECT_EQ(value_of(evaluated({{-2, 3}, {0, 1}}), "roc_auc").value, 1);
  EXPECT_EQ(value_of(evaluated({{NAN, INFINITY}, {0, 1}}), "roc_auc").reason, "no labelled rows");
  EXPECT_EQ(value_of(evaluated({{.5}, {7}}), "f1").reason, "no labelled rows");
}

TEST(Binary, DifferentThresholdsDoNotMerge) {
  BinaryState a({.threshold = .3});
  a.update(std::array{.4}, std::array<std::uint8_t, 1>{1});
  EXPECT_FALSE(a.merge(BinaryState()));
  EXPECT_EQ(a.rows(), 1);
}

TEST(Binary, BytesThatNoSaveWrote) {
  Rng rng(2);
  BinaryState state = state_of(normal_rows(rng, 50, .5, 1));
  ByteWriter out;
  state.save(out);
  const std::string bytes = out.bytes();
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    ByteReader in(std::string_view(bytes).substr(0, cut));
    EXPECT_FALSE(BinaryState::load(in)) << cut;
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x40);
    ByteReader in(flipped);
    if (auto loaded = BinaryState::load(in)) evaluate(loaded->summarize());  // must not crash
  }
}

/// How often the interval of a metric holds what the metric is for the whole population.
double coverage(const char* metric, std::size_t n, double share, double shift, int trials) {
  Rng rng(11);
  const double truth = value_of(evaluated(normal_rows(rng, 400000, share, shift)), metric).value;
  int held = 0, given = 0;
  for (int t = 0; t < trials; ++t) {
    const Value v = value_of(evaluated(normal_rows(rng, n, share, shift)), metric);
    if (!v.reason.empty()) continue;
    ++given;
    held += v.low <= truth && truth <= v.high;
  }
  return held / static_cast<double>(given);
}

TEST(SlowBinary, IntervalsHoldTheTruth) {
  for (const char* metric :
       {"accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "f_beta", "mcc", "kappa",
        "roc_auc", "pr_auc", "log_loss", "brier", "gini", "lift_10", "selection_rate"}) {
    for (const std::size_t n : {60, 500}) {
      const double held = coverage(metric, n, .3, 1.2, 1000);
      EXPECT_GT(held, n < 100 ? .91 : .93) << metric << " " << n;
      EXPECT_LT(held, .985) << metric << " " << n;
    }
  }
}

}  // namespace
}  // namespace vigie::metric
