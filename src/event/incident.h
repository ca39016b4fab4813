// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vigie::event {

enum class Severity : std::uint8_t { kWarning, kCritical };

/// One thing that changed, or went wrong, in an incident.
struct Cause {
  std::string column;   ///< or the metric; empty: of the whole window
  std::string segment;  ///< as "country=FR"; empty: all rows
  std::string what;     ///< method, metric or check
  Severity severity = Severity::kWarning;
  double weight = 0;       ///< what causes are ranked by: the effect in shares of the level that is major
  std::string reason;      ///< a sentence
  std::int64_t since = 0;  ///< µs since 1970: start of the first window that has it
  std::int64_t windows = 0;
  bool operator==(const Cause&) const = default;
};

/// Alarms of one model that belong together, from the first until the model is healthy again.
struct Incident {
  enum class State : std::uint8_t { kOpen, kAcknowledged, kSnoozed, kResolved };
  std::string id;  ///< the model, and the start of the first window
  std::string model;
  State state = State::kOpen;
  Severity severity = Severity::kWarning;  ///< the worst so far
  std::int64_t since = 0;                  ///< µs since 1970: start of the first window
  std::int64_t until = 0;                  ///< end of the last window that was not healthy
  std::int64_t opened = 0;                 ///< when it was noticed
  std::int64_t resolved = 0;               ///< 0: not yet
  std::int64_t snoozed_until = 0;
  bool false_alarm = false;
  std::int64_t windows = 0;          ///< that were not healthy
  std::int64_t notices = 0;          ///< how often it was told of
  std::string summary;               ///< one line, worth reading on a phone
  std::vector<Cause> causes;         ///< the weightiest first
  std::string owner, runbook;        ///< empty: none is known
  std::vector<std::string> notify;   ///< names of the targets that are told of it; empty: all
  std::vector<std::string> context;  ///< what else went on meanwhile, a sentence each
  std::string compared_with;         ///< what its windows were, in words; empty: the reference that was posted
  std::string answered_by, note;     ///< by the last person that did something about it
  bool operator==(const Incident&) const = default;
};

std::string_view to_string(Severity severity);      ///< "warning", "critical"
std::string_view to_string(Incident::State state);  ///< "open", "acknowledged", "snoozed", "resolved"
/// One JSON object; times in ISO 8601, those that there are not null.
std::string to_json(const Incident& incident);
/// `since` as an id that vigie made says it, to the second; nothing of any other.
std::optional<std::int64_t> since_of_id(std::string_view id);
/// What to_json() wrote. Code::kCorrupt.
Result<Incident> incident_of_json(std::string_view json);

/// What is to be told of an incident.
struct Notice {
  enum class Kind : std::uint8_t { kOpened, kWorse, kReminder, kResolved };
  Kind kind = Kind::kOpened;
  Incident incident;
};
std::string_view to_string(Notice::Kind kind);  ///< "opened", "worse", "reminder", "resolved"

}  // namespace vigie::event
