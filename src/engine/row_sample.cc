// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "engine/row_sample_internal.h"
#include "engine/vocabulary.h"

namespace vigie::engine {
namespace {

std::uint64_t rank_of(std::int64_t row) {
  return mix64(static_cast<std::uint64_t>(row) + 0x5a3b1e);
}

void hash_words(std::string_view text, std::vector<float>& out) {
  out.assign(kTextWidth, 0);
  for_each_word(text, [&](std::string_view word) {
    const auto hash = hash64(word);
    out[(hash >> 1) % kTextWidth] += (hash & 1) ? 1 : -1;
  });
  double square = 0;
  for (float& v : out) {
    v = std::copysign(std::sqrt(std::fabs(v)), v);
    square += double{v} * double{v};
  }
  if (square > 0)
    for (float& v : out) v = static_cast<float>(double{v} / std::sqrt(square));
}

}  // namespace

bool RowSample::wants(std::int64_t row) const {
  return kept_.size() < kKeptRows || rank_of(row) < kept_.top().first;
}

void RowSample::put(std::int64_t row, std::span<const float> vector) {
  if (width_ == 0) width_ = vector.size();
  ++of_;
  keep(rank_of(row), vector);
}

void RowSample::merge(const RowSample& other) {
  if (width_ == 0) width_ = other.width_;
  if (other.width_ != width_) return;
  of_ += other.of_;
  for (auto left = other.kept_; !left.empty(); left.pop()) {
    const auto [rank, slot] = left.top();
    if (kept_.size() < kKeptRows || rank < kept_.top().first)
      keep(rank, std::span(other.values_).subspan(slot * width_, width_));
  }
}

void RowSample::keep(std::uint64_t rank, std::span<const float> vector) {
  auto slot = kept_.size();
  if (slot == kKeptRows) {
    slot = kept_.top().second;
    kept_.pop();
  } else {
    values_.resize(values_.size() + width_);
  }
  std::copy(vector.begin(), vector.end(), values_.begin() + static_cast<std::ptrdiff_t>(slot * width_));
  kept_.emplace(rank, slot);
}

void RowSample::finish() {
  std::vector<float> ordered(values_.size());
  for (; !kept_.empty(); kept_.pop()) {
    const auto from = values_.begin() + static_cast<std::ptrdiff_t>(kept_.top().second * width_),
               to = ordered.begin() + static_cast<std::ptrdiff_t>((kept_.size() - 1) * width_);
    std::copy(from, from + static_cast<std::ptrdiff_t>(width_), to);
  }
  values_ = std::move(ordered);
}

std::span<const float> vector_of(const table::Column& column, std::size_t row, std::vector<float>& buffer) {
  if (column.type == table::Type::kString) {
    if (column.codes[row] < 0) return {};
    hash_words(column.dictionary[static_cast<std::size_t>(column.codes[row])], buffer);
    return buffer;
  }
  buffer.clear();
  if (row + 1 >= column.offsets.size() || (!column.missing.empty() && column.missing[row])) return {};
  for (auto j = column.offsets[row]; j < column.offsets[row + 1]; ++j)
    buffer.push_back(static_cast<float>(column.values[static_cast<std::size_t>(j)]));
  if (std::any_of(buffer.begin(), buffer.end(), [](float v) { return !std::isfinite(v); })) return {};
  return buffer;
}

}  // namespace vigie::engine
