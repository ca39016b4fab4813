// SPDX-License-Identifier: Apache-2.0
#include "sketch/kll.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "sketch/key_sort_internal.h"
#include "sketch/state_test_internal.h"

namespace vigie::sketch {
namespace {

using Values = std::vector<double>;

Values shuffled(std::size_t size, std::uint64_t seed) {
  Rng rng(seed);
  Values values(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<double>(i);
  for (std::size_t i = size; i > 1; --i) std::swap(values[i - 1], values[rng.below(i)]);
  return values;
}

Kll of(std::span<const double> values, std::uint64_t seed = 1, std::uint32_t k = 256) {
  Kll sketch(k, seed);
  sketch.update(values);
  return sketch;
}

std::int64_t weight(const Kll& sketch) {
  std::int64_t sum = 0;
  for (const auto& item : sketch.items()) sum += item.weight;
  return sum;
}

/// Share of (seed, rank) pairs whose error exceeds rank_error(): at most 1 %, and never more than twice the bound.
void expect_within_bound(const Values& values, const std::function<Kll(std::uint64_t)>& make) {
  Values sorted = values;
  std::sort(sorted.begin(), sorted.end());
  const auto n = static_cast<double>(sorted.size());
  int beyond = 0, all = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const Kll sketch = make(seed);
    ASSERT_EQ(sketch.count(), static_cast<std::int64_t>(values.size()));
    ASSERT_EQ(weight(sketch), sketch.count());
    ASSERT_EQ(sketch.min(), sorted.front());
    ASSERT_EQ(sketch.max(), sorted.back());
    for (int i = 1; i < 40; ++i) {
      const double x = sorted[sorted.size() * static_cast<std::size_t>(i) / 40];
      const auto exact = std::upper_bound(sorted.begin(), sorted.end(), x) - sorted.begin();
      const double off = std::abs(static_cast<double>(sketch.rank(x) - exact)) / n;
      ASSERT_LE(off, 2 * sketch.rank_error());
      beyond += off > sketch.rank_error();
      ++all;
    }
  }
  EXPECT_LE(beyond, all / 100);
}

TEST(SlowKll, RankErrorOnAdversarialOrders) {
  constexpr std::size_t kSize = 120000;
  Rng rng(7);
  Values values = shuffled(kSize, 1);
  const auto check = [&] { expect_within_bound(values, [&](std::uint64_t seed) { return of(values, seed); }); };
  check();
  std::sort(values.begin(), values.end());
  check();
  std::reverse(values.begin(), values.end());
  check();
  for (std::size_t i = 0; i < kSize; ++i) values[i] = static_cast<double>(i % 64 * kSize + i);  // runs
  check();
  for (std::size_t i = 0; i < kSize; ++i)
    values[i] = i % 2 ? static_cast<double>(i) : -static_cast<double>(i);  // outward from the median
  check();
  for (double& value : values) value = std::floor(1 / (rng.uniform() + 1e-4));  // Zipf: atoms
  check();
  for (double& value : values) value = std::tan(3.14159 * (rng.uniform() - 0.5));  // Cauchy
  check();
}

TEST(SlowKll, MergedRankError) {
  const Values values = shuffled(150000, 2);
  expect_within_bound(values, [&](std::uint64_t seed) {
    Kll sum(256, seed);
    // Panes of very unequal sizes, so that samplers of different heights meet.
    for (std::size_t from = 0, size = 1; from < values.size(); size = size * 3 % 70001 + 1) {
      const std::size_t taken = std::min(size, values.size() - from);
      EXPECT_TRUE(sum.merge(of(std::span(values).subspan(from, taken), seed * 1000 + from)).has_value());
      from += taken;
    }
    return sum;
  });
}

TEST(SlowKll, OtherSizesOfK) {
  const Values values = shuffled(100000, 3);
  for (std::uint32_t k : {32U, 100U, 1024U})
    expect_within_bound(values, [&](std::uint64_t seed) { return of(values, seed, k); });
}

TEST(Kll, ExactWhileFew) {
  const Values values = shuffled(256, 3);
  const Kll sketch = of(values);
  EXPECT_TRUE(sketch.exact());
  EXPECT_EQ(sketch.rank_error(), 0);
  for (int i = 0; i < 256; ++i) EXPECT_EQ(sketch.rank(i), i + 1);
  EXPECT_EQ(sketch.quantile(0.5), 127);
  EXPECT_EQ(sketch.quantile(0), 0);
  EXPECT_EQ(sketch.quantile(1), 255);
  const Values cuts = {-1, 0, 10, 10, 300};
  EXPECT_EQ(sketch.counts(cuts), (std::vector<std::int64_t>{0, 0, 10, 0, 246, 0}));
}

TEST(Kll, EmptyConstantZerosInfinities) {
  Kll sketch;
  EXPECT_TRUE(std::isnan(sketch.quantile(0.5)) && std::isnan(sketch.cdf(0)) && std::isnan(sketch.min()));
  const Values constant(100000, 4.25);
  sketch.update(constant);
  EXPECT_EQ(sketch.quantile(0.3), 4.25);
  EXPECT_EQ(sketch.cdf(4.25), 1);
  EXPECT_EQ(sketch.cdf(4.2), 0);
  const Values zeros = {-0.0, 0.0, -1, 1, -INFINITY, INFINITY};
  EXPECT_EQ(of(zeros).rank(-0.0), 4);
  EXPECT_EQ(of(zeros).rank(0.0), 4);
  EXPECT_EQ(of(zeros).quantile(1), INFINITY);
}

TEST(Kll, SameStateHoweverTheStreamIsCut) {
  const Values values = shuffled(200000, 4);
  const std::string whole = bytes_of(of(values, 9));
  Rng rng(5);
  for (std::uint64_t most : {1, 7, 1000, 100000}) {
    Kll sketch(256, 9);
    for (std::size_t from = 0; from < values.size();) {
      const auto size = std::min<std::size_t>(values.size() - from, 1 + rng.below(most));
      sketch.update(std::span(values).subspan(from, size));
      from += size;
    }
    EXPECT_EQ(bytes_of(sketch), whole) << most;
  }
}

TEST(Kll, BoundedAndBalancedAtEveryLength) {
  Kll sketch(64, 3);
  Rng rng(1);
  for (int i = 0; i < 60000; ++i) {
    sketch.update(rng.uniform());
    if (i % 37 == 0) {
      ASSERT_EQ(weight(sketch), sketch.count());
    }
  }
  EXPECT_LE(sketch.items().size(), 64U * 5);
}

TEST(Kll, OtherKIsRefused) {
  Kll sketch(256);
  sketch.update(1);
  const std::string before = bytes_of(sketch);
  EXPECT_EQ(sketch.merge(Kll(128)).error().code, Code::kInput);
  EXPECT_EQ(bytes_of(sketch), before);
}

TEST(Kll, ReloadedContinuesIdentically) {
  reload(Kll());
  for (std::size_t size : {10, 256, 257, 5000, 77777}) {
    const Values values = shuffled(size, 6);
    Kll sketch = of(values), again = reload(sketch);
    sketch.update(values);
    again.update(values);
    ASSERT_TRUE(sketch.merge(of(values, 5)) && again.merge(of(values, 5)));
    sketch.update(values);
    again.update(values);
    EXPECT_EQ(bytes_of(sketch), bytes_of(again));
  }
}

TEST(Kll, HostileBytes) {
  const auto use = [](Kll& sketch) {
    const Values values = shuffled(300, 1);
    sketch.update(values);
    ASSERT_TRUE(sketch.merge(Kll(sketch)));
    EXPECT_GE(sketch.rank(1e300), 0);
    EXPECT_FALSE(sketch.items().empty());
  };
  check_hostile(of(shuffled(20, 8), 1, 16), use);
  check_hostile(of(shuffled(5003, 8), 1, 16), use);
}

TEST(KeySort, AgreesWithStdSort) {
  Rng rng(2);
  for (std::size_t size = 0; size < 600; ++size) {
    std::vector<std::uint64_t> keys(size);
    for (auto& key : keys) key = size % 3 ? rng() : rng.below(5);
    auto wanted = keys;
    std::sort(wanted.begin(), wanted.end());
    auto halves = keys;
    const auto middle = static_cast<std::ptrdiff_t>(rng.below(size + 1));
    std::sort(halves.begin(), halves.begin() + middle);
    std::sort(halves.begin() + middle, halves.end());
    sort_keys(keys);
    merge_keys(halves, static_cast<std::size_t>(middle));
    ASSERT_EQ(keys, wanted);
    ASSERT_EQ(halves, wanted);
  }
}

}  // namespace
}  // namespace vigie::sketch
