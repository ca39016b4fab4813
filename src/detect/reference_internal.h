// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "detect/monitor_internal.h"

namespace vigie::detect {

/// The level that a control chart holds a stream against: given, or learnt from the first values and then frozen. A
/// level learnt from 30 values is off by σ/√30, so charts that learn so little alarm far more often than their
/// textbook run length says.
class FrozenReference {
 public:
  /// `sd` 0: learn both from `learn` values.
  FrozenReference(double learn, double mean, double sd) : learn_(learn), given_mean_(mean), given_sd_(sd) { reset(); }
  /// Whether there is a reference; the value that completes it is itself already tested.
  bool ready() const { return ready_; }
  void learn(double x) {
    n_ += 1;
    const double before = x - mean_;
    mean_ += before / n_;
    squares_ += before * (x - mean_);
    if (n_ < learn_) return;
    sd_ = n_ > 1 ? std::sqrt(squares_ / (n_ - 1)) : 0;
    ready_ = true;
  }
  double to_learn() const { return ready_ ? 0 : learn_ - n_; }
  double mean() const { return mean_; }
  double sd() const { return sd_; }
  void reset() {
    n_ = squares_ = 0;
    ready_ = given_sd_ > 0;
    mean_ = ready_ ? given_mean_ : 0;
    sd_ = given_sd_;
  }
  void fields(auto& io) { io(n_, mean_, squares_, sd_, ready_); }

 private:
  double learn_, given_mean_, given_sd_;
  double n_ = 0, mean_ = 0, squares_ = 0, sd_ = 0;
  bool ready_ = false;
};

inline constexpr Param kLearnParam{.name = "min_instances",
                                   .fallback = 30,
                                   .min = 2,
                                   .max = 1e9,
                                   .doc = "values from which mean and standard deviation are learnt",
                                   .whole = true};
inline constexpr Param kModeParam{
    .name = "mode", .fallback = 0, .min = 0, .max = 2, .doc = "which changes are alarms", .choices = "both|up|down"};
inline constexpr Param kMeanParam{
    .name = "mean", .fallback = 0, .min = -1e300, .max = 1e300, .doc = "reference mean, where sd is given"};
inline constexpr Param kSdParam{.name = "sd",
                                .fallback = 0,
                                .min = 0,
                                .max = 1e300,
                                .doc = "reference standard deviation; 0: mean and sd are learnt"};

}  // namespace vigie::detect
