// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "cli/command_internal.h"
#include "engine/scoring.h"

namespace vigie::cli {

/// Options that say what predictions are of, and how they are scored.
struct TaskOptions {
  static constexpr const char* kGroup = "Task";
  std::string task, costs, group, ks, token_logprob, sensitive;
  std::optional<std::string> positive;
  double threshold = .5;
  /// `required`: whether the command needs --task.
  void add(CLI::App& app, bool required);
  /// With the columns that have roles; without --task that of ScoreOptions.
  Result<engine::ScoreOptions> read(const DataOptions& columns) const;
};

}  // namespace vigie::cli
