// SPDX-License-Identifier: Apache-2.0
#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <limits>

#include "table/arrow/held_internal.h"

namespace vigie::table {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

// Epoch numbers say their unit by their size: up to the year 5138 in seconds, and each unit a thousand times finer.
double epoch_micros(double v) {
  double size = std::fabs(v);
  if (size < 1e11) return std::floor(v * 1e6);
  if (size < 1e14) return std::floor(v * 1e3);
  if (size < 1e17) return std::floor(v);
  return std::floor(v / 1e3);
}

bool digits(std::string_view& s, std::size_t count, int& out) {
  if (s.size() < count) return false;
  out = 0;
  for (char c : s.substr(0, count)) {
    if (c < '0' || c > '9') return false;
    out = out * 10 + (c - '0');
  }
  s.remove_prefix(count);
  return true;
}

bool take(std::string_view& s, char c) {
  if (s.empty() || s[0] != c) return false;
  s.remove_prefix(1);
  return true;
}

// 2024-05-01, 2024-05-01T10:20[:30[.123456]][Z|+02:00|+0200]; NaN when it is not one.
double parse_iso(std::string_view s) {
  using namespace std::chrono;
  int y = 0, m = 0, d = 0, hour = 0, minute = 0, second = 0;
  if (!digits(s, 4, y) || !take(s, '-') || !digits(s, 2, m) || !take(s, '-') || !digits(s, 2, d)) return kMissing;
  year_month_day date{year{y}, month{static_cast<unsigned>(m)}, day{static_cast<unsigned>(d)}};
  if (!date.ok()) return kMissing;
  double micros = 0;
  int zone = 0;
  if (!s.empty()) {
    if (!take(s, 'T') && !take(s, ' ')) return kMissing;
    if (!digits(s, 2, hour) || !take(s, ':') || !digits(s, 2, minute) || hour > 23 || minute > 59) return kMissing;
    if (take(s, ':') && (!digits(s, 2, second) || second > 60)) return kMissing;
    if (take(s, '.')) {
      std::size_t n = 0;
      for (double unit = 1e5; n < s.size() && s[n] >= '0' && s[n] <= '9'; ++n, unit /= 10)
        if (n < 6) micros += (s[n] - '0') * unit;
      if (n == 0) return kMissing;
      s.remove_prefix(n);
    }
    if (!take(s, 'Z') && !s.empty()) {
      int sign = s[0] == '-' ? -1 : 1, h = 0, min = 0;
      if (!take(s, '+') && !take(s, '-')) return kMissing;
      if (!digits(s, 2, h)) return kMissing;
      take(s, ':');
      if (!s.empty() && !digits(s, 2, min)) return kMissing;
      zone = sign * (h * 60 + min);
    }
    if (!s.empty()) return kMissing;
  }
  double seconds = static_cast<double>(sys_days{date}.time_since_epoch().count()) * 86400.0 + hour * 3600 +
                   (minute - zone) * 60 + second;
  return seconds * 1e6 + micros;
}

std::string iso(double micros) {
  using namespace std::chrono;
  double whole = std::floor(micros / 1e6);
  double days_since = std::floor(whole / 86400);
  if (!(std::fabs(days_since) < 1e7)) return fmt::format("{}", micros);
  year_month_day date{sys_days{days{static_cast<int>(days_since)}}};
  auto rest = static_cast<int>(whole - days_since * 86400);
  auto fraction = static_cast<int>(micros - whole * 1e6);
  auto text = fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                          static_cast<unsigned>(date.day()));
  if (rest || fraction) text += fmt::format("T{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
  if (fraction) text += fmt::format(".{:06}", fraction);
  return text;
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

// The word as a number; `fits` false when it is none. An empty word is a missing cell and fits.
double parse(std::string_view word, Type asked, bool& fits) {
  fits = true;
  word = trimmed(word);
  if (word.empty()) return kMissing;
  if (asked == Type::kBoolean) {
    for (std::string_view yes : {"true", "TRUE", "True", "1"})
      if (word == yes) return 1;
    for (std::string_view no : {"false", "FALSE", "False", "0"})
      if (word == no) return 0;
    fits = false;
    return kMissing;
  }
  if (asked == Type::kTimestamp) {
    double t = parse_iso(word);
    if (!std::isnan(t)) return t;
  }
  double v = 0;
  auto [end, code] = fast_float::from_chars(word.data(), word.data() + word.size(), v);
  if (code != std::errc() || end != word.data() + word.size()) {
    fits = false;
    return kMissing;
  }
  return asked == Type::kTimestamp ? epoch_micros(v) : v;
}

}  // namespace

void all_missing(Held& held, Type asked, std::int64_t mismatches) {
  auto n = static_cast<std::size_t>(held.rows);
  held.type = asked;
  held.mismatches = mismatches;
  held.words.clear();
  held.values.clear();
  held.offsets.clear();
  held.missing.clear();
  if (asked == Type::kString) {
    std::fill_n(held.codes.get(n), n, -1);
  } else if (asked == Type::kList) {
    held.offsets.assign(n + 1, 0);
    held.missing.assign(n, 1);
  } else {
    std::fill_n(held.numbers.get(n), n, kMissing);
  }
}

void convert_numbers(Held& held, Type native, Type asked, bool single, const std::int64_t* exact, bool exact_unsigned) {
  auto n = static_cast<std::size_t>(held.rows);
  double* v = held.numbers.get(n);
  held.type = asked;
  if (asked == Type::kBoolean) {
    for (std::size_t i = 0; i < n; ++i)
      if (v[i] != 0 && v[i] != 1 && !std::isnan(v[i])) v[i] = kMissing, ++held.mismatches;
  } else if (asked == Type::kTimestamp && (native == Type::kInteger || native == Type::kFloat)) {
    for (std::size_t i = 0; i < n; ++i) v[i] = epoch_micros(v[i]);
  } else if (asked == Type::kTimestamp && native == Type::kBoolean) {
    for (std::size_t i = 0; i < n; ++i)
      if (!std::isnan(v[i])) v[i] = kMissing, ++held.mismatches;
  } else if (asked == Type::kString) {
    auto* codes = held.codes.get(n);
    for (std::size_t i = 0; i < n; ++i) {
      std::string text;
      if (std::isnan(v[i])) {
        codes[i] = -1;
        continue;
      }
      if (native == Type::kBoolean)
        text = v[i] != 0 ? "true" : "false";
      else if (native == Type::kTimestamp)
        text = iso(v[i]);
      else if (exact)
        text = exact_unsigned ? fmt::format("{}", static_cast<std::uint64_t>(exact[i])) : fmt::format("{}", exact[i]);
      else if (single)
        text = fmt::format("{}", static_cast<float>(v[i]));
      else
        text = fmt::format("{}", v[i]);
      codes[i] = held.words.code(text);
    }
  }
}

void convert_words(Held& held, Type asked) {
  if (asked == Type::kString) return;
  auto n = static_cast<std::size_t>(held.rows);
  const auto& words = held.words.list();
  std::vector<double> value(words.size());
  std::vector<std::uint8_t> bad(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    bool fits = true;
    value[i] = parse(words[i], asked, fits);
    bad[i] = !fits;
  }
  const auto* codes = held.codes.data();
  double* v = held.numbers.get(n);
  for (std::size_t i = 0; i < n; ++i) {
    v[i] = codes[i] < 0 ? kMissing : value[static_cast<std::size_t>(codes[i])];
    if (codes[i] >= 0) held.mismatches += bad[static_cast<std::size_t>(codes[i])];
  }
  held.type = asked;
}

}  // namespace vigie::table
