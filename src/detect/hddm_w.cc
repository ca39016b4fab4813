// SPDX-License-Identifier: Apache-2.0
#include "detect/monitor_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {
    {.name = "drift_confidence", .fallback = 0.001, .min = 1e-300, .max = 1, .doc = "level of the drift test"},
    {.name = "warning_confidence", .fallback = 0.005, .min = 1e-300, .max = 1, .doc = "level of the warning test"},
    {.name = "lambda_val", .fallback = 0.05, .min = 1e-6, .max = 1, .doc = "weight of the newest value"},
    {.name = "two_sided_test", .fallback = 0, .min = 0, .max = 1, .doc = "falling rates too", .choices = "false|true"}};

// An exponentially weighted mean, and the sum of its squared weights, which McDiarmid's bound needs.
struct Sample {
  double mean = 0, bound = 1;
  bool empty = true;
  void add(double x, double weight) {
    mean = empty ? x : mean + weight * (x - mean);
    bound = weight * weight + (1 - weight) * (1 - weight) * bound;
    empty = false;
  }
  void fields(auto& io) { io(mean, bound, empty); }
};

struct Side {
  double cut;
  Sample old, recent;
  void fields(auto& io) {
    io(cut);
    old.fields(io);
    recent.fields(io);
  }
};

class HddmW {
 public:
  static constexpr Stream kStream = Stream::kErrors;
  static Status check(const Args& args) {
    if (args[0] > args[1]) return fail(Code::kUsage, "hddm_w: drift_confidence must not be above warning_confidence");
    return {};
  }
  explicit HddmW(const Args& args)
      : drift_(-std::log(args[0]) / 2), warning_(-std::log(args[1]) / 2), weight_(args[2]), two_sided_(args[3] != 0) {
    reset();
  }

  State step(double x) {
    n_ += 1;
    sum_ += x;
    rise_since_.rise(x, sum_ / n_, n_, sum_);
    if (two_sided_) fall_since_.fall(x, sum_ / n_, n_, sum_);
    total_.add(x, weight_);
    const double slack = std::sqrt(total_.bound * drift_);
    if (total_.mean + slack < rise_.cut)
      rise_ = {total_.mean + slack, total_, {}};
    else
      rise_.recent.add(x, weight_);
    State state = test(rise_, 1);
    if (!two_sided_ || state == State::kDrift) return state;
    if (total_.mean - slack > fall_.cut)
      fall_ = {total_.mean - slack, total_, {}};
    else
      fall_.recent.add(x, weight_);
    return std::max(state, test(fall_, -1));
  }

  Evidence evidence() const {
    const State up = test(rise_, 1), down = two_sided_ ? test(fall_, -1) : State::kStable;
    const bool rose = up >= down;
    const Side& side = rose ? rise_ : fall_;
    const Mark& mark = (rose ? rise_since_ : fall_since_).mark();
    const double level = std::max(up, down) == State::kDrift ? drift_ : warning_;
    return {.statistic = std::abs(side.recent.mean - side.old.mean),
            .threshold = std::sqrt((side.old.bound + side.recent.bound) * level),
            .direction = rose ? Direction::kUp : Direction::kDown,
            .age = mark.age(n_),
            .before = mark.before(),
            .after = mark.after(n_, sum_)};
  }
  double to_learn() const { return 2 - n_; }
  void reset() {
    n_ = sum_ = 0;
    rise_since_ = fall_since_ = {};
    total_ = {};
    rise_ = {kInfinity, {}, {}};
    fall_ = {-kInfinity, {}, {}};
  }
  void fields(auto& io) {
    io(n_, sum_);
    rise_since_.fields(io);
    fall_since_.fields(io);
    total_.fields(io);
    rise_.fields(io);
    fall_.fields(io);
  }

 private:
  State test(const Side& side, double sign) const {
    const double change = sign * (side.recent.mean - side.old.mean), scale = side.old.bound + side.recent.bound;
    if (!(change > 0 && change * change > scale * warning_) || side.recent.empty || side.old.empty) [[likely]]
      return State::kStable;
    return change * change > scale * drift_ ? State::kDrift : State::kWarning;
  }
  double drift_, warning_, weight_;
  bool two_sided_;
  double n_ = 0, sum_ = 0;
  RateOnset rise_since_, fall_since_;
  Sample total_;
  Side rise_, fall_;
};

}  // namespace

constinit const Detector hddm_w{
    .name = "hddm_w",
    .summary = "Weighted mean now against the weighted mean at its lowest, by McDiarmid's bound",
    .paper = "Frías-Blanco et al. 2015",
    .stream = HddmW::kStream,
    .params = kParams,
    .river = kParams,
    .tuned = "drift_confidence",
    .make = make<HddmW>};

}  // namespace vigie::detect
