// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "table/table.h"

namespace vigie::server {

/// Rows of a few columns of which it is known how many are alike, as a table that has each as often as it was counted:
/// what reads rows gives the numbers that it gives of the rows themselves, in whatever order those were. Memory: the
/// rows that differ, and 64 Ki of those that are read. A column that is asked for as another type is converted value by
/// value; what does not fit is missing, and a misfit.
class CountedRows final : public table::Input {
 public:
  static constexpr std::uint32_t kMissing = std::numeric_limits<std::uint32_t>::max();

  /// Columns of kBoolean, kInteger, kFloat, kTimestamp or kString.
  CountedRows(std::string name, table::Schema columns);

  /// What add() takes for a value of a column; NaN is missing.
  std::uint32_t number(std::size_t column, double value);
  std::uint32_t text(std::size_t column, std::string_view value);
  /// So many rows with these values, one a column.
  void add(const std::vector<std::uint32_t>& values, std::int64_t rows);
  /// The last row has that value in a column.
  void end_with(std::size_t column, std::uint32_t value);
  /// Those of another one with the same columns, behind these.
  void append(const CountedRows& other);

  const table::Schema& columns() const { return columns_; }
  std::int64_t rows() const { return rows_; }
  std::size_t different() const { return counts_.size(); }
  /// Rows with a value of that column.
  std::int64_t present(std::size_t column) const;

  void save(ByteWriter& out) const;
  /// Code::kCorrupt.
  static Result<CountedRows> load(ByteReader& in, std::string name);

  const std::string& name() const override { return name_; }
  std::uint64_t bytes() const override { return static_cast<std::uint64_t>(rows_); }
  Result<std::unique_ptr<table::Reader>> open(const std::optional<table::Schema>& types = std::nullopt) override;

 private:
  struct Values {
    std::vector<double> numbers;     // of columns of numbers
    std::vector<std::string> texts;  // of the others
    std::unordered_map<double, std::uint32_t> number_at;
    std::unordered_map<std::string, std::uint32_t> text_at;
  };
  struct Converted;
  class Part;
  class Pass;
  std::string name_;
  table::Schema columns_;
  std::vector<Values> values_;        // by column
  std::vector<std::uint32_t> codes_;  // row by row that differs, a value a column
  std::vector<std::int64_t> counts_;  // of those
  std::int64_t rows_ = 0;
};

}  // namespace vigie::server
