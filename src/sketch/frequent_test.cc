// SPDX-License-Identifier: Apache-2.0
#include "sketch/frequent.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "sketch/state_test_internal.h"

namespace vigie::sketch {
namespace {

using Stream = std::vector<std::string>;

/// Item i about as often as 1 / (i + 1).
Stream zipf(std::size_t size, double most, std::uint64_t seed) {
  Rng rng(seed);
  Stream stream;
  for (std::size_t i = 0; i < size; ++i)
    stream.push_back("item " + std::to_string(static_cast<long>(std::pow(most, rng.uniform()))));
  return stream;
}

FrequentItems of(const Stream& stream, std::uint32_t capacity = 64) {
  FrequentItems sketch(capacity);
  for (const auto& item : stream) sketch.update(item);
  return sketch;
}

std::map<std::string, std::int64_t> tally(const Stream& stream) {
  std::map<std::string, std::int64_t> counts;
  for (const auto& item : stream) ++counts[item];
  return counts;
}

void expect_within_bound(const FrequentItems& sketch, const Stream& stream) {
  ASSERT_EQ(sketch.total(), static_cast<std::int64_t>(stream.size()));
  EXPECT_LE(sketch.error(), 2 * sketch.total() / sketch.capacity());
  EXPECT_LE(sketch.items().size(), sketch.capacity());
  for (const auto& [name, count] : tally(stream)) {
    EXPECT_LE(sketch.count(name), count);
    EXPECT_GE(sketch.count(name) + sketch.error(), count);
  }
}

TEST(FrequentItems, ExactUntilCapacity) {
  FrequentItems sketch(3);
  for (const char* item : {"b", "a", "c", "a", "", "b"})
    if (*item) sketch.update(item);
  sketch.update("ignored", 0);
  sketch.update("ignored", -5);
  EXPECT_TRUE(sketch.exact());
  EXPECT_EQ(sketch.items(), (std::vector<FrequentItems::Item>{{"a", 2}, {"b", 2}, {"c", 1}}));
  sketch.update("d", 10);
  EXPECT_FALSE(sketch.exact());
  EXPECT_EQ(sketch.items().front().name, "d");
}

TEST(FrequentItems, BoundOnAdversarialOrders) {
  Stream stream = zipf(40000, 20000, 1);
  expect_within_bound(of(stream), stream);
  std::sort(stream.begin(), stream.end());
  expect_within_bound(of(stream), stream);
  std::reverse(stream.begin(), stream.end());
  expect_within_bound(of(stream), stream);
  Stream different;
  for (int i = 0; i < 20000; ++i) different.push_back(std::to_string(i));
  expect_within_bound(of(different), different);
  expect_within_bound(of(Stream(1000, "same")), Stream(1000, "same"));
  for (std::uint32_t capacity : {2U, 3U, 5U}) expect_within_bound(of(stream, capacity), stream);
}

TEST(FrequentItems, MergeStaysWithinTheBound) {
  const Stream stream = zipf(30000, 20000, 2);
  FrequentItems sum(64);
  for (std::size_t from = 0; from < stream.size(); from += 1234) {
    const auto last = std::min(stream.size(), from + 1234);
    ASSERT_TRUE(
        sum.merge(of(Stream(stream.begin() + static_cast<long>(from), stream.begin() + static_cast<long>(last)))));
  }
  expect_within_bound(sum, stream);
  EXPECT_EQ(sum.merge(FrequentItems(65)).error().code, Code::kInput);
}

TEST(FrequentItems, MergeOfExactIsExact) {
  const Stream stream = zipf(3000, 60, 3);
  FrequentItems left = of(Stream(stream.begin(), stream.begin() + 1000));
  ASSERT_TRUE(left.merge(of(Stream(stream.begin() + 1000, stream.end()))));
  EXPECT_EQ(bytes_of(left), bytes_of(of(stream)));
  EXPECT_TRUE(left.exact());
}

TEST(FrequentItems, ReloadedContinuesIdentically) {
  const Stream stream = zipf(5000, 3000, 4);
  reload(FrequentItems());
  FrequentItems sketch = of(stream), again = reload(sketch);
  for (const auto& item : zipf(5000, 3000, 5)) {
    sketch.update(item);
    again.update(item);
  }
  EXPECT_EQ(bytes_of(sketch), bytes_of(again));
}

TEST(FrequentItems, HostileBytes) {
  check_hostile(of(zipf(500, 300, 6), 20), [](FrequentItems& sketch) {
    for (int i = 0; i < 30; ++i) sketch.update(std::to_string(i), std::numeric_limits<std::int64_t>::max() / 2);
    ASSERT_TRUE(sketch.merge(sketch));
    EXPECT_LE(sketch.items().size(), sketch.capacity());
  });
}

}  // namespace
}  // namespace vigie::sketch
