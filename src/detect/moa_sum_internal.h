// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "detect/monitor_internal.h"

namespace vigie::detect {

inline constexpr Param kMoaSumParams[] = {
    {.name = "min_instances",
     .fallback = 30,
     .min = 1,
     .max = 1e9,
     .doc = "values before the first test, and one",
     .whole = true},
    {.name = "delta",
     .fallback = 0.005,
     .min = 0,
     .max = 1e12,
     .doc = "change that is let pass, in units of the stream"},
    {.name = "threshold", .fallback = 50, .min = 0, .max = 1e15, .doc = "sum of deviations that is an alarm"},
    {.name = "alpha", .fallback = 0.9999, .min = 0, .max = 1, .doc = "forgetting factor of the sum"}};

/// What MOA and Frouros call CUSUM and Page-Hinkley: one sum of deviations above the running mean. CUSUM keeps it from
/// going below zero and forgets nothing. Their Page-Hinkley lacks the minimum that the test is about, so that it sinks
/// on a stable stream and comes late.
template <bool kFloor>
class MoaSum {
 public:
  static constexpr Stream kStream = Stream::kValues;
  explicit MoaSum(const Args& args)
      : min_(args[0] - 1), delta_(args[1]), threshold_(args[2]), alpha_(kFloor ? 1 : args[3]) {}

  State step(double x) {
    n_ += 1;
    total_ += x;
    sum_ = alpha_ * sum_ + (x - total_ / n_ - delta_);
    if (!(sum_ > 0)) {
      at_zero_ = {n_, total_};
      if (kFloor) sum_ = 0;
    }
    return n_ >= min_ && sum_ > threshold_ ? State::kDrift : State::kStable;
  }

  Evidence evidence() const {
    return {.statistic = sum_,
            .threshold = threshold_,
            .direction = Direction::kUp,
            .age = at_zero_.age(n_),
            .before = at_zero_.before(),
            .after = at_zero_.after(n_, total_)};
  }
  double to_learn() const { return min_ - n_; }
  void reset() {
    n_ = total_ = sum_ = 0;
    at_zero_ = {};
  }
  void fields(auto& io) { io(n_, total_, sum_, at_zero_.n, at_zero_.sum); }

 private:
  double min_, delta_, threshold_, alpha_, n_ = 0, total_ = 0, sum_ = 0;
  Mark at_zero_;
};

/// Core, and under Parity::kMoa another one.
template <class Core, class Moa>
Result<std::unique_ptr<Monitor>> make_either(const Detector& detector, const Args& args) {
  return args.parity == Parity::kMoa ? make<Moa>(detector, args) : make<Core>(detector, args);
}

}  // namespace vigie::detect
