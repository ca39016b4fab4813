// SPDX-License-Identifier: Apache-2.0
#include "drift/between.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "drift/simulation_internal.h"

namespace vigie::drift {
namespace {

using simulation::Counts;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// A column whose windows are given by their counts; the reference is their sum.
struct Column {
  Kind kind = kNumeric;
  std::vector<Counts> windows;
  Counts reference{};
  std::vector<double> cuts{}, centers{};

  Column(Kind k, std::vector<Counts> w) : kind(k), windows(std::move(w)), reference(windows[0].size()) {
    for (const auto& window : windows) {
      for (std::size_t j = 0; j < window.size(); ++j) reference[j] += window[j];
    }
    if (kind == kCategorical) return;
    for (std::size_t j = 0; j + 1 < reference.size(); ++j) cuts.push_back(static_cast<double>(j));
    centers.assign(reference.size(), 0);
  }
  Axis axis() const { return {kind, cuts, centers, 1, true}; }
  std::vector<WindowSummary> healthy() const {
    const Summarizer summarize(axis(), {reference, {}});
    std::vector<WindowSummary> out;
    for (const auto& window : windows) out.push_back(summarize({window, {}}, true));
    return out;
  }
  WindowSummary summary(const Counts& window) const { return Summarizer(axis(), {reference, {}})({window, {}}, false); }
  Between test(const Counts& window, double level = .0025) const {
    return HealthyWindows(axis(), {reference, {}}, healthy()).test(summary(window), level);
  }
};

void expect_close(double seen, double expected, double relative = 1e-6) {
  EXPECT_NEAR(seen, expected, relative * std::abs(expected));
}

const Column& ten_cells() {
  static const Column column(kNumeric, {{0, 55, 90, 18, 67, 61, 42, 32, 35, 0},
                                        {0, 43, 77, 26, 57, 93, 40, 32, 32, 0},
                                        {0, 54, 93, 18, 49, 68, 36, 43, 39, 0},
                                        {0, 54, 75, 22, 57, 72, 47, 36, 37, 0},
                                        {0, 48, 71, 24, 62, 77, 42, 35, 41, 0},
                                        {0, 50, 73, 16, 69, 86, 27, 41, 38, 0},
                                        {0, 35, 71, 18, 73, 79, 40, 31, 53, 0},
                                        {0, 30, 80, 16, 65, 80, 46, 43, 40, 0}});
  return column;
}

// Expected numbers in this file: the recipe's formulas in numpy 2 and scipy 1.17, noise by numerical derivatives.
TEST(WindowSummary, Numeric) {
  const auto first = ten_cells().healthy()[0];
  EXPECT_EQ(first.rows, 400);
  expect_close(first.location, -0.0997597580193, 1e-9);
  expect_close(first.log_scale, -0.0170112480268, 1e-9);
  expect_close(first.skew, 0.132713363715, 1e-9);
  expect_close(first.log_kurtosis, 0.839341071537, 1e-9);
  expect_close(first.chi2, 9.49443274397, 1e-9);
  const auto current = ten_cells().summary({0, 7, 19, 6, 21, 29, 17, 20, 26, 5});
  expect_close(current.location, 0.493122775168, 1e-9);
  expect_close(current.log_kurtosis, 1.39028472735, 1e-9);
  expect_close(current.chi2, 29.3324675569, 1e-9);
}

// With the correlation of few windows taken for what twelve would show; the recipe divides by windows − 4.
TEST(Between, NumericAgainstTheRecipe) {
  struct Case {
    Counts current;
    double p[5], detectable, between;
  };
  const Case cases[] = {
      {{0, 41, 76, 17, 46, 87, 43, 49, 36, 5},
       {0.286010529817, 0.0964306298568, 0.00527054027163, 0.000951306718243, 0.578368579398},
       0.910081433916,
       0.00951306718243},
      {{0, 7, 19, 6, 21, 29, 17, 20, 26, 5},
       {0.00228014924095, 0.0159234668263, 3.09853293837e-05, 2.51580272164e-05, 0.0917187616296},
       0.648266211594,
       0.000251580272164},
      {{0, 110, 320, 76, 280, 428, 224, 265, 292, 5},
       {0.026456992098, 0.481791698456, 0.168192669306, 0.00507323587809, 0.119953170551},
       0.803716774852,
       0.0507323587809},
  };
  for (const auto& expected : cases) {
    const auto result = ten_cells().test(expected.current);
    ASSERT_EQ(result.components.size(), 5U);
    for (std::size_t c = 0; c < 5; ++c) expect_close(result.components[c].p_value, expected.p[c], 1e-5);
    expect_close(result.detectable, expected.detectable);
    expect_close(result.p_value, expected.between, 1e-5);
    EXPECT_FALSE(result.seasonal);
  }
}

TEST(Between, CategoricalAgainstTheRecipe) {
  const Column column(kCategorical, {{260, 148, 69, 19, 4},
                                     {267, 139, 74, 12, 8},
                                     {251, 140, 74, 29, 6},
                                     {240, 165, 67, 24, 4},
                                     {279, 124, 75, 16, 6},
                                     {251, 174, 55, 16, 4},
                                     {264, 150, 60, 24, 2}});
  expect_close(column.test({190, 190, 90, 20, 10}).p_value, 0.0165833934079);
  expect_close(column.test({60, 40, 25, 20, 5}).p_value, 0.0225350069351);
  const auto result = column.test({190, 190, 90, 20, 10});
  ASSERT_EQ(result.components.size(), 1U);
  EXPECT_EQ(result.components[0].name, "shares");
  EXPECT_GT(result.detectable, .01);
  EXPECT_LT(result.detectable, .5);
}

/// Summaries of windows that know the time, with a regular day and week and a little pseudo-noise.
std::vector<WindowSummary> timed(bool hours, int days) {
  std::vector<WindowSummary> out;
  for (int i = 0; i < days * (hours ? 24 : 1); ++i) {
    const int hour = hours ? i % 24 : 0, weekday = (hours ? i / 24 : i) % 7;
    const double wave = hours ? .3 * std::sin(2 * std::numbers::pi * hour / 24) : 0;
    WindowSummary w{.rows = 40000};
    w.location = wave + (weekday >= 5 ? .15 : 0) + .05 * std::cos(.7 * i * i);
    w.hour = static_cast<std::int16_t>(hours ? hour : -1);
    w.weekday = static_cast<std::int16_t>(weekday);
    out.push_back(w);
  }
  return out;
}
Column plain_column() {
  return {kNumeric, {Counts{0, 100, 100, 100, 100, 100, 100, 100, 100, 0}}};
}
Between test_timed(const std::vector<WindowSummary>& windows, double location, int hour, int weekday) {
  const Column column = plain_column();
  WindowSummary current{.rows = 40000};
  current.location = location;
  current.hour = static_cast<std::int16_t>(hour);
  current.weekday = static_cast<std::int16_t>(weekday);
  return HealthyWindows(column.axis(), {column.reference, {}}, windows).test(current, .0025);
}

TEST(Between, SeasonAgainstLeastSquares) {
  const auto check = [](const Between& result, double p) {
    EXPECT_TRUE(result.seasonal);
    expect_close(result.components[0].p_value, p);
    expect_close(result.p_value, std::min(1., p / .45));
  };
  check(test_timed(timed(true, 14), .45, 6, 2), 0.000145289481982);
  check(test_timed(timed(true, 28), .1, 18, 5), 1.5450104366e-11);
  check(test_timed(timed(false, 21), .3, -1, 6), 0.0125984458216);
}

TEST(Between, NoSeasonFromLessThanTwoWeeks) {
  EXPECT_FALSE(test_timed(timed(true, 13), 0, 6, 2).seasonal);
  EXPECT_FALSE(test_timed(timed(false, 13), 0, -1, 2).seasonal);
  EXPECT_TRUE(test_timed(timed(false, 14), 0, -1, 2).seasonal);
}

TEST(Between, NoSeasonForAnHourThatNeverOccurred) {
  auto windows = timed(true, 28);
  std::erase_if(windows, [](const WindowSummary& w) { return w.hour < 8; });
  EXPECT_TRUE(test_timed(windows, 0, 12, 2).seasonal);
  EXPECT_FALSE(test_timed(windows, 0, 3, 2).seasonal);
  EXPECT_FALSE(test_timed(windows, 0, -1, -1).seasonal);
  EXPECT_FALSE(test_timed(windows, 0, 99, 2).seasonal);
}

TEST(Between, NoSeasonThatCannotBeToldFromTheWeek) {
  // Each weekday has its own hours: the two effects are not separable.
  auto windows = timed(true, 56);
  std::erase_if(windows, [](const WindowSummary& w) { return w.hour / 4 != w.weekday; });
  EXPECT_FALSE(test_timed(windows, 0, 1, 0).seasonal);
}

TEST(Between, FewWindowsOrRowsGiveNoNumber) {
  auto windows = ten_cells().windows;
  windows.resize(4);
  const Column four(kNumeric, windows);
  const auto few = four.test(windows[0]);
  EXPECT_TRUE(std::isnan(few.p_value) && std::isnan(few.detectable) && few.components.empty());
  const auto small = ten_cells().test({0, 4, 4, 4, 4, 4, 4, 4, 1, 0});
  EXPECT_TRUE(std::isnan(small.p_value) && small.components.empty());
  EXPECT_TRUE(std::isnan(ten_cells().summary({0, 4, 4, 4, 4, 4, 4, 4, 1, 0}).location));
  const Column none(kNumeric, {Counts(10)});
  EXPECT_TRUE(std::isnan(none.test(Counts(10)).p_value));
  const Column nothing(kCategorical, {Counts{}});
  EXPECT_TRUE(std::isnan(nothing.test({}).p_value));
}

TEST(Between, WindowsWithTooFewRowsAreLeftOut) {
  const Counts current{0, 41, 76, 17, 46, 87, 43, 49, 36, 5};
  auto healthy = ten_cells().healthy();
  healthy.insert(healthy.begin() + 3, ten_cells().summary(Counts(10)));
  healthy.push_back(ten_cells().summary({0, 20, 0, 0, 0, 0, 0, 0, 0, 0}));
  const HealthyWindows windows(ten_cells().axis(), {ten_cells().reference, {}}, healthy);
  EXPECT_EQ(windows.size(), 8U);
  EXPECT_EQ(windows.test(ten_cells().summary(current), .0025).p_value, ten_cells().test(current).p_value);
}

TEST(Between, IdenticalWindowsAreJudgedBySamplingNoise) {
  const Counts window{0, 50, 50, 50, 50, 50, 50, 50, 50, 0};
  const Column column(kNumeric, std::vector<Counts>(8, window));
  EXPECT_EQ(column.test(window).p_value, 1);
  EXPECT_GT(column.test({0, 55, 45, 50, 55, 45, 50, 45, 55, 0}).p_value, .05);
  EXPECT_LT(column.test({0, 20, 20, 30, 30, 50, 70, 80, 100, 0}).p_value, .0025);
  const Column categories(kCategorical, std::vector<Counts>(8, Counts{300, 100}));
  EXPECT_EQ(categories.test({300, 100}).p_value, 1);
  EXPECT_GT(categories.test({290, 110}).p_value, .05);
  EXPECT_LT(categories.test({200, 200}).p_value, .0025);
}

TEST(Between, ConstantReference) {
  const Column column(kNumeric, std::vector<Counts>(10, Counts{0, 500, 0}));
  EXPECT_EQ(column.test({0, 500, 0}).p_value, 1);
  EXPECT_EQ(column.test({0, 60, 0}).p_value, 1);
  EXPECT_GT(column.test({0, 499, 1}).p_value, .01);
  EXPECT_LT(column.test({0, 300, 200}).p_value, 1e-4);
  EXPECT_LT(column.test({500, 0, 0}).p_value, 1e-4);
}

TEST(Between, OneCategory) {
  Column column(kCategorical, std::vector<Counts>(10, Counts{500}));
  EXPECT_EQ(column.test({500}).p_value, 1);
  column.reference.push_back(0);  // the union of both samples has a new category
  EXPECT_GT(column.test({499, 1}).p_value, .05);
  EXPECT_LT(column.test({400, 100}).p_value, 1e-4);
  for (const std::int64_t rows : {50, 5000, 500000}) EXPECT_GT(column.test({rows, 0}).p_value, .05) << rows;
}

TEST(Between, NewCategoryAmongMany) {
  Rng rng(3);
  const auto shares = simulation::zipf(40);
  std::vector<Counts> windows;
  for (int w = 0; w < 15; ++w) windows.push_back(simulation::multinomial(rng, shares, 1000));
  Column column(kCategorical, windows);
  column.reference.push_back(0);
  auto current = simulation::multinomial(rng, shares, 1000);
  current.push_back(0);
  EXPECT_GT(column.test(current).p_value, .0025);
  current.back() = 80;
  EXPECT_LT(column.test(current).p_value, .0025);
  EXPECT_EQ(column.summary(current).arcsine.size(), kArcsine);
}

TEST(Between, StoredWindowsMayFollowFewerCategories) {
  Rng rng(5);
  const auto shares = simulation::zipf(20);
  std::vector<Counts> windows;
  for (int w = 0; w < 15; ++w) windows.push_back(simulation::multinomial(rng, shares, 1000));
  const Column column(kCategorical, windows);
  auto healthy = column.healthy();
  for (auto& window : healthy) window.arcsine.resize(4);
  const HealthyWindows stored(column.axis(), {column.reference, {}}, healthy);
  EXPECT_EQ(stored.size(), 15U);
  const auto p = [&](const Counts& window) { return stored.test(column.summary(window), .0025).p_value; };
  auto current = simulation::multinomial(rng, shares, 1000);
  EXPECT_GT(p(current), .0025);
  current[12] += 200;  // not followed: seen in the rest
  EXPECT_LT(p(current), .0025);
  current[12] -= 200, current[1] += 200;
  EXPECT_LT(p(current), .0025);
}

TEST(Between, WindowOutsideTheReference) {
  Rng rng(4);
  std::vector<Counts> windows;
  std::vector<double> shares(34, 1 / 32.);
  shares.front() = shares.back() = 0;
  for (int w = 0; w < 30; ++w) windows.push_back(simulation::multinomial(rng, shares, 1000));
  const Column column(kNumeric, windows);
  Counts above(34);
  above.back() = 1000;
  const auto result = column.test(above);
  EXPECT_LT(result.p_value, 1e-12);
  EXPECT_LT(result.components[1].p_value, 1e-12);  // rows in one cell have no scale
  Counts stuck(34);
  stuck[17] = 1000;
  EXPECT_LT(column.test(stuck).p_value, 1e-6);  // the mean stays: scale and chi-square see it
}

TEST(Between, ProbabilitiesForAnyCounts) {
  Rng rng(5);
  for (const Kind kind : {kNumeric, kCategorical}) {
    for (int trial = 0; trial < 2000; ++trial) {
      const std::size_t cells = 1 + rng.below(12);
      const auto counts = [&] {
        Counts out(cells);
        const std::uint64_t most = std::uint64_t{1} << rng.below(16);
        for (auto& n : out) n = rng.below(3) == 0 ? 0 : static_cast<std::int64_t>(rng.below(most));
        return out;
      };
      std::vector<Counts> windows;
      for (std::size_t w = 0; w < 5 + rng.below(20); ++w) windows.push_back(counts());
      const Column column(kind, windows);
      for (const double p : {column.test(counts()).p_value, column.test(windows[0]).p_value}) {
        EXPECT_TRUE(std::isnan(p) || (p >= 0 && p <= 1)) << p;
      }
    }
  }
}

TEST(Between, DetectableShiftInWindowDeviations) {
  // Uncorrelated windows: what is seen with probability .8 moves the p-value of a shift of that size across the level.
  const auto windows = timed(true, 2);
  const Column column = plain_column();
  const HealthyWindows healthy(column.axis(), {column.reference, {}}, windows);
  WindowSummary current{.rows = 40000};
  double mean = 0;
  for (const auto& w : windows) mean += w.location / static_cast<double>(windows.size());
  current.location = mean;
  const double at01 = healthy.test(current, .01).detectable, at0025 = healthy.test(current, .0025).detectable;
  EXPECT_GT(at0025, at01);
  current.location = mean + at0025;
  EXPECT_LT(healthy.test(current, .0025).p_value, .0025);
  current.location = mean + .6 * at0025;
  EXPECT_GT(healthy.test(current, .0025).p_value, .0025);
  current.location = kNan;
  EXPECT_TRUE(std::isnan(healthy.test(current, .0025).p_value));
}

TEST(Merge, IsTheSummaryOfAllRows) {
  for (const auto kind : {kNumeric, kCategorical}) {
    const Column column(kind, {{3, 55, 90, 18, 67, 61, 42, 32, 35, 1},
                               {0, 43, 77, 26, 57, 93, 40, 32, 32, 0},
                               {9, 154, 93, 18, 49, 68, 36, 43, 139, 2},
                               {0, 0, 0, 0, 40, 0, 0, 0, 0, 0}});
    Counts sum(10);
    std::vector<WindowSummary> parts;
    for (const auto& window : column.windows) {
      parts.push_back(column.summary(window));
      for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += window[j];
    }
    const auto whole = column.summary(sum), merged = merge(parts);
    EXPECT_EQ(merged.rows, whole.rows);
    EXPECT_TRUE(std::isnan(merged.chi2));
    EXPECT_EQ(merged.hour, -1);
    ASSERT_EQ(merged.arcsine.size(), whole.arcsine.size());
    for (std::size_t i = 0; i < whole.arcsine.size(); ++i) EXPECT_NEAR(merged.arcsine[i], whole.arcsine[i], 1e-12);
    if (kind == kCategorical) continue;
    // Of a window whose rows are all in one cell half a row stands for its scale.
    EXPECT_NEAR(merged.location, whole.location, 1e-12);
    EXPECT_NEAR(merged.log_scale, whole.log_scale, 1e-3);
    EXPECT_NEAR(merged.skew, whole.skew, 1e-2);
    EXPECT_NEAR(merged.log_kurtosis, whole.log_kurtosis, 1e-2);
  }
  EXPECT_EQ(merge({}).rows, 0);
}

}  // namespace
}  // namespace vigie::drift
