// SPDX-License-Identifier: Apache-2.0
#include "quality/repeats.h"

#include <bit>
#include <cmath>
#include <numeric>

namespace vigie::quality {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kAhead = 16, kFewest = 256;

unsigned zeros(std::uint64_t hash) {
  return static_cast<unsigned>(std::countl_zero(hash));
}

}  // namespace

void Distinct::grow(std::size_t slots) {
  std::vector<std::uint64_t> before(slots);
  before.swap(slots_);
  used_ = 0;
  for (const std::uint64_t held : before)
    if (held && zeros(held) >= level_) insert(held);
}

void Distinct::insert(std::uint64_t hash) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at] && slots_[at] != hash) at = (at + 1) & mask;
  if (slots_[at]) return;
  slots_[at] = hash;
  ++used_;
}

void Distinct::update(std::uint64_t hash) {
  hash += hash == 0;
  if (zeros(hash) < level_) return;
  if (2 * (used_ + 1) > slots_.size()) grow(slots_.empty() ? kFewest : 2 * slots_.size());
  insert(hash);
  while (used_ > limit_) {
    ++level_;
    grow(slots_.size());
  }
}

void Distinct::update(std::span<const std::uint64_t> hashes) {
  // Hashes above this have too few leading zeros; it only falls.
  const std::uint64_t most = ~std::uint64_t{0} >> level_;
  for (const std::uint64_t hash : hashes)
    if (hash <= most) update(hash);
}

void Distinct::fetch(std::uint64_t hash) const {
  if (!slots_.empty()) __builtin_prefetch(&slots_[hash & (slots_.size() - 1)], 1);
}

void Distinct::merge(const Distinct& other) {
  if (&other == this) return;
  if (other.level_ > level_) {
    level_ = other.level_;
    if (!slots_.empty()) grow(slots_.size());
  }
  for (const std::uint64_t held : other.slots_)
    if (held) update(held);
}

double Distinct::estimate() const {
  return std::ldexp(static_cast<double>(used_), static_cast<int>(level_));
}

void Distinct::save(ByteWriter& out, std::size_t most) const {
  std::vector<std::uint64_t> held;
  for (const std::uint64_t hash : slots_)
    if (hash) held.push_back(hash);
  unsigned level = level_;
  while (held.size() > most && level < 63) {
    ++level;
    std::erase_if(held, [&](std::uint64_t hash) { return zeros(hash) < level; });
  }
  std::sort(held.begin(), held.end());
  out.fixed(kVersion);
  out.fixed(static_cast<std::uint8_t>(level));
  out.varint(limit_);
  out.array(std::span<const std::uint64_t>(held));
}

Result<Distinct> Distinct::load(ByteReader& in) {
  const auto version = in.fixed<std::uint8_t>();
  const unsigned level = in.fixed<std::uint8_t>();
  Distinct state(in.varint());
  std::vector<std::uint64_t> held;
  in.array(held);
  bool good = in.ok() && version == kVersion && level <= 63 && held.size() <= state.limit_;
  for (const std::uint64_t hash : held) good = good && hash && zeros(hash) >= level;
  if (!good) {
    in.fail();
    return fail(Code::kCorrupt, "distinct values: not a saved state");
  }
  state.level_ = level;
  state.update(held);
  return state;
}

void Repeats::update(std::span<const std::uint64_t> hashes) {
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    if (i + kAhead < hashes.size()) different_.fetch(hashes[i + kAhead]);
    ++rows_[zeros(hashes[i] + (hashes[i] == 0))];
    different_.update(hashes[i]);
  }
}

void Repeats::merge(const Repeats& other) {
  if (&other == this) return merge(Repeats(other));
  for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i] += other.rows_[i];
  loaded_ += other.loaded_;
  loaded_level_ = std::max(loaded_level_, other.loaded_level_);
  different_.merge(other.different_);
}

std::int64_t Repeats::rows() const {
  return std::accumulate(rows_.begin(), rows_.end(), std::int64_t{0});
}

std::int64_t Repeats::followed() const {
  return std::accumulate(rows_.begin() + level(), rows_.end(), std::int64_t{0});
}

std::int64_t Repeats::repeated() const {
  const std::int64_t repeats = followed() - static_cast<std::int64_t>(different_.held()) - loaded_;
  return repeats > 0 ? repeats : 0;
}

double Repeats::share() const {
  const std::int64_t n = followed();
  return n ? static_cast<double>(repeated()) / static_cast<double>(n) : 0;
}

void Repeats::save(ByteWriter& out) const {
  out.fixed(kVersion);
  out.fixed(static_cast<std::uint8_t>(level()));
  out.varint(different_.limit());
  out.varint(different_.held() + static_cast<std::uint64_t>(loaded_));
  out.array(std::span<const std::int64_t>(rows_));
}

Result<Repeats> Repeats::load(ByteReader& in) {
  const auto version = in.fixed<std::uint8_t>();
  const unsigned level = in.fixed<std::uint8_t>();
  Repeats state(in.varint());
  const std::uint64_t different = in.varint();
  std::vector<std::int64_t> rows;
  in.array(rows);
  bool good = in.ok() && version == kVersion && level <= 64 && rows.size() == state.rows_.size();
  std::int64_t total = 0;
  for (const std::int64_t n : rows)
    good = good && n >= 0 && !__builtin_add_overflow(total, n, &total) && total < std::int64_t{1} << 60;
  if (good) {
    std::copy(rows.begin(), rows.end(), state.rows_.begin());
    state.loaded_level_ = level;
    good = different <= static_cast<std::uint64_t>(state.followed());
  }
  if (!good) {
    in.fail();
    return fail(Code::kCorrupt, "repeats: not a saved state");
  }
  state.loaded_ = static_cast<std::int64_t>(different);
  return state;
}

}  // namespace vigie::quality
