// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace vigie::quality {

/// What a column of times says of order and gaps. Times are microseconds since 1970; NaN and times beyond ±2^62 are
/// left out.
///
/// Order: a row whose time lies before that of the last row with a time is a descent. Rows may come in pieces in any
/// order and from several threads; pieces that meet are joined.
/// Gaps: between neighbouring occupied cells of a grid, as fine as lets kCells cells hold all times: exact up to that
/// many different times, then as coarse as resolution() says.
///
/// The state depends on the rows only, not on how they were cut. Cost: 2–4 ns a row in time order, about 25 ns in no
/// order.
class Times {
 public:
  static constexpr std::size_t kCells = 4096;
  static constexpr std::size_t kLargest = 64;

  /// The rows first, first + 1, …
  void update(std::int64_t first, std::span<const double> times);
  /// As if this had seen the other's rows too; rows of both must differ.
  void merge(const Times& other);

  std::int64_t count() const { return count_; }
  double min() const { return count_ ? min_ : std::numeric_limits<double>::quiet_NaN(); }
  double max() const { return count_ ? max_ : std::numeric_limits<double>::quiet_NaN(); }
  std::int64_t descents() const { return descents_; }
  std::int64_t pairs() const { return pairs_; }  ///< neighbouring rows that were compared
  double resolution() const;                     ///< microseconds; gaps are known to about this
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
  struct Piece {
    std::int64_t first, end;
    double first_time, last_time;  // NaN: no row with a time
  };
  void add(const Piece& piece);
  void flush();
  void coarsen(unsigned shift);

  std::int64_t count_ = 0, descents_ = 0, pairs_ = 0;
  double min_ = std::numeric_limits<double>::infinity(), max_ = -std::numeric_limits<double>::infinity();
  std::vector<Piece> pieces_;  // by first row, none meet
  unsigned shift_ = 0;
  std::vector<std::int64_t> cells_, fresh_;  // sorted and different; as they came
};

}  // namespace vigie::quality
