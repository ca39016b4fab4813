// SPDX-License-Identifier: Apache-2.0
#include "server/stream_specs.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/text.h"
#include "engine/score_reference.h"

namespace vigie::server {
namespace {

using engine::Role;
using engine::StreamSpec;
using table::Type;

constexpr std::string_view kFeatures = "features.";

bool numeric(const engine::ColumnProfile& column) {
  return column.source == Type::kBoolean || column.source == Type::kInteger || column.source == Type::kFloat;
}

bool watched(const engine::ColumnProfile& column) {
  return (column.role == Role::kFeature || column.role == Role::kScore) && numeric(column);
}

std::vector<const engine::ColumnProfile*> with_role(const engine::Profile& reference, Role role) {
  std::vector<const engine::ColumnProfile*> out;
  for (const auto& column : reference.columns)
    if (column.role == role) out.push_back(&column);
  return out;
}

const engine::ColumnProfile* column_of(const StreamSpec& spec, const engine::Profile& reference) {
  const auto scores = with_role(reference, Role::kScore);
  if (spec.on == engine::kScores && scores.size() == 1) return scores[0];
  const auto found = std::find_if(reference.columns.begin(), reference.columns.end(), [&](const auto& column) {
    return watched(column) && (column.name == spec.on || column.name == feature_of(spec) ||
                               column.name == std::string(kFeatures).append(spec.on));
  });
  return found == reference.columns.end() ? nullptr : &*found;
}

// Rows in 30 days; 0: not known.
double rate_of(const engine::Profile& reference) {
  using Kind = engine::WindowSpec::Kind;
  const auto kind = reference.window.kind;
  if (!reference.window.calendar() || reference.window_count == 0) return 0;
  const double minutes = static_cast<double>(reference.window.minutes);
  const double hours = kind == Kind::kMinutes ? minutes / 60
                       : kind == Kind::kHour  ? 1
                       : kind == Kind::kDay   ? 24
                       : kind == Kind::kWeek  ? 7 * 24
                                              : 30 * 24;
  const double windows = static_cast<double>(reference.window_count);
  // Where there were more windows than are kept, these say how many rows one has.
  const auto& kept = reference.quality_windows;
  if (reference.window_count >= static_cast<std::int64_t>(engine::kWindows) && !kept.empty()) {
    const auto rows = std::accumulate(kept.begin(), kept.end(), std::int64_t{0},
                                      [](auto sum, const auto& window) { return sum + window.rows; });
    return static_cast<double>(rows) / static_cast<double>(kept.size()) * 30 * 24 / hours;
  }
  return static_cast<double>(reference.rows) * 30 * 24 / (windows * hours);
}

}  // namespace

bool of_labels(const StreamSpec& spec) {
  return spec.on == engine::kErrors || spec.on == engine::kResiduals;
}

std::string_view feature_of(const StreamSpec& spec) {
  const std::string_view on = spec.on;
  return on.starts_with(kFeatures) ? on.substr(kFeatures.size()) : on;
}

std::string column_named(const StreamSpec& spec, const engine::Profile& reference) {
  const auto* column = of_labels(spec) ? nullptr : column_of(spec, reference);
  return column ? column->name : std::string();
}

Status check_streams(const StreamSpecs& specs, const engine::Profile& reference) {
  const auto predictions = with_role(reference, Role::kPrediction);
  const bool one_score = with_role(reference, Role::kScore).size() == 1;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const auto& spec = specs[i];
    const auto lacks = [&](std::string_view what) {
      return fail(Code::kInput,
                  fmt::format("detectors[{}].on: {} wants {}, and the reference has none", i, spec.on, what));
    };
    if (spec.on == engine::kErrors && predictions.empty() && !one_score) return lacks("a prediction, or one score");
    if (spec.on == engine::kResiduals &&
        std::none_of(predictions.begin(), predictions.end(), [](auto* column) { return numeric(*column); }))
      return lacks("a prediction that is a number");
    if (of_labels(spec) || column_of(spec, reference)) continue;
    std::vector<std::string> names{std::string(engine::kErrors), std::string(engine::kResiduals)};
    if (one_score) names.emplace_back(engine::kScores);
    for (const auto& column : reference.columns)
      if (watched(column)) names.push_back(column.name);
    return fail(Code::kInput, fmt::format("detectors[{}].on: {}", i, unknown_name("numeric feature", spec.on, names)));
  }
  return {};
}

StreamSpecs usual_streams(const engine::Profile* reference) {
  if (!reference || !reference->scores) return {};
  const auto& o = reference->scores->options;
  const bool classes = o.task == metric::Task::kBinary || o.task == metric::Task::kMulticlass;
  const bool residual = o.task == metric::Task::kRegression && !o.prediction.empty();
  const bool error = classes && (!o.prediction.empty() || (o.task == metric::Task::kBinary && o.scores.size() == 1));
  if (!residual && !error) return {};
  StreamSpecs out{{std::string(residual ? engine::kResiduals : engine::kErrors), std::string(engine::kUsualDetector)}};
  return check_streams(out, *reference) ? out : StreamSpecs();
}

engine::StreamReference stream_reference(const StreamSpec& spec, const engine::Profile* reference) {
  engine::StreamReference out;
  if (!reference) return out;
  out.rate = rate_of(*reference);
  const auto* column = of_labels(spec) ? nullptr : column_of(spec, *reference);
  if (column && !column->categorical()) out.bins = column->bins, out.bins.counts = column->whole().cells;
  return out;
}

}  // namespace vigie::server
