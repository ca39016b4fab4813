// SPDX-License-Identifier: Apache-2.0
#include "server/reference_choice.h"

#include <fmt/ranges.h>

#include <array>

#include "server/model_config.h"
#include "server/said_internal.h"

namespace vigie::server {
namespace {

using said::Json, said::known, said::wrong;
using Kind = ReferenceChoice::Kind;

constexpr std::array<std::string_view, 6> kKinds{"posted", "moving", "previous", "same_time", "version", "first"};
constexpr std::int64_t kLongest = 400 * 86'400'000'000, kMostWeeks = 52;

Status take_length(const Json& json, const char* key, bool none, std::int64_t& into) {
  if (!json.contains(key) || json[key].is_null()) return {};
  const auto& at = json[key];
  const auto text = at.is_string() ? at.get<std::string>() : std::string();
  const auto length = none && text == "0" ? std::optional<std::int64_t>(0) : duration_of(text);
  if (!length || *length > kLongest)
    return wrong(fmt::format("reference.{}", key), "a length of at most 400 days, as 12h or 7d", at);
  into = *length;
  return {};
}

}  // namespace

std::string_view to_string(Kind kind) {
  return kKinds.at(static_cast<std::size_t>(kind));
}

Result<ReferenceChoice> read_reference_choice(std::string_view text) {
  auto json = Json::parse(text, nullptr, false);
  if (json.is_string()) json = Json{{"kind", json.get<std::string>()}};
  if (!json.is_object()) return wrong("reference", "a kind, as \"moving\", or a JSON object", json);
  VIGIE_TRY(known(json, "reference.", {"kind", "length", "gap", "weeks", "version"}));
  const auto kind = json.value("kind", Json());
  const auto* at = std::find(kKinds.begin(), kKinds.end(), kind.is_string() ? kind.get<std::string>() : "");
  if (at == kKinds.end()) {
    const std::vector<std::string> names(kKinds.begin(), kKinds.end());
    if (!kind.is_string()) return wrong("reference.kind", fmt::format("{}", fmt::join(names, ", ")), kind);
    return fail(Code::kInput, "reference: " + unknown_name("kind", kind.get<std::string>(), names));
  }
  ReferenceChoice out;
  out.kind = static_cast<Kind>(at - kKinds.begin());
  for (const auto& [key, of] : {std::pair("length", Kind::kMoving), std::pair("gap", Kind::kMoving),
                                std::pair("weeks", Kind::kSameTime), std::pair("version", Kind::kVersion)})
    if (json.contains(key) && out.kind != of && !(out.kind == Kind::kFirst && std::string_view(key) == "length"))
      return fail(Code::kInput, fmt::format("reference.{}: is of the kind {}", key, to_string(of)));
  VIGIE_TRY(take_length(json, "length", false, out.length));
  VIGIE_TRY(take_length(json, "gap", true, out.gap));
  if (json.contains("weeks")) {
    const auto& weeks = json["weeks"];
    if (!weeks.is_number_integer() || weeks < 1 || weeks > kMostWeeks)
      return wrong("reference.weeks", fmt::format("a whole number from 1 to {}", kMostWeeks), weeks);
    out.weeks = weeks.get<std::int64_t>();
  }
  if (out.kind == Kind::kVersion) {
    const auto version = json.value("version", Json());
    if (!version.is_string() || version.get<std::string>().empty())
      return wrong("reference.version", "that of the model which the others are compared with", version);
    out.version = version.get<std::string>();
  }
  return out;
}

}  // namespace vigie::server
