// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>

namespace vigie::detect {

/// A change that is known to be in a stream: indices of the first value of the new state, and of the last one of the
/// transition, equal for a sudden change.
struct Change {
  std::int64_t start = 0, end = 0;
};

/// How alarms fit the known changes, by the definitions of River's drift.evaluate (its delta_max is `within` here). An
/// alarm from a change's start to `within` values after its end is of that change, of the earliest one where several
/// have it; any other is false. NaN where there is nothing to average.
struct Scores {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  std::int64_t alarms = 0, false_alarms = 0;
  std::int64_t detected = 0;      ///< changes with an alarm
  double episode_recall = kNone;  ///< share of the changes that have an alarm
  double precision = kNone;       ///< share of the alarms that are of a change
  double mean_delay = kNone,
         median_delay = kNone;           ///< values from a change's start to its first alarm, of those detected
  double false_alarms_per_1000 = kNone;  ///< values of the stream
  double mean_time_between_false_alarms = kNone;  ///< in values; from two false alarms on
};

/// The scores of a detector, beside those of one that alarms at every value and of one that never does: a measure by
/// which one of these is good says little.
struct Evaluation {
  std::int64_t changes = 0, within = 0;
  Scores detector, always, never;
};

/// `alarms` and `changes` in ascending order, all below `observations`. `within` left open: half of the shortest way
/// from a change's end to the next change, or to the end of the stream, so that half of the stream counts for false
/// alarms; 1 at least. Time and memory: one pass over the observations, nothing kept of them.
Evaluation evaluate(std::span<const std::int64_t> alarms, std::span<const Change> changes, std::int64_t observations,
                    std::optional<std::int64_t> within = std::nullopt);

}  // namespace vigie::detect
