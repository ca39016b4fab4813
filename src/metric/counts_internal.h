// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"

namespace vigie::metric {

/// Reads counts whose sum is at most 2⁵³, so that they can be added, merged and made doubles of; more fails the reader.
class CountReader {
 public:
  explicit CountReader(ByteReader& in) : in_(in) {}
  std::int64_t operator()() {
    const std::uint64_t count = in_.varint();
    if (count > left_) in_.fail();
    if (!in_.ok()) return 0;
    left_ -= count;
    return static_cast<std::int64_t>(count);
  }

 private:
  ByteReader& in_;
  std::uint64_t left_ = std::uint64_t{1} << 53;
};

/// Whether `place` gives each of `from` classes a place of its own among `to`.
inline bool apart(std::span<const std::uint32_t> place, std::size_t from, std::size_t to) {
  std::vector<bool> taken(to);
  for (const auto at : place) {
    if (at >= to || taken[at]) return false;
    taken[at] = true;
  }
  return place.size() == from;
}

}  // namespace vigie::metric
