// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <limits>
#include <span>

#include "drift/between.h"

namespace vigie::drift {

/// The moments of WindowSummary: location, log scale, skew and log kurtosis.
inline constexpr std::size_t kMoments = 4;
using Moments = std::array<double, kMoments>;

/// Moments of normal scores under shares that add up to 1. Skew and kurtosis are NaN without variance. O(scores).
struct Shape {
  double location = 0, variance = 0;
  double skew = std::numeric_limits<double>::quiet_NaN(), kurtosis = skew;
};
Shape shape_of(std::span<const double> scores, std::span<const double> shares);

/// asin √((count + ⅜)/(rows + ¾)) and back.
double arcsine(double count, double rows);
double count_of(double arcsine, double rows);

/// The terms in which the moments of windows are compared: the moments themselves, unless one cell holds nearly all
/// rows and nearly all others lie on one side of it. There the moments tell how many others there are. That number has
/// a skewed law, from row to row and from window to window, which its square root takes away, as the arcsine does from
/// shares. With two values each of the four terms is the square root of the rare one's share, but for a factor.
class Terms {
 public:
  Terms() = default;
  /// Scores and shares of the reference's cells. O(cells).
  Terms(std::span<const double> scores, std::span<const double> shares);
  /// NaN where the moment is.
  Moments of(const WindowSummary& window) const;
  /// Sampling variance of the terms, times rows.
  const Moments& noise() const { return noise_; }
  /// How far the location goes, in sd, with a step of its term away from the common value.
  double shift(double step) const;

 private:
  bool rare_ = false;
  double common_ = 0;  ///< score of the cell that holds nearly all rows
  double mean_ = 0;    ///< usual distance of the location from it
  Moments noise_{};
};

}  // namespace vigie::drift
