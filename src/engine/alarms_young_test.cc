// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>

#include "engine/alarms_internal.h"

// What a young reference can see: with few healthy windows, little is known of how much they differ.
namespace vigie::engine::alarms {
namespace {

TEST(SlowAlarms, PowerOfFewHealthyWindows) {
  Table table(
      "### What few healthy windows let through: one column, windows of 500 rows, % of all windows seen at .0025, and "
      "% "
      "undecided\n\n| change | windows differ by | 5 | 8 | 12 | 20 |\n|---|---|---|---|---|---|\n");
  constexpr double kOneOfTwenty = kAlpha / 20;
  struct Change {
    const char* what;
    Scenario scenario;
    double at_least[2][4];  ///< % seen without and with wander, by windows
  };
  const Spec six{kZipf, 6};
  const Change changes[] = {
      {"mean + 1 sd", {.shift = 1, .kinds = {{kNormal}}}, {{80, 95, 95, 97}, {8, 65, 90, 95}}},
      {"mean + 2 sd", {.shift = 2, .kinds = {{kNormal}}}, {{95, 95, 95, 97}, {50, 90, 93, 97}}},
      {"all rows the median", {.frozen = true, .kinds = {{kNormal}}}, {{97, 97, 97, 97}, {97, 97, 97, 97}}},
      {"all rows one category of six", {.frozen = true, .kinds = {six}}, {{97, 97, 97, 97}, {97, 97, 97, 97}}},
      {"the second category of six is gone", {.gone = true, .kinds = {six}}, {{30, 95, 95, 97}, {30, 90, 90, 97}}},
  };
  for (const auto& change : changes) {
    for (double tau : {0., .1}) {
      auto line = fmt::format("| {} | {} sd |", change.what, tau);
      for (std::size_t i = 0; i < 4; ++i) {
        std::size_t healthy = std::array{5U, 8U, 12U, 20U}[i];
        auto s = change.scenario;
        s.columns = s.changed = 1, s.tau = tau;
        std::vector<Stretch> stretches(healthy, Stretch{500});
        stretches.push_back({.rows = 500, .changed = true});
        auto trials = trials_of(1000, 100);
        auto a = count(trials, [&](std::size_t t) { return run(s, t, stretches, healthy, windows_of(500)); });
        double percent = 100 * a.sum(a.at_most(kOneOfTwenty)) / a.sum(a.tests);
        line += fmt::format(" {:.0f}, {:.0f} |", percent, 100 * a.undecided_share());
        EXPECT_GE(percent, change.at_least[tau > 0][i]) << change.what << ", " << tau << " sd, " << healthy;
      }
      table.row(line);
    }
  }
}

}  // namespace
}  // namespace vigie::engine::alarms
