// SPDX-License-Identifier: Apache-2.0
#include "table/json_cells.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/iso_time.h"
#include "base/text.h"

namespace vigie::table {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// A number of JSON that no reader takes for too large or too long.
bool is_json_number(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  if (text.size() > kLongest) return false;
  std::size_t i = 0;
  const auto digits = [&] {
    const auto from = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
    return i - from;
  };
  i += text.starts_with('-');
  const auto whole = i;
  if (digits() == 0 || (text[whole] == '0' && i > whole + 1)) return false;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    i += i < text.size() && (text[i] == '+' || text[i] == '-');
    if (const auto count = digits(); count == 0 || count > 2) return false;
  }
  return i == text.size();
}

// A number or truth as it is written, where JSON knows it so.
void append_bare(std::string& out, std::string_view text) {
  if (is_json_number(text))
    out += text;
  else if (text == "true" || text == "True" || text == "TRUE")
    out += "true";
  else if (text == "false" || text == "False" || text == "FALSE")
    out += "false";
  else
    append_json(out, text);
}

void append_number(std::string& out, double value, bool integer) {
  if (integer && std::abs(value) < 0x1p63 && value == std::floor(value))
    fmt::format_to(std::back_inserter(out), FMT_COMPILE("{}"), static_cast<std::int64_t>(value));
  else if (std::isfinite(value))
    fmt::format_to(std::back_inserter(out), FMT_COMPILE("{}"), value);
  else
    out += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
}

}  // namespace

JsonCells::JsonCells(Schema types, std::vector<bool> bare)
    : types_(std::move(types)), bare_(std::move(bare)), cells_(types_.size()) {}

Status JsonCells::load(Batch& batch, const Schema& schema) {
  for (std::size_t i = 0; i < types_.size(); ++i) {
    auto& cells = cells_[i];
    const auto at = std::find_if(schema.begin(), schema.end(), [&](const auto& f) { return f.name == types_[i].name; });
    VIGIE_ASSIGN(cells.column, batch.column(static_cast<std::size_t>(at - schema.begin())));
    cells.json.clear();
    cells.ends.clear();
    for (const auto word : cells.column.dictionary) {
      bare_[i] ? append_bare(cells.json, trimmed(word)) : append_json(cells.json, word);
      cells.ends.push_back(cells.json.size());
    }
  }
  return {};
}

bool JsonCells::append(std::size_t column, std::size_t row, std::string& out) const {
  const auto& cells = cells_[column];
  const auto& values = cells.column;
  switch (values.type) {
    case Type::kString: {
      const auto code = values.codes[row];
      if (code < 0) return false;
      const auto word = static_cast<std::size_t>(code);
      const auto begin = word ? cells.ends[word - 1] : 0;
      out.append(cells.json, begin, cells.ends[word] - begin);
      return true;
    }
    case Type::kList: {
      if (!values.missing.empty() && values.missing[row]) return false;
      out += '[';
      for (auto i = values.offsets[row]; i < values.offsets[row + 1]; ++i) {
        if (i > values.offsets[row]) out += ',';
        const double value = values.values[static_cast<std::size_t>(i)];
        std::isnan(value) ? void(out += "null") : append_number(out, value, false);
      }
      out += ']';
      return true;
    }
    default: {
      const double value = values.numbers[row];
      if (std::isnan(value)) return false;
      if (values.type == Type::kBoolean)
        out += value != 0 ? "true" : "false";
      else if (values.type == Type::kTimestamp)
        append_json(out, iso_time(value));
      else
        append_number(out, value, values.type == Type::kInteger);
      return true;
    }
  }
}

}  // namespace vigie::table
