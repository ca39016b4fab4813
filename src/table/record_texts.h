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

/// What the beginning of data shows of its records: of NDJSON the first megabyte in which one can be read, or as much
/// as it takes to meet the keys that RecordKeys names; of a table its columns.
struct RecordsHead {
  std::string name;                  ///< for messages: the data; of NDJSON the file that was looked at
  bool lines = false;                ///< NDJSON, of which a record may lack what others have
  std::int64_t records = 0;          ///< of NDJSON: that were looked at; 0: none can be read
  std::vector<std::string> columns;  ///< names; of NDJSON the keys of those records, nested ones as "a.b"
  bool timed = false;                ///< some of those records have a time; of a table: it has a column for it
  Status time{};                     ///< Code::kUsage: RecordKeys::time is a column, and no time
};

/// Reads the records of DATA one by one. NDJSON is passed through byte for byte, one record a line; a line that is no
/// JSON object is told and left out, as Reader does. Memory: a block of a megabyte, and the longest record. One thread.
class RecordTexts {
 public:
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

struct Part;

/// A DATA argument whose records are to be read, any number of times, also from standard input. A copy shares its
/// files.
class RecordData {
 public:
  /// As open_input().
  static Result<RecordData> open(const std::string& data, const ReadOptions& options);
  std::string_view kind() const;  ///< as Input::kind()
  /// Reads a block, of a table also the first of each file of several. Code::kInput: an array of JSON; what ReadOptions
  /// say is an error. `on`: of NDJSON more blocks, up to all, until each key that is named was met.
  Result<RecordsHead> look(const RecordKeys& keys, bool on = false) const;
  /// Code::kUsage: a column that a table does not have, a time that is none; Code::kInput: an array of JSON. Of text in
  /// a table all is read for the types before the first record.
  Result<std::unique_ptr<RecordTexts>> texts(const RecordKeys& keys) const;

 private:
  std::string data_;
  ReadOptions options_;
  std::shared_ptr<const std::vector<Part>> parts_;
};

}  // namespace vigie::table
