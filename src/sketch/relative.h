// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/extremes.h"
#include "base/result.h"

namespace vigie::sketch {

/// Quantile sketch with a bound on the relative error of the VALUE, for tails of wide distributions (latencies), where
/// a rank error of 1 % would be no answer; cf. DDSketch (Masson, Rim and Lee 2019). For bounded distributions use Kll.
///
/// Counts in 64 buckets per power of two (the exponent and the first six bits of the mantissa of the double, so that
/// finding the bucket is a shift), for both signs, and one for zero. Nothing is random: the state is a function of the
/// set of values, whatever their order, and merging is exact.
///
/// Bounded: kBuckets buckets (64 powers of two, 19 decades) below the largest magnitude seen are kept apart; smaller
/// magnitudes collapse into the lowest of them, keeping their sign. At most 70 KB; 32 KB for normal values, which come
/// near to 0. About 2 ns a value. NaN is left out and not counted. Infinities count as the largest finite magnitude.
/// Subnormal numbers count as 0.
class RelativeQuantiles {
 public:
  static constexpr double kAlpha = 1.0 / 128;
  static constexpr std::uint32_t kBuckets = 4096;

  void update(double value) { update(std::span(&value, 1)); }
  void update(std::span<const double> values);
  /// `extremes`: of these values, known already.
  void update(std::span<const double> values, const Extremes& extremes);
  void merge(const RelativeQuantiles& other);

  std::int64_t count() const { return count_; }
  double min() const { return count_ ? min_ : kNaN; }  ///< exact
  double max() const { return count_ ? max_ : kNaN; }  ///< exact
  /// The value at position ⌈q·count()⌉ in ascending order, off by at most kAlpha of itself (values that collapsed: by
  /// 2⁻⁶³ of the largest magnitude). q ≤ 0 the minimum, q ≥ 1 the maximum, NaN when empty.
  double quantile(double q) const;
  /// How many values are at or below x, where a whole bucket counts as its middle.
  std::int64_t rank(double x) const;

  std::size_t size_bytes() const { return sizeof *this + counts_.capacity() * sizeof(std::int64_t); }
  /// Equal sets of values give equal bytes.
  void save(ByteWriter& out) const;
  /// Code::kCorrupt for bytes that no save() wrote.
  static Result<RelativeQuantiles> load(ByteReader& in);

 private:
  static constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  struct Bucket {
    double value;
    std::int64_t count;
  };
  void outside(double value);
  void add(std::uint32_t bucket, bool negative, std::int64_t count);
  void widen_to(std::uint32_t bucket);
  void move_window(std::uint32_t low, std::uint32_t size);
  std::uint32_t floor_bucket() const;
  std::vector<Bucket> buckets() const;

  std::int64_t count_ = 0;
  double min_ = std::numeric_limits<double>::infinity(), max_ = -std::numeric_limits<double>::infinity();
  // Buckets low_ … low_ + size_ − 1 of positive values, then of negative ones, then zero.
  std::uint32_t low_ = 0, size_ = 0;
  std::vector<std::int64_t> counts_ = std::vector<std::int64_t>(1);
};

}  // namespace vigie::sketch
