// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "engine/column_counter_internal.h"

namespace vigie::engine {
namespace {

constexpr std::int32_t kMissing = -1, kOtherHalf = -2;  // instead of a code

}  // namespace

ColumnCounter::ColumnCounter(const ColumnProfile& profile, std::size_t segmentations, bool reference)
    : profile_(profile),
      reference_(reference),
      first_half_(profile.halved ? segmentations : 0),
      kept_(segmentations),
      values_(segmentations),
      rows_(segmentations),
      spans(segmentations),
      cells(segmentations) {
  if (profile.categorical()) {
    for (std::size_t i = 0; i < profile.categories.size(); ++i)
      index_.emplace(profile.categories[i].name, static_cast<std::int32_t>(i));
    other_ = static_cast<std::int32_t>(profile.categories.size());
  } else {
    cuts_.emplace(std::span<const double>(profile.bins.cuts));
  }
}

void ColumnCounter::add(const table::Column& column, std::int64_t first, std::span<const Membership> groups,
                        std::span<const std::size_t> sizes) {
  mismatches += column.mismatches();
  for (std::size_t k = 0; k < groups.size(); ++k)
    if (cells[k].size() < sizes[k]) cells[k].resize(sizes[k]);
  if (profile_.categorical()) {
    auto coded = encode(column, codes_);
    if (profile_.halved) {
      for (std::size_t k = 0; k < groups.size(); ++k) first_half_[k].resize(cells[k].size());
      add_codes(half(coded, first, false), groups, first_half_);
      coded = half(coded, first, true);
    }
    add_codes(coded, groups, cells);
  } else {
    auto values = project(column, profile_.type, numbers_, infinite);
    if (profile_.halved) {
      for (std::size_t k = 0; k < groups.size(); ++k) first_half_[k].resize(cells[k].size());
      add_numbers(values, half_of(groups, first, false), first_half_);
      add_numbers(values, half_of(groups, first, true), cells);
    } else {
      add_numbers(values, groups, cells);
    }
  }
  if (profile_.type == ColumnType::kText) texts_.add(column.dictionary);
  if (keeps_rows_) sample_rows(column, first, groups);
}

void ColumnCounter::add_missing(std::span<const Membership> groups, std::span<const std::size_t> sizes) {
  for (std::size_t k = 0; k < groups.size(); ++k) {
    if (cells[k].size() < sizes[k]) cells[k].resize(sizes[k]);
    for (auto g : groups[k].groups)
      if (g >= 0) ++cells[k][static_cast<std::size_t>(g)].missing;
  }
}

void ColumnCounter::finish(bool same) {
  for (std::size_t k = 0; k < first_half_.size(); ++k) {
    for (std::size_t g = 0; g < first_half_[k].size(); ++g) {
      auto& counts = cells[k][g];
      if (reference_ || same) {
        counts.uncounted += first_half_[k][g].rows();
        counts.uncounted_missing += first_half_[k][g].missing;
      } else {
        counts.merge(first_half_[k][g]);
      }
    }
  }
  first_half_.clear();
}

Counts& ColumnCounter::group(Groups& of, std::size_t k, std::int32_t g) {
  auto& counts = of[k][static_cast<std::size_t>(g)];
  if (counts.cells.size() < width()) counts.cells.resize(width());
  return counts;
}

Coded ColumnCounter::half(Coded coded, std::int64_t first, bool second) {
  half_.assign(coded.codes.begin(), coded.codes.end());
  for (std::size_t i = 0; i < half_.size(); ++i)
    if (in_second_half(first + static_cast<std::int64_t>(i)) != second) half_[i] = kOtherHalf;
  return {half_, coded.dictionary};
}

std::int64_t ColumnCounter::beyond(std::span<const double> values) const {
  const auto& bins = profile_.bins;
  if (!(bins.sd > 0)) return 0;
  double low = bins.cuts.front(), high = bins.centers.back();
  std::int64_t sum = 0;
  for (double v : values) {
    double distance = v < low ? low - v : v > high ? v - high : 0;
    sum = saturating_add(sum,
                         static_cast<std::int64_t>(std::min(distance / bins.sd * 1e6, static_cast<double>(kFarthest))));
  }
  return sum;
}

std::vector<Membership> ColumnCounter::half_of(std::span<const Membership> groups, std::int64_t first,
                                               bool second) const {
  std::vector<Membership> out;
  for (const auto& m : groups) {
    auto& half = out.emplace_back().groups = m.groups;
    for (std::size_t i = 0; i < half.size(); ++i)
      if (in_second_half(first + static_cast<std::int64_t>(i)) != second) half[i] = -1;
  }
  return out;
}

void ColumnCounter::add_numbers(std::span<const double> values, std::span<const Membership> groups, Groups& to) {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  for (double v : values) {
    low = v < low ? v : low;
    high = v > high ? v : high;
  }
  minimum = std::min(minimum, low), maximum = std::max(maximum, high);
  if (most_ > 0) keep_values(values, groups);
  if (profile_.type == ColumnType::kTimestamp) add_spans(values, groups);
  const auto& cuts = profile_.bins.cuts;
  bool outside = !cuts.empty() && (low < cuts.front() || high >= cuts.back());
  bool located = false;
  for (std::size_t k = 0; k < groups.size(); ++k) {
    const auto& m = groups[k];
    if (!m.runs.empty()) {
      for (const auto& run : m.runs) {
        if (run.group < 0) continue;
        auto& counts = group(to, k, run.group);
        auto part = values.subspan(static_cast<std::size_t>(run.begin), static_cast<std::size_t>(run.end - run.begin));
        counts.missing += static_cast<std::int64_t>(cuts_->count(part, counts.cells));
        if (outside) counts.beyond = saturating_add(counts.beyond, beyond(part));
      }
      continue;
    }
    if (!located) {
      places_.resize(values.size());
      cuts_->locate(values, places_);
      located = true;
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (m.groups[i] < 0) continue;
      auto& counts = group(to, k, m.groups[i]);
      if (places_[i] == 0xffff)
        ++counts.missing;
      else
        ++counts.cells[places_[i]];
      if (outside) counts.beyond = saturating_add(counts.beyond, beyond(values.subspan(i, 1)));
    }
  }
}

void ColumnCounter::add_spans(std::span<const double> times, std::span<const Membership> groups) {
  for (std::size_t k = 0; k < groups.size(); ++k) {
    spans[k].resize(std::max(spans[k].size(), cells[k].size()));
    for (std::size_t i = 0; i < times.size(); ++i) {
      if (groups[k].groups[i] < 0 || std::isnan(times[i])) continue;
      auto& span = spans[k][static_cast<std::size_t>(groups[k].groups[i])];
      span.low = std::min(span.low, times[i]);
      span.high = std::max(span.high, times[i]);
    }
  }
}

void ColumnCounter::keep(std::int64_t most) {
  if (!profile_.categorical()) most_ = most;
}

void ColumnCounter::keep_values(std::span<const double> values, std::span<const Membership> groups) {
  for (std::size_t k = 0; k < groups.size(); ++k) {
    if (kept_[k] > most_) continue;
    auto& kept = values_[k];
    kept.resize(std::max(kept.size(), cells[k].size()));
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (groups[k].groups[i] < 0 || std::isnan(values[i])) continue;
      kept[static_cast<std::size_t>(groups[k].groups[i])].push_back(values[i]);
      ++kept_[k];
    }
    if (kept_[k] > most_) kept.clear(), kept.shrink_to_fit();
  }
}

std::vector<std::vector<std::vector<double>>> ColumnCounter::take_values() {
  for (auto& groups : values_)
    for (auto& values : groups) std::sort(values.begin(), values.end());
  return std::move(values_);
}

void ColumnCounter::sample_rows(const table::Column& column, std::int64_t first, std::span<const Membership> groups) {
  const bool lists = column.type != table::Type::kString;
  const std::size_t rows = !lists ? column.codes.size() : column.offsets.empty() ? 0 : column.offsets.size() - 1;
  for (std::size_t k = 0; k < groups.size(); ++k) rows_[k].resize(cells[k].size());
  for (std::size_t i = 0; i < rows; ++i) {
    const auto row = first + static_cast<std::int64_t>(i);
    std::span<const float> vector;
    for (std::size_t k = 0; k < groups.size(); ++k) {
      if (groups[k].groups[i] < 0 || (!lists && column.codes[i] < 0)) continue;
      auto& sample = rows_[k][static_cast<std::size_t>(groups[k].groups[i])];
      if (!lists && !sample.wants(row)) {
        sample.skip();
        continue;
      }
      if (vector.empty()) vector = vector_of(column, i, vector_);
      if (vector.empty() || !sample.fits(vector)) continue;
      sample.wants(row) ? sample.put(row, vector) : sample.skip();
    }
  }
}

std::vector<std::vector<RowSample>> ColumnCounter::take_rows() {
  for (auto& groups : rows_)
    for (auto& sample : groups) sample.finish();
  return std::move(rows_);
}

std::int32_t ColumnCounter::cell_of(std::string_view name) {
  if (auto it = index_.find(name); it != index_.end()) return it->second;
  // Where the reference's own table was cut short, nobody can tell a new category from a rare one.
  if (profile_.halved || profile_.other > 0 || fresh.size() >= kFresh) return other_;
  auto cell = other_ + 1 + static_cast<std::int32_t>(fresh.size());
  fresh.emplace_back(name);
  index_.emplace(std::string(name), cell);
  return cell;
}

void ColumnCounter::add_codes(Coded coded, std::span<const Membership> groups, Groups& to) {
  map_.assign(coded.dictionary.size(), -1);
  // Dictionary entries are looked up when a row first uses them: not every entry need be used, and only what is
  // used may become a new category.
  auto place = [&](std::int32_t code) {
    auto& slot = map_[static_cast<std::size_t>(code)];
    if (slot >= 0) return slot;
    return slot = cell_of(coded.dictionary[static_cast<std::size_t>(code)]);
  };
  for (std::size_t k = 0; k < groups.size(); ++k) {
    const auto& m = groups[k];
    auto one = [&](Counts*& counts, std::int32_t code, std::int32_t g) {
      if (code < 0) {
        counts->missing += code == kMissing;
        return;
      }
      auto cell = static_cast<std::size_t>(place(code));
      if (cell >= counts->cells.size()) counts = &group(to, k, g);
      ++counts->cells[cell];
    };
    if (!m.runs.empty()) {
      for (const auto& run : m.runs) {
        if (run.group < 0) continue;
        auto* counts = &group(to, k, run.group);
        for (auto i = run.begin; i < run.end; ++i) one(counts, coded.codes[static_cast<std::size_t>(i)], run.group);
      }
    } else {
      for (std::size_t i = 0; i < coded.codes.size(); ++i) {
        if (m.groups[i] < 0) continue;
        auto* counts = &group(to, k, m.groups[i]);
        one(counts, coded.codes[i], m.groups[i]);
      }
    }
  }
}

}  // namespace vigie::engine
