// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "engine/score_reference.h"
#include "engine/tally.h"
#include "server/box_columns.h"
#include "server/json_input.h"
#include "server/outside_work.h"
#include "server/watch.h"

namespace vigie::server {
namespace {

Result<std::size_t> windows_of(table::Input& input, const std::string& timestamp, const engine::WindowSpec& spec) {
  VIGIE_ASSIGN(auto reader, input.open(table::Schema{{timestamp, table::Type::kTimestamp}}));
  VIGIE_ASSIGN(auto windower, engine::Windower::make(spec));
  std::vector<std::int32_t> windows;
  while (true) {
    VIGIE_ASSIGN(auto batch, reader->next());
    if (!batch) return windower.size();
    VIGIE_ASSIGN(const auto times, batch->column(0));
    windower.assign(0, batch->rows(), times.numbers, windows);
  }
}

// Whether any record has boxes.
bool any_boxes(std::string_view body) {
  static const table::JsonShape shape({{{"boxes", table::Type::kString}}}, table::OtherKeys::kSkipped);
  if (body.find("\"boxes\"") == body.npos) return false;
  table::JsonRows rows;
  rows.read(body, shape);
  const auto boxes = rows.column(0);
  return boxes && std::ranges::any_of(boxes->codes, [](auto code) { return code >= 0; });
}

}  // namespace

Result<engine::Profile> reference_of_rows(std::string_view body, const std::string& name, const std::string& version,
                                          const ModelConfig& config) {
  auto task = config.task;
  const bool images = task == metric::Task::kDetection || task == metric::Task::kSegmentation;
  std::string made;
  if (images || (!task && any_boxes(body))) {
    VIGIE_ASSIGN(made, with_box_columns(body));
    body = made;
    if (!task) task = metric::Task::kDetection;
  }
  JsonInput input(body, name);
  if (input.count() == 0) return engine::no_rows(name, input.problems());
  engine::ProfileOptions options;
  options.version = version;
  const std::set<std::string, std::less<>> others{"version",      "latency_ms", "status",    "trace_id",
                                                  "attributions", "boxes",      "image_size"};
  for (const auto& key : input.keys()) {
    const auto& first = key.path[0];
    const auto& column = key.field.name;
    if (!made.empty() && (first == kBoxObjects || first == kLabelObjects || first == "label" || first == "prediction" ||
                          first == "score" || first == "scores"))
      options.roles.ignore.push_back(column);
    else if (!made.empty() && first == kBoxCount)
      options.roles.prediction = column;
    else if (!made.empty() && first == kBoxScore)
      options.roles.scores.push_back(column);
    else if (key.path.size() == 1 && first == "timestamp")
      options.roles.timestamp = column;
    else if (key.path.size() == 1 && first == "prediction")
      options.roles.prediction = column;
    else if (key.path.size() == 1 && first == "label")
      options.roles.label = column;
    else if (key.path.size() == 1 && first == "id")
      options.roles.id = column;
    else if (first == "scores" || (key.path.size() == 1 && first == "score"))
      options.roles.scores.push_back(column);
    else if (first == "tags" || others.contains(first))
      options.roles.ignore.push_back(column);
  }
  if (!made.empty() && options.roles.prediction.empty())
    return fail(Code::kInput, fmt::format("task: {}, and no row of {} has \"boxes\"", to_string(*task), name));
  options.roles.features = config.features;
  options.roles.ignore.insert(options.roles.ignore.end(), config.ignore.begin(), config.ignore.end());
  options.segments = config.segments;
  std::vector<std::string> names;
  for (const auto& key : input.keys()) names.push_back(key.field.name);
  for (const auto& by : options.segments)
    for (const auto& column : by)
      if (std::find(names.begin(), names.end(), column) == names.end())
        return fail(Code::kInput, "segments: " + unknown_name("column", column, names, " in " + name));
  using enum engine::WindowSpec::Kind;
  if (config.window.kind != kNone && (!config.window.calendar() || !options.roles.timestamp.empty())) {
    options.window = config.window;
  } else if (!options.roles.timestamp.empty()) {
    for (auto kind : {kDay, kHour}) {
      auto spec = config.window;
      spec.kind = kind;
      VIGIE_ASSIGN(const auto windows, windows_of(input, options.roles.timestamp, spec));
      if (windows < kTellingWindows) continue;
      options.window = spec;
      break;
    }
  }
  VIGIE_ASSIGN(auto profile, engine::make_profile(input, options));
  engine::ScoreOptions scoring;
  scoring.label = options.roles.label, scoring.prediction = options.roles.prediction;
  scoring.scores = options.roles.scores;
  scoring.timestamp = options.roles.timestamp, scoring.window = options.window;
  scoring.segments = options.segments;
  scoring.positive = config.positive;
  if (task) scoring.task = *task;
  if (!made.empty()) {
    // Rows without labels say what is usual of boxes all the same.
    if (std::ranges::find(names, kLabelObjects) == names.end()) return profile;
    scoring.label = kLabelObjects, scoring.prediction = kBoxObjects, scoring.scores.clear();
  }
  VIGIE_TRY(engine::keep_scores(profile, input, std::move(scoring), !task));
  if (config.positive && !options.roles.label.empty() && !profile.scores)
    return fail(Code::kInput, fmt::format("positive: {}",
                                          profile.notes.empty() ? "there is no label to score" : profile.notes.back()));
  return profile;
}

}  // namespace vigie::server
