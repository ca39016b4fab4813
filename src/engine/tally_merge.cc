// SPDX-License-Identifier: Apache-2.0
// What two TallyBuilders have counted, put together.
#include <algorithm>

#include "engine/tally_builder_internal.h"

namespace vigie::engine {

void NumberTexts::merge(const NumberTexts& other) {
  any_ = any_ || other.any_, words_ = words_ || other.words_, marks_ = marks_ || other.marks_;
}

void ColumnCounter::merge(const ColumnCounter& other) {
  // Its cells, by the names that they are of.
  std::vector<std::size_t> to;
  for (std::size_t cell = 0; cell < profile_.cells(); ++cell) to.push_back(cell);
  for (const auto& name : other.fresh) to.push_back(static_cast<std::size_t>(cell_of(name)));
  const auto add = [&](Groups& of, const Groups& more) {
    for (std::size_t k = 0; k < more.size(); ++k) {
      if (of[k].size() < more[k].size()) of[k].resize(more[k].size());
      for (std::size_t g = 0; g < more[k].size(); ++g) {
        const auto& from = more[k][g];
        auto rest = from;
        rest.cells.assign(from.cells.empty() ? 0 : width(), 0);
        for (std::size_t i = 0; i < from.cells.size(); ++i) rest.cells[to[i]] += from.cells[i];
        of[k][g].merge(rest);
      }
    }
  };
  add(cells, other.cells), add(first_half_, other.first_half_);
  texts_.merge(other.texts_);
  mismatches += other.mismatches, infinite += other.infinite;
  minimum = std::min(minimum, other.minimum), maximum = std::max(maximum, other.maximum);
  for (std::size_t k = 0; k < kept_.size(); ++k) {
    kept_[k] += other.kept_[k];
    auto& values = values_[k];
    values.resize(std::max(values.size(), other.values_[k].size()));
    for (std::size_t g = 0; g < other.values_[k].size(); ++g)
      values[g].insert(values[g].end(), other.values_[k][g].begin(), other.values_[k][g].end());
    if (kept_[k] > most_) values.clear(), values.shrink_to_fit();
    auto& samples = rows_[k];
    samples.resize(std::max(samples.size(), other.rows_[k].size()));
    for (std::size_t g = 0; g < other.rows_[k].size(); ++g) samples[g].merge(other.rows_[k][g]);
    spans[k].resize(std::max(spans[k].size(), other.spans[k].size()));
    for (std::size_t g = 0; g < other.spans[k].size(); ++g) {
      spans[k][g].low = std::min(spans[k][g].low, other.spans[k][g].low);
      spans[k][g].high = std::max(spans[k][g].high, other.spans[k][g].high);
    }
  }
}

// Windows and segments are numbered alike, as long as both are of one window or met theirs in the same order.
Status TallyBuilder::merge(const TallyBuilder& other) {
  auto& t = tally_;
  const auto& more = other.tally_;
  const auto alike = [&] {
    if (counters_.size() != other.counters_.size() || t.widths != more.widths) return false;
    for (std::size_t w = 0; w < std::min(t.windower->size(), more.windower->size()); ++w)
      if ((*t.windower)[w].key != (*more.windower)[w].key) return false;
    return true;
  };
  if (!alike()) return fail(Code::kInput, "counts of different windows or columns cannot be put together");
  for (std::size_t w = 0; w < more.windower->size(); ++w) {
    const auto& window = (*more.windower)[w];
    t.windower->met(window.key, window.first, window.last);
  }
  t.window_rows.resize(t.windower->size());
  for (std::size_t w = 0; w < more.window_rows.size(); ++w) t.window_rows[w] += more.window_rows[w];
  for (std::size_t w = 0; w < more.quality.size(); ++w) {
    if (w == t.quality.size()) t.quality.push_back(fresh_->copy());
    VIGIE_TRY(t.quality[w].join(more.quality[w]));
  }
  for (std::size_t w = 0; w < other.rules_.size(); ++w) {
    if (w == rules_.size()) rules_.emplace_back();
    rules_[w].join(other.rules_[w]);
  }
  for (std::size_t k = 0; k < sizes_.size(); ++k) sizes_[k] = t.windower->size() * t.widths[k];
  for (std::size_t i = 0; i < counters_.size(); ++i) counters_[i].merge(other.counters_[i]);
  for (std::size_t k = 0; k < segmenters_.size(); ++k) {
    auto& segmenter = segmenters_[k];
    const auto& more_of = other.segmenters_[k];
    segmenter.strayed(segmenter.strays() + more_of.strays(),
                      segmenter.strays() > 0 ? segmenter.stray() : std::string(more_of.stray()));
  }
  for (std::size_t k = 0; k < met_.size(); ++k) {
    met_[k].resize(sizes_[k]);
    for (std::size_t g = 0; g < other.met_[k].size(); ++g)
      if (other.met_[k][g] && !met_[k][g]) met_[k][g] = true, held_ += each_, ++groups_met_;
  }
  weighed_.resize(t.quality.size());
  t.rows += more.rows, t.without_time += more.without_time;
  return {};
}

}  // namespace vigie::engine
