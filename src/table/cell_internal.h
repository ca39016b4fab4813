// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fast_float/fast_float.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "table/format_internal.h"

namespace vigie::table {

/// The narrowest type that holds all that was seen; a column in which nothing was is a float. Unlike kinds (numbers and
/// words, dates and numbers) make a string.
Type type_of(Seen seen);

/// Without blanks and tabs around.
std::string_view trimmed(std::string_view text);

/// The marks of a missing value: empty, only blanks, NA, N/A, #N/A, NaN, nan, null, NULL, None, nil, \N.
bool is_missing(std::string_view text);

/// A decimal number: sign, digits, decimal mark, exponent; inf and infinity in any case. Not hexadecimal, no thousands
/// separators, no blanks. `integer`: neither mark nor exponent. The nearest double, ties to even.
bool parse_number(std::string_view text, char decimal, double& value, bool& integer);

/// true or false in lower, upper or title case.
std::optional<bool> parse_boolean(std::string_view text);

/// ISO 8601 calendar date, alone or with time of day after T or a blank, with or without seconds, a fraction and a zone
/// (Z, UTC, ±hh:mm, ±hhmm, ±hh; none: UTC). Microseconds since 1970, digits beyond them dropped.
std::optional<double> parse_timestamp(std::string_view text);

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, told by their size: below 1e11, 1e14, 1e17 or more.
/// Nothing below 1e8 (1973 in seconds), so that 20260131 is not taken for a moment.
std::optional<double> parse_epoch(double number);

/// `[1, 2.5, null]`, the commas optional as numpy prints it; appends to `out` (NaN for null and nan). On failure `out`
/// is as before.
bool parse_list(std::string_view text, std::vector<double>& out);

/// What one trimmed, non-missing text is.
Seen classify(std::string_view text, char decimal);

/// UTF-8 of bytes in Latin-1, its C1 range as Windows-1252 (what such files really hold).
std::string from_latin1(std::string_view bytes);

/// Whether the bytes are UTF-8; runs of ASCII at some GB/s.
bool is_utf8_fast(std::string_view bytes);

namespace cell {

inline constexpr std::uint64_t kPower10[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
inline constexpr double kExact10[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

inline std::uint64_t load8(const char* p) {
  std::uint64_t v;
  std::memcpy(&v, p, 8);
  return v;
}
inline bool eight_digits(std::uint64_t v) {
  return ((v & 0xf0f0f0f0f0f0f0f0U) | (((v + 0x0606060606060606U) & 0xf0f0f0f0f0f0f0f0U) >> 4)) == 0x3333333333333333U;
}
inline std::uint64_t value8(std::uint64_t v) {
  v -= 0x3030303030303030U;
  v = v * 10 + (v >> 8);
  return (((v & 0x000000ff000000ffU) * 0x000f424000000064U) +
          (((v >> 16) & 0x000000ff000000ffU) * 0x0000271000000001U)) >>
         32;
}

enum class Quick : std::uint8_t { kNo, kInteger, kFloat };

/// The common forms of a number, `-ddd` and `-ddd.ddd` up to 19 digits, exactly rounded; kNo for all else, which says
/// nothing about whether it is a number. Eight bytes beyond `end` must be readable; begin < end.
inline Quick quick_number(const char* p, const char* end, char decimal, double& value) {
  bool negative = *p == '-';
  p += negative;
  std::uint64_t w = 0;
  const char* start = p;
  for (unsigned digit; p < end && (digit = static_cast<unsigned char>(*p) - '0') < 10; ++p) w = w * 10 + digit;
  auto whole = static_cast<std::size_t>(p - start);
  if (whole == 0 || whole > 18) return Quick::kNo;
  if (p == end) {
    auto v = static_cast<double>(static_cast<std::int64_t>(w));
    value = negative ? -v : v;
    return Quick::kInteger;
  }
  if (*p != decimal) return Quick::kNo;
  ++p;
  auto rest = static_cast<std::size_t>(end - p);
  auto digits = rest;
  if (rest == 0 || (w ? whole : 0) + rest > 19) return Quick::kNo;
  for (; rest >= 8; p += 8, rest -= 8) {
    auto v = load8(p);
    if (!eight_digits(v)) return Quick::kNo;
    w = w * 100000000 + value8(v);
  }
  if (rest) {
    auto v = (load8(p) << (64 - 8 * rest)) | (0x3030303030303030U >> (8 * rest));
    if (!eight_digits(v)) return Quick::kNo;
    w = w * kPower10[rest] + value8(v);
  }
  if (w <= 1ULL << 53) {
    auto v = static_cast<double>(static_cast<std::int64_t>(w)) / kExact10[digits];
    value = negative ? -v : v;
    return Quick::kFloat;
  }
  auto m = fast_float::compute_float<fast_float::binary_format<double>>(-static_cast<std::int64_t>(digits), w);
  if (m.power2 < 0) return Quick::kNo;
  auto bits = m.mantissa | static_cast<std::uint64_t>(m.power2) << 52 | static_cast<std::uint64_t>(negative) << 63;
  std::memcpy(&value, &bits, 8);
  return Quick::kFloat;
}

}  // namespace cell
}  // namespace vigie::table
