// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "cli/task_options_internal.h"
#include "config/cost_file.h"
#include "engine/score_reference.h"

namespace vigie::cli {
namespace {

using metric::Task;

Result<Task> task_of(const std::string& name) {
  std::vector<std::string> names;
  for (const Task task : {Task::kBinary, Task::kMulticlass, Task::kRegression, Task::kRanking, Task::kText,
                          Task::kDetection, Task::kSegmentation}) {
    names.emplace_back(to_string(task));
    if (names.back() == name) return task;
  }
  return fail(Code::kUsage, fmt::format("--task: {} ({})", unknown_name("task", name, names), fmt::join(names, ", ")));
}

Result<std::vector<std::uint32_t>> ks_of(const std::string& given) {
  std::vector<std::uint32_t> ks;
  VIGIE_TRY(check_list("--k", given, "number"));
  for (const auto& part : split(given.empty() ? "5,10" : given)) {
    std::uint32_t k = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), k);
    if (error != std::errc() || end != part.data() + part.size() || k == 0)
      return fail(Code::kUsage,
                  fmt::format("--k: expected whole numbers from 1 up, as 5,10, and got {}", vigie::quoted(part)));
    if (std::find(ks.begin(), ks.end(), k) == ks.end()) ks.push_back(k);
  }
  return ks;
}

}  // namespace

void TaskOptions::add(CLI::App& app, bool required) {
  app.add_option("--task", task, "binary, multiclass, regression, ranking, text, detection or segmentation")
      ->type_name("TASK")
      ->required(required)
      ->group(required ? "Options" : kGroup);
  app.add_option("--threshold", threshold,
                 "binary: predicted positive at this score or above, where no --prediction says it; default 0.5")
      ->type_name("T")
      ->group(kGroup);
  app.add_option("--positive", positive, "binary: the positive class; else 1, true, yes, or the later of the two")
      ->type_name("V")
      ->group(kGroup);
  app.add_option("--cost-matrix", costs, "binary: file with [[tn, fp], [fn, tp]], the worth of a row")
      ->type_name("FILE")
      ->group(kGroup);
  app.add_option("--sensitive", sensitive, "binary: column between whose values fairness is measured")
      ->type_name("COL")
      ->group(kGroup);
  app.add_option("--group", group, "ranking, segmentation: column that says which list or image a row is of")
      ->type_name("COL")
      ->group(kGroup);
  app.add_option("--k", ks, "ranking: lengths of the lists' heads; default 5,10")->type_name("K[,K…]")->group(kGroup);
  app.add_option("--token-logprob", token_logprob, "text: column with the logarithms of the tokens' probabilities")
      ->type_name("COL")
      ->group(kGroup);
}

Result<engine::ScoreOptions> TaskOptions::read(const DataOptions& columns) const {
  if (!std::isfinite(threshold))
    return fail(Code::kUsage, fmt::format("--threshold: expected a number, got {}", threshold));
  engine::ScoreOptions out;
  if (!task.empty()) {
    VIGIE_ASSIGN(out.task, task_of(task));
  }
  VIGIE_ASSIGN(out.ks, ks_of(ks));
  if (!costs.empty()) {
    VIGIE_ASSIGN(out.costs, config::load_cost_file(costs));
  }
  out.label = columns.label, out.prediction = columns.prediction, out.scores = split(columns.score);
  out.positive = positive, out.threshold = threshold;
  out.group = group, out.token_logprob = token_logprob, out.sensitive = sensitive;
  return out;
}

Status add_scores(engine::Profile& profile, table::Input& rows, engine::ScoreOptions options, bool by_task) {
  if (!by_task) {
    const auto task = engine::likely_task(profile);
    if (!task) return {};
    options.task = *task;
  }
  auto scores = engine::store_scores(rows, options);
  if (scores) {
    profile.scores = std::move(*scores);
  } else if (by_task) {
    return std::move(scores.error());
  } else {
    profile.notes.push_back(fmt::format("how good predictions were is not kept: taken for --task {}, but {}",
                                        to_string(options.task), scores.error().message));
  }
  return {};
}

}  // namespace vigie::cli
