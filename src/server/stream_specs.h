// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/profile.h"
#include "engine/stream_detector.h"

namespace vigie::server {

using StreamSpecs = std::vector<engine::StreamSpec>;

/// Whether its values are there once labels came.
bool of_labels(const engine::StreamSpec& spec);
/// The key of `features` that it is of.
std::string_view feature_of(const engine::StreamSpec& spec);

/// The column of the reference that a detector looks at; empty: none, or errors.
std::string column_named(const engine::StreamSpec& spec, const engine::Profile& reference);

/// Whether a reference has those streams: Code::kInput names the nearest.
Status check_streams(const StreamSpecs& specs, const engine::Profile& reference);

/// The detectors of a model of which nobody said any: one on errors or residuals, where the reference says how good
/// predictions were. Each more would take its share of the false alarms, and features and scores are compared with the
/// reference window by window; errors are seen earlier by the value, where windows are days.
StreamSpecs usual_streams(const engine::Profile* reference);

/// What a reference says of one; null says nothing.
engine::StreamReference stream_reference(const engine::StreamSpec& spec, const engine::Profile* reference);

}  // namespace vigie::server
