// SPDX-License-Identifier: Apache-2.0
#include <numbers>

#include "detect/deviates_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {{.name = "model",
                              .fallback = 0,
                              .min = 0,
                              .max = 2,
                              .doc = "unknown mean; unknown mean and variance; share of values above 0.5",
                              .choices = "gaussian|normal_gamma|bernoulli"},
                             {.name = "prior_mean",
                              .fallback = 0,
                              .min = -1e12,
                              .max = 1e12,
                              .doc = "where a mean is expected (bernoulli: 0 stands for 0.5)"},
                             {.name = "prior_var",
                              .fallback = 1,
                              .min = 1e-12,
                              .max = 1e24,
                              .doc = "how far from there, as a variance (normal_gamma: in variances of the data)"},
                             {.name = "data_var",
                              .fallback = 1,
                              .min = 1e-24,
                              .max = 1e24,
                              .doc = "variance of the values around their mean (normal_gamma: a guess)"},
                             {.name = "hazard",
                              .fallback = 0.01,
                              .min = 1e-12,
                              .max = 0.5,
                              .doc = "probability that the next value begins a change"},
                             {.name = "min_num_instances",
                              .fallback = 30,
                              .min = 1,
                              .max = 1e9,
                              .doc = "values before the first alarm",
                              .whole = true},
                             {.name = "max_runs",
                              .fallback = 128,
                              .min = 8,
                              .max = 4096,
                              .doc = "run lengths held; the least likely one gives way",
                              .whole = true},
                             kStandardiseParam};

// Γ(a + 1/2) / Γ(a), to 1e-9.
double half_step(double a) {
  double shift = 1;
  while (a < 12) {
    shift *= a / (a + 0.5);
    a += 1;
  }
  const double b = 1 / a;
  return shift * std::sqrt(a) * (1 + b * (-1. / 8 + b * (1. / 128 + b * (5. / 1024 - b * 21. / 32768))));
}

enum class Model { kGaussian, kNormalGamma, kBernoulli };

// A hypothesis: the last change came `run` values ago.
struct Run {
  double weight, run;
  double mean;    // posterior mean; bernoulli: ones so far
  double spread;  // normal_gamma: posterior β
  double before;  // sum of the values before it
};

class Bocd {
 public:
  static constexpr Stream kStream = Stream::kValues;
  explicit Bocd(const Args& args)
      : model_(static_cast<Model>(static_cast<int>(args[0]))),
        prior_mean_(args[1]),
        prior_precision_(1 / args[2]),
        data_var_(args[3]),
        hazard_(args[4]),
        min_(args[5]),
        standardise_(args[7] == 1),
        runs_(static_cast<std::size_t>(args[6]) + 1) {
    reset();
  }

  State step(double x) {
    n_ += 1;
    const double z = standardise_ ? deviates_.of(x) : x;
    earlier_ = sum_;
    newest_ = x;
    sum_ += x;
    double change = 0, all = 0;
    for (std::uint32_t i = 0; i < held_; ++i) {
      Run& run = runs_[i];
      const double joint = run.weight * predict(run, z);
      change += joint * hazard_;
      run.weight = joint * (1 - hazard_);
      all += joint;
      learn(run, z);
    }
    // So far from everything held that all densities are zero: nothing is told apart, so start a new run.
    if (!(all > 1e-280)) {
      change = all = 1;
      for (std::uint32_t i = 0; i < held_; ++i) runs_[i].weight = 0;
    }
    runs_[held_++] = fresh(change);
    std::uint32_t best = 0, kept = 0;
    for (std::uint32_t i = 0; i < held_; ++i) {
      Run run = runs_[i];
      run.weight /= all;
      // The newest may grow; of the others, what has lost its weight is gone for good.
      if (run.weight < kLeast && i + 1 != held_) continue;
      runs_[kept] = run;
      if (run.weight > runs_[best].weight) best = kept;
      ++kept;
    }
    held_ = kept;
    if (held_ == runs_.size()) drop_least(best);
    best_ = runs_[best].run;
    probability_ = runs_[best].weight;
    return best_ < n_ && n_ >= min_ ? State::kDrift : State::kStable;
  }

  Evidence evidence() const {
    const Run* run = &runs_[0];
    for (std::uint32_t i = 0; i < held_; ++i)
      if (runs_[i].run == best_) run = &runs_[i];
    // Of a change at the newest value, that is all there is of what came after.
    const double before = best_ == 0   ? earlier_ / (n_ - 1)
                          : best_ < n_ ? run->before / (n_ - best_)
                                       : kNaN,
                 after = best_ == 0 ? newest_ : (sum_ - run->before) / best_;
    double first = 0;
    for (std::uint32_t i = 0; i < held_; ++i)
      if (runs_[i].run == n_) first = runs_[i].weight;
    return {.statistic = probability_,
            .threshold = first,
            .direction = direction_of(after - before),
            .age = std::max(best_ - 1, 0.0),
            .before = before,
            .after = after};
  }
  double to_learn() const { return min_ - n_; }
  void reset() {
    n_ = sum_ = earlier_ = newest_ = best_ = probability_ = 0;
    deviates_.reset();
    runs_[0] = fresh(1);
    held_ = 1;
  }
  void fields(auto& io) {
    io(n_, sum_, held_);
    for (std::uint32_t i = 0; i < std::min<std::size_t>(held_, runs_.size()); ++i)
      io(runs_[i].weight, runs_[i].run, runs_[i].mean, runs_[i].spread, runs_[i].before);
    if (standardise_) deviates_.fields(io);
  }
  bool valid() const {
    if (held_ == 0 || held_ >= runs_.size()) return false;
    for (std::uint32_t i = 0; i < held_; ++i)
      if (!(runs_[i].run >= 0 && runs_[i].run <= n_ && runs_[i].weight >= 0 && runs_[i].weight <= 1)) return false;
    return true;
  }

 private:
  static constexpr double kLeast = 1e-6;

  Run fresh(double weight) const {
    if (model_ == Model::kBernoulli) return {weight, 0, 0, 0, sum_};
    return {weight, 0, prior_mean_, data_var_, sum_};
  }
  // The density of the next value, up to a factor that all runs share.
  double predict(const Run& run, double x) const {
    const double off = x - run.mean;
    if (model_ == Model::kGaussian) {
      const double variance = data_var_ + 1 / (prior_precision_ + run.run / data_var_);
      return std::exp(-off * off / (2 * variance)) / std::sqrt(variance);
    }
    if (model_ == Model::kBernoulli) {
      const double one = (run.mean + 0.5) / (run.run + 1);
      return x > 0.5 ? one : 1 - one;
    }
    const double kappa = prior_precision_ + run.run, alpha = 1 + run.run / 2;
    const double scale = run.spread * (kappa + 1) / kappa;  // of the squared t, times α
    return half_step(alpha) / std::sqrt(scale) * std::exp(-(alpha + 0.5) * std::log1p(off * off / (2 * scale)));
  }
  void learn(Run& run, double x) const {
    const double off = x - run.mean;
    if (model_ == Model::kGaussian) {
      run.mean += off / (prior_precision_ * data_var_ + run.run + 1);
    } else if (model_ == Model::kBernoulli) {
      run.mean += x > 0.5;
    } else {
      const double kappa = prior_precision_ + run.run;
      run.spread += kappa * off * off / (2 * (kappa + 1));
      run.mean += off / (kappa + 1);
    }
    run.run += 1;
  }
  void drop_least(std::uint32_t& best) {
    std::uint32_t least = best == 0 ? 1 : 0;
    for (std::uint32_t i = 0; i + 1 < held_; ++i)
      if (i != best && runs_[i].weight < runs_[least].weight) least = i;
    for (std::uint32_t i = least + 1; i < held_; ++i) runs_[i - 1] = runs_[i];
    best -= least < best;
    --held_;
  }

  Model model_;
  double prior_mean_, prior_precision_, data_var_, hazard_, min_;
  bool standardise_;
  double n_ = 0, sum_ = 0, earlier_ = 0, newest_ = 0, best_ = 0, probability_ = 0;
  std::uint32_t held_ = 0;
  std::vector<Run> runs_;
  Deviates deviates_;
};

}  // namespace

constinit const Detector bocd{.name = "bocd",
                              .summary = "Probability of each time since the last change, by Bayes' rule",
                              .paper = "Adams & MacKay 2007",
                              .stream = Bocd::kStream,
                              .params = kParams,
                              .tuned = "hazard",
                              .freed_by = "standardise",
                              .make = make<Bocd>};

}  // namespace vigie::detect
