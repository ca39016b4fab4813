// SPDX-License-Identifier: Apache-2.0
#include "engine/picture.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/summaries_internal.h"

namespace vigie::engine {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kDrawn = 20;  // categories with a bar of their own

double share(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

double quantile(const ColumnProfile& column, std::span<const std::int64_t> counts, double total, double q) {
  const auto& cuts = column.bins.cuts;
  double below = 0;
  for (std::size_t j = 0; j < counts.size(); ++j) {
    auto c = static_cast<double>(counts[j]);
    if (c > 0 && below + c >= q * total) {
      // Nothing is known of how far the outside cells reach.
      if (j == 0) return cuts.front();
      if (j >= cuts.size()) return cuts.back();
      if (cuts[j] == std::nextafter(cuts[j - 1], cuts[j])) return cuts[j - 1];
      return cuts[j - 1] + (cuts[j] - cuts[j - 1]) * (q * total - below) / c;
    }
    below += c;
  }
  return kNaN;
}

}  // namespace

ColumnPoint quantiles(const ColumnProfile& column, std::span<const std::int64_t> counts) {
  ColumnPoint point{kNaN, kNaN, kNaN, 0, {}};
  auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
  if (total == 0 || column.bins.cuts.empty()) return point;
  point.p10 = quantile(column, counts, total, 0.1);
  point.p50 = quantile(column, counts, total, 0.5);
  point.p90 = quantile(column, counts, total, 0.9);
  return point;
}

std::vector<Picture> draw(const Profile& reference, const Tally& current) {
  std::vector<Picture> pictures;
  auto order = current.windower->order();
  for (std::size_t c = 0; c < reference.columns.size(); ++c) {
    const auto& column = reference.columns[c];
    Picture p;
    p.column = column.name, p.role = column.role, p.type = column.type;
    auto cells = column.cells() + current.fresh[c].size();
    auto whole = padded(column.whole(), cells);
    Counts all;
    for (auto w : order)
      if (const auto* counts = current.at(c, 0, w, 0)) all.merge(*counts);
    all.cells.resize(std::max(cells, all.cells.size()));
    auto n = column.whole().rows(), m = all.rows();
    std::vector<std::size_t> drawn;  // categorical: cells in the order of the bars
    auto shares = [&](std::span<const std::int64_t> counts, std::int64_t total) {
      std::vector<double> out;
      if (!column.categorical()) {
        for (auto v : counts) out.push_back(share(v, total));
        return out;
      }
      std::int64_t named = 0;
      for (auto i : drawn)
        named += i < counts.size() ? counts[i] : 0, out.push_back(share(i < counts.size() ? counts[i] : 0, total));
      if (p.categories.size() > drawn.size()) out.push_back(share(total - named, total));
      return out;
    };
    if (column.categorical()) {
      std::vector<std::size_t> by(cells);
      std::iota(by.begin(), by.end(), 0);
      auto other = column.categories.size();
      std::erase(by, other);
      auto weight = [&](std::size_t i) { return std::max(share(whole[i], n), share(all.cells[i], m)); };
      std::stable_sort(by.begin(), by.end(), [&](auto a, auto b) { return weight(a) > weight(b); });
      bool rest = by.size() > kDrawn || whole[other] + all.cells[other] > 0;
      by.resize(std::min(by.size(), kDrawn));
      drawn = by;
      for (auto i : drawn)
        p.categories.push_back(i < other ? column.categories[i].name : current.fresh[c][i - other - 1]);
      if (rest) p.categories.emplace_back("(other)");
    } else {
      p.cuts = column.bins.cuts;
      double low = p.cuts.empty() ? kNaN : p.cuts.front(), high = p.cuts.empty() ? kNaN : p.cuts.back();
      p.minimum = std::isfinite(current.minimum[c]) ? std::fmin(low, current.minimum[c]) : low;
      p.maximum = std::isfinite(current.maximum[c]) ? std::fmax(high, current.maximum[c]) : high;
    }
    auto point = [&](const Counts& counts) {
      auto padded_counts = padded(counts, cells);
      auto rows = counts.rows();
      ColumnPoint at = column.categorical() ? ColumnPoint{kNaN, kNaN, kNaN, 0, {}} : quantiles(column, padded_counts);
      at.missing_share = share(counts.missing, rows + counts.missing);
      if (column.categorical())
        for (double v : shares(padded_counts, rows)) at.shares.push_back(static_cast<float>(v));
      return at;
    };
    p.reference_shares = shares(whole, n);
    p.current_shares = shares(all.cells, m);
    p.reference = point(column.whole());
    for (auto w : order) {
      const auto* counts = current.at(c, 0, w, 0);
      p.points.push_back(point(counts ? *counts : Counts{}));
    }
    pictures.push_back(std::move(p));
  }
  return pictures;
}

}  // namespace vigie::engine
