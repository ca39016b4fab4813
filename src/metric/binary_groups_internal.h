// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <vector>

#include "metric/binary.h"

namespace vigie::metric {

/// Calls f(score, positives, negatives) for each score of a sorted state, ascending.
template <class F>
void each_score(const BinaryState& state, F f) {
  Runs positive(state.positive()), negative(state.negative());
  while (!positive.done() || !negative.done()) {
    const double score = positive.done()   ? negative.value()
                         : negative.done() ? positive.value()
                                           : std::min(positive.value(), negative.value());
    const double ones = !positive.done() && positive.value() == score ? static_cast<double>(positive.next()) : 0;
    const double zeros = !negative.done() && negative.value() == score ? static_cast<double>(negative.next()) : 0;
    f(score, ones, zeros);
  }
}

/// Rows in the order of scores, cut into bins of equal counts (of n % bins of them, one more). Rows of one score that
/// lie on both sides of a bound are shared out in proportion, so that their order does not matter.
class CalibrationBins {
 public:
  static constexpr int kBins = 15;
  struct Bin {
    double rows = 0, positives = 0, scores = 0;  ///< counts, and the sum of scores
    double squares = 0;                          ///< Σ (y − score)²
  };
  /// Of `n` rows, which add() will bring in ascending order.
  explicit CalibrationBins(double n) : n_(n) {
    bins_.reserve(kBins + 1);
    open();
  }
  void add(double score, double positives, double rows) {
    const double share = positives / rows;
    while (rows > 0) {
      Bin& bin = bins_.back();
      const double part = std::min(rows, room_ - bin.rows);
      bin.rows += part;
      bin.positives += part * share;
      bin.scores += part * score;
      bin.squares += part * (share * (1 - score) * (1 - score) + (1 - share) * score * score);
      rows -= part;
      if (bin.rows >= room_) open();
    }
  }
  /// Those with rows.
  std::vector<Bin> bins() const {
    std::vector<Bin> out;
    std::copy_if(bins_.begin(), bins_.end(), std::back_inserter(out), [](const Bin& bin) { return bin.rows > 0; });
    return out;
  }

 private:
  void open() {
    const double whole = std::floor(n_ / kBins), longer = n_ - whole * kBins;
    const auto index = static_cast<double>(bins_.size());
    room_ = whole + (index < longer ? 1 : 0);
    // What rounding leaves over goes into one more bin, which is empty otherwise.
    if (room_ == 0 || index >= kBins) room_ = n_ + 1;
    bins_.emplace_back();
  }
  double n_, room_ = 0;
  std::vector<Bin> bins_;
};

}  // namespace vigie::metric
