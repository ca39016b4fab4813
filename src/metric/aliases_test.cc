// SPDX-License-Identifier: Apache-2.0
#include "metric/aliases.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "metric/metric.h"

namespace vigie::metric {
namespace {

bool is_metric(std::string_view name) {
  return std::ranges::any_of(metrics(), [&](const Metric* m) { return m->name == name; });
}

TEST(Aliases, StandForMetricsAndAreNone) {
  for (const auto& [alias, name] : aliases()) {
    EXPECT_TRUE(is_metric(name)) << name;
    EXPECT_FALSE(is_metric(alias)) << alias;
  }
}

TEST(Aliases, MeanTheirMetric) {
  EXPECT_TRUE(means("auc", "roc_auc"));
  EXPECT_FALSE(means("auc", "pr_auc"));
  EXPECT_TRUE(means("pr_auc", "pr_auc"));
  EXPECT_EQ(aliases_of("f1"), std::vector<std::string_view>{"f1_score"});
  EXPECT_TRUE(aliases_of("rmsle").empty());
}

}  // namespace
}  // namespace vigie::metric
