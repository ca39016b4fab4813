// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "detect/reference_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kAlpha{.name = "alpha", .fallback = 0.1, .min = 1e-6, .max = 1, .doc = "weight of the newest value"};
constexpr Param kThreshold{
    .name = "threshold", .fallback = 4, .min = 0, .max = 1e6, .doc = "limits, in standard deviations of the average"};
constexpr Param kParams[] = {kAlpha, kThreshold, kLearnParam, kModeParam, kMeanParam, kSdParam};

// River holds the average against the running mean of all values, in a variance that is itself such an average; the
// textbook chart holds it against a reference that a change cannot pull along.
class Ewma {
 public:
  static constexpr Stream kStream = Stream::kValues;
  explicit Ewma(const Args& args)
      : alpha_(args[0]),
        threshold_(args[1]),
        min_(args[2]),
        up_(args[3] != 2),
        down_(args[3] != 1),
        running_(args.parity == Parity::kRiver),
        reference_(args[2], args.params.size() > 4 ? args[4] : 0, args.params.size() > 5 ? args[5] : 0) {}

  State step(double x) {
    n_ += 1;
    if (running_) {
      average_ = n_ == 1 ? x : alpha_ * x + (1 - alpha_) * average_;
      mean_ += (x - mean_) / n_;
      first_ = n_ == 1 ? x : first_ + alpha_ * (x - first_);
      second_ = n_ == 1 ? x * x : second_ + alpha_ * (x * x - second_);
      variance_ = std::max(second_ - first_ * first_, 0.0);
    } else if (!reference_.ready()) {
      reference_.learn(x);
      mean_ = average_ = reference_.mean();
      variance_ = reference_.sd() * reference_.sd();
      if (!reference_.ready()) return State::kStable;
      average_ += alpha_ * (x - average_);
    } else {
      if (n_ == 1) mean_ = average_ = reference_.mean(), variance_ = reference_.sd() * reference_.sd();
      average_ += alpha_ * (x - average_);
    }
    // What no longer counts beside 1 must not linger: subnormal numbers are slow.
    faded_ = faded_ > 1e-20 ? faded_ * (1 - alpha_) * (1 - alpha_) : 0;
    const double deviation = average_ - mean_;
    const Direction side = deviation > 0 ? Direction::kUp : Direction::kDown;
    age_ = side == side_ ? age_ + 1 : 0;
    side_ = side;
    if (running_ && n_ < min_) return State::kStable;
    const bool out = (deviation > 0 ? up_ : down_) && deviation * deviation > limit_squared();
    return out ? State::kDrift : State::kStable;
  }

  Evidence evidence() const {
    return {.statistic = std::abs(average_ - mean_) * threshold_ / std::sqrt(limit_squared()),
            .threshold = threshold_,
            .direction = side_,
            .age = age_,
            .before = mean_,
            .after = average_};
  }
  double to_learn() const { return running_ ? min_ - n_ : reference_.to_learn(); }
  void reset() {
    reference_.reset();
    n_ = average_ = mean_ = first_ = second_ = variance_ = age_ = 0;
    faded_ = 1;
    side_ = Direction::kNone;
  }
  void fields(auto& io) {
    reference_.fields(io);
    io(n_, average_, mean_, first_, second_, variance_, faded_, age_, side_);
  }
  bool valid() const { return std::abs(static_cast<int>(side_)) <= 1; }

 private:
  double limit_squared() const { return threshold_ * threshold_ * variance_ * (alpha_ / (2 - alpha_)) * (1 - faded_); }

  double alpha_, threshold_, min_;
  bool up_, down_, running_;
  FrozenReference reference_;
  double n_ = 0, average_ = 0, mean_ = 0, first_ = 0, second_ = 0, variance_ = 0, faded_ = 1, age_ = 0;
  Direction side_ = Direction::kNone;
};

}  // namespace

constinit const Detector ewma{.name = "ewma",
                              .summary = "Exponentially weighted average against limits around a reference",
                              .paper = "Roberts 1959",
                              .stream = Ewma::kStream,
                              .params = kParams,
                              .river = std::span(kParams).first(4),
                              .tuned = "threshold",
                              .make = make<Ewma>};

}  // namespace vigie::detect
