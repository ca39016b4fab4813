// SPDX-License-Identifier: Apache-2.0
#include "metric/fairness.h"

#include <gtest/gtest.h>

#include "metric/golden_test_internal.h"

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
