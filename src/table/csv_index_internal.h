// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace vigie::table {

/// Finds the ends of fields and records in CSV text, 64 bytes at a step. A quote opens a quoted field only at the start
/// of a field; elsewhere it is a character like any other (`5" pipe`). Within a quoted field a doubled quote stands for
/// one, and delimiters and newlines are text. About 5 GB/s where quotes are regular.
class CsvIndex {
 public:
  struct Record {
    std::uint32_t first = 0;  ///< index in ends(): field j of the record is text (ends[first + j], ends[first + j + 1])
    std::uint32_t fields = 0;
  };

  static constexpr std::size_t kPadding = 80;

  /// Starts on a text that begins with a record.
  void reset(char delimiter);
  /// Goes on over text[indexed(), size). Only whole steps of 64 bytes are looked at unless `last`, when a missing
  /// newline at the end is supplied: text[size] is overwritten. kPadding bytes beyond `size` must be writable.
  void extend(char* text, std::size_t size, bool last);

  std::size_t indexed() const { return indexed_; }
  /// Positions of delimiters and newlines, after a first entry that stands for the one before the text, so that field
  /// j begins at ends[first + j] + 1 (in 32 bits, wrapping) and ends at ends[first + j + 1].
  const std::vector<std::uint32_t>& ends() const { return ends_; }
  /// Appends an end of the caller's making and gives its index; no extend() may follow.
  std::uint32_t append(std::uint32_t end) {
    if (used_ == ends_.size()) ends_.resize(used_ * 2);
    ends_[used_] = end;
    return static_cast<std::uint32_t>(used_++);
  }
  /// Complete records, blank ones too (one field of no bytes, or a CR).
  std::vector<Record>& records() { return records_; }
  const std::vector<Record>& records() const { return records_; }
  /// Bytes of the complete records.
  std::size_t complete() const { return complete_; }
  bool has_nul() const { return has_nul_; }
  bool has_high() const { return has_high_; }          ///< bytes above 127
  bool has_embedded() const { return has_embedded_; }  ///< newlines within quotes
  bool in_quotes() const { return state_ == State::kQuoted; }

 private:
  enum class State : std::uint8_t { kStart, kPlain, kQuoted, kAfterQuote };
  void step(const char* text, std::size_t at, unsigned size);
  std::uint64_t slow(const char* text, unsigned size, std::uint64_t& newlines);

  char delimiter_ = ',';
  State state_ = State::kStart;
  bool has_nul_ = false, has_high_ = false, has_embedded_ = false;
  std::size_t indexed_ = 0, complete_ = 0, used_ = 1;
  std::uint32_t record_first_ = 0;
  std::vector<std::uint32_t> ends_;
  std::vector<Record> records_;
};

}  // namespace vigie::table
