// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "view/governance.h"

namespace vigie::view {

/// What the page and the JSON count alike.
struct GovernanceCounts {
  std::int64_t windows = 0, judged = 0, maintenance = 0, warning = 0, drift = 0, rows = 0, labelled = 0, condensed = 0;
  std::int64_t scored = 0, score_warning = 0, score_drift = 0, preliminary = 0;
  std::int64_t incidents = 0, critical = 0, open = 0, answered = 0, false_alarms = 0;
  std::optional<std::int64_t> to_answer, to_resolve;  ///< medians, µs
  double expected_false = 0;                          ///< alarms in that time, as it was borne with
  double coverage() const { return rows > 0 ? static_cast<double>(labelled) / static_cast<double>(rows) : 0; }
};
GovernanceCounts counts_of(const Governance& report);

/// A metric over the windows with its intervals, and the reference's line: 360 × 150; empty without a value.
std::string governance_chart(const Governance& report, const Governance::Metric& metric);

/// "2026-05-31 14:00"; "–" of 0.
std::string minute_text(std::int64_t micros);

}  // namespace vigie::view
