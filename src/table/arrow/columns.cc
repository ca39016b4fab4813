// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "table/arrow/reader_internal.h"

namespace vigie::table {

std::int64_t batch_rows(double widest) {
  return std::clamp(static_cast<std::int64_t>(static_cast<double>(kColumnBytes) / std::max(widest, 1.0)),
                    std::int64_t{16}, kBatchRows);
}

std::string foreign_note(const std::string& name) {
  return fmt::format("column {}: bytes that are not UTF-8 are shown as 0x…", quoted(name));
}

std::vector<Type> asked_types(Schema& columns, const ReadOptions& options, const std::optional<Schema>& types,
                              std::vector<std::string>& notes) {
  std::set<std::string> seen;
  std::vector<Type> out;
  for (const auto& column : columns) seen.insert(column.name);
  std::set<std::string> used;
  for (auto& column : columns) {
    if (!used.insert(column.name).second) {
      int n = 2;
      std::string name;
      do name = fmt::format("{} ({})", column.name, n++);
      while (seen.contains(name) || used.contains(name));
      notes.push_back(
          fmt::format("column {} occurs more than once; a later one is called {}", quoted(column.name), quoted(name)));
      used.insert(name);
      column.name = name;
    }
    Type asked = column.type;
    if (types) {
      asked = Type::kSkip;
      for (const auto& field : *types)
        if (field.name == column.name) asked = field.type;
    } else if (auto fixed = options.schema.find(column.name); fixed != options.schema.end()) {
      asked = fixed->second;
    }
    out.push_back(asked);
  }
  return out;
}

}  // namespace vigie::table
