// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <unordered_map>

#include "base/hash.h"
#include "base/text.h"
#include "quality/mode_internal.h"

namespace vigie::quality {
namespace {

std::string name_of(const ColumnState& column, std::uint64_t word) {
  return column.spec().kind == Kind::kString ? "one text" : human(std::bit_cast<double>(word), 6);
}

}  // namespace

Mode mode_of(const ColumnState& column) {
  Mode mode;
  if (column.spec().kind != Kind::kString && column.finite() > 0 && !column.varies()) {
    const double value = column.low() + 0.0;
    return {column.finite(), column.finite(), human(value, 6), std::bit_cast<std::uint64_t>(value)};
  }
  if (const auto numbers = column.numbers(); numbers && column.beyond_numbers() == 0) {
    for (const auto& [value, count] : *numbers) {
      mode.rows += count;
      if (count > mode.count) mode = {count, mode.rows, human(value, 6), std::bit_cast<std::uint64_t>(value)};
    }
    return mode;
  }
  if (const auto items = column.categories(); items && column.spec().kind == Kind::kString) {
    for (const auto& item : *items) mode.rows += item.count;
    if (!items->empty())
      mode = {items->front().count, mode.rows, quoted(items->front().name), hash64(items->front().name)};
    return mode;
  }
  std::unordered_map<std::uint64_t, std::int64_t> counts;
  for (const std::uint64_t word : column.sample()) {
    if (word == ColumnState::kMissingHash) continue;
    ++mode.rows;
    const std::int64_t count = ++counts[word];
    if (count > mode.count || (count == mode.count && word < mode.word)) mode.count = count, mode.word = word;
  }
  if (mode.count) mode.name = name_of(column, mode.word);
  return mode;
}

Mode count_of(const Mode& mode, const ColumnState& column) {
  Mode found{.name = mode.name, .word = mode.word};
  if (const auto numbers = column.numbers(); numbers && column.beyond_numbers() == 0) {
    for (const auto& [value, count] : *numbers) {
      found.rows += count;
      if (std::bit_cast<std::uint64_t>(value) == mode.word) found.count = count;
    }
  } else if (const auto items = column.categories(); items && column.spec().kind == Kind::kString) {
    for (const auto& item : *items) {
      found.rows += item.count;
      if (hash64(item.name) == mode.word) found.count = item.count;
    }
  } else {
    for (const std::uint64_t word : column.sample()) {
      found.rows += word != ColumnState::kMissingHash;
      found.count += word == mode.word;
    }
  }
  return found;
}

}  // namespace vigie::quality
