// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/hash.h"
#include "detect/monitor_internal.h"

namespace vigie::detect {

/// A fixed sample of the stream's beginning, and the place of later values in it. Both online two-sample tests see the
/// stream through it alone, so that their run lengths hold whatever the law of the values: one that equals some of the
/// reference is placed among them at random, as if each had digits of its own behind the last one. In their middle,
/// values that are nearly all the same would look like a window of another law.
class RankReference {
 public:
  RankReference(double size, std::uint64_t seed)
      : size_(static_cast<std::uint32_t>(size)), seed_(mix64(seed)), values_(size_) {}
  bool full() const { return held_ == size_; }
  std::uint32_t missing() const { return size_ - held_; }
  void learn(double x) {
    values_[held_++] = x;
    if (full()) std::sort(values_.begin(), values_.end());
  }
  std::uint32_t size() const { return size_; }
  /// Twice the number of reference values below x, with some of those equal to it: 0 … 2·size(), always even; the
  /// places of the reference's own values are the odd ones.
  std::uint32_t place(double x) {
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
    if (below == size_ || values_[below] != x) return 2 * below;
    const std::uint32_t equal = at(x, true) - below;
    return 2 * (below + static_cast<std::uint32_t>(mix64(seed_ + ++draws_ * 0x9e3779b97f4a7c15U) % (equal + 1)));
  }
  /// The value at a place, those beyond the reference at its ends.
  double value(double place) const {
    return values_[static_cast<std::size_t>(std::clamp(place / 2, 0.0, size_ - 1.0))];
  }
  void clear() {
    held_ = 0;
    draws_ = 0;
    std::fill(values_.begin(), values_.end(), 0.0);
  }
  void fields(auto& io) { io(held_, draws_, values_); }
  bool valid() const {
    for (const double value : values_)
      if (!std::isfinite(value)) return false;
    return held_ <= size_ && (!full() || std::is_sorted(values_.begin(), values_.end()));
  }

 private:
  std::uint32_t size_, held_ = 0;
  std::uint64_t seed_, draws_ = 0;
  std::vector<double> values_;
};

}  // namespace vigie::detect
