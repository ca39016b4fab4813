// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "quality/rules.h"

namespace vigie::quality {
namespace {

constexpr std::int64_t kFewest = 100;   // rows with a value, below which nothing is suggested
constexpr std::size_t kMostInSet = 30;  // values of a set
constexpr std::int64_t kOften = 20;     // rows that the rarest of a set must have
constexpr double kAtMost = .01;         // what a sample cannot promise

// A tenth of the width away, at two digits of it, and never over zero where all values are on one side.
double widened(double end, double width, bool up) {
  const double place = std::floor(std::log10(width)) - 1, step = std::pow(10, std::abs(place));
  const auto scaled = [&](double v) { return place < 0 ? v * step : v / step; };
  const double whole = up ? std::ceil(scaled(end + width / 10)) : std::floor(scaled(end - width / 10));
  const double moved = place < 0 ? whole / step : whole * step;  // the nearest number to these digits
  if (end != 0 && std::signbit(end) != std::signbit(moved)) return 0;
  return end == 0 ? 0 : moved;
}

}  // namespace

std::vector<Expectation> suggest(const TableState& reference) {
  std::vector<Expectation> out;
  for (const ColumnState& column : reference.columns()) {
    const ColumnSpec& spec = column.spec();
    if (column.present() < kFewest) continue;
    const auto add = [&](Expectation::Kind kind) -> Expectation& {
      Expectation& e = out.emplace_back();
      e.kind = kind;
      e.column = spec.name;
      return e;
    };
    const std::size_t first = out.size();
    if (column.missing() == 0) add(Expectation::Kind::kNotNull);
    const bool id = spec.role == Role::kId || column.counts_up();
    const bool once = spec.role == Role::kId
                          ? reference.id_repeats().repeated() == 0
                          : column.distinct_exact() && column.distinct() == static_cast<double>(column.present());
    if (id && once) add(Expectation::Kind::kUnique);
    if (spec.kind == Kind::kTime && spec.role == Role::kTime && column.times().order().broken() == 0)
      add(Expectation::Kind::kMonotone).order = Expectation::Order::kLessEqual;
    if (spec.kind == Kind::kNumber && !id && column.infinite() == 0 && column.high() > column.low() &&
        std::isfinite(column.high() - column.low())) {
      const double width = column.high() - column.low();
      Expectation& e = add(Expectation::Kind::kRange);
      e.low = widened(column.low(), width, false);
      e.high = widened(column.high(), width, true);
    }
    if (const auto items = column.categories();
        items && !id && !items->empty() && items->size() <= kMostInSet && items->back().count >= kOften) {
      Expectation& e = add(Expectation::Kind::kSet);
      for (const auto& item : *items) e.texts.push_back(item.name);
      std::sort(e.texts.begin(), e.texts.end());
    }
    // Unique ids and ordered times are meant strictly; the rest was only seen to be so.
    const bool strict = std::any_of(out.begin() + static_cast<std::ptrdiff_t>(first), out.end(), [](const auto& e) {
      return e.kind == Expectation::Kind::kUnique || e.kind == Expectation::Kind::kMonotone;
    });
    for (std::size_t i = first; i < out.size(); ++i) out[i].at_most = strict ? 0 : kAtMost;
  }
  return out;
}

}  // namespace vigie::quality
