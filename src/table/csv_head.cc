// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/text.h"
#include "table/cell_internal.h"
#include "table/csv_head_internal.h"

namespace vigie::table {
namespace {

constexpr std::string_view kDelimiters = ",;\t|";

}  // namespace

CsvHead sniff_csv(std::string_view text, bool last) {
  CsvHead head;
  bool given = false;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t counts[kDelimiters.size()] = {};
    bool quoted = false, start = true;
    auto i = at;
    for (; i < text.size() && (quoted || text[i] != '\n'); ++i) {
      if (text[i] == '"') {
        if (quoted || start) quoted = !quoted;
        // A doubled quote closes and opens again.
        start = !quoted && i + 1 < text.size() && text[i + 1] == '"';
        continue;
      }
      auto which = kDelimiters.find(text[i]);
      start = !quoted && which != std::string_view::npos;
      if (start) ++counts[which];
    }
    if (i == text.size() && !last) return head;
    auto line = text.substr(at, i - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() == 5 && line.starts_with("sep=") && line[4] != 0 && line[4] != '"' && !given) {
      given = true;
      head.delimiter = line[4];
    } else if (!trimmed(line).empty()) {
      head.complete = true;
      auto most = std::max_element(std::begin(counts), std::end(counts)) - std::begin(counts);
      if (!given && counts[most]) head.delimiter = kDelimiters[static_cast<std::size_t>(most)];
      return head;
    }
    ++head.blank;
    at = i + 1;
  }
  return head;
}

Result<std::vector<std::string>> csv_names(std::vector<std::string> fields, const std::string& place,
                                           std::vector<std::string>& notes) {
  std::unordered_map<std::string, std::size_t> seen;
  std::size_t unnamed = 0, numbers = 0, first = 0;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    fields[i] = trimmed(fields[i]);
    if (fields[i].empty()) {
      if (++unnamed == 1) first = i;
      fields[i] = fmt::format("column_{}", i + 1);
    }
    double value;
    bool integer;
    numbers += parse_number(fields[i], '.', value, integer);
    auto [it, fresh] = seen.emplace(fields[i], i);
    if (!fresh)
      return fail(Code::kInput, fmt::format("{}: fields {} and {} of the header are both named {}; rename one", place,
                                            it->second + 1, i + 1, quoted(fields[i])));
  }
  if (unnamed)
    notes.push_back(fmt::format("{}: field {} of the header{} has no name and is called {}", place, first + 1,
                                unnamed > 1 ? fmt::format(" (and {} more)", unnamed - 1) : "", quoted(fields[first])));
  if (numbers == fields.size())
    notes.push_back(fmt::format("{}: the header holds only numbers; a file without header needs one", place));
  return fields;
}

}  // namespace vigie::table
