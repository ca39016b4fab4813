// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "table/csv_block_internal.h"

namespace vigie::table {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// Rows decoded for all columns before the next ones, so that their text stays in the first-level cache.
constexpr std::size_t kTile = 128;

struct Content {
  std::string_view text;
  bool quoted;
};

// A cell without the quotes around it. A doubled quote stays doubled; what follows the closing quote stays too.
Content content_of(const char* begin, const char* end) {
  if (begin < end && *begin == '"') {
    ++begin;
    if (begin < end && end[-1] == '"') --end;
    return {{begin, static_cast<std::size_t>(end - begin)}, true};
  }
  return {{begin, static_cast<std::size_t>(end - begin)}, false};
}

// What a quoted field means: doubled quotes are one, and after the closing quote all is text.
std::string unquoted(std::string_view field) {
  std::string out;
  bool inside = true;
  for (std::size_t i = 1; i < field.size(); ++i) {
    if (field[i] != '"' || !inside) {
      out += field[i];
    } else if (i + 1 < field.size() && field[i + 1] == '"') {
      out += field[i++];
    } else {
      inside = false;
    }
  }
  return out;
}

// The first characters of the marks of a missing value, and blanks.
constexpr bool may_be_missing(char c) {
  return c == 'N' || c == 'n' || c == '#' || c == '\\' || c == ' ' || c == '\t';
}

}  // namespace

void CsvBlock::sort_out(const CsvPlan& plan) {
  sorted = true;
  width_ = plan.columns.size();
  ragged = 0;
  first_ragged.clear();
  not_utf8 = false;
  auto& records = index.records();
  std::size_t kept = 0;
  for (std::size_t i = skip; i < records.size(); ++i) {
    auto record = records[i];
    if (record.fields != width_ || width_ == 1) [[unlikely]] {
      if (record.fields == 1 && trimmed(cell(record, 0, true).view()).empty()) continue;
      if (record.fields != width_) {
        if (++ragged <= 3) first_ragged.push_back(record);
        if (!plan.keep_ragged) continue;
      }
      if (record.fields < width_) {
        auto last = cell(record, record.fields - 1, true).end;
        auto first = index.append(index.ends()[record.first]);
        for (std::uint32_t j = 1; j < record.fields; ++j) index.append(index.ends()[record.first + j]);
        // Empty fields: each ends where it begins, which is one beyond the end of the one before.
        auto end = static_cast<std::uint32_t>(last - text.data());
        for (auto j = record.fields; j <= width_; ++j) index.append(end++);
        record.first = first;
      }
    }
    records[kept++] = record;
  }
  records.resize(kept);
  if (index.has_high() && !is_utf8_fast({text.data(), index.complete()})) {
    not_utf8 = true;
    // The first line that is not UTF-8, for the note.
    const char* p = text.data();
    const char* stop = p + index.complete();
    for (not_utf8_line = first_line; p < stop; ++not_utf8_line) {
      auto newline = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(stop - p)));
      if (!newline) newline = stop;
      if (!is_utf8_fast({p, static_cast<std::size_t>(newline - p)})) break;
      p = newline + 1;
    }
  }
}

void CsvBlock::decode(const CsvPlan& plan) {
  auto n = rows();
  columns_.resize(width_);
  for (std::size_t j = 0; j < width_; ++j) columns_[j].reset(plan.columns[j].type, n);
  for (std::size_t from = 0; from < n; from += kTile) {
    auto to = std::min(n, from + kTile);
    for (std::size_t j = 0; j < width_; ++j) {
      switch (plan.columns[j].type) {
        case Type::kSkip:
          break;
        case Type::kInteger:
        case Type::kFloat:
          decode_numbers(plan, j, from, to);
          break;
        case Type::kString:
          decode_strings(j, from, to);
          break;
        default:
          decode_other(plan, j, from, to);
      }
    }
  }
}

void CsvBlock::decode_numbers(const CsvPlan& plan, std::size_t column, std::size_t from, std::size_t to) {
  auto& out = columns_[column];
  const char decimal = plan.decimal;
  const bool last = column + 1 == width_;
  const auto* records = index.records().data();
  double* numbers = out.numbers.data();
  unsigned integers = 0, floats = 0;
  for (std::size_t row = from; row < to; ++row) {
    auto c = cell(records[row], column, last);
    if (c.begin == c.end) {
      numbers[row] = kNaN;
      continue;
    }
    switch (cell::quick_number(c.begin, c.end, decimal, numbers[row])) {
      case cell::Quick::kInteger:
        integers = 1;
        break;
      case cell::Quick::kFloat:
        floats = 1;
        break;
      case cell::Quick::kNo:
        numbers[row] = slow_number(plan, column, row, c);
    }
  }
  if (integers) out.seen |= kSawInteger;
  if (floats) out.seen |= kSawFloat;
}

double CsvBlock::slow_number(const CsvPlan& plan, std::size_t column, std::size_t row, Cell c) {
  auto content = content_of(c.begin, c.end);
  auto plain = trimmed(content.text);
  double value;
  bool integer;
  if (parse_number(plain, plan.decimal, value, integer)) {
    columns_[column].seen |= integer ? kSawInteger : kSawFloat;
    return value;
  }
  if (content.quoted ? !plain.empty() : !is_missing(plain)) misfit(plan, column, row, plain);
  return kNaN;
}

void CsvBlock::misfit(const CsvPlan& plan, std::size_t column, std::size_t row, std::string_view plain) {
  columns_[column].misfit(row, classify(plain, plan.decimal));
}

void CsvBlock::decode_other(const CsvPlan& plan, std::size_t column, std::size_t from, std::size_t to) {
  auto& out = columns_[column];
  const auto [type, fixed] = plan.columns[column];
  const bool last = column + 1 == width_;
  for (std::size_t row = from; row < to; ++row) {
    auto c = cell(index.records()[row], column, last);
    auto content = content_of(c.begin, c.end);
    auto plain = trimmed(content.text);
    bool missing = content.quoted ? plain.empty() : is_missing(plain);
    double value = kNaN;
    bool integer;
    if (type == Type::kList) {
      bool fits = !missing && parse_list(plain, out.values);
      out.missing.push_back(!fits);
      if (fits) out.seen |= kSawList;
      if (!fits && !missing) misfit(plan, column, row, plain);
      out.offsets.push_back(static_cast<std::int64_t>(out.values.size()));
      continue;
    }
    if (!missing) {
      if (type == Type::kBoolean) {
        if (auto b = parse_boolean(plain)) {
          value = *b;
          out.seen |= kSawBoolean;
        } else if (fixed && (plain == "0" || plain == "1")) {
          value = plain[0] - '0';
        }
      } else if (auto moment = parse_timestamp(plain)) {
        value = *moment;
        out.seen |= kSawTimestamp;
      } else if (double number; fixed && parse_number(plain, plan.decimal, number, integer)) {
        value = parse_epoch(number).value_or(kNaN);
      }
      if (std::isnan(value)) misfit(plan, column, row, plain);
    }
    out.numbers[row] = value;
  }
}

void CsvBlock::decode_strings(std::size_t column, std::size_t from, std::size_t to) {
  auto& out = columns_[column];
  const bool last = column + 1 == width_;
  const bool careful = not_utf8;
  const auto* records = index.records().data();
  for (std::size_t row = from; row < to; ++row) {
    auto c = cell(records[row], column, last);
    std::int32_t code = -1;
    if (c.begin < c.end) {
      if (careful) {
        code = slow_string(out, c);
      } else if (*c.begin != '"') {
        if (!may_be_missing(*c.begin) || !is_missing(c.view())) code = out.strings.code(c.view());
      } else {
        auto length = c.size();
        if (length >= 2 && c.end[-1] == '"' && !std::memchr(c.begin + 1, '"', length - 2)) {
          if (length > 2) code = out.strings.code({c.begin + 1, length - 2});
        } else {
          code = slow_string(out, c);
        }
      }
    }
    out.codes[row] = code;
  }
}

std::int32_t CsvBlock::slow_string(DecodedColumn& out, Cell c) const {
  bool quoted = *c.begin == '"';
  if (!quoted && is_missing(c.view())) return -1;
  std::string value = quoted ? unquoted(c.view()) : std::string(c.view());
  if (value.empty()) return -1;
  if (not_utf8 && !is_utf8_fast(value)) value = from_latin1(value);
  return out.strings.code_of_copy(std::move(value));
}

Seen CsvBlock::look(std::size_t column, char decimal) const {
  Seen seen = 0;
  for (const auto& record : index.records()) {
    auto c = cell(record, column, column + 1 == width_);
    auto content = content_of(c.begin, c.end);
    auto plain = trimmed(content.text);
    if (content.quoted ? plain.empty() : is_missing(plain)) continue;
    seen |= classify(plain, decimal);
    if (type_of(seen) == Type::kString) break;
  }
  return seen;
}

std::optional<std::size_t> CsvBlock::decimal_comma(std::size_t column) const {
  std::optional<std::size_t> first;
  double value;
  bool integer;
  for (std::size_t row = 0; row < rows(); ++row) {
    auto c = cell(index.records()[row], column, column + 1 == width_);
    auto content = content_of(c.begin, c.end);
    auto plain = trimmed(content.text);
    if (content.quoted ? plain.empty() : is_missing(plain)) continue;
    if (!parse_number(plain, ',', value, integer)) return std::nullopt;
    if (!first && plain.find(',') != std::string_view::npos) first = row;
  }
  return first;
}

std::uint64_t CsvBlock::line_of(CsvIndex::Record record) const {
  auto start = static_cast<std::uint32_t>(index.ends()[record.first] + 1);
  return first_line + static_cast<std::uint64_t>(std::count(text.data(), text.data() + start, '\n'));
}

std::uint64_t CsvBlock::lines() const {
  return static_cast<std::uint64_t>(std::count(text.data(), text.data() + index.complete(), '\n'));
}

std::string CsvBlock::field_text(CsvIndex::Record record, std::size_t field) const {
  auto c = cell(record, field, field + 1 == record.fields);
  std::string value = c.begin < c.end && *c.begin == '"' ? unquoted(c.view()) : std::string(c.view());
  return is_utf8_fast(value) ? value : from_latin1(value);
}

std::string CsvBlock::cell_text(std::size_t row, std::size_t column) const {
  return field_text(index.records()[row], column);
}

}  // namespace vigie::table
