// SPDX-License-Identifier: Apache-2.0
#include "config/schema_file.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "base/file.h"
#include "base/text.h"

namespace vigie::config {
namespace {

std::string place(const std::string& path, const YAML::Node& node) {
  return fmt::format("{}:{}", path, node.Mark().line + 1);
}

}  // namespace

const std::vector<std::string>& schema_types() {
  static const std::vector<std::string> types = {"integer", "float",     "boolean", "category",
                                                 "text",    "timestamp", "list"};
  return types;
}

Result<std::vector<SchemaEntry>> load_schema_file(const std::string& path) {
  VIGIE_ASSIGN(auto text, read_file(path, 1 << 24));
  std::vector<SchemaEntry> entries;
  try {
    auto root = YAML::Load(text);
    if (!root.IsMap()) return fail(Code::kUsage, fmt::format("{}: expected a map with the key \"columns\"", path));
    for (const auto& item : root) {
      auto key = item.first.as<std::string>();
      const std::vector<std::string> known = {"columns"};
      if (key != "columns")
        return fail(Code::kUsage, fmt::format("{}: {}", place(path, item.first), unknown_name("key", key, known)));
      if (!item.second.IsMap())
        return fail(Code::kUsage,
                    fmt::format("{}: columns: expected lines of the form NAME: TYPE", place(path, item.second)));
      for (const auto& column : item.second) {
        auto type = column.second.as<std::string>();
        const auto& types = schema_types();
        if (std::find(types.begin(), types.end(), type) == types.end())
          return fail(Code::kUsage, fmt::format("{}: {} ({})", place(path, column.second),
                                                unknown_name("type", type, types), fmt::join(types, ", ")));
        entries.push_back({column.first.as<std::string>(), type});
      }
    }
  } catch (const YAML::BadConversion& e) {
    return fail(Code::kUsage,
                fmt::format("{}:{}: expected NAME: TYPE ({})", path, e.mark.line + 1, fmt::join(schema_types(), ", ")));
  } catch (const YAML::Exception& e) {
    return fail(Code::kUsage, fmt::format("{}:{}: {}", path, e.mark.line + 1, e.msg));
  }
  return entries;
}

}  // namespace vigie::config
