// SPDX-License-Identifier: Apache-2.0
#include "detect/monitor_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {{.name = "threshold",
                              .fallback = 30,
                              .min = 0,
                              .max = 1e9,
                              .doc = "twice the log of the likelihood ratio that is an alarm"},
                             {.name = "window",
                              .fallback = 128,
                              .min = 8,
                              .max = 100000,
                              .doc = "newest values among which a change is looked for",
                              .whole = true},
                             {.name = "min_instances",
                              .fallback = 30,
                              .min = 4,
                              .max = 1e9,
                              .doc = "values before the first test",
                              .whole = true},
                             {.name = "min_side",
                              .fallback = 5,
                              .min = 1,
                              .max = 1000,
                              .doc = "values on either side of a change, at least",
                              .whole = true}};

// Normal values, mean before, mean after and the common variance all unknown. The ratio of the split with the largest
// sum of squares between its sides, B, is −n ln(1 − B/S); everything since the last reset is "before".
class Glr {
 public:
  static constexpr Stream kStream = Stream::kValues;
  static Status check(const Args& args) {
    if (2 * args[3] > args[1]) return fail(Code::kUsage, "glr: window must hold min_side twice");
    return {};
  }
  explicit Glr(const Args& args)
      : threshold_(args[0]),
        min_(std::max(args[2], 2 * args[3])),
        side_(static_cast<std::uint32_t>(args[3])),
        window_(static_cast<std::uint32_t>(args[1])),
        sums_(std::size_t{2} * window_) {}

  State step(double x) {
    if (n_ == 0) origin_ = x;
    const double centred = x - origin_;
    const double before = n_ > 0 ? centred - total_ / n_ : 0;
    // The sum before this value, twice, so that the newest `window` of them always lie in one piece.
    sums_[at_] = sums_[at_ + window_] = total_;
    at_ = at_ + 1 == window_ ? 0 : at_ + 1;
    n_ += 1;
    total_ += centred;
    squares_ += before * (centred - total_ / n_);
    if (n_ < min_) return State::kStable;
    // sums[i] is what had come up to `held - i` values ago.
    const auto held = static_cast<std::uint32_t>(std::min<double>(window_, n_ - side_));
    const double* sums = sums_.data() + at_ + window_ - held;
    const double mean = total_ / n_, oldest = n_ - held;
    double best = 0;
    for (std::uint32_t i = 0; i + side_ <= held; ++i) {
      const double n0 = oldest + i, off = sums[i] - n0 * mean;
      best = std::max(best, off * off / (n0 * (n_ - n0)));
    }
    between_ = best * n_;
    statistic_ = between_ < squares_ ? -n_ * std::log1p(-between_ / squares_) : squares_ > 0 ? kInfinity : 0;
    return statistic_ > threshold_ ? State::kDrift : State::kStable;
  }

  Evidence evidence() const {
    const auto held = static_cast<std::uint32_t>(std::min<double>(window_, n_ - side_));
    const double* sums = sums_.data() + at_ + window_ - held;
    const double mean = total_ / n_;
    Evidence out{.statistic = statistic_, .threshold = threshold_};
    double best = -1;
    for (std::uint32_t i = 0; i + side_ <= held; ++i) {
      const double n0 = n_ - held + i, off = sums[i] - n0 * mean, between = off * off / (n0 * (n_ - n0));
      if (!(between > best)) continue;
      best = between;
      out.age = held - i - 1;
      out.before = origin_ + sums[i] / n0;
      out.after = origin_ + (total_ - sums[i]) / (n_ - n0);
    }
    out.direction = direction_of(out.after - out.before);
    return out;
  }
  double to_learn() const { return min_ - n_; }
  void reset() {
    origin_ = n_ = total_ = squares_ = 0;
    at_ = 0;
    std::fill(sums_.begin(), sums_.end(), 0.0);
  }
  void fields(auto& io) { io(origin_, n_, total_, squares_, at_, sums_); }
  bool valid() const { return at_ < window_ && n_ >= 0; }

 private:
  double threshold_, min_;
  std::uint32_t side_, window_, at_ = 0;
  double origin_ = 0, n_ = 0, total_ = 0, squares_ = 0, between_ = 0, statistic_ = 0;
  std::vector<double> sums_;
};

}  // namespace

constinit const Detector glr{.name = "glr",
                             .summary = "Likelihood of a change of the mean at the best place in a window",
                             .paper = "Lorden 1971, Siegmund & Venkatraman 1995",
                             .stream = Glr::kStream,
                             .params = kParams,
                             .tuned = "threshold",
                             .make = make<Glr>};

}  // namespace vigie::detect
