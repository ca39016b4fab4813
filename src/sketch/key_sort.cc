// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <limits>

#include "sketch/key_sort_internal.h"

namespace vigie::sketch {
namespace {

constexpr std::size_t kFewest = 16;

inline void order(std::uint64_t& a, std::uint64_t& b) {
  const std::uint64_t low = a < b ? a : b, high = a < b ? b : a;
  a = low;
  b = high;
}

// Two runs of equal length, from both ends at once: neither end can run out before it has written its half.
void merge_equal(const std::uint64_t* from, std::size_t length, std::uint64_t* to) {
  const std::uint64_t *a = from, *b = from + length, *last_a = b - 1, *last_b = b + length - 1;
  std::uint64_t* back = to + 2 * length - 1;
  for (std::size_t i = 0; i < length; ++i) {
    const std::uint64_t x = *a, y = *b, u = *last_a, v = *last_b;
    const std::size_t second = y < x, first = v < u;
    *to++ = second ? y : x;
    b += second;
    a += 1 - second;
    *back-- = first ? u : v;
    last_a -= first;
    last_b -= 1 - first;
  }
}

}  // namespace

void sort_keys(std::vector<std::uint64_t>& keys) {
  const std::size_t size = keys.size(), full = std::bit_ceil(size);
  if (size < kFewest || 4 * size < 3 * full) {
    std::sort(keys.begin(), keys.end());
    return;
  }
  keys.resize(full, std::numeric_limits<std::uint64_t>::max());
  for (std::size_t i = 0; i < full; i += 4) {
    std::uint64_t* at = keys.data() + i;
    order(at[0], at[1]);
    order(at[2], at[3]);
    order(at[0], at[2]);
    order(at[1], at[3]);
    order(at[1], at[2]);
  }
  std::vector<std::uint64_t> other(full);
  for (std::size_t length = 4; length < full; length *= 2) {
    for (std::size_t i = 0; i < full; i += 2 * length) merge_equal(keys.data() + i, length, other.data() + i);
    keys.swap(other);
  }
  keys.resize(size);
}

void merge_keys(std::vector<std::uint64_t>& keys, std::size_t middle) {
  if (middle == 0 || middle == keys.size()) return;
  std::vector<std::uint64_t> merged(keys.size());
  const std::uint64_t *a = keys.data(), *a_end = a + middle, *b = a_end, *b_end = keys.data() + keys.size();
  std::uint64_t* to = merged.data();
  while (a != a_end && b != b_end) {
    const std::size_t second = *b < *a;
    *to++ = second ? *b : *a;
    b += second;
    a += 1 - second;
  }
  to = std::copy(a, a_end, to);
  std::copy(b, b_end, to);
  keys.swap(merged);
}

}  // namespace vigie::sketch
