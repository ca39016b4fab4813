// SPDX-License-Identifier: Apache-2.0
#include "detect/monitor_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {
    {.name = "decay", .fallback = 0.99, .min = 0.5, .max = 0.99999, .doc = "share of the recent rate that stays"},
    {.name = "detect_level", .fallback = 1e-5, .min = 1e-300, .max = 0.5, .doc = "level of the drift test of a rate"},
    {.name = "warning_level",
     .fallback = 1e-3,
     .min = 1e-300,
     .max = 0.5,
     .doc = "level of the warning test of a rate"},
    {.name = "burn_in",
     .fallback = 50,
     .min = 1,
     .max = 1e9,
     .doc = "values of a rate before its first test",
     .whole = true}};

// A rate's exponentially weighted mean against its mean over all values. The published bounds are simulated for each
// rate and count; here Bernstein's inequality for the weighted sum gives them in closed form, which errs on the side of
// silence.
struct Rate {
  double n = 0, hits = 0, recent = 0.5, faded = 1, last_above = 0;
};

class Lfr {
 public:
  static constexpr Stream kStream = Stream::kOutcomes;
  static Status check(const Args& args) {
    if (args[1] > args[2]) return fail(Code::kUsage, "lfr: detect_level must not be above warning_level");
    return {};
  }
  // Both sides of four rates share the level.
  explicit Lfr(const Args& args)
      : decay_(args[0]), drift_(std::log(8 / args[1])), warning_(std::log(8 / args[2])), burn_in_(args[3]) {}

  State step(double outcome) {
    n_ += 1;
    const bool truth = outcome >= 1.5, predicted = truth ? outcome >= 2.5 : outcome >= 0.5;
    const bool right = truth == predicted;
    // Sensitivity or specificity, and precision of what was said.
    const std::size_t which[] = {truth ? 0u : 1u, predicted ? 2u : 3u};
    const State states[] = {feed(which[0], right), feed(which[1], right)};
    const bool second = states[1] > states[0];
    worst_ = which[second];
    level_ = states[second];
    return level_;
  }

  Evidence evidence() const {
    const Rate& rate = rates_[worst_];
    const double before = rate.hits / rate.n;
    return {.statistic = std::abs(rate.recent - before),
            .threshold = bound(rate, level_ == State::kDrift ? drift_ : warning_),
            .direction = direction_of(rate.recent - before),
            .age = n_ - rate.last_above - 1,
            .before = before,
            .after = rate.recent};
  }
  double to_learn() const { return burn_in_ - std::max({rates_[0].n, rates_[1].n, rates_[2].n, rates_[3].n}); }
  void reset() {
    n_ = 0;
    rates_ = {};
  }
  void fields(auto& io) {
    io(n_);
    for (Rate& rate : rates_) io(rate.n, rate.hits, rate.recent, rate.faded, rate.last_above);
  }

 private:
  State feed(std::size_t which, bool right) {
    Rate& rate = rates_[which];
    if (rate.n == 0) rate.recent = right;
    rate.n += 1;
    rate.hits += right;
    rate.recent += (1 - decay_) * (right - rate.recent);
    rate.faded = rate.faded > 1e-20 ? rate.faded * decay_ * decay_ : 0;
    const double off = rate.recent - rate.hits / rate.n;
    // The change began after the last value at which the recent rate lay on the other side, or near.
    if (std::abs(off) <= 0.25 * bound(rate, drift_)) rate.last_above = n_;
    if (rate.n < burn_in_ || std::abs(off) <= bound(rate, warning_)) return State::kStable;
    return std::abs(off) > bound(rate, drift_) ? State::kDrift : State::kWarning;
  }
  double bound(const Rate& rate, double log_level) const {
    const double p = std::clamp(rate.hits / rate.n, 0.5 / rate.n, 1 - 0.5 / rate.n);
    // Squared weights sum to (1-η)/(1+η) (1-η^2n) and η^2n of the first value's.
    const double weights = (1 - decay_) / (1 + decay_) * (1 - rate.faded) + rate.faded;
    return std::sqrt(2 * p * (1 - p) * weights * log_level) + (1 - decay_) * log_level / 3;
  }

  double decay_, drift_, warning_, burn_in_;
  double n_ = 0;
  std::array<Rate, 4> rates_{};
  std::size_t worst_ = 0;
  State level_ = State::kStable;
};

}  // namespace

constinit const Detector lfr{
    .name = "lfr",
    .summary = "Sensitivity, specificity and both precisions of a classifier, recent against all",
    .paper = "Wang & Abraham 2015",
    .stream = Lfr::kStream,
    .params = kParams,
    .tuned = "detect_level",
    .make = make<Lfr>};

}  // namespace vigie::detect
