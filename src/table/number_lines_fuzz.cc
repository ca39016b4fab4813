// SPDX-License-Identifier: Apache-2.0
// Any bytes: the numbers and the rejected lines are those of a plain split at newlines.
#include <cmath>

#include "table/cell_internal.h"
#include "table/fuzz_internal.h"
#include "table/number_lines.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  using namespace vigie::table;
  const test::MemoryFile file(bytes, size);
  auto lines = NumberLines::open(file.path(), {});
  std::vector<double> got;
  while (lines && !(*lines)->ended()) {
    auto some = (*lines)->next();
    if (!some) return 0;
    got.insert(got.end(), some->begin(), some->end());
  }
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  if (!lines || text.starts_with("\x1f\x8b") || text.starts_with("\x28\xb5\x2f\xfd")) return 0;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  std::size_t at = 0;
  std::int64_t rejected = 0;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = trimmed(line);
    double value = std::nan("");
    bool integer;
    if (line.empty() || (!parse_number(line, '.', value, integer) && !is_missing(line))) {
      ++rejected;
      continue;
    }
    const bool same = at < got.size() && (got[at] == value || (std::isnan(got[at]) && std::isnan(value)));
    if (!same) std::abort();
    ++at;
  }
  if (at != got.size() || rejected != (*lines)->problems().rejected) std::abort();
  return 0;
}
