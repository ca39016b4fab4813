// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "detect/monitor_internal.h"

namespace vigie::detect {

/// What a threshold in units of the stream takes values as: how far each is from the mean of those before it, over
/// their standard deviation, as the normal deviate of the same probability (Hawkins 1987, Quesenberry 1991). Of
/// independent normal values these are independent standard normal ones, whatever the mean and the standard deviation:
/// a threshold simulated for those holds for all. 0 for the first kLearn values, and while all have been the same. A
/// value beyond kFar standard deviations is learnt from as one of kFar, so that none can make all later ones look
/// small.
class Deviates {
 public:
  double of(double x) {
    double off = x - mean_, z = 0;
    const double next = n_ + 1;
    if (n_ >= kLearn && squares_ > 0) {
      // With f degrees of freedom and t²/f = q: Wallace 1959, to 0.001 from 30 values on.
      const double freedom = n_ - 1, q = off * off * n_ / (squares_ * next);
      // A logarithm takes longer than all the rest.
      const double log = q < 0.01 ? q * (1 - q * (1. / 2 - q * (1. / 3 - q / 4))) : std::log1p(q);
      z = std::copysign((1 - 2 / (8 * freedom + 3)) * std::sqrt(freedom * log), off);
      if (const double far = kFar * std::sqrt(squares_ / freedom); !(std::abs(off) <= far)) {
        if (!std::isfinite(z)) z = std::copysign(kBeyond, off);
        off = std::copysign(far, off);
        x = mean_ + off;
      }
    } else if (!std::isfinite(off * off)) {
      return 0;
    }
    n_ = next;
    mean_ += off / n_;
    squares_ += off * (x - mean_);
    return z;
  }
  void reset() { n_ = mean_ = squares_ = 0; }
  void fields(auto& io) { io(n_, mean_, squares_); }

 private:
  static constexpr double kLearn = 30, kFar = 8, kBeyond = 100;
  double n_ = 0, mean_ = 0, squares_ = 0;
};

inline constexpr Param kStandardiseParam{
    .name = "standardise",
    .fallback = 0,
    .min = 0,
    .max = 1,
    .doc = "whether values are taken in standard deviations from the mean of those before; target_arl has it so",
    .choices = "no|yes"};

}  // namespace vigie::detect
