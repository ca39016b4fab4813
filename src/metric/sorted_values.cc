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
constexpr unsigned kDropped = 52 - 14;  // bits of the mantissa

double rounded(double value) {
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(value) + (std::uint64_t{1} << (kDropped - 1));
  const double near = std::bit_cast<double>(bits >> kDropped << kDropped);
  return std::isfinite(near) ? near : value;
}

}  // namespace

void SortedValues::update(std::span<const double> values) {
  count_ += static_cast<std::int64_t>(values.size());
  values_.insert(values_.end(), values.begin(), values.end());
  if (exact_ && values_.size() > limit_) exact_ = false;
  if (!exact_ && values_.size() >= kBuffer) fold();
}

void SortedValues::merge(const SortedValues& other) {
  if (exact_ && (!other.exact_ || values_.size() + other.values_.size() > limit_)) exact_ = false;
  if (&other == this) return merge(SortedValues(other));
  count_ += other.count_;
  values_.insert(values_.end(), other.values_.begin(), other.values_.end());
  if (exact_) return;
  cells_.insert(cells_.end(), other.cells_.begin(), other.cells_.end());
  fold();
}

void SortedValues::sort() {
  if (!exact_) return fold();
  // −0 would sort before +0 and still be equal to it.
  if (std::is_sorted(values_.begin(), values_.end())) return;
  sort_doubles(values_);
}

void SortedValues::coarsen() {
  exact_ = false;
  fold();
}

void SortedValues::fold() {
  for (double& value : values_) value = rounded(value);
  sort_doubles(values_);
  for (const double value : values_) {
    if (!cells_.empty() && cells_.back().value == value) {
      ++cells_.back().count;
    } else {
      cells_.push_back({value, 1});
    }
  }
  values_.clear();
  std::sort(cells_.begin(), cells_.end(), [](const Cell& a, const Cell& b) { return a.value < b.value; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    if (kept && cells_[kept - 1].value == cells_[i].value) {
      cells_[kept - 1].count += cells_[i].count;
    } else {
      cells_[kept++] = cells_[i];
    }
  }
  cells_.resize(kept);
}

double SortedValues::at(std::int64_t rank) const {
  if (!count_) return std::numeric_limits<double>::quiet_NaN();
  rank = std::clamp<std::int64_t>(rank, 0, count_ - 1);
  if (exact_) return values_[static_cast<std::size_t>(rank)];
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
  out.sort();
  return out;
}

void SortedValues::save(ByteWriter& out) {
  sort();
  out.varint(limit_);
  out.fixed(static_cast<std::uint8_t>(exact_));
  out.array(std::span<const double>(values_));
  out.varint(cells_.size());
  for (const Cell& cell : cells_) {
    out.fixed(cell.value);
    out.varint(static_cast<std::uint64_t>(cell.count));
  }
}

Result<SortedValues> SortedValues::load(ByteReader& in) {
  SortedValues out(in.varint());
  const auto exact = in.fixed<std::uint8_t>();
  out.exact_ = exact == 1;
  in.array(out.values_);
  out.cells_.resize(in.count(9));
  bool good = exact <= 1 &&
              (out.exact_ ? out.cells_.empty() && out.values_.size() <= out.limit_ : out.values_.empty()) &&
              std::is_sorted(out.values_.begin(), out.values_.end()) &&
              std::all_of(out.values_.begin(), out.values_.end(), [](double v) { return std::isfinite(v); });
  out.count_ = static_cast<std::int64_t>(out.values_.size());
  constexpr std::int64_t kMost = std::int64_t{1} << 53;
  double before = -std::numeric_limits<double>::infinity();
  for (Cell& cell : out.cells_) {
    cell.value = in.fixed<double>();
    cell.count = static_cast<std::int64_t>(in.varint());
    good =
        good && cell.value > before && std::isfinite(cell.value) && cell.count > 0 && cell.count <= kMost - out.count_;
    if (!good) break;
    before = cell.value;
    out.count_ += cell.count;
  }
  if (!good || !in.ok()) return fail(Code::kCorrupt, "sorted values are damaged");
  return out;
}

}  // namespace vigie::metric
