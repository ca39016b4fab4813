// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "detect/monitor_internal.h"

namespace vigie::detect {

/// A fixed sample of the stream's beginning, and the place of later values in it. Both online two-sample tests see the
/// stream through it alone, so that their run lengths hold whatever the law of the values, as long as it is
/// continuous; ties are placed in their middle, which makes the tests more silent.
class RankReference {
 public:
  explicit RankReference(double size) : size_(static_cast<std::uint32_t>(size)), values_(size_) {}
  bool full() const { return held_ == size_; }
  void learn(double x) {
    values_[held_++] = x;
    if (full()) std::sort(values_.begin(), values_.end());
  }
  std::uint32_t size() const { return size_; }
  /// Twice the number of reference values below x, plus those equal to it: 0 … 2·size().
  std::uint32_t place(double x) const {
    const auto at = [&](double value, bool inclusive) {
      const double* base = values_.data();
      for (std::uint32_t length = size_; length > 0;) {
        const std::uint32_t half = (length + 1) / 2;
        const bool right = inclusive ? base[half - 1] <= value : base[half - 1] < value;
        base = right ? base + half : base;
        length -= half;
      }
      return static_cast<std::uint32_t>(base - values_.data());
    };
    const std::uint32_t below = at(x, false);
    return below + (below < size_ && values_[below] == x ? at(x, true) : below);
  }
  /// The value at a place, those beyond the reference at its ends.
  double value(double place) const {
    return values_[static_cast<std::size_t>(std::clamp(place / 2, 0.0, size_ - 1.0))];
  }
  void clear() {
    held_ = 0;
    std::fill(values_.begin(), values_.end(), 0.0);
  }
  void fields(auto& io) { io(held_, values_); }
  bool valid() const {
    for (const double value : values_)
      if (!std::isfinite(value)) return false;
    return held_ <= size_ && (!full() || std::is_sorted(values_.begin(), values_.end()));
  }

 private:
  std::uint32_t size_, held_ = 0;
  std::vector<double> values_;
};

}  // namespace vigie::detect
