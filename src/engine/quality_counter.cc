// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/quality_counter_internal.h"
#include "engine/roles.h"
#include "engine/tally.h"

namespace vigie::engine {
namespace {

using quality::Kind;
using quality::Values;

constexpr std::uint32_t kNoPlace = std::numeric_limits<std::uint32_t>::max();

template <class T>
std::span<const T> gather(std::span<const T> from, std::span<const std::uint32_t> order, std::vector<T>& to) {
  if (from.empty()) return from;
  to.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) to[i] = from[order[i]];
  return to;
}

template <class T>
std::span<const T> within(std::span<const T> all, const Pieces::Piece& piece) {
  return all.empty() ? all : all.subspan(piece.begin, piece.size);
}

}  // namespace

bool is_missing(const Values& values, std::size_t row) {
  if (!values.numbers.empty()) return std::isnan(values.numbers[row]);
  if (!values.codes.empty()) return values.codes[row] < 0;
  return !values.missing.empty() && values.missing[row] != 0;
}

Kind quality_kind(table::Type type) {
  switch (type) {
    case table::Type::kBoolean:
    case table::Type::kInteger:
    case table::Type::kFloat:
      return Kind::kNumber;
    case table::Type::kTimestamp:
      return Kind::kTime;
    case table::Type::kString:
      return Kind::kString;
    default:
      return Kind::kOther;
  }
}

quality::ColumnSpec quality_column(const table::Field& field, const Roles& roles, const QualityReference* reference) {
  quality::ColumnSpec spec{field.name, quality_kind(field.type), quality::Role::kFeature};
  const auto* before = reference ? reference->state->find(field.name) : nullptr;
  if (before) spec.role = before->spec().role;
  const auto as = compared_as(field.name, roles);
  if (field.name == roles.id)
    spec.role = quality::Role::kId;
  else if (field.name == roles.timestamp)
    spec.role = quality::Role::kTime;
  else if (as == Role::kLabel)
    spec.role = quality::Role::kLabel;
  else if (field.name == roles.weight || as == Role::kPrediction || as == Role::kScore)
    spec.role = quality::Role::kOther;
  if (spec.role == quality::Role::kTime && spec.kind == Kind::kNumber) spec.kind = Kind::kTime;
  return spec;
}

Values quality_values(const table::Column& column, const quality::ColumnSpec& spec, QualityBuffer& buffer) {
  Values values;
  values.mismatches = column.mismatches();
  buffer.misfits = column.misfits;
  switch (spec.kind) {
    case Kind::kTime:
      values.numbers = as_times(column, buffer.times);
      break;
    case Kind::kNumber:
      values.numbers = column.numbers;
      break;
    case Kind::kString:
      values.codes = column.codes;
      values.dictionary = column.dictionary;
      break;
    default:
      buffer.any_missing.assign(column.offsets.empty() ? 0 : column.offsets.size() - 1, 0);
      for (std::size_t i = 0; i < column.missing.size() && i < buffer.any_missing.size(); ++i)
        buffer.any_missing[i] = column.missing[i];
      values.missing = buffer.any_missing;
  }
  return values;
}

void Pieces::cut(std::span<const std::int32_t> groups) {
  pieces_.clear();
  order_.clear();
  std::int32_t most = -1;
  for (std::size_t i = 0; i < groups.size();) {
    std::size_t j = i + 1;
    while (j < groups.size() && groups[j] == groups[i]) ++j;
    if (groups[i] >= 0) pieces_.push_back({groups[i], i, j - i});
    most = std::max(most, groups[i]);
    i = j;
  }
  std::vector<std::size_t> sizes(static_cast<std::size_t>(most + 1));
  bool runs = true;
  for (const Piece& piece : pieces_) {
    auto& size = sizes[static_cast<std::size_t>(piece.group)];
    runs = runs && size == 0;
    size += piece.size;
  }
  if (runs) return;
  pieces_.clear();
  std::size_t at = 0;
  std::vector<std::size_t> next(sizes.size());
  for (std::size_t g = 0; g < sizes.size(); ++g) {
    if (sizes[g] == 0) continue;
    pieces_.push_back({static_cast<std::int32_t>(g), at, sizes[g]});
    next[g] = at;
    at += sizes[g];
  }
  order_.resize(at);
  place_.assign(groups.size(), kNoPlace);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i] < 0) continue;
    const std::size_t to = next[static_cast<std::size_t>(groups[i])]++;
    order_[to] = static_cast<std::uint32_t>(i);
    place_[i] = static_cast<std::uint32_t>(to);
  }
}

void Pieces::number(const Piece& piece, std::int64_t first, std::vector<std::int64_t>& out) const {
  out.resize(piece.size);
  for (std::size_t i = 0; i < piece.size; ++i)
    out[i] = first + static_cast<std::int64_t>(order_.empty() ? piece.begin + i : order_[piece.begin + i]);
}

Values Pieces::arrange(const Values& values, QualityBuffer& buffer) const {
  if (order_.empty()) return values;
  Values out = values;
  out.numbers = gather(values.numbers, std::span<const std::uint32_t>(order_), buffer.numbers);
  out.codes = gather(values.codes, std::span<const std::uint32_t>(order_), buffer.codes);
  out.missing = gather(values.missing, std::span<const std::uint32_t>(order_), buffer.missing);
  buffer.moved.clear();
  for (const std::uint32_t row : buffer.misfits)
    if (place_[row] != kNoPlace) buffer.moved.push_back(place_[row]);
  std::sort(buffer.moved.begin(), buffer.moved.end());
  buffer.misfits = buffer.moved;
  return out;
}

Values Pieces::part(const Values& arranged, const QualityBuffer& buffer, const Piece& piece) {
  Values out = arranged;
  out.numbers = within(arranged.numbers, piece);
  out.codes = within(arranged.codes, piece);
  out.missing = within(arranged.missing, piece);
  const auto from = [&](std::size_t row) {
    return std::lower_bound(buffer.misfits.begin(), buffer.misfits.end(), row);
  };
  out.mismatches = from(piece.begin + piece.size) - from(piece.begin);
  return out;
}

QualityCounter::QualityCounter(std::vector<quality::ColumnSpec> columns, quality::Depth depth)
    : columns_(std::move(columns)), state_(columns_, nullptr, depth), buffers_(columns_.size()) {}

void QualityCounter::begin(std::int64_t rows) {
  if (state_.rows() + rows > kWholeQuality) state_.lower(quality::Depth::kMany);
  state_.begin(state_.rows(), static_cast<std::size_t>(rows));
}

void QualityCounter::column(std::size_t i, const table::Column& column) {
  state_.column(i, quality_values(column, columns_[i], buffers_[i]));
}

}  // namespace vigie::engine
