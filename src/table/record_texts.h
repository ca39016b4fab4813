// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "table/table.h"

namespace vigie::table {

/// A record of data as one JSON object.
struct RecordText {
  std::string_view json;     ///< of NDJSON as it stands there; else made of the columns, what is missing left out
  double time;               ///< µs since 1970; NaN: it has none that can be read
  std::string_view id;       ///< empty: it has none
  bool stamped = false;      ///< it has "@timestamp" already
  std::size_t file = 0;      ///< of RecordTexts::files()
  std::uint64_t number = 0;  ///< of NDJSON the line, else the row, from 1
};

struct RecordKeys {
  std::string time;  ///< key or column of the time; empty: "@timestamp", then "timestamp"
  std::string id;    ///< key or column that tells records apart; empty: none
};

/// Reads a DATA argument record by record. NDJSON is passed through byte for byte, one record a line; a line that is no
/// JSON object is told and left out, as Reader does. Memory: a block of a megabyte, and the longest record. One thread.
class RecordTexts {
 public:
  /// As open_input(). Code::kUsage: a column that is not there, a time that is none; Code::kInput: an array of JSON.
  static Result<std::unique_ptr<RecordTexts>> open(const std::string& data, const ReadOptions& options,
                                                   const RecordKeys& keys);
  virtual ~RecordTexts() = default;
  /// The next ones, valid until it is called again; none at the end.
  virtual Result<std::span<const RecordText>> next() = 0;
  virtual const Problems& problems() const = 0;
  virtual std::uint64_t consumed() const = 0;  ///< of bytes()
  std::uint64_t bytes() const { return bytes_; }
  const std::vector<std::string>& files() const { return files_; }

 protected:
  std::vector<std::string> files_;
  std::uint64_t bytes_ = 0;
};

}  // namespace vigie::table
