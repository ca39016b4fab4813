// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace vigie::detect {

/// CPython's random.Random(seed): the Mersenne Twister MT19937 (Matsumoto & Nishimura 1998) as that program seeds and
/// reads it. For parity with programs written in it; everything else uses base/rng.h.
class PythonRandom {
 public:
  explicit PythonRandom(std::uint32_t seed) { reseed(seed); }

  /// init_by_array with the one key that a small seed is.
  void reseed(std::uint32_t seed) {
    start(19650218);
    std::uint32_t i = 1;
    for (std::uint32_t k = 0; k < kSize; ++k) {
      words_[i] = (words_[i] ^ ((words_[i - 1] ^ (words_[i - 1] >> 30)) * 1664525U)) + seed;
      if (++i == kSize) words_[0] = words_[kSize - 1], i = 1;
    }
    for (std::uint32_t k = 0; k + 1 < kSize; ++k) {
      words_[i] = (words_[i] ^ ((words_[i - 1] ^ (words_[i - 1] >> 30)) * 1566083941U)) - i;
      if (++i == kSize) words_[0] = words_[kSize - 1], i = 1;
    }
    words_[0] = 0x80000000U;
    at_ = kSize;
  }
  std::uint32_t word() {
    if (at_ >= kSize) twist();
    std::uint32_t y = words_[at_++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680U;
    y ^= (y << 15) & 0xefc60000U;
    return y ^ (y >> 18);
  }
  /// random(): 53 bits in [0, 1).
  double uniform() {
    const std::uint32_t a = word() >> 5, b = word() >> 6;
    return (a * 67108864.0 + b) / 9007199254740992.0;
  }
  /// randrange(bound), 0 < bound < 2³¹.
  std::uint32_t below(std::uint32_t bound) {
    const auto bits = std::bit_width(bound | 1U);  // never 0
    std::uint32_t value = bound;
    while (value >= bound) value = word() >> (32 - bits);
    return value;
  }
  void fields(auto& io) { io(words_, at_); }
  bool valid() const { return at_ <= kSize; }

 protected:
  static constexpr std::uint32_t kSize = 624, kMiddle = 397;
  void start(std::uint32_t seed) {
    words_[0] = seed;
    for (std::uint32_t i = 1; i < kSize; ++i) words_[i] = 1812433253U * (words_[i - 1] ^ (words_[i - 1] >> 30)) + i;
    at_ = kSize;
  }

 private:
  void twist() {
    for (std::uint32_t i = 0; i < kSize; ++i) {
      const std::uint32_t y = (words_[i] & 0x80000000U) | (words_[(i + 1) % kSize] & 0x7fffffffU);
      words_[i] = words_[(i + kMiddle) % kSize] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfU : 0);
    }
    at_ = 0;
  }
  std::array<std::uint32_t, kSize> words_;
  std::uint32_t at_;
};

}  // namespace vigie::detect
