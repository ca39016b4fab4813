// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "drift/drift.h"

namespace vigie::drift {
namespace {

using Values = std::vector<double>;
using Counts = std::vector<std::int64_t>;

Score of_values(const Method& method, Values x, Values y) {
  std::sort(x.begin(), x.end());
  std::sort(y.begin(), y.end());
  return method.run({}, {.counts = {}, .values = x}, {.counts = {}, .values = y}, {});
}

Score of_counts(const Method& method, const Counts& x, const Counts& y) {
  const Axis axis{.kind = kCategorical, .cuts = {}, .centers = {}};
  return method.run(axis, {.counts = x, .values = {}}, {.counts = y, .values = {}}, {});
}

/// Counts of two categories in two texts.
Score of_texts(const Method& method, std::string_view x, std::string_view y) {
  const auto counts = [](std::string_view t) {
    return Counts{std::count(t.begin(), t.end(), 'a'), std::count(t.begin(), t.end(), 'b')};
  };
  return of_counts(method, counts(x), counts(y));
}

TEST(Golden, Scipy) {
  const auto path = std::filesystem::path(VIGIE_GOLDEN) / "drift.json";
  std::ifstream file(path);
  const auto cases = nlohmann::json::parse(file, nullptr, false);
  ASSERT_TRUE(cases.is_array()) << path;
  int scores = 0;
  for (const auto& c : cases) {
    for (const auto& wanted : c["scores"]) {
      const std::string name = wanted["method"];
      SCOPED_TRACE(name + ", " + c["case"].get<std::string>());
      const Method* method = find_method(name);
      ASSERT_NE(method, nullptr);
      const Score score = c["values"] ? of_values(*method, c["reference"], c["current"])
                                      : of_counts(*method, c["reference"], c["current"]);
      const double statistic = wanted["statistic"];
      EXPECT_NEAR(score.statistic, statistic, 1e-9 * std::max(1.0, std::abs(statistic)));
      EXPECT_TRUE(score.exact);
      EXPECT_EQ(score.error, 0);
      if (!wanted["p_value"].is_null()) {
        EXPECT_NE(score.null, Null::kSimulated);
        EXPECT_NEAR(score.p_value / wanted["p_value"].get<double>(), 1, 1e-5);
      }
      ++scores;
    }
  }
  EXPECT_GT(scores, 90);
}

const Values kX = {38.7, 41.5, 43.8, 44.5, 45.5, 46.0, 47.7, 58.0};
const Values kY = {39.2, 39.3, 39.7, 41.4, 41.8, 42.9, 43.3, 45.8};

// Evidently 0.7.21, test_stattests.py; deepchecks, drift_test.py; TFDV, metrics_test.cc; NannyML, alibi.
TEST(Golden, Peers) {
  Values shifted = kX;
  for (double& v : shifted) v += 5;
  EXPECT_NEAR(of_values(energy, kX, shifted).statistic, 1.933261493, 1e-9);
  EXPECT_NEAR(of_values(energy, kX, kX).statistic, 0, 1e-12);
  // By the limit law; all 12,870 permutations give .0707.
  EXPECT_NEAR(of_values(anderson_darling, kX, kY).p_value, .0635, .002);
  EXPECT_NEAR(of_values(wasserstein, Values(9, 1), Values(7, 0)).statistic, 1, 1e-12);
  const auto repeated = [](std::string_view t, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += t;
    return out;
  };
  EXPECT_NEAR(of_texts(fisher, repeated("abbaab", 15), repeated("bbabba", 15)).p_value, .0339722743, 1e-9);
  EXPECT_NEAR(of_texts(fisher, "abbaab", "aaaaaa").p_value, .1818181818, 1e-9);
  EXPECT_NEAR(of_texts(fisher, "aaaaaa", "bbbbbb").p_value, .0021645022, 1e-9);
  EXPECT_NEAR(of_texts(fisher, repeated("aaabb", 30), repeated("bbbaa", 30)).p_value, .0007843987, 1e-9);
  EXPECT_NEAR(of_texts(fisher, "abbbab", "bbbaba").p_value, 1, 1e-12);
  EXPECT_NEAR(of_counts(chi2, {4, 2, 0}, {1, 1, 4}).statistic, 6.133333, 1e-6);
  // deepchecks has .2160257918: its chi² carries Yates' correction.
  EXPECT_NEAR(of_counts(cramers_v, {200, 800}, {400, 600}).statistic, .2171229617, 1e-10);
  EXPECT_NEAR(of_counts(cramers_v, {1000, 0}, {0, 1000}).statistic, 1, 1e-12);
  EXPECT_NEAR(of_counts(l_infinity, {1, 9}, {3, 7}).statistic, .2, 1e-12);
  EXPECT_NEAR(of_counts(l_infinity, {2, 2, 2, 0}, {2, 2, 2, 1}).statistic, 1.0 / 7, 1e-12);
  EXPECT_NEAR(of_counts(js, {5, 0}, {0, 7}).statistic, std::sqrt(std::log(2)), 1e-12);
  EXPECT_NEAR(of_counts(hellinger, {5, 0}, {0, 7}).statistic, 1, 1e-12);
  EXPECT_NEAR(of_counts(tvd, {5, 0}, {0, 7}).statistic, 1, 1e-12);
}

// Kuiper's V is larger than D wherever one sample is on both sides of the other.
TEST(Golden, KuiperAddsBothSides) {
  const Values inside = {4, 5, 6}, around = {1, 2, 3, 7, 8, 9};
  EXPECT_NEAR(of_values(ks, inside, around).statistic, .5, 1e-12);
  EXPECT_NEAR(of_values(kuiper, inside, around).statistic, 1, 1e-12);
}

TEST(Golden, MmdIsTheSumOverAllPairs) {
  Values distances;
  for (std::size_t i = 0; i < kX.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) distances.push_back((kX[i] - kX[j]) * (kX[i] - kX[j]));
  }
  std::sort(distances.begin(), distances.end());
  const double width = distances[distances.size() / 2 - 1];
  const auto mean = [&](const Values& a, const Values& b, bool same) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      for (std::size_t j = 0; j < b.size(); ++j) {
        if (!same || i != j) sum += std::exp(-(a[i] - b[j]) * (a[i] - b[j]) / width);
      }
    }
    return sum / static_cast<double>(a.size() * (b.size() - same));
  };
  const double wanted = mean(kX, kX, true) + mean(kY, kY, true) - 2 * mean(kX, kY, false);
  EXPECT_NEAR(of_values(mmd, kX, kY).statistic, wanted, 1e-9);
}

// Counted on cells, the rows' own statistic lies within the error that the method claims.
TEST(Golden, ErrorsOfCountsHold) {
  Values x, y;
  for (int i = 0; i < 997; ++i) {
    x.push_back(std::sin(i * 1.7) + std::sin(i * .37));
    y.push_back(1.2 * std::sin(i * 2.3) + std::cos(i * .41) + .1);
  }
  std::sort(x.begin(), x.end());
  std::sort(y.begin(), y.end());
  Values cuts = {x.front()}, centers = {x.front()};
  Counts a = {0};
  for (std::size_t j = 0; j < x.size(); j += 40) {
    const std::size_t to = std::min(j + 40, x.size());
    if (j > 0) cuts.push_back(x[j]);
    double sum = 0;
    for (std::size_t i = j; i < to; ++i) sum += x[i];
    centers.push_back(sum / static_cast<double>(to - j));
    a.push_back(static_cast<std::int64_t>(to - j));
  }
  cuts.push_back(std::nextafter(x.back(), 9));
  centers.push_back(x.back());
  a.push_back(0);
  Counts b(a.size(), 0);
  double beyond = 0;
  for (const double v : y) {
    ++b[static_cast<std::size_t>(std::upper_bound(cuts.begin(), cuts.end(), v) - cuts.begin())];
    beyond += std::max({0.0, x.front() - v, v - x.back()});
  }
  const Axis axis{.kind = kNumeric, .cuts = cuts, .centers = centers, .sd = 1};
  for (const Method* method : {&ks, &kuiper, &wasserstein, &energy}) {
    const Score own = of_values(*method, x, y);
    const Score counted =
        method->run(axis, {.counts = a, .values = {}}, {.counts = b, .values = {}, .beyond = beyond}, {});
    EXPECT_FALSE(counted.exact);
    EXPECT_GT(counted.error, 0) << method->name;
    EXPECT_LE(std::abs(own.statistic - counted.statistic), counted.error) << method->name;
  }
}

// A p-value is the same whatever the unit, on values and on cells.
TEST(Golden, UnitsDoNotMatter) {
  Values x, y;
  for (int i = 0; i < 211; ++i) {
    x.push_back(std::round(50 * (std::sin(i * 1.7) + std::sin(i * .37))) / 32);
    if (i % 2 == 0) y.push_back(std::round(50 * (1.1 * std::sin(i * 2.3) + std::cos(i * .41)) + 14) / 32);
  }
  for (const Method* method : methods()) {
    if (method == &omnibus || !(method->accepts & kNumeric)) continue;
    if (std::isnan(of_values(*method, x, y).p_value)) continue;  // on bins, which need counts
    for (const double unit : {1e-9, 1e9}) {
      Values u = x, v = y;
      for (double& value : u) value *= unit;
      for (double& value : v) value *= unit;
      const Score own = of_values(*method, x, y), other = of_values(*method, u, v);
      EXPECT_NEAR(own.p_value, other.p_value, 1e-9) << method->name;
      EXPECT_EQ(own.null, other.null) << method->name;
    }
  }
}

}  // namespace
}  // namespace vigie::drift
