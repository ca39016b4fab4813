// SPDX-License-Identifier: Apache-2.0
#include "detect/monitor_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {
    {.name = "drift_confidence", .fallback = 0.001, .min = 1e-300, .max = 1, .doc = "level of the drift test"},
    {.name = "warning_confidence", .fallback = 0.005, .min = 1e-300, .max = 1, .doc = "level of the warning test"},
    {.name = "two_sided_test", .fallback = 0, .min = 0, .max = 1, .doc = "falling rates too", .choices = "false|true"}};

class HddmA {
 public:
  static constexpr Stream kStream = Stream::kErrors;
  static Status check(const Args& args) {
    if (args[0] > args[1]) return fail(Code::kUsage, "hddm_a: drift_confidence must not be above warning_confidence");
    return {};
  }
  explicit HddmA(const Args& args)
      : drift_(std::log(2 / args[0]) / 2),
        warning_(std::log(2 / args[1]) / 2),
        cut_(-std::log(args[0]) / 2),
        two_sided_(args[2] != 0) {}

  State step(double x) {
    n_ += 1;
    sum_ += x;
    const double mean = sum_ / n_;
    rise_.rise(x, mean, n_, sum_);
    if (two_sided_) fall_.fall(x, mean, n_, sum_);
    const double bound = std::sqrt(cut_ / n_);
    if (mean + bound <= low_.bound) low_ = {mean + bound, mean, 1 / n_};
    if (two_sided_ && mean - bound >= high_.bound) high_ = {mean - bound, mean, 1 / n_};
    // (n - n0) / (n0 n) = 1/n0 - 1/n
    const double rise = mean - low_.mean, rise_scale = low_.inverse - 1 / n_;
    if (beyond(rise, rise_scale, warning_)) [[unlikely]] {
      if (beyond(rise, rise_scale, drift_)) return State::kDrift;
      if (!two_sided_) return State::kWarning;
    }
    if (!two_sided_) return State::kStable;
    const double fall = high_.mean - mean, fall_scale = high_.inverse - 1 / n_;
    if (beyond(fall, fall_scale, drift_)) return State::kDrift;
    return beyond(fall, fall_scale, warning_) || beyond(rise, rise_scale, warning_) ? State::kWarning : State::kStable;
  }

  Evidence evidence() const {
    const double mean = sum_ / n_, rise = mean - low_.mean, fall = two_sided_ ? high_.mean - mean : -1;
    const double rise_scale = low_.inverse - 1 / n_, fall_scale = high_.inverse - 1 / n_;
    const bool rose = beyond(rise, rise_scale, drift_) ||
                      (!(two_sided_ && beyond(fall, fall_scale, drift_)) && beyond(rise, rise_scale, warning_));
    const Mark& mark = (rose ? rise_ : fall_).mark();
    const double change = rose ? rise : fall, scale = rose ? rise_scale : fall_scale;
    return {.statistic = change,
            .threshold = std::sqrt(scale * (beyond(change, scale, drift_) ? drift_ : warning_)),
            .direction = rose ? Direction::kUp : Direction::kDown,
            .age = mark.age(n_),
            .before = mark.before(),
            .after = mark.after(n_, sum_)};
  }
  double to_learn() const { return 2 - n_; }
  void reset() {
    n_ = sum_ = 0;
    low_ = {kInfinity, 0, 0};
    high_ = {-kInfinity, 0, 0};
    rise_ = fall_ = {};
  }
  void fields(auto& io) {
    io(n_, sum_);
    for (Cut* cut : {&low_, &high_}) io(cut->bound, cut->mean, cut->inverse);
    rise_.fields(io);
    fall_.fields(io);
  }

 private:
  struct Cut {
    double bound, mean, inverse;
  };
  static bool beyond(double change, double scale, double level) {
    return change > 0 && scale > 0 && change * change >= scale * level;
  }
  double drift_, warning_, cut_;
  bool two_sided_;
  double n_ = 0, sum_ = 0;
  Cut low_ = {kInfinity, 0, 0}, high_ = {-kInfinity, 0, 0};
  RateOnset rise_, fall_;
};

}  // namespace

constinit const Detector hddm_a{.name = "hddm_a",
                                .summary = "Mean since the start against the mean at its lowest, by Hoeffding's bound",
                                .paper = "Frías-Blanco et al. 2015",
                                .stream = HddmA::kStream,
                                .params = kParams,
                                .river = kParams,
                                .tuned = "drift_confidence",
                                .make = make<HddmA>};

}  // namespace vigie::detect
