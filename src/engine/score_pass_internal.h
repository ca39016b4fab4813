// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/scorer_internal.h"
#include "engine/windows.h"
#include "table/table.h"

namespace vigie::engine {

/// What one pass over labelled data left behind, by window and segment.
struct ScorePass {
  std::vector<ScoreWindow> windows;  ///< by time; without verdicts
  std::optional<ScoreWindow> whole;  ///< all together, where there are several
  /// Joined into each of coarser_than() their kind, where ScoreOptions::keep_state asks for it.
  std::vector<std::vector<ScoreWindow>> coarser;
  std::vector<std::vector<CutWindow>> cut;  ///< parallel
  ScorePictures pictures;
  std::string state;  ///< of all rows, where ScoreOptions::keep_state asks for it and there are not too many
  std::int64_t rows = 0, without_time = 0;
  table::Problems problems;
  std::vector<std::string> notes;
};

/// Reads `data` once with a scorer. `misfits` becomes true when a column of classes was not of the type wanted: then
/// the result is worth nothing.
Result<ScorePass> score_pass(table::Input& data, Scorer& scorer, const ScoreOptions& options, bool& misfits);

}  // namespace vigie::engine
