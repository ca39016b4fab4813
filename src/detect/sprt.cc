// SPDX-License-Identifier: Apache-2.0
#include "detect/monitor_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {
    {.name = "alpha", .fallback = 0.01, .min = 1e-300, .max = 0.5, .doc = "probability of ever raising a false alarm"},
    {.name = "effect",
     .fallback = 0.5,
     .min = 1e-6,
     .max = 1e6,
     .doc = "size of change it is tuned to, in standard deviations"},
    {.name = "clock",
     .fallback = 32,
     .min = 1,
     .max = 1e6,
     .doc = "values between two looks, and between two possible changes",
     .whole = true}};

// For each of some possible times k of a change: what the values since k say against those before, by the Bayes factor
// of a normal effect of scale `effect` and a common unknown mean and variance. Under right Haar priors on the latter it
// is a test martingale of the values' invariants (Hendriksen, de Heide & Grünwald 2021), 1 until k, so by Ville's
// inequality the j-th one ever exceeds j(j+1)/α with probability α/(j(j+1)) at most, and these sum to α. Forgetting
// a possible time, by a rule that does not look at the values, takes nothing from that.
struct Candidate {
  double price, n, sum;  // ln j(j+1) of the j-th; values before it, and their sum
};

class Sprt {
 public:
  static constexpr Stream kStream = Stream::kValues;
  explicit Sprt(const Args& args)
      : threshold_(-std::log(args[0])),
        precision_(args[1] * args[1]),
        clock_(static_cast<std::int64_t>(args[2])),
        candidates_(kMost) {}

  State step(double x) {
    if (n_ == 0) origin_ = x;
    const double centred = x - origin_;
    const double before = n_ > 0 ? centred - total_ / n_ : 0;
    n_ += 1;
    total_ += centred;
    squares_ += before * (centred - total_ / n_);
    if (++tick_ < clock_) [[likely]]
      return State::kStable;
    tick_ = 0;
    const State state = look();
    if (state == State::kStable) add_candidate();
    return state;
  }

  Evidence evidence() const {
    const Candidate& best = candidates_[best_];
    const double before = best.sum / best.n, after = (total_ - best.sum) / (n_ - best.n);
    return {.statistic = statistic_,
            .threshold = threshold_,
            .direction = direction_of(after - before),
            .age = n_ - best.n - 1,
            .before = origin_ + before,
            .after = origin_ + after};
  }
  double to_learn() const { return 2. * static_cast<double>(clock_) - n_; }
  void reset() {
    origin_ = n_ = total_ = squares_ = made_ = 0;
    tick_ = 0;
    held_ = 0;
  }
  void fields(auto& io) {
    io(origin_, n_, total_, squares_, made_, tick_, held_);
    for (std::uint32_t i = 0; i < std::min(held_, kMost); ++i)
      io(candidates_[i].price, candidates_[i].n, candidates_[i].sum);
  }
  bool valid() const { return held_ <= kMost && tick_ >= 0 && tick_ < clock_; }

 private:
  static constexpr std::uint32_t kMost = 40;

  State look() {
    double best = threshold_;
    for (std::uint32_t i = 0; i < held_; ++i) {
      const Candidate& candidate = candidates_[i];
      const double m = n_ - candidate.n, weight = candidate.n * m / n_;
      const double apart = (total_ - candidate.sum) / m - candidate.sum / candidate.n;
      const double shrunk = precision_ * weight / (1 + precision_ * weight);
      // Values that are all the same speak for no change.
      const double rest = squares_ > 0 ? 1 - shrunk * weight * apart * apart / squares_ : 1;
      // -ln x is at most (1 - x) / x: most need no logarithm.
      if (rest > 0 && 0.5 * (n_ - 1) * (1 - rest) <= rest * (best + candidate.price)) continue;
      // ln of the Bayes factor over j(j+1)
      const double found =
          0.5 * std::log1p(-shrunk) - (rest > 0 ? 0.5 * (n_ - 1) * std::log(rest) : -kInfinity) - candidate.price;
      if (found > best) best = statistic_ = found, best_ = i;
    }
    return best > threshold_ ? State::kDrift : State::kStable;
  }

  // Times are thinned with age, so that their distances grow with it: of three neighbours the middle one goes where the
  // outer ones are nearest to each other for their age.
  void add_candidate() {
    if (held_ == kMost) {
      std::uint32_t victim = 1;
      double closest = kInfinity;
      for (std::uint32_t i = 1; i + 1 < held_; ++i) {
        const double gap = (candidates_[i + 1].n - candidates_[i - 1].n) / (n_ - candidates_[i].n);
        if (gap < closest) closest = gap, victim = i;
      }
      for (std::uint32_t i = victim + 1; i < held_; ++i) candidates_[i - 1] = candidates_[i];
      --held_;
    }
    made_ += 1;
    candidates_[held_++] = {std::log(made_ * (made_ + 1)), n_, total_};
  }

  double threshold_, precision_;
  std::int64_t clock_, tick_ = 0;
  double origin_ = 0, n_ = 0, total_ = 0, squares_ = 0, made_ = 0, statistic_ = 0;
  std::uint32_t held_ = 0, best_ = 0;
  std::vector<Candidate> candidates_;
};

}  // namespace

constinit const Detector sprt{
    .name = "sprt",
    .summary = "Mixture of sequential tests that ever raises a false alarm with probability alpha",
    .paper = "Robbins 1970; Hendriksen, de Heide & Grünwald 2021",
    .stream = Sprt::kStream,
    .params = kParams,
    .make = make<Sprt>};

}  // namespace vigie::detect
