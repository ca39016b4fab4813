// SPDX-License-Identifier: Apache-2.0
#include "engine/scoring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/rng.h"
#include "engine/memory_input_internal.h"
#include "metric/binary.h"

namespace vigie::engine {
namespace {

using metric::Task;

/// Scores that are probabilities; `worse` of the labels are drawn without looking at them.
MemoryInput classified(std::uint64_t seed, std::size_t rows, double worse = 0, std::int64_t batch = 1000) {
  Rng rng(seed);
  std::vector<double> scores(rows), labels(rows), groups(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    scores[i] = rng.uniform();
    labels[i] = rng.uniform() < (rng.uniform() < worse ? .5 : scores[i]);
    groups[i] = static_cast<double>(i % 70);
  }
  MemoryInput input("data", batch);
  input.add("y", labels, table::Type::kInteger).add("s", scores).add("g", groups, table::Type::kInteger);
  return input;
}

ScoreOptions binary() {
  ScoreOptions options;
  options.task = Task::kBinary, options.label = "y", options.scores = {"s"};
  return options;
}

const MetricResult* find(const ScoreWindow& window, std::string_view name, std::optional<std::string> segment = {}) {
  for (const auto& r : window.metrics)
    if (r.metric->name == name && r.segment == segment) return &r;
  return nullptr;
}

TEST(Scoring, IsWhatTheStateSaysWhateverTheBatches) {
  auto input = classified(1, 5000);
  auto reader = input.open();
  metric::BinaryState state;
  while (auto batch = (*reader)->next()) {
    if (!*batch) break;
    std::vector<std::uint8_t> labels;
    const auto truth = (*batch)->column(0), scores = (*batch)->column(1);
    ASSERT_TRUE(truth && scores);
    for (const double y : truth->numbers) labels.push_back(y != 0);
    state.update(scores->numbers, labels);
  }
  const auto card = score(input, nullptr, binary());
  ASSERT_TRUE(card) << card.error().message;
  EXPECT_EQ(card->windows.size(), 1U);
  EXPECT_EQ(card->windows[0].rows.labelled, 5000);
  EXPECT_EQ(find(card->windows[0], "roc_auc")->value.value, state.summarize().roc_auc);
  for (const std::int64_t batch : {7, 333, 5000}) {
    auto other = classified(1, 5000, 0, batch);
    const auto again = score(other, nullptr, binary());
    ASSERT_TRUE(again);
    EXPECT_EQ(find(again->windows[0], "roc_auc")->value.value, find(card->windows[0], "roc_auc")->value.value);
    EXPECT_EQ(again->windows[0].confusion->matrix, card->windows[0].confusion->matrix);
  }
}

TEST(Scoring, WindowsAndSegmentsPartTheRows) {
  auto input = classified(2, 5000);
  auto options = binary();
  options.window = {WindowSpec::Kind::kRows, 2000, {}};
  options.segments = {{"g"}};
  const auto card = score(input, nullptr, options);
  ASSERT_TRUE(card) << card.error().message;
  ASSERT_EQ(card->windows.size(), 3U);
  EXPECT_EQ(card->windows[1].rows.rows, 2000);
  EXPECT_TRUE(card->windows[2].partial);
  ASSERT_TRUE(card->whole);
  EXPECT_EQ(card->whole->rows.labelled, 5000);
  // Seventy segments: the fifty with the most rows keep their names.
  std::int64_t rows = 0, segments = 0;
  for (const auto& r : card->whole->metrics)
    if (r.segment && r.metric->name == "accuracy") rows += r.value.n, ++segments;
  EXPECT_EQ(rows, 5000);
  EXPECT_EQ(segments, 51);
  EXPECT_NE(find(*card->whole, "accuracy", "g=(other)"), nullptr);
}

TEST(Scoring, TheSameWhateverTheThreads) {
  std::vector<double> values;
  for (const unsigned threads : {1U, 2U, 5U}) {
    auto input = classified(3, 20000);
    auto options = binary();
    options.threads = threads;
    options.segments = {{"g"}};
    const auto card = score(input, nullptr, options);
    ASSERT_TRUE(card);
    std::vector<double> now;
    for (const auto& r : card->windows[0].metrics) now.push_back(std::isnan(r.value.value) ? -1 : r.value.value);
    if (values.empty()) values = now;
    EXPECT_EQ(now, values);
  }
}

TEST(Scoring, AChangeOfSizeIsDriftAndItsReverseIsNot) {
  auto good = classified(4, 4000), bad = classified(5, 4000, .5);
  const auto worse = score(bad, &good, binary());
  ASSERT_TRUE(worse) << worse.error().message;
  EXPECT_EQ(find(worse->windows[0], "roc_auc")->verdict, Verdict::kDrift);
  EXPECT_GT(find(worse->windows[0], "roc_auc")->effect, .25);
  EXPECT_EQ(find(worse->windows[0], "roc_auc")->effect_scale, "lead over the baseline");
  EXPECT_EQ(worse->summary.verdict, Verdict::kDrift);
  const auto better = score(good, &bad, binary());
  ASSERT_TRUE(better);
  EXPECT_EQ(find(better->windows[0], "roc_auc")->verdict, Verdict::kOk);
  EXPECT_LT(find(better->windows[0], "roc_auc")->effect, 0);
}

TEST(Scoring, TooFewRowsAreNoData) {
  auto reference = classified(6, 1000), few = classified(7, 29);
  const auto card = score(few, &reference, binary());
  ASSERT_TRUE(card);
  EXPECT_EQ(card->summary.verdict, Verdict::kNoData);
  EXPECT_EQ(find(card->windows[0], "accuracy")->reason, "29 in the window, 30 are needed for a verdict");
  EXPECT_TRUE(std::isfinite(find(card->windows[0], "accuracy")->value.value));
}

TEST(Scoring, ADummyIsNoModel) {
  metric::Value value{.value = .6, .low = .55, .high = .65, .baseline = .5};
  MetricResult r;
  r.metric = metric::find_metric(Task::kBinary, "roc_auc"), r.value = value;
  EXPECT_EQ(beside_dummy(r), "better");
  r.value.baseline = .6;
  EXPECT_EQ(beside_dummy(r), "like");
  r.value.baseline = .7;
  EXPECT_EQ(beside_dummy(r), "worse");
  r.metric = metric::find_metric(Task::kBinary, "log_loss");
  EXPECT_EQ(beside_dummy(r), "better");
  // No model is calibrated better than one that always says the share of the positives.
  r.metric = metric::find_metric(Task::kBinary, "ece"), r.value.baseline = 0;
  EXPECT_EQ(beside_dummy(r), "");
}

/// Windows of the reference's own law: at most alpha of them may alarm, at p < 1e-6.
TEST(SlowScoring, FalseAlarmsAreFew) {
  for (const std::size_t rows : {60, 200, 2000}) {
    int alarms = 0;
    constexpr int kTrials = 300;
    for (int t = 0; t < kTrials; ++t) {
      const auto seed = static_cast<std::uint64_t>(t);
      auto reference = classified(10'000 + seed, 2000), current = classified(20'000 + seed, rows);
      const auto card = score(current, &reference, binary());
      ASSERT_TRUE(card);
      alarms += card->summary.verdict >= Verdict::kWarning;
    }
    // Binomial(300, .05) is above 38 with probability 1e-6.
    EXPECT_LE(alarms, 38) << rows;
    RecordProperty("alarms_" + std::to_string(rows), alarms);
  }
}

TEST(Scoring, NamesWhatTheTaskLacks) {
  auto input = classified(8, 100);
  auto options = binary();
  options.group = "g";
  EXPECT_EQ(score(input, nullptr, options).error().message, "--group: --task binary has no use for it, ranking has");
  options = binary();
  options.label = "s";
  EXPECT_NE(score(input, nullptr, options).error().message.find("more than two values"), std::string::npos);
  options = binary();
  options.metrics = {"roc_acu"};
  EXPECT_NE(score(input, nullptr, options).error().message.find("did you mean \"roc_auc\""), std::string::npos);
}

}  // namespace
}  // namespace vigie::engine
