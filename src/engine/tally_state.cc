// SPDX-License-Identifier: Apache-2.0
// What a TallyBuilder has counted so far, as bytes from which another one goes on.
#include <algorithm>
#include <limits>

#include "engine/counts_bytes_internal.h"
#include "engine/tally_builder_internal.h"

namespace vigie::engine {
namespace {

// All of a state, since more rows come.
constexpr quality::Budget kWhole{.category_bytes = std::numeric_limits<std::size_t>::max(),
                                 .repeats = std::numeric_limits<std::size_t>::max()};

Error corrupt() {
  return fail(Code::kCorrupt, "what was counted of a window cannot be read");
}

void save_count(ByteWriter& out, std::int64_t count) {
  out.varint(static_cast<std::uint64_t>(count));
}
std::int64_t load_count(ByteReader& in) {
  const auto count = static_cast<std::int64_t>(in.varint());
  if (count < 0) in.fail();
  return in.ok() ? count : 0;
}

void save_groups(ByteWriter& out, const std::vector<std::vector<Counts>>& all) {
  for (const auto& groups : all) {
    out.varint(groups.size());
    for (const auto& counts : groups) {
      save_counts(out, counts);
      save_count(out, counts.beyond);
    }
  }
}
void load_groups(ByteReader& in, std::size_t width, std::vector<std::vector<Counts>>& all) {
  for (auto& groups : all) {
    groups.resize(in.count(5));
    for (auto& counts : groups) {
      counts = load_counts(in);
      if (counts.cells.size() > width) in.fail();
      counts.beyond = load_count(in);
    }
  }
}

}  // namespace

void NumberTexts::save(ByteWriter& out) const {
  for (bool said : {any_, words_, marks_}) out.fixed(std::uint8_t{said});
}
void NumberTexts::load(ByteReader& in) {
  for (bool* said : {&any_, &words_, &marks_}) *said = in.fixed<std::uint8_t>() != 0;
}

void RowSample::save(ByteWriter& out) const {
  out.varint(width_);
  save_count(out, of_);
  auto left = kept_;
  out.varint(left.size());
  for (; !left.empty(); left.pop()) {
    const auto [rank, slot] = left.top();
    out.fixed(rank);
    for (std::size_t i = 0; i < width_; ++i) out.fixed(values_[slot * width_ + i]);
  }
}
void RowSample::load(ByteReader& in) {
  width_ = in.count(0), of_ = load_count(in);
  const auto rows = in.count(sizeof(std::uint64_t) + width_ * sizeof(float));
  if (rows > kKeptRows || (rows > 0 && width_ == 0)) return in.fail();
  values_.reserve(rows * width_);
  for (std::size_t slot = 0; slot < rows; ++slot) {
    kept_.emplace(in.fixed<std::uint64_t>(), slot);
    for (std::size_t i = 0; i < width_; ++i) values_.push_back(in.fixed<float>());
  }
}

void ColumnCounter::save(ByteWriter& out) const {
  out.varint(fresh.size());
  for (const auto& name : fresh) out.string(name);
  texts_.save(out);
  save_count(out, mismatches), save_count(out, infinite);
  out.fixed(minimum), out.fixed(maximum);
  save_groups(out, cells);
  save_groups(out, first_half_);
  for (auto kept : kept_) save_count(out, kept);
  for (const auto& groups : values_) {
    out.varint(groups.size());
    for (const auto& values : groups) out.array(std::span<const double>(values));
  }
  for (const auto& groups : rows_) {
    out.varint(groups.size());
    for (const auto& sample : groups) sample.save(out);
  }
  for (const auto& groups : spans) {
    out.varint(groups.size());
    for (const auto& span : groups) out.fixed(span.low), out.fixed(span.high);
  }
}

void ColumnCounter::load(ByteReader& in) {
  for (auto names = in.count(1); names > 0 && in.ok(); --names) {
    const auto cell = other_ + 1 + static_cast<std::int32_t>(fresh.size());
    if (!index_.emplace(fresh.emplace_back(in.string()), cell).second) in.fail();
  }
  texts_.load(in);
  mismatches = load_count(in), infinite = load_count(in);
  minimum = in.fixed<double>(), maximum = in.fixed<double>();
  load_groups(in, width(), cells);
  load_groups(in, width(), first_half_);
  for (auto& kept : kept_) kept = load_count(in);
  for (auto& groups : values_) {
    groups.resize(in.count(1));
    for (auto& values : groups) in.array(values);
  }
  for (auto& groups : rows_) {
    groups.resize(in.count(3));
    for (auto& sample : groups) sample.load(in);
  }
  for (auto& groups : spans) {
    groups.resize(in.count(2 * sizeof(double)));
    for (auto& span : groups) span.low = in.fixed<double>(), span.high = in.fixed<double>();
  }
}

bool ColumnCounter::holds(std::span<const std::size_t> most) const {
  const auto within = [&](const auto& all) {
    for (std::size_t k = 0; k < all.size(); ++k)
      if (all[k].size() > most[k]) return false;
    return true;
  };
  for (std::size_t k = 0; k < first_half_.size(); ++k)
    if (first_half_[k].size() > cells[k].size()) return false;
  return within(cells) && within(first_half_) && within(values_) && within(rows_) && within(spans);
}

void TallyBuilder::save(ByteWriter& out) const {
  const auto& t = tally_;
  out.varint(t.windower->size());
  for (std::size_t w = 0; w < t.windower->size(); ++w) {
    const auto& window = (*t.windower)[w];
    out.fixed(window.key), out.fixed(window.first), out.fixed(window.last);
    save_count(out, t.window_rows[w]);
  }
  save_count(out, t.rows), save_count(out, t.without_time);
  for (const auto& segmenter : segmenters_) save_count(out, segmenter.strays()), out.string(segmenter.stray());
  out.varint(counters_.size());
  for (const auto& counter : counters_) counter.save(out);
  out.varint(t.quality.size());
  for (const auto& state : t.quality) state.save(out, kWhole);
  save_count(out, held_), save_count(out, groups_met_);
  for (const auto& met : met_) {
    const std::vector<std::uint8_t> bytes(met.begin(), met.end());
    out.array(std::span<const std::uint8_t>(bytes));
  }
  for (const auto& weighed : weighed_) save_count(out, weighed.rows), save_count(out, weighed.bytes);
}

Status TallyBuilder::load(ByteReader& in) {
  auto& t = tally_;
  for (auto windows = in.count(3 * sizeof(std::int64_t) + 1); windows > 0 && in.ok(); --windows) {
    const auto key = in.fixed<std::int64_t>();
    const auto first = in.fixed<double>(), last = in.fixed<double>();
    if (!t.windower->possible(key)) return corrupt();
    t.windower->met(key, first, last);
    t.window_rows.push_back(load_count(in));
  }
  if (t.windower->size() != t.window_rows.size()) return corrupt();
  t.rows = load_count(in), t.without_time = load_count(in);
  for (auto& segmenter : segmenters_) {
    const auto strays = load_count(in);
    segmenter.strayed(strays, std::string(in.string()));
  }
  if (in.count(1) != counters_.size()) return corrupt();
  for (std::size_t k = 0; k < sizes_.size(); ++k) sizes_[k] = t.windower->size() * t.widths[k];
  for (auto& counter : counters_) {
    counter.load(in);
    if (!counter.holds(sizes_)) return corrupt();
  }
  const auto states = in.count(1);
  if (states != (options_.quality ? t.windower->size() : 0)) return corrupt();
  for (std::size_t w = 0; w < states; ++w) {
    VIGIE_ASSIGN(auto state, quality::TableState::load(in));
    state.lower(quality::Depth::kCounts);
    if (!std::ranges::equal(state.columns(), fresh_->columns(), [](const auto& a, const auto& b) {
          return a.spec().name == b.spec().name && a.spec().kind == b.spec().kind && a.spec().role == b.spec().role;
        }))
      return corrupt();
    t.quality.push_back(std::move(state));
  }
  held_ = load_count(in), groups_met_ = load_count(in);
  for (std::size_t k = 0; k < met_.size(); ++k) {
    std::vector<std::uint8_t> bytes;
    in.array(bytes);
    if (bytes.size() != sizes_[k]) return corrupt();
    met_[k].assign(bytes.begin(), bytes.end());
  }
  weighed_.resize(states);
  for (auto& weighed : weighed_) weighed = {load_count(in), load_count(in)};
  return in.ok() ? Status() : Status(corrupt());
}

void TallyBuilder::save_rules(ByteWriter& out) const {
  out.varint(rules_.size());
  for (const auto& states : rules_) states.save(out);
}

Status TallyBuilder::load_rules(ByteReader& in) {
  if (in.count(1) != tally_.windower->size() || !options_.quality) return corrupt();
  for (std::size_t w = 0; w < tally_.windower->size(); ++w) {
    VIGIE_ASSIGN(auto states, quality::RuleStates::load(in, checked_));
    rules_.push_back(std::move(states));
  }
  return {};
}

}  // namespace vigie::engine
