// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <iterator>
#include <utility>
#include <vector>

namespace vigie {
namespace {

char lower(char c) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      bool same = lower(a[i - 1]) == lower(b[j - 1]);
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
        now[j] = std::min(now[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, now);
  }
  return last[b.size()];
}

// The length of the well-formed sequence at the start of `s`, or 0.
std::size_t utf8_length(std::string_view s) {
  auto byte = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0U; };
  auto tail = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  unsigned c = byte(0);
  if (c < 0x80) return 1;
  if (c >= 0xc2 && c < 0xe0) return tail(1) ? 2 : 0;
  if (c >= 0xe0 && c < 0xf0) {
    if (!tail(1) || !tail(2) || (c == 0xe0 && byte(1) < 0xa0) || (c == 0xed && byte(1) >= 0xa0)) return 0;
    return 3;
  }
  if (c >= 0xf0 && c < 0xf5) {
    if (!tail(1) || !tail(2) || !tail(3) || (c == 0xf0 && byte(1) < 0x90) || (c == 0xf4 && byte(1) >= 0x90)) return 0;
    return 4;
  }
  return 0;
}

}  // namespace

std::string nearest(std::string_view name, std::span<const std::string> candidates) {
  std::string best;
  std::size_t least = SIZE_MAX;
  for (const auto& candidate : candidates) {
    auto d = distance(name, candidate);
    if (d < least && 2 * d <= std::max(name.size(), candidate.size())) least = d, best = candidate;
  }
  return best;
}

double similarity(std::string_view a, std::string_view b) {
  const std::size_t longer = std::max(a.size(), b.size());
  return longer ? 1 - static_cast<double>(distance(a, b)) / static_cast<double>(longer) : 1;
}

std::string unknown_name(std::string_view what, std::string_view name, std::span<const std::string> candidates,
                         std::string_view place) {
  auto near = nearest(name, candidates);
  auto text = fmt::format("unknown {} {}{}", what, quoted(name), place);
  return near.empty() ? text : fmt::format("{}; did you mean \"{}\"?", text, near);
}

std::string quoted(std::string_view text, std::size_t limit) {
  std::string out = "\"";
  std::size_t i = 0;
  while (i < text.size() && out.size() <= limit) {
    auto length = utf8_length(text.substr(i));
    auto c = static_cast<unsigned char>(text[i]);
    if (length == 0 || c < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", c);
      ++i;
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += text.substr(i, length);
      i += length;
    }
  }
  if (i < text.size()) out += "…";
  return out + '"';
}

void append_json(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    if (c == '"' || c == '\\')
      (out += '\\') += text[i];
    else if (c == '\n')
      out += "\\n";
    else
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
  }
  out.append(text, plain);
  out += '"';
}

bool is_utf8(std::string_view bytes) {
  std::size_t i = 0;
  while (i < bytes.size()) {
    if (static_cast<unsigned char>(bytes[i]) < 0x80) {
      ++i;
      continue;
    }
    auto length = utf8_length(bytes.substr(i));
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::string with_commas(long long value) {
  auto digits = fmt::format("{}", value < 0 ? -value : value);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return value < 0 ? "-" + out : out;
}

std::string plural(long long count, std::string_view noun) {
  return fmt::format("{} {}{}", with_commas(count), noun, count == 1 ? "" : "s");
}

std::string human(double value, int digits) {
  if (std::isnan(value)) return "–";
  double size = std::fabs(value);
  if (size == 0) return "0";
  if (size >= 1e-4 && size < 1e7) {
    int whole = static_cast<int>(std::floor(std::log10(size))) + 1;
    auto text = fmt::format("{:.{}f}", value, std::max(0, digits - whole));
    if (text.find('.') != std::string::npos) {
      text.erase(text.find_last_not_of('0') + 1);
      if (text.back() == '.') text.pop_back();
    }
    return text;
  }
  return fmt::format("{:.{}g}", value, std::max(1, digits - 1));
}

std::string percent(double share) {
  return human(100 * share) + " %";
}

std::string duration(double micros) {
  constexpr std::pair<double, const char*> kUnits[] = {{86400e6, "d"}, {3600e6, "h"}, {60e6, "min"}, {1e6, "s"}};
  for (const auto& [size, name] : kUnits)
    if (std::abs(micros) >= size) return fmt::format("{} {}", human(micros / size), name);
  return fmt::format("{} ms", human(micros / 1000));
}

bool has_glob(std::string_view path) {
  return path.find_first_of("*?[") != std::string_view::npos;
}

}  // namespace vigie
