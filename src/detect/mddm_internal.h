// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "detect/bit_window_internal.h"
#include "detect/monitor_internal.h"

namespace vigie::detect {

/// The three MDDM detectors (Pesaranghader, Viktor & Paquet 2018): a weighted share of correct predictions in a window
/// against the best it has been, by McDiarmid's bound. Weights, oldest to newest: kArithmetic 1 + i·step,
/// kEuler e^(step·i), kGeometric (1 + step)^i, all divided by their sum.
enum class Weights : std::uint8_t { kArithmetic, kEuler, kGeometric };

template <Weights kWeights>
class Mddm {
 public:
  static constexpr Stream kStream = Stream::kErrors;
  static Status check(const Args& args) {
    if (args[1] > args[2]) return fail(Code::kUsage, "mddm: drift_confidence must not be above warning_confidence");
    return {};
  }
  explicit Mddm(const Args& args)
      : n_(args[0]),
        step_(args[3]),
        ratio_(kWeights == Weights::kEuler ? std::exp(step_) : 1 + step_),
        newest_(std::pow(ratio_, n_ - 1)),
        bits_(args[0]) {
    double sum = 0, squares = 0;
    for (int i = 0; i < static_cast<int>(n_); ++i) {
      const double weight = kWeights == Weights::kArithmetic ? 1 + i * step_ : std::pow(ratio_, i);
      sum += weight;
      squares += weight * weight;
    }
    total_ = sum;
    drift_ = std::sqrt(squares / (sum * sum) * -std::log(args[1]) / 2);
    warning_ = std::sqrt(squares / (sum * sum) * -std::log(args[2]) / 2);
  }

  State step(double x) {
    const bool correct = !(x > 0.5);
    const std::uint32_t before = bits_.ones();
    const auto [evicted, old] = bits_.push(correct);
    if constexpr (kWeights == Weights::kArithmetic) {
      // Σ i·bit, whole numbers: when the window slides every remaining bit loses one.
      if (evicted) ranks_ -= before - old;
      if (correct) ranks_ += bits_.size() - 1;
    } else if (evicted) {
      ranks_ = (ranks_ - old) / ratio_ + (correct ? newest_ : 0);
    } else if (correct) {
      ranks_ += std::pow(ratio_, bits_.size() - 1);
    }
    if (!bits_.full()) return State::kStable;
    mean_ = (kWeights == Weights::kArithmetic ? bits_.ones() + step_ * ranks_ : ranks_) / total_;
    best_ = std::max(best_, mean_);
    const double fall = best_ - mean_;
    if (!(fall > warning_)) [[likely]]
      return State::kStable;
    return fall > drift_ ? State::kDrift : State::kWarning;
  }

  Evidence evidence() const {
    return {.statistic = best_ - mean_,
            .threshold = best_ - mean_ > drift_ ? drift_ : warning_,
            .direction = Direction::kUp,
            .age = n_ - 1,
            .before = 1 - best_,
            .after = 1 - mean_};
  }
  double to_learn() const { return bits_.missing(); }
  void reset() {
    bits_.clear();
    ranks_ = mean_ = best_ = 0;
  }
  void fields(auto& io) {
    io(ranks_, mean_, best_);
    bits_.fields(io);
  }
  bool valid() { return bits_.restore(); }

 private:
  double n_, step_, ratio_, newest_, total_ = 0, drift_ = 0, warning_ = 0;
  double ranks_ = 0, mean_ = 0, best_ = 0;
  BitWindow bits_;
};

inline constexpr Param kMddmParams[] = {
    {.name = "window_size", .fallback = 100, .min = 2, .max = 10000, .doc = "values in the window", .whole = true},
    {.name = "drift_confidence", .fallback = 1e-6, .min = 1e-300, .max = 1, .doc = "level of the drift test"},
    {.name = "warning_confidence", .fallback = 5e-6, .min = 1e-300, .max = 1, .doc = "level of the warning test"},
    {.name = "step", .fallback = 0.01, .min = 0, .max = 0.05, .doc = "by how much weights grow"}};

}  // namespace vigie::detect
