// SPDX-License-Identifier: Apache-2.0
#include "quality/repeats.h"

#include <bit>
#include <cmath>
#include <numeric>

namespace vigie::quality {
namespace {

constexpr std::uint8_t kVersion = 1, kRepeatsVersion = 2;
constexpr unsigned kNoHash = 63;  // leading zeros that none has
constexpr std::size_t kAhead = 16, kFewest = 256;

unsigned zeros(std::uint64_t hash) {
  return static_cast<unsigned>(std::countl_zero(hash));
}

std::int64_t sum(std::span<const std::int64_t> counts, unsigned from) {
  return std::accumulate(counts.begin() + from, counts.end(), std::int64_t{0});
}

bool counts(ByteReader& in, std::span<std::int64_t> to) {
  std::int64_t total = 0;
  for (std::int64_t& n : to) {
    n = static_cast<std::int64_t>(in.varint());
    if (n < 0 || __builtin_add_overflow(total, n, &total) || total > std::int64_t{1} << 60) return false;
  }
  return in.ok();
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

void Distinct::raise(unsigned level) {
  if (level <= level_) return;
  level_ = level;
  if (!slots_.empty()) grow(slots_.size());
}

void Distinct::merge(const Distinct& other) {
  if (&other == this) return;
  raise(other.level_);
  for (const std::uint64_t held : other.slots_)
    if (held) update(held);
}

std::array<std::int64_t, 65> Distinct::by_zeros() const {
  std::array<std::int64_t, 65> out{};
  for (const std::uint64_t hash : slots_)
    if (hash) ++out[zeros(hash)];
  return out;
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

Repeats::ByZeros Repeats::different() const {
  ByZeros out = different_.by_zeros();
  for (std::size_t i = 0; i < out.size(); ++i) out[i] += beyond_[i];
  return out;
}

void Repeats::merge(const Repeats& other) {
  if (&other == this) return merge(Repeats(other));
  for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i] += other.rows_[i];
  const bool loaded = level_ || other.level_;
  const unsigned level = std::max(this->level(), other.level());
  const ByZeros mine = different(), theirs = other.different();
  different_.merge(other.different_);
  const unsigned held = different_.level();
  level_.reset();
  beyond_ = {};
  const bool apart = sum(mine, held) + sum(theirs, held) == static_cast<std::int64_t>(different_.held());
  if (!loaded || level >= held || !apart) return;
  level_ = level;
  for (unsigned z = level; z < held; ++z) beyond_[z] = mine[z] + theirs[z];
}

std::int64_t Repeats::rows() const {
  return sum(rows_, 0);
}

std::int64_t Repeats::followed() const {
  return sum(rows_, level());
}

std::int64_t Repeats::repeated() const {
  return std::max<std::int64_t>(0, followed() - sum(different(), level()));
}

double Repeats::share() const {
  const std::int64_t n = followed();
  return n ? static_cast<double>(repeated()) / static_cast<double>(n) : 0;
}

void Repeats::save(ByteWriter& out, std::size_t most) const {
  out.fixed(kRepeatsVersion);
  different_.save(out, most);
  out.fixed(static_cast<std::uint8_t>(level()));
  for (const auto& by_zeros : {rows_, different()})
    for (const std::int64_t n : by_zeros) out.varint(static_cast<std::uint64_t>(n));
}

// Version 1 had no hashes: nothing of it is seen to come again elsewhere.
Result<Repeats> Repeats::load_counts(ByteReader& in) {
  const unsigned level = in.fixed<std::uint8_t>();
  Repeats state(in.varint());
  const auto different = static_cast<std::int64_t>(in.varint());
  std::vector<std::int64_t> rows;
  in.array(rows);
  bool good = in.ok() && level < kNoHash && rows.size() == state.rows_.size();
  std::int64_t total = 0;
  for (const std::int64_t n : rows)
    good = good && n >= 0 && !__builtin_add_overflow(total, n, &total) && total < std::int64_t{1} << 60;
  const std::int64_t followed = good ? sum(rows, level) : 0;
  if (!good || different < 0 || different > followed) {
    in.fail();
    return fail(Code::kCorrupt, "repeats: not a saved state");
  }
  std::copy(rows.begin(), rows.end(), state.rows_.begin());
  state.different_.raise(kNoHash);
  state.level_ = level;
  std::int64_t left = different, of = followed;
  for (unsigned z = level; z < kNoHash && of > 0; ++z) {
    state.beyond_[z] =
        static_cast<std::int64_t>(static_cast<double>(left) * static_cast<double>(rows[z]) / static_cast<double>(of));
    left -= state.beyond_[z];
    of -= rows[z];
  }
  return state;
}

Result<Repeats> Repeats::load(ByteReader& in) {
  const auto corrupt = [&in] {
    in.fail();
    return fail(Code::kCorrupt, "repeats: not a saved state");
  };
  const auto version = in.fixed<std::uint8_t>();
  if (version == 1) return load_counts(in);
  if (version != kRepeatsVersion) return corrupt();
  Repeats state;
  VIGIE_ASSIGN(state.different_, Distinct::load(in));
  const unsigned level = in.fixed<std::uint8_t>();
  ByZeros different{};
  if (!counts(in, state.rows_) || !counts(in, different) || level > state.different_.level()) return corrupt();
  const ByZeros held = state.different_.by_zeros();
  for (unsigned z = 0; z < held.size(); ++z) {
    if (z >= level && different[z] > state.rows_[z]) return corrupt();
    if (z >= state.different_.level() && different[z] != held[z]) return corrupt();
  }
  if (level == state.different_.level()) return state;
  state.level_ = level;
  for (unsigned z = level; z < state.different_.level(); ++z) state.beyond_[z] = different[z];
  return state;
}

}  // namespace vigie::quality
