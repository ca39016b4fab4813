// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/profile.h"

namespace vigie::engine {

/// How the counts of one column of two profiles come to lie on one axis, that of the merged column.
struct Joint {
  /// Traces of both sides' windows mean the same on this axis: the same bins, or all categories known by name.
  bool same = false;
  double displaced = 0;  ///< rows that may lie in another cell than theirs
  std::string remark;    ///< what was pooled, for people; empty when nothing was
  /// The cells of counts of a side on the merged axis; no row is lost or doubled.
  std::function<std::vector<std::int64_t>(const Counts& counts, const ColumnProfile& side)> place;
};

/// Numeric kinds: gives `merged` bins. Rows of a bin that the other side's cuts divide are shared out evenly.
Joint join_bins(const ColumnProfile& x, const ColumnProfile& y, ColumnProfile& merged);

/// Categorical kinds: gives `merged` every name that stays told apart, counts left open, be they more than a profile
/// keeps: settle_categories() sees to that once the parts are there.
Joint join_categories(const ColumnProfile& x, const ColumnProfile& y, ColumnProfile& merged);

/// Names of the segments by segmentation, as Profile::segments.
using Segments = std::vector<std::vector<std::string>>;

/// Leaves half of the rows uncounted, cell by cell as evenly as whole rows allow: the shares stay, and no segment is
/// favoured. For a side that is whole where the other is `halved`.
void halve(ColumnProfile& column, const Segments& segments);

/// Brings the categories of a merged column and the cells of its parts into the order of a profile. Where the names are
/// more than a profile keeps, a random half of the counted rows chooses, the other half is counted, in each segment its
/// share of it, and true comes back.
bool settle_categories(ColumnProfile& merged, const Segments& segments);

}  // namespace vigie::engine
