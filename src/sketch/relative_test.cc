// SPDX-License-Identifier: Apache-2.0
#include "sketch/relative.h"

#include <algorithm>
#include <cmath>

#include "sketch/state_test_internal.h"

namespace vigie::sketch {
namespace {

using Values = std::vector<double>;

RelativeQuantiles of(std::span<const double> values) {
  RelativeQuantiles sketch;
  sketch.update(values);
  return sketch;
}

void expect_accurate(Values values) {
  const RelativeQuantiles sketch = of(values);
  std::sort(values.begin(), values.end());
  ASSERT_EQ(sketch.count(), static_cast<std::int64_t>(values.size()));
  EXPECT_EQ(sketch.min(), values.front());
  EXPECT_EQ(sketch.max(), values.back());
  for (double q : {0.0001, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999}) {
    const auto at = static_cast<std::size_t>(std::ceil(q * static_cast<double>(values.size())));
    const double exact = values[std::max<std::size_t>(at, 1) - 1];
    EXPECT_LE(std::abs(sketch.quantile(q) - exact), RelativeQuantiles::kAlpha * std::abs(exact)) << q;
  }
}

Values draw(std::size_t size, std::uint64_t seed, auto shape) {
  Rng rng(seed);
  Values values(size);
  for (double& value : values) value = shape(rng);
  return values;
}

TEST(RelativeQuantiles, ValueErrorIsBounded) {
  expect_accurate(draw(50000, 1, [](Rng& rng) { return std::exp(2 * roughly_normal(rng)); }));
  expect_accurate(draw(50000, 2, [](Rng& rng) { return roughly_normal(rng); }));
  expect_accurate(draw(50000, 3, [](Rng& rng) { return std::tan(3.14159 * (rng.uniform() - 0.5)); }));
  expect_accurate(draw(50000, 4, [](Rng& rng) { return rng.below(3) ? 0.0 : -rng.uniform(); }));
  expect_accurate(draw(50000, 5, [](Rng& rng) { return 1 / (rng.uniform() + 1e-9); }));
  expect_accurate(draw(5000, 6, [](Rng&) { return -17.3; }));
  expect_accurate({3.0});
  expect_accurate({0.0, -0.0, 0.0});
  auto sorted = draw(5000, 7, [](Rng& rng) { return std::exp(3 * roughly_normal(rng)); });
  std::sort(sorted.begin(), sorted.end());
  expect_accurate(sorted);
  std::reverse(sorted.begin(), sorted.end());
  expect_accurate(sorted);
}

TEST(RelativeQuantiles, NanInfinitySubnormalEmpty) {
  RelativeQuantiles sketch;
  EXPECT_TRUE(std::isnan(sketch.quantile(0.5)) && std::isnan(sketch.max()));
  const Values values = {NAN, 5e-324, -5e-324, 1, INFINITY, -NAN, -INFINITY};
  sketch.update(values);
  EXPECT_EQ(sketch.count(), 5);
  EXPECT_EQ(sketch.quantile(0.5), 0);
  EXPECT_EQ(sketch.max(), INFINITY);
  EXPECT_EQ(sketch.rank(0.5), 3);
  RelativeQuantiles nothing;
  nothing.update(NAN);
  EXPECT_EQ(bytes_of(nothing), bytes_of(RelativeQuantiles()));
}

TEST(RelativeQuantiles, SmallestMagnitudesCollapse) {
  Values values;
  for (int power = -1000; power <= 1000; ++power) {
    values.push_back(std::ldexp(1.5, power));
    values.push_back(-std::ldexp(1.25, power));
  }
  const RelativeQuantiles sketch = of(values);
  EXPECT_LE(sketch.size_bytes(), 70000U);
  EXPECT_EQ(sketch.count(), 4002);
  EXPECT_LE(std::abs(sketch.quantile(0.5)), std::ldexp(1.5, 1000 - 62));
  EXPECT_NEAR(sketch.quantile(0.999) / std::ldexp(1.5, 999), 1, 1.01);
  // Whatever the order, the same state.
  Rng rng(3);
  for (int round = 0; round < 10; ++round) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[rng.below(i)]);
    EXPECT_EQ(bytes_of(of(values)), bytes_of(sketch));
  }
  std::sort(values.begin(), values.end());
  EXPECT_EQ(bytes_of(of(values)), bytes_of(sketch));
}

TEST(RelativeQuantiles, MergeIsUnionToTheBit) {
  for (double spread : {1.0, 20.0, 60.0}) {
    const auto values = draw(4000, 8, [&](Rng& rng) {
      return rng.below(4) ? std::exp(spread * roughly_normal(rng)) : -std::exp(spread * roughly_normal(rng));
    });
    const std::string whole = bytes_of(of(values));
    for (std::size_t cut : {0, 1, 2000, 3999}) {
      RelativeQuantiles left = of(std::span(values).first(cut));
      RelativeQuantiles right = of(std::span(values).subspan(cut));
      RelativeQuantiles other = right;
      other.merge(reload(left));
      left.merge(right);
      EXPECT_EQ(bytes_of(left), whole);
      EXPECT_EQ(bytes_of(other), whole);
    }
  }
}

TEST(RelativeQuantiles, ReloadedContinuesIdentically) {
  const auto values = draw(3000, 9, [](Rng& rng) { return std::exp(3 * roughly_normal(rng)) - 0.5; });
  reload(RelativeQuantiles());
  RelativeQuantiles sketch = of(values), again = reload(sketch);
  const Values more = {1e200, -1e-200, 0, 3};
  sketch.update(more);
  again.update(more);
  EXPECT_EQ(bytes_of(sketch), bytes_of(again));
}

TEST(RelativeQuantiles, HostileBytes) {
  check_hostile(of(draw(60, 10, [](Rng& rng) { return std::exp(roughly_normal(rng)) - 1; })),
                [](RelativeQuantiles& sketch) {
                  for (double value : {1e308, -1e-308, 0.0, 1.0}) sketch.update(value);
                  sketch.merge(sketch);
                  EXPECT_GT(sketch.count(), 0);
                  EXPECT_LE(sketch.quantile(0.1), sketch.quantile(0.9));
                });
}

}  // namespace
}  // namespace vigie::sketch
