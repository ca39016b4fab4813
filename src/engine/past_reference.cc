// SPDX-License-Identifier: Apache-2.0
#include "engine/past_reference.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "engine/summaries_internal.h"

namespace vigie::engine {
namespace {

constexpr std::size_t kShares = 16;  // of categories that are followed from window to window

// Cells of a column as they were counted, the names met besides last, on the axis of another one.
struct Moves {
  std::vector<std::size_t> to;     // per cell
  std::vector<std::string> fresh;  // names that the other one does not have; their cells are its last
};

Moves moves_of(const ColumnProfile& from, const std::vector<std::string>& fresh, const ColumnProfile& to) {
  std::map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < to.categories.size(); ++i) places[to.categories[i].name] = i;
  Moves out;
  const auto place = [&](const std::string& name) {
    const auto at = places.find(name);
    if (at != places.end()) return at->second;
    if (to.other > 0) return to.categories.size();  // it may be one of those
    out.fresh.push_back(name);
    return to.cells() + out.fresh.size() - 1;
  };
  for (const auto& category : from.categories) out.to.push_back(place(category.name));
  out.to.push_back(to.categories.size());
  for (const auto& name : fresh) out.to.push_back(place(name));
  return out;
}

std::vector<std::int64_t> moved(const std::vector<std::int64_t>& cells, const Moves& moves, std::size_t width) {
  std::vector<std::int64_t> out(width + moves.fresh.size());
  for (std::size_t i = 0; i < cells.size(); ++i) out[moves.to[i]] += cells[i];
  return out;
}

double sd_of(const Bins& bins, const std::vector<std::int64_t>& counts) {
  double n = 0, mean = 0, square = 0;
  for (std::size_t j = 0; j < counts.size(); ++j) {
    const auto rows = static_cast<double>(counts[j]);
    if (rows == 0) continue;
    n += rows;
    const double step = bins.centers[j] - mean;
    mean += step * rows / n;
    square += step * (bins.centers[j] - mean) * rows;
  }
  return n > 0 ? std::sqrt(square / n) : 0;
}

std::int64_t scaled(std::int64_t beyond, double by) {
  return static_cast<std::int64_t>(std::min(static_cast<double>(beyond) * by, 9e18));
}

// By falling count, then name, as a profile has them; names that the windows met are among them.
void choose_categories(const ColumnProfile& from, const std::map<std::string, std::int64_t, std::less<>>& met,
                       ColumnProfile& out) {
  out.categories.clear();
  for (const auto& [name, count] : met) out.categories.push_back({name, count});
  std::stable_sort(out.categories.begin(), out.categories.end(),
                   [](const Category& a, const Category& b) { return a.count > b.count; });
  std::size_t bytes = 0, fit = 0;
  const auto most = std::max(kCategories, from.categories.size());
  for (; fit < std::min(out.categories.size(), most); ++fit)
    if ((bytes += out.categories[fit].name.size()) > kCategoryBytes && fit >= from.categories.size()) break;
  for (auto i = fit; i < out.categories.size(); ++i) out.other += out.categories[i].count;
  out.categories.resize(fit);
}

}  // namespace

std::vector<PastReference::Column> PastReference::columns_of(const Tally& counted) {
  std::vector<Column> out;
  for (std::size_t c = 0; c < counted.cells.size(); ++c) {
    auto& column = out.emplace_back(Column{counted.fresh[c], {}});
    for (std::size_t k = 0; k < counted.widths.size(); ++k) {
      auto& groups = column.cells.emplace_back();
      for (std::size_t s = 0; s < counted.widths[k]; ++s) {
        const auto* counts = counted.at(c, k, 0, s);
        groups.push_back(counts ? *counts : Counts{});
      }
    }
  }
  return out;
}

PastReference::PastReference(const Profile& axes, WindowSpec windows) : axes_(axes), windows_(std::move(windows)) {}

void PastReference::add(const Window& window, const Tally& counted) {
  counted_.push_back({window, columns_of(counted)});
}

Status PastReference::add(const Window& window, std::string_view saved) {
  VIGIE_ASSIGN(const auto counted, read_counts(saved, axes_));
  add(window, counted);
  return {};
}

Profile PastReference::make() const {
  Profile out = axes_of(axes_);
  out.rows = out.rejected = 0;
  out.window = windows_;
  out.problems.clear(), out.notes.clear();
  out.scores = nullptr;
  out.quality = axes_.quality;
  std::vector<std::size_t> usual;
  for (std::size_t w = 0; w < counted_.size(); ++w) {
    const auto& window = counted_[w].window;
    if (window.part) out.rows += window.rows;
    if (window.usual && window.rows >= drift::kFewestRows) usual.push_back(w);
  }
  if (usual.size() > kMostUsual) usual.erase(usual.begin(), usual.end() - kMostUsual);
  out.window_count = static_cast<std::int64_t>(usual.size());
  for (std::size_t c = 0; c < axes_.counted(); ++c) add_parts(usual, c, out.counted(c));
  add_quality(usual, out);
  return out;
}

void PastReference::add_parts(const std::vector<std::size_t>& usual, std::size_t c, ColumnProfile& out) const {
  const auto& from = axes_.counted(c);
  out.other = out.infinite = out.mismatches = 0, out.halved = false, out.exact = true, out.error_bound = 0;
  out.parts.clear();
  if (from.categorical()) {
    std::map<std::string, std::int64_t, std::less<>> met;
    for (const auto& category : from.categories) met[category.name];
    for (const auto& one : counted_) {
      if (!one.window.part) continue;
      const auto& cells = one.columns[c].cells[0][0].cells;
      const auto at = [&](std::size_t i) { return i < cells.size() ? cells[i] : 0; };
      for (std::size_t i = 0; i < from.categories.size(); ++i) met[from.categories[i].name] += at(i);
      out.other += at(from.categories.size());
      for (std::size_t i = 0; i < one.columns[c].fresh.size(); ++i)
        met[one.columns[c].fresh[i]] += at(from.categories.size() + 1 + i);
    }
    choose_categories(from, met, out);
    out.distinct = static_cast<double>(
        std::count_if(out.categories.begin(), out.categories.end(), [](const Category& one) { return one.count > 0; }));
  }
  std::vector<Moves> moves;  // per window
  for (const auto& one : counted_)
    moves.push_back(from.categorical() ? moves_of(from, one.columns[c].fresh, out) : Moves());
  const auto cells_of = [&](std::size_t w, const Counts& counts, std::size_t width) {
    if (from.categorical()) return moved(counts.cells, moves[w], width);
    auto cells = counts.cells;
    cells.resize(width);
    return cells;
  };
  const auto width = out.cells();
  for (std::size_t k = 0; k < axes_.segmentations.size(); ++k) {
    auto& parts = out.parts.emplace_back(segments_of(k));
    for (std::size_t s = 0; s < parts.size(); ++s) {
      auto& sum = parts[s].counts;
      sum.cells.resize(width);
      for (std::size_t w = 0; w < counted_.size(); ++w) {
        if (!counted_[w].window.part) continue;
        auto counts = counted_[w].columns[c].cells[k][s];
        counts.cells = cells_of(w, counts, width);
        sum.merge(counts);
      }
    }
  }
  if (!from.categorical()) {
    out.bins.counts = out.whole().cells;
    out.bins.sd = sd_of(out.bins, out.bins.counts);
    // How rows are spread beyond the cells is not known.
    if (out.whole().beyond > 0) out.bins.sd = std::max(out.bins.sd, from.bins.sd);
    // The cells are not those of these rows: what lies beyond their ends is no sign.
    out.bins.lattice = true;
    const double by = out.bins.sd > 0 ? from.bins.sd / out.bins.sd : 0;
    for (auto& parts : out.parts)
      for (auto& part : parts) part.counts.beyond = scaled(part.counts.beyond, by);
  }

  auto windower = Windower::make(windows_);
  const bool hours = windower && windows_.calendar() && !usual.empty() &&
                     know_hours(windows_, counted_[usual.front()].window.key, counted_[usual.back()].window.key);
  const auto axis = out.axis();
  const bool aspect = c >= axes_.columns.size();
  for (std::size_t k = 0; k < out.parts.size(); ++k) {
    for (std::size_t s = 0; s < out.parts[k].size(); ++s) {
      auto& part = out.parts[k][s];
      const auto all = missing_or_present(part.counts);
      const drift::Summarizer summarize(axis, {.counts = part.counts.cells, .values = {}}),
          gaps(kMissingAxis, {.counts = all, .values = {}});
      const bool lacks = !aspect && part.counts.missing > 0 && part.counts.rows() > 0;
      for (auto w : usual) {
        const auto& window = counted_[w].window;
        const auto& counts = counted_[w].columns[c].cells[k][s];
        const auto keep = [&](drift::WindowSummary summary, std::vector<drift::WindowSummary>& into) {
          if (summary.rows < static_cast<double>(drift::kFewestRows)) return;
          if (hours) {
            const auto& met = (*windower)[windower->met(window.key, 0, 0)];
            summary.hour = met.hour, summary.weekday = met.weekday;
          }
          if (summary.arcsine.size() > kShares) summary.arcsine.resize(kShares);
          into.push_back(std::move(summary));
        };
        const auto cells = cells_of(w, counts, width);
        keep(summarize({.counts = cells, .values = {}}, window.part), part.windows);
        const auto missing = missing_or_present(counts);
        if (lacks) keep(gaps({.counts = missing, .values = {}}, window.part), part.missing_windows);
      }
    }
  }
}

void PastReference::add_quality(const std::vector<std::size_t>& usual, Profile& out) const {
  if (!out.quality) return;
  if (usual.size() < drift::kFewestWindows) {
    if (axes_.window == windows_) out.quality_windows = axes_.quality_windows;
    return;
  }
  for (auto w : usual) {
    auto& window = out.quality_windows.emplace_back();
    window.rows = counted_[w].window.rows;
    for (const auto& known : out.quality->columns()) {
      const auto at = std::find_if(axes_.columns.begin(), axes_.columns.end(),
                                   [&](const auto& c) { return c.name == known.spec().name; });
      window.missing.push_back(
          at == axes_.columns.end()
              ? 0
              : counted_[w].columns[static_cast<std::size_t>(at - axes_.columns.begin())].cells[0][0].missing);
    }
  }
}

void bring_to_axes(Tally& counted, const Profile& axes, const Profile& reference) {
  for (std::size_t c = 0; c < axes.counted(); ++c) {
    const auto &from = axes.counted(c), &to = reference.counted(c);
    const auto moves = from.categorical() ? moves_of(from, counted.fresh[c], to) : Moves();
    if (from.categorical()) counted.fresh[c] = moves.fresh;
    const double by = to.bins.sd > 0 ? from.bins.sd / to.bins.sd : 0;
    for (std::size_t k = 0; k < counted.cells[c].size(); ++k) {
      for (std::size_t g = 0; g < counted.cells[c][k].size(); ++g) {
        auto& counts = counted.cells[c][k][g];
        if (from.categorical()) {
          counts.cells = moved(counts.cells, moves, to.cells());
          continue;
        }
        // Of a reference that reaches beyond the cells itself, only what these rows are farther out counts.
        const auto& part = to.parts[k][g % counted.widths[k]].counts;
        const auto n = static_cast<double>(part.rows()), m = static_cast<double>(counts.rows());
        const double usual = n > 0 ? static_cast<double>(part.beyond) / n * m : 0;
        counts.beyond = scaled(std::llround(std::abs(static_cast<double>(counts.beyond) * by - usual)), 1);
      }
    }
  }
}

}  // namespace vigie::engine
