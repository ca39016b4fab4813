// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "table/format_internal.h"
#include "table/interner_internal.h"
#include "table/table.h"

namespace vigie::table {

/// How one column of a text file is to be read in this pass.
struct ColumnPlan {
  Type type = Type::kString;
  bool fixed = false;  ///< the type was given: cells that do not fit say nothing about it
};

/// A cell that could not be read as its column's type.
struct Misfit {
  std::uint32_t row = 0;
  Seen seen = 0;
};

/// One column of one block. Memory is kept between uses.
struct DecodedColumn {
  std::vector<double> numbers;
  std::vector<std::int32_t> codes;
  Interner strings;
  std::vector<std::int64_t> offsets;
  std::vector<double> values;
  std::vector<std::uint8_t> missing;
  std::vector<std::uint32_t> misfits;  ///< their rows
  Seen seen = 0;
  std::vector<Misfit> first;  ///< the first three misfits

  /// Room for `rows` cells of a type, of no particular content; a list begins empty and grows.
  void reset(Type type, std::size_t rows);
  void misfit(std::size_t row, Seen what);
  /// The first `rows` cells.
  Column view(Type type, std::size_t rows) const;
};

/// Follows what the cells of one file look like over a pass, and words the notes about those that do not fit.
class TypeWatch {
 public:
  /// `seen`: of each column, what is known already. `decimal`: the mark of numbers where the reader may choose it, else
  /// 0.
  void start(std::string path, char decimal, const Schema* schema, std::vector<ColumnPlan> plan,
             std::vector<Seen> seen);
  /// The columns of the next block. `line` and `text` tell of a cell by row and column.
  void add(std::size_t columns, const std::function<const DecodedColumn&(std::size_t)>& column,
           const std::function<std::uint64_t(std::size_t)>& line,
           const std::function<std::string(std::size_t, std::size_t)>& text, std::vector<std::string>& notes);
  /// After the pass: the types it should have had, and whether it had them (an integer that became a float did).
  void finish(Schema& schema, bool& settled, std::vector<std::string>& notes) const;
  const std::vector<Seen>& seen() const { return seen_; }

 private:
  std::string path_;
  char decimal_ = 0;
  const Schema* schema_ = nullptr;
  std::vector<ColumnPlan> plan_;
  std::vector<Seen> seen_;
  std::vector<bool> late_;  // columns whose first contradiction was noted
  std::size_t late_notes_ = 0, late_more_ = 0, misfit_notes_ = 0;
};

}  // namespace vigie::table
