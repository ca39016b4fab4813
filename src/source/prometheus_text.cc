// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "base/text.h"
#include "source/proc_internal.h"
#include "source/prometheus_text_internal.h"

namespace vigie::source {
namespace {

bool of_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':' || c == '.';
}

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

std::string_view take_name(std::string_view& text) {
  const auto end = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), of_name) - text.begin());
  const auto name = text.substr(0, end);
  text.remove_prefix(end);
  return name;
}

// {a="x",b="y"}; where `loose` the quotes may lack.
std::optional<std::vector<std::pair<std::string, std::string>>> take_labels(std::string_view& text, bool loose) {
  std::vector<std::pair<std::string, std::string>> out;
  if (!text.starts_with('{')) return out;
  text.remove_prefix(1);
  while (true) {
    skip_blanks(text);
    if (text.starts_with('}')) break;
    const auto name = take_name(text);
    skip_blanks(text);
    if (name.empty() || !text.starts_with('=')) return {};
    text.remove_prefix(1);
    skip_blanks(text);
    std::string value;
    if (text.starts_with('"')) {
      std::size_t i = 1;
      for (; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
          value += text[i];
        } else {
          ++i;
          value += text[i] == 'n' ? '\n' : text[i];
        }
      }
      if (i >= text.size()) return {};
      text.remove_prefix(i + 1);
    } else if (loose) {
      const auto end = text.find_first_of(",}");
      if (end == text.npos) return {};
      value = text.substr(0, end);
      text.remove_prefix(end);
    } else {
      return {};
    }
    out.emplace_back(name, std::move(value));
    skip_blanks(text);
    if (text.starts_with(','))
      text.remove_prefix(1);
    else if (!text.starts_with('}'))
      return {};
  }
  text.remove_prefix(1);
  std::sort(out.begin(), out.end());
  return out;
}

std::optional<double> value_in(std::string_view word) {
  if (word == "+Inf" || word == "Inf") return std::numeric_limits<double>::infinity();
  if (word == "-Inf") return -std::numeric_limits<double>::infinity();
  if (word.starts_with('+')) word.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return {};
  return value;
}

}  // namespace

bool Selector::takes(const PrometheusSample& sample) const {
  return sample.name == name && std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
           return std::find(sample.labels.begin(), sample.labels.end(), label) != sample.labels.end();
         });
}

Result<std::vector<Selector>> read_selectors(std::string_view text) {
  std::vector<Selector> out;
  const auto all = text;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t,"), text.size()));
    if (text.empty()) break;
    Selector selector{std::string(take_name(text)), {}};
    auto labels = take_labels(text, true);
    if (selector.name.empty() || !labels ||
        !(text.empty() || std::string_view(" \t,").find(text[0]) != std::string_view::npos))
      return fail(Code::kUsage,
                  fmt::format("expected names as node_load1 or up{{job=\"api\"}}, got {}", vigie::quoted(all)));
    selector.labels = std::move(*labels);
    out.push_back(std::move(selector));
  }
  if (out.empty()) return fail(Code::kUsage, "expected the name of a series");
  return out;
}

std::vector<PrometheusSample> read_prometheus(std::string_view text, const std::vector<Selector>& selectors,
                                              std::int64_t& odd) {
  std::vector<PrometheusSample> out;
  std::map<std::string, bool, std::less<>> counters;
  for (auto line : lines_of(text)) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with('#')) {
      const auto words = words_of(line);
      if (words.size() == 4 && words[1] == "TYPE") counters[std::string(words[2])] = words[3] == "counter";
      continue;
    }
    skip_blanks(line);
    if (line.empty()) continue;
    PrometheusSample sample;
    sample.name = take_name(line);
    const bool wanted =
        std::any_of(selectors.begin(), selectors.end(), [&](const auto& s) { return s.name == sample.name; });
    // Most lines of most endpoints are of no interest.
    if (!wanted && !sample.name.empty()) continue;
    skip_blanks(line);
    auto labels = take_labels(line, false);
    const auto words = words_of(line);
    const auto value = words.empty() ? std::nullopt : value_in(words[0]);
    if (sample.name.empty() || !labels || !value) {
      ++odd;
      continue;
    }
    sample.labels = std::move(*labels), sample.value = *value;
    // OpenMetrics declares a counter without the ending.
    auto family = std::string_view(sample.name);
    if (family.ends_with("_total")) family.remove_suffix(6);
    for (const std::string_view name : {std::string_view(sample.name), family})
      if (const auto at = counters.find(name); at != counters.end()) sample.counter = sample.counter || at->second;
    if (std::any_of(selectors.begin(), selectors.end(), [&](const auto& s) { return s.takes(sample); }))
      out.push_back(std::move(sample));
  }
  return out;
}

std::string to_string(const PrometheusSample& sample) {
  auto out = sample.name;
  for (std::size_t i = 0; i < sample.labels.size(); ++i) {
    out += i ? "," : "{";
    out += sample.labels[i].first + "=";
    append_json(out, is_utf8(sample.labels[i].second) ? sample.labels[i].second : "?");
  }
  return out + (sample.labels.empty() ? "" : "}");
}

}  // namespace vigie::source
