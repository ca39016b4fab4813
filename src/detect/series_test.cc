// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <numeric>

#include "base/rng.h"
#include "detect/monitor_internal.h"
#include "detect/streams_test_internal.h"
#include "stats/distributions.h"

namespace vigie::detect {
namespace {

using namespace streams;
using Indices = std::vector<std::int64_t>;

double normal(Rng& rng) {
  return stats::normal_quantile((static_cast<double>(rng() >> 11) + .5) * 0x1p-53);
}
Series normal_series(std::uint64_t seed, std::initializer_list<std::pair<double, int>> steps) {
  Rng rng(seed);
  Series out;
  for (const auto& [mean, count] : steps) append(out, count, [&] { return mean + normal(rng); });
  return out;
}

// The cheapest segmentation with a fixed penalty, by trying every one.
Indices cheapest(const Series& series, double penalty) {
  const std::size_t n = series.size();
  const auto cost = [&](std::size_t a, std::size_t b) {
    double mean = 0, out = 0;
    for (std::size_t i = a; i < b; ++i) mean += series[i] / static_cast<double>(b - a);
    for (std::size_t i = a; i < b; ++i) out += (series[i] - mean) * (series[i] - mean);
    return out;
  };
  double best = kInfinity;
  Indices found;
  for (unsigned cuts = 0; cuts < 1U << (n - 1); ++cuts) {
    double price = 0;
    std::size_t from = 0;
    Indices here;
    for (std::size_t i = 1; i <= n; ++i) {
      if (i < n && !(cuts >> (i - 1) & 1)) continue;
      price += cost(from, i) + (i < n ? penalty : 0);
      if (i < n) here.push_back(static_cast<std::int64_t>(i));
      from = i;
    }
    if (price < best) best = price, found = here;
  }
  return found;
}

Indices onsets(const Result<std::vector<Alarm>>& alarms) {
  Indices out;
  for (const Alarm& alarm : *alarms) out.push_back(alarm.onset);
  return out;
}

TEST(Pelt, IsTheCheapestOfAll) {
  Rng rng(3);
  for (int trial = 0; trial < 30; ++trial) {
    Series series;
    double level = 0;
    for (int i = 0; i < 12; ++i) {
      if (rng.uniform() < .2) level += 4 * normal(rng);
      series.push_back(level + normal(rng));
    }
    for (const char* penalty : {"1", "3", "10"})
      EXPECT_EQ(onsets(segment(pelt, series, std::array<Setting, 2>{{{"penalty", penalty}, {"min_size", "1"}}})),
                cheapest(series, std::stod(penalty)));
  }
}

// Against trying all begins of the last segment.
TEST(Pelt, DropsNoBeginThatIsNeeded) {
  Rng rng(17);
  for (const std::string cost : {"l2", "poisson", "normal"}) {
    const bool poisson = cost == "poisson", spread = cost == "normal";
    for (int trial = 0; trial < 20; ++trial) {
      Series series;
      double level = 3;
      for (int i = 0; i < 150; ++i) {
        if (rng.uniform() < .04) level = 1 + 8 * rng.uniform();
        series.push_back(poisson ? std::floor(level * 2 * rng.uniform()) : level + normal(rng));
      }
      // With two unknowns a segment of a few values fits itself.
      for (const std::size_t shortest : spread ? std::array{6U, 7U, 20U} : std::array{1U, 2U, 7U}) {
        std::vector<double> best(series.size() + 1, kInfinity);
        std::vector<std::size_t> from(series.size() + 1, 0);
        best[0] = -5;
        for (std::size_t t = shortest; t <= series.size(); ++t) {
          double sum = 0, squares = 0;
          for (std::size_t s = t; s-- > 0;) {
            sum += series[s], squares += series[s] * series[s];
            const double n = static_cast<double>(t - s), within = squares - sum * sum / n,
                         price = poisson  ? (sum > 0 ? 2 * sum * (1 - std::log(sum / n)) : 0)
                                 : spread ? n * std::log(within / n)
                                          : within;
            if (t - s >= shortest && best[s] + price + 5 < best[t]) best[t] = best[s] + price + 5, from[t] = s;
          }
        }
        Indices wanted;
        for (std::size_t t = from[series.size()]; t > 0; t = from[t])
          wanted.insert(wanted.begin(), static_cast<std::int64_t>(t));
        EXPECT_EQ(onsets(segment(pelt, series,
                                 std::array<Setting, 3>{
                                     {{"penalty", "5"}, {"min_size", std::to_string(shortest)}, {"cost", cost}}})),
                  wanted);
      }
    }
  }
}

// Where old begins are thinned: changes of spread far from each other are found where all begins would have them.
TEST(SlowPelt, ThinsBeginsWithoutLosingChanges) {
  for (std::uint32_t seed = 1; seed <= 6; ++seed) {
    Series series = normal_series(seed, {{0, 5000}});
    for (std::size_t i = 1800; i < 3600; ++i) series[i] *= 1.1 + .1 * seed;
    std::vector<double> best(series.size() + 1, kInfinity);
    std::vector<std::size_t> from(series.size() + 1, 0);
    best[0] = -25;
    for (std::size_t t = 20; t <= series.size(); ++t) {
      double sum = 0, squares = 0;
      for (std::size_t s = t; s-- > 0;) {
        sum += series[s], squares += series[s] * series[s];
        const double n = static_cast<double>(t - s), price = n * std::log((squares - sum * sum / n) / n);
        if (t - s >= 20 && best[s] + price + 25 < best[t]) best[t] = best[s] + price + 25, from[t] = s;
      }
    }
    Indices wanted;
    for (std::size_t t = from[series.size()]; t > 0; t = from[t])
      wanted.insert(wanted.begin(), static_cast<std::int64_t>(t));
    EXPECT_EQ(onsets(segment(pelt, series,
                             std::array<Setting, 3>{{{"penalty", "25"}, {"min_size", "20"}, {"cost", "normal"}}})),
              wanted)
        << seed;
    EXPECT_EQ(wanted.size(), 2U) << seed;
  }
}

TEST(SlowPelt, AMillionValuesWithASpreadOfTheirOwn) {
  Series series = normal_series(5, {{0, 1000000}});
  for (std::size_t i = 600000; i < series.size(); ++i) series[i] *= 1.1;
  const auto found = onsets(segment(pelt, series, std::array<Setting, 1>{{{"cost", "normal"}}}));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NEAR(static_cast<double>(found[0]), 600000, 1000);
}

TEST(Pelt, FindsChangesOfEachKind) {
  Series level = normal_series(1, {{0, 300}, {3, 200}, {-1, 300}});
  level[10] = std::nan("");
  EXPECT_EQ(onsets(segment(pelt, level)), (Indices{300, 500}));
  for (double& value : level) value += 1e9;
  EXPECT_EQ(onsets(segment(pelt, level)), (Indices{300, 500}));
  Series spread = normal_series(2, {{0, 600}});
  for (std::size_t i = 250; i < 600; ++i) spread[i] *= 5;
  const auto by_spread = segment(pelt, spread, std::array<Setting, 1>{{{"cost", "normal"}}});
  ASSERT_EQ(by_spread->size(), 1U);
  EXPECT_NEAR(static_cast<double>((*by_spread)[0].onset), 250, 5);
  Rng rng(4);
  Series counts;
  for (int i = 0; i < 400; ++i) {
    const double rate = i < 250 ? 2 : 6;
    double product = rng.uniform(), count = 0;
    for (; product > std::exp(-rate); product *= rng.uniform()) ++count;
    counts.push_back(count);
  }
  const auto by_rate = segment(pelt, counts, std::array<Setting, 1>{{{"cost", "poisson"}}});
  ASSERT_EQ(by_rate->size(), 1U);
  EXPECT_NEAR(static_cast<double>((*by_rate)[0].onset), 250, 3);
  EXPECT_NEAR((*by_rate)[0].before, 2, .4);
  EXPECT_NEAR((*by_rate)[0].after, 6, .6);
  EXPECT_EQ(onsets(segment(pelt, normal_series(9, {{0, 2000}}))), Indices{});
  EXPECT_EQ(onsets(segment(pelt, Series{})), Indices{});
  EXPECT_EQ(onsets(segment(pelt, Series(100, 3.5))), Indices{});
  EXPECT_FALSE(segment(pelt, Series{1, -1}, std::array<Setting, 1>{{{"cost", "poisson"}}}).has_value());
}

TEST(SpectralResidual, PointsThatStandOut) {
  // On any level alike.
  for (const double level : {0., 10., 1000.}) {
    Series series = normal_series(3, {{level, 400}});
    for (std::size_t i = 0; i < 400; ++i) series[i] += 2 * std::sin(static_cast<double>(i) * .5);
    series[300] += 20;
    const Indices found = drifts("spectral_residual", series);
    ASSERT_FALSE(found.empty()) << level;
    EXPECT_EQ(found.front(), 300) << level;
    EXPECT_LE(found.back(), 301) << level;  // beside it the window is still bent
  }
  // In noise few values do, at the default.
  Series noise = normal_series(11, {{0, 30000}});
  noise[20000] = 25;
  const Indices standing_out = drifts("spectral_residual", noise);
  ASSERT_FALSE(standing_out.empty());
  EXPECT_EQ(standing_out.front(), 20000);
  EXPECT_LE(standing_out.back(), 20001);
}

TEST(OnlineTwoSample, TiesAreNoDrift) {
  Rng rng(5);
  Series rare, counts;
  append(rare, 20000, [&] { return rng.uniform() < .05 ? 1. : 0.; });
  append(counts, 20000, [&] { return std::floor(4 * rng.uniform() * rng.uniform()); });
  for (const char* name : {"cvm_online", "mmd_online(threshold=8)"}) {
    EXPECT_EQ(drifts(name, rare), Indices{}) << name;
    EXPECT_EQ(drifts(name, counts), Indices{}) << name;
    Series changed = rare;
    for (std::size_t i = 10000; i < changed.size(); ++i) changed[i] = rng.uniform() < .6 ? 1 : 0;
    const Indices found = drifts(name, changed);
    ASSERT_EQ(found.size(), 1U) << name;
    EXPECT_LT(found[0], 10200) << name;
  }
}

TEST(RobustZ, PointsFarFromTheMedian) {
  Series series = normal_series(1, {{100, 1000}});
  series[500] += 8;
  series[700] -= 9;
  const std::vector<Alarm> found = alarms("robust_z", series);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].index, 500);
  EXPECT_EQ(found[0].direction, Direction::kUp);
  EXPECT_NEAR(found[0].before, 100, .5);
  EXPECT_EQ(found[1].index, 700);
  EXPECT_EQ(found[1].direction, Direction::kDown);
  // Three in a row are asked for, and come.
  for (std::size_t i = 800; i < 803; ++i) series[i] += 9;
  EXPECT_EQ(drifts("robust_z(run=3)", series), Indices{802});
}

TEST(Seasonal, TellsTheSeasonFromAChange) {
  Rng rng(5);
  Series series;
  for (int i = 0; i < 3000; ++i)
    series.push_back(50 + .01 * i + 20 * std::sin(i * 2 * std::numbers::pi / 24) + normal(rng));
  EXPECT_EQ(drifts("seasonal", series), Indices{});
  Series spike = series, shift = series;
  spike[2000] -= 12;
  const std::vector<Alarm> single = alarms("seasonal", spike);
  ASSERT_EQ(single.size(), 1U);
  EXPECT_EQ(single[0].index, 2000);
  EXPECT_EQ(single[0].direction, Direction::kDown);
  EXPECT_NEAR(single[0].before, 50 + 20 + 20 * std::sin(2000 * 2 * std::numbers::pi / 24), 2);
  // Too small for one value, not for many. The forecast follows, so that alarms end.
  for (std::size_t i = 2000; i < series.size(); ++i) shift[i] += 4;
  const std::vector<Alarm> summed = alarms("seasonal", shift);
  ASSERT_GE(summed.size(), 1U);
  EXPECT_GE(summed[0].index, 2000);
  EXPECT_LT(summed[0].index, 2010);
  EXPECT_LT(summed.back().index, 2100);
}

TEST(Lfr, SeesARateThatAccuracyHides) {
  // Sensitivity falls while specificity rises, so that the share of errors stays: 20 % all along.
  Rng rng(6);
  Series series;
  for (int i = 0; i < 8000; ++i) {
    const bool truth = rng.uniform() < .5;
    const double error = i < 4000 ? .2 : truth ? .4 : 0;
    series.push_back(2 * truth + (rng.uniform() < error ? !truth : truth));
  }
  const std::vector<Alarm> found = alarms("lfr", series);
  bool seen = false;
  for (const Alarm& alarm : found) {
    EXPECT_GE(alarm.index, 4000);
    seen |= alarm.state == State::kDrift;
  }
  EXPECT_TRUE(seen);
}

TEST(Bocd, ModelsOfTheirStreams) {
  const Series level = normal_series(3, {{1000, 300}, {1010, 200}});
  const std::vector<Alarm> unknown =
      alarms("bocd(model=normal_gamma, prior_mean=1000, prior_var=100, hazard=0.001)", level);
  ASSERT_EQ(unknown.size(), 1U);
  EXPECT_EQ(unknown[0].onset, 300);
  EXPECT_NEAR(unknown[0].before, 1000, .5);
  Rng rng(8);
  Series errors;
  for (int i = 0; i < 1000; ++i) errors.push_back(rng.uniform() < (i < 500 ? .05 : .6));
  const std::vector<Alarm> rate = alarms("bocd(model=bernoulli, hazard=0.0001)", errors);
  ASSERT_EQ(rate.size(), 1U);
  EXPECT_NEAR(static_cast<double>(rate[0].onset), 500, 6);
  EXPECT_LT(rate[0].index, 520);
  // Far beyond every density a double holds.
  EXPECT_EQ(drifts("bocd", normal_series(4, {{0, 100}, {1e6, 60}})).front(), 100);
}

TEST(Glr, IsTheLargestRatioOfAllSplits) {
  const Series series = normal_series(7, {{5, 80}, {6.5, 60}});
  for (const Alarm& alarm : alarms("glr(threshold=20, window=64)", series)) {
    double best = 0;
    const auto n = static_cast<std::size_t>(alarm.index) + 1;
    const auto squares = [&](std::size_t a, std::size_t b) {
      double mean = 0, out = 0;
      for (std::size_t i = a; i < b; ++i) mean += series[i] / static_cast<double>(b - a);
      for (std::size_t i = a; i < b; ++i) out += (series[i] - mean) * (series[i] - mean);
      return out;
    };
    for (std::size_t k = n - 64; k + 5 <= n; ++k)
      best = std::max(best, static_cast<double>(n) * std::log(squares(0, n) / (squares(0, k) + squares(k, n))));
    EXPECT_NEAR(alarm.statistic, best, 1e-8 * best);
    EXPECT_NEAR(static_cast<double>(alarm.onset), 80, 12);
    break;
  }
  EXPECT_FALSE(alarms("glr(threshold=20, window=64)", series).empty());
}

TEST(Sprt, EverRaisesAFalseAlarmWithProbabilityAlpha) {
  int ever = 0;
  std::vector<Alarm> found;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    auto monitor = std::move(*make_monitor("sprt(alpha=0.1)"));
    found.clear();
    monitor->update(normal_series(seed, {{0, 5000}}), found);
    ever += !found.empty();
  }
  EXPECT_LT(ever, 30 + 16);  // three standard deviations above 10 %
  const std::vector<Alarm> seen = alarms("sprt", normal_series(1, {{0, 2000}, {.5, 1000}}));
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_NEAR(static_cast<double>(seen[0].onset), 2000, 100);
  EXPECT_LT(seen[0].index, 2200);
}

// What slides gives what a window counted anew would.
TEST(MmdOnline, IsTheDiscrepancyByItsDefinition) {
  const Series series = normal_series(2, {{0, 100}, {1.5, 60}});
  const std::vector<Alarm> found = alarms("mmd_online(reference=100, window=20, threshold=1)", series);
  ASSERT_GE(found.size(), 1U);
  const auto end = static_cast<std::size_t>(found[0].index) + 1;
  std::vector<double> reference(series.begin(), series.begin() + 100);
  std::sort(reference.begin(), reference.end());
  const auto place = [&](double x) {
    double out = 0;
    for (const double value : reference) out += value < x ? 2 : value == x ? 1 : 0;
    return out;
  };
  const auto kernel = [](double a, double b) { return std::exp(-std::pow((a - b) / 200 / .2, 2) / 2); };
  double within = 0, across = 0, fixed = 0;
  for (std::size_t i = end - 20; i < end; ++i) {
    for (std::size_t j = end - 20; j < end; ++j) within += kernel(place(series[i]), place(series[j])) / 400;
    for (const double value : reference) across += kernel(place(series[i]), place(value)) / 2000;
  }
  for (const double a : reference)
    for (const double b : reference) fixed += kernel(place(a), place(b)) / 10000;
  EXPECT_NEAR(found[0].statistic, 20 * (within - 2 * across + fixed), 1e-6);
}

// Half of the values at one number leaves no median deviation, a constant start no spread at all.
TEST(Detect, FewAlarmsWhereTheSpreadWasNone) {
  Rng rng(7);
  Series rare, late(100);
  append(rare, 5000, [&] { return rng.uniform() < .3 ? 1.0 : 0.0; });
  append(late, 5000, [&] { return normal(rng); });
  for (const auto& [name, series] : {std::pair{"robust_z", &rare}, {"seasonal", &late}}) {
    auto monitor = make_monitor(*find_detector(name));
    ASSERT_TRUE(monitor.has_value());
    std::int64_t alarms = 0;
    for (const double x : *series) alarms += (*monitor)->update(x) != nullptr;
    EXPECT_LE(alarms, 50) << name;
  }
}

}  // namespace
}  // namespace vigie::detect
