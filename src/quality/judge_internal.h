// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quality/quality.h"

namespace vigie::quality {

/// k of m rows now, k_before of n_before rows of the reference.
struct Shares {
  std::int64_t k, m, k_before, n_before;
  double now() const { return m ? static_cast<double>(k) / static_cast<double>(m) : 0; }
  double before() const { return n_before ? static_cast<double>(k_before) / static_cast<double>(n_before) : 0; }
};

/// P(as many or more of the marked rows among the current ones) when rows of both sides are exchangeable: exact, so at
/// most nominal whatever the law.
double more_p(const Shares& s);

/// Healthy windows from which it is known how much they differ.
inline constexpr std::size_t kFewestWindows = 5;

/// Two-sided p of the current share against those of healthy windows, on the arcsine scale by Student's t with the
/// windows' own spread; 1 below five windows.
double between_p(double share, std::span<const double> shares);

/// A finding about a share that should not rise. Below `watch` above the reference it passes, from `major` on it fails.
/// `what`: "missing", as in "3.2 % missing, 0.5 % in the reference". `windows`: shares of healthy windows, may be
/// empty.
Finding judge_more(const Shares& s, std::string_view what, double watch, double major,
                   std::span<const double> windows = {});

/// Whether a failure cannot be a habit of that part of a day which a window cut off is: `marked` rows are more than
/// twice the `most` of a whole healthy window, or of all of the reference.
bool beyond_habit(const Finding& finding, std::int64_t marked, std::int64_t most);

/// A finding about rows that should not be there at all, k of m, where there is no reference.
Finding judge_none(std::int64_t k, std::int64_t m, std::string_view what);

/// Whether rows or categories are too few to decide: then `finding` is no_data with the reason.
bool too_few(Finding& finding, std::int64_t rows, std::int64_t reference_rows);

/// Whether the current rows are of less than half of the reference's time. Then they may be more alike, as the hours of
/// one day are.
bool shorter(const Subject& subject);

/// Rows of both sides by value: {reference, current}.
using Pooled = std::vector<std::pair<std::int64_t, std::int64_t>>;
/// Chance that so many values, or one of so many rows, are held by current rows alone, given how many rows of both
/// sides together hold each value: no law of the values is assumed. `current_alone` false: by reference rows alone.
double alone_p(const Pooled& pooled, bool current_alone);

/// The gap that is exceeded with probability `p` by the largest of `count` gaps, from the reference's own: the tail is
/// a power law fitted to its largest (Hill 1975; Weissman 1978): those of the topmost cluster where they fall apart, as
/// nights do from the minutes of office hours. Never below `factor` times the largest, nor above thirty times.
double gap_limit(const Times::Gaps& gaps, std::int64_t count, double p, double factor);

std::string listed(const std::vector<std::string>& names);  ///< the first five, quoted, and how many more

}  // namespace vigie::quality
