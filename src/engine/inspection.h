// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/expectation.h"
#include "engine/comparison.h"
#include "engine/profile.h"
#include "engine/quality_reference.h"
#include "table/table.h"

namespace vigie::engine {

struct InspectOptions {
  Roles roles;
  WindowSpec window;
  std::vector<Expectation> rules;
  std::string rules_path;  ///< for messages
  quality::RunOptions checks;
  double now =
      std::numeric_limits<double>::quiet_NaN();  ///< µs since 1970: how old the last row may be; NaN: not asked
  unsigned threads = 0;
  Progress progress;
  std::string version;
};

/// Everything that `check` found. The views draw this and nothing else.
struct Inspection {
  std::string version;
  Side data;
  std::optional<Side> reference;
  std::vector<WindowResult> windows;  ///< their `quality`; no columns, no verdict
  double alpha = 0;
  std::int64_t rejected = 0;          ///< records of DATA that could not be read
  std::vector<std::string> problems;  ///< the first of them
  std::vector<std::string> notes;
  struct Summary {
    std::string verdict = "no_data";  ///< the gravest: "fail", "warn", "pass"
    /// One a check and column, by its worst verdict over the windows.
    std::int64_t checks = 0, pass = 0, warn = 0, fail = 0, no_data = 0;
  } summary;
  /// Whether most checks could not be made, though there is a reference: too few rows, nearly always.
  bool mostly_unmade() const { return reference && summary.no_data > summary.pass + summary.warn + summary.fail; }
};

/// Reads a reference for the checks: all of its rows, and the rows of its healthy windows.
Result<QualityReference> learn_quality(table::Input& input, const InspectOptions& options);

/// Checks the quality of a data set, window by window, against a reference if there is one and against rules. `current`
/// is to be opened with the reference's types as its schema: a cell that does not fit is then a mismatch, and not the
/// end of a column's type.
/// One pass over the data, and for calendar windows one over the times before it, so that a window is done and
/// forgotten when its last row is read. Memory: the windows that are open at a time, one where rows come in time order.
/// Errors: unreadable data, no column in common, unknown columns, a regex that is none.
Result<Inspection> inspect(table::Input& current, const QualityReference* reference, const InspectOptions& options);

}  // namespace vigie::engine
