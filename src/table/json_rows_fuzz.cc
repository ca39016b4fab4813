// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "table/json_rows.h"

// What is read again by all keys that were found has the same rows, and no key is new; by some of them, the same in
// those.
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
  // What was accepted, and is read again by some of its keys, has the same in them.
  std::vector<JsonShape::Key> some;
  for (std::size_t i = 0; i < shape.keys().size(); i += 2) some.push_back(shape.keys()[i]);
  std::string lines;
  for (std::size_t row = 0; row < static_cast<std::size_t>(count); ++row) {
    std::string line(rows.text_of(row));
    std::replace(line.begin(), line.end(), '\n', ' ');
    lines += line + '\n';
  }
  const JsonShape checked(some, OtherKeys::kChecked), skipped(some, OtherKeys::kSkipped);
  JsonRows first, second;
  first.read(lines, checked);
  second.read(lines, skipped);
  if (first.rows() != count || second.rows() != count) std::abort();
  const auto same = [](const auto& a, const auto& b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); };
  for (std::size_t i = 0; i < some.size(); ++i) {
    const auto a = *first.column(i), b = *second.column(i);
    const bool numbers =
        a.numbers.size() == b.numbers.size() &&
        (a.numbers.empty() || std::memcmp(a.numbers.data(), b.numbers.data(), a.numbers.size_bytes()) == 0);
    if (!numbers || !same(a.codes, b.codes) || !same(a.dictionary, b.dictionary) || !same(a.missing, b.missing))
      std::abort();
  }
  for (std::size_t row = 0; row < static_cast<std::size_t>(count); ++row)
    if (rows.text_of(row).empty() || rows.record_of(row) >= static_cast<std::size_t>(count) + rejected) std::abort();
  return 0;
}
