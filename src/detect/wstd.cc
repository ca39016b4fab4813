// SPDX-License-Identifier: Apache-2.0
#include "detect/bit_window_internal.h"
#include "detect/monitor_internal.h"
#include "stats/distributions.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {
    {.name = "window_size", .fallback = 30, .min = 1, .max = 1e6, .doc = "values in the recent window", .whole = true},
    {.name = "max_old_instances",
     .fallback = 120,
     .min = 1,
     .max = 1e6,
     .doc = "values in the window before it",
     .whole = true},
    {.name = "min_instances",
     .fallback = 30,
     .min = 1,
     .max = 1e9,
     .doc = "values before the first test",
     .whole = true},
    {.name = "alpha_warning", .fallback = 0.05, .min = 1e-300, .max = 1, .doc = "level of the warning test"},
    {.name = "alpha_drift", .fallback = 0.003, .min = 1e-300, .max = 1, .doc = "level of the drift test"},
    {.name = "mode",
     .fallback = 0,
     .min = 0,
     .max = 2,
     .doc = "which changes of the rate are alarms",
     .choices = "up|both|down"}};

class Wstd {
 public:
  static constexpr Stream kStream = Stream::kErrors;
  static Status check(const Args& args) {
    if (args[4] > args[3]) return fail(Code::kUsage, "wstd: alpha_drift must not be above alpha_warning");
    return {};
  }
  explicit Wstd(const Args& args)
      : min_(args[2]),
        up_(args.parity == Parity::kRiver || args[5] != 2),
        down_(args.parity == Parity::kRiver || args[5] != 0),
        warning_(-stats::normal_quantile(args[3] / (up_ && down_ ? 2 : 1))),
        drift_(-stats::normal_quantile(args[4] / (up_ && down_ ? 2 : 1))),
        recent_(args[0]),
        older_(args[1]) {}

  State step(double x) {
    seen_ += 1;
    const auto [evicted, old] = recent_.push(x > 0.5);
    if (evicted) older_.push(old);
    if (seen_ < min_ || older_.size() == 0) return State::kStable;
    const double n_old = older_.size(), n_new = recent_.size(), n = n_old + n_new;
    const double ones = older_.ones() + recent_.ones(), zeros = n - ones;
    // On two values the rank sum of a window says how its share of ones differs from the pooled one; ties are ranked
    // in their middle. Whichever window is taken, the statistic differs in sign alone.
    const double rank_sum = (n_new - recent_.ones()) * (zeros + 1) / 2 + recent_.ones() * (zeros + (ones + 1) / 2);
    const double excess = rank_sum - n_new * (n + 1) / 2, variance = n_old * n_new * (n + 1) / 12;
    if (!(excess * excess > warning_ * warning_ * variance) || !(excess > 0 ? up_ : down_)) [[likely]]
      return State::kStable;
    statistic_ = std::abs(excess) / std::sqrt(variance);
    return excess * excess > drift_ * drift_ * variance ? State::kDrift : State::kWarning;
  }

  Evidence evidence() const {
    const double before = older_.ones() / static_cast<double>(older_.size());
    const double after = recent_.ones() / static_cast<double>(recent_.size());
    return {.statistic = statistic_,
            .threshold = statistic_ > drift_ ? drift_ : warning_,
            .direction = direction_of(after - before),
            .age = static_cast<double>(recent_.size()) - 1,
            .before = before,
            .after = after};
  }
  double to_learn() const { return std::max<double>(min_ - seen_, older_.size() > 0 ? 0 : recent_.missing() + 1); }
  void reset() {
    seen_ = statistic_ = 0;
    recent_.clear();
    older_.clear();
  }
  void fields(auto& io) {
    io(seen_, statistic_);
    recent_.fields(io);
    older_.fields(io);
  }
  bool valid() { return recent_.restore() && older_.restore(); }

 private:
  double min_;
  bool up_, down_;
  double warning_, drift_;
  double seen_ = 0, statistic_ = 0;
  BitWindow recent_, older_;
};

}  // namespace

constinit const Detector wstd{
    .name = "wstd",
    .summary = "Errors of a recent window against the window before it, by Wilcoxon's rank sum",
    .paper = "Barros, Hidalgo & Cabral 2018",
    .stream = Wstd::kStream,
    .params = kParams,
    .river = std::span(kParams).first(5),
    .tuned = "alpha_drift",
    .make = make<Wstd>};

}  // namespace vigie::detect
