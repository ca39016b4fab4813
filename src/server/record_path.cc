// SPDX-License-Identifier: Apache-2.0
#include "server/record_path.h"

#include <algorithm>

namespace vigie::server {

std::vector<std::string> record_path(const engine::Profile& reference, std::string_view column) {
  if (column == reference.timestamp) return {"timestamp"};
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

}  // namespace vigie::server
