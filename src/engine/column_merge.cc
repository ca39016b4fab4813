// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>

#include "base/hash.h"
#include "base/rng.h"
#include "base/text.h"
#include "engine/column_merge_internal.h"

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

// A random half of n rows; of so many that the choice of names cannot hang on it, n / 2.
std::int64_t toss(std::int64_t n, Rng& rng) {
  if (n > 1 << 20) return n / 2;
  std::int64_t half = 0;
  for (; n >= 64; n -= 64) half += std::popcount(rng());
  return n > 0 ? half + std::popcount(rng() >> (64 - n)) : half;
}

// Of the rows of each cell of the whole, `kept` stay counted. What a part keeps of them is as much as it has of all
// rows of the cell, rounded by a random phase of the cell: rounded down from the first part on, the first parts would
// lose all their small cells, and the last ones would hold the remainders.
void leave(ColumnProfile& column, const std::vector<std::int64_t>& kept, const Segments& segments, Rng& rng) {
  const Counts whole = column.whole();
  for (std::size_t k = 0; k < column.parts.size(); ++k) {
    auto& parts = column.parts[k];
    std::vector<std::size_t> order(parts.size());
    std::iota(order.begin(), order.end(), 0);
    // By name, not as they come: which profile is the first one changes nothing.
    if (k > 0) std::sort(order.begin(), order.end(), [&](auto s, auto t) { return segments[k][s] < segments[k][t]; });
    auto share = [&](std::int64_t total, std::int64_t stays, auto&& cell_of, auto&& rest_of) {
      if (total == 0) return;
      auto phase = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(total)));
      std::int64_t seen = 0, given = 0;
      for (auto s : order) {
        auto& cell = cell_of(parts[s].counts);
        if (cell == 0) continue;
        seen = std::min(total, saturating_add(seen, cell));
        auto upto = static_cast<std::int64_t>((static_cast<__int128>(seen) * stays + phase) / total);
        auto mine = std::min(cell, upto - given);
        rest_of(parts[s].counts) += cell - mine;
        cell = mine, given = upto;
      }
    };
    for (std::size_t i = 0; i < kept.size(); ++i)
      share(
          whole.cells[i], kept[i], [i](Counts& c) -> auto& { return c.cells[i]; },
          [](Counts& c) -> auto& { return c.uncounted; });
    share(
        whole.missing, whole.missing / 2, [](Counts& c) -> auto& { return c.missing; },
        [](Counts& c) -> auto& { return c.uncounted_missing; });
  }
}

// The same for either order of two profiles; another one when the merged profile is merged again, since phases that
// come back would keep the same rows.
Rng random_of(const ColumnProfile& column) {
  return Rng(hash64(column.name) ^ mix64(static_cast<std::uint64_t>(column.whole().total_rows())));
}

}  // namespace

Joint join_bins(const ColumnProfile& x, const ColumnProfile& y, ColumnProfile& merged) {
  Joint joint;
  std::vector<double> finer;
  std::set_union(x.bins.cuts.begin(), x.bins.cuts.end(), y.bins.cuts.begin(), y.bins.cuts.end(),
                 std::back_inserter(finer));
  joint.same = x.bins.cuts == y.bins.cuts;
  joint.displaced = divided_rows(x, finer) + divided_rows(y, finer);
  Bins fine;
  fine.cuts = finer;
  auto p = spread(x.whole(), x.bins.cuts, finer), q = spread(y.whole(), y.bins.cuts, finer);
  fine.counts.resize(p.size());
  fine.centers.assign(p.size(), finer.empty() ? 0 : finer.front());
  for (std::size_t i = 0; i < p.size(); ++i) {
    fine.counts[i] = p[i] + q[i];
    if (fine.counts[i] && i > 0 && i < finer.size())
      fine.centers[i] =
          (static_cast<double>(p[i]) * center_in(x, i, finer) + static_cast<double>(q[i]) * center_in(y, i, finer)) /
          static_cast<double>(fine.counts[i]);
    else if (i > 0)
      fine.centers[i] = finer[i - 1];
  }
  merged.bins = coarsen(fine);
  joint.place = [finer, cuts = merged.bins.cuts](const Counts& counts, const ColumnProfile& side) {
    return gather(spread(counts, side.bins.cuts, finer), finer, cuts);
  };
  return joint;
}

void halve(ColumnProfile& column, const Segments& segments) {
  std::vector<std::int64_t> kept;
  std::int64_t seen = 0;
  for (auto count : column.whole().cells) {  // the odd rows of the cells go to either half in turn
    kept.push_back((seen + count) / 2 - seen / 2);
    seen += count;
  }
  auto rng = random_of(column);
  leave(column, kept, segments, rng);
  const auto& cells = column.whole().cells;
  for (std::size_t i = 0; i < column.categories.size() && i < cells.size(); ++i) column.categories[i].count = cells[i];
  column.other = cells.size() > column.categories.size() ? cells.back() : 0;
  column.halved = true;
}

Joint join_categories(const ColumnProfile& x, const ColumnProfile& y, ColumnProfile& merged) {
  struct Known {
    std::int64_t count = 0;
    bool by_x = false, by_y = false;
  };
  std::map<std::string, Known> names;
  for (const auto& k : x.categories) names[k.name].count += k.count, names[k.name].by_x = true;
  for (const auto& k : y.categories) names[k.name].count += k.count, names[k.name].by_y = true;
  Joint joint;
  merged.categories.clear();
  std::size_t pooled = 0;
  for (const auto& [name, known] : names) {
    // Where a side's table was cut short, what it does not know by name may lie among its others.
    bool told = (known.by_x || x.other == 0) && (known.by_y || y.other == 0);
    if (told)
      merged.categories.push_back({name, 0});
    else
      joint.displaced += static_cast<double>(known.count), ++pooled;
  }
  auto rows = std::max<std::int64_t>(1, x.whole().rows() + y.whole().rows());
  if (pooled > 0)
    joint.remark =
        fmt::format("column {}: {}, {} of its rows, {} pooled as other: only one of the profiles tells {} apart",
                    vigie::quoted(merged.name), plural(static_cast<long long>(pooled), "value"),
                    human(100 * joint.displaced / static_cast<double>(rows), 3) + " %", pooled == 1 ? "is" : "are",
                    pooled == 1 ? "it" : "them");
  merged.distinct = std::max({x.distinct, y.distinct, static_cast<double>(names.size())});
  std::map<std::string, std::size_t> cell;
  for (std::size_t i = 0; i < merged.categories.size(); ++i) cell[merged.categories[i].name] = i;
  joint.place = [cell](const Counts& counts, const ColumnProfile& side) {
    std::vector<std::int64_t> to(cell.size() + 1);
    for (std::size_t i = 0; i < counts.cells.size(); ++i) {
      auto at = i < side.categories.size() ? cell.find(side.categories[i].name) : cell.end();
      to[at == cell.end() ? to.size() - 1 : at->second] += counts.cells[i];
    }
    return to;
  };
  return joint;
}

bool settle_categories(ColumnProfile& merged, const Segments& segments) {
  auto& names = merged.categories;
  auto& whole = merged.parts[0][0].counts;
  const auto other = names.size();
  std::vector<std::int64_t> counted = whole.cells, chosen_by(counted.size());
  std::size_t bytes = 0;
  for (const auto& k : names) bytes += k.name.size();
  bool thinned = names.size() > kCategories || bytes > kCategoryBytes;
  std::vector<std::size_t> order(names.size());
  std::iota(order.begin(), order.end(), 0);
  auto sort_by = [&](const std::vector<std::int64_t>& count) {
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) {
      return count[a] != count[b] ? count[a] > count[b] : names[a].name < names[b].name;
    });
  };
  if (thinned) {
    // Names that are chosen because they are frequent in the very rows that are counted would look frequent by chance.
    auto rng = random_of(merged);
    for (std::size_t i = 0; i < counted.size(); ++i) {
      auto half = toss(whole.cells[i], rng);
      chosen_by[i] = whole.cells[i] - half, counted[i] = half;
    }
    leave(merged, counted, segments, rng);
    sort_by(chosen_by);
    std::size_t keep = 0, kept = 0;
    while (keep < order.size() && keep < kCategories && chosen_by[order[keep]] > 0 &&
           kept + names[order[keep]].name.size() <= kCategoryBytes)
      kept += names[order[keep++]].name.size();
    order.resize(keep);
    merged.halved = true;
  }
  sort_by(counted);
  std::vector<std::size_t> to(other + 1, order.size());
  for (std::size_t i = 0; i < order.size(); ++i) to[order[i]] = i;
  for (auto& parts : merged.parts)
    for (auto& part : parts) {
      std::vector<std::int64_t> cells(order.size() + 1);
      for (std::size_t i = 0; i < part.counts.cells.size(); ++i) cells[to[i]] += part.counts.cells[i];
      part.counts.cells = std::move(cells);
    }
  std::vector<Category> settled;
  for (std::size_t i = 0; i < order.size(); ++i) settled.push_back({names[order[i]].name, whole.cells[i]});
  names = std::move(settled);
  merged.other = whole.cells.back();
  return thinned;
}

}  // namespace vigie::engine
