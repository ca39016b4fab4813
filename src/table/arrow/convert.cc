// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <optional>

#include "table/arrow/held_internal.h"
#include "table/cell_internal.h"

namespace vigie::table {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

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

// The word as a number; `fits` false when it is none. A missing mark is a missing cell and fits.
double parse(std::string_view word, Type asked, bool& fits) {
  fits = true;
  word = trimmed(word);
  if (is_missing(word)) return kMissing;
  std::optional<double> v;
  double number = 0;
  bool integer = false;
  if (asked == Type::kBoolean) {
    if (auto truth = parse_boolean(word)) v = *truth ? 1 : 0;
  } else if (asked == Type::kTimestamp && (v = parse_timestamp(word))) {
    return *v;
  } else if (parse_number(word, '.', number, integer)) {
    v = asked == Type::kTimestamp ? parse_epoch(number) : number;
  }
  fits = v.has_value();
  return v.value_or(kMissing);
}

}  // namespace

void all_missing(Held& held, Type asked, const std::function<bool(std::int64_t)>& there) {
  auto n = static_cast<std::size_t>(held.rows);
  held.misfits.clear();
  for (std::int64_t i = 0; i < held.rows; ++i)
    if (there(i)) held.misfits.push_back(static_cast<std::uint32_t>(i));
  held.type = asked;
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
  const auto misfit = [&](std::size_t i) {
    v[i] = kMissing;
    held.misfits.push_back(static_cast<std::uint32_t>(i));
  };
  held.type = asked;
  if (asked == Type::kBoolean) {
    for (std::size_t i = 0; i < n; ++i)
      if (v[i] != 0 && v[i] != 1 && !std::isnan(v[i])) misfit(i);
  } else if (asked == Type::kTimestamp && (native == Type::kInteger || native == Type::kFloat)) {
    for (std::size_t i = 0; i < n; ++i) {
      if (std::isnan(v[i])) continue;
      if (auto moment = parse_epoch(v[i]))
        v[i] = *moment;
      else
        misfit(i);
    }
  } else if (asked == Type::kTimestamp && native == Type::kBoolean) {
    for (std::size_t i = 0; i < n; ++i)
      if (!std::isnan(v[i])) misfit(i);
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
    if (codes[i] >= 0 && bad[static_cast<std::size_t>(codes[i])]) held.misfits.push_back(static_cast<std::uint32_t>(i));
  }
  held.type = asked;
}

}  // namespace vigie::table
