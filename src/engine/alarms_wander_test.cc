// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <numbers>

#include "engine/alarms_internal.h"
#include "engine/judge_internal.h"

namespace vigie::engine::alarms {
namespace {

constexpr double kKnownLimit = .25;             // heavy-tailed effects run at up to five times the nominal rate
constexpr double kMostUndecidedWhenYoung = .4;  // with five windows a large move cannot be told from a usual one

const std::string kWanderHead = fmt::format(
    "| columns | segments | healthy windows | windows differ by | {} |\n|---|---|---|---|---|---|---|---|\n", kCells);

void wandering(Table& table, const Scenario& s, std::size_t healthy, std::int64_t rows, std::size_t trials,
               double permitted, const std::string& what) {
  constexpr std::size_t kCurrent = 4;
  std::vector<Stretch> stretches(healthy + kCurrent, Stretch{rows});
  auto a = count(trials, [&](std::size_t t) { return run(s, t, stretches, healthy, windows_of(rows)); });
  table.row(fmt::format("| {} | {} | {} | {} | {} |", s.columns, s.segments, healthy, what, cells(a)));
  expect_at_most(a, permitted,
                 fmt::format("{} columns, {} segments, {} windows, {}", s.columns, s.segments, healthy, what),
                 healthy < static_cast<std::size_t>(kAdvisedWindows) ? kMostUndecidedWhenYoung : kMostUndecided);
}

TEST(SlowAlarms, WindowsThatWander) {
  Table table("### Row windows whose means wander\n\n" + kWanderHead);
  for (double tau : {0., .05, .1, .2}) {
    auto what = fmt::format("{} sd", tau);
    for (std::size_t healthy : {5U, 15U, 30U}) {
      wandering(table, {.columns = 1, .tau = tau}, healthy, 500, trials_of(2000, 60), kAlpha, what);
      wandering(table, {.columns = 20, .tau = tau}, healthy, 500, trials_of(250, 10), kAlpha, what);
    }
  }
  for (std::size_t healthy : {5U, 15U, 30U})
    wandering(table, {.tau = .1, .missing_too = true}, healthy, 500, trials_of(150, 8), kAlpha,
              "0.1 sd, missing shares too");
  for (double tau : {0., .1}) {
    auto what = fmt::format("{} sd", tau);
    wandering(table, {.columns = 20, .segments = 10, .tau = tau}, 15, 1000, trials_of(40, 2), kAlpha, what);
    wandering(table, {.columns = 200, .tau = tau}, 15, 300, trials_of(40, 2), kAlpha, what);
  }
}

TEST(SlowAlarms, KnownLimits) {
  Table table("### Correlated and heavy-tailed differences: the promise is not kept under heavy tails\n\n" +
              kWanderHead);
  for (std::size_t healthy : {5U, 15U, 30U}) {
    wandering(table, {.tau = .1, .rho = .7}, healthy, 500, trials_of(150, 8), kAlpha, "0.1 sd, correlation .7");
    wandering(table, {.tau = .1, .heavy = true}, healthy, 500, trials_of(150, 8), kKnownLimit, "0.1 sd, heavy tails");
  }
}

TEST(SlowAlarms, HoursWithASeason) {
  Table table(fmt::format(
      "### Hours of 60 rows after 28 healthy days; hour of day ±.3 sd, weekend +.15 sd\n\n| columns | hours differ by "
      "| {} |\n|---|---|---|---|---|---|\n",
      kCells));
  constexpr int kHours = 28 * 24;
  constexpr double kMonday = 20457 * 24;  // 2026-01-05
  auto hour = [](int h) {
    bool weekend = h / 24 % 7 >= 5;
    return Stretch{.rows = 60,
                   .start = kMonday + h,
                   .season = .3 * std::sin(2 * std::numbers::pi * (h % 24) / 24) + (weekend ? .15 : 0)};
  };
  std::vector<Stretch> stretches;
  for (int h = 0; h < kHours; ++h) stretches.push_back(hour(h));
  for (int i = 0; i < 24; ++i) stretches.push_back(hour(kHours + 7 * i));  // every hour of the day once, all week
  WindowSpec window;
  window.kind = WindowSpec::Kind::kHour;
  for (std::size_t columns : {1U, 20U}) {
    for (double tau : {0., .05, .1, .2}) {
      Scenario s{.columns = columns, .tau = tau};
      auto a = count(columns == 1 ? trials_of(400, 20) : trials_of(40, 2),
                     [&](std::size_t t) { return run(s, t, stretches, kHours, window); });
      table.row(fmt::format("| {} | {} sd | {} |", columns, tau, cells(a)));
      expect_at_most(a, kAlpha, fmt::format("hours, {} columns, {} sd", columns, tau));
    }
  }
}

}  // namespace
}  // namespace vigie::engine::alarms
