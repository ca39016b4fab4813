// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "drift/drift.h"

namespace vigie::drift {

/// The few numbers a window leaves behind, by which healthy windows are compared with each other (recipe section 8).
/// Numeric: location, log scale, skew, log kurtosis of the reference's normal scores, and X (chi-square on 16 groups).
/// Categorical: arcsine-root shares of the reference's categories (see between()). NaN where not computable.
struct WindowSummary {
  double rows = 0;
  double location = 0, log_scale = 0, skew = 0, log_kurtosis = 0, chi2 = 0;
  std::vector<double> arcsine;  ///< categorical: asin √share, one per category of the reference (at most kArcsine)
  std::int16_t hour = -1;       ///< hour of day of the window's start; -1 when unknown or the window is longer
  std::int16_t weekday = -1;    ///< 0 = Monday; -1 when unknown or the window is longer than a day
};
inline constexpr std::size_t kArcsine = 32;

/// The summary of one window against the whole reference. For a window that is itself part of the reference pass
/// `held_out` true: its counts are taken out of the reference's before the chi-square.
WindowSummary summarize(const Axis& axis, const Sample& reference, const Sample& window, bool held_out);

struct Between {
  double p_value;              ///< NaN when there are fewer than kFewestWindows
  std::vector<Component> components;
  double detectable;           ///< smallest location shift in sd seen with probability .8 at `level`; NaN if unknown
  bool seasonal = false;       ///< hour and/or weekday effects were taken out
};
inline constexpr std::size_t kFewestWindows = 5;

/// p-value of `current` among the healthy windows: does it differ more from them than they do from each other?
Between between(const Axis& axis, const Sample& reference, std::span<const WindowSummary> healthy,
                const WindowSummary& current, double level);

}  // namespace vigie::drift
