// SPDX-License-Identifier: Apache-2.0
#include "metric/sorted_values.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/sort.h"

namespace vigie::metric {
namespace {

constexpr std::size_t kBuffer = std::size_t{1} << 18;
constexpr unsigned kMantissa = 52;

constexpr auto kAscending = [](const SortedValues::Cell& a, const SortedValues::Cell& b) { return a.value < b.value; };

double cut_off(double value, unsigned cut) {
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(value) >> cut << cut);
}

/// Grows with `value`, and of two cuts the longer one decides, in whatever order they are made.
double rounded(double value, unsigned cut) {
  return value > .5 && value < 1 ? 1 - cut_off(1 - value, cut) : cut_off(value, cut);
}

}  // namespace

double SortedValues::rounding() const {
  return cut_ == 0 ? 0 : std::ldexp(1, static_cast<int>(cut_) - static_cast<int>(kMantissa));
}

void SortedValues::update(std::span<const double> values) {
  count_ += static_cast<std::int64_t>(values.size());
  values_.insert(values_.end(), values.begin(), values.end());
  if (listed_ && values_.size() > limit_) listed_ = false;
  if (!listed_ && values_.size() >= kBuffer) fold();
}

void SortedValues::merge(const SortedValues& other) {
  if (listed_ && (!other.listed_ || values_.size() + other.values_.size() > limit_)) listed_ = false;
  if (&other == this) return merge(SortedValues(other));
  count_ += other.count_;
  values_.insert(values_.end(), other.values_.begin(), other.values_.end());
  if (listed_) return;
  const auto mine = static_cast<std::ptrdiff_t>(cells_.size());
  cells_.insert(cells_.end(), other.cells_.begin(), other.cells_.end());
  std::inplace_merge(cells_.begin(), cells_.begin() + mine, cells_.end(), kAscending);
  unite(std::max(cut_, other.cut_));
  fold();
}

void SortedValues::sort() {
  if (!listed_) return fold();
  // −0 would sort before +0 and still be equal to it.
  if (std::is_sorted(values_.begin(), values_.end())) return;
  sort_doubles(values_);
}

void SortedValues::coarsen(const SortedValues& companion) {
  if (companion.cut_ <= cut_) return;
  listed_ = false;
  fold();
  unite(companion.cut_);
}

void SortedValues::unite(unsigned cut) {
  cut_ = cut;
  std::size_t kept = 0;
  for (const Cell& cell : cells_) {
    const double value = rounded(cell.value, cut);
    if (kept && cells_[kept - 1].value == value) {
      cells_[kept - 1].count += cell.count;
    } else {
      cells_[kept++] = {value, cell.count};
    }
  }
  cells_.resize(kept);
}

void SortedValues::fold() {
  const auto before = static_cast<std::ptrdiff_t>(cells_.size());
  sort_doubles(values_);
  for (const double value : values_) cells_.push_back({value, 1});
  values_.clear();
  std::inplace_merge(cells_.begin(), cells_.begin() + before, cells_.end(), kAscending);
  unite(cut_);
  const std::size_t most = std::min(kCells, 2 * limit_);
  if (cells_.size() <= most) return;
  // The fewest bits; at all of them, a cell has an exponent to itself.
  const auto fits = [&](unsigned cut) {
    std::size_t different = 1;
    for (std::size_t i = 1; i < cells_.size(); ++i)
      different += rounded(cells_[i - 1].value, cut) != rounded(cells_[i].value, cut);
    return different <= most;
  };
  unsigned low = cut_ + 1, high = kMantissa;
  while (low < high) {
    const unsigned middle = (low + high) / 2;
    if (fits(middle))
      high = middle;
    else
      low = middle + 1;
  }
  unite(low);
}

double SortedValues::at(std::int64_t rank) const {
  if (!count_) return std::numeric_limits<double>::quiet_NaN();
  rank = std::clamp<std::int64_t>(rank, 0, count_ - 1);
  if (listed_) return values_[static_cast<std::size_t>(rank)];
  std::size_t i = 0;
  for (; rank >= cells_[i].count; ++i) rank -= cells_[i].count;
  return cells_[i].value;
}

double SortedValues::median() const {
  return (at((count_ - 1) / 2) + at(count_ / 2)) / 2;
}

SortedValues SortedValues::distances(double center) const {
  SortedValues out(*this);
  for (double& value : out.values_) value = std::abs(value - center);
  for (Cell& cell : out.cells_) cell.value = std::abs(cell.value - center);
  std::sort(out.cells_.begin(), out.cells_.end(), kAscending);
  out.cut_ = 0;
  out.sort();
  return out;
}

void SortedValues::save(ByteWriter& out) {
  sort();
  out.varint(limit_);
  out.fixed(static_cast<std::uint8_t>(listed_ ? 0 : 1 + cut_));
  out.array(std::span<const double>(values_));
  out.varint(cells_.size());
  for (const Cell& cell : cells_) {
    out.fixed(cell.value);
    out.varint(static_cast<std::uint64_t>(cell.count));
  }
}

Result<SortedValues> SortedValues::load(ByteReader& in) {
  SortedValues out(in.varint());
  const auto form = in.fixed<std::uint8_t>();
  out.listed_ = form == 0;
  out.cut_ = out.listed_ ? 0 : form - 1U;
  in.array(out.values_);
  out.cells_.resize(in.count(9));
  bool good = out.cut_ <= kMantissa &&
              (out.listed_ ? out.cells_.empty() && out.values_.size() <= out.limit_ : out.values_.empty()) &&
              std::is_sorted(out.values_.begin(), out.values_.end()) &&
              std::all_of(out.values_.begin(), out.values_.end(), [](double v) { return std::isfinite(v); });
  out.count_ = static_cast<std::int64_t>(out.values_.size());
  constexpr std::int64_t kMost = std::int64_t{1} << 53;
  double before = -std::numeric_limits<double>::infinity();
  for (Cell& cell : out.cells_) {
    cell.value = in.fixed<double>();
    cell.count = static_cast<std::int64_t>(in.varint());
    good = good && cell.value > before && std::isfinite(cell.value) && rounded(cell.value, out.cut_) == cell.value &&
           cell.count > 0 && cell.count <= kMost - out.count_;
    if (!good) break;
    before = cell.value;
    out.count_ += cell.count;
  }
  if (!good || !in.ok()) return fail(Code::kCorrupt, "sorted values are damaged");
  return out;
}

}  // namespace vigie::metric
