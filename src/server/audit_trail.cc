// SPDX-License-Identifier: Apache-2.0
#include "server/audit_trail.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/iso_time.h"
#include "base/text.h"
#include "engine/profile.h"
#include "server/answers.h"
#include "server/model_config.h"

namespace vigie::server {
namespace {

using event::AuditEntry;
using event::Happened;
using Json = nlohmann::ordered_json;

AuditEntry entry_at(Origin at, Happened happened, std::string_view model, const Json& details) {
  return {.time = at.arrived,
          .happened = happened,
          .model = std::string(model),
          .details = details.dump(-1, ' ', false, Json::error_handler_t::replace),
          .key = fmt::format("{} {} {}", to_string(happened), at.place, at.arrived)};
}

Json object_of(std::string_view text) {
  auto json = Json::parse(text, nullptr, false);
  return json.is_object() ? json : Json::object();
}

std::string_view what_came(event::Kind kind) {
  switch (kind) {
    case event::Kind::kPredictions:
    case event::Kind::kCounts:
    case event::Kind::kScored:
      return "predictions";
    case event::Kind::kLabels:
      return "labels";
    case event::Kind::kReference:
    case event::Kind::kImportances:
    case event::Kind::kOrigin:
      return "a reference";
    case event::Kind::kModel:
      return "a configuration";
    case event::Kind::kAnswer:
      return "an answer";
    case event::Kind::kExplanations:
      return "explanations";
    case event::Kind::kMaintenance:
      return "planned maintenance";
    case event::Kind::kHeard:
      break;
  }
  return "";
}

}  // namespace

AuditEntry model_created(std::string_view model, event::Kind by, Origin at) {
  return entry_at(at, Happened::kModelCreated, model, {{"by", what_came(by)}});
}

AuditEntry model_changed(std::string_view model, std::string_view before, std::string_view after, Origin at) {
  const auto old = object_of(before), fresh = object_of(after);
  Json changed = Json::object();
  const auto look = [&](const Json& keys) {
    for (const auto& [key, unused] : keys.items()) {
      const auto from = old.value(key, Json()), to = fresh.value(key, Json());
      if (from != to) changed[key] = {{"from", from}, {"to", to}};
    }
  };
  look(old), look(fresh);
  return entry_at(at, Happened::kModelChanged, model, {{"changed", std::move(changed)}});
}

AuditEntry reference_set(std::string_view model, std::string_view profile, Origin at) {
  Json details{{"sha256", event::sha256(profile)}, {"bytes", profile.size()}};
  if (const auto read = engine::load_profile(profile, "reference")) {
    details["source"] = read->source, details["rows"] = read->rows;
    details["columns"] = read->columns.size(), details["window"] = to_string(read->window);
    details["windows"] = read->window_count, details["version"] = read->version;
  }
  return entry_at(at, Happened::kReferenceSet, model, details);
}

AuditEntry schema_changed(std::string_view model, const RecordSchema::Change& change, Origin at) {
  constexpr std::size_t kMost = 50;  // names of each sort
  Json added = Json::object(), gone = Json::array(), changed = Json::object();
  for (const auto& [name, kind] : change.added)
    if (added.size() < kMost) added[name] = to_string(kind);
  for (const auto& name : change.gone)
    if (gone.size() < kMost) gone.push_back(name);
  for (const auto& [name, kinds] : change.changed)
    if (changed.size() < kMost) changed[name] = {{"from", to_string(kinds.first)}, {"to", to_string(kinds.second)}};
  const auto version = change.from == change.to ? fmt::format("records are other than version {}", change.to)
                                                : fmt::format("schema version {} → {}", change.from, change.to);
  return entry_at(at, Happened::kSchemaChanged, model,
                  {{"from", change.from},
                   {"to", change.to},
                   {"said", change.said},
                   {"added", std::move(added)},
                   {"gone", std::move(gone)},
                   {"changed", std::move(changed)},
                   {"summary", fmt::format("{}: {}", version, in_words(change))}});
}

AuditEntry answered(std::string_view model, std::string_view incident, const engine::Incidents::Answer& answer,
                    bool applied, Origin at) {
  const auto said = object_of(answer_to_json(incident, answer));
  auto entry = entry_at(at, Happened::kAnswered, model,
                        {{"incident", incident},
                         {"action", said.value("action", Json())},
                         {"note", answer.note.empty() ? Json() : Json(answer.note)},
                         {"until", answer.until == 0 ? Json() : Json(iso_time(static_cast<double>(answer.until)))},
                         {"applied", applied}});
  entry.by = answer.by;
  return entry;
}

AuditEntry maintenance_said(std::string_view model, std::string_view record, Origin at) {
  const auto said = object_of(record);
  const auto time = [&](const char* key) { return said.contains(key) ? Json(iso_time(said.value(key, 0.))) : Json(); };
  const auto note = said.value("note", "");
  auto details = said.contains("ended")
                     ? Json{{"ended", time("ended")}}
                     : Json{{"from", time("from")}, {"to", time("to")}, {"note", note.empty() ? Json() : Json(note)}};
  auto entry = entry_at(at, Happened::kMaintenance, model, details);
  entry.by = said.value("by", "");
  return entry;
}

AuditEntry maintenance_planned(std::string_view json, std::int64_t now) {
  return {.time = now,
          .happened = Happened::kMaintenance,
          .details = Json{{"of_all", object_of(json)}}.dump(-1, ' ', false, Json::error_handler_t::replace),
          .key = fmt::format("maintenance {}", now)};
}

Result<AuditEntry> service_started(const store::Store& store, std::string_view version, std::int64_t now) {
  store::AuditQuery query{.happened = Happened::kServiceStarted};
  std::size_t found = 0;
  do {
    VIGIE_ASSIGN(const auto starts, store.audit(query));
    found = starts.size();
    if (found > 0) query.after = starts.back().number;
  } while (found == query.most);
  query.happened = Happened::kServiceStopped, query.most = 1;
  VIGIE_ASSIGN(const auto stops, store.audit(query));
  const Json details{{"version", version},
                     {"last_run", query.after == 0 ? Json() : Json(stops.empty() ? "cut off" : "stopped")}};
  return AuditEntry{.time = now,
                    .happened = Happened::kServiceStarted,
                    .details = details.dump(),
                    .key = fmt::format("started {}", now)};
}

AuditEntry service_stopped(std::string_view version, std::int64_t now) {
  return {.time = now,
          .happened = Happened::kServiceStopped,
          .details = Json{{"version", version}}.dump(),
          .key = fmt::format("stopped {}", now)};
}

AuditEntry settings_changed(const std::vector<std::string>& names, std::int64_t now) {
  return {.time = now,
          .happened = Happened::kSettingsChanged,
          .details = Json{{"settings", names}}.dump(),
          .key = fmt::format("settings {}", now)};
}

std::string head_of_audit(const store::Store& store) {
  const auto head = store.last_audit();
  return head && *head ? fmt::format("entry {}, sha256 {}", (**head).number, (**head).hash) : "";
}

Reply list_audit(const Request& request, const store::Store& store) {
  const auto asked = Parameters::read(request, {"model", "event", "from", "to", "limit", "after"}, 1000);
  if (!asked) return refuse(asked.error(), "query");
  store::AuditQuery query{.model = (*asked)["model"], .from = asked->from, .to = asked->to, .most = asked->most};
  if (const auto& name = (*asked)["event"]; asked->has("event")) {
    query.happened = event::happened_of(name);
    const auto all = event::all_happened();
    if (!query.happened)
      return refuse(400, "event: " + unknown_name("event", name, std::vector<std::string>(all.begin(), all.end())),
                    "query");
  }
  if (asked->has("after")) {
    const auto after = whole_number("after", (*asked)["after"]);
    if (!after) return refuse(after.error(), "query");
    query.after = *after;
  }
  const auto found = store.audit(query);
  if (!found) return refuse(found.error(), "store");
  Reply reply{200, "["};
  for (const auto& entry : *found) reply.body.append(reply.body.size() > 1 ? ",\n" : "\n").append(to_json(entry));
  reply.body += "]\n";
  if (found->size() == query.most) asked->link_next(reply, std::to_string(found->back().number));
  return reply;
}

Reply verify_audit(const store::Store& store) {
  const auto state = store.check_audit();
  if (!state) return refuse(state.error(), "store");
  return reply_of(200, {{"entries", state->entries},
                        {"last", state->last},
                        {"hash", state->hash},
                        {"broken", state->broken == 0 ? Json() : Json(state->broken)},
                        {"why", state->why.empty() ? Json() : Json(state->why)}});
}

}  // namespace vigie::server
