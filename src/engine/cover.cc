// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "engine/aspect_values_internal.h"
#include "engine/judge_internal.h"

/// Whether rows last long enough for the hours of their days to be compared: three hours lack the others by nature.
namespace vigie::engine {
namespace {

// What lacks no more than this to a whole cycle covers it.
constexpr double kAlmost = .95;

std::string lasting(double micros) {
  return duration(std::max(0., micros));
}

}  // namespace

std::string Judge::uncovered(const Place& place, Aspect aspect) const {
  const auto of = reference_.column_of(place.column);
  const auto& column = reference_.columns[of];
  const auto& cells =
      column.parts[place.segmentation == 0 ? 0 : segmentations_[place.segmentation - 1]][place.index].counts.cells;
  const auto& cuts = column.bins.cuts;
  Span before;
  for (std::size_t j = 1; j < cells.size() && j < cuts.size(); ++j)
    if (cells[j] > 0) before.low = std::min(before.low, cuts[j - 1]), before.high = cuts[j];
  const auto now = tally_.span_at(of, place.segmentation, place.window, place.index);
  const double cycle = cycle_of(aspect), was = (before.high - before.low) / cycle, is = (now.high - now.low) / cycle;
  const bool healthy =
      place.among && place.among->values && place.among->values->healthy.size() >= drift::kFewestWindows;
  // Healthy windows say how much one day differs from another; without them only many days together do.
  const double fewest = kAlmost * (healthy ? 1 : aspect == Aspect::kHourOfDay ? 7 : 4);
  const bool hours = aspect == Aspect::kHourOfDay;
  const std::string_view what = hours ? "hours of the day" : "days of the week";
  for (const auto& [cycles, whose] : {std::pair{was, "of the reference"}, std::pair{is, "of this window"}})
    if (!(cycles >= fewest))
      return fmt::format("the times {} last {}: {} are compared from {} on", whose, lasting(cycles * cycle), what,
                         lasting(std::round(fewest) * cycle));
  if (unevenness(was) + unevenness(is) > kShareLevels.watch / 2)
    return fmt::format("the times last {} there and {} here: some {} would count once more than others",
                       lasting(was * cycle), lasting(is * cycle), what);
  return {};
}

}  // namespace vigie::engine
