// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

#include "engine/compare.h"
#include "engine/memory_input_internal.h"

namespace vigie::engine {
namespace {

using Values = std::vector<double>;

Values of_law(std::size_t n, std::uint64_t seed, const std::function<double(double)>& value) {
  std::mt19937_64 rng(seed);
  std::normal_distribution<double> law;
  Values out(n);
  for (auto& v : out) v = value(law(rng));
  return out;
}

std::string reason(const Values& before, const Values& now) {
  MemoryInput ref("ref"), cur("cur");
  ref.add("x", before), cur.add("x", now);
  return compare(*make_profile(ref, {}), cur, {})->windows[0].columns[0].reason;
}

std::string told(const std::function<double(double)>& value, const std::function<double(double)>& change) {
  const auto text = reason(of_law(8000, 1, value), of_law(4000, 2, [&](double z) { return change(value(z)); }));
  const auto at = text.find("looks like ");
  return at == std::string::npos ? "" : text.substr(at);
}

const auto weight = [](double z) { return 2 * std::exp(.8 * z); };
const auto celsius = [](double z) { return 14 + 8 * z; };
const auto height = [](double z) { return 68 + 3 * z; };

TEST(UnitChange, FactorsAreNamed) {
  EXPECT_EQ(told(weight, [](double x) { return 1000 * x; }), "looks like × 1000: a unit changed?");
  EXPECT_EQ(told(weight, [](double x) { return x / 1000; }), "looks like × 0.001: a unit changed?");
  EXPECT_EQ(told(celsius, [](double x) { return 100 * x; }), "looks like × 100: a unit changed?");
  EXPECT_EQ(told(height, [](double x) { return 2.54 * x; }),
            "looks like × 2.54 (inches, centimetres): a unit changed?");
  EXPECT_EQ(told(height, [](double x) { return 25.4 * x; }),
            "looks like × 25.4 (inches, millimetres): a unit changed?");
  EXPECT_EQ(told(height, [](double x) { return 24 * x; }), "looks like × 24 (days, hours): a unit changed?");
}

TEST(UnitChange, OffsetsAreNamed) {
  EXPECT_EQ(told(celsius, [](double x) { return 1.8 * x + 32; }),
            "looks like × 1.8 + 32 (Celsius, Fahrenheit): a unit changed?");
  EXPECT_EQ(told(celsius, [](double x) { return x + 273.15; }),
            "looks like + 273.15 (Celsius, kelvin): a unit changed?");
}

TEST(UnitChange, OtherChangesAreNot) {
  for (const double by : {.3, 1., 3., 40., 300.}) EXPECT_EQ(told(height, [&](double x) { return x + by; }), "") << by;
  for (const double by : {1.2, 1.5, 2., 3., 50.}) {
    EXPECT_EQ(told(height, [&](double x) { return x * by; }), "") << by;
    EXPECT_EQ(told(weight, [&](double x) { return x * by; }), "") << by;
  }
  EXPECT_EQ(told(celsius, [](double x) { return 2 * x + 20; }), "");
  EXPECT_EQ(told(weight, [](double x) { return x < 4 ? x : 1000 * x; }), "");
}

}  // namespace
}  // namespace vigie::engine
