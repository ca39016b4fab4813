// SPDX-License-Identifier: Apache-2.0
#include "detect/monitor_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {
    {.name = "warm_start",
     .fallback = 30,
     .min = 0,
     .max = 1e9,
     .doc = "values, and errors, before the first test",
     .whole = true},
    {.name = "alpha", .fallback = 0.95, .min = 0, .max = 1, .doc = "warning below this share of the best distance"},
    {.name = "beta", .fallback = 0.9, .min = 0, .max = 1, .doc = "drift below this share of the best distance"}};

class Eddm {
 public:
  static constexpr Stream kStream = Stream::kErrors;
  static Status check(const Args& args) {
    if (args[1] < args[2]) return fail(Code::kUsage, "eddm: alpha must not be below beta");
    return {};
  }
  explicit Eddm(const Args& args)
      : warm_(args[0]), alpha_(args[1]), beta_(args[2]), freedom_(args.parity == Parity::kMoa ? 0 : 1) {}

  State step(double x) {
    n_ += 1;
    if (!(x > 0.5)) [[likely]]
      return state_;
    errors_ += 1;
    const double distance = n_ - last_, before = distance - mean_;
    last_ = n_;
    mean_ += before / errors_;
    squares_ += before * (distance - mean_);
    if (n_ <= warm_) return state_;
    const double spread = errors_ > freedom_ ? std::sqrt(squares_ / (errors_ - freedom_)) : 0;
    quantity_ = mean_ + 2 * spread;
    if (quantity_ > best_) {
      best_ = quantity_;
      mark_ = {n_, errors_};
    } else if (errors_ > warm_) {
      const double level = quantity_ / best_;
      state_ = level < beta_ ? State::kDrift : level < alpha_ ? State::kWarning : State::kStable;
    }
    return state_;
  }

  Evidence evidence() const {
    return {.statistic = quantity_ / best_,
            .threshold = state_ == State::kDrift ? beta_ : alpha_,
            .direction = Direction::kUp,
            .age = mark_.age(n_),
            .before = mark_.before(),
            .after = mark_.after(n_, errors_)};
  }
  double to_learn() const { return warm_ + 1 - errors_; }
  void reset() {
    n_ = errors_ = last_ = mean_ = squares_ = quantity_ = 0;
    best_ = -1;
    mark_ = {};
    state_ = State::kStable;
  }
  void fields(auto& io) { io(n_, errors_, last_, mean_, squares_, quantity_, best_, mark_.n, mark_.sum, state_); }
  bool valid() const { return state_ <= State::kDrift; }

 private:
  double warm_, alpha_, beta_, freedom_;
  double n_ = 0, errors_ = 0, last_ = 0, mean_ = 0, squares_ = 0, quantity_ = 0, best_ = -1;
  Mark mark_;
  State state_ = State::kStable;
};

}  // namespace

constinit const Detector eddm{.name = "eddm",
                              .summary = "Distance between errors against the longest it has been",
                              .paper = "Baena-García et al. 2006",
                              .stream = Eddm::kStream,
                              .params = kParams,
                              .river = kParams,
                              .moa = kParams,
                              .tuned = "beta",
                              .make = make<Eddm>};

}  // namespace vigie::detect
