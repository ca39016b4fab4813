// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "store/records_internal.h"

namespace vigie::store {
namespace {

using Json = nlohmann::ordered_json;

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

bool check_row(const AuditRow& row, AuditState& state) {
  const auto number = state.last + 1;
  const auto broken = [&](std::string why) {
    state.broken = number, state.why = std::move(why);
    return false;
  };
  if (row.number != number) return broken("it is not there");
  ++state.entries;
  std::string hash;
  if (auto flaw = event::flaw_of(row.body, number, state.hash, hash)) return broken(std::move(*flaw));
  const auto entry = event::audit_of_json(row.body);
  if (entry->time != row.time || entry->model != row.model || to_string(entry->happened) != row.happened ||
      entry->key != row.key)
    return broken("the columns by which it is found do not say what it says");
  state.last = number, state.hash = std::move(hash);
  return true;
}

Status check_size(const Profile& profile) {
  if (profile.bytes.size() <= Store::kMostProfile) return {};
  return fail(Code::kInput, fmt::format("a profile of {} bytes, and the store takes up to {}", profile.bytes.size(),
                                        Store::kMostProfile));
}

std::string condensed_window(std::string_view body) {
  const auto window = Json::parse(body, nullptr, false);
  if (!window.is_object()) return R"({"condensed":true})";
  Json out = Json::object();
  for (const auto& [key, value] : window.items())
    if (!value.is_structured() || key == "ops" || key == "versions") out[key] = value;
  out["columns"] = Json::array(), out["quality"] = Json::array(), out["condensed"] = true;
  return dumped(out);
}

std::string condensed_score(std::string_view body) {
  const auto score = Json::parse(body, nullptr, false);
  if (!score.is_object()) return R"({"metrics":[]})";
  Json out = Json::object();
  for (const auto& [key, value] : score.items())
    if (!value.is_structured()) out[key] = value;
  auto metrics = Json::array();
  if (const auto found = score.find("metrics"); found != score.end() && found->is_array())
    for (const auto& metric : *found) {
      if (!metric.is_object() || !metric.value("segment", Json()).is_null()) continue;
      if (metric.contains("class") || metric.contains("k") || metric.contains("group")) continue;
      auto& kept = metrics.emplace_back(Json::object());
      for (const auto* key : {"metric", "value", "low", "high", "n", "verdict"})
        if (metric.contains(key)) kept[key] = metric[key];
    }
  out["metrics"] = std::move(metrics);
  return dumped(out);
}

}  // namespace vigie::store
