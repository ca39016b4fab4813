// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "detect/monitor_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {
    {.name = "warm_start", .fallback = 30, .min = 0, .max = 1e9, .doc = "values before the first test", .whole = true},
    {.name = "warning_threshold", .fallback = 2, .min = 0, .max = 1e6, .doc = "warning, in standard deviations"},
    {.name = "drift_threshold", .fallback = 3, .min = 0, .max = 1e6, .doc = "drift, in standard deviations"}};

class Ddm {
 public:
  static constexpr Stream kStream = Stream::kErrors;
  // MOA counts one value more than there were, and warns one value before it can find a drift.
  explicit Ddm(const Args& args)
      : warm_(args.parity == Parity::kMoa ? args[0] - 2 : args[0]),
        drift_warm_(args.parity == Parity::kMoa ? args[0] - 1 : args[0]),
        warning_(args[1]),
        drift_(args[2]) {}

  State step(double x) {
    n_ += 1;
    errors_ += x;
    onset_.rise(x, errors_ / n_, n_, errors_);
    if (n_ <= warm_) return State::kStable;
    const double p = errors_ / n_, s = std::sqrt(p * (1 - p) / n_), sum = p + s;
    if (sum <= lowest_) {
      lowest_ = sum;
      warning_at_ = p + warning_ * s;
      drift_at_ = p + drift_ * s;
    }
    if (!(sum > std::min(warning_at_, drift_at_))) [[likely]]
      return State::kStable;
    if (sum > drift_at_ && n_ > drift_warm_) return State::kDrift;
    return sum > warning_at_ ? State::kWarning : State::kStable;
  }

  Evidence evidence() const {
    const double p = errors_ / n_, sum = p + std::sqrt(p * (1 - p) / n_);
    return {.statistic = sum,
            .threshold = sum > drift_at_ && n_ > drift_warm_ ? drift_at_ : warning_at_,
            .direction = Direction::kUp,
            .age = onset_.mark().age(n_),
            .before = onset_.mark().before(),
            .after = onset_.mark().after(n_, errors_)};
  }
  double to_learn() const { return warm_ + 1 - n_; }
  void reset() {
    n_ = errors_ = 0;
    lowest_ = warning_at_ = drift_at_ = kInfinity;
    onset_ = {};
  }
  void fields(auto& io) {
    io(n_, errors_, lowest_, warning_at_, drift_at_);
    onset_.fields(io);
  }

 private:
  double warm_, drift_warm_, warning_, drift_;
  double n_ = 0, errors_ = 0, lowest_ = kInfinity, warning_at_ = kInfinity, drift_at_ = kInfinity;
  RateOnset onset_;
};

}  // namespace

constinit const Detector ddm{.name = "ddm",
                             .summary = "Error rate against the lowest it has been",
                             .paper = "Gama, Medas, Castillo & Rodrigues 2004",
                             .stream = Ddm::kStream,
                             .params = kParams,
                             .river = kParams,
                             .moa = kParams,
                             .tuned = "drift_threshold",
                             .make = make<Ddm>};

}  // namespace vigie::detect
