// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "drift/drift.h"
#include "engine/comparison.h"

namespace vigie::engine {

/// What of a column is counted and compared besides its values: an entry of its own in the results, a member of its own
/// in the family, by a method of the registry that has its view.
enum class Aspect : std::uint8_t { kHourOfDay, kDayOfWeek, kWords, kUnseenWords, kCentroidDistance };

struct AspectInfo {
  Aspect aspect;
  const drift::Method* method;  ///< its name and summary, and how it is compared
  ColumnType of;                ///< columns that have it
  bool categorical;             ///< else numeric
  bool halved;  ///< one half of the reference's rows says what the other half and current rows are held against
  std::string_view noun;  ///< of what is counted, for people
};
std::span<const AspectInfo> aspects();  ///< in the order of the enumeration
const AspectInfo& info(Aspect aspect);
/// The aspect that a method looks at, or nullptr: it looks at values.
const AspectInfo* aspect_of(const drift::Method& method);
/// Whether rows of such a column are vectors: of texts of their words, of embeddings of their numbers.
inline bool has_vectors(ColumnType type) {
  return type == ColumnType::kText || type == ColumnType::kEmbedding;
}
/// Whether the method sees whole rows of such a column, where they were kept.
inline bool sees_vectors(const drift::Method& method, ColumnType type) {
  return (method.accepts & drift::kVectors) &&
         (type == ColumnType::kEmbedding || (type == ColumnType::kText && method.view == drift::View::kRow));
}
/// The kinds of columns that a method takes, for people: "numeric", "text", …
std::vector<std::string_view> columns_of(const drift::Method& method);

}  // namespace vigie::engine
