// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/text.h"

/// How the JSON that people send is read: a key that is wrong is named, with what was expected of it.
namespace vigie::server::said {

using Json = nlohmann::ordered_json;

inline Error wrong(std::string_view key, std::string_view expected, const Json& got) {
  auto text = got.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return fail(Code::kInput, fmt::format("{}: expected {}, got {}", key, expected, text));
}

/// `where`: of the object, as "monitors[2]."; empty: it is the whole body.
inline Status known(const Json& object, std::string_view where, const std::vector<std::string>& names) {
  for (const auto& [key, value] : object.items())
    if (std::find(names.begin(), names.end(), key) == names.end())
      return fail(Code::kInput, fmt::format("{}{}{}", where.substr(0, where.size() - where.ends_with('.')),
                                            where.empty() ? "" : ": ", unknown_name("key", key, names)));
  return {};
}

inline Status take(const Json& object, const char* key, std::string_view where, std::string& into) {
  const auto at = object.find(key);
  if (at == object.end() || at->is_null()) return {};
  if (!at->is_string()) return wrong(fmt::format("{}{}", where, key), "a text", *at);
  into = at->get<std::string>();
  return {};
}

inline Status take(const Json& object, const char* key, std::string_view where, std::vector<std::string>& into) {
  const auto at = object.find(key);
  if (at == object.end() || at->is_null()) return {};
  if (!at->is_array() || !std::all_of(at->begin(), at->end(), [](const Json& one) { return one.is_string(); }))
    return wrong(fmt::format("{}{}", where, key), "a list of names", *at);
  into = at->get<std::vector<std::string>>();
  return {};
}

inline Result<Json> object_of(std::string_view body, std::string_view what) {
  auto json = parse_json(body, NumberNames::kRefused);
  if (json.is_discarded()) return fail(Code::kInput, fmt::format("{}: not JSON, or nested too deep", what));
  if (!json.is_object()) return wrong(what, "a JSON object", json);
  return json;
}

}  // namespace vigie::server::said
