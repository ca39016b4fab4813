// SPDX-License-Identifier: Apache-2.0
#include "sketch/hyperloglog.h"

#include <cmath>

#include "base/hash.h"
#include "sketch/state_test_internal.h"

namespace vigie::sketch {
namespace {

HyperLogLog of(std::uint64_t from, std::uint64_t size, std::uint64_t seed = 0, unsigned p = 12) {
  HyperLogLog sketch(p);
  for (std::uint64_t i = from; i < from + size; ++i) sketch.update(mix64(mix64(i + 1) + seed * 0x9e3779b97f4a7c15U));
  return sketch;
}

TEST(HyperLogLog, ExactWhileFew) {
  HyperLogLog sketch;
  EXPECT_EQ(sketch.estimate(), 0);
  for (int round = 0; round < 3; ++round)
    for (std::uint64_t i = 0; i < 512; ++i) {
      sketch.update(i);  // also hash 0 and badly mixed ones
      if (round == 0) {
        ASSERT_EQ(sketch.estimate(), static_cast<double>(i + 1));
      }
    }
  EXPECT_TRUE(sketch.exact());
  EXPECT_EQ(sketch.relative_error(), 0);
}

TEST(SlowHyperLogLog, NoBiasAndTheStatedErrorAtEverySize) {
  constexpr int kSeeds = 100;
  for (std::uint64_t size : {513U, 700U, 2000U, 5000U, 10000U, 12000U, 20000U, 50000U, 200000U}) {
    double sum = 0, squares = 0;
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      const HyperLogLog sketch = of(0, size, seed);
      const double off = sketch.estimate() / static_cast<double>(size) - 1;
      EXPECT_LE(std::abs(off), 5 * sketch.relative_error());
      sum += off;
      squares += off * off;
    }
    const double error = HyperLogLog(of(0, 600)).relative_error();
    EXPECT_LE(std::abs(sum / kSeeds), 4 * error / std::sqrt(kSeeds)) << size;
    EXPECT_LE(std::sqrt(squares / kSeeds), 1.25 * error) << size;
  }
}

TEST(HyperLogLog, StateIsThatOfTheSet) {
  HyperLogLog forward, backward;
  std::vector<std::uint64_t> hashes;
  for (std::uint64_t i = 0; i < 3000; ++i) hashes.push_back(mix64(i));
  for (std::size_t size : {100, 512, 513, 3000}) {
    const auto some = std::span(hashes).first(size);
    forward.update(some);
    backward = HyperLogLog();
    for (std::size_t i = size; i-- > 0;) backward.update(some[i]);
    EXPECT_EQ(bytes_of(forward), bytes_of(backward));
  }
}

TEST(HyperLogLog, ManyAtATimeAreAsOneByOne) {
  HyperLogLog one(8), many(8);
  for (std::uint64_t from = 0; from < 200'000; from += 1'000) {
    std::vector<std::uint64_t> hashes;
    for (std::uint64_t i = from; i < from + 1'000; ++i) hashes.push_back(mix64(i));
    for (std::uint64_t hash : hashes) one.update(hash);
    many.update(hashes);
  }
  EXPECT_EQ(bytes_of(one), bytes_of(many));
}

TEST(HyperLogLog, MergeIsUnionToTheBit) {
  for (std::uint64_t a : {0, 100, 500, 20000})
    for (std::uint64_t b : {0, 30, 500, 20000}) {
      HyperLogLog left = of(0, a);
      ASSERT_TRUE(left.merge(of(a / 2, b)));
      HyperLogLog both = of(0, a);
      for (std::uint64_t i = a / 2; i < a / 2 + b; ++i) both.update(mix64(mix64(i + 1)));
      EXPECT_EQ(bytes_of(left), bytes_of(both)) << a << " " << b;
    }
  HyperLogLog sketch;
  EXPECT_EQ(sketch.merge(HyperLogLog(13)).error().code, Code::kInput);
}

TEST(HyperLogLog, ReloadedContinuesIdentically) {
  for (std::uint64_t size : {0, 1, 512, 513, 9000}) {
    HyperLogLog sketch = of(0, size), again = reload(sketch);
    ASSERT_TRUE(sketch.merge(of(5000, 700)) && again.merge(of(5000, 700)));
    EXPECT_EQ(bytes_of(sketch), bytes_of(again));
  }
}

TEST(HyperLogLog, SaturatedRegistersStayFinite) {
  HyperLogLog sketch(4);
  for (std::uint64_t i = 0; i < 16; ++i) sketch.update(i << 60);
  EXPECT_TRUE(std::isfinite(sketch.estimate()));
  EXPECT_GT(sketch.estimate(), 1e17);
}

TEST(HyperLogLog, HostileBytes) {
  const auto use = [](HyperLogLog& sketch) {
    for (std::uint64_t i = 0; i < 40; ++i) sketch.update(mix64(i));
    ASSERT_TRUE(sketch.merge(sketch));
    EXPECT_GT(sketch.estimate(), 0);
  };
  check_hostile(of(0, 20, 1, 8), use);
  check_hostile(of(0, 900, 1, 8), use);
}

}  // namespace
}  // namespace vigie::sketch
