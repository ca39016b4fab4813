// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cli/command_internal.h"
#include "cli/interrupt_internal.h"
#include "detect/evaluate.h"

namespace vigie::cli {

/// Takes values in their order, with the times of their rows (µs since 1970) where there is a column of times; false:
/// wants no more.
using TakeValues = std::function<bool(std::span<const double> values, std::span<const double> times)>;

/// What was read, once all of it was taken or an end was asked for.
struct ValuesRead {
  std::int64_t rejected = 0;  ///< lines or records left out
  bool interrupted = false;
};

/// The columns that the values of a stream come from. None named: lines of numbers.
struct ValueColumns {
  std::string value;              ///< numbers, true or false
  std::string label, prediction;  ///< both or none: 1 where they differ, or what `outcomes` says
  bool outcomes = false;          ///< 2·label + prediction, each of them 0 or 1, or true or false
  bool any() const { return !value.empty() || !label.empty(); }
};

/// Reads numbers, one a line, as they come. Says on standard error what is wrong with the first three lines that are
/// none.
Result<ValuesRead> read_lines(const std::string& data, const DataOptions& options, const CatchSignals& signals,
                              const TakeValues& take);
/// Reads columns of a table in the order of its rows.
Result<ValuesRead> read_columns(const std::string& data, const DataOptions& options, const ValueColumns& columns,
                                const CatchSignals& signals, const TakeValues& take);
/// Known changes: a list of indices, one a line, or a table with a column `index` or `start` (else its first one) and
/// perhaps `end` or `width`. Sorted.
Result<std::vector<detect::Change>> read_changes(const std::string& path);

}  // namespace vigie::cli
