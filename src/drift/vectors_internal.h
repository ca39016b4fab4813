// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/lanes.h"
#include "base/rng.h"
#include "drift/drift.h"

/// What the methods that see whole rows share. For this room only.
namespace vigie::drift {

/// Rows of both samples, those of the reference first, width floats each.
struct Rows {
  std::vector<float> values;
  std::size_t width = 0;
  std::size_t n = 0, m = 0;
  std::size_t size() const { return n + m; }
  std::span<const float> operator[](std::size_t i) const { return std::span(values).subspan(i * width, width); }
  std::span<float> operator[](std::size_t i) { return std::span(values).subspan(i * width, width); }
};
/// All rows that were kept; none where the widths differ.
Rows rows_of(const Sample& reference, const Sample& current);

/// A Score with the status of these rows, and no numbers but those of kConstant; exact where they are all there were.
Score blank_score(const Rows& rows, const Sample& reference, const Sample& current);

double squared_distance(std::span<const float> a, std::span<const float> b);

/// Fills in the p-value of a statistic of the sum of the rows of one sample, by permuting which rows these are: as
/// exact for 30 rows as for 10,000. It stops at the 20th exceedance (Besag & Clifford 1991), else after 20/level draws,
/// at most 10⁶ and at most 10¹⁰ numbers in all; p = (k+1)/(B+1). `of_smaller`: the statistic, large where the samples
/// differ, from the sum over the rows of the smaller sample and which these are; of one that does not exist there is no
/// p. Cost of a draw: rows of the smaller
/// sample times width.
using OfSum = std::function<double(std::span<const double> sum, std::span<const std::uint32_t> chosen)>;
void permute(Score& score, const Rows& rows, const Args& args, const OfSum& of_smaller);

/// Mean and standard deviation of what permute() saw of the null law: every value but the first, which is the observed.
struct Spread {
  std::int64_t draws = -1;
  double sum = 0, squares = 0;
  double see(double value) {
    if (++draws > 0) sum += value, squares += value * value;
    return value;
  }
  double mean() const;
  double sd() const;
};

/// The method mmd of vectors.
Score mmd_of_vectors(const Sample& reference, const Sample& current, const Args& args);

/// (z of `level` + z of .8): how many standard deviations of the null an effect must have to be seen.
double seen_from(double level);

}  // namespace vigie::drift
