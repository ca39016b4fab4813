// SPDX-License-Identifier: Apache-2.0
#include "metric/multiclass.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"
#include "metric/golden_test_internal.h"

namespace vigie::metric {
namespace {

using golden::value_of;

struct Rows {
  std::vector<std::vector<double>> scores;  // per class
  std::vector<std::uint32_t> labels;
};

MulticlassState state_of(const Rows& rows, MulticlassOptions options) {
  MulticlassState state(std::move(options));
  const std::vector<std::span<const double>> columns(rows.scores.begin(), rows.scores.end());
  state.update(columns, rows.labels);
  return state;
}

/// Probabilities that lean to the truth by `shift`.
Rows random_rows(Rng& rng, std::size_t n, double shift) {
  Rows rows{std::vector<std::vector<double>>(3), {}};
  for (std::size_t i = 0; i < n; ++i) {
    const double u = rng.uniform();
    const auto label = static_cast<std::uint32_t>(u < .5 ? 0 : u < .8 ? 1 : 2);
    double sum = 0;
    for (std::uint32_t c = 0; c < 3; ++c) {
      rows.scores[c].push_back(-std::log(1 - rng.uniform()) * (c == label ? shift : 1));
      sum += rows.scores[c].back();
    }
    for (auto& column : rows.scores) column.back() /= sum;
    rows.labels.push_back(label);
  }
  return rows;
}

TEST(Multiclass, AsScikitLearn) {
  Rows rows{std::vector<std::vector<double>>(4), {}};
  for (const auto& line : golden::numbers("multiclass.in")) {
    rows.labels.push_back(static_cast<std::uint32_t>(line[0]));
    for (std::size_t c = 0; c < 4; ++c) rows.scores[c].push_back(line[1 + c]);
  }
  golden::check(evaluate(state_of(rows, {.classes = {"0", "1", "2", "3"}, .top_k = 3}).summarize()), "multiclass");
}

TEST(Multiclass, ClassesThatDoNotOccur) {
  MulticlassState state({.classes = {"a", "b", "c", "never"}});
  state.update_predictions(std::array<std::uint32_t, 5>{0, 0, 1, 2, 1}, std::array<std::uint32_t, 5>{0, 1, 1, 0, 1});
  const auto entries = evaluate(state.summarize());
  // sklearn.metrics of 1.9.1 on labels a b b a b, predictions a a b c b, zero_division=0
  EXPECT_NEAR(value_of(entries, "precision_macro").value, .5, 1e-12);
  EXPECT_NEAR(value_of(entries, "recall_macro").value, (.5 + 2. / 3) / 3, 1e-12);
  EXPECT_NEAR(value_of(entries, "balanced_accuracy").value, (.5 + 2. / 3) / 2, 1e-12);
  EXPECT_EQ(value_of(entries, "recall", "c").reason, "no positive rows");
  EXPECT_EQ(value_of(entries, "precision", "never").reason, "no row was predicted positive");
  EXPECT_EQ(value_of(entries, "log_loss").reason, "no scores were given");
}

// One number, one dummy: precision, recall and F1 over all rows, and recall by the rows of the classes, are the
// accuracy.
TEST(Multiclass, TheAccuracyHasOneDummy) {
  Rng rng(6);
  const auto entries = evaluate(state_of(random_rows(rng, 300, 3), {.classes = {"a", "b", "c"}}).summarize());
  const Value accuracy = value_of(entries, "accuracy");
  for (const auto name : {"precision_micro", "recall_micro", "f1_micro", "recall_weighted"}) {
    EXPECT_NEAR(value_of(entries, name).value, accuracy.value, 1e-12) << name;
    EXPECT_EQ(value_of(entries, name).baseline, accuracy.baseline) << name;
  }
}

TEST(Multiclass, PredictionsBesideScoresDecide) {
  MulticlassState state({.classes = {"a", "b"}});
  const std::vector<double> a = {.9, .4, .8, .7}, b = {.1, .6, .2, .3};
  state.update(std::array{std::span<const double>(a), std::span<const double>(b)},
               std::array<std::uint32_t, 4>{0, 1, 0, 0}, std::array<std::uint32_t, 4>{0, 0, 0, 9});
  EXPECT_EQ(state.unscored(), 1);
  const auto entries = evaluate(state.summarize());
  EXPECT_NEAR(value_of(entries, "accuracy").value, 2. / 3, 1e-12);
  EXPECT_EQ(value_of(entries, "roc_auc_macro").value, 1);
}

TEST(Multiclass, AMissingClassHasNoRocAuc) {
  const Rows rows{{{.5, .2}, {.3, .7}, {.2, .1}}, {0, 1}};
  const auto entries = evaluate(state_of(rows, {.classes = {"a", "b", "c"}}).summarize());
  EXPECT_EQ(value_of(entries, "roc_auc_macro").reason, "class \"c\" has no rows");
  EXPECT_EQ(value_of(entries, "roc_auc", "c").reason, "no positive rows");
  EXPECT_EQ(value_of(entries, "roc_auc", "a").value, 1);
}

TEST(Multiclass, ScoresThatAreNoProbabilities) {
  const Rows rows{{{5, .2}, {.3, .7}}, {0, 1}};
  const auto entries = evaluate(state_of(rows, {.classes = {"a", "b"}}).summarize());
  EXPECT_EQ(value_of(entries, "brier").reason, "scores of a row are not within 0..1 or do not sum to 1");
  EXPECT_EQ(value_of(entries, "accuracy").value, 1);
}

TEST(SlowMulticlass, IntervalsHoldTheTruth) {
  Rng rng(5);
  const MulticlassOptions options{.classes = {"a", "b", "c"}};
  const auto truth = evaluate(state_of(random_rows(rng, 300000, 2.5), options).summarize());
  std::vector<int> held(truth.size());
  constexpr int kTrials = 600;
  for (int t = 0; t < kTrials; ++t) {
    const auto got = evaluate(state_of(random_rows(rng, 300, 2.5), options).summarize());
    for (std::size_t i = 0; i < got.size(); ++i) {
      held[i] += got[i].value.low <= truth[i].value.value && truth[i].value.value <= got[i].value.high;
    }
  }
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i].metric == &multiclass_ece) continue;  // biased upwards, and said to be
    EXPECT_GT(held[i], .925 * kTrials) << truth[i].metric->name << " " << truth[i].part;
  }
}

}  // namespace
}  // namespace vigie::metric
