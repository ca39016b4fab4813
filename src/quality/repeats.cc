// SPDX-License-Identifier: Apache-2.0
#include "quality/repeats.h"

#include <bit>
#include <numeric>

namespace vigie::quality {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kAhead = 16;

unsigned zeros(std::uint64_t hash) {
  return static_cast<unsigned>(std::countl_zero(hash));
}

}  // namespace

void Repeats::grow(std::size_t slots) {
  std::vector<std::uint64_t> before(slots);
  before.swap(slots_);
  used_ = 0;
  for (const std::uint64_t held : before)
    if (held && zeros(held) >= level_) insert(held);
}

void Repeats::raise() {
  while (used_ > limit_) {
    ++level_;
    grow(slots_.size());
  }
}

void Repeats::insert(std::uint64_t hash) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at] && slots_[at] != hash) at = (at + 1) & mask;
  used_ += slots_[at] == 0;
  slots_[at] = hash;
}

void Repeats::update(std::span<const std::uint64_t> hashes) {
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    // Room for the next stretch, so that what is fetched ahead stays where it is.
    if (i % 256 == 0 && 2 * (used_ + 256) > slots_.size()) grow(slots_.empty() ? 1024 : 2 * slots_.size());
    if (i + kAhead < hashes.size()) __builtin_prefetch(&slots_[hashes[i + kAhead] & (slots_.size() - 1)], 1);
    const std::uint64_t hash = hashes[i] ? hashes[i] : 1;  // 0 marks a free slot
    ++rows_[zeros(hash)];
    if (zeros(hash) < level_) continue;
    insert(hash);
    if (used_ > limit_) raise();
  }
}

void Repeats::merge(const Repeats& other) {
  if (&other == this) return merge(Repeats(other));
  for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i] += other.rows_[i];
  loaded_ += other.loaded_;
  if (other.level_ > level_) {
    level_ = other.level_;
    if (!slots_.empty()) grow(slots_.size());
  }
  std::size_t slots = slots_.empty() ? 1024 : slots_.size();
  while (slots < 2 * (used_ + other.used_ + 256)) slots *= 2;
  if (slots != slots_.size()) grow(slots);
  for (const std::uint64_t held : other.slots_)
    if (held && zeros(held) >= level_) insert(held);
  raise();
}

std::int64_t Repeats::rows() const {
  return std::accumulate(rows_.begin(), rows_.end(), std::int64_t{0});
}

std::int64_t Repeats::followed() const {
  return std::accumulate(rows_.begin() + level_, rows_.end(), std::int64_t{0});
}

std::int64_t Repeats::repeated() const {
  const std::int64_t repeats = followed() - static_cast<std::int64_t>(used_) - loaded_;
  return repeats > 0 ? repeats : 0;
}

double Repeats::share() const {
  const std::int64_t n = followed();
  return n ? static_cast<double>(repeated()) / static_cast<double>(n) : 0;
}

void Repeats::save(ByteWriter& out) const {
  out.fixed(kVersion);
  out.fixed(static_cast<std::uint8_t>(level_));
  out.varint(limit_);
  out.varint(used_ + static_cast<std::uint64_t>(loaded_));
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
    state.level_ = level;
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
