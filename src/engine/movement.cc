// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/text.h"
#include "engine/movement_internal.h"
#include "engine/picture.h"

namespace vigie::engine {
namespace {

// In reference standard deviations: the width below which a cell is told as one value, the move below which a median is
// told to be the same, and that from which it speaks for the quantiles that moved further the same way.
constexpr double kOneValue = 1e-6, kSameMedian = 0.01, kMedian = 0.1;

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

// A number with the digits that show a difference of `step`.
std::string number(double value, double step) {
  double size = std::fabs(value);
  // The cut above a zero is the next number.
  if (size < std::numeric_limits<double>::min()) return "0";
  if (!(step > 0)) return human(value);
  double whole = std::floor(std::log10(size)) + 1;
  int digits = static_cast<int>(std::clamp(std::ceil(whole - std::log10(step / 4)), 3.0, 15.0));
  if (digits == 3) return human(value);
  if (size < 1e-4 || size >= 1e15) return human(value, digits + 1);
  if (size < 1e7) return human(value, digits);
  if (digits <= whole || value == std::floor(value)) return with_commas(std::llround(value));
  return fmt::format("{:.{}f}", value, digits - static_cast<int>(whole));
}

// A quantile, of which the counts do not say how far beyond the reference it lies.
std::string told(const ColumnProfile& column, std::span<const std::int64_t> counts, double share, double value,
                 double step, const Known& known = {}) {
  const auto& cuts = column.bins.cuts;
  auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
  const bool below = static_cast<double>(counts.front()) > share * total;
  if (!below && value < cuts.back()) return number(value, step);
  const double end = below ? known.low : known.high;
  if (known.low == known.high) return number(end, step);
  if (share == .5 && !std::isnan(known.median)) return number(known.median, step);
  return fmt::format("{} {}{}", below ? "below" : "above", number(below ? cuts.front() : cuts.back(), step),
                     std::isnan(end) ? "" : fmt::format(" ({} to {})", below ? "down" : "up", human(end)));
}

// What the numbers of a column are: texts and embeddings are not numbers themselves.
std::string_view noun(const ColumnProfile& column) {
  return column.type == ColumnType::kText ? "length" : column.type == ColumnType::kEmbedding ? "norm" : "";
}

std::string of_numbers(const ColumnProfile& column, std::span<const std::int64_t> reference,
                       std::span<const std::int64_t> current, const Move& most, const Known& known) {
  if (column.type == ColumnType::kTimestamp) return "times moved";
  const auto& cuts = column.bins.cuts;
  const auto sd = column.bins.sd;
  auto shares = percent(most.before) + " → " + percent(most.after);
  bool inside = most.cell > 0 && most.cell < cuts.size();
  double width = inside ? cuts[most.cell] - cuts[most.cell - 1] : 0;
  bool one_value =
      inside && (cuts[most.cell] == std::nextafter(cuts[most.cell - 1], cuts[most.cell]) || width <= kOneValue * sd);
  auto what = noun(column);
  // "below 3", "lengths below 3"
  auto those = what.empty() ? std::string() : fmt::format("{}s ", what);
  auto value = [&] {
    return fmt::format("the {} {}: {}", what.empty() ? "value" : what, number(cuts[most.cell - 1], sd / 10), shares);
  };
  // A column that stands still, as a broken sensor does.
  if (inside && most.after >= .99 && most.before < .5)
    return one_value ? value()
                     : fmt::format("{}between {} and {}: {}", those, number(cuts[most.cell - 1], width),
                                   number(cuts[most.cell], width), shares);

  auto a = quantiles(column, reference), b = quantiles(column, current);
  double middle = b.p50 - a.p50, low = b.p10 - a.p10, high = b.p90 - a.p90;
  double ends = std::max(std::fabs(low), std::fabs(high));
  auto range = [&](std::span<const std::int64_t> counts, const ColumnPoint& p, const Known& of) {
    double step = std::min(ends, p.p90 - p.p10);
    return told(column, counts, .1, p.p10, step, of) + " to " + told(column, counts, .9, p.p90, step, of);
  };
  auto before = range(reference, a, {}), now = range(current, b, known);
  auto of = what.empty() ? std::string() : fmt::format(" of {}s", what);
  auto wider = fmt::format("middle 80 %{}: {} → {}", of, before, now);
  // Where all went one way and the median went far enough, it speaks for the others.
  bool together = std::min({middle, low, high}) >= 0 || std::max({middle, low, high}) <= 0;
  if (ends > 2 * std::fabs(middle) && !(together && std::fabs(middle) >= kMedian * sd) && before != now) return wider;
  auto from = told(column, reference, .5, a.p50, std::fabs(middle));
  auto to = told(column, current, .5, b.p50, std::fabs(middle), known);
  if (from != to && (std::fabs(middle) >= kSameMedian * sd || to != number(b.p50, std::fabs(middle))))
    return fmt::format("median{}{} {} → {}", what.empty() ? "" : " ", what, from, to);
  if (most.cell == 0) return fmt::format("{}below {}: {}", those, number(cuts.front(), sd / 10), shares);
  if (most.cell == cuts.size()) return fmt::format("{}above {}: {}", those, number(cuts.back(), sd / 10), shares);
  if (before != now && ends >= kSameMedian * sd) return wider;
  if (one_value) return value();
  return "same median, another shape";
}

}  // namespace

std::string scale_of(bool share) {
  return share ? "share of rows" : "reference sd";
}

std::string amount(double effect, bool share) {
  return share ? percent(effect) + " of rows" : human(effect) + " sd";
}

std::string movement(const ColumnProfile& column, std::span<const std::int64_t> reference,
                     std::span<const std::int64_t> current, const std::vector<std::string>& fresh, const Known& known) {
  auto n = static_cast<double>(std::accumulate(reference.begin(), reference.end(), std::int64_t{0}));
  auto m = static_cast<double>(std::accumulate(current.begin(), current.end(), std::int64_t{0}));
  if (n == 0 || m == 0) return {};
  auto moves = largest_moves(reference, current, n, m);
  if (!column.categorical()) return of_numbers(column, reference, current, moves.most(), known);
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
