// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "table/table.h"

namespace vigie::table {

/// The cells of a batch as JSON values. Numbers and truths that were read as strings, as they are written, go as they
/// are written where JSON knows them so, and else, as 007, as strings; numbers that JSON does not have as "Infinity".
class JsonCells {
 public:
  /// `bare`: of columns of type kString whether their cells are numbers or truths.
  JsonCells(Schema types, std::vector<bool> bare);
  /// Turns to a batch of a reader of those types, which must live until the next. `schema`: the reader's, which has
  /// them all.
  Status load(Batch& batch, const Schema& schema);
  const Column& column(std::size_t i) const { return cells_[i].column; }
  /// Appends a cell; false, and nothing, where it is missing.
  bool append(std::size_t column, std::size_t row, std::string& out) const;

 private:
  struct Cells {
    Column column;
    std::string json;  // of its words
    std::vector<std::size_t> ends;
  };
  Schema types_;
  std::vector<bool> bare_;
  std::vector<Cells> cells_;
};

}  // namespace vigie::table
