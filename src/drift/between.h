// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "drift/drift.h"

namespace vigie::drift {

/// Healthy windows of a real service differ by more than sampling noise. This compares a window with them by a few
/// summary numbers each: does it differ more from the healthy windows than they do from each other? The verdict takes
/// the larger of this p-value and that of the method. Use it only for windows that cover like spans; strongly
/// autocorrelated (.7) or heavy-tailed healthy windows run at two to five times the nominal rate while they are few.

/// The few numbers a window leaves behind. NaN where not computable: all of them below kFewestRows, skew and
/// kurtosis also when the rows sit in one cell.
struct WindowSummary {
  double rows = 0;
  /// Numeric: mean, log standard deviation, skew and log kurtosis of the reference's normal scores; Pearson's
  /// chi-square against the reference on 16 groups of its cells.
  double location = std::numeric_limits<double>::quiet_NaN(), log_scale = location, skew = location,
         log_kurtosis = location, chi2 = location;
  /// Categorical: asin √((count + ⅜)/(rows + ¾)) (Anscombe 1948) of the reference's kArcsine most frequent categories,
  /// by falling count, then cell. So the reference's categories must stand in the same relative order in every axis.
  /// A stored window may keep only the first of them: the others are then judged as one.
  std::vector<double> arcsine = {};
  std::int16_t hour = -1;     ///< hour of day of the window's start; -1 when unknown or the window is longer
  std::int16_t weekday = -1;  ///< 0 = Monday; -1 when unknown or the window is longer than a day
};
inline constexpr std::size_t kArcsine = 32;
inline constexpr std::size_t kFewestWindows = 5;
inline constexpr std::size_t kWindowGroups = 16;  ///< cells of WindowSummary::chi2

/// Makes summaries against one reference. Copies what it needs. Construction O(cells), about 10 µs.
class Summarizer {
 public:
  Summarizer(const Axis& axis, const Sample& reference);
  /// The summary of one window; `hour` and `weekday` are left to the caller. For a window that is part of the reference
  /// pass `held_out` true: its counts are taken out of the reference's before the chi-square. Cells that the axis has
  /// beyond the reference's count as new categories. O(cells), about 1 µs for 130 numeric cells.
  WindowSummary operator()(const Sample& window, bool held_out) const;

 private:
  friend class HealthyWindows;
  Kind kind_;
  double rows_ = 0;
  std::vector<double> scores_, shares_;  ///< numeric: normal score and share of each cell
  std::vector<std::uint8_t> group_;      ///< numeric: chi-square group of each cell
  std::vector<double> group_rows_;       ///< numeric: reference rows by group
  std::vector<std::size_t> category_;    ///< categorical: cells of WindowSummary::arcsine
  std::vector<double> category_share_;   ///< categorical: their reference shares
};

/// The summary of several windows together. Not known of theirs: chi2, which is NaN. Hour and weekday are left to the
/// caller. Of no window: 0 rows.
WindowSummary merge(std::span<const WindowSummary> windows);

/// What HealthyWindows says of a window.
struct Between {
  double p_value;  ///< NaN with fewer than kFewestWindows healthy windows or kFewestRows rows
  /// Numeric: location, scale, skew, kurtosis, chi2, each before its weight (.45, .25, .05, .10, .15); categorical:
  /// one, shares. Empty where p_value is NaN. A number that does not exist counts as 1.
  std::vector<Component> components;
  /// Smallest change seen with probability .8 at `level`: numeric a location shift in sd, categorical the share of rows
  /// that join or leave the most frequent category. NaN if unknown.
  double detectable;
  bool seasonal = false;  ///< hour and/or weekday effects were taken out
  /// How far the window lies outside all healthy ones, in units of the range that they span: numeric of the location,
  /// categorical of the frequent category of which it is most. 0: inside, or they do not differ.
  double outside = 0;
};

/// The healthy windows of one column, prepared. Prediction bounds by Student's t, corrected for lag-1 correlation and
/// for windows of unequal rows (alarms recipe, section 8). Where nearly all rows of a numeric column share one value,
/// location and skew are compared in terms of the square root of the others' share. Where the windows know their hour
/// and weekday and each pair of them occurs twice on average (two weeks), additive effects of both are fitted by least
/// squares and taken out, unless the tested window's hour or weekday never occurred. Immutable; safe to share between
/// threads.
class HealthyWindows {
 public:
  /// `windows` in time order; those with too few rows are left out. Make it once for many tests: O(windows), for
  /// categorical ones × categories; of 1,000 windows 0.2 ms, with 32 categories 6 ms.
  HealthyWindows(const Axis& axis, const Sample& reference, std::span<const WindowSummary> windows);
  HealthyWindows(HealthyWindows&&) noexcept;
  HealthyWindows& operator=(HealthyWindows&&) noexcept;
  ~HealthyWindows();

  std::size_t size() const;  ///< windows that count

  /// The p-value of `current`, summarised with held_out false, among the healthy windows; `level` is only that of
  /// `detectable`. O(categories), about 2 µs for numeric columns.
  Between test(const WindowSummary& current, double level) const;

 private:
  struct State;
  std::unique_ptr<const State> state_;
};

}  // namespace vigie::drift
