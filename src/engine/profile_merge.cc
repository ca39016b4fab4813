// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>

#include "base/text.h"
#include "engine/column_merge_internal.h"
#include "engine/profile.h"
#include "engine/quality_reference.h"
#include "engine/score_reference.h"

namespace vigie::engine {
namespace {

// The segments of two profiles. One that only one of them knows by name lies among the pooled ones of the other, if
// that one has any, and is pooled here too: its rows there cannot be told from the rest.
std::vector<std::string> joined(const std::vector<std::string>& a, const std::vector<std::string>& b,
                                const std::string& other) {
  auto in = [](const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  std::vector<std::string> names;
  for (auto [mine, theirs] : {std::pair{&a, &b}, std::pair{&b, &a}})
    for (const auto& s : *mine)
      if (s != other && !in(names, s) && (in(*theirs, s) || !in(*theirs, other))) names.push_back(s);
  if (in(a, other) || in(b, other)) names.push_back(other);
  return names;
}

// The parts of one profile's column that belong to the segment `name` of `all`, the merged list.
std::vector<const Part*> parts_of(const ColumnProfile& c, const std::vector<std::string>& names, std::size_t k,
                                  const std::string& name, const std::vector<std::string>& all) {
  if (k == 0) return {&c.parts[0][0]};
  std::vector<const Part*> parts;
  for (std::size_t s = 0; s < names.size(); ++s) {
    bool pooled = std::find(all.begin(), all.end(), names[s]) == all.end();
    if (names[s] == name || (pooled && name == all.back())) parts.push_back(&c.parts[k][s]);
  }
  return parts;
}

// The categories that a part's traces tell of, in their order: see drift::WindowSummary::arcsine.
std::vector<std::size_t> by_count(const std::vector<std::int64_t>& cells) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < cells.size(); ++i)
    if (cells[i] > 0) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](auto i, auto j) { return cells[i] > cells[j]; });
  return order;
}

// Traces of a part with the counts `own` in the order that the counts `all` of the merged part give: up to the first
// category that they do not tell of. `to` leads from the cells of `own` to those of `all`.
void retell(const std::vector<drift::WindowSummary>& windows, const std::vector<std::int64_t>& own,
            const std::vector<std::size_t>& to, const std::vector<std::int64_t>& all,
            std::vector<drift::WindowSummary>& out) {
  auto before = by_count(own), after = by_count(all);
  if (after.size() > drift::kArcsine) after.resize(drift::kArcsine);
  std::map<std::size_t, std::size_t> place;
  for (std::size_t j = 0; j < before.size(); ++j) place[to[before[j]]] = j;
  for (const auto& window : windows) {
    auto told = window;
    told.arcsine.clear();
    for (auto i : after) {
      auto at = place.find(i);
      if (at == place.end())  // no row of the part has it
        told.arcsine.push_back(std::asin(std::sqrt(.375 / (window.rows + .75))));
      else if (at->second < window.arcsine.size())
        told.arcsine.push_back(window.arcsine[at->second]);
      else
        break;
    }
    if (!told.arcsine.empty()) out.push_back(std::move(told));
  }
}

// Adds the traces of a side's part to those of the merged one, of whose axis theirs is a part.
void add_traces(const ColumnProfile& side, const Part& part, const ColumnProfile& merged, Part& to) {
  if (side.categorical()) {
    std::vector<std::size_t> cells;
    for (const auto& k : side.categories)
      cells.push_back(static_cast<std::size_t>(
          std::find_if(merged.categories.begin(), merged.categories.end(), [&](auto& l) { return l.name == k.name; }) -
          merged.categories.begin()));
    cells.push_back(merged.categories.size());
    retell(part.windows, part.counts.cells, cells, to.counts.cells, to.windows);
  } else {
    to.windows.insert(to.windows.end(), part.windows.begin(), part.windows.end());
  }
  retell(part.missing_windows, {part.counts.missing, part.counts.rows()}, {0, 1}, {to.counts.missing, to.counts.rows()},
         to.missing_windows);
}

bool same_counts(const Profile& a, const Profile& b) {
  auto same = [](const Part& p, const Part& q) {
    return p.counts.cells == q.counts.cells && p.counts.missing == q.counts.missing &&
           p.counts.uncounted == q.counts.uncounted && p.counts.uncounted_missing == q.counts.uncounted_missing &&
           p.counts.beyond == q.counts.beyond;
  };
  auto same_column = [&](const ColumnProfile& x, const ColumnProfile& y) {
    auto named = [](const Category& k, const Category& l) { return k.name == l.name; };
    return x.name == y.name && x.bins.cuts == y.bins.cuts && std::ranges::equal(x.categories, y.categories, named) &&
           std::ranges::equal(x.parts, y.parts,
                              [&](const auto& p, const auto& q) { return std::ranges::equal(p, q, same); });
  };
  return a.source == b.source && a.rows == b.rows && a.segments == b.segments &&
         std::ranges::equal(a.columns, b.columns, same_column);
}

// "column "x" has ...", "2 columns have ..., "x" first".
std::string those(const std::vector<std::string>& columns, std::string_view what) {
  if (columns.size() == 1) return fmt::format("column {} has {}", vigie::quoted(columns[0]), what);
  return fmt::format("{} columns have {}, {} first", columns.size(), what, vigie::quoted(columns[0]));
}

// How good predictions were, of all rows or, where that cannot be told, of the side with more of them.
void merge_scores(const Profile& a, const Profile& b, Profile& out) {
  out.scores = nullptr;
  if (!a.scores && !b.scores) return;
  std::string why = "holds none";
  std::size_t lost = 0;
  if (a.scores && b.scores) {
    if (auto merged = merge_scores(*a.scores, *b.scores, lost))
      out.scores = std::move(*merged);
    else
      why = "are " + merged.error().message;
  }
  if (lost > 0)
    out.notes.push_back(fmt::format(
        "how good predictions were: {} or months of which {} and {} each have a part are left out of the healthy ones, "
        "for the profiles had no room for their rows; a profile of all the data has them",
        plural(static_cast<long long>(lost), "week"), a.source, b.source));
  if (out.scores) return;
  const bool first = !b.scores || (a.scores && std::tie(a.rows, a.source) >= std::tie(b.rows, b.source));
  const auto &kept = first ? a : b, &other = first ? b : a;
  out.scores = kept.scores;
  out.notes.push_back(fmt::format(
      "how good predictions were is kept of {} alone: {} {}; vigie score --reference with the data knows of both",
      kept.source, a.scores && b.scores ? "the scores of both" : other.source, why));
}

std::string windows_of(const Profile& p) {
  return p.window_count > 0 ? fmt::format("{} has windows by {}", p.source, to_string(p.window))
                            : p.source + " has no windows";
}

}  // namespace

Result<Profile> merge_profiles(const Profile& a, const Profile& b) {
  Profile out = a;
  out.source = a.source + " + " + b.source;
  out.rows += b.rows;
  out.rejected += b.rejected;
  for (const auto& problem : b.problems)
    if (out.problems.size() < kProblems) out.problems.push_back(problem);
  out.window_count = 0;
  if (a.segmentations != b.segmentations)
    return fail(Code::kUsage,
                fmt::format("cannot merge {} and {}: they were made with different --segment", a.source, b.source));
  for (std::size_t k = 1; k < a.segments.size(); ++k)
    out.segments[k] = joined(a.segments[k], b.segments[k], to_string(a.segmentations[k]) + "=(other)");
  bool windows = a.window_count > 0 && b.window_count > 0 && a.window == b.window;
  std::vector<std::string> other_bins, too_many;  // columns that stand in the way of windows
  out.columns.clear();
  out.aspects.clear();
  for (std::size_t i = 0; i < a.counted(); ++i) {
    const auto& x = a.counted(i);
    const auto* aspect = i < a.columns.size() ? nullptr : &a.aspects[i - a.columns.size()];
    const ColumnProfile* it = nullptr;
    for (const auto& c : b.columns)
      if (!aspect && c.name == x.name) it = &c;
    for (const auto& c : b.aspects)
      if (aspect && c.aspect == aspect->aspect && c.profile.name == x.name && c.known == aspect->known) it = &c.profile;
    if (aspect && !it) {
      if (!aspect->known.words.empty() || !aspect->known.center.empty())
        out.notes.push_back(fmt::format("column {}: {} are not kept, as either reference has its own to go by",
                                        vigie::quoted(x.name), info(aspect->aspect).noun));
      continue;
    }
    if (!it) {
      out.notes.push_back(fmt::format("column {} is only in {} and was left out", vigie::quoted(x.name), a.source));
      continue;
    }
    const auto& y = *it;
    if (x.type != y.type)
      return fail(Code::kUsage, fmt::format("cannot merge column {}: {} in {}, {} in {}", vigie::quoted(x.name),
                                            to_string(x.type), a.source, to_string(y.type), b.source));
    ColumnProfile m = x;
    m.infinite += y.infinite;
    m.mismatches += y.mismatches;
    m.parts.assign(out.segmentations.size(), {});
    m.texts_as_meant = x.texts_as_meant || y.texts_as_meant;
    m.halved = x.halved || y.halved;
    // Counts of one half and of the whole would weigh 1 : 2; to double the half would claim rows that nobody counted.
    std::optional<ColumnProfile> half;
    const ColumnProfile *p = &x, *q = &y;
    if (x.halved != y.halved) {
      half = x.halved ? y : x;
      halve(*half, (x.halved ? b : a).segments);
      (x.halved ? q : p) = &*half;
      out.notes.push_back(fmt::format("column {}: half of the rows of {} are not counted, as of {}",
                                      vigie::quoted(x.name), x.halved ? b.source : a.source,
                                      x.halved ? a.source : b.source));
    }
    auto joint = x.categorical() ? join_categories(*p, *q, m) : join_bins(*p, *q, m);
    if (!joint.remark.empty()) out.notes.push_back(joint.remark);
    for (std::size_t k = 0; k < out.segmentations.size(); ++k) {
      auto count = k == 0 ? 1 : out.segments[k].size();
      m.parts[k].resize(count);
      for (std::size_t s = 0; s < count; ++s) {
        auto name = k == 0 ? std::string() : out.segments[k][s];
        for (auto [side, profile] : {std::pair{p, &a}, std::pair{q, &b}}) {
          auto found = parts_of(*side, profile->segments[k], k, name, out.segments[k]);
          for (const auto* part : found) {
            Counts moved = part->counts;
            moved.cells = joint.place(part->counts, *side);
            m.parts[k][s].counts.merge(moved);
          }
        }
      }
    }
    if (!x.categorical()) m.bins.counts = m.whole().cells;
    auto rows = [](const ColumnProfile& c) { return static_cast<double>(c.whole().rows()); };
    m.error_bound = (rows(*p) * x.error_bound + rows(*q) * y.error_bound + joint.displaced + (half ? 1 : 0)) /
                    std::max(1.0, rows(*p) + rows(*q));
    if (x.categorical()) {
      if (settle_categories(m, out.segments))
        out.notes.push_back(
            fmt::format("column {}: has more categories than are kept; half of its rows choose them and "
                        "the other half is counted",
                        vigie::quoted(x.name)));
      joint.same = !m.halved && m.other == 0;
    }
    if (!joint.same) (x.categorical() ? too_many : other_bins).push_back(x.name);
    for (std::size_t k = 0; windows && joint.same && k < m.parts.size(); ++k)
      for (std::size_t s = 0; s < m.parts[k].size(); ++s)
        for (auto [side, profile] : {std::pair{&x, &a}, std::pair{&y, &b}}) {
          auto found = parts_of(*side, profile->segments[k], k, k == 0 ? "" : out.segments[k][s], out.segments[k]);
          // Traces of several segments are not those of their union.
          if (found.size() == 1) add_traces(*side, *found[0], m, m.parts[k][s]);
        }
    m.exact = m.error_bound == 0;
    m.moments.merge(y.moments);
    if (m.quantiles && y.quantiles) {
      VIGIE_TRY(m.quantiles->merge(*y.quantiles));
      m.tails->merge(*y.tails);
      VIGIE_TRY(m.cardinality->merge(*y.cardinality));
      // Names that neither side kept are in the sketches only.
      if (!x.categorical() || m.halved || m.other > 0)
        m.distinct = std::max(x.categorical() ? m.distinct : 0, m.cardinality->estimate());
    }
    if (aspect)
      out.aspects.push_back({aspect->aspect, std::move(m), aspect->known});
    else
      out.columns.push_back(std::move(m));
  }
  if (out.columns.empty())
    return fail(Code::kUsage, fmt::format("cannot merge {} and {}: no column in common", a.source, b.source));
  if (same_counts(a, b))
    out.notes.push_back(fmt::format(
        "both profiles are of {} and hold the same counts: if they are the same data, each row now counts twice",
        a.source));
  if (windows && other_bins.empty() && too_many.empty()) {
    out.window_count = std::min<std::int64_t>(a.window_count + b.window_count, kWindows);
    for (std::size_t i = 0; i < out.counted(); ++i)
      for (auto& parts : out.counted(i).parts)
        for (auto& part : parts)
          for (auto* traces : {&part.windows, &part.missing_windows})
            if (traces->size() > kWindows)
              traces->erase(traces->begin(), traces->end() - static_cast<std::ptrdiff_t>(kWindows));
  } else {
    // Traces are told in the normal scores of one reference; against another's they would mean something else.
    for (std::size_t i = 0; i < out.counted(); ++i)
      for (auto& parts : out.counted(i).parts)
        for (auto& part : parts) part.windows.clear(), part.missing_windows.clear();
    out.window = {};
    std::string cause;
    if (!windows) {
      cause = fmt::format("{}, {}", windows_of(a), windows_of(b));
    } else {
      if (!other_bins.empty()) cause = those(other_bins, "other bins in each, and windows are told in terms of them");
      if (!too_many.empty())
        cause += (cause.empty() ? "" : "; ") + those(too_many, "more categories than are told apart");
    }
    if (a.window_count > 0 || b.window_count > 0)
      out.notes.push_back(
          fmt::format("the merged profile has no healthy windows: {}; to have them, make one profile of all the data, "
                      "as by vigie profile 'part*.csv' --window …",
                      cause));
  }
  merge_quality(a, b, out);
  merge_scores(a, b, out);
  return out;
}

}  // namespace vigie::engine
