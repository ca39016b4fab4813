// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "table/table.h"

namespace vigie::table {

/// Memory for `n` values, not set to zero, kept for the next use.
template <class T>
class Scratch {
 public:
  T* get(std::size_t n) {
    if (n > capacity_) {
      memory_ = std::make_unique_for_overwrite<T[]>(n);
      capacity_ = n;
    }
    return memory_.get();
  }
  T* data() const { return memory_.get(); }

 private:
  std::unique_ptr<T[]> memory_;
  std::size_t capacity_ = 0;
};

/// Distinct strings and their codes. Bytes that are not UTF-8 are kept as "0x…" in hexadecimal.
class Words {
 public:
  void clear();
  std::int32_t code(std::string_view word);
  const std::vector<std::string_view>& list() const { return words_; }
  /// Whether some word since clear() was not UTF-8.
  bool foreign() const { return foreign_; }

 private:
  std::int32_t add(std::string_view word, std::uint64_t hash, std::size_t slot);
  void grow();
  char* room(std::size_t size);

  std::vector<std::string_view> words_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::int32_t> table_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t block_size_ = 0, block_used_ = 0;
  bool foreign_ = false;
};

/// The memory of one decoded column of one batch.
struct Held {
  Type type = Type::kString;
  std::int64_t rows = 0;
  Scratch<double> numbers;
  Scratch<std::int32_t> codes;
  Words words;
  std::vector<std::int64_t> offsets;
  std::vector<double> values;
  std::vector<std::uint8_t> missing;
  std::vector<std::uint32_t> misfits;

  void start(Type t, std::int64_t n);
  Column view() const;
};

/// Held columns that are waiting to be filled again. Thread safe.
class Pool {
 public:
  std::unique_ptr<Held> take();
  void give(std::unique_ptr<Held> held);

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Held>> free_;
};

/// Turns the numbers of `held` (native type `native`; `single`: they were 32-bit floats) into `asked`. `exact`, when
/// given, holds the integers that the numbers were made of, for text.
void convert_numbers(Held& held, Type native, Type asked, bool single, const std::int64_t* exact, bool exact_unsigned);

/// Turns the words of `held` into `asked`.
void convert_words(Held& held, Type asked);

/// Makes every cell of `held` missing; `there`: whether a row held anything, which then does not fit.
void all_missing(Held& held, Type asked, const std::function<bool(std::int64_t)>& there);

}  // namespace vigie::table
