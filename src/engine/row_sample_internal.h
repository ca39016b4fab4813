// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <queue>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "drift/drift.h"
#include "table/table.h"

namespace vigie::engine {

/// Rows kept of one window or segment of a column for methods that see whole rows, and the numbers of a hashed text.
inline constexpr std::size_t kKeptRows = 5'000, kTextWidth = 512;

/// A seeded sample without replacement of the rows of one group, as vectors: which rows are kept goes by their place in
/// the data and by nothing else, so not by batches or threads. Memory: kKeptRows vectors.
class RowSample {
 public:
  /// Whether the row is to be kept, as it is known so far; then put() its vector.
  bool wants(std::int64_t row) const;
  /// Whether a vector has the width of the first one.
  bool fits(std::span<const float> vector) const { return width_ == 0 || vector.size() == width_; }
  void put(std::int64_t row, std::span<const float> vector);
  void skip() { ++of_; }  ///< a row that was not wanted
  /// Those of another one, before finish() of both; of another width they are left out.
  void merge(const RowSample& other);
  /// To be called once, after the last row: brings the rows into a random order.
  void finish();
  drift::Vectors vectors() const { return {values_, width_, of_}; }
  void save(ByteWriter& out) const;  ///< before finish()
  void load(ByteReader& in);

 private:
  void keep(std::uint64_t rank, std::span<const float> vector);
  std::priority_queue<std::pair<std::uint64_t, std::size_t>> kept_;  // by a hash of the row: its slot
  std::vector<float> values_;
  std::size_t width_ = 0;
  std::int64_t of_ = 0;
};

/// The vector of one row of a column of texts or lists; empty where it has none. Of a text the words, each counted in
/// one of kTextWidth places with a sign of its own (Weinberger et al. 2009), by the root of its count, of length 1.
std::span<const float> vector_of(const table::Column& column, std::size_t row, std::vector<float>& buffer);

}  // namespace vigie::engine
