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

/// How good predictions were, where roles or --task say that there are such. Where it is only guessed that the columns
/// are of a task, what they lack for it is a note.
Status add_scores(engine::Profile& profile, table::Input& rows, engine::ScoreOptions options, bool by_task);

}  // namespace vigie::cli
