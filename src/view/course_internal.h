// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/comparison.h"

namespace vigie::view {

/// Verdicts over the windows. Undecided: an effect worth a look and no verdict.
struct Course {
  std::vector<engine::Verdict> verdicts;
  std::vector<bool> undecided;
};

/// When a course has at least `verdict`: "since window 7 (…)", "in all 12 windows", "in window 3", "in 4 of 12
/// windows, first in window 3"; empty with a single window or when no window has. "since" is from the first window of
/// an unbroken run of warnings and drifts to the end of the data: "since window 5 (…), drift since window 7 (…)".
/// Windows without data break no run, undecided ones do. `name` names a window.
std::string when(const Course& course, engine::Verdict verdict, const std::function<std::string(std::size_t)>& name);

/// Whether a change of warning or drift is there at the end, or was for a while: three windows in a row, or most of
/// those from its first on. Others may be days of chance. Of less than five windows all are taken for such.
bool lasting(const Course& course);

/// "2013-06-03", of windows shorter than a day "2013-06-03 05:00"; empty without a time.
template <class Windows>
std::string date_of(const Windows& windows, std::size_t window) {
  const auto& start = windows[window].start;
  if (!start) return {};
  const auto midnight = [](const auto& w) {
    return !w.start || w.start->size() < 16 || std::string_view(*w.start).substr(11, 5) == "00:00";
  };
  if (start->size() < 16 || std::all_of(windows.begin(), windows.end(), midnight)) return start->substr(0, 10);
  return start->substr(0, 10) + " " + start->substr(11, 5);
}

/// "window 7" or, of calendar windows, "window 7 (2013-06-03)"; the hour is added where windows are shorter than a day.
template <class Windows>
std::string window_text(const Windows& windows, std::size_t window) {
  const auto date = date_of(windows, window);
  return date.empty() ? fmt::format("window {}", windows[window].index)
                      : fmt::format("window {} ({})", windows[window].index, date);
}

}  // namespace vigie::view
