// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "table/cell_internal.h"

namespace vigie::table {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool is_digit(char c) {
  return static_cast<unsigned>(c - '0') < 10;
}

// Case-insensitive for ASCII letters; `word` in lower case.
bool is_word(std::string_view text, std::string_view word) {
  return text.size() == word.size() &&
         std::equal(text.begin(), text.end(), word.begin(), [](char a, char b) { return (a | 0x20) == b; });
}

// Takes `count` digits off the front, or gives -1.
int digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return -1;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_digit(text[i])) return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// The offset from UTC in minutes of what follows the time of day; nothing when it is no zone.
std::optional<int> zone(std::string_view text) {
  take(text, ' ');
  if (text.empty() || text == "Z" || text == "z" || text == "UTC" || text == "GMT") return 0;
  int sign = text[0] == '+' ? 1 : text[0] == '-' ? -1 : 0;
  if (!sign) return std::nullopt;
  text.remove_prefix(1);
  int hours = digits(text, 2);
  int minutes = 0;
  if (!text.empty()) {
    take(text, ':');
    minutes = digits(text, 2);
  }
  if (hours < 0 || hours > 18 || minutes < 0 || minutes > 59 || !text.empty()) return std::nullopt;
  return sign * (hours * 60 + minutes);
}

}  // namespace

Type type_of(Seen seen) {
  switch (seen) {
    case kSawBoolean:
      return Type::kBoolean;
    case kSawInteger:
      return Type::kInteger;
    case 0:
    case kSawFloat:
    case kSawInteger | kSawFloat:
      return Type::kFloat;
    case kSawTimestamp:
      return Type::kTimestamp;
    case kSawList:
      return Type::kList;
    default:
      return Type::kString;
  }
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_missing(std::string_view text) {
  text = trimmed(text);
  static constexpr std::string_view kMarks[] = {"",     "NA",   "N/A",  "#N/A", "NaN", "nan",
                                                "null", "NULL", "None", "nil",  "\\N"};
  return text.size() <= 4 && std::find(std::begin(kMarks), std::end(kMarks), text) != std::end(kMarks);
}

bool parse_number(std::string_view text, char decimal, double& value, bool& integer) {
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return false;
  integer = false;
  if (is_word(text, "inf") || is_word(text, "infinity")) {
    value = negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    return true;
  }
  if (!is_digit(text[0]) && !(text[0] == decimal && text.size() > 1 && is_digit(text[1]))) return false;
  fast_float::parse_options options(fast_float::chars_format::general, decimal);
  double magnitude = 0;
  auto [end, error] = fast_float::from_chars_advanced(text.data(), text.data() + text.size(), magnitude, options);
  // Newer fast_float reports overflow and underflow, older ones give infinity and zero: both are what we want.
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return false;
  value = negative ? -magnitude : magnitude;
  integer = std::all_of(text.begin(), text.end(), is_digit);
  return true;
}

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

std::optional<double> parse_timestamp(std::string_view text) {
  int year = digits(text, 4);
  if (year < 1 || !take(text, '-')) return std::nullopt;
  int month = digits(text, 2);
  if (month < 1 || month > 12 || !take(text, '-')) return std::nullopt;
  int day = digits(text, 2);
  std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                   std::chrono::day(static_cast<unsigned>(day))};
  if (day < 1 || !date.ok()) return std::nullopt;
  std::int64_t seconds = static_cast<std::int64_t>(std::chrono::sys_days(date).time_since_epoch().count()) * 86400;
  if (text.empty()) return static_cast<double>(seconds) * 1e6;
  if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return std::nullopt;
  int hour = digits(text, 2);
  if (hour < 0 || hour > 24 || !take(text, ':')) return std::nullopt;
  int minute = digits(text, 2), second = 0;
  std::int64_t micros = 0;
  if (minute < 0 || minute > 59) return std::nullopt;
  if (take(text, ':')) {
    second = digits(text, 2);
    if (second < 0 || second > 60) return std::nullopt;
    if (take(text, '.') || take(text, ',')) {
      std::size_t count = 0;
      for (; count < text.size() && is_digit(text[count]); ++count)
        if (count < 6) micros = micros * 10 + (text[count] - '0');
      if (count == 0) return std::nullopt;
      for (auto i = count; i < 6; ++i) micros *= 10;
      text.remove_prefix(count);
    }
  }
  // 24:00 is the end of a day; nothing lies behind it.
  if (hour == 24 && (minute || second || micros)) return std::nullopt;
  auto offset = zone(text);
  if (!offset) return std::nullopt;
  seconds += hour * 3600 + (minute - *offset) * 60 + second;
  return static_cast<double>(seconds * 1000000 + micros);
}

std::optional<double> parse_epoch(double number) {
  double size = std::fabs(number);
  if (!(size >= 1e8) || size >= 1e20) return std::nullopt;
  double micros = size < 1e11 ? number * 1e6 : size < 1e14 ? number * 1e3 : size < 1e17 ? number : number / 1e3;
  return std::floor(micros);
}

bool parse_list(std::string_view text, std::vector<double>& out) {
  text = trimmed(text);
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return false;
  const char* p = text.data() + 1;
  const char* end = text.data() + text.size() - 1;
  auto before = out.size();
  auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  bool comma = false;
  while (true) {
    while (p < end && blank(*p)) ++p;
    if (p == end) break;
    const char* start = p;
    while (p < end && *p != ',' && !blank(*p)) ++p;
    std::string_view item(start, static_cast<std::size_t>(p - start));
    double value = kNaN;
    bool integer;
    if (item.empty() || (!parse_number(item, '.', value, integer) && !is_missing(item))) {
      out.resize(before);
      return false;
    }
    out.push_back(value);
    while (p < end && blank(*p)) ++p;
    comma = p < end && *p == ',';
    p += comma;
  }
  if (comma) out.resize(before);
  return !comma;
}

Seen classify(std::string_view text, char decimal) {
  double value;
  bool integer;
  if (text.empty()) return 0;
  if (parse_number(text, decimal, value, integer)) return integer ? kSawInteger : kSawFloat;
  if (parse_boolean(text)) return kSawBoolean;
  if (is_digit(text[0]) && parse_timestamp(text)) return kSawTimestamp;
  if (text[0] == '[') {
    thread_local std::vector<double> scratch;
    scratch.clear();
    if (parse_list(text, scratch)) return kSawList;
  }
  return kSawString;
}

std::string from_latin1(std::string_view bytes) {
  // What Windows-1252 has at 0x80..0x9f; 0 where it has nothing, and the byte stands for itself.
  static constexpr std::array<char16_t, 32> kC1 = {0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                                   0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017d, 0,
                                                   0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                                   0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};
  std::string out;
  for (char raw : bytes) {
    unsigned c = static_cast<unsigned char>(raw);
    if (c >= 0x80 && c < 0xa0 && kC1[c - 0x80]) c = kC1[c - 0x80];
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else if (c < 0x800) {
      out += static_cast<char>(0xc0 | (c >> 6));
      out += static_cast<char>(0x80 | (c & 0x3f));
    } else {
      out += static_cast<char>(0xe0 | (c >> 12));
      out += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
      out += static_cast<char>(0x80 | (c & 0x3f));
    }
  }
  return out;
}

bool is_utf8_fast(std::string_view bytes) {
  std::size_t i = 0;
  while (i < bytes.size()) {
    if (i + 8 <= bytes.size() && !(cell::load8(bytes.data() + i) & 0x8080808080808080U)) {
      i += 8;
    } else if (static_cast<unsigned char>(bytes[i]) < 0x80) {
      ++i;
    } else {
      // One run of non-ASCII and what follows it up to the next eight ASCII bytes.
      auto end = i;
      while (end < bytes.size() && static_cast<unsigned char>(bytes[end]) >= 0x80) ++end;
      if (!is_utf8(bytes.substr(i, end - i))) return false;
      i = end;
    }
  }
  return true;
}

}  // namespace vigie::table
