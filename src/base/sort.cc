// SPDX-License-Identifier: Apache-2.0
#include "base/sort.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

namespace vigie {
namespace {

constexpr int kBits = 11, kPasses = 6;
constexpr std::size_t kDigits = 1U << kBits;
constexpr std::uint64_t kSign = 1ULL << 63;

std::uint64_t key(double value) {
  auto bits = std::bit_cast<std::uint64_t>(value);
  return bits & kSign ? ~bits : bits | kSign;
}
double value(std::uint64_t key) {
  return std::bit_cast<double>(key & kSign ? key & ~kSign : ~key);
}

}  // namespace

void sort_doubles(std::span<double> values) {
  if (values.size() < 2048) {
    std::sort(values.begin(), values.end());
    return;
  }
  std::vector<std::uint64_t> keys(values.size()), other(values.size());
  std::vector<std::array<std::uint32_t, kPasses>> counts(kDigits);
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto k = keys[i] = key(values[i]);
    for (std::size_t pass = 0; pass < kPasses; ++pass) ++counts[(k >> (pass * kBits)) & (kDigits - 1)][pass];
  }
  for (std::size_t pass = 0; pass < kPasses; ++pass) {
    std::vector<std::size_t> at(kDigits);
    std::size_t sum = 0, used = 0;
    for (std::size_t d = 0; d < kDigits; ++d) {
      at[d] = sum;
      sum += counts[d][pass];
      used += counts[d][pass] != 0;
    }
    if (used <= 1) continue;
    for (auto k : keys) other[at[(k >> (pass * kBits)) & (kDigits - 1)]++] = k;
    keys.swap(other);
  }
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = value(keys[i]);
}

}  // namespace vigie
