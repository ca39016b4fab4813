// SPDX-License-Identifier: Apache-2.0
#include "event/incident.h"

#include <array>
#include <nlohmann/json.hpp>

#include "base/iso_time.h"
#include "base/result.h"
#include "table/json_rows.h"

namespace vigie::event {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 2> kSeverities{"warning", "critical"};
constexpr std::array<std::string_view, 4> kStates{"open", "acknowledged", "snoozed", "resolved"};
constexpr std::array<std::string_view, 4> kNotices{"opened", "worse", "reminder", "resolved"};

Json time_of(std::int64_t micros) {
  return micros == 0 ? Json() : Json(iso_time(static_cast<double>(micros)));
}
Json text_of(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

std::int64_t time_in(const Json& json, const char* key) {
  const auto& value = json.at(key);
  if (value.is_null()) return 0;
  const auto time = table::parse_time(value.get<std::string>());
  return time ? static_cast<std::int64_t>(*time) : 0;
}
std::string text_in(const Json& json, const char* key) {
  const auto& value = json.at(key);
  return value.is_null() ? std::string() : value.get<std::string>();
}
template <std::size_t N>
std::uint8_t name_in(const Json& json, const char* key, const std::array<std::string_view, N>& names) {
  const auto name = json.at(key).get<std::string>();
  for (std::size_t i = 0; i < N; ++i)
    if (names[i] == name) return static_cast<std::uint8_t>(i);
  throw std::runtime_error(name);
}

}  // namespace

std::string_view to_string(Severity severity) {
  return kSeverities.at(static_cast<std::size_t>(severity));
}
std::string_view to_string(Incident::State state) {
  return kStates.at(static_cast<std::size_t>(state));
}
std::string_view to_string(Notice::Kind kind) {
  return kNotices.at(static_cast<std::size_t>(kind));
}

// "credit-20261127T020000Z"
std::optional<std::int64_t> since_of_id(std::string_view id) {
  constexpr std::size_t kTime = 16;
  if (id.size() <= kTime || id[id.size() - kTime - 1] != '-') return {};
  std::string time(id.substr(id.size() - kTime));
  if (time[8] != 'T' || time[15] != 'Z') return {};
  for (const std::size_t at : {13U, 11U}) time.insert(at, ":");
  for (const std::size_t at : {6U, 4U}) time.insert(at, "-");
  const auto parsed = table::parse_time(time);
  if (!parsed) return {};
  return static_cast<std::int64_t>(*parsed);
}

std::string to_json(const Incident& incident) {
  Json causes = Json::array();
  for (const auto& c : incident.causes)
    causes.push_back({{"column", text_of(c.column)},
                      {"segment", text_of(c.segment)},
                      {"what", c.what},
                      {"severity", to_string(c.severity)},
                      {"weight", c.weight},
                      {"reason", c.reason},
                      {"since", time_of(c.since)},
                      {"windows", c.windows}});
  const Json out{{"id", incident.id},
                 {"model", incident.model},
                 {"state", to_string(incident.state)},
                 {"severity", to_string(incident.severity)},
                 {"summary", incident.summary},
                 {"since", time_of(incident.since)},
                 {"until", time_of(incident.until)},
                 {"opened", time_of(incident.opened)},
                 {"resolved", time_of(incident.resolved)},
                 {"snoozed_until", time_of(incident.snoozed_until)},
                 {"false_alarm", incident.false_alarm},
                 {"windows", incident.windows},
                 {"notices", incident.notices},
                 {"causes", std::move(causes)},
                 {"context", incident.context},
                 {"compared_with", text_of(incident.compared_with)},
                 {"owner", text_of(incident.owner)},
                 {"runbook", text_of(incident.runbook)},
                 {"notify", incident.notify},
                 {"answered_by", text_of(incident.answered_by)},
                 {"note", text_of(incident.note)}};
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Incident> incident_of_json(std::string_view json) {
  try {
    const auto in = Json::parse(json);
    Incident out;
    out.id = in.at("id"), out.model = in.at("model");
    out.state = static_cast<Incident::State>(name_in(in, "state", kStates));
    out.severity = static_cast<Severity>(name_in(in, "severity", kSeverities));
    out.summary = in.at("summary");
    out.since = time_in(in, "since"), out.until = time_in(in, "until");
    out.opened = time_in(in, "opened"), out.resolved = time_in(in, "resolved");
    out.snoozed_until = time_in(in, "snoozed_until");
    out.false_alarm = in.at("false_alarm"), out.windows = in.at("windows");
    out.notices = in.value("notices", std::int64_t{0});
    for (const auto& c : in.at("causes"))
      out.causes.push_back({text_in(c, "column"), text_in(c, "segment"), c.at("what"),
                            static_cast<Severity>(name_in(c, "severity", kSeverities)),
                            c.at("weight").is_null() ? 0 : c.at("weight").get<double>(), c.at("reason"),
                            time_in(c, "since"), c.at("windows")});
    out.context = in.value("context", std::vector<std::string>());
    if (in.contains("compared_with")) out.compared_with = text_in(in, "compared_with");
    out.owner = text_in(in, "owner"), out.runbook = text_in(in, "runbook");
    out.notify = in.value("notify", std::vector<std::string>());
    out.answered_by = text_in(in, "answered_by"), out.note = text_in(in, "note");
    return out;
  } catch (const std::exception& e) {
    return fail(Code::kCorrupt, std::string("an incident that cannot be read: ") + e.what());
  }
}

}  // namespace vigie::event
