// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/comparison.h"

namespace vigie::engine {

/// What of a column is counted and compared besides its values: an entry of its own in the results, a member of its own
/// in the family, by the default method on categories or numbers.
enum class Aspect : std::uint8_t { kHourOfDay, kDayOfWeek, kWords, kUnseenWords, kCentroidDistance };

struct AspectInfo {
  Aspect aspect;
  ColumnType of;     ///< columns that have it
  bool categorical;  ///< else numeric
  bool halved;       ///< one half of the reference's rows says what the other half and current rows are held against
  std::string_view name;  ///< "hour_of_day": what stands in a result where other entries have a method
  std::string_view noun;  ///< of what is counted, for people
  std::string_view summary;
};
std::span<const AspectInfo> aspects();      ///< in the order of the enumeration
std::string_view to_string(Aspect aspect);  ///< its name
std::string_view noun(Aspect aspect);       ///< "unseen words"

}  // namespace vigie::engine
