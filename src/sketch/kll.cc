// SPDX-License-Identifier: Apache-2.0
#include "sketch/kll.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "sketch/key_sort_internal.h"

namespace vigie::sketch {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr unsigned kDepth = 7;  // levels kept above the sampler
constexpr std::size_t kSmallest = 8;
constexpr unsigned kHighest = 58;
constexpr std::uint64_t kSign = 1ULL << 63;

// −0 counts as 0, so that rank(0) sees both.
std::uint64_t to_key(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value + 0.0);
  return bits & kSign ? ~bits : bits | kSign;
}

double to_value(std::uint64_t key) {
  return std::bit_cast<double>(key & kSign ? key & ~kSign : ~key);
}

}  // namespace

Kll::Kll(std::uint32_t k, std::uint64_t seed) : k_(std::clamp(k, kFewest, kMost)), rng_(seed), levels_(1) {}

std::size_t Kll::capacity(std::size_t level) const {
  const auto depth = static_cast<double>(levels_.size() - 1 - level);
  return std::max(kSmallest, static_cast<std::size_t>(std::ceil(k_ * std::pow(2.0 / 3.0, depth))));
}

void Kll::draw_target() {
  target_ = height_ ? rng_() >> (64 - height_) : 0;
}

void Kll::update(std::span<const double> values) {
  Extremes extremes;
  widen(values, extremes);
  update(values, extremes);
}

void Kll::update(std::span<const double> values, const Extremes& extremes) {
  min_ = std::min(min_, extremes.low);
  max_ = std::max(max_, extremes.high);
  count_ += values.size();
  for (std::size_t i = 0; i < values.size();) {
    if (seen_ == 0 && levels_[height_].size() >= base_capacity()) {
      compress();
      draw_target();
    }
    const std::uint64_t block = 1ULL << height_;
    if (seen_ == 0 && values.size() - i >= block) {
      emit(to_key(values[i + target_]));
      i += block;
    } else {
      accept(to_key(values[i++]));
    }
  }
}

void Kll::accept(std::uint64_t key) {
  unsigned bit = 0;
  for (; seen_ >> bit & 1; ++bit)
    if (!(target_ >> bit & 1)) key = pending_[bit];
  ++seen_;
  if (bit < height_) {
    pending_[bit] = key;
  } else {
    seen_ = 0;
    emit(key);
  }
}

void Kll::emit(std::uint64_t key) {
  levels_[height_].push_back(key);
  draw_target();
}

void Kll::compact(std::size_t level) {
  if (level + 1 == levels_.size()) levels_.emplace_back();
  Level& from = levels_[level];
  Level& to = levels_[level + 1];
  if (level <= height_) sort_keys(from);
  const std::size_t odd = from.size() & 1, middle = to.size();
  for (std::size_t i = odd + (rng_() >> 63); i < from.size(); i += 2) to.push_back(from[i]);
  if (level >= height_) merge_keys(to, middle);
  from.resize(odd);
}

void Kll::compress() {
  if (levels_[height_].size() >= base_capacity()) compact(height_);
  for (std::size_t level = height_ + 1; level < levels_.size(); ++level)
    if (levels_[level].size() > capacity(level)) compact(level);
  while (levels_.size() - 1 > height_ + kDepth && height_ < kHighest) {
    if (levels_[height_].size() > 1) compact(height_);
    levels_[height_].shrink_to_fit();
    ++height_;
    pending_.resize(height_);
  }
}

void Kll::flush_pending() {
  for (unsigned bit = 0; bit < height_; ++bit)
    if (seen_ >> bit & 1) levels_[bit].push_back(pending_[bit]);
  seen_ = 0;
}

Status Kll::merge(const Kll& given) {
  if (given.k_ != k_) return fail(Code::kInput, "quantile sketches of different k cannot be merged");
  if (!given.count_) return {};
  Kll other = given;
  other.flush_pending();
  flush_pending();
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  height_ = std::max(height_, other.height_);
  pending_.resize(height_);
  if (levels_.size() < other.levels_.size()) levels_.resize(other.levels_.size());
  for (std::size_t level = 0; level < other.levels_.size(); ++level) {
    Level& to = levels_[level];
    const std::size_t middle = to.size();
    to.insert(to.end(), other.levels_[level].begin(), other.levels_[level].end());
    if (level > height_) merge_keys(to, middle);
  }
  for (std::size_t level = 0; level < height_; ++level)
    if (levels_[level].size() > 1) compact(level);
  compress();
  draw_target();
  return {};
}

double Kll::rank_error() const {
  return exact() ? 0 : 2.296 / std::pow(static_cast<double>(k_), 0.9723);
}

std::vector<Kll::Item> Kll::items() const {
  std::vector<std::pair<std::uint64_t, std::int64_t>> all;
  for (std::size_t level = 0; level < levels_.size(); ++level)
    for (std::uint64_t key : levels_[level]) all.emplace_back(key, 1LL << level);
  for (unsigned bit = 0; bit < height_; ++bit)
    if (seen_ >> bit & 1) all.emplace_back(pending_[bit], 1LL << bit);
  std::sort(all.begin(), all.end());
  std::vector<Item> items;
  items.reserve(all.size());
  for (const auto& [key, weight] : all) items.push_back({to_value(key), weight});
  return items;
}

std::vector<double> Kll::quantiles(std::span<const double> qs) const {
  std::vector<double> found;
  const auto held = items();
  std::vector<double> upto;
  double sum = 0;
  for (const Item& item : held) upto.push_back(sum += static_cast<double>(item.weight));
  for (double q : qs) {
    if (!count_ || std::isnan(q)) {
      found.push_back(kNaN);
    } else if (q <= 0 || q >= 1) {
      found.push_back(q <= 0 ? min_ : max_);
    } else {
      const auto at = std::lower_bound(upto.begin(), upto.end(), q * static_cast<double>(count_));
      found.push_back(at == upto.end() ? max_ : held[static_cast<std::size_t>(at - upto.begin())].value);
    }
  }
  return found;
}

double Kll::quantile(double q) const {
  return quantiles(std::span(&q, 1))[0];
}

std::int64_t Kll::rank(double x) const {
  if (!count_ || x < min_) return 0;
  if (x >= max_) return count();
  std::int64_t rank = 0;
  const std::uint64_t key = to_key(x);
  for (std::size_t level = 0; level < levels_.size(); ++level)
    for (std::uint64_t item : levels_[level]) rank += item <= key ? 1LL << level : 0;
  for (unsigned bit = 0; bit < height_; ++bit)
    if (seen_ >> bit & 1 && pending_[bit] <= key) rank += 1LL << bit;
  return rank;
}

double Kll::cdf(double x) const {
  return count_ ? static_cast<double>(rank(x)) / static_cast<double>(count_) : kNaN;
}

std::vector<std::int64_t> Kll::counts(std::span<const double> cuts) const {
  std::vector<std::int64_t> cells(cuts.size() + 1);
  std::size_t cell = 0;
  for (const Item& item : items()) {
    while (cell < cuts.size() && item.value >= cuts[cell]) ++cell;
    cells[cell] += item.weight;
  }
  return cells;
}

std::size_t Kll::size_bytes() const {
  std::size_t bytes = sizeof *this + pending_.capacity() * sizeof(std::uint64_t);
  for (const Level& level : levels_) bytes += sizeof(Level) + level.capacity() * sizeof(std::uint64_t);
  return bytes;
}

void Kll::save(ByteWriter& out) const {
  out.fixed(kVersion);
  out.varint(k_);
  out.fixed(rng_.state());
  out.varint(count_);
  out.fixed(min_);
  out.fixed(max_);
  out.varint(height_);
  out.varint(target_);
  out.varint(seen_);
  for (unsigned bit = 0; bit < height_; ++bit)
    if (seen_ >> bit & 1) out.fixed(pending_[bit]);
  out.varint(levels_.size());
  for (const Level& level : levels_) out.array(std::span<const std::uint64_t>(level));
}

Result<Kll> Kll::load(ByteReader& in) {
  const auto corrupt = [&in] {
    in.fail();
    return fail(Code::kCorrupt, "quantile sketch: not a saved state");
  };
  if (in.fixed<std::uint8_t>() != kVersion) return corrupt();
  const auto k = in.varint();
  if (!in.ok() || k < kFewest || k > kMost) return corrupt();
  Kll sketch(static_cast<std::uint32_t>(k), in.fixed<std::uint64_t>());
  sketch.count_ = in.varint();
  sketch.min_ = in.fixed<double>();
  sketch.max_ = in.fixed<double>();
  const auto height = in.varint();
  if (!in.ok() || height > kHighest || std::isnan(sketch.min_) || std::isnan(sketch.max_)) return corrupt();
  sketch.height_ = static_cast<unsigned>(height);
  sketch.target_ = in.varint();
  sketch.seen_ = in.varint();
  if (sketch.target_ >> height || sketch.seen_ >> height) return corrupt();
  sketch.pending_.resize(height);
  for (unsigned bit = 0; bit < height; ++bit)
    if (sketch.seen_ >> bit & 1) sketch.pending_[bit] = in.fixed<std::uint64_t>();
  const auto levels = in.count(1);
  if (!in.ok() || levels <= height || levels > kHighest + 2) return corrupt();
  sketch.levels_.resize(levels);
  for (Level& level : sketch.levels_) in.array(level);
  if (!in.ok()) return corrupt();

  // Ends are compared as keys so that a stray NaN that came in through update() still loads.
  const std::uint64_t low = to_key(sketch.min_), high = to_key(sketch.max_);
  std::uint64_t weight = sketch.seen_;
  for (std::size_t l = 0; l < levels; ++l) {
    const Level& level = sketch.levels_[l];
    if (level.size() > (l == height ? sketch.base_capacity() : l < height ? 1 : std::size_t{4} * sketch.k_))
      return corrupt();
    if (l > height && !std::is_sorted(level.begin(), level.end())) return corrupt();
    for (std::uint64_t key : level)
      if ((key < low || key > high) && !std::isnan(to_value(key))) return corrupt();
    if (level.size() > (1ULL << 60) >> l) return corrupt();
    weight += static_cast<std::uint64_t>(level.size()) << l;
    if (weight > 1ULL << 60) return corrupt();
  }
  for (unsigned bit = 0; bit < height; ++bit) {
    const std::uint64_t key = sketch.pending_[bit];
    if (sketch.seen_ >> bit & 1 && (key < low || key > high) && !std::isnan(to_value(key))) return corrupt();
  }
  if (weight != sketch.count_) return corrupt();
  return sketch;
}

}  // namespace vigie::sketch
