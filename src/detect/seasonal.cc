// SPDX-License-Identifier: Apache-2.0
#include "detect/monitor_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {
    {.name = "period", .fallback = 24, .min = 1, .max = 100000, .doc = "values in a season; 1: none", .whole = true},
    {.name = "alpha", .fallback = 0.1, .min = 0, .max = 1, .doc = "weight of the newest value in the level"},
    {.name = "beta", .fallback = 0.01, .min = 0, .max = 1, .doc = "weight of the newest step in the trend"},
    {.name = "gamma", .fallback = 0.1, .min = 0, .max = 1, .doc = "weight of the newest value in the season"},
    {.name = "threshold", .fallback = 6, .min = 0, .max = 1e6, .doc = "single residual that is an alarm, in sd"},
    {.name = "k", .fallback = 0.5, .min = 0, .max = 100, .doc = "residuals let pass in the sum, in sd"},
    {.name = "h", .fallback = 10, .min = 0, .max = 1e9, .doc = "sum of residuals that is an alarm, in sd"}};

// Additive Holt–Winters: two seasons to begin with, a third (30 values at least) for the spread of the residuals, then
// residuals against limits one by one and summed. What is far off enters level and season only up to three sd.
class Seasonal {
 public:
  static constexpr Stream kStream = Stream::kValues;
  explicit Seasonal(const Args& args)
      : period_(static_cast<std::uint32_t>(args[0])),
        alpha_(args[1]),
        beta_(args[2]),
        gamma_(period_ > 1 ? args[3] : 0),
        threshold_(args[4]),
        k_(args[5]),
        h_(args[6]),
        learns_(2.0 * period_),
        tests_(2.0 * period_ + std::max<double>(period_, 30)),
        season_(period_),
        first_(period_) {}

  State step(double x) {
    n_ += 1;
    if (n_ <= learns_) {
      collect(x);
      return State::kStable;
    }
    at_ = at_ + 1 == period_ ? 0 : at_ + 1;
    forecast_ = level_ + trend_ + season_[at_];
    value_ = x;
    const double residual = x - forecast_, spread = std::sqrt(variance_);
    const bool tested = n_ > tests_;
    // After a constant start there is no spread yet to bound by.
    const double bounded = tested && spread > 0 ? std::clamp(residual, -3 * spread, 3 * spread) : residual;
    const double old = level_;
    level_ += trend_ + alpha_ * bounded;
    trend_ += beta_ * (level_ - old - trend_);
    season_[at_] += gamma_ * (1 - alpha_) * bounded;
    residuals_ = std::min(residuals_ + 1, kMemory);
    variance_ += (bounded * bounded - variance_) / residuals_;
    if (!tested) return State::kStable;
    z_ = spread > 0 ? residual / spread : residual == 0 ? 0 : std::copysign(kInfinity, residual);
    rise_ = std::max(0.0, rise_ + z_ - k_);
    fall_ = std::max(0.0, fall_ - z_ - k_);
    rises_ = rise_ > 0 ? rises_ + 1 : 0;
    falls_ = fall_ > 0 ? falls_ + 1 : 0;
    return std::abs(z_) > threshold_ || std::max(rise_, fall_) > h_ ? State::kDrift : State::kStable;
  }

  Evidence evidence() const {
    const bool single = std::abs(z_) > threshold_, up = single ? z_ > 0 : rise_ > fall_;
    return {.statistic = single ? std::abs(z_) : std::max(rise_, fall_),
            .threshold = single ? threshold_ : h_,
            .direction = up ? Direction::kUp : Direction::kDown,
            .age = single ? 0 : (up ? rises_ : falls_) - 1,
            .before = forecast_,
            .after = value_};
  }
  // Two seasons are dear: level and season stay, and follow.
  void keep_recent() { rise_ = fall_ = rises_ = falls_ = 0; }
  double to_learn() const { return tests_ + 1 - n_; }
  void reset() {
    keep_recent();
    n_ = level_ = trend_ = variance_ = residuals_ = sum_ = 0;
    at_ = 0;
    std::fill(season_.begin(), season_.end(), 0.0);
    std::fill(first_.begin(), first_.end(), 0.0);
  }
  void fields(auto& io) {
    io(n_, level_, trend_, variance_, residuals_, sum_, rise_, fall_, rises_, falls_, at_, season_, first_);
  }
  bool valid() const { return at_ < period_ && n_ >= 0 && n_ == std::floor(n_) && residuals_ >= 0; }

 private:
  static constexpr double kMemory = 1000;

  void collect(double x) {
    const auto i = static_cast<std::size_t>(n_ - 1) % period_;
    if (n_ <= period_) {
      first_[i] = x;
      sum_ += x / period_;
      return;
    }
    season_[i] = x;
    level_ += x / period_;
    if (n_ < learns_) return;
    // level_ and sum_ are the means of the second and the first season, a season apart.
    trend_ = (level_ - sum_) / period_;
    const double middle = (level_ + sum_) / 2;
    for (std::uint32_t j = 0; j < period_; ++j) {
      const double along = trend_ * (j + 0.5 - period_ / 2.0);
      season_[j] = period_ > 1 ? (first_[j] + season_[j]) / 2 - middle - along : 0;
    }
    level_ += trend_ * (period_ - 1) / 2.0;
    at_ = period_ - 1;
  }

  std::uint32_t period_, at_ = 0;
  double alpha_, beta_, gamma_, threshold_, k_, h_, learns_, tests_;
  double n_ = 0, level_ = 0, trend_ = 0, variance_ = 0, residuals_ = 0, sum_ = 0;
  double rise_ = 0, fall_ = 0, rises_ = 0, falls_ = 0, forecast_ = 0, value_ = 0, z_ = 0;
  std::vector<double> season_, first_;
};

}  // namespace

constinit const Detector seasonal{.name = "seasonal",
                                  .summary = "Residuals of a seasonal forecast, one by one and summed",
                                  .paper = "Winters 1960; Gelper, Fried & Croux 2010",
                                  .stream = Seasonal::kStream,
                                  .params = kParams,
                                  .on_drift = OnDrift::kKeepRecent,
                                  .tuned = "h",
                                  .make = make<Seasonal>};

}  // namespace vigie::detect
