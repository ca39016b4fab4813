// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/array.h>
#include <arrow/type.h>

#include <string>
#include <string_view>
#include <vector>

#include "table/arrow/held_internal.h"

namespace vigie::table {

/// One column that is delivered, found by a path of field numbers through the structs of an Arrow schema.
struct ArrayPlan {
  std::string name;
  Type native = Type::kString;
  Type asked = Type::kString;
  std::vector<int> path;
};

/// The columns of a schema in its order, and a note for each that cannot be delivered.
std::vector<ArrayPlan> plan_arrays(const arrow::Schema& schema, std::vector<std::string>& notes);

/// Rows [begin, begin + rows) of a top-level array, down the plan's path, into `held`. Checks what a damaged file may
/// have put into the array. Returns whether bytes that are not UTF-8 were met.
arrow::Result<bool> read_array(const arrow::Array& top, const ArrayPlan& plan, std::int64_t begin, std::int64_t rows,
                               Held& held);

}  // namespace vigie::table
