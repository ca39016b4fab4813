// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event/incident.h"

namespace vigie::event {

/// What an entry of the audit log tells of.
enum class Happened : std::uint8_t {
  kServiceStarted,
  kServiceStopped,
  kModelCreated,
  kModelChanged,
  kReferenceSet,
  kIncidentOpened,
  kIncidentWorse,
  kIncidentReminder,
  kIncidentResolved,
  kAnswered,
  kNoticeSent,
  kNoticeGivenUp,
  kMaintenance,
  kSettingsChanged,
  kSchemaChanged,
  kNoticeResent,
};
std::string_view to_string(Happened happened);  ///< "service_started", …
std::span<const std::string_view> all_happened();
std::optional<Happened> happened_of(std::string_view name);

/// An entry of the audit log, which only ever grows: each holds the SHA-256 of the one before it, so that none can be
/// altered, put in or taken out without all that follow being made anew.
struct AuditEntry {
  std::int64_t number = 0;  ///< from 1 on, without gaps
  std::int64_t time = 0;    ///< µs since 1970: when it happened
  Happened happened = Happened::kServiceStarted;
  std::string model{};         ///< empty: of the service as a whole
  std::string by{};            ///< who did it; empty: the service itself, or nobody said so
  std::string details = "{}";  ///< a JSON object
  std::string key{};           ///< tells entries apart: one that comes again is the same, and not put in again
  std::string previous{};      ///< hash of the one before, in hexadecimal digits; 64 zeros of the first
  std::string hash{};          ///< of all that is above: hash_of()
  bool operator==(const AuditEntry&) const = default;
};

/// One JSON object, the hash its last key; without it where it is empty.
std::string to_json(const AuditEntry& entry);
/// What to_json() wrote. Code::kCorrupt.
Result<AuditEntry> audit_of_json(std::string_view json);

/// In hexadecimal digits.
std::string sha256(std::string_view bytes);
/// SHA-256 of what to_json() has of the entry without its hash.
std::string hash_of(const AuditEntry& entry);
/// What the first entry has for the one before it.
const std::string& no_hash();
/// Makes it the one after an entry of that hash.
void seal(AuditEntry& entry, std::int64_t number, const std::string& previous);
/// Why `json` is not the entry of that number behind one of that hash; nothing where it is. `hash` becomes its own.
std::optional<std::string> flaw_of(std::string_view json, std::int64_t number, const std::string& previous,
                                   std::string& hash);

/// That somebody is to be told of an incident.
AuditEntry entry_of(const Notice& notice, std::int64_t now);
/// That a target was told of it, or was not: `why`.
AuditEntry entry_of(const Notice& notice, std::string_view target, bool sent, std::string_view why, std::int64_t now);

}  // namespace vigie::event
