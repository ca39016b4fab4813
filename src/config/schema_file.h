// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace vigie::config {

/// One line of a schema file: what a column is, instead of what would be inferred.
struct SchemaEntry {
  std::string column;
  std::string type;  ///< one of schema_types()
};

/// integer float boolean category text timestamp list
const std::vector<std::string>& schema_types();

/// Reads a schema file:
///     columns:
///       zip: category
///       seen_at: timestamp
/// An unknown key or type is Code::kUsage and names file, line and the nearest known one.
Result<std::vector<SchemaEntry>> load_schema_file(const std::string& path);

}  // namespace vigie::config
