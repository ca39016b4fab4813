// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/expectation.h"
#include "base/result.h"

namespace vigie::quality {

/// How many rows stand in the wrong order to the last row before them that has a value. Rows may come in pieces in any
/// order and from several threads; pieces that meet are joined. NaN has no place in the order.
class RowOrder {
 public:
  /// `order`: what a value must be to the next one.
  explicit RowOrder(Expectation::Order order = Expectation::Order::kLessEqual) : order_(order) {}

  /// The rows first, first + 1, … About 1.5 ns a row.
  void update(std::int64_t first, std::span<const double> values);
  /// As if this had seen the other's rows too; rows of both must differ.
  void merge(const RowOrder& other);

  /// Numbers the rows anew, from `rows` more on.
  void shift(std::int64_t rows);

  std::int64_t broken() const { return broken_; }
  std::int64_t pairs() const { return pairs_; }  ///< rows that were compared with one before them

  void save(ByteWriter& out) const;
  /// Code::kCorrupt for bytes that no save() wrote.
  static Result<RowOrder> load(ByteReader& in);

 private:
  struct Piece {
    std::int64_t first, end;
    double first_value, last_value;  // NaN: none
  };
  bool good(double a, double b) const;
  void add(const Piece& piece);

  Expectation::Order order_;
  std::int64_t broken_ = 0, pairs_ = 0;
  std::vector<Piece> pieces_;  // by first row, none meet
};

/// What a column of times says of order and gaps. Times are microseconds since 1970; NaN and times beyond ±2^62 are
/// left out.
///
/// Gaps: between neighbouring occupied cells of a grid, as fine as lets kCells cells hold all times: exact up to that
/// many different times, then as coarse as resolution() says.
///
/// The state depends on the rows only, not on how they were cut. Cost: 3–5 ns a row in time order, about 25 ns in no
/// order.
class Times {
 public:
  static constexpr std::size_t kCells = 4096;
  static constexpr std::size_t kLargest = 64;

  /// The rows first, first + 1, …
  void update(std::int64_t first, std::span<const double> times);
  /// As if this had seen the other's rows too; rows of both must differ.
  void merge(const Times& other);

  void shift(std::int64_t rows) { order_.shift(rows); }

  std::int64_t count() const { return count_; }
  double min() const { return count_ ? min_ : std::numeric_limits<double>::quiet_NaN(); }
  double max() const { return count_ ? max_ : std::numeric_limits<double>::quiet_NaN(); }
  const RowOrder& order() const { return order_; }
  std::size_t size_bytes() const { return (cells_.capacity() + fresh_.capacity()) * sizeof(std::int64_t); }
  double resolution() const;  ///< microseconds; gaps are known to about this
  struct Gaps {
    std::int64_t count = 0;       ///< of neighbouring occupied cells
    std::vector<double> largest;  ///< descending, at most kLargest, microseconds
    double after = 0;             ///< when the largest began
  };
  Gaps gaps() const;

  void save(ByteWriter& out) const;
  /// Code::kCorrupt for bytes that no save() wrote.
  static Result<Times> load(ByteReader& in);

 private:
  void flush();
  void coarsen(unsigned shift);

  std::int64_t count_ = 0;
  RowOrder order_;
  double min_ = std::numeric_limits<double>::infinity(), max_ = -std::numeric_limits<double>::infinity();
  unsigned shift_ = 0;
  std::vector<std::int64_t> cells_, fresh_;  // sorted and different; as they came
};

}  // namespace vigie::quality
