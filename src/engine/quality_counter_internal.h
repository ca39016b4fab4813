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
  std::span<const std::uint32_t> misfits;  // rows, as the values lie
  std::vector<std::uint32_t> moved;
};

/// A column of a batch as checks want it; points into `column` or `buffer`.
quality::Values quality_values(const table::Column& column, const quality::ColumnSpec& spec, QualityBuffer& buffer);

bool is_missing(const quality::Values& values, std::size_t row);

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
  /// Those of one piece; `buffer`: of the column.
  static quality::Values part(const quality::Values& arranged, const QualityBuffer& buffer, const Piece& piece);

 private:
  std::vector<Piece> pieces_;
  std::vector<std::uint32_t> order_;  // empty: as they are
  std::vector<std::uint32_t> place_;  // its inverse
};

/// Counts a reference for the checks while it is read; once it has more than kWholeQuality rows, what
/// quality::Depth::kMany has of it. That depends neither on threads nor on batches.
class QualityCounter {
 public:
  QualityCounter(std::vector<quality::ColumnSpec> columns, quality::Depth depth);

  /// For each batch begin(), column() for every i, from several threads for different i, then end().
  void begin(std::int64_t rows);
  void column(std::size_t i, const table::Column& column);
  void end() { state_.end(); }

  quality::TableState take() { return std::move(state_); }

 private:
  std::vector<quality::ColumnSpec> columns_;
  quality::TableState state_;
  std::vector<QualityBuffer> buffers_;
};

}  // namespace vigie::engine
