// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drift/cells_internal.h"
#include "drift/null_internal.h"

/// Tests of a 2×k table. For this room only.
namespace vigie::drift {

/// Pearson's X² = Σ (O − E)²/E over both rows.
double pearson(std::span<const std::int64_t> x, std::span<const std::int64_t> y);
/// Its p-value: χ² with k − 1 degrees, or, where a category expects fewer than `enough` rows in the smaller sample, by
/// simulation on fixed margins, which is exact but goes no further than Args::level asks. `observed` is
/// statistic(x, y), and its law χ² in the limit.
void set_table_p(Score& score, const Cells& cells, const Args& args, double observed, double enough,
                 const Statistic& statistic);
/// Enough for Pearson's X².
inline constexpr double kPearsonExpects = 5;

/// One category against all others.
struct TwoByTwo {
  std::int64_t reference, reference_rest, current, current_rest;
};
/// The category with most rows in both samples together, against the rest: of a boolean, either way the same test. Of
/// equally frequent ones that which differs least, so that the choice brings no false alarms.
TwoByTwo most_frequent(const Cells& cells);
inline constexpr std::string_view kOnlyLargest = "the most frequent category against all others";

}  // namespace vigie::drift
