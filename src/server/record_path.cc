// SPDX-License-Identifier: Apache-2.0
#include "server/record_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "server/box_columns.h"

namespace vigie::server {

std::vector<std::string> record_path(const engine::Profile& reference, std::string_view column) {
  if (column == reference.timestamp) return {"timestamp"};
  if (made_of_boxes(column) && has_boxes(reference)) return {std::string(column)};
  const auto in = [&](std::string_view group) {
    const auto at = column.starts_with(group) && column.substr(group.size()).starts_with('.') ? group.size() + 1 : 0;
    return std::vector<std::string>{std::string(group), std::string(column.substr(at))};
  };
  const auto of = std::ranges::find(reference.columns, column, &engine::ColumnProfile::name);
  if (of == reference.columns.end()) return in("tags");
  switch (of->role) {
    case engine::Role::kPrediction:
      return {"prediction"};
    case engine::Role::kScore:
      if (!column.starts_with("scores.") &&
          std::ranges::count(reference.columns, engine::Role::kScore, &engine::ColumnProfile::role) == 1)
        return {"score"};
      return in("scores");
    default:
      return in("features");
  }
}

table::JsonShape::Key record_key(const engine::Profile& reference, const table::Field& column) {
  table::JsonShape::Key key{column, record_path(reference, column.name)};
  const bool beside = key.path[0] == "features" ? column.name == "text" || column.name == "embedding"
                                                : key.path[0] == "tags" && column.name == "version";
  if (!beside) return key;
  // Where both are columns, the one among the features has another name.
  const auto own = fmt::format("{}.{}", key.path[0], column.name);
  const bool both = std::ranges::find(reference.columns, own, &engine::ColumnProfile::name) != reference.columns.end();
  if (key.path[0] == "tags" || both)
    key.also.push_back(std::exchange(key.path, {column.name}));
  else
    key.also.push_back({column.name});
  return key;
}

}  // namespace vigie::server
