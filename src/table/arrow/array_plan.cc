// SPDX-License-Identifier: Apache-2.0
#include <arrow/extension_type.h>
#include <fmt/format.h>

#include "base/text.h"
#include "table/arrow/arrays_internal.h"

namespace vigie::table {
namespace {

using Id = arrow::Type;

// What a value of this type is delivered as; kSkip: nothing.
Type native_type(const arrow::DataType& type) {
  switch (type.id()) {
    case Id::BOOL:
      return Type::kBoolean;
    case Id::INT8:
    case Id::INT16:
    case Id::INT32:
    case Id::INT64:
    case Id::UINT8:
    case Id::UINT16:
    case Id::UINT32:
    case Id::UINT64:
    case Id::TIME32:
    case Id::TIME64:
    case Id::DURATION:
      return Type::kInteger;
    case Id::NA:
    case Id::HALF_FLOAT:
    case Id::FLOAT:
    case Id::DOUBLE:
      return Type::kFloat;
    case Id::DECIMAL32:
    case Id::DECIMAL64:
    case Id::DECIMAL128:
    case Id::DECIMAL256:
      return static_cast<const arrow::DecimalType&>(type).scale() <= 0 ? Type::kInteger : Type::kFloat;
    case Id::DATE32:
    case Id::DATE64:
    case Id::TIMESTAMP:
      return Type::kTimestamp;
    case Id::STRING:
    case Id::LARGE_STRING:
    case Id::STRING_VIEW:
    case Id::BINARY:
    case Id::LARGE_BINARY:
    case Id::BINARY_VIEW:
    case Id::FIXED_SIZE_BINARY:
      return Type::kString;
    case Id::DICTIONARY:
      return native_type(*static_cast<const arrow::DictionaryType&>(type).value_type());
    case Id::EXTENSION:
      return native_type(*static_cast<const arrow::ExtensionType&>(type).storage_type());
    case Id::LIST:
    case Id::LARGE_LIST:
    case Id::LIST_VIEW:
    case Id::LARGE_LIST_VIEW:
    case Id::FIXED_SIZE_LIST: {
      auto element = native_type(*type.field(0)->type());
      return element == Type::kString || element == Type::kList ? Type::kSkip
             : element == Type::kSkip                           ? element
                                                                : Type::kList;
    }
    default:
      return Type::kSkip;
  }
}

std::string describe(const arrow::DataType& type) {
  switch (type.id()) {
    case Id::LIST:
    case Id::LARGE_LIST:
    case Id::LIST_VIEW:
    case Id::LARGE_LIST_VIEW:
    case Id::FIXED_SIZE_LIST: {
      const auto& element = *type.field(0)->type();
      if (element.id() == Id::STRUCT) return "list of structs";
      auto native = native_type(element);
      return native == Type::kString ? "list of strings"
             : native == Type::kList ? "list of lists"
                                     : "list of " + describe(element);
    }
    case Id::STRUCT:
      return "struct without fields";
    case Id::INTERVAL_MONTHS:
    case Id::INTERVAL_DAY_TIME:
    case Id::INTERVAL_MONTH_DAY_NANO:
      return "interval";
    default:
      return type.name();
  }
}

void plan_field(const arrow::Field& field, const std::string& name, std::vector<int> path,
                std::vector<ArrayPlan>& plans, std::vector<std::string>& notes) {
  const auto& type = *field.type();
  if (type.id() == Id::STRUCT && type.num_fields() > 0) {
    for (int i = 0; i < type.num_fields(); ++i) {
      auto below = path;
      below.push_back(i);
      plan_field(*type.field(i), name + "." + type.field(i)->name(), std::move(below), plans, notes);
    }
    return;
  }
  auto native = native_type(type);
  if (native == Type::kSkip)
    notes.push_back(fmt::format("column {} ({}) is not compared", quoted(name), describe(type)));
  else
    plans.push_back({name, native, native, std::move(path)});
}

}  // namespace

std::vector<ArrayPlan> plan_arrays(const arrow::Schema& schema, std::vector<std::string>& notes) {
  std::vector<ArrayPlan> plans;
  for (int i = 0; i < schema.num_fields(); ++i)
    plan_field(*schema.field(i), schema.field(i)->name(), {i}, plans, notes);
  return plans;
}

}  // namespace vigie::table
