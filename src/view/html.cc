// SPDX-License-Identifier: Apache-2.0
#include <date/date.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/text.h"
#include "view/html_internal.h"
#include "view/utf8_internal.h"

namespace vigie::view {

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    auto c = take_character(text);
    switch (c) {
      case U'&':
        out += "&amp;";
        break;
      case U'<':
        out += "&lt;";
        break;
      case U'>':
        out += "&gt;";
        break;
      case U'"':
        out += "&quot;";
        break;
      case U'\'':
        out += "&#39;";
        break;
      case U'\t':
      case U'\n':
        out += ' ';
        break;
      default:
        append_character(out, c < 0x20 || (c >= 0x7f && c < 0xa0) ? 0xfffd : c);
    }
  }
  return out;
}

std::string escaped(std::string_view text, std::size_t limit) {
  auto rest = text;
  for (std::size_t i = 0; i < limit && !rest.empty(); ++i) take_character(rest);
  if (rest.empty()) return escaped(text);
  return escaped(text.substr(0, text.size() - rest.size())) + "…";
}

std::string glued(std::string text) {
  for (std::string_view unit : {" sd", " %"})
    for (auto i = text.find(unit); i != std::string::npos; i = text.find(unit, i)) text.replace(i, 1, "\u00a0");
  return text;
}

std::string dated(std::string text) {
  const auto date = [&](std::size_t i) {
    constexpr std::string_view kDate = "dddd-dd-dd";
    return i + kDate.size() <= text.size() &&
           std::ranges::equal(kDate, text.substr(i, kDate.size()),
                              [](char d, char c) { return d == '-' ? c == '-' : c >= '0' && c <= '9'; });
  };
  for (auto i = text.find(" ("); i != std::string::npos; i = text.find(" (", i + 1)) {
    const auto end = text.find(')', i);
    if (end == std::string::npos || !date(i + 2)) continue;
    text.insert(end + 1, "</span>");
    text.insert(i + 1, "<span class=\"nw\">");
  }
  return text;
}

std::string power_html(const engine::ColumnResult& r) {
  if (std::isnan(r.detectable_effect)) return "–";
  if (r.detectable_effect >= (r.effect_scale == "share of rows" ? 1 : 10))
    return r.verdict >= engine::Verdict::kWarning ? "–" : "nothing";
  return "≥\u00a0" + effect_html(r.detectable_effect, r.effect_scale);
}

std::string effect_html(double effect, std::string_view scale, int way) {
  return glued(escaped(effect_text(effect, scale, way), 40));
}

std::string share_html(double share) {
  return glued(escaped(share_text(share)));
}

std::string badge(engine::Verdict verdict, std::string_view word) {
  constexpr std::string_view kMarks[] = {"–", "✓", "▲", "■"}, kWords[] = {"no data", "ok", "warning", "drift"};
  auto v = static_cast<std::size_t>(verdict);
  return fmt::format("<span class=\"badge {}\"><span aria-hidden=\"true\">{}</span> {}</span>", to_string(verdict),
                     kMarks[v], word.empty() ? kWords[v] : word);
}

std::string capital(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

std::string time_html(const engine::Comparison& c, const Finding& f) {
  if (c.windows.size() < 2 || !f.changed()) return {};
  auto worst = worst_in(c, f);
  auto time = dated(capital(escaped(when(c, f, f.verdict))));
  return worst.empty() ? fmt::format("<b>{}:</b> ", time)
                       : fmt::format("<b>{}.</b> {}: ", time, dated(capital(escaped(worst))));
}

std::string at(double coordinate) {
  if (!std::isfinite(coordinate)) return "0";
  auto text = fmt::format("{:.1f}", coordinate);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

std::string value_text(engine::ColumnType type, double value) {
  // Bounds of a bin that holds nothing but zero.
  if (std::fabs(value) < 1e-300) value = 0;
  // Microseconds since 1970; outside the years 1 to 9999 a number says more than a date.
  if (type == engine::ColumnType::kTimestamp && std::fabs(value) < 6e16) {
    auto time =
        date::sys_time<std::chrono::seconds>(std::chrono::seconds(static_cast<std::int64_t>(std::floor(value / 1e6))));
    auto text = date::format("%F %R", time);
    return text.ends_with(" 00:00") ? text.substr(0, text.size() - 6) : text;
  }
  if (type == engine::ColumnType::kTimestamp) return human(value, 4);
  return std::fabs(value) >= 1e4 && std::fabs(value) < 1e9 ? with_commas(std::llround(value)) : human(value, 3);
}

Steps steps_of(std::size_t windows) {
  constexpr std::size_t kMost = 120;
  Steps s{.windows = windows, .each = (windows + kMost - 1) / kMost};
  if (s.each == 0) s.each = 1;
  s.count = (windows + s.each - 1) / s.each;
  return s;
}

}  // namespace vigie::view
