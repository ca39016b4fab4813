// SPDX-License-Identifier: Apache-2.0
#include "detect/monitor_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {
    {.name = "lambda", .fallback = 0.2, .min = 1e-6, .max = 1, .doc = "weight of the newest value"},
    {.name = "arl",
     .fallback = 1,
     .min = 0,
     .max = 2,
     .doc = "values between false alarms that the limits were fitted for, at lambda 0.2",
     .choices = "100|400|1000"},
    {.name = "factor", .fallback = 1, .min = 0, .max = 100, .doc = "times the fitted limits are taken"},
    {.name = "warning_level", .fallback = 0.5, .min = 0, .max = 1, .doc = "share of the limit that is a warning"},
    {.name = "min_instances",
     .fallback = 30,
     .min = 1,
     .max = 1e9,
     .doc = "values before the first test",
     .whole = true}};

// Polynomials in p, p, p³, p⁵, p⁷, of Ross et al. 2012, table 1.
constexpr double kLimits[3][5] = {{2.76, -6.23, 18.12, -312.45, 1002.18},
                                  {3.97, -6.56, 48.73, -330.13, 848.18},
                                  {1.17, 7.56, -21.24, 112.12, -987.23}};

class Ecdd {
 public:
  static constexpr Stream kStream = Stream::kErrors;
  explicit Ecdd(const Args& args)
      : lambda_(args[0]),
        limit_(kLimits[static_cast<int>(args[1])]),
        factor_(args[2]),
        warning_(args[3]),
        min_(args[4]) {}

  State step(double x) {
    n_ += 1;
    errors_ += x;
    average_ += lambda_ * (x - average_);
    // What no longer counts beside 1 must not linger: subnormal numbers are slow.
    faded_ = faded_ > 1e-20 ? faded_ * (1 - lambda_) * (1 - lambda_) : 0;
    const double p = errors_ / n_;
    if (average_ <= p) mark_ = {n_, errors_};
    if (n_ < min_ || average_ <= p) return State::kStable;
    const double q = p * p, limit = limit_[0] + p * (limit_[1] + q * (limit_[2] + q * (limit_[3] + q * limit_[4])));
    const double bound = factor_ * limit * std::sqrt(p * (1 - p) * lambda_ / (2 - lambda_) * (1 - faded_));
    if (!(average_ > p + warning_ * bound)) return State::kStable;
    threshold_ = p + bound;
    if (average_ > threshold_) return State::kDrift;
    threshold_ = p + warning_ * bound;
    return State::kWarning;
  }

  Evidence evidence() const {
    return {.statistic = average_,
            .threshold = threshold_,
            .direction = Direction::kUp,
            .age = mark_.age(n_),
            .before = mark_.before(),
            .after = mark_.after(n_, errors_)};
  }
  double to_learn() const { return min_ - n_; }
  void reset() {
    n_ = errors_ = average_ = threshold_ = 0;
    faded_ = 1;
    mark_ = {};
  }
  void fields(auto& io) { io(n_, errors_, average_, threshold_, faded_, mark_.n, mark_.sum); }

 private:
  double lambda_;
  const double* limit_;
  double factor_, warning_, min_;
  double n_ = 0, errors_ = 0, average_ = 0, threshold_ = 0, faded_ = 1;
  Mark mark_;
};

}  // namespace

constinit const Detector ecdd{.name = "ecdd",
                              .summary = "Exponentially weighted error rate against limits of a known run length",
                              .paper = "Ross, Adams, Tasoulis & Hand 2012",
                              .stream = Ecdd::kStream,
                              .params = kParams,
                              .tuned = "factor",
                              .make = make<Ecdd>};

}  // namespace vigie::detect
