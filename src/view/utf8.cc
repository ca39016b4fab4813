// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "view/utf8_internal.h"

namespace vigie::view {
namespace {

struct Range {
  char32_t first, last;
};

constexpr Range kZero[] = {{0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},     {0x610, 0x61a},    {0x64b, 0x65f},
                           {0x6d6, 0x6dc},   {0x900, 0x902},   {0x93c, 0x93c},     {0x941, 0x948},    {0x94d, 0x94d},
                           {0xe31, 0xe31},   {0xe34, 0xe3a},   {0xe47, 0xe4e},     {0x1ab0, 0x1aff},  {0x1dc0, 0x1dff},
                           {0x200b, 0x200f}, {0x202a, 0x202e}, {0x2060, 0x2069},   {0x20d0, 0x20ff},  {0xfe00, 0xfe0f},
                           {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0x1f3fb, 0x1f3ff}, {0xe0100, 0xe01ef}};

constexpr Range kWide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x23e9, 0x23ec},   {0x25fd, 0x25fe},   {0x2614, 0x2615},
    {0x2648, 0x2653},   {0x267f, 0x267f},   {0x2693, 0x2693},   {0x26a1, 0x26a1},   {0x26aa, 0x26ab},
    {0x26bd, 0x26be},   {0x26c4, 0x26c5},   {0x26d4, 0x26d4},   {0x26ea, 0x26ea},   {0x26f2, 0x26f5},
    {0x26fa, 0x26fd},   {0x2705, 0x2705},   {0x270a, 0x270b},   {0x2728, 0x2728},   {0x274c, 0x274e},
    {0x2753, 0x2757},   {0x2795, 0x2797},   {0x27b0, 0x27b0},   {0x2b1b, 0x2b1c},   {0x2b50, 0x2b55},
    {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xa000, 0xa4cf},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
    {0x1f000, 0x1f3fa}, {0x1f400, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f7e0, 0x1f7eb}, {0x1f900, 0x1f9ff},
    {0x1fa70, 0x1faff}, {0x20000, 0x3fffd}};

template <std::size_t N>
bool within(const Range (&ranges)[N], char32_t c) {
  auto at = std::upper_bound(std::begin(ranges), std::end(ranges), c,
                             [](char32_t value, const Range& range) { return value < range.first; });
  return at != std::begin(ranges) && c <= std::prev(at)->last;
}

bool unsafe(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069);
}

std::string_view ascii(char32_t c) {
  switch (c) {
    case U'–':
    case U'—':
    case U'−':
    case U'‑':
      return "-";
    case U'…':
      return "...";
    case U'≥':
      return ">=";
    case U'≤':
      return "<=";
    case U'≈':
      return "~";
    case U'×':
      return "x";
    case U'→':
      return "->";
    case U'±':
      return "+/-";
    case U'²':
      return "^2";
    case U'σ':
      return "sd";
    case U'·':
      return ".";
    case U'“':
    case U'”':
      return "\"";
    case U'‘':
    case U'’':
      return "'";
    case 0xa0:
    case 0x202f:
    case 0x2009:
      return " ";
    default:
      return "?";
  }
}

}  // namespace

char32_t take_character(std::string_view& text) {
  auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  unsigned lead = byte(0);
  std::size_t more = lead < 0x80                   ? 0
                     : lead >= 0xc2 && lead < 0xe0 ? 1
                     : lead >= 0xe0 && lead < 0xf0 ? 2
                     : lead >= 0xf0 && lead < 0xf5 ? 3
                                                   : 4;
  if (more == 4) {
    text.remove_prefix(1);
    return 0xfffd;
  }
  char32_t c = more == 0 ? lead : lead & (0x3fU >> more);
  for (std::size_t i = 1; i <= more; ++i) {
    if ((byte(i) & 0xc0) != 0x80) {
      text.remove_prefix(1);
      return 0xfffd;
    }
    c = (c << 6) | (byte(i) & 0x3f);
  }
  constexpr std::array<char32_t, 4> kLeast = {0, 0x80, 0x800, 0x10000};
  if (c < kLeast[more] || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff) {
    text.remove_prefix(1);
    return 0xfffd;
  }
  text.remove_prefix(more + 1);
  return c;
}

void append_character(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

int cells(char32_t c) {
  if (c < 0x300) return 1;
  if (within(kZero, c)) return 0;
  return within(kWide, c) ? 2 : 1;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) width += static_cast<std::size_t>(cells(take_character(text)));
  return width;
}

std::string shortened(std::string_view text, std::size_t width, std::string_view mark, bool middle) {
  if (display_width(text) <= width) return std::string(text);
  auto room = width - std::min(width, display_width(mark));
  auto tail = middle ? room / 2 : 0;
  auto head = room - tail;
  std::string out;
  std::size_t used = 0;
  for (auto rest = text; !rest.empty();) {
    auto before = rest;
    auto c = take_character(rest);
    used += static_cast<std::size_t>(cells(c));
    if (used > head) break;
    out += before.substr(0, before.size() - rest.size());
  }
  if (width >= display_width(mark)) out += mark;
  if (tail) {
    auto rest = text;
    for (auto width_left = display_width(text); !rest.empty() && width_left > tail;)
      width_left -= static_cast<std::size_t>(cells(take_character(rest)));
    out += rest;
  }
  return out;
}

std::string repaired(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) append_character(out, take_character(text));
  return out;
}

std::string printable(std::string_view text, bool unicode) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    auto c = take_character(text);
    if (unsafe(c))
      out += c < 0x100 ? fmt::format("\\x{:02x}", static_cast<unsigned>(c))
                       : fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else if (unicode || c < 0x80)
      append_character(out, c);
    else if (cells(c) > 0)
      out += ascii(c);
  }
  return out;
}

}  // namespace vigie::view
