// SPDX-License-Identifier: Apache-2.0
#include "metric/ranking.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "metric/golden_test_internal.h"

namespace vigie::metric {
namespace {

using golden::value_of;

struct Rows {
  std::vector<std::uint64_t> lists;
  std::vector<double> scores, relevance;
};

std::vector<Entry> evaluated(const Rows& rows, std::vector<std::uint32_t> ks = {5, 10}) {
  RankingState state(std::move(ks));
  state.update(rows.lists, rows.scores, rows.relevance);
  return evaluate(state.summarize());
}

TEST(RankingMetrics, AsScikitLearnAndByBruteForce) {
  for (const std::string name : {"ranking", "ranking_ties"}) {
    Rows rows;
    for (const auto& line : golden::numbers(name + ".in")) {
      rows.lists.push_back(static_cast<std::uint64_t>(line[0]));
      rows.scores.push_back(line[1]);
      rows.relevance.push_back(line[2]);
    }
    golden::check(evaluated(rows), name);
  }
}

TEST(RankingMetrics, TiesAreTheMeanOverAllOrders) {
  // All 720 orders of six items whose scores are 2 1 1 1 1 0, each made strict by tiny steps.
  const std::vector<double> scores = {2, 1, 1, 1, 1, 0}, relevance = {0, 1, 0, 2, 0, 3};
  std::vector<int> order(6);
  std::iota(order.begin(), order.end(), 0);
  std::map<std::pair<std::string, std::string>, double> sums;
  do {
    Rows rows{{9, 9, 9, 9, 9, 9}, scores, relevance};
    for (int i = 0; i < 6; ++i) rows.scores[static_cast<std::size_t>(i)] += 1e-6 * order[static_cast<std::size_t>(i)];
    for (const Entry& e : evaluated(rows, {2, 4})) sums[{std::string(e.metric->name), e.part}] += e.value.value / 720;
  } while (std::next_permutation(order.begin(), order.end()));
  for (const Entry& e : evaluated({{9, 9, 9, 9, 9, 9}, scores, relevance}, {2, 4})) {
    EXPECT_NEAR(e.value.value, (sums[{std::string(e.metric->name), e.part}]), 1e-12) << e.metric->name << e.part;
  }
}

TEST(RankingMetrics, ListsWithoutRelevantItemsAreLeftOut) {
  const auto entries = evaluated({{1, 1, 2, 2}, {.9, .1, .9, .1}, {0, 1, 0, 0}});
  EXPECT_EQ(value_of(entries, "mrr", "5").value, .5);
  EXPECT_EQ(value_of(entries, "mrr", "5").n, 1);
  EXPECT_EQ(value_of(evaluated({{1}, {.5}, {0}}), "mrr", "5").reason, "no list has a relevant item");
  EXPECT_EQ(value_of(evaluated({{1}, {.5}, {NAN}}), "mrr", "5").reason, "no labelled rows");
}

TEST(RankingMetrics, AListMayBeSplitOverStates) {
  RankingState a, b;
  a.update(std::array<std::uint64_t, 1>{1}, std::array{.9}, std::array{0.});
  b.update(std::array<std::uint64_t, 1>{1}, std::array{.1}, std::array{1.});
  ASSERT_TRUE(a.merge(b));
  EXPECT_EQ(value_of(evaluate(a.summarize()), "mrr", "10").value, .5);
  EXPECT_FALSE(a.merge(RankingState({3})));
}

}  // namespace
}  // namespace vigie::metric
