// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/rng.h"
#include "drift/cells_internal.h"

/// Null laws that have to be simulated. For this room only.
namespace vigie::drift {

/// Rows outside the heaviest cell that the smaller sample must expect for an asymptotic law to hold (alarms recipe
/// section 2, measured there).
inline constexpr double kSparse = 50;
/// Of a column with an atom; without one ranks are as regular as they get. There, and for means of skewed rows, p is
/// simulated although a published law has the statistic's name, because that law fails there: of undrifted pairs of
/// 1,000 and 30 rows at a level of 0.0025 Welch's calls 43 % (97 % zeros) and 10 % (lognormal), Mann–Whitney's 1 % (97
/// % zeros) and 0.8 % (5 % ones); simulated they are at or below it.
bool is_sparse(const Cells& cells);

/// Above this an asymptotic p is never replaced by a simulated one: nothing is decided there.
inline constexpr double kUndecided = .25;

/// Fills in the chance, without drift, that each sample has one value, and not the same one: exact.
void set_apart(Score& score, const Cells& cells);

/// A statistic of two rows of counts on the cells, large where they differ.
using Statistic = std::function<double(std::span<const std::int64_t> x, std::span<const std::int64_t> y)>;

/// Draws both samples anew, as they could have come without drift; may resize what it is given.
using Redraw = std::function<void(Rng&, std::vector<std::int64_t>& x, std::vector<std::int64_t>& y)>;

/// The chance of a statistic at or above `observed` among those that `draw` gives. Stops at the 20th exceedance (Besag
/// & Clifford 1991), so that an undrifted column costs some 100 draws; p = (k+1)/(B+1) after B = 20/level draws (times
/// Args::effort, at least 2/level) for a drifted one, at most 10⁶ and, down to 999, no more than are `afforded`.
double besag_clifford(double observed, const Args& args, double afforded, const std::function<double()>& draw);

/// The chance, without drift, of a statistic at or above `observed`, which must be that of these cells themselves.
/// Without `redraw` the smaller sample is drawn from the pooled rows; on quantile cells the current one is drawn into
/// the gaps of the reference. As besag_clifford() with at most 4·10⁸ counts in all. Seeded by Args::seed and the
/// counts: the same input gives the same p.
double simulated_p(const Cells& cells, const Args& args, double observed, const Statistic& statistic,
                   const Redraw& redraw = {});

/// Fills in a simulated p.
void simulate(Score& score, const Cells& cells, const Args& args, const Statistic& statistic,
              const Redraw& redraw = {});

}  // namespace vigie::drift
