// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "engine/bins.h"
#include "engine/column_values_internal.h"
#include "engine/profile.h"
#include "sketch/frequent.h"

namespace vigie::engine {

/// Learns one column of the reference: its kind, its bins or categories, and the counts of the whole. One pass over
/// the rows in most cases, two where that could not be known beforehand. One thread at a time.
class ColumnBuilder {
 public:
  /// `as`: what --schema says of a column of strings. `typed`: the data's format tells numbers from texts. `sketches`:
  /// see ProfileOptions.
  ColumnBuilder(std::string name, table::Type source, std::optional<ColumnType> as, bool typed, bool sketches);

  /// The next rows. What is learnt does not depend on the batches' size.
  void add(const table::Column& column);
  /// Whether the profile is complete; false asks for the same data once more.
  bool finish();
  /// What the column turned out to be, and what the half of its rows that chooses says of it: the most frequent words
  /// of texts, the centroid of embeddings as long as the first one.
  ColumnType type() const { return profile_.type; }
  Learnt learnt() const;
  /// The profile, once finish() said so: its one part is the whole.
  ColumnProfile take();

 private:
  // Rows of a category in the half that chooses and in the half that is counted.
  struct Halves {
    std::int64_t first = 0, second = 0;
    std::int64_t both() const { return first + second; }
    void operator+=(const Halves& other) { first += other.first, second += other.second; }
  };

  void restart();
  void add_numbers(std::span<const double> block);
  void add_codes(Coded coded);
  void add_lists(const table::Column& column);
  void choose_from(std::string_view name, const Halves& use);
  bool decide_text() const;
  void become_text();
  void set_categories();

  ColumnProfile profile_;
  std::optional<ColumnType> as_;
  bool typed_, sketches_, again_ = false;
  std::int64_t missing_ = 0, missing_first_ = 0, other_ = 0, total_ = 0, rows_ = 0;
  double total_length_ = 0;
  std::size_t distinct_ = 0;
  NumberTexts texts_;
  BinBuilder bins_;
  std::unordered_map<std::string, Halves, TextHash, std::equal_to<>> counts_;
  std::optional<sketch::FrequentItems> many_, words_;
  std::map<std::int64_t, std::int64_t> lengths_;
  std::vector<double> center_;
  std::int64_t centered_ = 0;
  std::vector<double> buffer_;
  std::vector<std::int32_t> codes_;
  std::vector<std::int64_t> uses_;
};

}  // namespace vigie::engine
