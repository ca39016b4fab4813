// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include "table/table.h"

namespace vigie::table {

/// The text of a cell of a column of texts, as long as the column's; empty where it is missing, or the column has no
/// cells.
inline std::string_view text_at(const Column& column, std::size_t row) {
  if (column.codes.empty() || column.codes[row] < 0) return {};
  return column.dictionary[static_cast<std::size_t>(column.codes[row])];
}

}  // namespace vigie::table
