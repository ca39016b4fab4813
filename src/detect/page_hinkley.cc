// SPDX-License-Identifier: Apache-2.0
#include "detect/deviates_internal.h"
#include "detect/moa_sum_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {
    {.name = "min_instances",
     .fallback = 30,
     .min = 1,
     .max = 1e9,
     .doc = "values before the first test",
     .whole = true},
    {.name = "delta",
     .fallback = 0.005,
     .min = 0,
     .max = 1e12,
     .doc = "change that is let pass, in units of the stream"},
    {.name = "threshold", .fallback = 50, .min = 0, .max = 1e15, .doc = "sum of deviations that is an alarm"},
    {.name = "alpha", .fallback = 0.9999, .min = 0, .max = 1, .doc = "forgetting factor of the sums"},
    {.name = "mode", .fallback = 0, .min = 0, .max = 2, .doc = "which changes are alarms", .choices = "both|up|down"},
    kStandardiseParam};

class PageHinkley {
 public:
  static constexpr Stream kStream = Stream::kValues;
  explicit PageHinkley(const Args& args)
      : min_(args[0]),
        delta_(args[1]),
        threshold_(args[2]),
        alpha_(args[3]),
        up_(args[4] != 2),
        down_(args[4] != 1),
        standardise_(args.params.size() > 5 && args[5] == 1) {}

  State step(double x) {
    n_ += 1;
    sum_ += x;
    const double deviation = standardise_ ? deviates_.of(x) : x - sum_ / n_;
    rise_ = alpha_ * rise_ + (deviation - delta_);
    fall_ = alpha_ * fall_ + (deviation + delta_);
    if (rise_ < lowest_) lowest_ = rise_, at_lowest_ = {n_, sum_};
    if (fall_ > highest_) highest_ = fall_, at_highest_ = {n_, sum_};
    if (n_ < min_) return State::kStable;
    const bool drift = (up_ && rise_ - lowest_ > threshold_) || (down_ && highest_ - fall_ > threshold_);
    return drift ? State::kDrift : State::kStable;
  }

  Evidence evidence() const {
    const bool rose = up_ && rise_ - lowest_ > threshold_;
    const Mark& mark = rose ? at_lowest_ : at_highest_;
    return {.statistic = rose ? rise_ - lowest_ : highest_ - fall_,
            .threshold = threshold_,
            .direction = rose ? Direction::kUp : Direction::kDown,
            .age = mark.age(n_),
            .before = mark.before(),
            .after = mark.after(n_, sum_)};
  }
  double to_learn() const { return min_ - n_; }
  void reset() {
    n_ = sum_ = rise_ = fall_ = 0;
    lowest_ = kInfinity;
    highest_ = -kInfinity;
    at_lowest_ = at_highest_ = {};
    deviates_.reset();
  }
  void fields(auto& io) {
    io(n_, sum_, rise_, fall_, lowest_, highest_, at_lowest_.n, at_lowest_.sum, at_highest_.n, at_highest_.sum);
    if (standardise_) deviates_.fields(io);
  }

 private:
  double min_, delta_, threshold_, alpha_;
  bool up_, down_, standardise_;
  double n_ = 0, sum_ = 0, rise_ = 0, fall_ = 0, lowest_ = kInfinity, highest_ = -kInfinity;
  Mark at_lowest_, at_highest_;
  Deviates deviates_;
};

}  // namespace

constinit const Detector page_hinkley{.name = "page_hinkley",
                                      .summary = "Sum of deviations from the running mean, against its extreme",
                                      .paper = "Page 1954, Hinkley 1971",
                                      .stream = PageHinkley::kStream,
                                      .params = kParams,
                                      .river = std::span(kParams).first(5),
                                      .moa = kMoaSumParams,
                                      .tuned = "threshold",
                                      .freed_by = "standardise",
                                      .make = make_either<PageHinkley, MoaSum<false>>};

}  // namespace vigie::detect
