// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace vigie::sketch {

/// The most frequent strings of a stream: Misra and Gries 1982 with the batch purge of Anderson et al. 2017 ("A high-
/// performance algorithm for identifying frequent items in data streams"). Exact up to `capacity` different strings.
/// When one more comes, the median count is taken off every counter and those left with nothing are dropped, so counts
/// are too low by at most error(), which is at most 2 · total() / capacity.
///
/// Deterministic. Memory: capacity × (the strings + 64 bytes); bounding the length of strings is the caller's.
class FrequentItems {
 public:
  static constexpr std::uint32_t kFewest = 2, kMost = 1U << 24;
  /// `capacity` is brought into [kFewest, kMost].
  explicit FrequentItems(std::uint32_t capacity = 1024);

  /// A weight below 1 is ignored. About 45 ns for a short string with many rare ones among them.
  void update(std::string_view item, std::int64_t weight = 1);
  /// As if this had seen the other's strings too, up to error(). Different capacity: Code::kInput, and nothing changes.
  Status merge(const FrequentItems& other);

  struct Item {
    std::string name;
    std::int64_t count;  ///< the true count is in [count, count + error()]
    bool operator==(const Item&) const = default;
  };
  /// What is held, largest count first, then by name. A string that is not here came at most error() times.
  std::vector<Item> items() const;
  /// Count of one string, 0 when it is not held.
  std::int64_t count(std::string_view item) const;
  std::int64_t error() const { return error_; }  ///< largest undercount; 0 while exact. Nothing is overcounted
  bool exact() const { return error_ == 0; }
  std::int64_t total() const { return total_; }  ///< sum of all weights
  std::uint32_t capacity() const { return capacity_; }

  std::size_t size_bytes() const;
  void save(ByteWriter& out) const;
  /// Code::kCorrupt for bytes that no save() wrote.
  static Result<FrequentItems> load(ByteReader& in);

 private:
  struct Entry {
    std::uint64_t hash;
    std::int64_t count;
    std::string name;
  };
  std::size_t slot_of(std::string_view item, std::uint64_t hash) const;
  void add(std::string_view item, std::uint64_t hash, std::int64_t weight);
  void purge();
  void index(std::size_t slots);

  std::uint32_t capacity_;
  std::int64_t total_ = 0, error_ = 0;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  // 1 + position in entries_, 0 free; linear probing, a power of two of slots
};

}  // namespace vigie::sketch
