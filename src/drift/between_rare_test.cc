// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cmath>

#include "drift/between_simulation_internal.h"

// A value of few rows in a hundred whose share moves from window to window, by as much in its log odds.
namespace vigie::drift {
namespace {

using simulation::Counts;

enum class Form { kTwoNumbers, kOtherNumbers, kTwoCategories };

struct Rare {
  Form form = Form::kTwoNumbers;
  double share = .01;
  double tau = 0;  ///< sd between windows of its log odds
  std::size_t windows = 30;
  std::int64_t rows = 500;
  double factor = 1;  ///< of the current window's share
};

double trial(Rng& rng, const Rare& r) {
  constexpr std::size_t kOthers = 40;
  simulation::Pair pair;
  if (r.form == Form::kTwoCategories)
    pair.kind = kCategorical;
  else
    pair.lattice = true;
  const std::size_t others = r.form == Form::kOtherNumbers ? kOthers : 1;
  // Numbers: cells outside, of values and of the gaps beside them.
  const std::size_t cells = pair.kind == kCategorical ? 2 : others + 4, common = pair.kind == kCategorical ? 0 : 1,
                    first = pair.kind == kCategorical ? 1 : 3;
  if (pair.kind == kNumeric) simulation::plain_axis(pair, cells);
  pair.reference.assign(cells, 0);
  std::vector<Counts> windows;
  for (std::size_t w = 0; w <= r.windows; ++w) {
    const double odds = r.share / (1 - r.share) * std::exp(r.tau * simulation::normal(rng));
    const double share = odds / (1 + odds) * (w == r.windows ? r.factor : 1);
    std::vector<double> shares(cells);
    shares[common] = 1 - share;
    for (std::size_t i = 0; i < others; ++i) shares[first + i] = share / static_cast<double>(others);
    auto counts = simulation::multinomial(rng, shares, r.rows);
    if (w == r.windows) {
      pair.current = std::move(counts);
    } else {
      for (std::size_t j = 0; j < cells; ++j) pair.reference[j] += counts[j];
      windows.push_back(std::move(counts));
    }
  }
  return simulation::verdict(pair, windows);
}

TEST(SlowBetween, RareValuesThatWander) {
  const char* const heading =
      "## a rare value whose share wanders: share of p at or below the level, and % seen at .0025 when it is four "
      "times "
      "as frequent or gone\n\n| column | share | sd of its log odds | healthy windows | rows | .05 | .0025 | four "
      "times | "
      "gone |\n|---|---|---|---|---|---|---|---|---|\n";
  const std::pair<Form, const char*> forms[] = {{Form::kTwoNumbers, "two numbers"},
                                                {Form::kOtherNumbers, "zeros and other numbers"},
                                                {Form::kTwoCategories, "two categories"}};
  const std::size_t trials = simulation::full() ? 10000 : 1000;
  for (const auto& [form, name] : forms) {
    for (const double rare : {.01, .03}) {
      for (const double tau : {.2, .4}) {
        for (const std::size_t windows : {8U, 30U}) {
          for (const std::int64_t rows : {500, 5000}) {
            Rare r{.form = form, .share = rare, .tau = tau, .windows = windows, .rows = rows};
            const auto p = simulation::simulate(trials, [&](Rng& rng) { return trial(rng, r); });
            const auto seen = [&](double factor) {
              r.factor = factor;
              const auto q = simulation::simulate(trials / 10, [&](Rng& rng) { return trial(rng, r); });
              return 100 * simulation::share(q, .0025);
            };
            const double more = seen(4), gone = seen(0);
            simulation::report(
                heading,
                fmt::format("| {} | {} % | {} | {} | {} | {:.4f} | {:.4f} | {:.0f} | {:.0f} |\n", name, 100 * rare, tau,
                            windows, rows, simulation::share(p, .05), simulation::share(p, .0025), more, gone));
            const auto what = fmt::format("{}, {}, sd {}, {} windows, {} rows", name, rare, tau, windows, rows);
            simulation::expect_at_most(p, .05, .05, what);
            // .4 is a known limit; without the terms of the square root it reached .0135.
            simulation::expect_at_most(p, .0025, tau < .3 ? .0025 : .0065, what);
            if (tau < .3 && windows == 30 && rows == 5000) {
              EXPECT_GE(more, 95) << what;
              EXPECT_GE(gone, 95) << what;
            }
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace vigie::drift
