// SPDX-License-Identifier: Apache-2.0
#include "base/sort.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <memory>

namespace vigie {
namespace {

constexpr unsigned kBits = 11, kPasses = 3;
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
  auto n = values.size();
  if (n < 1024) {
    std::sort(values.begin(), values.end());
    return;
  }
  auto keys = std::make_unique_for_overwrite<std::uint64_t[]>(n),
       other = std::make_unique_for_overwrite<std::uint64_t[]>(n);
  std::uint64_t all = ~0ULL, any = 0;
  for (std::size_t i = 0; i < n; ++i) {
    keys[i] = key(values[i]);
    all &= keys[i], any |= keys[i];
  }
  // Radix by the 33 highest bits that differ puts all but close neighbours in order; insertion does the rest.
  auto high = static_cast<unsigned>(std::bit_width(all ^ any));
  unsigned shift = high > kBits * kPasses ? high - kBits * kPasses : 0;
  std::array<std::array<std::uint32_t, kDigits>, kPasses> at{};
  for (std::size_t i = 0; i < n; ++i)
    for (unsigned pass = 0; pass < kPasses; ++pass) ++at[pass][(keys[i] >> (shift + pass * kBits)) & (kDigits - 1)];
  for (unsigned pass = 0; pass < kPasses; ++pass) {
    auto move = shift + pass * kBits;
    if (move >= high) break;
    std::uint32_t sum = 0;
    for (auto& slot : at[pass]) {
      auto count = slot;
      slot = sum;
      sum += count;
    }
    for (std::size_t i = 0; i < n; ++i) other[at[pass][(keys[i] >> move) & (kDigits - 1)]++] = keys[i];
    keys.swap(other);
  }
  std::size_t moves = 0;
  for (std::size_t i = 1; i < n && moves < 8 * n; ++i) {
    auto k = keys[i];
    auto j = i;
    for (; j > 0 && keys[j - 1] > k; --j) keys[j] = keys[j - 1];
    keys[j] = k;
    moves += i - j;
  }
  if (moves >= 8 * n) std::sort(keys.get(), keys.get() + n);
  for (std::size_t i = 0; i < n; ++i) values[i] = value(keys[i]);
}

}  // namespace vigie
