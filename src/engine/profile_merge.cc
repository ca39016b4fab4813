// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/text.h"
#include "engine/profile.h"
#include "engine/summaries_internal.h"

namespace vigie::engine {
namespace {

// Counts on one set of cuts shared out to a finer one that holds all of them: evenly over the width of a cell, in whole
// rows, so that no row is lost or doubled.
std::vector<std::int64_t> spread(const Counts& counts, const std::vector<double>& cuts,
                                 const std::vector<double>& finer) {
  std::vector<std::int64_t> out(finer.size() + 1);
  for (std::size_t j = 0; j < counts.cells.size(); ++j) {
    if (counts.cells[j] == 0) continue;
    if (j == 0 || j >= cuts.size()) {  // outside cells have no far end: their rows stay at the near one
      out[j == 0
              ? static_cast<std::size_t>(std::lower_bound(finer.begin(), finer.end(), cuts.front()) - finer.begin())
              : static_cast<std::size_t>(std::upper_bound(finer.begin(), finer.end(), cuts.back()) - finer.begin())] +=
          counts.cells[j];
      continue;
    }
    double low = cuts[j - 1], high = cuts[j];
    std::int64_t given = 0;
    for (auto i = static_cast<std::size_t>(std::upper_bound(finer.begin(), finer.end(), low) - finer.begin());
         i < finer.size() && finer[i - 1] < high; ++i) {
      double share = (std::min(finer[i], high) - low) / (high - low);
      auto upto = static_cast<std::int64_t>(std::llround(share * static_cast<double>(counts.cells[j])));
      out[i] += upto - given;
      given = upto;
    }
  }
  return out;
}

// The most rows that lie in a cell which the finer cuts divide: what a rank may be off by.
double divided_rows(const ColumnProfile& c, const std::vector<double>& finer) {
  std::int64_t most = 0;
  const auto& cells = c.whole().cells;
  for (std::size_t j = 1; j < cells.size() && j < c.bins.cuts.size(); ++j) {
    auto a = std::lower_bound(finer.begin(), finer.end(), c.bins.cuts[j - 1]),
         b = std::lower_bound(finer.begin(), finer.end(), c.bins.cuts[j]);
    if (b - a > 1) most = std::max(most, cells[j]);
  }
  return static_cast<double>(most);
}

double center_in(const ColumnProfile& c, std::size_t cell_of_finer, const std::vector<double>& finer) {
  double low = finer[cell_of_finer - 1], high = finer[cell_of_finer];
  auto j =
      static_cast<std::size_t>(std::upper_bound(c.bins.cuts.begin(), c.bins.cuts.end(), low) - c.bins.cuts.begin());
  bool same = j > 0 && j < c.bins.cuts.size() && c.bins.cuts[j - 1] == low && c.bins.cuts[j] == high;
  return same ? c.bins.centers[j] : low + (high - low) / 2;
}

std::vector<std::int64_t> gather(const std::vector<std::int64_t>& fine, const std::vector<double>& finer,
                                 const std::vector<double>& cuts) {
  std::vector<std::int64_t> out(cuts.size() + 1);
  for (std::size_t i = 0; i < fine.size(); ++i) {
    double at = i == 0 ? -INFINITY : finer[i - 1];
    out[static_cast<std::size_t>(std::upper_bound(cuts.begin(), cuts.end(), at) - cuts.begin())] += fine[i];
  }
  return out;
}

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

}  // namespace

Result<Profile> merge_profiles(const Profile& a, const Profile& b) {
  Profile out = a;
  out.source = a.source + " + " + b.source;
  out.rows += b.rows;
  out.rejected += b.rejected;
  out.problems.insert(out.problems.end(), b.problems.begin(), b.problems.end());
  out.window_count = 0;
  if (a.segmentations != b.segmentations)
    return fail(Code::kUsage,
                fmt::format("cannot merge {} and {}: they were made with different --segment", a.source, b.source));
  for (std::size_t k = 1; k < a.segments.size(); ++k)
    out.segments[k] = joined(a.segments[k], b.segments[k], to_string(a.segmentations[k]) + "=(other)");
  bool windows = a.window_count > 0 && b.window_count > 0 && a.window == b.window, dropped = false;
  out.columns.clear();
  for (const auto& x : a.columns) {
    auto it = std::find_if(b.columns.begin(), b.columns.end(), [&](const auto& c) { return c.name == x.name; });
    if (it == b.columns.end()) {
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
    double off = 0;
    std::function<std::vector<std::int64_t>(const Counts&, const ColumnProfile&)> place;
    std::vector<double> finer;
    bool same = false;
    if (x.categorical()) {
      // What only one side knows by name lies among the others of a side whose table was cut short.
      bool all_known = x.other == 0 && y.other == 0;
      struct Sum {
        std::int64_t count = 0;
        int sides = 0;
      };
      std::map<std::string, Sum> sum;
      for (const auto* side : {&x, &y})
        for (const auto& k : side->categories) sum[k.name].count += k.count, ++sum[k.name].sides;
      std::vector<Category> all;
      m.other = x.other + y.other;
      for (const auto& [name, s] : sum) {
        if (s.sides == 2 || all_known)
          all.push_back({name, s.count});
        else
          m.other += s.count;
      }
      std::stable_sort(all.begin(), all.end(), [](const auto& p, const auto& q) { return p.count > q.count; });
      std::size_t bytes = 0, keep = 0;
      while (keep < all.size() && keep < kCategories && bytes + all[keep].name.size() <= kCategoryBytes)
        bytes += all[keep++].name.size();
      for (auto i = keep; i < all.size(); ++i) m.other += all[i].count;
      all.resize(keep);
      m.categories = all;
      m.distinct = std::max({x.distinct, y.distinct, static_cast<double>(sum.size())});
      off = static_cast<double>(std::max(x.other, y.other));
      std::map<std::string, std::size_t> cell;
      for (std::size_t i = 0; i < all.size(); ++i) cell[all[i].name] = i;
      place = [cell, width = all.size() + 1](const Counts& counts, const ColumnProfile& from) {
        std::vector<std::int64_t> to(width);
        for (std::size_t i = 0; i < counts.cells.size(); ++i) {
          auto at = i < from.categories.size() ? cell.find(from.categories[i].name) : cell.end();
          to[at == cell.end() ? width - 1 : at->second] += counts.cells[i];
        }
        return to;
      };
      same = x.categories.size() == y.categories.size() && x.other == 0 && y.other == 0 &&
             std::equal(x.categories.begin(), x.categories.end(), all.begin(),
                        [](const auto& p, const auto& q) { return p.name == q.name; }) &&
             std::equal(y.categories.begin(), y.categories.end(), all.begin(),
                        [](const auto& p, const auto& q) { return p.name == q.name; });
    } else {
      std::set_union(x.bins.cuts.begin(), x.bins.cuts.end(), y.bins.cuts.begin(), y.bins.cuts.end(),
                     std::back_inserter(finer));
      same = x.bins.cuts == y.bins.cuts;
      off = divided_rows(x, finer) + divided_rows(y, finer);
      Bins fine;
      fine.cuts = finer;
      auto p = spread(x.whole(), x.bins.cuts, finer), q = spread(y.whole(), y.bins.cuts, finer);
      fine.counts.resize(p.size());
      fine.centers.assign(p.size(), finer.empty() ? 0 : finer.front());
      for (std::size_t i = 0; i < p.size(); ++i) {
        fine.counts[i] = p[i] + q[i];
        if (fine.counts[i] && i > 0 && i < finer.size())
          fine.centers[i] = (static_cast<double>(p[i]) * center_in(x, i, finer) +
                             static_cast<double>(q[i]) * center_in(y, i, finer)) /
                            static_cast<double>(fine.counts[i]);
        else if (i > 0)
          fine.centers[i] = finer[i - 1];
      }
      m.bins = coarsen(fine);
      place = [&finer, cuts = m.bins.cuts](const Counts& counts, const ColumnProfile& from) {
        return gather(spread(counts, from.bins.cuts, finer), finer, cuts);
      };
    }
    windows = windows && same;
    dropped = dropped || (a.window_count > 0 && !same);
    for (std::size_t k = 0; k < out.segmentations.size(); ++k) {
      auto count = k == 0 ? 1 : out.segments[k].size();
      m.parts[k].resize(count);
      for (std::size_t s = 0; s < count; ++s) {
        auto name = k == 0 ? std::string() : out.segments[k][s];
        for (auto [side, profile] : {std::pair{&x, &a}, std::pair{&y, &b}}) {
          auto found = parts_of(*side, profile->segments[k], k, name, out.segments[k]);
          for (const auto* part : found) {
            Counts moved;
            moved.cells = place(part->counts, *side);
            moved.missing = part->counts.missing;
            m.parts[k][s].counts.merge(moved);
            // Traces of several segments are not those of their union.
            if (found.size() != 1) continue;
            auto& to = m.parts[k][s];
            to.windows.insert(to.windows.end(), part->windows.begin(), part->windows.end());
            to.missing_windows.insert(to.missing_windows.end(), part->missing_windows.begin(),
                                      part->missing_windows.end());
          }
        }
      }
    }
    if (!x.categorical()) m.bins.counts = m.parts[0][0].counts.cells;
    auto n = static_cast<double>(std::max<std::int64_t>(m.whole().rows(), 1));
    m.error_bound = std::max({x.error_bound, y.error_bound, off / n});
    m.exact = m.error_bound == 0;
    m.moments.merge(y.moments);
    if (m.quantiles && y.quantiles) {
      VIGIE_TRY(m.quantiles->merge(*y.quantiles));
      m.tails->merge(*y.tails);
      VIGIE_TRY(m.cardinality->merge(*y.cardinality));
      if (!x.categorical()) m.distinct = m.cardinality->estimate();
    }
    out.columns.push_back(std::move(m));
  }
  if (out.columns.empty())
    return fail(Code::kUsage, fmt::format("cannot merge {} and {}: no column in common", a.source, b.source));
  if (windows) {
    out.window_count = std::min<std::int64_t>(a.window_count + b.window_count, kWindows);
    for (auto& c : out.columns)
      for (auto& parts : c.parts)
        for (auto& part : parts)
          for (auto* traces : {&part.windows, &part.missing_windows})
            if (traces->size() > kWindows)
              traces->erase(traces->begin(), traces->end() - static_cast<std::ptrdiff_t>(kWindows));
  } else {
    // Traces are told in the normal scores of one reference; against another's they would mean something else.
    for (auto& c : out.columns)
      for (auto& parts : c.parts)
        for (auto& part : parts) part.windows.clear(), part.missing_windows.clear();
    out.window = {};
    if (dropped)
      out.notes.push_back(
          "the healthy windows of profiles with different bins cannot be joined: the merged profile has none");
  }
  return out;
}

}  // namespace vigie::engine
