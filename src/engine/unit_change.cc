// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "base/text.h"
#include "engine/unit_change_internal.h"

namespace vigie::engine {
namespace {

struct Unit {
  double factor, offset;
  std::string_view name;  ///< empty: the factor says it all
};

constexpr Unit kUnits[] = {{1000, 0, ""},
                           {.001, 0, ""},
                           {100, 0, ""},
                           {.01, 0, ""},
                           {10, 0, ""},
                           {.1, 0, ""},
                           {1e6, 0, ""},
                           {1e-6, 0, ""},
                           {60, 0, " (minutes, seconds)"},
                           {1. / 60, 0, " (seconds, minutes)"},
                           {3600, 0, " (hours, seconds)"},
                           {1. / 3600, 0, " (seconds, hours)"},
                           {24, 0, " (days, hours)"},
                           {1. / 24, 0, " (hours, days)"},
                           {2.54, 0, " (inches, centimetres)"},
                           {1 / 2.54, 0, " (centimetres, inches)"},
                           {25.4, 0, " (inches, millimetres)"},
                           {1 / 25.4, 0, " (millimetres, inches)"},
                           {.3048, 0, " (feet, metres)"},
                           {1 / .3048, 0, " (metres, feet)"},
                           {1.609344, 0, " (miles, kilometres)"},
                           {1 / 1.609344, 0, " (kilometres, miles)"},
                           {.45359237, 0, " (pounds, kilograms)"},
                           {1 / .45359237, 0, " (kilograms, pounds)"},
                           {1.8, 32, " (Celsius, Fahrenheit)"},
                           {1 / 1.8, -32 / 1.8, " (Fahrenheit, Celsius)"},
                           {1, 273.15, " (Celsius, kelvin)"},
                           {1, -273.15, " (kelvin, Celsius)"}};

constexpr double kErrors = 4;      // standard errors that the mean may be off
constexpr double kWidth = 1.4;     // times that the range may be wider or narrower
constexpr double kPrecise = .03;   // of the mean: the error up to which a small factor is told from its neighbours
constexpr double kFar = 5;         // factors from which, either way, nothing else comes to mind
constexpr double kInside = .05;    // share of rows by which those in the reference's range may differ
constexpr double kFewInside = .1;  // share of rows in the range beyond which the ends do not tell
constexpr double kStep = 1e-6;     // of the reference sd: how finely distances beyond its range are kept
constexpr std::int64_t kRows = 100;

double sum_of(std::span<const double> centers, std::span<const std::int64_t> counts) {
  double sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] > 0) sum += centers[i] * static_cast<double>(counts[i]);
  return sum;
}

// NaN where rows lie beyond both ends of the reference, or so far that their distance was not kept.
double mean_of(const ColumnProfile& column, const Counts& current, double low, double high) {
  const auto& bins = column.bins;
  const auto rows = static_cast<double>(current.rows());
  const auto below = static_cast<double>(current.cells.front()), above = static_cast<double>(current.cells.back());
  const double first = bins.cuts.front(), last = bins.cuts.back(),
               far = kStep * static_cast<double>(kFarthest) * bins.sd;
  if ((below > 0 && above > 0) || first - low >= far || high - last >= far) return std::nan("");
  const auto inner = std::span(current.cells).subspan(1, current.cells.size() - 2);
  const double beyond = kStep * static_cast<double>(current.beyond) * bins.sd;
  return (sum_of(std::span(bins.centers).subspan(1), inner) + below * first + above * last +
          (below > 0 ? -beyond : beyond)) /
         rows;
}

// Rows of the reference that another unit would leave in its range.
double rows_inside(const Unit& unit, const Bins& bins, std::span<const std::int64_t> reference) {
  double rows = 0;
  for (std::size_t i = 1; i + 1 < reference.size(); ++i) {
    const double there = unit.factor * bins.centers[i] + unit.offset;
    if (there >= bins.cuts.front() && there < bins.cuts.back()) rows += static_cast<double>(reference[i]);
  }
  return rows;
}

double inside(const Counts& current) {
  return static_cast<double>(current.rows() - current.cells.front() - current.cells.back());
}

// How far the values are from those that the unit would give, as a share; NaN where they are not its.
double misfit(const Unit& unit, const ColumnProfile& column, std::span<const std::int64_t> reference,
              const Counts& current, double low, double high) {
  const auto& bins = column.bins;
  const double n = static_cast<double>(std::accumulate(reference.begin(), reference.end(), std::int64_t{0}));
  const double m = static_cast<double>(current.rows());
  const double first = bins.cuts.front(), last = bins.cuts.back();
  const double wider = (high - low) / (unit.factor * (last - first));
  if (!(wider > 1 / kWidth && wider < kWidth)) return std::nan("");
  if (std::abs(rows_inside(unit, bins, reference) / n - inside(current) / m) > kInside) return std::nan("");
  const double expected = unit.factor * sum_of(bins.centers, reference) / n + unit.offset;
  const double error = unit.factor * bins.sd * std::sqrt(1 / n + 1 / m);
  const double mean = mean_of(column, current, low, high);
  const bool far = unit.factor > kFar || unit.factor < 1 / kFar;
  // The ends alone tell powers of ten apart, and no others; and only where few rows are left in the range, as a law
  // that became wider has many there.
  if (std::isnan(mean))
    return unit.name.empty() && inside(current) <= kFewInside * m ? std::abs(std::log(wider)) : mean;
  const double allowed = kErrors * error + kStep * bins.sd;
  if (!far && allowed > kPrecise * std::abs(expected)) return std::nan("");
  if (!(std::abs(mean - expected) <= allowed)) return std::nan("");
  return std::abs(mean - expected) / std::abs(expected);
}

}  // namespace

std::string unit_change(const ColumnProfile& column, std::span<const std::int64_t> reference, const Counts& current,
                        double low, double high) {
  const auto& bins = column.bins;
  if (column.type != ColumnType::kNumeric || bins.cuts.size() < 4 || !(bins.sd > 0) || !(high > low)) return {};
  if (current.cells.size() != bins.cuts.size() + 1 || current.rows() < kRows) return {};
  const Unit* best = nullptr;
  double least = std::numeric_limits<double>::infinity();
  for (const auto& unit : kUnits)
    if (const double off = misfit(unit, column, reference, current, low, high); off < least) best = &unit, least = off;
  if (!best) return {};
  std::string how = best->factor == 1 ? "" : fmt::format("× {}", human(best->factor, 6));
  if (best->offset != 0)
    how +=
        fmt::format("{}{} {}", how.empty() ? "" : " ", best->offset < 0 ? "−" : "+", human(std::abs(best->offset), 5));
  return fmt::format("looks like {}{}: a unit changed?", how, best->name);
}

}  // namespace vigie::engine
