// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "detect/detect.h"
#include "detect/evaluate.h"
#include "view/terminal.h"

namespace vigie::view {

/// An alarm of a stream detector, with the times of its rows where there is a column of times: microseconds since
/// 1970, NaN for a row without one.
struct TimedAlarm {
  detect::Alarm alarm;
  bool timed = false;
  double time = 0, onset_time = 0;
};

/// What `vigie detect` says at the end.
struct Detection {
  std::string detector;
  std::int64_t observations = 0, drifts = 0, warnings = 0;
  std::int64_t skipped = 0;   ///< of the observations: values that the detector has no use for
  std::int64_t rejected = 0;  ///< records that could not be read, which are no observations
  /// Values at least that the detector would have needed before it could raise an alarm: it is still learning.
  std::int64_t to_learn = 0;
  bool interrupted = false;
  std::optional<detect::Evaluation> evaluation{};
};

/// One JSON object in one line, without a newline. Keys and their order are a contract with programs; more may be
/// added, none goes. Numbers that do not exist are null.
std::string to_json(const TimedAlarm& alarm);
std::string to_json(const Detection& detection);

/// The same for people: one line of an alarm; at the end a line, and a table of the evaluation.
std::string to_terminal(const TimedAlarm& alarm, const TerminalOptions& options);
std::string to_terminal(const Detection& detection, const TerminalOptions& options);
/// A line of several warnings that came after one already shown and before anything else.
std::string more_warnings(std::int64_t count, const TimedAlarm& last, const TerminalOptions& options);

}  // namespace vigie::view
