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

// The cell whose share of rows changed most.
Move largest_move(std::span<const std::int64_t> reference, std::span<const std::int64_t> current, double n, double m) {
  Move most;
  for (std::size_t i = 0; i < current.size(); ++i) {
    Move move{i, static_cast<double>(reference[i]) / n, static_cast<double>(current[i]) / m};
    if (i == 0 || move.size() > most.size()) most = move;
  }
  return most;
}

// A quantile, which says nothing of how far beyond the reference it lies.
std::string told(const ColumnProfile& column, double value) {
  if (value >= column.bins.cuts.back()) return "above " + human(column.bins.cuts.back());
  return human(value);
}

std::string of_numbers(const ColumnProfile& column, std::span<const std::int64_t> reference,
                       std::span<const std::int64_t> current, const Move& most) {
  if (column.type == ColumnType::kTimestamp) return "times moved";
  auto a = quantiles(column, reference), b = quantiles(column, current);
  std::string what = column.type == ColumnType::kText        ? "median length "
                     : column.type == ColumnType::kEmbedding ? "median norm "
                                                             : "median ";
  auto from = told(column, a.p50), to = told(column, b.p50);
  if (from != to) return what + from + " → " + to;
  const auto& cuts = column.bins.cuts;
  auto shares = percent(most.before) + " → " + percent(most.after);
  if (most.cell == 0) return fmt::format("below {}: {}", human(cuts.front()), shares);
  if (most.cell == cuts.size()) return fmt::format("above {}: {}", human(cuts.back()), shares);
  bool one_value = cuts[most.cell] == std::nextafter(cuts[most.cell - 1], INFINITY);
  if (one_value) return fmt::format("the value {}: {}", human(cuts[most.cell - 1]), shares);
  auto range = [&](const ColumnPoint& p) { return told(column, p.p10) + "–" + told(column, p.p90); };
  if (range(a) != range(b)) return "middle 80 % " + range(a) + " → " + range(b);
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
  auto most = largest_move(reference, current, n, m);
  if (!column.categorical()) return of_numbers(column, reference, current, most);
  auto other = column.categories.size();
  auto name = most.cell < other    ? column.categories[most.cell].name
              : most.cell == other ? "(other)"
                                   : fresh[most.cell - other - 1];
  return fmt::format("{}{} {} → {}", most.cell > other ? "new value " : "", vigie::quoted(name, 24),
                     percent(most.before), percent(most.after));
}

}  // namespace vigie::engine
