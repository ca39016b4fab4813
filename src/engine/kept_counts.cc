// SPDX-License-Identifier: Apache-2.0
#include "engine/kept_counts.h"

#include <algorithm>
#include <numeric>

#include "base/bytes.h"

namespace vigie::engine {
namespace {

constexpr std::uint8_t kVersion = 1;

}  // namespace

Tally empty_counts(const Profile& axes, std::size_t windows) {
  Tally t;
  for (std::size_t k = 0; k < axes.segmentations.size(); ++k)
    t.widths.push_back(k == 0 ? 1 : std::max<std::size_t>(1, axes.segments[k].size()));
  const auto columns = axes.counted(), widths = t.widths.size();
  for (const auto& column : axes.columns) t.present.push_back(column.role != Role::kLabel);
  t.mismatches.resize(columns), t.infinite.resize(columns), t.only_numbers.resize(columns);
  t.minimum.resize(columns, Span().low), t.maximum.resize(columns, Span().high);
  t.values.resize(columns), t.vectors.resize(columns), t.spans.resize(columns), t.fresh.resize(columns);
  t.cells.resize(columns, std::vector<std::vector<Counts>>(widths));
  for (std::size_t c = 0; c < columns; ++c)
    t.values[c].resize(widths), t.vectors[c].resize(widths), t.spans[c].resize(widths);
  while (t.window_rows.size() < windows) add_window(t, axes);
  return t;
}

void add_window(Tally& tally, const Profile& axes) {
  tally.window_rows.push_back(0);
  for (std::size_t c = 0; c < axes.counted(); ++c)
    for (std::size_t k = 0; k < tally.widths.size(); ++k)
      tally.cells[c][k].resize(tally.window_rows.size() * tally.widths[k]);
}

std::string save_counts(const Tally& counted) {
  ByteWriter out;
  out.fixed(kVersion);
  out.varint(counted.cells.size());
  for (std::size_t c = 0; c < counted.cells.size(); ++c) {
    out.varint(counted.fresh[c].size());
    for (const auto& name : counted.fresh[c]) out.string(name);
    out.varint(counted.widths.size());
    for (std::size_t k = 0; k < counted.widths.size(); ++k) {
      out.varint(counted.widths[k]);
      for (std::size_t s = 0; s < counted.widths[k]; ++s) {
        const auto* counts = counted.at(c, k, 0, s);
        auto cells = counts ? counts->cells : std::vector<std::int64_t>();
        while (!cells.empty() && cells.back() == 0) cells.pop_back();
        out.varint(cells.size());
        for (auto cell : cells) out.varint(static_cast<std::uint64_t>(cell));
        // Which half of the rows chose the categories is nothing to a later window.
        out.varint(static_cast<std::uint64_t>(counts ? counts->total_missing() : 0));
        out.varint(static_cast<std::uint64_t>(counts ? counts->beyond : 0));
      }
    }
  }
  return out.take();
}

Result<Tally> read_counts(std::string_view saved, const Profile& axes) {
  const auto corrupt = [] { return fail(Code::kCorrupt, "what was kept of a window cannot be read"); };
  ByteReader in(saved);
  if (in.fixed<std::uint8_t>() != kVersion || in.count(3) != axes.counted()) return corrupt();
  auto t = empty_counts(axes, 1);
  const auto columns = axes.counted(), widths = t.widths.size();
  for (std::size_t c = 0; c < columns && in.ok(); ++c) {
    auto& fresh = t.fresh[c];
    for (auto names = in.count(1); names > 0; --names) fresh.emplace_back(in.string());
    if (in.count(1) != widths) return corrupt();
    auto& cells = t.cells[c];
    const auto width = axes.counted(c).cells() + fresh.size();
    for (std::size_t k = 0; k < widths; ++k) {
      if (in.count(3) != t.widths[k]) return corrupt();
      for (auto& counts : cells[k]) {
        counts.cells.resize(in.count(1));
        if (counts.cells.size() > width) return corrupt();
        for (auto& cell : counts.cells) cell = static_cast<std::int64_t>(in.varint());
        counts.missing = static_cast<std::int64_t>(in.varint());
        counts.beyond = static_cast<std::int64_t>(in.varint());
      }
    }
  }
  if (!in.ok() || in.remaining() > 0) return corrupt();
  if (columns > 0) t.rows = t.cells[0][0][0].total_rows() + t.cells[0][0][0].total_missing();
  t.window_rows = {t.rows};
  return t;
}

void put_in(Tally& all, const Tally& others, const Profile& axes) {
  all.rows += others.rows;
  all.window_rows[0] += others.rows;
  for (std::size_t c = 0; c < axes.counted(); ++c) {
    const auto base = axes.counted(c).cells();
    std::vector<std::size_t> to(base);
    std::iota(to.begin(), to.end(), std::size_t{0});
    for (const auto& name : others.fresh[c]) {
      const auto at = std::find(all.fresh[c].begin(), all.fresh[c].end(), name);
      const bool known = at != all.fresh[c].end(), room = all.fresh[c].size() < kFresh;
      to.push_back(known || room ? base + static_cast<std::size_t>(at - all.fresh[c].begin()) : base - 1);
      if (!known && room) all.fresh[c].push_back(name);
    }
    for (std::size_t k = 0; k < all.cells[c].size(); ++k) {
      for (std::size_t s = 0; s < all.cells[c][k].size(); ++s) {
        const auto* more = others.at(c, k, 0, s);
        if (!more) continue;
        auto& counts = all.cells[c][k][s];
        for (std::size_t i = 0; i < more->cells.size(); ++i) {
          if (more->cells[i] == 0) continue;
          if (to[i] >= counts.cells.size()) counts.cells.resize(to[i] + 1);
          counts.cells[to[i]] += more->cells[i];
        }
        counts.missing += more->total_missing();
        counts.beyond = saturating_add(counts.beyond, more->beyond);
      }
    }
  }
}

void take_out(Tally& all, const Tally& some, const Profile& axes) {
  all.rows -= some.rows;
  if (!all.window_rows.empty()) all.window_rows[0] -= some.rows;
  for (std::size_t c = 0; c < axes.counted(); ++c) {
    const auto base = axes.counted(c).cells();
    std::vector<std::size_t> to(base);
    std::iota(to.begin(), to.end(), std::size_t{0});
    for (const auto& name : some.fresh[c]) {
      const auto at = std::find(all.fresh[c].begin(), all.fresh[c].end(), name);
      // Of very many names, the later ones are among the others there.
      to.push_back(at == all.fresh[c].end() ? base - 1 : base + static_cast<std::size_t>(at - all.fresh[c].begin()));
    }
    for (std::size_t k = 0; k < all.cells[c].size(); ++k) {
      for (std::size_t s = 0; s < std::min(all.cells[c][k].size(), all.widths[k]); ++s) {
        const auto* out = some.at(c, k, 0, s);
        if (!out) continue;
        auto& counts = all.cells[c][k][s];
        for (std::size_t i = 0; i < out->cells.size(); ++i)
          if (to[i] < counts.cells.size()) counts.cells[to[i]] -= std::min(counts.cells[to[i]], out->cells[i]);
        counts.missing -= std::min(counts.missing, out->total_missing());
        counts.beyond -= std::min(counts.beyond, out->beyond);
      }
    }
  }
}

}  // namespace vigie::engine
