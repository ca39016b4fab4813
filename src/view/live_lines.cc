// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "view/html_internal.h"
#include "view/live_lines_internal.h"

namespace vigie::view {
namespace {

constexpr double kWidth = 120, kHeight = 22;

std::string bytes_text(double value) {
  constexpr std::array<const char*, 5> kUnits{"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  for (; std::abs(value) >= 1000 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  return human(value) + " " + kUnits.at(unit);
}

// From 0, or from the least where that is below it, to the greatest.
void polyline(std::string& out, const std::vector<double>& values) {
  double low = 0, high = 0;
  for (const auto v : values)
    if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
  const double range = high > low ? high - low : 1;
  const double step = kWidth / static_cast<double>(std::max<std::size_t>(values.size(), 2) - 1);
  std::string points;
  const auto draw = [&] {
    if (!points.empty()) put(out, "<polyline class=\"curline\" points=\"{}\"/>", points);
    points.clear();
  };
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      draw();
      continue;
    }
    const double x = static_cast<double>(i) * step, y = kHeight - 2 - (values[i] - low) / range * (kHeight - 4);
    // A lone minute is a short dash.
    if (points.empty()) put(points, "{},{} ", at(std::max(0., x - .6)), at(y));
    put(points, "{},{} ", at(x), at(y));
  }
  draw();
}

}  // namespace

std::string figure_text(std::string_view name, double value) {
  if (!std::isfinite(value)) return "–";
  if (name.ends_with("_bytes")) return bytes_text(value);
  if (name.ends_with("_bytes_per_s")) return bytes_text(value) + "/s";
  if (name.ends_with("_share") || name == "errors") return percent(value);
  if (name.ends_with("_ms") || name == "p95") return human(value) + " ms";
  if (name.ends_with("_watts")) return human(value) + " W";
  if (name.ends_with("_celsius")) return human(value) + " °C";
  return human(value);
}

void draw_lines(std::string& out, const std::vector<LiveLine>& lines) {
  if (lines.empty()) return;
  out += "<div class=\"sparks\">";
  for (const auto& line : lines) {
    double most = std::nan("");
    for (const auto v : line.values)
      if (std::isfinite(v) && !(v <= most)) most = v;
    auto name = line.name;
    for (const std::string_view ending : {"_bytes_per_s", "_bytes", "_share", "_watts", "_celsius", "_ms"})
      if (name.ends_with(ending) && name.size() > ending.size()) {
        name.resize(name.size() - ending.size());
        break;
      }
    std::replace(name.begin(), name.end(), '_', ' ');
    const auto latest = line.values.empty() ? std::nan("") : line.values.back();
    const auto now = figure_text(line.name, latest), top = figure_text(line.name, most);
    put(out,
        "<span class=\"spark\"><small>{0}</small> <svg width=\"{2}\" height=\"{3}\" viewBox=\"0 0 {2} {3}\" "
        "role=\"img\" "
        "aria-label=\"{0}: {1}, at most {4}\"><title>{0}: {1}, at most {4}</title>",
        escaped(name, 60), now, kWidth, kHeight, top);
    polyline(out, line.values);
    put(out, "</svg> <b>{}</b></span>", now);
  }
  out += "</div>";
}

}  // namespace vigie::view
