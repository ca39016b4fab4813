// SPDX-License-Identifier: Apache-2.0
#include <numeric>

#include "detect/monitor_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {{.name = "threshold",
                              .fallback = 5,
                              .min = 0,
                              .max = 1e6,
                              .doc = "distance from the median that is an alarm, in robust standard deviations"},
                             {.name = "window",
                              .fallback = 128,
                              .min = 8,
                              .max = 100000,
                              .doc = "newest values that give median and spread",
                              .whole = true},
                             {.name = "run",
                              .fallback = 1,
                              .min = 1,
                              .max = 1e6,
                              .doc = "values in a row on one side that make an alarm",
                              .whole = true}};

// Median and median absolute deviation are renewed each half window: a value costs two selections of a window over
// half a window then, and nothing else.
class RobustZ {
 public:
  static constexpr Stream kStream = Stream::kValues;
  explicit RobustZ(const Args& args)
      : threshold_(args[0]),
        needed_(args[2]),
        window_(static_cast<std::uint32_t>(args[1])),
        ring_(window_),
        scratch_(window_) {}

  State step(double x) {
    if (tick_ >= (known_ ? (window_ + 1) / 2 : window_)) renew();
    ++tick_;
    ring_[at_] = x;
    at_ = at_ + 1 == window_ ? 0 : at_ + 1;
    const double off = x - median_;
    if (known_ && std::abs(off) > bound_) [[unlikely]] {
      const Direction side = direction_of(off);
      run_ = side == side_ ? run_ + 1 : 1;
      side_ = side;
      last_ = x;
    } else {
      run_ = 0;
      side_ = Direction::kNone;
    }
    return run_ >= needed_ ? State::kDrift : State::kStable;
  }

  Evidence evidence() const {
    const double spread = bound_ / threshold_;
    return {.statistic = std::abs(last_ - median_) / spread,
            .threshold = threshold_,
            .direction = side_,
            .age = run_ - 1,
            .before = median_,
            .after = last_};
  }
  // A point far off says little of the level: the window stays, the run begins anew.
  void keep_recent() {
    run_ = 0;
    side_ = Direction::kNone;
  }
  void reset() {
    keep_recent();
    at_ = tick_ = 0;
    known_ = false;
    median_ = bound_ = last_ = 0;
    std::fill(ring_.begin(), ring_.end(), 0.0);
  }
  void fields(auto& io) { io(run_, side_, at_, tick_, known_, median_, bound_, ring_); }
  bool valid() const {
    for (const double value : ring_)
      if (!std::isfinite(value)) return false;
    return at_ < window_ && tick_ <= window_ && std::abs(static_cast<int>(side_)) <= 1;
  }

 private:
  void renew() {
    scratch_ = ring_;
    const auto middle = scratch_.begin() + window_ / 2;
    std::nth_element(scratch_.begin(), middle, scratch_.end());
    median_ = *middle;
    for (double& value : scratch_) value = std::abs(value - median_);
    std::nth_element(scratch_.begin(), middle, scratch_.end());
    // Of a normal law the deviation is that many medians, or means where more than half of the values are the same.
    bound_ = threshold_ * (*middle > 0 ? 1.4826022185056018 * *middle
                                       : 1.2533141373155001 * std::accumulate(scratch_.begin(), scratch_.end(), 0.0) /
                                             static_cast<double>(window_));
    known_ = true;
    tick_ = 0;
  }
  double threshold_, needed_;
  std::uint32_t window_, at_ = 0, tick_ = 0;
  bool known_ = false;
  double median_ = 0, bound_ = 0, run_ = 0, last_ = 0;
  Direction side_ = Direction::kNone;
  std::vector<double> ring_, scratch_;
};

}  // namespace

constinit const Detector robust_z{.name = "robust_z",
                                  .summary = "Values far from the median of a window, in median absolute deviations",
                                  .paper = "Iglewicz & Hoaglin 1993",
                                  .stream = RobustZ::kStream,
                                  .params = kParams,
                                  .on_drift = OnDrift::kKeepRecent,
                                  .tuned = "threshold",
                                  .make = make<RobustZ>};

}  // namespace vigie::detect
