// SPDX-License-Identifier: Apache-2.0
#include "sketch/hyperloglog.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "base/hash.h"

namespace vigie::sketch {
namespace {

constexpr std::uint8_t kVersion = 1;

// σ(x) = x + Σ x^(2^k) 2^(k−1), Ertl 2017: what empty registers say.
double sigma(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double y = 1, z = x, before;
  do {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  } while (z != before);
  return z;
}

// τ(x) = (1 − x − Σ (1 − x^(2^−k))² 2^(−k)) / 3: what saturated registers say.
double tau(double x) {
  if (x == 0 || x == 1) return 0;
  double y = 1, z = 1 - x, before;
  do {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  } while (z != before);
  return z / 3;
}

}  // namespace

HyperLogLog::HyperLogLog(unsigned p) : p_(std::clamp(p, kFewest, kMost)) {}

void HyperLogLog::update(std::uint64_t hash) {
  exact() ? insert(hash) : raise(hash);
}

void HyperLogLog::update(std::span<const std::uint64_t> hashes) {
  std::size_t i = 0;
  for (; i < hashes.size() && exact(); ++i) insert(hashes[i]);
  while (i < hashes.size()) {
    if (raised_ >= registers_.size()) {
      lowest_ = *std::min_element(registers_.begin(), registers_.end());
      raised_ = 0;
    }
    // A run of zeros no longer than the lowest register's raises none: of many values, most.
    const std::uint64_t mask = lowest_ ? ~0ULL << (64 - lowest_) : 0;
    for (; i < hashes.size() && raised_ < registers_.size(); ++i) {
      if (hashes[i] << p_ & mask) continue;
      raise(hashes[i]);
      ++raised_;
    }
  }
}

void HyperLogLog::raise(std::uint64_t hash) {
  // The set bit below the hash bits ends the run of zeros at its longest, 64 − p.
  const int rank = std::countl_zero(hash << p_ | 1ULL << (p_ - 1)) + 1;
  std::uint8_t& held = registers_[hash >> (64 - p_)];
  held = std::max(held, static_cast<std::uint8_t>(rank));
}

void HyperLogLog::insert(std::uint64_t hash) {
  if (hash == 0) {
    if (has_zero_) return;
    has_zero_ = true;
  } else {
    if (slots_.empty()) slots_.resize(8);
    const auto probe = [this](std::uint64_t wanted) {
      // Mixed once more: the bits that choose a register would make long runs here.
      std::size_t at = mix64(wanted) & (slots_.size() - 1);
      while (slots_[at] && slots_[at] != wanted) at = (at + 1) & (slots_.size() - 1);
      return at;
    };
    std::size_t at = probe(hash);
    if (slots_[at]) return;
    if (2 * (used_ + 1) > slots_.size()) {
      std::vector<std::uint64_t> before(2 * slots_.size());
      before.swap(slots_);
      for (std::uint64_t held : before)
        if (held) slots_[probe(held)] = held;
      at = probe(hash);
    }
    slots_[at] = hash;
    ++used_;
  }
  if (used_ + has_zero_ > most_exact()) densify();
}

void HyperLogLog::densify() {
  registers_.resize(std::size_t{1} << p_);
  for (std::uint64_t held : slots_)
    if (held) raise(held);
  if (has_zero_) raise(0);
  slots_ = {};
  used_ = 0;
  has_zero_ = false;
}

Status HyperLogLog::merge(const HyperLogLog& other) {
  if (other.p_ != p_) return fail(Code::kInput, "distinct counts of different precision cannot be merged");
  if (&other == this) return merge(HyperLogLog(other));
  if (other.exact()) {
    for (std::uint64_t hash : other.slots_)
      if (hash) update(hash);
    if (other.has_zero_) update(std::uint64_t{0});
    return {};
  }
  if (exact()) densify();
  for (std::size_t i = 0; i < registers_.size(); ++i) registers_[i] = std::max(registers_[i], other.registers_[i]);
  return {};
}

double HyperLogLog::estimate() const {
  if (exact()) return static_cast<double>(used_ + has_zero_);
  const unsigned q = 64 - p_;
  std::array<int, 66> histogram{};
  for (std::uint8_t held : registers_) ++histogram[held];
  const auto m = static_cast<double>(registers_.size());
  double z = m * tau(1 - histogram[q + 1] / m);
  for (unsigned rank = q; rank >= 1; --rank) z = 0.5 * (z + histogram[rank]);
  z += m * sigma(histogram[0] / m);
  return std::min(m * m / (2 * std::log(2.0) * z), 0x1p64);
}

double HyperLogLog::relative_error() const {
  return exact() ? 0 : 1.04 / std::sqrt(std::ldexp(1.0, static_cast<int>(p_)));
}

std::size_t HyperLogLog::size_bytes() const {
  return sizeof *this + slots_.capacity() * sizeof(std::uint64_t) + registers_.capacity();
}

void HyperLogLog::save(ByteWriter& out) const {
  out.fixed(kVersion);
  out.fixed(static_cast<std::uint8_t>(p_));
  out.fixed(static_cast<std::uint8_t>(exact()));
  if (exact()) {
    std::vector<std::uint64_t> held;
    if (has_zero_) held.push_back(0);
    std::copy_if(slots_.begin(), slots_.end(), std::back_inserter(held), [](std::uint64_t hash) { return hash != 0; });
    std::sort(held.begin(), held.end());
    out.array(std::span<const std::uint64_t>(held));
  } else {
    out.array(std::span<const std::uint8_t>(registers_));
  }
}

Result<HyperLogLog> HyperLogLog::load(ByteReader& in) {
  const auto corrupt = [&in] {
    in.fail();
    return fail(Code::kCorrupt, "distinct count: not a saved state");
  };
  if (in.fixed<std::uint8_t>() != kVersion) return corrupt();
  const unsigned p = in.fixed<std::uint8_t>();
  const auto exact = in.fixed<std::uint8_t>();
  if (!in.ok() || p < kFewest || p > kMost || exact > 1) return corrupt();
  HyperLogLog sketch(p);
  if (exact) {
    std::vector<std::uint64_t> held;
    in.array(held);
    if (!in.ok() || held.size() > sketch.most_exact() ||
        std::adjacent_find(held.begin(), held.end(), std::greater_equal<>()) != held.end())
      return corrupt();
    for (std::uint64_t hash : held) sketch.insert(hash);
  } else {
    in.array(sketch.registers_);
    if (!in.ok() || sketch.registers_.size() != std::size_t{1} << p) return corrupt();
    if (std::ranges::max(sketch.registers_) > 64 - p + 1) return corrupt();
  }
  return sketch;
}

}  // namespace vigie::sketch
