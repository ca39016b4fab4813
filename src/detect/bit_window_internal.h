// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace vigie::detect {

/// The newest `capacity` events of a stream, a bit each, and how many of them were errors.
class BitWindow {
 public:
  explicit BitWindow(double capacity)
      : capacity_(static_cast<std::uint32_t>(capacity)), words_((capacity_ + 63) / 64) {}

  struct Pushed {
    bool evicted, bit;  ///< whether one had to leave, and what it was
  };
  Pushed push(bool bit) {
    const bool was_full = full(), old = was_full && at(head_);
    if (was_full) ones_ -= old;
    std::uint32_t end = was_full ? head_ : head_ + size_;
    if (end >= capacity_) end -= capacity_;
    const std::uint64_t mask = 1ULL << (end & 63);
    words_[end >> 6] = (words_[end >> 6] & ~mask) | (bit ? mask : 0);
    ones_ += bit;
    if (was_full)
      head_ = head_ + 1 == capacity_ ? 0 : head_ + 1;
    else
      ++size_;
    return {was_full, old};
  }
  /// Counted from the oldest.
  bool operator[](std::uint32_t i) const { return at(head_ + i < capacity_ ? head_ + i : head_ + i - capacity_); }
  /// Drops all but the newest `keep`.
  void keep_newest(std::uint32_t keep) {
    while (size_ > keep) {
      ones_ -= at(head_);
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
    words_.assign(words_.size(), 0);
  }
  void fields(auto& io) { io(head_, size_, words_); }
  /// Counts anew what fields() did not carry.
  bool restore() {
    if (head_ >= capacity_ || size_ > capacity_) return false;
    ones_ = 0;
    for (std::uint32_t i = 0; i < size_; ++i) ones_ += (*this)[i];
    return true;
  }

 private:
  bool at(std::uint32_t i) const { return words_[i >> 6] >> (i & 63) & 1; }
  std::uint32_t capacity_, head_ = 0, size_ = 0, ones_ = 0;
  std::vector<std::uint64_t> words_;
};

}  // namespace vigie::detect
