// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "base/bytes.h"
#include "base/extremes.h"
#include "base/result.h"

namespace vigie::sketch {

/// Count, mean, central moments to the fourth order, minimum and maximum of a stream, in 56 bytes.
///
/// Each block of 1,024 values is summed in two passes (mean, then powers of the deviations) and joined by the formulas
/// of Pébay 2008 ("Formulas for robust, one-pass parallel computation of covariances and arbitrary-order statistical
/// moments"), so an offset of 1e9 standard deviations still leaves eight digits of the variance. A constant stream has
/// a mean of exactly that constant and a variance of exactly 0.
///
/// NaN and infinity: the caller leaves them out; one of them makes the moments NaN for good.
/// Range: sums of fourth powers leave the range of double for deviations beyond 1e77 or within 1e-81 of the mean; then
/// the moments concerned are infinite, NaN or 0, while mean, minimum and maximum stay right.
/// Merging or cutting the stream elsewhere changes roundings (1e-15 relative), nothing else.
class Moments {
 public:
  static constexpr std::size_t kBlock = 1024;

  void update(double value) { update(std::span(&value, 1)); }
  /// 1–1.5 ns a value.
  void update(std::span<const double> values);
  /// `extremes`: of these values, known already; spares a look at up to kBlock of them.
  void update(std::span<const double> values, const Extremes& extremes);
  /// As if this had seen the other's values too.
  void merge(const Moments& other);

  std::int64_t count() const { return count_; }
  double mean() const { return count_ ? mean_ : kNaN; }
  double min() const { return count_ ? min_ : kNaN; }
  double max() const { return count_ ? max_ : kNaN; }
  double m2() const { return m2_; }  ///< sum of squared deviations from the mean
  double m3() const { return m3_; }
  double m4() const { return m4_; }
  double variance() const;  ///< unbiased (n − 1); NaN below two values
  double sd() const;        ///< square root of variance()
  double skewness() const;  ///< of the population, √n·M3/M2^1.5; NaN when constant or empty
  double kurtosis() const;  ///< excess, n·M4/M2² − 3; NaN when constant or empty

  void save(ByteWriter& out) const;
  /// Code::kCorrupt for bytes that no save() wrote.
  static Result<Moments> load(ByteReader& in);

 private:
  void add_block(std::span<const double> block, const Extremes& extremes);

  static constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  std::int64_t count_ = 0;
  double mean_ = 0, m2_ = 0, m3_ = 0, m4_ = 0;
  double min_ = std::numeric_limits<double>::infinity(), max_ = -std::numeric_limits<double>::infinity();
};

}  // namespace vigie::sketch
