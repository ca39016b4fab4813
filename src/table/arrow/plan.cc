// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/text.h"
#include "table/arrow/parquet_internal.h"

namespace vigie::table {
namespace {

using parquet::LogicalType;
using parquet::schema::GroupNode;
using parquet::schema::Node;
using parquet::schema::PrimitiveNode;

int leaves(const Node& node) {
  if (node.is_primitive()) return 1;
  int n = 0;
  const auto& group = static_cast<const GroupNode&>(node);
  for (int i = 0; i < group.field_count(); ++i) n += leaves(*group.field(i));
  return n;
}

void instant(Plan& plan, LogicalType::TimeUnit::unit unit) {
  plan.native = Type::kTimestamp;
  if (unit == LogicalType::TimeUnit::MILLIS) plan.multiply = 1e3;
  if (unit == LogicalType::TimeUnit::NANOS) plan.nanos = true;
}

// Fills in form, native type and scale. Returns what the column holds when it cannot be delivered.
std::string_view read_as(const PrimitiveNode& node, Plan& plan) {
  const auto& logical = *node.logical_type();
  auto physical = node.physical_type();
  plan.width = node.type_length();
  plan.native = Type::kInteger;
  if (logical.is_null()) {
    plan.form = Form::kNull;
    plan.native = Type::kFloat;
    return {};
  }
  if (logical.is_geometry() || logical.is_geography()) return "geometry";
  if (logical.is_interval()) return "interval";
  if (logical.is_decimal()) {
    auto scale = static_cast<const parquet::DecimalLogicalType&>(logical).scale();
    plan.scale = scale;
    plan.native = scale == 0 ? Type::kInteger : Type::kFloat;
  }
  switch (physical) {
    case parquet::Type::BOOLEAN:
      plan.form = Form::kBool;
      plan.native = Type::kBoolean;
      break;
    case parquet::Type::INT32:
    case parquet::Type::INT64: {
      bool wide = physical == parquet::Type::INT64;
      plan.form = wide ? Form::kInt64 : Form::kInt32;
      if (logical.is_int() && !static_cast<const parquet::IntLogicalType&>(logical).is_signed())
        plan.form = wide ? Form::kUint64 : Form::kUint32;
      if (logical.is_date()) plan.native = Type::kTimestamp, plan.multiply = 86400e6;
      if (logical.is_timestamp()) instant(plan, static_cast<const parquet::TimestampLogicalType&>(logical).time_unit());
      break;
    }
    case parquet::Type::INT96:
      plan.form = Form::kInt96;
      plan.native = Type::kTimestamp;
      break;
    case parquet::Type::FLOAT:
      plan.form = Form::kFloat;
      plan.native = Type::kFloat;
      break;
    case parquet::Type::DOUBLE:
      plan.form = Form::kDouble;
      plan.native = Type::kFloat;
      break;
    case parquet::Type::BYTE_ARRAY:
    case parquet::Type::FIXED_LEN_BYTE_ARRAY:
      if (logical.is_decimal()) {
        plan.form = Form::kDecimal;
      } else if (logical.is_float16() && plan.width == 2) {
        plan.form = Form::kHalf;
        plan.native = Type::kFloat;
      } else {
        plan.form = logical.is_UUID() && plan.width == 16 ? Form::kUuid : Form::kWord;
        plan.native = Type::kString;
      }
      break;
    default:
      return "unknown type";
  }
  return {};
}

struct Walk {
  std::vector<Plan>& plans;
  std::vector<std::string>& notes;
  int leaf = 0;

  void refuse(const Node& node, std::string_view name, std::string_view what) {
    notes.push_back(fmt::format("column {} ({}) is not compared", quoted(name), what));
    leaf += leaves(node);
  }

  // `level`: definition level of the parent when it is there.
  void visit(const Node& node, const std::string& name, int level) {
    level += node.is_required() ? 0 : 1;
    if (node.is_primitive()) return primitive(node, name, level, node.is_repeated() ? level : -1);
    const auto& group = static_cast<const GroupNode&>(node);
    const auto& logical = *node.logical_type();
    if (logical.is_map() || node.converted_type() == parquet::ConvertedType::MAP_KEY_VALUE)
      return refuse(node, name, "map");
    if (logical.is_variant()) return refuse(node, name, "variant");
    if (node.is_repeated()) return refuse(node, name, "list of structs");
    if (logical.is_list() && group.field_count() == 1 && group.field(0)->is_repeated())
      return list(*group.field(0), name, level);
    if (group.field_count() == 0) return refuse(node, name, "struct without fields");
    for (int i = 0; i < group.field_count(); ++i) visit(*group.field(i), name + "." + group.field(i)->name(), level);
  }

  void list(const Node& repeated, const std::string& name, int level) {
    const Node* element = &repeated;
    int present = ++level;
    if (repeated.is_group()) {
      const auto& group = static_cast<const GroupNode&>(repeated);
      if (group.field_count() != 1) return refuse(repeated, name, "list of structs");
      element = group.field(0).get();
      if (element->is_group())
        return refuse(repeated, name, element->logical_type()->is_list() ? "list of lists" : "list of structs");
      if (element->is_repeated()) return refuse(repeated, name, "list of lists");
      present += element->is_optional() ? 1 : 0;
    }
    primitive(*element, name, present, level);
  }

  void primitive(const Node& node, const std::string& name, int present, int list_level) {
    Plan plan;
    plan.name = name;
    plan.leaf = leaf;
    plan.present_level = present;
    plan.list_level = list_level;
    auto refused = read_as(static_cast<const PrimitiveNode&>(node), plan);
    if (!refused.empty()) return refuse(node, name, refused);
    if (list_level >= 0) {
      if (plan.native == Type::kString) return refuse(node, name, "list of strings");
      plan.native = Type::kList;
    }
    plans.push_back(std::move(plan));
    ++leaf;
  }
};

}  // namespace

std::vector<Plan> plan_columns(const parquet::SchemaDescriptor& schema, std::vector<std::string>& notes) {
  std::vector<Plan> plans;
  Walk walk{plans, notes};
  const auto& root = *schema.group_node();
  for (int i = 0; i < root.field_count(); ++i) walk.visit(*root.field(i), root.field(i)->name(), 0);
  return plans;
}

}  // namespace vigie::table
