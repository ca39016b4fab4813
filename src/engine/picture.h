// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "engine/comparison.h"
#include "engine/profile.h"
#include "engine/tally.h"

namespace vigie::engine {

/// 10th, 50th and 90th percentile of counts on a numeric column's bins, interpolated inside a bin; NaN when empty.
ColumnPoint quantiles(const ColumnProfile& column, std::span<const std::int64_t> counts);

/// What the report draws of every column.
std::vector<Picture> draw(const Profile& reference, const Tally& current);

}  // namespace vigie::engine
