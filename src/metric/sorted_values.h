// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace vigie::metric {

/// Numbers to be read in ascending order. Up to `limit` of them are kept as they came (8 bytes each); beyond that,
/// equal ones are counted (16 bytes each), and where there are more than kCells different ones, or twice `limit`, the
/// last bits of all are cut off, as few as it takes. Memory has a bound whatever the number of rows, and rounding()
/// says what it cost: 1e-10 for numbers that lie within 1e-5 of each other, 3e-5 for such as fill 0..1. Of numbers
/// between a half and 1 the bits of their distance from 1 are cut, for scores crowd at both ends; 0, 1 and 0.5 stay
/// exact. What comes of it depends on the numbers, not on how they came, so merging equals the union to the bit. NaN
/// and infinity: the caller leaves them out.
class SortedValues {
 public:
  static constexpr std::size_t kLimit = std::size_t{1} << 24, kCells = std::size_t{1} << 19;
  explicit SortedValues(std::size_t limit = kLimit) : limit_(limit) {}

  void update(std::span<const double> values);
  /// As if this had seen the other's values too; keeps its own limit.
  void merge(const SortedValues& other);
  /// Makes the sorted form, which values() and cells() show. About 15 ns a value that is not sorted yet.
  void sort();
  /// Cuts off at least as many bits as its companion does, so that what is equal in both stays so.
  void coarsen(const SortedValues& companion);

  std::int64_t count() const { return count_; }
  /// After sort(): by which part of its size (or distance from 1) a number may have been moved; 0 where all are exact.
  double rounding() const;

  struct Cell {
    double value;
    std::int64_t count;
  };
  bool listed() const { return listed_; }                     ///< whether values() has them, or cells()
  std::span<const double> values() const { return values_; }  ///< after sort(): all, ascending
  std::span<const Cell> cells() const { return cells_; }      ///< after sort(): ascending

  /// The number at rank ⌊rank⌋ (0-based, brought into range) of the sorted form; NaN when empty. O(1), or O(cells).
  double at(std::int64_t rank) const;
  /// Mean of the two middle ones; NaN when empty.
  double median() const;
  /// The distances of all of them from `center`, sorted.
  SortedValues distances(double center) const;

  void save(ByteWriter& out);  ///< sorts first: the same numbers give the same bytes
  static Result<SortedValues> load(ByteReader& in);

 private:
  void fold();
  void unite(unsigned cut);  ///< cells_, which are sorted
  std::size_t limit_;
  std::int64_t count_ = 0;
  bool listed_ = true;
  unsigned cut_ = 0;            // bits of the mantissa that were cut off, of all in cells_
  std::vector<double> values_;  // while listed: all; otherwise: those that are not in cells_ yet
  std::vector<Cell> cells_;
};

/// Reads a SortedValues as runs of equal numbers, ascending.
class Runs {
 public:
  explicit Runs(const SortedValues& values)
      : values_(values.values()), cells_(values.cells()), listed_(values.listed()) {}
  bool done() const { return at_ == (listed_ ? values_.size() : cells_.size()); }
  double value() const { return listed_ ? values_[at_] : cells_[at_].value; }
  /// Steps over the run that starts here and returns its length.
  std::int64_t next() {
    if (!listed_) return cells_[at_++].count;
    const double value = values_[at_];
    const std::size_t from = at_++;
    while (at_ < values_.size() && values_[at_] == value) ++at_;
    return static_cast<std::int64_t>(at_ - from);
  }

 private:
  std::span<const double> values_;
  std::span<const SortedValues::Cell> cells_;
  bool listed_;
  std::size_t at_ = 0;
};

}  // namespace vigie::metric
