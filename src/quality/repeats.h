// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace vigie::quality {

/// How many items of a stream repeat an earlier one. Exact while at most `limit` different hashes were seen; then only
/// hashes with enough leading zeros are followed, a share of 2^-level of all different items, chosen by themselves
/// (adaptive sampling, Flajolet 1990): among these the count stays exact, so a share of repeats p is known to about
/// √(p/limit), where the difference of rows and a HyperLogLog estimate would be off by a percent of all rows.
///
/// The caller hashes to 64 well mixed bits. The state depends on the multiset of hashes only, not on their order.
/// Memory: 8 to 32 bytes a hash held. Cost 5–20 ns a hash, more as the set outgrows the caches.
class Repeats {
 public:
  explicit Repeats(std::size_t limit = std::size_t{1} << 20) : limit_(limit < 16 ? 16 : limit) {}

  void update(std::span<const std::uint64_t> hashes);
  /// As if this had seen the other's items too. What was loaded has counts only: items that repeat between the two
  /// sides are then not found.
  void merge(const Repeats& other);

  std::int64_t rows() const;      ///< all items
  std::int64_t followed() const;  ///< items among those followed; rows() while exact
  std::int64_t repeated() const;  ///< items among those followed that repeat an earlier one
  double share() const;           ///< repeated() / followed(); 0 when empty
  bool exact() const { return level_ == 0; }

  /// Counts only: bytes do not grow with the rows.
  void save(ByteWriter& out) const;
  /// Code::kCorrupt for bytes that no save() wrote.
  static Result<Repeats> load(ByteReader& in);

 private:
  void insert(std::uint64_t hash);
  void grow(std::size_t slots);
  void raise();

  std::size_t limit_;
  unsigned level_ = 0;
  std::array<std::int64_t, 65> rows_{};  // items by leading zeros of their hash
  std::vector<std::uint64_t> slots_;     // linear probing, 0 free
  std::size_t used_ = 0;
  std::int64_t loaded_ = 0;  // different items that came from load()
};

}  // namespace vigie::quality
