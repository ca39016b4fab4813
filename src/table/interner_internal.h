// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"

namespace vigie::table {

/// The distinct strings of one column of one batch and their codes: open addressing, strings up to eight bytes compared
/// as one word.
class Interner {
 public:
  /// Forgets all strings; keeps the memory.
  void clear() {
    dictionary_.clear();
    owned_.clear();
    std::memset(slots_.data(), 0xff, slots_.size() * sizeof(Slot));
  }
  /// The code of a string whose bytes outlive this batch. Eight bytes beyond its end must be readable.
  std::int32_t code(std::string_view text) {
    auto key = text.size() <= 8 ? short_key(text) : hash64(text);
    return find(text, key);
  }
  /// The same for a string that must be copied.
  std::int32_t code_of_copy(std::string text) {
    owned_.push_back(std::move(text));
    auto before = dictionary_.size();
    auto result = code(owned_.back());
    if (dictionary_.size() == before) owned_.pop_back();
    return result;
  }
  const std::vector<std::string_view>& dictionary() const { return dictionary_; }

 private:
  struct Slot {
    std::uint64_t key;
    std::uint32_t size;
    std::int32_t code;  // -1: free
  };

  static std::uint64_t short_key(std::string_view text) {
    std::uint64_t v;
    std::memcpy(&v, text.data(), 8);
    // Two shifts: a shift by 64 is undefined.
    return text.empty() ? 0 : v << (8 * (8 - text.size())) >> (8 * (8 - text.size()));
  }
  std::int32_t find(std::string_view text, std::uint64_t key) {
    auto size = static_cast<std::uint32_t>(text.size());
    auto mask = slots_.size() - 1;
    auto at = mix64(key + size) & mask;
    for (;; at = (at + 1) & mask) {
      const Slot& slot = slots_[at];
      if (slot.code < 0) break;
      if (slot.key == key && slot.size == size &&
          (size <= 8 || dictionary_[static_cast<std::size_t>(slot.code)] == text))
        return slot.code;
    }
    auto fresh = static_cast<std::int32_t>(dictionary_.size());
    dictionary_.push_back(text);
    slots_[at] = {key, size, fresh};
    if (dictionary_.size() * 2 > slots_.size()) grow();
    return fresh;
  }
  void grow() {
    std::vector<Slot> old(slots_.size() * 4, Slot{0, 0, -1});
    old.swap(slots_);
    auto mask = slots_.size() - 1;
    for (const Slot& slot : old) {
      if (slot.code < 0) continue;
      auto at = mix64(slot.key + slot.size) & mask;
      while (slots_[at].code >= 0) at = (at + 1) & mask;
      slots_[at] = slot;
    }
  }

  std::vector<std::string_view> dictionary_;
  std::vector<Slot> slots_ = std::vector<Slot>(64, Slot{0, 0, -1});
  std::deque<std::string> owned_;
};

}  // namespace vigie::table
