// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/comparison.h"
#include "view/json_writer_internal.h"

namespace vigie::view {

/// Checks of data quality, one a check and column, by their worst verdict over the windows.
struct QualityCounts {
  std::int64_t pass = 0, warn = 0, fail = 0, no_data = 0;
  bool none() const { return pass + warn + fail + no_data == 0; }
};
QualityCounts quality_counts(const std::vector<engine::WindowResult>& windows);

/// Findings of one check that say the same of several columns or windows. Points into the windows.
struct Alike {
  const engine::QualityResult* first;     ///< of the worst verdict, and the farthest from what is expected
  std::size_t window;                     ///< that it is of
  std::vector<std::string_view> columns;  ///< empty: the table
  std::vector<std::size_t> windows;       ///< with a warning or a failure, rising
};
/// Those that fail, then those that warn, in the order of the checks.
std::vector<Alike> alike(const std::vector<engine::WindowResult>& windows);
/// Those of the same columns together, each group where its first is; what is not of a column stays alone.
std::vector<std::vector<Alike>> by_columns(std::vector<Alike> findings);
/// Where checks gave no verdict, by the reason, the commonest first.
std::vector<Alike> without_verdict(const std::vector<engine::WindowResult>& windows);

/// "in window 3 (…)", "in 2 of 12 windows, first in window 3 (…), worst in window 5 (…)"; empty where it is all of them
/// and the first is the worst.
std::string in_windows(const Alike& finding, const std::vector<engine::WindowResult>& windows);

void write_quality(Writer& out, const engine::QualityResult& result);

}  // namespace vigie::view
