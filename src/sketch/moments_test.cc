// SPDX-License-Identifier: Apache-2.0
#include "sketch/moments.h"

#include <cmath>

#include "sketch/state_test_internal.h"

namespace vigie::sketch {
namespace {

std::vector<double> sample(std::size_t size, double offset, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<double> values(size);
  for (double& value : values) value = offset + std::exp(0.5 * roughly_normal(rng));
  return values;
}

struct Exact {
  long double mean = 0, m2 = 0, m3 = 0, m4 = 0;
  explicit Exact(std::span<const double> values) {
    for (double value : values) mean += value;
    mean /= static_cast<long double>(values.size());
    for (double value : values) {
      const long double d = value - mean;
      m2 += d * d;
      m3 += d * d * d;
      m4 += d * d * d * d;
    }
  }
};

Moments of(std::span<const double> values) {
  Moments moments;
  moments.update(values);
  return moments;
}

void expect_near(double found, long double wanted, double relative) {
  EXPECT_NEAR(found, static_cast<double>(wanted), relative * std::abs(static_cast<double>(wanted)));
}

TEST(Moments, AgreesWithLongDouble) {
  for (std::size_t size : {1, 2, 7, 8, 9, 1023, 1024, 1025, 50000}) {
    const auto values = sample(size, 0, size);
    const Moments moments = of(values);
    const Exact exact(values);
    EXPECT_EQ(moments.count(), static_cast<std::int64_t>(size));
    expect_near(moments.mean(), exact.mean, 1e-14);
    EXPECT_EQ(moments.min(), *std::min_element(values.begin(), values.end()));
    EXPECT_EQ(moments.max(), *std::max_element(values.begin(), values.end()));
    if (size == 1) continue;
    const auto n = static_cast<long double>(size);
    expect_near(moments.variance(), exact.m2 / (n - 1), 1e-12);
    EXPECT_NEAR(moments.skewness(), static_cast<double>(std::sqrt(n) * exact.m3 / std::pow(exact.m2, 1.5L)), 1e-10);
    EXPECT_NEAR(moments.kurtosis(), static_cast<double>(n * exact.m4 / (exact.m2 * exact.m2) - 3), 1e-10);
  }
}

TEST(Moments, OffsetOfABillion) {
  const auto values = sample(20000, 1e9, 3);
  const Exact exact(values);
  const Moments moments = of(values);
  expect_near(moments.m2(), exact.m2, 1e-8);
  expect_near(moments.m3(), exact.m3, 1e-6);
  expect_near(moments.m4(), exact.m4, 1e-6);
}

TEST(Moments, ConstantIsExact) {
  const std::vector<double> values(12345, 0.1);
  const Moments moments = of(values);
  EXPECT_EQ(moments.mean(), 0.1);
  EXPECT_EQ(moments.variance(), 0);
  EXPECT_TRUE(std::isnan(moments.skewness()));
}

TEST(Moments, EmptyAndSingle) {
  Moments moments;
  EXPECT_TRUE(std::isnan(moments.mean()) && std::isnan(moments.min()) && std::isnan(moments.variance()));
  moments.update(3.5);
  EXPECT_EQ(moments.mean(), 3.5);
  EXPECT_TRUE(std::isnan(moments.variance()));
}

TEST(Moments, HugeValuesKeepMeanAndEnds) {
  const std::vector<double> values = {-1.5e308, 1.5e308, 1.6e308, -1.6e308, 1.7e308, 1.7e308};
  const Moments moments = of(values);
  EXPECT_NEAR(moments.mean() / 1e308, 3.4 / 6, 1e-12);
  Moments apart = of(std::span(values).first(4));
  apart.merge(of(std::span(values).subspan(4)));
  EXPECT_NEAR(apart.mean() / 1e308, 3.4 / 6, 1e-12);
}

TEST(Moments, MergeIsUnion) {
  const auto values = sample(30000, 5, 4);
  const Moments whole = of(values);
  for (std::size_t cut : {0, 1, 100, 29999, 30000}) {
    Moments left = of(std::span(values).first(cut));
    left.merge(of(std::span(values).subspan(cut)));
    EXPECT_EQ(left.count(), whole.count());
    expect_near(left.mean(), whole.mean(), 1e-14);
    expect_near(left.m2(), whole.m2(), 1e-12);
    expect_near(left.m3(), whole.m3(), 1e-11);
    expect_near(left.m4(), whole.m4(), 1e-11);
  }
}

TEST(Moments, ReloadedContinuesIdentically) {
  const auto values = sample(3000, 0, 5);
  reload(Moments());
  Moments moments = of(values);
  Moments again = reload(moments);
  moments.update(values);
  again.update(values);
  EXPECT_EQ(bytes_of(moments), bytes_of(again));
}

TEST(Moments, HostileBytes) {
  check_hostile(of(sample(300, 0, 6)), [](Moments& moments) {
    moments.update(1.0);
    moments.merge(moments);
  });
}

}  // namespace
}  // namespace vigie::sketch
