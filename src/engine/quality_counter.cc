// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/hash.h"
#include "engine/quality_counter_internal.h"
#include "engine/roles_internal.h"
#include "engine/tally.h"

namespace vigie::engine {
namespace {

using quality::Kind;
using quality::Values;

constexpr std::int64_t kBlock = 512;
constexpr unsigned kShare = 3;  // one block in 2^kShare

bool picked(std::int64_t row) {
  return mix64(static_cast<std::uint64_t>(row / kBlock) + 0x5ab1e) >> (64 - kShare) == 0;
}

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

std::int64_t missing_rows(const Values& values) {
  const std::size_t rows = std::max({values.numbers.size(), values.codes.size(), values.missing.size()});
  std::int64_t missing = 0;
  for (std::size_t i = 0; i < rows; ++i) missing += is_missing(values, i);
  return missing;
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
  values.mismatches = column.mismatches;
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
  for (std::size_t i = 0; i < groups.size(); ++i)
    if (groups[i] >= 0) order_[next[static_cast<std::size_t>(groups[i])]++] = static_cast<std::uint32_t>(i);
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
  if (values.mismatches > 0)
    out.mismatches = std::llround(static_cast<double>(values.mismatches) * static_cast<double>(missing_rows(out)) /
                                  static_cast<double>(std::max<std::int64_t>(missing_rows(values), 1)));
  return out;
}

Values Pieces::part(const Values& arranged, const Piece& piece) {
  Values out = arranged;
  out.numbers = within(arranged.numbers, piece);
  out.codes = within(arranged.codes, piece);
  out.missing = within(arranged.missing, piece);
  if (arranged.mismatches > 0) {
    Values before = arranged;
    before.numbers = arranged.numbers.first(arranged.numbers.empty() ? 0 : piece.begin);
    before.codes = arranged.codes.first(arranged.codes.empty() ? 0 : piece.begin);
    const auto all = static_cast<double>(std::max<std::int64_t>(missing_rows(arranged), 1));
    const auto share = [&](std::int64_t missing) {
      return std::llround(static_cast<double>(arranged.mismatches) * static_cast<double>(missing) / all);
    };
    const auto first = missing_rows(before);
    out.mismatches = share(first + missing_rows(out)) - share(first);
  }
  return out;
}

QualityCounter::QualityCounter(std::vector<quality::ColumnSpec> columns, quality::Depth depth)
    : columns_(std::move(columns)),
      whole_(std::in_place, columns_, nullptr, depth),
      sample_(columns_, nullptr, depth),
      times_(columns_.size()),
      buffers_(columns_.size()) {}

void QualityCounter::begin(std::int64_t rows) {
  const auto n = static_cast<std::size_t>(rows);
  batch_ = rows;
  // The whole is given up as soon as it is known to be too large, and the sample is what remains.
  if (rows_ + rows > kWholeQuality) whole_.reset();
  picked_.assign(n, -1);
  for (std::int64_t at = 0; at < rows;) {
    const std::int64_t end = std::min(rows, (rows_ + at) / kBlock * kBlock + kBlock - rows_);
    if (picked(rows_ + at)) std::fill(picked_.begin() + at, picked_.begin() + end, 0);
    at = end;
  }
  pieces_.cut(picked_);
  const std::size_t kept = pieces_.pieces().empty() ? 0 : pieces_.pieces()[0].size;
  sample_.begin(sampled_, kept);
  sampled_ += static_cast<std::int64_t>(kept);
  if (whole_) whole_->begin(rows_, n);
}

void QualityCounter::column(std::size_t i, const table::Column& column) {
  QualityBuffer& buffer = buffers_[i];
  const Values values = quality_values(column, columns_[i], buffer);
  if (whole_) whole_->column(i, values);
  if (columns_[i].role == quality::Role::kTime && columns_[i].kind == Kind::kTime)
    times_[i].update(rows_, values.numbers);
  if (!pieces_.pieces().empty()) sample_.column(i, Pieces::part(pieces_.arrange(values, buffer), pieces_.pieces()[0]));
}

void QualityCounter::end() {
  if (whole_) whole_->end();
  sample_.end();
  rows_ += batch_;
}

quality::TableState QualityCounter::take() {
  if (whole_) return std::move(*whole_);
  for (std::size_t i = 0; i < columns_.size(); ++i)
    if (times_[i].count() > 0) sample_.set_times(i, std::move(times_[i]));
  return std::move(sample_);
}

}  // namespace vigie::engine
