// SPDX-License-Identifier: Apache-2.0
#include "detect/bit_window_internal.h"
#include "detect/monitor_internal.h"
#include "stats/distributions.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {
    {.name = "window_size", .fallback = 30, .min = 1, .max = 1e6, .doc = "values in the recent window", .whole = true},
    {.name = "alpha_drift", .fallback = 0.003, .min = 1e-300, .max = 0.5, .doc = "level of the drift test"},
    {.name = "alpha_warning", .fallback = 0.05, .min = 1e-300, .max = 0.5, .doc = "level of the warning test"},
    {.name = "mode",
     .fallback = 0,
     .min = 0,
     .max = 2,
     .doc = "which changes of the rate are alarms",
     .choices = "up|both|down"}};

class Stepd {
 public:
  static constexpr Stream kStream = Stream::kErrors;
  static Status check(const Args& args) {
    if (args[1] > args[2]) return fail(Code::kUsage, "stepd: alpha_drift must not be above alpha_warning");
    return {};
  }
  explicit Stepd(const Args& args)
      : size_(args[0]),
        up_(args.parity == Parity::kMoa || args[3] != 2),
        down_(args.parity == Parity::kMoa || args[3] != 0),
        drift_(-stats::normal_quantile(args[1] / (up_ && down_ ? 2 : 1))),
        warning_(-stats::normal_quantile(args[2] / (up_ && down_ ? 2 : 1))),
        recent_(args[0]) {}

  State step(double x) {
    const auto [evicted, old] = recent_.push(x > 0.5);
    n_ += evicted;
    errors_ += old;
    if (n_ < size_) return State::kStable;
    const double ones = recent_.ones(), pooled = (errors_ + ones) / (n_ + size_), scale = 1 / n_ + 1 / size_;
    const double variance = pooled * (1 - pooled) * scale;
    const double change = ones / size_ - errors_ / n_;
    const double part = std::abs(change) - 0.5 * scale;
    // Both windows all alike: nothing to divide by, and nothing to say.
    if (!(variance > 0) || !(part > 0) || !(change > 0 ? up_ : down_)) return State::kStable;
    const double squared = part * part;
    if (!(squared > warning_ * warning_ * variance)) [[likely]]
      return State::kStable;
    statistic_ = part / std::sqrt(variance);
    return squared > drift_ * drift_ * variance ? State::kDrift : State::kWarning;
  }

  Evidence evidence() const {
    const double before = errors_ / n_, after = recent_.ones() / size_;
    return {.statistic = statistic_,
            .threshold = statistic_ > drift_ ? drift_ : warning_,
            .direction = direction_of(after - before),
            .age = size_ - 1,
            .before = before,
            .after = after};
  }
  double to_learn() const { return recent_.missing() + size_ - n_; }
  void reset() {
    n_ = errors_ = statistic_ = 0;
    recent_.clear();
  }
  void fields(auto& io) {
    io(n_, errors_, statistic_);
    recent_.fields(io);
  }
  bool valid() { return recent_.restore(); }

 private:
  double size_;
  bool up_, down_;
  double drift_, warning_;
  double n_ = 0, errors_ = 0, statistic_ = 0;
  BitWindow recent_;
};

}  // namespace

constinit const Detector stepd{.name = "stepd",
                               .summary = "Error rate of a recent window against all before, by a test of proportions",
                               .paper = "Nishida & Yamauchi 2007",
                               .stream = Stepd::kStream,
                               .params = kParams,
                               .moa = std::span(kParams).first(3),
                               .tuned = "alpha_drift",
                               .make = make<Stepd>};

}  // namespace vigie::detect
