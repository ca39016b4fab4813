// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "quality/judge_internal.h"

namespace vigie::quality {

/// The most frequent value of a column: exact where its values are counted one by one, else from the sample.
struct Mode {
  std::int64_t count = 0, rows = 0;  ///< of rows with a value
  std::string name;                  ///< for people
  std::uint64_t word = 0;            ///< as in the sample
  double share() const { return rows ? static_cast<double>(count) / static_cast<double>(rows) : 0; }
};

Mode mode_of(const ColumnState& column);
/// How many rows hold the value of `mode`, which may be another column's, out of how many.
Mode count_of(const Mode& mode, const ColumnState& column);

}  // namespace vigie::quality
