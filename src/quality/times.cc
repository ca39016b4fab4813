// SPDX-License-Identifier: Apache-2.0
#include "quality/times.h"

#include <algorithm>
#include <cmath>

namespace vigie::quality {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr double kFarthest = 0x1p62;
constexpr std::size_t kFresh = 8 * Times::kCells;

void unite(std::vector<std::int64_t>& cells) {
  std::sort(cells.begin(), cells.end());
  cells.erase(std::unique(cells.begin(), cells.end()), cells.end());
}

}  // namespace

void Times::update(std::int64_t first, std::span<const double> times) {
  if (times.empty()) return;
  Piece piece{first, first + static_cast<std::int64_t>(times.size()), std::nan(""), std::nan("")};
  std::int64_t last_cell = std::numeric_limits<std::int64_t>::min();
  for (const double time : times) {
    if (!(std::abs(time) < kFarthest)) continue;
    ++count_;
    if (std::isnan(piece.first_time))
      piece.first_time = time;
    else
      ++pairs_, descents_ += time < piece.last_time;
    piece.last_time = time;
    min_ = std::min(min_, time);
    max_ = std::max(max_, time);
    const std::int64_t cell = static_cast<std::int64_t>(std::floor(time)) >> shift_;
    if (cell == last_cell) continue;
    last_cell = cell;
    fresh_.push_back(cell);
    if (fresh_.size() >= kFresh) {
      flush();
      last_cell = std::numeric_limits<std::int64_t>::min();
    }
  }
  add(piece);
  flush();
}

// Joins what meets: the row before and the row after a piece may have come already.
void Times::add(const Piece& piece) {
  auto at = std::lower_bound(pieces_.begin(), pieces_.end(), piece,
                             [](const Piece& a, const Piece& b) { return a.first < b.first; });
  at = pieces_.insert(at, piece);
  const auto join = [this](std::vector<Piece>::iterator left) {
    const auto right = left + 1;
    if (std::isnan(left->first_time)) {
      left->first_time = right->first_time;
      left->last_time = right->last_time;
    } else if (!std::isnan(right->first_time)) {
      ++pairs_;
      descents_ += right->first_time < left->last_time;
      left->last_time = right->last_time;
    }
    left->end = right->end;
    pieces_.erase(right);
  };
  if (at + 1 != pieces_.end() && at->end == (at + 1)->first) join(at);
  if (at != pieces_.begin() && (at - 1)->end == at->first) join(at - 1);
}

void Times::flush() {
  if (fresh_.empty()) return;
  unite(fresh_);
  std::vector<std::int64_t> both;
  both.reserve(cells_.size() + fresh_.size());
  std::set_union(cells_.begin(), cells_.end(), fresh_.begin(), fresh_.end(), std::back_inserter(both));
  cells_.swap(both);
  fresh_.clear();
  while (cells_.size() > kCells) coarsen(shift_ + 1);
}

void Times::coarsen(unsigned shift) {
  for (std::int64_t& cell : cells_) cell >>= shift - shift_;
  cells_.erase(std::unique(cells_.begin(), cells_.end()), cells_.end());
  shift_ = shift;
}

void Times::merge(const Times& other) {
  if (!other.count_ && other.pieces_.empty()) return;
  if (&other == this) return merge(Times(other));
  count_ += other.count_;
  descents_ += other.descents_;
  pairs_ += other.pairs_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  for (const Piece& piece : other.pieces_) add(piece);
  if (other.shift_ > shift_) coarsen(other.shift_);
  for (const std::int64_t cell : other.cells_) fresh_.push_back(cell >> (shift_ - other.shift_));
  flush();
}

double Times::resolution() const {
  return std::ldexp(1.0, static_cast<int>(shift_));
}

Times::Gaps Times::gaps() const {
  Gaps gaps;
  gaps.count = cells_.empty() ? 0 : static_cast<std::int64_t>(cells_.size()) - 1;
  std::vector<double> all;
  double most = -1;
  for (std::size_t i = 1; i < cells_.size(); ++i) {
    all.push_back(static_cast<double>(cells_[i] - cells_[i - 1]) * resolution());
    if (all.back() <= most) continue;
    most = all.back();
    gaps.after = static_cast<double>(cells_[i - 1]) * resolution();
  }
  const std::size_t kept = std::min(all.size(), kLargest);
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end(), std::greater<>());
  all.resize(kept);
  gaps.largest = std::move(all);
  return gaps;
}

void Times::save(ByteWriter& out) const {
  out.fixed(kVersion);
  out.fixed(static_cast<std::uint8_t>(shift_));
  for (const std::int64_t n : {count_, descents_, pairs_}) out.varint(static_cast<std::uint64_t>(n));
  out.fixed(min_);
  out.fixed(max_);
  out.varint(cells_.size());
  // Differences are small where times are dense.
  for (std::size_t i = 0; i < cells_.size(); ++i)
    i ? out.varint(static_cast<std::uint64_t>(cells_[i] - cells_[i - 1])) : out.fixed(cells_[i]);
  out.varint(pieces_.size());
  for (const Piece& piece : pieces_) {
    out.fixed(piece.first);
    out.fixed(piece.end);
    out.fixed(piece.first_time);
    out.fixed(piece.last_time);
  }
}

Result<Times> Times::load(ByteReader& in) {
  Times state;
  const auto version = in.fixed<std::uint8_t>();
  state.shift_ = in.fixed<std::uint8_t>();
  for (std::int64_t* n : {&state.count_, &state.descents_, &state.pairs_}) *n = static_cast<std::int64_t>(in.varint());
  constexpr std::int64_t kMost = std::int64_t{1} << 60;
  bool good = in.ok() && version == kVersion && state.shift_ <= 62 && state.count_ >= 0 && state.count_ <= kMost &&
              state.descents_ >= 0 && state.pairs_ <= kMost;
  state.min_ = in.fixed<double>();
  state.max_ = in.fixed<double>();
  const std::uint64_t cells = in.count(1);
  good = good && cells <= kCells && state.descents_ <= state.pairs_;
  std::int64_t cell = 0;
  for (std::uint64_t i = 0; good && i < cells; ++i) {
    const std::int64_t step = i ? static_cast<std::int64_t>(in.varint()) : in.fixed<std::int64_t>();
    good = in.ok() && (i == 0 || step > 0) && !__builtin_add_overflow(cell, step, &cell) &&
           std::abs(static_cast<double>(cell)) <= kFarthest;
    state.cells_.push_back(cell);
  }
  const std::uint64_t pieces = in.count(32);
  for (std::uint64_t i = 0; good && i < pieces; ++i) {
    Piece piece{in.fixed<std::int64_t>(), in.fixed<std::int64_t>(), in.fixed<double>(), in.fixed<double>()};
    good = piece.first < piece.end && (state.pieces_.empty() || state.pieces_.back().end < piece.first);
    state.pieces_.push_back(piece);
  }
  if (good && in.ok()) return state;
  in.fail();
  return fail(Code::kCorrupt, "times: not a saved state");
}

}  // namespace vigie::quality
