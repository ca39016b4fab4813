// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <limits>

#include "base/hash.h"
#include "base/text.h"
#include "table/arrow/held_internal.h"

namespace vigie::table {

void Words::clear() {
  // A table that one wide batch made large is not swept for every small one after it.
  if (table_.size() > 1024 && words_.size() * 64 < table_.size())
    table_.assign(64, -1);
  else
    std::fill(table_.begin(), table_.end(), -1);
  words_.clear();
  hashes_.clear();
  if (blocks_.size() > 1) blocks_.clear(), block_size_ = 0;
  block_used_ = 0;
  foreign_ = false;
}

char* Words::room(std::size_t size) {
  if (block_size_ - block_used_ < size) {
    block_size_ = std::max<std::size_t>(size, blocks_.empty() ? 4096 : 1 << 18);
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(block_size_));
    block_used_ = 0;
  }
  char* at = blocks_.back().get() + block_used_;
  block_used_ += size;
  return at;
}

void Words::grow() {
  table_.assign(std::max<std::size_t>(64, table_.size() * 2), -1);
  for (std::size_t i = 0; i < hashes_.size(); ++i) {
    auto slot = hashes_[i] & (table_.size() - 1);
    while (table_[slot] >= 0) slot = (slot + 1) & (table_.size() - 1);
    table_[slot] = static_cast<std::int32_t>(i);
  }
}

std::int32_t Words::add(std::string_view word, std::uint64_t hash, std::size_t slot) {
  char* copy = room(word.size());
  if (!word.empty()) std::memcpy(copy, word.data(), word.size());
  auto code = static_cast<std::int32_t>(words_.size());
  words_.emplace_back(copy, word.size());
  hashes_.push_back(hash);
  table_[slot] = code;
  return code;
}

std::int32_t Words::code(std::string_view word) {
  if ((words_.size() + 1) * 2 > table_.size()) grow();
  auto hash = hash64(word);
  auto slot = hash & (table_.size() - 1);
  for (; table_[slot] >= 0; slot = (slot + 1) & (table_.size() - 1)) {
    auto i = static_cast<std::size_t>(table_[slot]);
    if (hashes_[i] == hash && words_[i] == word) return table_[slot];
  }
  if (is_utf8(word)) return add(word, hash, slot);
  foreign_ = true;
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex = "0x";
  for (unsigned char c : word) hex += {kDigits[c >> 4], kDigits[c & 15]};
  return code(hex);
}

void Held::start(Type t, std::int64_t n) {
  type = t;
  rows = n;
  misfits.clear();
  words.clear();
  offsets.clear();
  values.clear();
  missing.clear();
}

Column Held::view() const {
  Column out;
  auto n = static_cast<std::size_t>(rows);
  out.type = type;
  out.misfits = misfits;
  switch (type) {
    case Type::kSkip:
      break;
    case Type::kString:
      out.codes = {codes.data(), n};
      out.dictionary = words.list();
      break;
    case Type::kList:
      out.offsets = offsets;
      out.values = values;
      out.missing = missing;
      break;
    default:
      out.numbers = {numbers.data(), n};
  }
  return out;
}

std::unique_ptr<Held> Pool::take() {
  std::lock_guard lock(mutex_);
  if (free_.empty()) return std::make_unique<Held>();
  auto held = std::move(free_.back());
  free_.pop_back();
  return held;
}

void Pool::give(std::unique_ptr<Held> held) {
  if (!held) return;
  std::lock_guard lock(mutex_);
  free_.push_back(std::move(held));
}

}  // namespace vigie::table
