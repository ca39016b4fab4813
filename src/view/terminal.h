// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "engine/comparison.h"
#include "engine/inspection.h"
#include "engine/scorecard.h"

namespace vigie::view {

/// What the terminal can show. No line is wider than `width` cells (at least 40 are used).
struct TerminalOptions {
  int width = 80;
  bool colour = false;  ///< ANSI colours; meaning never hangs on them alone
  bool unicode = true;  ///< false: ASCII only, also in names
};

/// A comparison for people: the verdict in one sentence; the columns that changed (at most 20), gravest first, outputs
/// of the model apart from its inputs; those that did not; the windows as a strip; what was looked at. Ends in a
/// newline. Control characters in names and reasons are shown escaped.
std::string to_terminal(const engine::Comparison& comparison, const TerminalOptions& options);

/// A scorecard for people: the verdict; each metric with its interval, its rows, what a dummy gets, and its verdict; by
/// class, k or group; the confusion matrix; windows and segments. Ends in a newline.
std::string to_terminal(const engine::Scorecard& card, const TerminalOptions& options);

/// What `vigie check` found: the verdict in one sentence; what fails, then what warns (at most 20 of them); how many
/// checks passed; those that could not be made, by their reason; what was looked at.
std::string to_terminal(const engine::Inspection& inspection, const TerminalOptions& options);

enum class Align { kLeft, kRight };

/// A plain table: header, rule, rows. `alignments` are parallel to the header (missing ones are left). A row may be
/// shorter than the header. Where the table is wider than the terminal, its widest columns are cut with "…", in the
/// middle of the text; a last column that is left-aligned at its end.
std::string table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows,
                  const std::vector<Align>& alignments, const TerminalOptions& options);

}  // namespace vigie::view
