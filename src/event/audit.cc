// SPDX-License-Identifier: Apache-2.0
#include "event/audit.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/iso_time.h"
#include "table/json_rows.h"

namespace vigie::event {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 16> kNames{
    "service_started", "service_stopped",   "model_created",     "model_changed", "reference_set", "incident_opened",
    "incident_worse",  "incident_reminder", "incident_resolved", "answered",      "notice_sent",   "notice_given_up",
    "maintenance",     "settings_changed",  "schema_changed",    "notice_resent"};

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json text_of(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}
std::string text_in(const Json& json, const char* key) {
  const auto& value = json.at(key);
  return value.is_null() ? std::string() : value.get<std::string>();
}

}  // namespace

std::string_view to_string(Happened happened) {
  return kNames.at(static_cast<std::size_t>(happened));
}
std::span<const std::string_view> all_happened() {
  return kNames;
}
std::optional<Happened> happened_of(std::string_view name) {
  const auto* at = std::find(kNames.begin(), kNames.end(), name);
  if (at == kNames.end()) return {};
  return static_cast<Happened>(at - kNames.begin());
}

std::string to_json(const AuditEntry& e) {
  auto details = Json::parse(e.details, nullptr, false);
  if (!details.is_object()) details = Json::object();
  Json out{{"number", e.number},
           {"time", iso_time(static_cast<double>(e.time))},
           {"event", to_string(e.happened)},
           {"model", text_of(e.model)},
           {"by", text_of(e.by)},
           {"details", std::move(details)},
           {"key", e.key},
           {"previous", e.previous}};
  if (!e.hash.empty()) out["hash"] = e.hash;
  return dumped(out);
}

Result<AuditEntry> audit_of_json(std::string_view json) {
  try {
    const auto in = Json::parse(json);
    AuditEntry out;
    out.number = in.at("number");
    const auto time = table::parse_time(in.at("time").get<std::string>());
    const auto happened = happened_of(in.at("event").get<std::string>());
    if (!time || !happened) return fail(Code::kCorrupt, "an entry of the audit log that cannot be read");
    out.time = std::llround(*time), out.happened = *happened;
    out.model = text_in(in, "model"), out.by = text_in(in, "by");
    out.details = dumped(in.at("details"));
    out.key = in.at("key"), out.previous = in.at("previous");
    if (const auto hash = in.find("hash"); hash != in.end()) out.hash = hash->get<std::string>();
    return out;
  } catch (const std::exception& e) {
    return fail(Code::kCorrupt, std::string("an entry of the audit log that cannot be read: ") + e.what());
  }
}

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string out;
  for (unsigned i = 0; i < size; ++i) out += fmt::format("{:02x}", digest.at(i));
  return out;
}

std::string hash_of(const AuditEntry& entry) {
  auto bare = entry;
  bare.hash.clear();
  return sha256(to_json(bare));
}

const std::string& no_hash() {
  static const std::string none(64, '0');
  return none;
}

void seal(AuditEntry& entry, std::int64_t number, const std::string& previous) {
  entry.number = number, entry.previous = previous;
  entry.hash = hash_of(entry);
}

std::optional<std::string> flaw_of(std::string_view json, std::int64_t number, const std::string& previous,
                                   std::string& hash) {
  const auto entry = audit_of_json(json);
  if (!entry) return entry.error().message;
  if (entry->number != number) return fmt::format("it says that it is entry {}", entry->number);
  if (entry->previous != previous) return "what it holds of the entry before it is not that entry's hash";
  // What else stands in the text would be in no hash.
  if (entry->hash != hash_of(*entry) || to_json(*entry) != json) return "its hash is not that of what it says";
  hash = entry->hash;
  return {};
}

AuditEntry entry_of(const Notice& notice, std::int64_t now) {
  using enum Happened;
  constexpr std::array<Happened, 4> kOf{kIncidentOpened, kIncidentWorse, kIncidentReminder, kIncidentResolved};
  const auto& i = notice.incident;
  Json causes = Json::array();
  for (const auto& c : i.causes) {
    if (causes.size() == 5) break;
    causes.push_back({{"column", text_of(c.column)}, {"segment", text_of(c.segment)}, {"what", c.what}});
  }
  const Json details{{"incident", i.id},
                     {"severity", to_string(i.severity)},
                     {"summary", i.summary},
                     {"since", iso_time(static_cast<double>(i.since))},
                     {"windows", i.windows},
                     {"causes", std::move(causes)},
                     {"false_alarm", i.false_alarm},
                     {"owner", text_of(i.owner)}};
  return {.time = now,
          .happened = kOf.at(static_cast<std::size_t>(notice.kind)),
          .model = i.model,
          .details = dumped(details),
          .key = fmt::format("{} {} {}", to_string(notice.kind), i.notices, i.id)};
}

AuditEntry entry_of(const Notice& notice, std::string_view target, bool sent, std::string_view why, std::int64_t now) {
  const auto& i = notice.incident;
  const Json details{
      {"incident", i.id}, {"notice", to_string(notice.kind)}, {"target", target}, {sent ? "answer" : "why", why}};
  return {.time = now,
          .happened = sent ? Happened::kNoticeSent : Happened::kNoticeGivenUp,
          .model = i.model,
          .details = dumped(details),
          .key = fmt::format("{} {} {} to {}", sent ? "sent" : "given up", to_string(notice.kind), i.notices, i.id) +
                 " " + std::string(target)};
}

}  // namespace vigie::event
