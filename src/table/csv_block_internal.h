// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "table/cell_internal.h"
#include "table/csv_index_internal.h"
#include "table/decoded_internal.h"

namespace vigie::table {

/// How the cells of one CSV file are to be read in this pass.
struct CsvPlan {
  std::vector<ColumnPlan> columns;
  char decimal = '.';
  bool keep_ragged = false;
};

/// Some consecutive whole records of a file. Memory is kept between uses.
class CsvBlock {
 public:
  std::vector<char> text;  ///< with CsvIndex::kPadding bytes beyond `size`
  std::size_t size = 0;
  CsvIndex index;
  std::uint64_t first_line = 1;  ///< physical line of the first byte
  std::size_t skip = 0;          ///< records at the front that are no rows: the header

  bool sorted = false;  ///< whether sort_out() was done

  /// Tells rows from blank and ragged records. Reads index and text; must come before all below.
  void sort_out(const CsvPlan& plan);
  /// Decodes every column.
  void decode(const CsvPlan& plan);
  /// What the cells of a column look like; stops where more cannot change the type.
  Seen look(std::size_t column, char decimal) const;
  /// When all cells of a column are numbers with decimal comma: the row of the first that has one.
  std::optional<std::size_t> decimal_comma(std::size_t column) const;

  std::size_t rows() const { return index.records().size(); }
  Column column(std::size_t i, Type type) const { return columns_[i].view(type, rows()); }
  const DecodedColumn& result(std::size_t column) const { return columns_[column]; }
  /// Physical line on which a record starts, and the text of a cell for a message.
  std::uint64_t line_of(CsvIndex::Record record) const;
  std::uint64_t line_of_row(std::size_t row) const { return line_of(index.records()[row]); }
  std::string cell_text(std::size_t row, std::size_t column) const;
  /// The field without quotes, doubled quotes undone, in UTF-8.
  std::string field_text(CsvIndex::Record record, std::size_t field) const;
  /// Physical lines in the first `bytes` bytes of complete records.
  std::uint64_t lines() const;

  std::int64_t ragged = 0;                     ///< records with too few or too many fields, left out or mended
  std::vector<CsvIndex::Record> first_ragged;  ///< the first three
  bool not_utf8 = false;
  std::uint64_t not_utf8_line = 0;

 private:
  struct Cell {
    const char* begin;
    const char* end;
    std::size_t size() const { return static_cast<std::size_t>(end - begin); }
    std::string_view view() const { return {begin, size()}; }
  };
  Cell cell(const CsvIndex::Record& record, std::size_t field, bool last) const {
    const std::uint32_t* end = index.ends().data() + record.first + field;
    Cell c{text.data() + static_cast<std::uint32_t>(end[0] + 1), text.data() + end[1]};
    if (last && c.begin < c.end && c.end[-1] == '\r') --c.end;
    return c;
  }
  void decode_numbers(const CsvPlan& plan, std::size_t column, std::size_t from, std::size_t to);
  void decode_other(const CsvPlan& plan, std::size_t column, std::size_t from, std::size_t to);
  void decode_strings(std::size_t column, std::size_t from, std::size_t to);
  double slow_number(const CsvPlan& plan, std::size_t column, std::size_t row, Cell c);
  std::int32_t slow_string(DecodedColumn& out, Cell c) const;
  void misfit(const CsvPlan& plan, std::size_t column, std::size_t row, std::string_view content);

  std::size_t width_ = 0;
  std::vector<DecodedColumn> columns_;
};

}  // namespace vigie::table
