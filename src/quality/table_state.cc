// SPDX-License-Identifier: Apache-2.0
#include "quality/table_state.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "base/hash.h"

namespace vigie::quality {
namespace {

constexpr std::uint8_t kVersion = 1;

unsigned zeros(std::uint64_t hash) {
  return static_cast<unsigned>(std::countl_zero(hash));
}

double middle(std::vector<double>& values) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

Fences fences_of(const ColumnState& column) {
  if (column.rows() == 0) return column.fences();
  Fences fences;
  if (column.spec().kind != Kind::kNumber) return fences;
  fences.low = column.low();
  fences.high = column.high();
  if (const auto numbers = column.numbers())
    for (const auto& [value, count] : *numbers)
      if (count > 0) fences.domain.push_back(value);
  if (fences.domain.size() > ColumnState::kNumbers) fences.domain.clear();
  std::vector<double> values;
  for (const std::uint64_t word : column.sample()) {
    const double value = std::bit_cast<double>(word);
    if (word != ColumnState::kMissingHash && std::isfinite(value)) values.push_back(value);
  }
  if (values.empty()) return fences;
  const double median = middle(values);
  for (double& value : values) value = std::abs(value - median);
  const double spread = Fences::kOutlierSd * 1.4826 * middle(values);
  if (!(spread > 0) || !std::isfinite(spread)) return fences;
  fences.outlier_low = median - spread;
  fences.outlier_high = median + spread;
  return fences;
}

bool same(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

bool same(const ColumnState& a, const ColumnState& b) {
  const Fences &x = a.fences(), &y = b.fences();
  return a.spec().name == b.spec().name && a.spec().kind == b.spec().kind && same(x.low, y.low) &&
         same(x.high, y.high) && same(x.outlier_low, y.outlier_low) && same(x.outlier_high, y.outlier_high) &&
         x.domain == y.domain;
}

}  // namespace

TableState::TableState(std::vector<ColumnSpec> columns, const TableState* reference, Depth depth) : depth_(depth) {
  columns_.reserve(columns.size());
  for (ColumnSpec& spec : columns) {
    const ColumnState* before = reference ? reference->find(spec.name) : nullptr;
    const bool known = before && before->spec().kind == spec.kind;
    columns_.emplace_back(std::move(spec), known ? fences_of(*before) : Fences{}, depth);
  }
}

TableState::TableState(TableState&& other) noexcept {
  *this = std::move(other);
}

TableState& TableState::operator=(TableState&& other) noexcept {
  depth_ = other.depth_;
  columns_ = std::move(other.columns_);
  rows_ = other.rows_;
  row_repeats_ = std::move(other.row_repeats_);
  id_repeats_ = std::move(other.id_repeats_);
  level_ = other.level_;
  priorities_ = std::move(other.priorities_);
  lanes_.clear();
  return *this;
}

TableState TableState::copy() const {
  TableState out({});
  out.depth_ = depth_;
  out.columns_ = columns_;
  out.rows_ = rows_;
  out.row_repeats_ = row_repeats_;
  out.id_repeats_ = id_repeats_;
  out.level_ = level_;
  out.priorities_ = priorities_;
  return out;
}

const ColumnState* TableState::find(std::string_view name) const {
  const auto at =
      std::find_if(columns_.begin(), columns_.end(), [&](const ColumnState& c) { return c.spec().name == name; });
  return at == columns_.end() ? nullptr : &*at;
}

void TableState::begin(std::int64_t first_row, std::size_t rows) {
  first_ = first_row;
  rows_ += static_cast<std::int64_t>(rows);
  weights_.resize(rows);
  picks_.clear();
  ids_.clear();
  if (depth_ == Depth::kCounts) return;
  for (std::size_t i = 0; i < rows; ++i) {
    weights_[i] = mix64(static_cast<std::uint64_t>(first_row) + i + 0x9e3779b97f4a7c15U);
    if (zeros(weights_[i]) >= level_) picks_.push_back(static_cast<std::uint32_t>(i));
  }
  // Before the columns come: they need not hold what would be thinned out in the end.
  while (priorities_.size() + picks_.size() > kSampleRows && level_ < 63) {
    raise(level_ + 1);
    std::erase_if(picks_, [this](std::uint32_t i) { return zeros(weights_[i]) < level_; });
  }
  for (const std::uint32_t i : picks_) priorities_.push_back(weights_[i]);
}

TableState::Lane& TableState::take_lane() {
  const std::scoped_lock lock(lanes_mutex_);
  auto at = std::find_if(lanes_.begin(), lanes_.end(), [](const auto& lane) { return !lane->taken; });
  if (at == lanes_.end()) at = lanes_.insert(at, std::make_unique<Lane>());
  (*at)->taken = true;
  return **at;
}

void TableState::column(std::size_t i, const Values& values) {
  ColumnState& state = columns_[i];
  const Role role = state.spec().role;
  if (role == Role::kId) keep_ids(values, state.spec().kind);
  if (depth_ < Depth::kMany || role == Role::kId || role == Role::kTime)
    return state.update(first_, values, weights_, {}, picks_);
  Lane& lane = take_lane();
  if (!lane.used) lane.hashes.assign(weights_.size(), 0);
  lane.used = true;
  state.update(first_, values, weights_, lane.hashes, picks_);
  const std::scoped_lock lock(lanes_mutex_);
  lane.taken = false;
}

void TableState::keep_ids(const Values& values, Kind kind) {
  if (kind == Kind::kNumber) {
    for (const double value : values.numbers)
      if (!std::isnan(value)) ids_.push_back(hash64(value));
  } else if (kind == Kind::kString) {
    for (const std::int32_t code : values.codes)
      if (code >= 0) ids_.push_back(hash64(values.dictionary[static_cast<std::size_t>(code)]));
  }
}

void TableState::end() {
  std::vector<std::uint64_t>* sum = nullptr;
  for (const auto& lane : lanes_) {
    if (!lane->used) continue;
    lane->used = false;
    if (sum)
      for (std::size_t i = 0; i < sum->size(); ++i) (*sum)[i] += lane->hashes[i];
    else
      sum = &lane->hashes;
  }
  if (sum) {
    // A sum of multiples is not mixed enough for a table of hashes.
    for (std::uint64_t& hash : *sum) hash = mix64(hash);
    row_repeats_.update(*sum);
  }
  id_repeats_.update(ids_);
}

void TableState::update(std::int64_t first_row, std::size_t rows, std::span<const Values> columns) {
  begin(first_row, rows);
  for (std::size_t i = 0; i < columns_.size() && i < columns.size(); ++i) column(i, columns[i]);
  end();
}

void TableState::lower(Depth depth) {
  if (depth >= depth_) return;
  depth_ = depth;
  for (ColumnState& column : columns_) column.lower(depth);
}

void TableState::raise(unsigned level) {
  level_ = level;
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < priorities_.size(); ++i)
    if (zeros(priorities_[i]) >= level) kept.push_back(i);
  if (kept.size() == priorities_.size()) return;
  const auto keep = [&](std::vector<std::uint64_t>& words) {
    for (std::size_t i = 0; i < kept.size(); ++i) words[i] = words[kept[i]];
    words.resize(kept.size());
  };
  for (ColumnState& column : columns_) keep(column.sample());
  keep(priorities_);
}

void TableState::thin(std::size_t most) {
  while (priorities_.size() > most && level_ < 63) raise(level_ + 1);
}

Status TableState::merge(const TableState& other) {
  if (columns_.size() != other.columns_.size() ||
      !std::equal(columns_.begin(), columns_.end(), other.columns_.begin(),
                  [](const ColumnState& a, const ColumnState& b) { return same(a, b); }))
    return fail(Code::kInput, "tables of different columns cannot be merged");
  const unsigned level = std::max(level_, other.level_);
  rows_ += other.rows_;
  for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i].merge(other.columns_[i]);
  row_repeats_.merge(other.row_repeats_);
  id_repeats_.merge(other.id_repeats_);
  priorities_.insert(priorities_.end(), other.priorities_.begin(), other.priorities_.end());
  // The side with more rows left out must not be outvoted by the other.
  raise(level);
  thin(kSampleRows);
  return {};
}

Status TableState::append(const TableState& other) {
  return merge_from(other, rows_);
}

// Rows whose numbers do not meet are in no order.
Status TableState::join(const TableState& other) {
  return merge_from(other, 2 * rows_ + 1);
}

Status TableState::merge_from(const TableState& other, std::int64_t first_row) {
  TableState after = other.copy();
  for (ColumnState& column : after.columns_) column.shift(first_row);
  return merge(after);
}

RowSample TableState::sample() const {
  std::vector<std::size_t> order(priorities_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [this](std::size_t a, std::size_t b) { return priorities_[a] < priorities_[b]; });
  RowSample out;
  out.rows = order.size();
  for (const ColumnState& column : columns_) {
    auto& words = out.columns.emplace_back();
    words.reserve(order.size());
    for (const std::size_t i : order) words.push_back(column.sample()[i]);
  }
  return out;
}

std::size_t TableState::size_bytes() const {
  std::size_t bytes = sizeof *this;
  for (const ColumnState& column : columns_) bytes += column.size_bytes();
  return bytes;
}

void TableState::save(ByteWriter& out, const Budget& budget) const {
  if (priorities_.size() > budget.sample_rows) {
    TableState thinned = copy();
    thinned.thin(budget.sample_rows);
    Budget same = budget;
    same.sample_rows = kSampleRows;
    return thinned.save(out, same);
  }
  out.fixed(kVersion);
  out.varint(static_cast<std::uint64_t>(rows_));
  out.fixed(static_cast<std::uint8_t>(level_));
  row_repeats_.save(out, budget.repeats);
  id_repeats_.save(out, budget.repeats);
  out.array(std::span<const std::uint64_t>(priorities_));
  out.varint(columns_.size());
  for (const ColumnState& column : columns_) column.save(out, budget);
}

Result<TableState> TableState::load(ByteReader& in) {
  const auto corrupt = [&in] {
    in.fail();
    return fail(Code::kCorrupt, "table quality: not a saved state");
  };
  TableState state({});
  if (in.fixed<std::uint8_t>() != kVersion) return corrupt();
  state.rows_ = static_cast<std::int64_t>(in.varint());
  state.level_ = in.fixed<std::uint8_t>();
  if (!in.ok() || state.rows_ < 0 || state.rows_ > std::int64_t{1} << 56 || state.level_ > 63) return corrupt();
  VIGIE_ASSIGN(state.row_repeats_, Repeats::load(in));
  VIGIE_ASSIGN(state.id_repeats_, Repeats::load(in));
  in.array(state.priorities_);
  if (!in.ok() || state.priorities_.size() > kSampleRows) return corrupt();
  const std::uint64_t columns = in.count(100);
  for (std::uint64_t i = 0; i < columns; ++i) {
    VIGIE_ASSIGN(auto column, ColumnState::load(in));
    if (column.sample().size() != state.priorities_.size() || column.rows() > state.rows_) return corrupt();
    state.columns_.push_back(std::move(column));
  }
  if (!in.ok()) return corrupt();
  return state;
}

}  // namespace vigie::quality
