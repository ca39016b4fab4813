// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "table/decoded_internal.h"

namespace vigie::table {

/// White space of JSON.
constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// The raw key that begins at `raw`: up to the quote that no backslash hides.
inline std::string_view raw_key(const char* raw) {
  const char* p = raw;
  while (*p != '"') p += *p == '\\' ? 2 : 1;
  return {raw, static_cast<std::size_t>(p - raw)};
}

/// The columns of an NDJSON file as the tree that its keys make: `{"a": {"b": 1}}` is column `a.b`. Built before a
/// pass, read by many threads. A key is looked for first where the last row would have it.
class JsonTree {
 public:
  struct Child {
    std::string key;  ///< as it stands between its quotes, escapes and all
    std::int32_t column = -1;
    std::unique_ptr<JsonTree> inner;  ///< where the value is an object
  };

  /// Adds a column under raw keys.
  void insert(const std::vector<std::string>& path, std::int32_t column);
  /// The child of a raw key that begins at `raw`; nullptr if there is none. `cursor`: where it is expected, moved on.
  const Child* find(const char* raw, std::size_t& cursor) const;
  /// The child that was added under `key`; nullptr if there is none.
  const Child* find(std::string_view key) const;

 private:
  std::vector<std::unique_ptr<Child>> children_;
  std::unordered_map<std::string_view, std::size_t> index_;
};

struct JsonPlan {
  std::vector<ColumnPlan> columns;
  std::unordered_map<std::string, std::int32_t> by_name;
  JsonTree tree;
  bool discover = false;  ///< unknown keys are gathered
  bool closed = false;    ///< a key that the tree does not have is passed over, whatever its name, …
  bool skip = false;      ///< … and not even looked at
};

/// A key that the plan does not know.
struct JsonFind {
  std::string name;
  std::vector<std::string> path;  ///< raw keys
  Seen seen = 0;
};

/// Some consecutive whole records. Memory is kept between uses.
class JsonBlock {
 public:
  static constexpr std::size_t kPadding = 128;
  struct Record {
    std::uint32_t begin = 0, end = 0;
    std::uint64_t line = 0;
  };
  struct Reject {
    std::uint64_t line;
    std::size_t at;  ///< where in the text
    std::string reason;
  };

  std::vector<char> text;  ///< with kPadding bytes beyond `size`
  std::size_t size = 0;    ///< of the whole records
  std::uint64_t first_line = 1;
  std::vector<Record> spans;
  std::vector<Reject> strays;  ///< what the splitter met between records (not by lines)
  std::int64_t stray_count = 0;
  std::size_t most_told = 3;  ///< of what is wrong

  JsonBlock();
  ~JsonBlock();
  /// Fills `spans` with one record a line, without blanks around; blank lines are none. Gives the number of lines.
  std::uint64_t split_lines();
  /// Fills `spans` with the objects of an array of which the opening bracket is gone, and `strays` with what stands
  /// between them besides commas. `closed`: whether its closing bracket was met, now or before. Gives the bytes that
  /// are done with, all of `bytes` with the `last` ones.
  std::size_t split_array(std::size_t bytes, bool last, bool& closed);
  /// Decodes the records of `spans`.
  void decode(const JsonPlan& plan);

  std::size_t rows() const { return rows_; }
  Column column(std::size_t i, Type type) const { return columns_[i].view(type, rows_); }
  const DecodedColumn& result(std::size_t column) const { return columns_[column]; }
  std::uint64_t line_of_row(std::size_t row) const { return records_[row].line; }
  std::string_view row_text(std::size_t row) const {
    return {text.data() + records_[row].begin, records_[row].end - records_[row].begin};
  }
  std::string cell_text(std::size_t row, std::size_t column) const;

  std::int64_t rejected = 0;
  std::vector<Reject> first_rejected;  ///< the first most_told
  std::vector<JsonFind> finds;         ///< in order of first appearance

 private:
  class Decoder;
  void reject(const Record& record, std::string reason);

  std::size_t rows_ = 0;
  std::vector<Record> records_;  // [0, rows_) are the rows
  std::vector<DecodedColumn> columns_;
  std::map<std::pair<std::size_t, std::size_t>, std::string> misfit_texts_;  // by row and column
  std::unique_ptr<Decoder> decoder_;
};

}  // namespace vigie::table
