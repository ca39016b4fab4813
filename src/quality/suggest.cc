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
constexpr double kMostMissing = .5;     // a larger share is no promise worth keeping
constexpr double kMoreMissing = 1.5;    // times what is missing, and kSd errors of its share, …
constexpr double kSd = 4;               // … may be missing elsewhere

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

std::vector<Expectation> suggest(const TableState& reference, std::span<const std::string> probabilities) {
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
    // Labels come late, and then more are missing.
    const double gone = static_cast<double>(column.missing()) / static_cast<double>(column.rows());
    if (gone < kMostMissing && spec.role != Role::kLabel) add(Expectation::Kind::kNotNull);
    const bool id = spec.role == Role::kId || column.counts_up();
    const bool once = spec.role == Role::kId
                          ? reference.id_repeats().repeated() == 0
                          : column.distinct_exact() && column.distinct() == static_cast<double>(column.present());
    if (id && once) add(Expectation::Kind::kUnique);
    if (spec.kind == Kind::kTime && spec.role == Role::kTime && column.times().order().broken() == 0)
      add(Expectation::Kind::kMonotone).order = Expectation::Order::kLessEqual;
    const auto numbers = column.numbers();
    if (spec.kind == Kind::kNumber && !id && numbers && numbers->size() == 2 &&
        std::min((*numbers)[0].second, (*numbers)[1].second) >= kOften) {
      Expectation& e = add(Expectation::Kind::kSet);
      for (const auto& [value, count] : *numbers)
        e.numbers.push_back(value), e.texts.push_back(fmt::format("{}", value));
    } else if (spec.kind == Kind::kNumber && !id && column.infinite() == 0 && column.high() > column.low() &&
               std::isfinite(column.high() - column.low())) {
      const double width = column.high() - column.low();
      const bool whole = numbers && std::all_of(numbers->begin(), numbers->end(),
                                                [](const NumberCount& n) { return n.first == std::floor(n.first); });
      Expectation& e = add(Expectation::Kind::kRange);
      e.low = widened(column.low(), width, false);
      e.high = widened(column.high(), width, true);
      // What lies in 0..1 and nearly fills it is a share, unless it is a weight or an answer of another kind.
      const bool probability = std::find(probabilities.begin(), probabilities.end(), spec.name) != probabilities.end();
      if (column.low() >= 0 && column.high() <= 1 && (probability || (e.high > 1 && spec.role != Role::kOther))) {
        e.high = 1;
        if (probability) e.low = 0;
      }
      if (whole) e.low = std::floor(e.low), e.high = std::ceil(e.high);
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
    for (std::size_t i = first; i < out.size(); ++i) {
      out[i].at_most = strict ? 0 : kAtMost;
      if (out[i].kind != Expectation::Kind::kNotNull || gone == 0) continue;
      const double sd = std::sqrt(gone * (1 - gone) / static_cast<double>(column.rows()));
      out[i].at_most = std::ceil(std::max(kMoreMissing * gone, gone + kSd * sd) * 100) / 100;
    }
  }
  return out;
}

}  // namespace vigie::quality
