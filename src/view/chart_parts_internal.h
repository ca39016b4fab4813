// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "view/html_internal.h"

/// What the charts of a report are put together from. Coordinates are those of its 360 × 150 pictures; `out` is the SVG
/// that is added to.
namespace vigie::view::chart {

inline constexpr double kEdge = 2, kRight = 356, kTop = 10, kBottom = 128, kText = 143;
inline constexpr double kCharacter = 6.2;  // width of a digit in the charts
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// The start of a picture; `label` is what it says to those who do not see it.
std::string open_svg(std::string_view label);
/// `anchor`: "start", "middle" or "end".
void text(std::string& out, double x, double y, std::string_view anchor, std::string_view what);
/// `style`: a class of report.css.
void line(std::string& out, std::string_view style, double x0, double y0, double x1, double y1);

/// How far from `low` to `high` a value is: 0 and 1 at the ends, however far apart these are.
double share_of(double low, double high, double v);

/// A value axis: from a value to the height at which it is drawn; values beyond its ends are drawn there.
struct Scale {
  double low, high;
  bool log = false;
  double operator()(double v) const;
};

/// Combines the windows of each step, their mean or their greatest; NaN where none has a number.
std::vector<double> stepped(const Steps& steps, bool greatest, const std::function<double(std::size_t)>& value);
/// A line with gaps where there is no number; a lone point becomes a short dash.
std::string polyline(const std::vector<double>& values, const Scale& y, double left);
/// The area between two lines, with gaps where either has no number.
std::string band(const std::vector<double>& low, const std::vector<double>& high, const Scale& y, double left);

/// The axis of windows under a chart, with the first, the last and, where there is room, the middle one named.
void time_axis(std::string& out, const engine::Comparison& comparison, double left, double right = kRight);
/// The same of `count` windows that `label` names.
void time_axis(std::string& out, std::size_t count, const std::function<std::string(std::size_t)>& label, double left,
               double right = kRight);

/// About `most` round numbers from low to high; the ends where doubles have none between them.
std::vector<double> ticks(double low, double high, double most);
/// Powers of ten, or 1, 2 and 5 of each where there are few.
std::vector<double> log_ticks(double low, double high, std::size_t most);

/// Numbers at the left of a chart; made before the chart because they need room. Dates have no round numbers: `ends`.
struct ValueAxis {
  std::vector<std::pair<double, std::string>> marks;
  double left = kEdge;  ///< where the chart begins

  ValueAxis(const Scale& y, bool ends, const std::function<std::string(double)>& show);
  void draw(std::string& out, const Scale& y, double right = kRight) const;
};

}  // namespace vigie::view::chart
