// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <string>

#include "base/result.h"

namespace vigie::config {

inline int line_of(const YAML::Node& node) {
  return std::max(node.Mark().line, 0) + 1;
}
/// The text of a scalar, empty for what is none.
inline std::string text_of(const YAML::Node& node) {
  return node.IsScalar() ? node.Scalar() : std::string();
}

/// YAML maps may say a key twice, and then nobody knows which is meant. Code::kUsage names both lines.
inline Status check_once(const YAML::Node& map, const std::string& path) {
  std::map<std::string, int> lines;
  for (const auto& item : map) {
    const auto [known, added] = lines.try_emplace(text_of(item.first), line_of(item.first));
    if (!added)
      return fail(Code::kUsage, fmt::format("{}:{}: \"{}\" stands in line {} already", path, line_of(item.first),
                                            known->first, known->second));
  }
  return {};
}

}  // namespace vigie::config
