// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quality/quality.h"

namespace vigie::quality {

/// A sampled column made ready for comparison with others. Missing and infinite values: NaN in `values` and `ranks`, −1
/// in `codes`.
struct Prepared {
  std::vector<double> values;        ///< numbers and times
  std::vector<double> ranks;         ///< midranks of the values; empty for strings
  std::vector<std::int32_t> codes;   ///< strings: classes by falling count, the last one for all beyond the first 31
  std::vector<std::uint64_t> words;  ///< of the classes, without the last one
  std::int32_t classes = 0;
  bool heavy = false;  ///< excess kurtosis above 10: moments of products say little
};
/// `like`: strings get its classes, so that the tables of both sides have the same ones.
Prepared prepare(const ColumnState& column, std::span<const std::uint64_t> words, const Prepared* like = nullptr);

/// Pearson's r of the rows that have both values, and the standard error of atanh r from the rows' influences, which
/// holds for any law with fourth moments, not for normal ones only. NaN below kFewestRows or where one is constant.
struct Correlation {
  double r, error;
  std::int64_t rows;
};
Correlation correlate(std::span<const double> x, std::span<const double> y);

/// Bias-corrected V (Bergsma 2013) of a table of counts, row by row; 0 where a side has one class only.
double cramers_v(std::span<const std::int64_t> table, std::size_t columns);
/// The table of two columns of classes; rows with either missing are left out.
std::vector<std::int64_t> cross(std::span<const std::int32_t> a, std::int32_t a_classes,
                                std::span<const std::int32_t> b, std::int32_t b_classes);

/// A number column cut into at most `classes` classes of about equal size, equal values in one class.
std::vector<std::int32_t> cut(const Prepared& column, std::int32_t classes);

}  // namespace vigie::quality
