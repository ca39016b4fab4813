// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "drift/drift.h"

/// What the methods share: two samples as counts on common points. For this room only.
namespace vigie::drift {

/// Two samples on the same points.
struct Cells {
  std::vector<std::int64_t> x, y;  ///< reference and current rows
  std::vector<double> at;          ///< where the points are, ascending; empty for categories
  std::int64_t n = 0, m = 0;       ///< sums of x and y
  bool exact = false;              ///< the points are the rows' own values, or categories
  /// Cells between order statistics of the reference: its counts are no accident, and without drift those of the
  /// current sample are Dirichlet–multinomial. Otherwise both are draws from the pooled rows.
  bool quantiles = false;
  bool placed = true;  ///< false: rows lie outside a reference that has no scale; `at` is off by an unknown length
  std::size_t size() const { return x.size(); }
  std::int64_t pooled(std::size_t j) const { return x[j] + y[j]; }
  std::vector<std::int64_t> pooled() const;
  double largest_share() const;  ///< of the pooled rows, in one cell
};

/// Values where both samples have them, else cells at their centers; outside rows at their mean distance from the
/// axis. Cells that are empty on both sides are left out, except on quantile cells. O(cells + values).
Cells numeric_cells(const Axis& axis, const Sample& reference, const Sample& current);
/// Categories that occur, in an order that does not depend on how they came: by pooled rows, then reference rows.
Cells category_cells(const Sample& reference, const Sample& current);
/// Either of them.
Cells cells_of(const Axis& axis, const Sample& reference, const Sample& current);

/// Without the cells that are empty on both sides.
Cells nonempty(Cells cells);
/// Neighbours joined to about `most` groups of equal pooled rows, each at its pooled mean; a point that is as heavy as
/// a group stands alone. A function of the pooled rows: a permutation test on the groups is as exact as on the rows.
Cells grouped(Cells cells, std::size_t most);

/// A Score with the status of these samples, and no numbers but those of kConstant (statistic 0, p 1).
Score blank_score(const Cells& cells);
/// Whether that is all there is to say: a side is empty, or all rows are the same.
inline bool is_done(const Score& score) {
  return score.status == Status::kEmpty || score.null != Null::kNone;
}

/// Argument `i` of a method, or its fallback where none was given.
double argument(const Args& args, std::span<const Param> params, std::size_t i);

}  // namespace vigie::drift
