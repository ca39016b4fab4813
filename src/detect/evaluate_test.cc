// SPDX-License-Identifier: Apache-2.0
#include "detect/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace vigie::detect {
namespace {

using Indices = std::vector<std::int64_t>;

Scores scores(const Indices& alarms, const std::vector<Change>& changes, std::int64_t within = 50) {
  return evaluate(alarms, changes, 1000, within).detector;
}
std::vector<Change> sudden(const Indices& at) {
  std::vector<Change> out;
  for (const std::int64_t i : at) out.push_back({i, i});
  return out;
}

// The examples of River's documentation.
TEST(Evaluate, AsRiver) {
  EXPECT_EQ(scores({130}, sudden({100, 120})).detected, 1);
  EXPECT_EQ(scores({130}, sudden({100, 120})).mean_delay, 30);
  EXPECT_EQ(scores({110, 900}, sudden({100})).precision, .5);
  EXPECT_EQ(scores({110, 130}, sudden({100, 500})).episode_recall, .5);
  EXPECT_EQ(scores({110, 530}, sudden({100, 500, 900})).mean_delay, 20);
  EXPECT_EQ(scores({110, 900}, sudden({100})).false_alarms_per_1000, 1);
  EXPECT_EQ(scores({200, 300, 500}, {}).mean_time_between_false_alarms, 150);
  // Its mean time ratio, 15, is made of these.
  const Scores three = scores({110, 400, 700}, sudden({100, 900}));
  EXPECT_EQ(three.mean_time_between_false_alarms / three.mean_delay * three.episode_recall, 15);
}

TEST(Evaluate, BothEndsOfAWindowCount) {
  const std::vector<Change> gradual = {{100, 200}};
  EXPECT_EQ(scores({99, 100, 250, 251}, gradual).false_alarms, 2);
  EXPECT_EQ(scores({99, 100, 250, 251}, gradual).mean_delay, 0);
  EXPECT_EQ(scores({250}, gradual).mean_delay, 150);
  // The longer window of the earlier change has what lies between, and what lies behind the later one's.
  const std::vector<Change> nested = {{100, 500}, {200, 210}};
  EXPECT_EQ(scores({205, 400, 551}, nested).detected, 1);
  EXPECT_EQ(scores({205, 400, 551}, nested).false_alarms, 1);
}

TEST(Evaluate, MedianAndMean) {
  const Scores s = scores({101, 302, 530, 706}, sudden({100, 300, 500, 700}));
  EXPECT_EQ(s.mean_delay, (1 + 2 + 30 + 6) / 4.);
  EXPECT_EQ(s.median_delay, (2 + 6) / 2.);
  EXPECT_EQ(s.precision, 1);
}

TEST(Evaluate, Baselines) {
  const Evaluation e = evaluate(Indices{120}, sudden({100, 400}), 1000);
  EXPECT_EQ(e.within, 150);
  EXPECT_EQ(e.changes, 2);
  EXPECT_EQ(e.always.episode_recall, 1);
  EXPECT_EQ(e.always.mean_delay, 0);
  EXPECT_EQ(e.always.false_alarms, 1000 - 2 * 151);
  EXPECT_EQ(e.never.episode_recall, 0);
  EXPECT_EQ(e.never.false_alarms_per_1000, 0);
  EXPECT_TRUE(std::isnan(e.never.mean_delay) && std::isnan(e.never.precision));
}

TEST(Evaluate, NothingToJudgeBy) {
  const Evaluation none = evaluate({}, {}, 0);
  EXPECT_TRUE(std::isnan(none.detector.episode_recall) && std::isnan(none.detector.false_alarms_per_1000));
  EXPECT_TRUE(std::isnan(scores({5}, {}).mean_time_between_false_alarms));
  EXPECT_EQ(evaluate(Indices{9}, sudden({9}), 10).within, 1);
}

}  // namespace
}  // namespace vigie::detect
