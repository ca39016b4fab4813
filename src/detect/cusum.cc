// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "detect/moa_sum_internal.h"
#include "detect/reference_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {kLearnParam,
                             {.name = "k", .fallback = 0.5, .min = 0, .max = 100, .doc = "change let pass, in sd"},
                             {.name = "h", .fallback = 5, .min = 0, .max = 1e9, .doc = "sum that is an alarm, in sd"},
                             kModeParam,
                             kMeanParam,
                             kSdParam};

class Cusum {
 public:
  static constexpr Stream kStream = Stream::kValues;
  explicit Cusum(const Args& args)
      : k_(args[1]),
        h_(args[2]),
        up_(args[3] != 2),
        down_(args[3] != 1),
        reference_(args[0], args.params.size() > 4 ? args[4] : 0, args.params.size() > 5 ? args[5] : 0) {
    reset();
  }

  State step(double x) {
    if (!reference_.ready()) {
      reference_.learn(x);
      if (!reference_.ready()) return State::kStable;
      set_bounds();
    }
    n_ += 1;
    sum_ += x;
    rise_ = rise_ + (x - above_);
    fall_ = fall_ - (x - below_);
    if (!(rise_ > 0)) rise_ = 0, at_rise_ = {n_, sum_};
    if (!(fall_ > 0)) fall_ = 0, at_fall_ = {n_, sum_};
    return (up_ && rise_ > bound_) || (down_ && fall_ > bound_) ? State::kDrift : State::kStable;
  }

  Evidence evidence() const {
    const bool rose = up_ && rise_ > bound_;
    const Mark& mark = rose ? at_rise_ : at_fall_;
    return {.statistic = (rose ? rise_ : fall_) / reference_.sd(),
            .threshold = h_,
            .direction = rose ? Direction::kUp : Direction::kDown,
            .age = mark.age(n_),
            .before = reference_.mean(),
            .after = mark.after(n_, sum_)};
  }
  double to_learn() const { return reference_.to_learn(); }
  void reset() {
    reference_.reset();
    n_ = sum_ = rise_ = fall_ = 0;
    at_rise_ = at_fall_ = {};
    set_bounds();
  }
  void fields(auto& io) {
    reference_.fields(io);
    io(n_, sum_, rise_, fall_, at_rise_.n, at_rise_.sum, at_fall_.n, at_fall_.sum);
    set_bounds();
  }

 private:
  void set_bounds() {
    above_ = reference_.mean() + k_ * reference_.sd();
    below_ = reference_.mean() - k_ * reference_.sd();
    bound_ = h_ * reference_.sd();
  }

  double k_, h_;
  bool up_, down_;
  FrozenReference reference_;
  double above_ = 0, below_ = 0, bound_ = 0, n_ = 0, sum_ = 0, rise_ = 0, fall_ = 0;
  Mark at_rise_, at_fall_;
};

}  // namespace

constinit const Detector cusum{.name = "cusum",
                               .summary = "Tabular cumulative sum of deviations from a frozen reference",
                               .paper = "Page 1954; Montgomery 2009",
                               .stream = Cusum::kStream,
                               .params = kParams,
                               .river = std::span(kParams).first(4),
                               .moa = std::span(kMoaSumParams).first(3),
                               .tuned = "h",
                               .make = make_either<Cusum, MoaSum<true>>};

}  // namespace vigie::detect
