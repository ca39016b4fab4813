// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

namespace vigie::detect {

/// The newest `capacity` events of a stream, a bit each, and how many of them were errors.
class BitWindow {
 public:
  explicit BitWindow(double capacity) : capacity_(static_cast<std::uint32_t>(capacity)), bits_(capacity_) {}

  struct Pushed {
    bool evicted, bit;  ///< whether one had to leave, and what it was
  };
  Pushed push(bool bit) {
    const bool was_full = full();
    std::uint32_t end = head_;
    if (!was_full) {
      end += size_++;
      if (end >= capacity_) end -= capacity_;
    }
    // Beyond size() all are 0.
    const std::uint8_t old = bits_[end];
    bits_[end] = bit;
    ones_ += bit - static_cast<std::uint32_t>(old);
    if (was_full) head_ = head_ + 1 == capacity_ ? 0 : head_ + 1;
    return {was_full, old != 0};
  }
  /// Counted from the oldest.
  bool operator[](std::uint32_t i) const { return bits_[head_ + i < capacity_ ? head_ + i : head_ + i - capacity_]; }
  /// Drops all but the newest `keep`.
  void keep_newest(std::uint32_t keep) {
    while (size_ > keep) {
      ones_ -= bits_[head_];
      bits_[head_] = 0;
      head_ = head_ + 1 == capacity_ ? 0 : head_ + 1;
      --size_;
    }
  }
  bool full() const { return size_ == capacity_; }
  std::uint32_t missing() const { return capacity_ - size_; }
  std::uint32_t size() const { return size_; }
  std::uint32_t ones() const { return ones_; }
  void clear() {
    head_ = size_ = ones_ = 0;
    std::fill(bits_.begin(), bits_.end(), std::uint8_t{0});
  }
  /// A byte for each while they are at work, so that one need not wait for the one before it; a bit in what is saved.
  void fields(auto& io) {
    std::vector<std::uint64_t> words((capacity_ + 63) / 64);
    for (std::uint32_t i = 0; i < capacity_; ++i) words[i >> 6] |= std::uint64_t{bits_[i]} << (i & 63);
    io(head_, size_, words);
    for (std::uint32_t i = 0; i < capacity_; ++i) bits_[i] = words[i >> 6] >> (i & 63) & 1;
  }
  /// Counts anew what fields() did not carry.
  bool restore() {
    if (head_ >= capacity_ || size_ > capacity_) return false;
    ones_ = 0;
    for (std::uint32_t i = 0; i < size_; ++i) ones_ += (*this)[i];
    return std::accumulate(bits_.begin(), bits_.end(), 0U) == ones_;
  }

 private:
  std::uint32_t capacity_, head_ = 0, size_ = 0, ones_ = 0;
  std::vector<std::uint8_t> bits_;
};

}  // namespace vigie::detect
