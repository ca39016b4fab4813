// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "engine/comparison.h"
#include "engine/profile.h"
#include "engine/tally.h"

namespace vigie::engine {

/// Levels of effect from which a change is worth a look and worth a night.
struct Levels {
  double watch, major;
};
inline constexpr Levels kSdLevels{0.1, 0.25};      ///< reference standard deviations
inline constexpr Levels kShareLevels{0.05, 0.15};  ///< share of rows

struct CompareOptions {
  WindowSpec window;
  std::vector<SegmentBy> segments;
  double alpha = 0.05;           ///< false-discovery level of one window
  std::optional<Levels> levels;  ///< instead of both defaults
  std::uint64_t seed = 1;
  unsigned threads = 0;
  Progress progress;
  std::string version;
};

/// Compares a data set with a reference: one pass over the current data, then a verdict per window. The only place
/// where scores become verdicts. Errors: unreadable data, no column in common, segments the profile does not have.
Result<Comparison> compare(const Profile& reference, table::Input& current, const CompareOptions& options);

}  // namespace vigie::engine
