// SPDX-License-Identifier: Apache-2.0
#include "detect/rank_reference_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {
    {.name = "threshold", .fallback = 4, .min = 0, .max = 1e6, .doc = "statistic that is an alarm"},
    {.name = "reference",
     .fallback = 1000,
     .min = 20,
     .max = 10000,
     .doc = "first values, which later ones are held against",
     .whole = true},
    {.name = "window", .fallback = 100, .min = 5, .max = 10000, .doc = "newest values", .whole = true},
    {.name = "bandwidth",
     .fallback = 0.2,
     .min = 0.001,
     .max = 10,
     .doc = "width of the Gaussian kernel, as a share of the reference"}};

// Maximum mean discrepancy of the window's places in the reference. There the kernel is a table and its means over the
// reference are constants; sums are whole numbers, so a window that slides for years gathers no rounding.
class MmdOnline {
 public:
  static constexpr Stream kStream = Stream::kValues;
  explicit MmdOnline(const Args& args)
      : threshold_(args[0]),
        reference_(args[1], args.seed),
        size_(static_cast<std::uint32_t>(args[2])),
        window_(size_) {
    const std::uint32_t n = reference_.size();
    kernel_.resize(2 * n + 1);
    for (std::uint32_t i = 0; i <= 2 * n; ++i) {
      const double apart = i / (2.0 * n * args[3]);
      kernel_[i] = std::llround(kOne * std::exp(-apart * apart / 2));
    }
    // Places 2j + 1 of the reference itself: sums of every second kernel value, running outward.
    to_reference_.resize(2 * n + 1);
    for (std::uint32_t place = 0; place <= 2 * n; ++place) {
      if (place < 2) {
        for (std::uint32_t j = 0; j < n; ++j) to_reference_[place] += at(place, 2 * j + 1);
      } else {
        to_reference_[place] = to_reference_[place - 2] + at(place, 1) - at(place - 2, 2 * n - 1);
      }
    }
    for (std::uint32_t j = 0; j < n; ++j) within_reference_ += static_cast<double>(to_reference_[2 * j + 1]) / kOne;
    within_reference_ /= static_cast<double>(n) * n;
  }

  State step(double x) {
    if (!reference_.full()) return reference_.learn(x), State::kStable;
    const std::uint32_t place = reference_.place(x);
    if (held_ == size_) take(window_[at_], -1);
    window_[at_] = place;
    if (held_ < size_) ++held_;
    at_ = at_ + 1 == size_ ? 0 : at_ + 1;
    take(place, 1);
    if (held_ < size_) return State::kStable;
    const double w = size_, n = reference_.size();
    statistic_ = w * (static_cast<double>(within_) / kOne / (w * w) -
                      2 * static_cast<double>(across_) / kOne / (w * n) + within_reference_);
    return statistic_ > threshold_ ? State::kDrift : State::kStable;
  }

  Evidence evidence() const {
    double now = 0;
    for (const std::uint32_t place : window_) now += place / static_cast<double>(size_);
    return {.statistic = statistic_,
            .threshold = threshold_,
            .direction = direction_of(now - reference_.size()),
            .age = size_ - 1.0,
            .before = reference_.value(reference_.size()),
            .after = reference_.value(now)};
  }
  double to_learn() const { return reference_.missing() + (size_ - held_); }
  void reset() {
    reference_.clear();
    std::fill(window_.begin(), window_.end(), 0U);
    at_ = held_ = 0;
    within_ = across_ = 0;
  }
  void fields(auto& io) {
    reference_.fields(io);
    io(at_, held_, window_);
  }
  bool valid() {
    for (const std::uint32_t place : window_)
      if (place > 2 * reference_.size()) return false;
    if (!reference_.valid() || at_ >= size_ || held_ > size_ || (held_ < size_ && at_ != held_)) return false;
    within_ = across_ = 0;
    for (std::uint32_t i = 0; i < held_; ++i) {
      for (std::uint32_t j = 0; j < held_; ++j) within_ += at(window_[i], window_[j]);
      across_ += to_reference_[window_[i]];
    }
    return true;
  }

 private:
  static constexpr double kOne = 1 << 30;

  std::int64_t at(std::uint32_t a, std::uint32_t b) const { return kernel_[a > b ? a - b : b - a]; }
  // A place that has come into the window, or is about to leave it: it meets itself once and each other twice.
  void take(std::uint32_t place, std::int64_t sign) {
    std::int64_t sum = 0;
    for (std::uint32_t i = 0; i < held_; ++i) sum += at(window_[i], place);
    within_ += sign * (2 * sum - kernel_[0]);
    across_ += sign * to_reference_[place];
  }

  double threshold_;
  RankReference reference_;
  std::uint32_t size_, at_ = 0, held_ = 0;
  std::vector<std::uint32_t> window_;
  std::vector<std::int64_t> kernel_, to_reference_;
  double within_reference_ = 0, statistic_ = 0;
  std::int64_t within_ = 0, across_ = 0;
};

}  // namespace

constinit const Detector mmd_online{.name = "mmd_online",
                                    .summary = "Newest values against a reference, by the maximum mean discrepancy",
                                    .paper = "Gretton et al. 2012; Cobb, Van Looveren & Klaise 2022",
                                    .stream = MmdOnline::kStream,
                                    .params = kParams,
                                    .tuned = "threshold",
                                    .make = make<MmdOnline>};

}  // namespace vigie::detect
