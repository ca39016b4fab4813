// SPDX-License-Identifier: Apache-2.0
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
        scratch_(window_),
        near_(window_) {}

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
  double to_learn() const { return known_ ? 0 : window_ + 1 - tick_; }
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
    const double sd = bound_ / threshold_, spread = sd / kSdOfMedian;
    const bool guess = known_ && spread > 0;
    scratch_ = ring_;
    median_ = middle_within(guess ? median_ - 0.3 * sd : -kInfinity, guess ? median_ + 0.3 * sd : kInfinity);
    double sum = 0;
    for (std::uint32_t i = 0; i < window_; ++i) sum += scratch_[i] = std::abs(ring_[i] - median_);
    const double middle = middle_within(guess ? 0.7 * spread : 0, guess ? 1.3 * spread : kInfinity);
    // Of a normal law the deviation is that many medians, or means where more than half of the values are the same.
    bound_ = threshold_ * (middle > 0 ? kSdOfMedian * middle : 1.2533141373155001 * sum / window_);
    known_ = true;
    tick_ = 0;
  }
  // The middle one of scratch_. It is looked for among what lies in the bounds, which are where it was the last time:
  // a pass without branches leaves few to be put in order.
  double middle_within(double low, double high) {
    const std::uint32_t middle = window_ / 2;
    std::uint32_t below = 0, kept = 0;
    for (std::uint32_t i = 0; i < window_; ++i) {
      const double value = scratch_[i];
      near_[kept] = value;
      kept += (value >= low) & (value <= high);
      below += value < low;
    }
    const bool found = middle >= below && middle < below + kept;
    const auto begin = found ? near_.begin() : scratch_.begin(), at = begin + middle - (found ? below : 0);
    std::nth_element(begin, at, begin + (found ? kept : window_));
    return *at;
  }
  static constexpr double kSdOfMedian = 1.4826022185056018;  // of the absolute deviations of a normal law

  double threshold_, needed_;
  std::uint32_t window_, at_ = 0, tick_ = 0;
  bool known_ = false;
  double median_ = 0, bound_ = 0, run_ = 0, last_ = 0;
  Direction side_ = Direction::kNone;
  std::vector<double> ring_, scratch_, near_;
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
