// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/parallel.h"
#include "engine/alarms_internal.h"

namespace vigie::engine::alarms {
namespace {

TEST(SlowAlarms, IndependentRows) {
  Table table(
      fmt::format("### One window of independent rows\n\n| columns | segments | reference, current rows | {} |\n{}",
                  kCells, "|---|---|---|---|---|---|---|\n"));
  struct Row {
    std::size_t columns, segments;
    std::int64_t n, m;
    std::size_t trials, reduced;
  };
  const Row rows[] = {
      {1, 0, 300, 300, 8000, 500},   {1, 0, 1000, 1000, 8000, 500}, {1, 0, 5000, 200, 4000, 300},
      {1, 10, 5000, 2000, 1500, 80}, {20, 0, 300, 300, 1500, 100},  {20, 0, 1000, 1000, 1500, 100},
      {20, 0, 5000, 200, 1500, 60},  {20, 10, 5000, 2000, 200, 12}, {200, 0, 300, 300, 200, 12},
      {200, 0, 1000, 1000, 200, 12}, {200, 10, 5000, 2000, 40, 2},
  };
  for (const auto& r : rows) {
    Scenario s{.columns = r.columns, .segments = r.segments};
    auto a = count(trials_of(r.trials, r.reduced), [&](std::size_t t) { return run(s, t, {{r.n}, {r.m}}, 1, {}); });
    table.row(fmt::format("| {} | {} | {}, {} | {} |", r.columns, r.segments, r.n, r.m, cells(a)));
    expect_at_most(a, kAlpha, fmt::format("{} columns, {} segments, {}, {}", r.columns, r.segments, r.n, r.m));
  }
}

TEST(SlowAlarms, PowerAndFalseDiscoveries) {
  Table table(
      "### What is seen, and how much of it is false: 20 columns, 1000 rows against 1000\n\n| change | changed columns "
      "flagged | false share, mean of windows | false among all flags | windows |\n|---|---|---|---|---|\n");
  struct Row {
    const char* what;
    Scenario scenario;
    double at_least;  ///< % of changed columns flagged; the recipe's, or what a sample of the test's size can vouch for
  };
  const Row rows[] = {
      {"one shifted .1 sd", {.changed = 1, .shift = .1}, 15},
      {"one shifted .2 sd", {.changed = 1, .shift = .2}, 86},
      {"one shifted .5 sd", {.changed = 1, .shift = .5}, 100},
      {"one with scale 1.2", {.changed = 1, .scale = 1.2}, 90},
      {"one with a new category of 10 %", {.changed = 1, .fresh = .1, .categorical = true}, 100},
      {"five shifted .2 sd", {.changed = 5, .shift = .2}, 80},
  };
  for (const auto& row : rows) {
    auto trials = trials_of(1000, 60);
    std::vector<double> seen(trials), wrong(trials), share(trials);
    parallel_for(trials, 0, [&](std::size_t t) {
      auto result = run(row.scenario, t, {{1000}, {.rows = 1000, .changed = true}}, 1, {});
      std::map<std::string, bool> flagged;
      for (const auto& r : result.windows[0].columns) flagged[r.column] |= r.p_adjusted <= kAlpha;
      for (std::size_t c = 0; c < row.scenario.columns; ++c)
        (c < row.scenario.changed ? seen : wrong)[t] += flagged["x" + std::to_string(c)];
      share[t] = wrong[t] / std::max(1., seen[t] + wrong[t]);
    });
    double n = static_cast<double>(trials), found = 0, bad = 0, mean = 0, squares = 0;
    for (std::size_t t = 0; t < trials; ++t)
      found += seen[t], bad += wrong[t], mean += share[t] / n, squares += share[t] * share[t] / n;
    double percent = 100 * found / (n * static_cast<double>(row.scenario.changed));
    table.row(fmt::format("| {} | {:.0f} % | {:.1f} % | {:.1f} % | {} |", row.what, percent, 100 * mean,
                          100 * bad / std::max(1., found + bad), trials));
    double r = row.at_least / 100, error = 100 * std::sqrt(r * (1 - r) * (1 / n + 1. / 2000));
    EXPECT_GE(percent, row.at_least - 5 * error - .5) << row.what;
    EXPECT_LE(mean - 4.75 * std::sqrt((squares - mean * mean) / n), kAlpha) << row.what;
  }
}

}  // namespace
}  // namespace vigie::engine::alarms
