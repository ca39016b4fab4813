// SPDX-License-Identifier: Apache-2.0
#include "source/fields.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "event/record.h"

namespace vigie::source {
namespace {

using Json = nlohmann::ordered_json;

// What the line has under a key, or under keys in each other, taken out of it; null where it has none.
Json take(Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  if (const auto at = object.find(key); at != object.end()) {
    auto value = std::move(*at);
    object.erase(at);
    return value;
  }
  const auto dot = key.find('.');
  if (dot == key.npos) return nullptr;
  const auto inner = object.find(key.substr(0, dot));
  return inner == object.end() ? Json() : take(*inner, key.substr(dot + 1));
}

void append_record(std::string& out, std::string_view line,
                   const std::vector<std::pair<std::string, std::string>>& names) {
  auto given = parse_json(line);
  if (!given.is_object()) {
    out += line;
    return;
  }
  auto record = Json::object();
  bool rest = false;
  for (const auto& [name, key] : names) {
    if (key == "*")
      rest = true;
    else if (auto value = take(given, key); !value.is_null())
      record[name] = std::move(value);
  }
  auto features = Json::object();
  for (auto& [key, value] : given.items()) {
    const bool own = !rest || std::ranges::find(event::record_keys(), key) != event::record_keys().end();
    if (auto& into = own ? record : features; !into.contains(key)) into[key] = std::move(value);
  }
  if (rest) record["features"] = std::move(features);
  out += record.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string Fields::records(std::string_view lines) const {
  std::string out;
  out.reserve(lines.size());
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    append_record(out, lines.substr(0, end), names);
    out += '\n';
    lines.remove_prefix(end == lines.npos ? lines.size() : end + 1);
  }
  return out;
}

}  // namespace vigie::source
