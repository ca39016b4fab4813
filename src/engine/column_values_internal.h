// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "engine/comparison.h"
#include "table/table.h"

namespace vigie::engine {

/// The values of a numeric kind as numbers, one a row, NaN where missing; text gives its length, a list its norm. The
/// result points into `column` or `buffer`.
std::span<const double> numbers_of(const table::Column& column, ColumnType type, std::vector<double>& buffer);
/// The same with NaN for what is infinite too, which `infinite` counts.
std::span<const double> project(const table::Column& column, ColumnType type, std::vector<double>& buffer,
                                std::int64_t& infinite);
/// The values of a categorical kind as codes into a dictionary.
struct Coded {
  std::span<const std::int32_t> codes;
  std::span<const std::string_view> dictionary;
};
Coded encode(const table::Column& column, std::vector<std::int32_t>& buffer);

/// Whether the texts of a column are numbers all, with either decimal mark. Costs next to nothing once one is not.
class NumberTexts {
 public:
  void add(std::span<const std::string_view> texts);
  bool all() const { return any_ && !words_; }
  bool all_some_with_mark() const { return all() && marks_; }
  void merge(const NumberTexts& other);
  void save(ByteWriter& out) const;
  void load(ByteReader& in);

 private:
  bool any_ = false, words_ = false, marks_ = false;
};

/// Length in characters of UTF-8 text.
std::int64_t characters(std::string_view text);

}  // namespace vigie::engine
