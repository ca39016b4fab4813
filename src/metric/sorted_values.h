// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace vigie::metric {

/// Numbers to be read in ascending order. Up to `limit` of them are kept as they came (8 bytes each); beyond that, all
/// are rounded to 15 significant bits (3e-5 of their size) and counted, so that memory has a bound whatever the number
/// of rows: half a million cells of 16 bytes for numbers between 1e-9 and 1. 0, 1, 0.5 and their like stay exact.
/// Which of the two it is depends on how many there are, not on how they came, so merging equals the union to the bit.
/// NaN and infinity: the caller leaves them out.
class SortedValues {
 public:
  static constexpr std::size_t kLimit = std::size_t{1} << 24;
  explicit SortedValues(std::size_t limit = kLimit) : limit_(limit) {}

  void update(std::span<const double> values);
  /// As if this had seen the other's values too; keeps its own limit.
  void merge(const SortedValues& other);
  /// Makes the sorted form, which values() and cells() show. About 15 ns a value that is not sorted yet.
  void sort();
  /// Rounds and counts, as if the limit had been passed; for a companion that has passed it. Stays so.
  void coarsen();

  std::int64_t count() const { return count_; }
  bool exact() const { return exact_; }

  struct Cell {
    double value;
    std::int64_t count;
  };
  std::span<const double> values() const { return values_; }  ///< while exact, after sort(): all, ascending
  std::span<const Cell> cells() const { return cells_; }      ///< otherwise, after sort(): ascending

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
  std::size_t limit_;
  std::int64_t count_ = 0;
  bool exact_ = true;
  std::vector<double> values_;  // while exact: all; otherwise: those that are not in cells_ yet
  std::vector<Cell> cells_;
};

/// Reads a SortedValues as runs of equal numbers, ascending.
class Runs {
 public:
  explicit Runs(const SortedValues& values)
      : values_(values.values()), cells_(values.cells()), exact_(values.exact()) {}
  bool done() const { return at_ == (exact_ ? values_.size() : cells_.size()); }
  double value() const { return exact_ ? values_[at_] : cells_[at_].value; }
  /// Steps over the run that starts here and returns its length.
  std::int64_t next() {
    if (!exact_) return cells_[at_++].count;
    const double value = values_[at_];
    const std::size_t from = at_++;
    while (at_ < values_.size() && values_[at_] == value) ++at_;
    return static_cast<std::int64_t>(at_ - from);
  }

 private:
  std::span<const double> values_;
  std::span<const SortedValues::Cell> cells_;
  bool exact_;
  std::size_t at_ = 0;
};

}  // namespace vigie::metric
