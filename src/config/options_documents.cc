// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "config/options_internal.h"

namespace vigie::config {
namespace {

using Json = nlohmann::ordered_json;
using Type = Option::Type;

std::string bound(Type type, double value) {
  if (type == Type::kDuration)
    return value == 0 ? "0" : value >= 86'400 ? fmt::format("{}d", value / 86'400) : fmt::format("{}s", value);
  if (type != Type::kBytes) return fmt::format("{:.0f}", value);
  constexpr std::string_view kUnits[] = {"", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (value >= 1024 && std::fmod(value, 1024) == 0 && unit + 1 < std::size(kUnits)) value /= 1024, ++unit;
  return fmt::format("{:.0f}{}", value, kUnits[unit]);
}

}  // namespace

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string_view last_part(std::string_view name) {
  return name.substr(name.rfind('.') + 1);
}

std::string expected(const Option& option) {
  const auto range = fmt::format("{}..{}", bound(option.type, option.least), bound(option.type, option.most));
  switch (option.type) {
    case Type::kText:
      return "a text";
    case Type::kFlag:
      return "true or false";
    case Type::kCount:
      return "a whole number, " + range;
    case Type::kBytes:
      return "a number of bytes, as 64MiB, " + range;
    case Type::kDuration:
      return "a time, as 30s, 15m, 2h or 7d, " + range;
    case Type::kChoice:
      return fmt::format("{}", fmt::join(words(option.choices), ", "));
    case Type::kTexts:
      return "a list of texts";
    case Type::kObjects:
      return "a map of NAME: {KEY: …}";
  }
  return {};
}

std::string default_file(std::span<const Option> options, std::string_view head) {
  std::string out;
  while (!head.empty()) {
    const auto line = head.substr(0, head.find('\n'));
    out.append("# ").append(line).append("\n");
    head.remove_prefix(std::min(line.size() + 1, head.size()));
  }
  std::set<std::string> opened;
  for (const auto& option : options) {
    std::string indent;
    for (auto dot = option.name.find('.'); dot != option.name.npos; dot = option.name.find('.', dot + 1)) {
      const auto outer = option.name.substr(0, dot);
      if (opened.emplace(outer).second) out.append("\n").append(indent).append(last_part(outer)).append(":\n");
      indent += "  ";
    }
    if (indent.empty()) out += '\n';
    const bool number = option.type == Type::kCount || option.type == Type::kBytes || option.type == Type::kDuration;
    out += fmt::format("{}# {}{}{}\n", indent, option.doc,
                       number                         ? fmt::format(" ({})", expected(option))
                       : option.type == Type::kChoice ? fmt::format(" ({})", expected(option))
                                                      : "",
                       option.live ? "" : "; a change takes a restart");
    const bool none = option.fallback.empty();
    std::string_view text = none ? option.example : option.fallback;
    out += fmt::format("{}{}{}:", indent, none ? "# " : "", last_part(option.name));
    // Examples of lists and maps begin in lines of their own.
    for (bool first = true; !text.empty(); first = false) {
      const auto line = text.substr(0, text.find('\n'));
      out += first && !line.empty() ? fmt::format(" {}\n", line) : first ? "\n" : fmt::format("{}# {}\n", indent, line);
      text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
  }
  return out;
}

std::string json_schema(std::span<const Option> options, std::string_view title,
                        const std::function<std::string(std::string_view option)>& objects,
                        std::string_view definitions) {
  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", title},
              {"type", "object"},
              {"additionalProperties", false},
              {"properties", Json::object()}};
  for (const auto& option : options) {
    Json* at = &schema;
    std::string_view rest = option.name;
    for (auto dot = rest.find('.'); dot != rest.npos; dot = rest.find('.')) {
      auto& inner = (*at)["properties"][std::string(rest.substr(0, dot))];
      if (inner.is_null())
        inner = {{"type", {"object", "null"}}, {"additionalProperties", false}, {"properties", Json::object()}};
      at = &inner;
      rest.remove_prefix(dot + 1);
    }
    Json one{{"description", option.doc}};
    Json fallback = option.fallback;
    switch (option.type) {
      case Type::kText:
        one["type"] = {"string", "null"};
        break;
      case Type::kFlag:
        one["type"] = {"boolean", "null"};
        fallback = option.fallback == "true";
        break;
      case Type::kCount:
        one["type"] = {"integer", "null"};
        one["minimum"] = option.least, one["maximum"] = option.most;
        fallback = std::atoll(std::string(option.fallback).c_str());
        break;
      case Type::kBytes:
      case Type::kDuration:
        one["type"] = {"string", "number", "null"};
        one["pattern"] = option.type == Type::kBytes ? "^[0-9.]+([KMGT](iB)?|B)?$" : "^[0-9.]+(ms|s|m|min|h|d)?$";
        one["minimum"] = option.least, one["maximum"] = option.most;
        break;
      case Type::kChoice:
        one["enum"] = words(option.choices);
        one["enum"].push_back(nullptr);
        break;
      case Type::kTexts:
        one["type"] = {"string", "array", "null"};
        one["items"] = {{"type", "string"}};
        break;
      case Type::kObjects:
        one["type"] = {"object", "null"};
        one["additionalProperties"] = Json::parse(objects(option.name));
        break;
    }
    if (!option.fallback.empty()) one["default"] = fallback;
    (*at)["properties"][std::string(rest)] = std::move(one);
  }
  schema["$defs"] = Json::parse(definitions);
  return schema.dump(2);
}

}  // namespace vigie::config
