// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <boost/math/special_functions/beta.hpp>
#include <cmath>
#include <string>

#include "drift/alarm_rates_internal.h"
#include "drift/effect.h"
#include "stats/distributions.h"
#include "stats/multiple_testing.h"

namespace vigie::drift {
namespace {

using simulation::full;
using simulation::Pair;
using simulation::report;

using Change = double (*)(double);

Pair drawn(Rng& rng, std::size_t column, std::int64_t n, std::int64_t m, Change change) {
  if (column < 8) {
    if (column > 0 || change == nullptr) return simulation::continuous(rng, n, m);
    return simulation::continuous(rng, n, m, [change](double u) { return change(stats::normal_quantile(u)); });
  }
  switch (column) {
    case 8:
    case 9: {
      std::vector<double> p;
      for (int i = -16; i <= 16; ++i) p.push_back(stats::normal_cdf((i + .5) / 3) - stats::normal_cdf((i - .5) / 3));
      return simulation::lattice(rng, n, m, p);
    }
    case 10:
    case 11:
      return simulation::zero_inflated(rng, n, m, .6);
    case 12:
      return simulation::lattice(rng, n, m, std::array{.7, .2, .1});
    case 13: {
      std::vector<double> p(31, .001);
      p[15] = .97;
      return simulation::lattice(rng, n, m, p);
    }
    case 14:
      return simulation::lattice(rng, n, m, std::array{.95, .05});
    default: {
      const auto p = simulation::zipf(std::array{3U, 6U, 20U, 80U, 200U}[column - 15]);
      return simulation::categories(rng, n, m, p, p);
    }
  }
}

std::int64_t binomial(Rng& rng, std::int64_t n, double p) {
  return std::binomial_distribution<std::int64_t>(n, p)(rng);
}

/// Adjusted p-values of one window of `columns` columns: the first 20 kinds over and over, with the missing values of
/// every 20 (six tests) when there is more than one column. `change` is the law of the first column.
std::vector<double> window(Rng& rng, std::size_t columns, std::int64_t n, std::int64_t m, Change change = nullptr) {
  const std::array missing = {.002, .01, .05, .05, .2, .3};
  std::vector<double> p;
  const Args args{.level = .05 / static_cast<double>(columns), .seed = rng(), .params = {}};
  for (std::size_t c = 0; c < columns; ++c) {
    const Pair pair = drawn(rng, c % 20, n, m, c == 0 ? change : nullptr);
    p.push_back(omnibus.run(pair.axis(), pair.reference_sample(), pair.current_sample(), args).p_value);
    if (columns == 1 || c % 20 >= missing.size()) continue;
    const std::int64_t k = binomial(rng, n, missing[c % 20]), l = binomial(rng, m, missing[c % 20]);
    if (k + l > 0) p.push_back(missing_share(k, n, l, m).p_value);
  }
  return stats::benjamini_hochberg(p);
}

/// In how many windows the predicate holds.
std::int64_t count_windows(std::size_t trials, const std::function<bool(Rng&)>& holds) {
  std::vector<char> out(trials);
  parallel_for((trials + 9) / 10, 0, [&](std::size_t block) {
    for (std::size_t t = block * 10; t < std::min(trials, block * 10 + 10); ++t) {
      Rng rng(0xd1b54a33 * (t + 1));
      out[t] = holds(rng);
    }
  });
  return std::ranges::count(out, 1);
}
bool any(const std::vector<double>& adjusted, double level) {
  return std::ranges::any_of(adjusted, [level](double p) { return p <= level; });
}
double percent(std::int64_t count, std::size_t trials) {
  return 100 * static_cast<double>(count) / static_cast<double>(trials);
}

TEST(Family, AnAlarmIsHeardAndSilenceIsKept) {
  const auto far = [](double z) { return stats::normal_cdf(z - 1); };
  Rng rng(9);
  const auto adjusted = window(rng, 20, 1000, 1000, far);
  EXPECT_GE(adjusted.size(), 24U);
  EXPECT_LT(adjusted[0], 1e-6);
  const auto quiet = count_windows(40, [](Rng& r) { return any(window(r, 20, 300, 300), .05); });
  EXPECT_LT(quiet, 12);
}

TEST(SlowFamily, AnyFalseAlarmAtMostNominal) {
  const char* const heading =
      "## a window of mixed columns, Benjamini-Hochberg at .05: % with any false alarm\n\n| columns | reference, "
      "current "
      "rows | any false alarm |\n|---|---|---|\n";
  const std::pair<std::int64_t, std::int64_t> sizes[] = {
      {1000, 1000}, {100, 100}, {1000, 100}, {10000, 300}, {1000, 30}};
  for (const std::size_t columns : {1U, 20U, 200U}) {
    const std::size_t trials = (full() ? 4000 : 600) * (columns == 1 ? 5 : 1) / (columns == 200 ? 4 : 1);
    for (const auto& [n, m] : sizes) {
      const auto alarms = count_windows(trials, [&](Rng& rng) { return any(window(rng, columns, n, m), .05); });
      report(heading, fmt::format("| {} | {}, {} | {:.1f} of {} |\n", columns, n, m, percent(alarms, trials), trials));
      const auto k = static_cast<double>(alarms), r = static_cast<double>(trials);
      EXPECT_TRUE(k <= .05 * r || boost::math::ibeta(k, r - k + 1, .05) > 1e-6)
          << columns << " columns, " << n << ", " << m << ": " << alarms << " of " << trials;
    }
  }
}

TEST(SlowFamily, OneChangedColumnOfTwentyIsFlagged) {
  const char* const heading =
      "## one changed column among 20, 1000 rows against 1000: % of windows that flag it\n\n| change | flagged | "
      "recipe "
      "|\n|---|---|---|\n";
  struct Row {
    const char* name;
    Change law;
    double recipe;
  };
  const Row rows[] = {
      {"shift .1", [](double z) { return stats::normal_cdf(z - .1); }, 15},
      {"shift .2", [](double z) { return stats::normal_cdf(z - .2); }, 86},
      {"shift .5", [](double z) { return stats::normal_cdf(z - .5); }, 100},
      {"scale 1.2", [](double z) { return stats::normal_cdf(z / 1.2); }, 90},
      {"scale .85", [](double z) { return stats::normal_cdf(z / .85); }, 75},
      {"3 % at +3 sd", [](double z) { return .97 * stats::normal_cdf(z) + .03 * stats::normal_cdf(z - 3); }, 45},
      {"two humps",
       [](double z) { return .5 * stats::normal_cdf((z - .8) / .6) + .5 * stats::normal_cdf((z + .8) / .6); }, 94},
  };
  const std::size_t trials = full() ? 4000 : 400;
  for (const auto& row : rows) {
    const auto flagged =
        count_windows(trials, [&](Rng& rng) { return window(rng, 20, 1000, 1000, row.law)[0] <= .05; });
    const double seen = percent(flagged, trials), r = row.recipe / 100;
    report(heading, fmt::format("| {} | {:.0f} | {:.0f} |\n", row.name, seen, row.recipe));
    const double error = 100 * std::sqrt(r * (1 - r) * (1 / static_cast<double>(trials) + 1. / 2000));
    EXPECT_GE(seen, row.recipe - 5 * error - .5) << row.name;
  }
}

}  // namespace
}  // namespace vigie::drift
