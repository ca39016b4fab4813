// SPDX-License-Identifier: Apache-2.0
#include "detect/deviates_internal.h"
#include "detect/reference_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {
    {.name = "alpha", .fallback = 0.99, .min = 0, .max = 1 - 1e-9, .doc = "share of the average that stays"},
    {.name = "threshold",
     .fallback = 1,
     .min = 0,
     .max = 1e15,
     .doc = "average deviation that is an alarm, in units of the stream; errors need less than 1"},
    {.name = "min_instances",
     .fallback = 30,
     .min = 1,
     .max = 1e9,
     .doc = "values before the first test",
     .whole = true},
    kModeParam,
    kStandardiseParam};

class Gma {
 public:
  static constexpr Stream kStream = Stream::kValues;
  explicit Gma(const Args& args)
      : alpha_(args[0]),
        threshold_(args[1]),
        min_(args[2]),
        up_(args.parity == Parity::kMoa || args[3] != 2),
        down_(args.parity != Parity::kMoa && args[3] != 1),
        standardise_(args.params.size() > 4 && args[4] == 1) {}

  State step(double x) {
    n_ += 1;
    sum_ += x;
    average_ = alpha_ * average_ + (1 - alpha_) * (standardise_ ? deviates_.of(x) : x - sum_ / n_);
    const Direction side = average_ > 0 ? Direction::kUp : Direction::kDown;
    if (side != side_) side_ = side, mark_ = {n_ - 1, sum_ - x};
    const bool out = (up_ && average_ > threshold_) || (down_ && -average_ > threshold_);
    return out && n_ >= min_ ? State::kDrift : State::kStable;
  }

  Evidence evidence() const {
    return {.statistic = std::abs(average_),
            .threshold = threshold_,
            .direction = side_,
            .age = mark_.age(n_),
            .before = mark_.before(),
            .after = mark_.after(n_, sum_)};
  }
  double to_learn() const { return min_ - n_; }
  void reset() {
    n_ = sum_ = average_ = 0;
    deviates_.reset();
    side_ = Direction::kNone;
    mark_ = {};
  }
  void fields(auto& io) {
    io(n_, sum_, average_, side_, mark_.n, mark_.sum);
    if (standardise_) deviates_.fields(io);
  }
  bool valid() const { return std::abs(static_cast<int>(side_)) <= 1; }

 private:
  double alpha_, threshold_, min_;
  bool up_, down_, standardise_;
  double n_ = 0, sum_ = 0, average_ = 0;
  Direction side_ = Direction::kNone;
  Mark mark_;
  Deviates deviates_;
};

}  // namespace

constinit const Detector gma{.name = "gma",
                             .summary = "Geometric moving average of deviations from the running mean",
                             .paper = "Roberts 1959",
                             .stream = Gma::kStream,
                             .params = kParams,
                             .moa = std::span(kParams).first(3),
                             .tuned = "threshold",
                             .freed_by = "standardise",
                             .make = make<Gma>};

}  // namespace vigie::detect
