// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "quality/table_state.h"

namespace vigie::server {

/// What was counted in indexes of the values of a column, as checks of data quality need it: values that stand for
/// others, so many times each, which lie as theirs do to all that is asked of them, and the ends themselves.
struct CountedValues {
  std::vector<std::pair<double, std::int64_t>> numbers{};
  std::vector<std::pair<std::string, std::int64_t>> texts{};
  std::int64_t mismatches = 0;  ///< of those that are missing
};

/// Numbers below and above the reference's ends, and beyond its fences of outliers.
struct CountedBeyond {
  std::int64_t below = 0, above = 0, far_below = 0, far_above = 0;
};
/// So many finite numbers from `low` to `high`.
CountedValues counted_numbers(std::int64_t rows, double low, double high, const CountedBeyond& beyond,
                              const quality::Fences& fences);
/// Categories by name, of a column of numbers or texts; `others`: of which nobody knows the names.
CountedValues counted_categories(const std::vector<std::pair<std::string, std::int64_t>>& categories,
                                 std::int64_t others, quality::Kind kind);

/// Adds so many rows to a state of Depth::kCounts, one list a column; rows of which a column lists no value are missing
/// there. The state is that of the rows themselves, as far as checks of counts go. Cost: 1 to 3 ns a value.
void add_counted(quality::TableState& state, std::int64_t rows, const std::vector<CountedValues>& columns);

}  // namespace vigie::server
