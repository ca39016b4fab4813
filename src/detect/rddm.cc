// SPDX-License-Identifier: Apache-2.0
#include "detect/bit_window_internal.h"
#include "detect/monitor_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {
    {.name = "min_num_instances",
     .fallback = 129,
     .min = 1,
     .max = 1e9,
     .doc = "values before the first test",
     .whole = true},
    {.name = "warning_level", .fallback = 1.773, .min = 0, .max = 1e6, .doc = "warning, in standard deviations"},
    {.name = "drift_level", .fallback = 2.258, .min = 0, .max = 1e6, .doc = "drift, in standard deviations"},
    {.name = "max_concept_size",
     .fallback = 40000,
     .min = 1,
     .max = 1e12,
     .doc = "values after which the rate is learnt anew from the newest",
     .whole = true},
    {.name = "min_size_stable_concept",
     .fallback = 7000,
     .min = 1,
     .max = 1e7,
     .doc = "newest values from which it is learnt anew",
     .whole = true},
    {.name = "warning_limit",
     .fallback = 1400,
     .min = 1,
     .max = 1e12,
     .doc = "values in warning, one after the other, that are a drift",
     .whole = true}};

// The published program divides by the count before the value; River's by the count after it.
class Rddm {
 public:
  static constexpr Stream kStream = Stream::kErrors;
  explicit Rddm(const Args& args)
      : min_(args[0]),
        warning_(args[1]),
        drift_(args[2]),
        longest_(args[3]),
        limit_(args[5]),
        river_(args.parity == Parity::kRiver),
        recent_(args[4]) {}

  State step(double x) {
    const bool error = x > 0.5;
    recent_.push(error);
    if (streak_ > 0) streak_ += 1;
    learn(error);
    if (n_ <= min_) return State::kStable;
    const double s = std::sqrt(p_ * (1 - p_) / divisor_);
    lower(s);
    level_ = p_ + s;
    if (level_ > lowest_p_ + drift_ * lowest_s_) return changed_ = true, State::kDrift;
    if (level_ > lowest_p_ + warning_ * lowest_s_) {
      if (streak_ == 0) streak_ = 1;
      if (streak_ >= limit_) return changed_ = true, State::kDrift;
      return State::kWarning;
    }
    streak_ = 0;
    if (n_ <= longest_) return State::kStable;
    changed_ = false;
    if (river_) return State::kDrift;
    rebuild();
    return State::kStable;
  }

  Evidence evidence() const {
    const bool drift = changed_ && level_ > lowest_p_ + drift_ * lowest_s_;
    const double bound = lowest_p_ + (drift ? drift_ : warning_) * lowest_s_;
    // With a warning before the drift the change is dated to its first value, otherwise to the lowest rate.
    const double age = streak_ > 0 ? streak_ - 1 : n_ - lowest_at_ - 1;
    const auto newest = static_cast<std::uint32_t>(std::min<double>(std::max(age, 0.0) + 1, recent_.size()));
    double errors = 0;
    for (std::uint32_t i = recent_.size() - newest; i < recent_.size(); ++i) errors += recent_[i];
    return {.statistic = level_,
            .threshold = bound,
            .direction = Direction::kUp,
            .age = age,
            .before = lowest_p_,
            .after = errors / newest};
  }
  void keep_recent() {
    if (changed_) {
      recent_.keep_newest(streak_ > 0 ? static_cast<std::uint32_t>(std::min<double>(streak_, recent_.size())) : 1);
      lowest_p_ = lowest_s_ = lowest_ = kInfinity;
    }
    rebuild();
    changed_ = false;
    streak_ = 0;
  }
  double to_learn() const { return min_ + 1 - n_; }
  void reset() {
    recent_.clear();
    lowest_p_ = lowest_s_ = lowest_ = kInfinity;
    n_ = p_ = 1;
    streak_ = level_ = lowest_at_ = 0;
    changed_ = false;
  }
  void fields(auto& io) {
    io(n_, p_, streak_, lowest_p_, lowest_s_, lowest_at_, changed_);
    recent_.fields(io);
    lowest_ = lowest_p_ + lowest_s_;
  }
  bool valid() { return streak_ >= 0 && lowest_at_ >= 0 && recent_.restore(); }

 private:
  void learn(bool error) {
    if (river_) n_ += 1;
    divisor_ = n_;
    p_ += (error - p_) / n_;
    if (!river_) n_ += 1;
  }
  void lower(double s) {
    if (!(p_ + s < lowest_)) return;
    lowest_p_ = p_;
    lowest_s_ = s;
    lowest_ = p_ + s;
    lowest_at_ = n_;
  }
  void rebuild() {
    n_ = p_ = 1;
    lowest_at_ = 0;
    for (std::uint32_t i = 0; i < recent_.size(); ++i) {
      learn(recent_[i]);
      if (changed_ && n_ > min_) lower(std::sqrt(p_ * (1 - p_) / divisor_));
    }
  }

  double min_, warning_, drift_, longest_, limit_;
  bool river_, changed_ = false;
  double n_ = 1, p_ = 1, divisor_ = 1, streak_ = 0, level_ = 0;
  double lowest_p_ = kInfinity, lowest_s_ = kInfinity, lowest_ = kInfinity, lowest_at_ = 0;
  BitWindow recent_;
};

}  // namespace

constinit const Detector rddm{.name = "rddm",
                              .summary = "DDM that learns anew from recent values in long concepts and after a drift",
                              .paper = "Barros et al. 2017",
                              .stream = Rddm::kStream,
                              .params = kParams,
                              .river = kParams,
                              .moa = kParams,
                              .on_drift = OnDrift::kKeepRecent,
                              .tuned = "drift_level",
                              .make = make<Rddm>};

}  // namespace vigie::detect
