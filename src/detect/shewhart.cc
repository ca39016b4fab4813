// SPDX-License-Identifier: Apache-2.0
#include "detect/reference_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {{.name = "k", .fallback = 3, .min = 0, .max = 1e6, .doc = "limits, in sd"},
                             kLearnParam,
                             kModeParam,
                             kMeanParam,
                             kSdParam};

class Shewhart {
 public:
  static constexpr Stream kStream = Stream::kValues;
  explicit Shewhart(const Args& args)
      : k_(args[0]),
        up_(args[2] != 2),
        down_(args[2] != 1),
        reference_(args[1], args.params.size() > 3 ? args[3] : 0, args.params.size() > 4 ? args[4] : 0) {}

  State step(double x) {
    if (!reference_.ready()) reference_.learn(x);
    last_ = x;
    const double deviation = x - reference_.mean(), bound = k_ * reference_.sd();
    const bool out = (up_ && deviation > bound) || (down_ && -deviation > bound);
    return out && reference_.ready() ? State::kDrift : State::kStable;
  }

  Evidence evidence() const {
    const double deviation = last_ - reference_.mean();
    return {.statistic = std::abs(deviation) / reference_.sd(),
            .threshold = k_,
            .direction = direction_of(deviation),
            .age = 0,
            .before = reference_.mean(),
            .after = last_};
  }
  double to_learn() const { return reference_.to_learn(); }
  void reset() {
    reference_.reset();
    last_ = 0;
  }
  void fields(auto& io) {
    reference_.fields(io);
    io(last_);
  }

 private:
  double k_;
  bool up_, down_;
  FrozenReference reference_;
  double last_ = 0;
};

}  // namespace

constinit const Detector shewhart{.name = "shewhart",
                                  .summary = "Single values outside limits around a frozen reference",
                                  .paper = "Shewhart 1931",
                                  .stream = Shewhart::kStream,
                                  .params = kParams,
                                  .river = std::span(kParams).first(3),
                                  .tuned = "k",
                                  .make = make<Shewhart>};

}  // namespace vigie::detect
