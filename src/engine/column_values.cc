// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "engine/column_values_internal.h"

namespace vigie::engine {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool is_number(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return std::any_of(text.begin(), text.end(), digit) &&
         std::count_if(text.begin(), text.end(), [&](char c) { return !digit(c); }) <= 1 &&
         text.find_first_not_of("0123456789.,") == std::string_view::npos;
}

}  // namespace

void NumberTexts::add(std::span<const std::string_view> texts) {
  for (auto text : texts) {
    if (words_) return;
    any_ = true;
    words_ = !is_number(text);
    marks_ = marks_ || text.find_first_of(".,") != std::string_view::npos;
  }
}

std::int64_t characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

std::span<const double> numbers_of(const table::Column& column, ColumnType type, std::vector<double>& buffer) {
  if (type == ColumnType::kText) {
    std::vector<double> lengths(column.dictionary.size());
    for (std::size_t i = 0; i < lengths.size(); ++i) lengths[i] = static_cast<double>(characters(column.dictionary[i]));
    buffer.resize(column.codes.size());
    for (std::size_t i = 0; i < buffer.size(); ++i)
      buffer[i] = column.codes[i] < 0 ? NAN : lengths[static_cast<std::size_t>(column.codes[i])];
    return buffer;
  }
  if (type == ColumnType::kEmbedding) {
    auto rows = column.offsets.empty() ? 0 : column.offsets.size() - 1;
    buffer.resize(rows);
    for (std::size_t i = 0; i < rows; ++i) {
      double square = 0;
      for (auto j = column.offsets[i]; j < column.offsets[i + 1]; ++j) {
        double v = column.values[static_cast<std::size_t>(j)];
        square += v * v;
      }
      bool gone = (!column.missing.empty() && column.missing[i]) || column.offsets[i] == column.offsets[i + 1];
      buffer[i] = gone ? NAN : std::sqrt(square);
    }
    return buffer;
  }
  return column.numbers;
}

std::span<const double> project(const table::Column& column, ColumnType type, std::vector<double>& buffer,
                                std::int64_t& infinite) {
  const auto values = numbers_of(column, type, buffer);
  std::int64_t found = 0;
  for (double v : values) found += std::fabs(v) == kInfinity;
  if (found == 0) return values;
  infinite += found;
  if (values.data() != buffer.data()) buffer.assign(values.begin(), values.end());
  for (double& v : buffer)
    if (std::fabs(v) == kInfinity) v = NAN;
  return buffer;
}

Coded encode(const table::Column& column, std::vector<std::int32_t>& buffer) {
  if (column.type == table::Type::kString) return {column.codes, column.dictionary};
  static constexpr std::array<std::string_view, 2> kBoolean{"false", "true"};
  buffer.resize(column.numbers.size());
  for (std::size_t i = 0; i < buffer.size(); ++i)
    buffer[i] = std::isnan(column.numbers[i]) ? -1 : column.numbers[i] != 0;
  return {buffer, kBoolean};
}

}  // namespace vigie::engine
