// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expectation.h"
#include "base/result.h"
#include "engine/compare.h"
#include "engine/incidents.h"
#include "engine/profile.h"
#include "engine/stream_detector.h"
#include "metric/metric.h"
#include "server/dependencies.h"
#include "server/planned_work.h"
#include "server/record_schema.h"
#include "server/reference_choice.h"
#include "server/row_privacy.h"

namespace vigie::server {

/// How windows are compared, in place of the defaults: as `vigie compare` takes --alpha, --watch, --major and --method.
struct LevelsAndMethods {
  double alpha = engine::CompareOptions().alpha;
  std::optional<engine::Levels> levels;
  std::vector<engine::MethodChoice> methods;
};

/// What people say of a model.
struct ModelConfig {
  std::string owner, runbook;
  std::vector<std::string> notify;            ///< names of the targets that are told; empty: all
  std::optional<metric::Task> task;           ///< nothing: told from the reference
  std::optional<std::string> positive;        ///< class of a binary task
  engine::WindowSpec window;                  ///< of references that are made of rows; none: told from them
  std::vector<std::string> features, ignore;  ///< likewise: only these features, not these
  std::vector<engine::SegmentBy> segments;    ///< likewise: by features or tags, one or two each
  std::vector<engine::Monitor> monitors;
  std::map<std::string, Privacy> privacy;  ///< what of a feature, tag or other key may be kept and shown
  double false_alarms = 1;                 ///< in 30 days, that are borne with
  /// µs behind a window's end within which rows restate it; nothing: Watch::usual_lateness().
  std::optional<std::int64_t> allowed_lateness;
  std::optional<std::int64_t> silent_after;  ///< µs without a prediction; nothing: twice what is usual
  std::vector<std::string> runs_on;          ///< sources of samples whose seconds its requests take
  std::vector<Dependency> depends_on;
  std::optional<std::vector<engine::StreamSpec>> detectors;  ///< nothing: ModelStreams::usual()
  ReferenceChoice reference;
  LevelsAndMethods compare;
  std::vector<PlannedWork> maintenance;         ///< in which nobody is woken
  std::vector<Expectation> checks;              ///< that its windows are held to
  std::optional<RecordSchema::Columns> schema;  ///< what its records are to have; nothing: what they have
  std::string json = "{}";                      ///< all that was said, as it was said
  std::string unread;                           ///< why not all of it is followed; empty: it is
};

/// Reads the body of PUT /v1/models/{model}: a JSON object with any of description, owner, runbook, notify, tags, task,
/// positive, window ("15m", "hour", "day", "week", "month", a number of rows,
/// {"rows": 1000, "time": "hour"}, or {"time": "hour", "every": "5m"}), timezone, roles (features, ignore),
/// segments, monitors, privacy, false_alarms, allowed_lateness ("90m", "6h", "2d"), silent_after, runs_on, depends_on,
/// detectors, maintenance, reference, compare, checks and schema. Code::kInput names the key.
Result<ModelConfig> read_model_config(std::string_view body);

/// Code::kInput where segments, of the configuration or of the reference, or detectors say values of what it hides.
/// Without a reference known, that of an empty one.
Status check_privacy(const ModelConfig& config, const engine::Profile& reference);

/// Code::kInput where compare.methods has one that a column of the reference does not take.
Status check_methods(const ModelConfig& config, const engine::Profile& reference);

/// Of a model that is watched in an index.
inline constexpr std::string_view kNoRules =
    "checks: not of a model that is watched in an index, where its rows are counted: nobody sees them row by row";

/// Code::kInput where checks have one that rows of such a reference cannot be held to: of a column that they lack, or
/// of another kind.
Status check_rules(const ModelConfig& config, const engine::Profile& reference);

/// One that was accepted once, as read_model_config(). Of one that cannot be read any more, as of a vigie before this
/// one: who owns the model and what is hidden, where anything unknown is.
ModelConfig kept_model_config(std::string_view json);

/// "30s", "90m", "4h", "3d", at most 400 days, in µs.
std::optional<std::int64_t> duration_of(std::string_view text);

/// What somebody says of an incident: the last part of a path, as "ack", "snooze", "resolve" or "false-alarm", and a
/// body, empty or a JSON object with any of by, note, until (a time) and for ("90m", "4h", "3d"). Code::kInput.
Result<engine::Incidents::Answer> read_answer(std::string_view action, std::string_view body, std::int64_t now);

/// As the journal keeps it, and back: Code::kCorrupt.
std::string answer_to_json(std::string_view incident, const engine::Incidents::Answer& answer);
Result<std::pair<std::string, engine::Incidents::Answer>> answer_of_json(std::string_view json);

}  // namespace vigie::server
