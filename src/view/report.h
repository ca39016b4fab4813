// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "engine/comparison.h"
#include "engine/inspection.h"
#include "engine/scorecard.h"

namespace vigie::view {

/// A comparison as one self-contained HTML page: opens from disk, asks the network for nothing (its content security
/// policy forbids it), reads and prints without JavaScript, which only adds filter, sorting, theme, keys and tooltips.
/// Summaries, never rows. Always below 1.5 MB: columns are drawn in full gravest first, at most 60 of them, the others
/// are rows of a table. All names and texts are escaped.
std::string to_report(const engine::Comparison& comparison);

/// A scorecard as such a page: metrics, the confusion matrix, what its pictures hold, windows and segments.
std::string to_report(const engine::Scorecard& card);

/// What `vigie check` found as such a page: what warns or fails, gravest first, then how many checks passed.
std::string to_report(const engine::Inspection& inspection);

}  // namespace vigie::view
