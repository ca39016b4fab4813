// SPDX-License-Identifier: Apache-2.0
#include "quality/times.h"

#include <algorithm>
#include <cmath>

namespace vigie::quality {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::int64_t kMost = std::int64_t{1} << 60;
constexpr double kFarthest = 0x1p62;
constexpr std::size_t kFresh = 8 * Times::kCells;

void unite(std::vector<std::int64_t>& cells) {
  std::sort(cells.begin(), cells.end());
  cells.erase(std::unique(cells.begin(), cells.end()), cells.end());
}

}  // namespace

bool RowOrder::good(double a, double b) const {
  return holds(a, order_, b);
}

void RowOrder::update(std::int64_t first, std::span<const double> values) {
  if (values.empty()) return;
  Piece piece{first, first + static_cast<std::int64_t>(values.size()), std::nan(""), std::nan("")};
  for (const double value : values) {
    if (std::isnan(value)) continue;
    if (std::isnan(piece.first_value))
      piece.first_value = value;
    else
      ++pairs_, broken_ += !good(piece.last_value, value);
    piece.last_value = value;
  }
  add(piece);
}

// Joins what meets: the row before and the row after a piece may have come already.
void RowOrder::add(const Piece& piece) {
  auto at = std::lower_bound(pieces_.begin(), pieces_.end(), piece,
                             [](const Piece& a, const Piece& b) { return a.first < b.first; });
  at = pieces_.insert(at, piece);
  const auto join = [this](std::vector<Piece>::iterator left) {
    const auto right = left + 1;
    if (std::isnan(left->first_value)) {
      left->first_value = right->first_value;
      left->last_value = right->last_value;
    } else if (!std::isnan(right->first_value)) {
      ++pairs_;
      broken_ += !good(left->last_value, right->first_value);
      left->last_value = right->last_value;
    }
    left->end = right->end;
    pieces_.erase(right);
  };
  if (at + 1 != pieces_.end() && at->end == (at + 1)->first) join(at);
  if (at != pieces_.begin() && (at - 1)->end == at->first) join(at - 1);
}

void RowOrder::merge(const RowOrder& other) {
  if (&other == this) return merge(RowOrder(other));
  broken_ += other.broken_;
  pairs_ += other.pairs_;
  for (const Piece& piece : other.pieces_) add(piece);
}

void RowOrder::shift(std::int64_t rows) {
  for (Piece& piece : pieces_) piece.first += rows, piece.end += rows;
}

void RowOrder::save(ByteWriter& out) const {
  out.fixed(static_cast<std::uint8_t>(order_));
  out.varint(static_cast<std::uint64_t>(broken_));
  out.varint(static_cast<std::uint64_t>(pairs_));
  out.varint(pieces_.size());
  for (const Piece& piece : pieces_) {
    out.fixed(piece.first);
    out.fixed(piece.end);
    out.fixed(piece.first_value);
    out.fixed(piece.last_value);
  }
}

Result<RowOrder> RowOrder::load(ByteReader& in) {
  const auto order = in.fixed<std::uint8_t>();
  RowOrder state(static_cast<Expectation::Order>(order));
  state.broken_ = static_cast<std::int64_t>(in.varint());
  state.pairs_ = static_cast<std::int64_t>(in.varint());
  bool good = in.ok() && order <= static_cast<std::uint8_t>(Expectation::Order::kGreater) && state.broken_ >= 0 &&
              state.pairs_ <= kMost && state.broken_ <= state.pairs_;
  const std::uint64_t pieces = in.count(32);
  for (std::uint64_t i = 0; good && i < pieces; ++i) {
    Piece piece{in.fixed<std::int64_t>(), in.fixed<std::int64_t>(), in.fixed<double>(), in.fixed<double>()};
    good = -kMost <= piece.first && piece.first < piece.end && piece.end <= kMost &&
           (state.pieces_.empty() || state.pieces_.back().end < piece.first);
    state.pieces_.push_back(piece);
  }
  if (good && in.ok()) return state;
  in.fail();
  return fail(Code::kCorrupt, "order of rows: not a saved state");
}

void Times::update(std::int64_t first, std::span<const double> times) {
  order_.update(first, times);
  std::int64_t last_cell = std::numeric_limits<std::int64_t>::min();
  for (const double time : times) {
    if (!(std::abs(time) < kFarthest)) continue;
    ++count_;
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
  flush();
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
  if (&other == this) return merge(Times(other));
  count_ += other.count_;
  order_.merge(other.order_);
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
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
  out.varint(static_cast<std::uint64_t>(count_));
  order_.save(out);
  out.fixed(min_);
  out.fixed(max_);
  out.varint(cells_.size());
  // Differences are small where times are dense.
  for (std::size_t i = 0; i < cells_.size(); ++i)
    i ? out.varint(static_cast<std::uint64_t>(cells_[i] - cells_[i - 1])) : out.fixed(cells_[i]);
}

Result<Times> Times::load(ByteReader& in) {
  Times state;
  const auto version = in.fixed<std::uint8_t>();
  state.shift_ = in.fixed<std::uint8_t>();
  state.count_ = static_cast<std::int64_t>(in.varint());
  bool good = in.ok() && version == kVersion && state.shift_ <= 62 && state.count_ >= 0 && state.count_ <= kMost;
  VIGIE_ASSIGN(state.order_, RowOrder::load(in));
  state.min_ = in.fixed<double>();
  state.max_ = in.fixed<double>();
  const std::uint64_t cells = in.count(1);
  good = good && cells <= kCells;
  std::int64_t cell = 0;
  for (std::uint64_t i = 0; good && i < cells; ++i) {
    const std::int64_t step = i ? static_cast<std::int64_t>(in.varint()) : in.fixed<std::int64_t>();
    good = in.ok() && (i == 0 || step > 0) && !__builtin_add_overflow(cell, step, &cell) &&
           std::abs(static_cast<double>(cell)) <= kFarthest;
    state.cells_.push_back(cell);
  }
  if (good && in.ok()) return state;
  in.fail();
  return fail(Code::kCorrupt, "times: not a saved state");
}

}  // namespace vigie::quality
