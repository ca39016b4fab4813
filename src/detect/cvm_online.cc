// SPDX-License-Identifier: Apache-2.0
#include "detect/rank_reference_internal.h"
#include "detect/sorted_window_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {
    {.name = "threshold", .fallback = 4, .min = 0, .max = 1e6, .doc = "statistic that is an alarm"},
    {.name = "reference",
     .fallback = 1000,
     .min = 20,
     .max = 1e6,
     .doc = "first values, which later ones are held against",
     .whole = true},
    {.name = "window", .fallback = 100, .min = 5, .max = 10000, .doc = "newest values", .whole = true}};

// Cramér and von Mises' statistic of the window's places in the reference, shrunk for the reference being a sample too.
class CvmOnline {
 public:
  static constexpr Stream kStream = Stream::kValues;
  explicit CvmOnline(const Args& args)
      : threshold_(args[0]),
        reference_(args[1], args.seed),
        window_(static_cast<std::uint32_t>(args[2])),
        scale_(args[1] / (args[1] + args[2])),
        unit_(1 / (2 * args[1] + 2)) {}

  State step(double x) {
    if (!reference_.full()) return reference_.learn(x), State::kStable;
    window_.push(reference_.place(x));
    if (!window_.full()) return State::kStable;
    const double* places = window_.sorted().data();
    const std::uint32_t n = window_.size();
    const double grid = 1.0 / n;
    double sum = grid / 12;
    for (std::uint32_t i = 0; i < n; ++i) {
      const double off = (places[i] + 1) * unit_ - (i + 0.5) * grid;
      sum += off * off;
    }
    statistic_ = sum * scale_;
    return statistic_ > threshold_ ? State::kDrift : State::kStable;
  }

  Evidence evidence() const {
    const double middle = reference_.size(), now = window_.mean();
    return {.statistic = statistic_,
            .threshold = threshold_,
            .direction = direction_of(now - middle),
            .age = window_.size() - 1.0,
            .before = reference_.value(middle),
            .after = reference_.value(now)};
  }
  double to_learn() const { return reference_.missing() + window_.missing(); }
  void reset() {
    reference_.clear();
    window_.clear();
  }
  void fields(auto& io) {
    reference_.fields(io);
    window_.fields(io);
  }
  bool valid() { return reference_.valid() && window_.restore(); }

 private:
  double threshold_;
  RankReference reference_;
  SortedWindow window_;
  double scale_, unit_, statistic_ = 0;
};

}  // namespace

constinit const Detector cvm_online{.name = "cvm_online",
                                    .summary = "Newest values against a reference, by Cramér and von Mises' statistic",
                                    .paper = "Ross & Adams 2012; Cobb, Van Looveren & Klaise 2022",
                                    .stream = CvmOnline::kStream,
                                    .params = kParams,
                                    .tuned = "threshold",
                                    .make = make<CvmOnline>};

}  // namespace vigie::detect
