// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "table/format_internal.h"

namespace vigie::table {

/// What the first lines of a CSV file say about its form.
struct CsvHead {
  bool complete = false;  ///< the first record that is not blank ends within the text
  char delimiter = ',';   ///< the most frequent of , ; tab | outside quotes; a line `sep=X` before it wins
  std::size_t blank = 0;  ///< records before the header: blank ones and `sep=X`
};
CsvHead sniff_csv(std::string_view text, bool last);

/// Names of the columns: blanks around them cut, an empty one becomes column_N (with a note). Two of one name are an
/// error that says where both stand.
Result<std::vector<std::string>> csv_names(std::vector<std::string> fields, const std::string& place,
                                           std::vector<std::string>& notes);

}  // namespace vigie::table
