// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "quality/judge_internal.h"

namespace vigie::quality {

/// Which texts one side holds that the other lacks.
struct Alone {
  Pooled pooled;
  std::vector<std::string> names;  ///< by falling count
  std::int64_t rows = 0;           ///< that hold them
};

/// `current` true: categories that only the current rows hold; false: only the reference's, those of `usual` apart.
/// Nothing, and the reason in `finding`, where rows are too few or a side has more categories than are counted one by
/// one.
std::optional<Alone> categories_alone(const ColumnState& column, const ColumnState& before, bool current,
                                      Finding& finding, std::span<const std::string> usual = {});

}  // namespace vigie::quality
