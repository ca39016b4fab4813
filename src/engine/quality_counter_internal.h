// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/quality_reference.h"
#include "table/table.h"

namespace vigie::engine {

quality::Kind quality_kind(table::Type type);
/// The column of that name as checks see it: roles of `roles`, else those that the reference gives it.
quality::ColumnSpec quality_column(const table::Field& field, const Roles& roles, const QualityReference* reference);

/// Room for what a column is turned into; one a column.
struct QualityBuffer {
  std::vector<double> times, numbers;
  std::vector<std::int32_t> codes;
  std::vector<std::uint8_t> missing, any_missing;
};

/// A column of a batch as checks want it; points into `column` or `buffer`.
quality::Values quality_values(const table::Column& column, const quality::ColumnSpec& spec, QualityBuffer& buffer);

bool is_missing(const quality::Values& values, std::size_t row);
/// Rows without a value.
std::int64_t missing_rows(const quality::Values& values);

/// The rows of a batch that belong together, one piece a group.
class Pieces {
 public:
  struct Piece {
    std::int32_t group;
    std::size_t begin, size;
  };
  /// `groups`: one a row, −1 for rows that are left out.
  void cut(std::span<const std::int32_t> groups);
  const std::vector<Piece>& pieces() const { return pieces_; }
  /// The numbers of a piece's rows in the data; the batch begins at row `first`.
  void number(const Piece& piece, std::int64_t first, std::vector<std::int64_t>& out) const;
  /// Brings the rows into the order of pieces(), once a column.
  quality::Values arrange(const quality::Values& values, QualityBuffer& buffer) const;
  /// Those of one piece. Of `mismatches`, which is known of the batch only, each piece gets its share by rows missing.
  static quality::Values part(const quality::Values& arranged, const Piece& piece);

 private:
  std::vector<Piece> pieces_;
  std::vector<std::uint32_t> order_;  // empty: as they are
};

/// Counts a reference for the checks while it is read: every row, or, to cost a profile of many rows little, one block
/// in eight once there are more than kWholeQuality. What is counted depends neither on threads nor on batches.
class QualityCounter {
 public:
  QualityCounter(std::vector<quality::ColumnSpec> columns, quality::Depth depth);

  /// For each batch begin(), column() for every i, from several threads for different i, then end().
  void begin(std::int64_t rows);
  void column(std::size_t i, const table::Column& column);
  void end();

  quality::TableState take();

 private:
  std::vector<quality::ColumnSpec> columns_;
  std::int64_t rows_ = 0, batch_ = 0, sampled_ = 0;
  std::optional<quality::TableState> whole_;
  quality::TableState sample_;
  std::vector<quality::Times> times_;  // of all rows
  std::vector<QualityBuffer> buffers_;
  std::vector<std::int32_t> picked_;  // of the batch: 0 in the sample, −1 not
  Pieces pieces_;
};

}  // namespace vigie::engine
