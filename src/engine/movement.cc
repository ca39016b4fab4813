// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/text.h"
#include "engine/movement_internal.h"
#include "engine/picture.h"

namespace vigie::engine {
namespace {

struct Move {
  std::size_t cell = 0;
  double before = 0, after = 0;
  double size() const { return std::fabs(after - before); }
};

struct Moves {
  Move up, down;
  const Move& most() const { return up.size() >= down.size() ? up : down; }
};

// The cells whose share of rows rose and fell most.
Moves largest_moves(std::span<const std::int64_t> reference, std::span<const std::int64_t> current, double n,
                    double m) {
  Moves moves;
  for (std::size_t i = 0; i < current.size(); ++i) {
    Move move{i, static_cast<double>(reference[i]) / n, static_cast<double>(current[i]) / m};
    auto& most = move.after >= move.before ? moves.up : moves.down;
    if (move.size() > most.size()) most = move;
  }
  return moves;
}

// A quantile, which says nothing of how far beyond the reference it lies.
std::string told(const ColumnProfile& column, std::span<const std::int64_t> counts, double share, double value) {
  const auto& cuts = column.bins.cuts;
  auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
  if (static_cast<double>(counts.front()) > share * total) return "below " + human(cuts.front());
  if (value >= cuts.back()) return "above " + human(cuts.back());
  return human(value);
}

std::string of_numbers(const ColumnProfile& column, std::span<const std::int64_t> reference,
                       std::span<const std::int64_t> current, const Move& most) {
  if (column.type == ColumnType::kTimestamp) return "times moved";
  auto a = quantiles(column, reference), b = quantiles(column, current);
  std::string what = column.type == ColumnType::kText        ? "median length "
                     : column.type == ColumnType::kEmbedding ? "median norm "
                                                             : "median ";
  auto from = told(column, reference, .5, a.p50), to = told(column, current, .5, b.p50);
  const auto& cuts = column.bins.cuts;
  // A column that stands still, as a broken sensor does.
  auto shares = percent(most.before) + " → " + percent(most.after);
  bool inside = most.cell > 0 && most.cell < cuts.size(), stands = most.after >= .99 && most.before < .5;
  bool one_value = inside && human(cuts[most.cell]) == human(cuts[most.cell - 1]);
  auto value = [&] { return fmt::format("the value {}: {}", human(cuts[most.cell - 1]), shares); };
  if (stands && one_value) return value();
  if (stands && inside)
    return fmt::format("between {} and {}: {}", human(cuts[most.cell - 1]), human(cuts[most.cell]), shares);
  if (from != to) return what + from + " → " + to;
  if (most.cell == 0) return fmt::format("below {}: {}", human(cuts.front()), shares);
  if (most.cell == cuts.size()) return fmt::format("above {}: {}", human(cuts.back()), shares);
  auto range = [&](std::span<const std::int64_t> counts, const ColumnPoint& p) {
    return told(column, counts, .1, p.p10) + "–" + told(column, counts, .9, p.p90);
  };
  auto before = range(reference, a), now = range(current, b);
  if (before != now) return "middle 80 % " + before + " → " + now;
  if (one_value) return value();
  return "same median, another shape";
}

}  // namespace

std::string percent(double share) {
  return human(100 * share, 3) + " %";
}

std::string scale_of(bool share) {
  return share ? "share of rows" : "reference sd";
}

std::string amount(double effect, bool share) {
  return share ? percent(effect) + " of rows" : human(effect) + " sd";
}

std::string movement(const ColumnProfile& column, std::span<const std::int64_t> reference,
                     std::span<const std::int64_t> current, const std::vector<std::string>& fresh) {
  auto n = static_cast<double>(std::accumulate(reference.begin(), reference.end(), std::int64_t{0}));
  auto m = static_cast<double>(std::accumulate(current.begin(), current.end(), std::int64_t{0}));
  if (n == 0 || m == 0) return {};
  auto moves = largest_moves(reference, current, n, m);
  if (!column.categorical()) return of_numbers(column, reference, current, moves.most());
  auto told_of = [&](const Move& move) {
    auto other = column.categories.size();
    auto name = move.cell < other    ? column.categories[move.cell].name
                : move.cell == other ? "(other)"
                                     : fresh[move.cell - other - 1];
    return fmt::format("{}{} {} → {}", move.cell > other ? "new value " : "", vigie::quoted(name, 24),
                       percent(move.before), percent(move.after));
  };
  // What came and what went are often two sides of one change.
  if (moves.up.size() < moves.down.size() / 2) return told_of(moves.down);
  if (moves.down.size() < moves.up.size() / 2) return told_of(moves.up);
  return told_of(moves.up) + ", " + told_of(moves.down);
}

}  // namespace vigie::engine
