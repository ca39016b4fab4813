// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "table/json_rows.h"

// What is read again by all keys that were found has the same rows, and no key is new.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace vigie::table;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  JsonRows rows;
  const JsonShape nothing({});
  rows.read(body, nothing);
  const auto count = rows.rows();
  const auto rejected = rows.rejected().size();
  const JsonShape shape(rows.unknown());
  rows.read(body, shape);
  if (rows.rows() != count || rows.rejected().size() != rejected || !rows.unknown().empty()) std::abort();
  for (std::size_t i = 0; i < shape.schema().size(); ++i) {
    const auto column = rows.column(i);
    if (!column) std::abort();
  }
  for (std::size_t row = 0; row < static_cast<std::size_t>(count); ++row)
    if (rows.text_of(row).empty() || rows.record_of(row) >= static_cast<std::size_t>(count) + rejected) std::abort();
  return 0;
}
