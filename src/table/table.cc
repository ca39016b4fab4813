// SPDX-License-Identifier: Apache-2.0
#include "table/table.h"

namespace vigie::table {

std::string_view to_string(Type type) {
  switch (type) {
    case Type::kSkip:
      return "skip";
    case Type::kBoolean:
      return "boolean";
    case Type::kInteger:
      return "integer";
    case Type::kFloat:
      return "float";
    case Type::kTimestamp:
      return "timestamp";
    case Type::kString:
      return "string";
    case Type::kList:
      return "list";
  }
  return "unknown";
}

}  // namespace vigie::table
