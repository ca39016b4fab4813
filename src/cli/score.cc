// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>

#include "base/file.h"
#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/output_internal.h"
#include "cli/remarks_internal.h"
#include "cli/task_options_internal.h"
#include "engine/score_images.h"
#include "engine/score_reference.h"
#include "engine/scoring.h"
#include "view/json.h"
#include "view/report.h"

namespace vigie::cli {
namespace {

using metric::Task;

struct Options {
  std::string data, reference, output, fail_on, ground_truth, detections, metrics;
  double alpha = .05;
  bool json = false, writes = false, masks = false;
  TaskOptions task;
  DataOptions columns;
  WindowOptions windows;
  LevelOptions levels;
};

constexpr std::string_view kEndings[] = {".html", ".json"};
constexpr Output kReport{
    .what = "a report", .example = "report.html", .instead = "--json writes to standard output", .endings = kEndings};

// What can be told before any data is read.
Result<engine::ScoreOptions> read_options(const Options& o) {
  const std::vector<std::string> grades = {"warning", "drift", "no_data"};
  VIGIE_TRY(check_list("--fail-on", o.fail_on, "verdict"));
  for (const auto& grade : split(o.fail_on))
    if (std::find(grades.begin(), grades.end(), grade) == grades.end())
      return fail(Code::kUsage,
                  fmt::format("--fail-on: {} (warning, drift, no_data)", unknown_name("verdict", grade, grades)));
  if (!o.fail_on.empty() && o.reference.empty())
    return fail(Code::kUsage, "--fail-on: needs --reference DATA, without which there is nothing to have moved from");
  if (!(o.alpha > 0 && o.alpha < 1))
    return fail(Code::kUsage, fmt::format("--alpha: expected a level between 0 and 1, got {}", o.alpha));
  VIGIE_TRY(o.columns.check(true));
  if (o.writes) {
    VIGIE_TRY(check_output(o.output, kReport));
    VIGIE_TRY(check_not_input(o.output, o.data, "the data"));
    VIGIE_TRY(check_not_input(o.output, o.reference, "the reference"));
  }
  VIGIE_ASSIGN(auto out, o.task.read(o.columns));
  VIGIE_ASSIGN(out.window, o.windows.spec(o.columns.timestamp));
  for (const auto& [given, option] :
       {std::pair{&o.columns.weight, "--weight"}, std::pair{&o.columns.features, "--features"},
        std::pair{&o.columns.ignore, "--ignore"}})
    if (!given->empty()) say(fmt::format("{} {}: has no effect on score, every row counts once", option, *given));
  out.alpha = o.alpha;
  VIGIE_ASSIGN(out.levels, o.levels.read());
  if (out.levels && o.reference.empty())
    return fail(Code::kUsage, "--watch: needs --reference DATA, without which there is nothing to have moved from");
  VIGIE_TRY(check_list("--metric", o.metrics, "metric"));
  out.metrics = split(o.metrics);
  out.timestamp = o.columns.timestamp, out.segments = o.windows.by();
  out.threads = o.columns.threads, out.version = kVersion;
  out.pictures = o.output.ends_with(".html");
  return out;
}

Result<engine::Scorecard> scored(const Options& o, engine::ScoreOptions& options) {
  if (o.data.empty())
    return fail(Code::kUsage, "DATA is needed: the file with labels and predictions (vigie score --help)");
  std::unique_ptr<table::Input> reference;
  std::optional<engine::Profile> profile;
  VIGIE_ASSIGN(auto data, o.columns.open(o.data));
  if (!o.reference.empty()) {
    if (o.reference == "-" && o.data == "-")
      return fail(Code::kUsage, "- and --reference -: standard input can be only one of them");
    VIGIE_ASSIGN(bool made, is_profile_file(o.reference));
    if (made) {
      VIGIE_ASSIGN(auto bytes, read_file(o.reference));
      VIGIE_ASSIGN(profile, engine::load_profile(bytes, o.reference));
      if (!profile->scores)
        return fail(Code::kUsage,
                    fmt::format("--reference {}: holds no scores; make it again with --label and --score or "
                                "--prediction, or give the labelled data",
                                o.reference));
    } else {
      VIGIE_ASSIGN(reference, o.columns.open(o.reference));
    }
  }
  std::string remark;
  if (!options.timestamp.empty()) {
    VIGIE_ASSIGN(remark, check_times(*data, options.timestamp));
  }
  ProgressBar bar("scoring");
  options.progress = bar.callback();
  auto card = engine::score(
      *data, {.rows = reference.get(), .profile = profile ? &*profile : nullptr, .name = o.reference}, options);
  if (card) add_note(card->notes, remark);
  return card;
}

// COCO files instead of a table; options of the columns of a table have no meaning there.
Result<engine::Scorecard> scored_images(const Options& o, const engine::ScoreOptions& options, const CLI::App& app) {
  for (const auto& [given, option] :
       {std::pair{&o.ground_truth, "--ground-truth"}, std::pair{&o.detections, "--detections"}})
    if (given->empty())
      return fail(Code::kUsage, fmt::format("--task {}: needs {} FILE, a COCO file", o.task.task, option));
  const std::vector<std::string> known = {"--task",      "--ground-truth", "--detections", "--threshold", "--json",
                                          "--output",    "--metric",       "--threads",    "--strict",    "--masks",
                                          "--reference", "--window-rows",  "--window",     "--timezone",  "--segment",
                                          "--alpha",     "--fail-on",      "--timestamp",  "--watch",     "--major"};
  for (const auto* option : app.get_options()) {
    const auto name = option->get_name().substr(option->get_name().rfind(',') + 1);
    if (option->count() > 0 && std::find(known.begin(), known.end(), name) == known.end())
      return fail(Code::kUsage, fmt::format("{}: has no meaning beside --ground-truth, which is a COCO file", name));
  }
  const auto reference = split(o.reference);
  if (!o.reference.empty() && reference.size() != 2)
    return fail(Code::kUsage, fmt::format("--reference {}: expected two COCO files, TRUTH,DETECTIONS", o.reference));
  ProgressBar bar("scoring");
  auto scoring = options;
  scoring.progress = bar.callback();
  return engine::score_images(
      {.ground_truth = o.ground_truth, .detections = o.detections},
      reference.empty() ? std::nullopt : std::optional(engine::ImageFiles{reference[0], reference[1]}),
      {.masks = o.masks, .strict = o.columns.strict}, scoring);
}

// Options that have a default, so that the engine cannot tell whether they were given.
Status check_defaulted(const CLI::App& app, const engine::ScoreOptions& options) {
  const auto task = options.task;
  const auto unknown = [&](std::string_view option, std::string_view tasks) {
    return fail(Code::kUsage, fmt::format("{}: --task {} has no use for it, {} has", option, to_string(task), tasks));
  };
  const bool images = task == Task::kDetection || task == Task::kSegmentation;
  if (app.count("--k") > 0 && task != Task::kRanking) return unknown("--k", "ranking");
  if (app.count("--threshold") == 0) return {};
  if (task != Task::kBinary && !images) return unknown("--threshold", "binary, detection or segmentation");
  if (task == Task::kBinary && options.scores.empty())
    say("--threshold: has no effect without --score");
  else if (task == Task::kBinary && !options.prediction.empty())
    say("--threshold: has no effect beside --prediction, which says what was decided on");
  return {};
}

Result<int> run(const Options& o, const CLI::App& app) {
  VIGIE_ASSIGN(auto options, read_options(o));
  VIGIE_TRY(check_defaulted(app, options));
  if (o.masks && options.task != Task::kDetection)
    return fail(Code::kUsage, fmt::format("--masks: --task {} has no use for it, detection has", o.task.task));
  const bool images = options.task == Task::kDetection || !o.ground_truth.empty() || !o.detections.empty();
  if (images && options.task != Task::kDetection && options.task != Task::kSegmentation)
    return fail(
        Code::kUsage,
        fmt::format("--ground-truth: --task {} has no use for it, detection and segmentation have", o.task.task));
  VIGIE_ASSIGN(auto card, images ? scored_images(o, options, app) : scored(o, options));
  say_problems(card.problems);
  if (o.writes) {
    const bool json = o.output.ends_with(".json");
    VIGIE_TRY(write_output(o.output, json ? view::to_json(card) : view::to_report(card), true));
  }
  print(o.json ? view::to_json(card)
               : mostly_unread({{card.source, card.rejected - card.rejected_reference, card.summary.rows.rows},
                                {card.reference.value_or(""), card.rejected_reference, card.rows_reference}}) +
                     view::to_terminal(card, terminal()));
  if (o.writes) say(fmt::format("wrote {}", o.output));
  const auto grades = split(o.fail_on);
  const auto named = [&](std::string_view grade) {
    return std::find(grades.begin(), grades.end(), grade) != grades.end();
  };
  const auto verdict = card.summary.verdict;
  return (named("warning") && verdict >= engine::Verdict::kWarning) ||
                 (named("drift") && verdict == engine::Verdict::kDrift) ||
                 (named("no_data") && verdict == engine::Verdict::kNoData)
             ? 1
             : 0;
}

}  // namespace

Command add_score(CLI::App& program) {
  auto o = std::make_shared<Options>();
  auto* app = program.add_subcommand(
      "score", "how good predictions were, with intervals, beside a dummy and against a reference");
  app->footer(
      "Examples:\n  vigie score today.csv --task binary --label paid --score risk --positive no\n"
      "  vigie score today.csv --task multiclass --label kind --score p_cat,p_dog,p_fox\n"
      "  vigie score june.parquet --task regression --label fare --prediction guess \\\n"
      "      --timestamp ts --window day --reference may.parquet -o report.html\n"
      "  vigie score clicks.csv --task ranking --label clicked --score s \\\n"
      "      --group query --k 5,10\n"
      "  vigie score --task detection --ground-truth truth.json --detections found.json\n\n"
      "With both --score and --prediction, accuracy and what else needs a decision\n"
      "reads the prediction, the others the score; without --prediction --threshold,\n"
      "or the highest score, decides.\n\n"
      "Exit status: 0 done; 1 done, and what --fail-on names was found; 2 bad input or\nusage.");
  app->add_option("DATA", o->data, "file, quoted glob or -: labels beside predictions");
  app->add_option("--metric", o->metrics, "only these metrics, comma separated; see vigie list metrics")
      ->type_name("M[,M…]");
  app->add_option("--reference", o->reference,
                  "DATA of when the model was well, or a profile of it: gives each metric a verdict")
      ->type_name("DATA|VPF");
  app->add_option("-o,--output", o->output, "write a report: .html for people, .json for programs")->type_name("FILE");
  app->add_flag("--json", o->json, "one JSON document instead of tables");
  app->add_option("--fail-on", o->fail_on,
                  "exit status 1 when found: warning, drift, no_data (nothing could be judged)")
      ->type_name("VERDICT");
  app->add_option("--alpha", o->alpha, "false-discovery level of a window; default 0.05")->type_name("A");
  o->levels.add(*app, "0.1 of its lead over the dummy; a loss: 0.5 of what it was", "0.25 of the lead; a loss: 1");
  o->task.add(*app, true);
  const char* task = TaskOptions::kGroup;
  app->add_option("--ground-truth", o->ground_truth, "detection, segmentation: COCO file with the truth")
      ->type_name("FILE")
      ->group(task);
  app->add_option("--detections", o->detections, "detection, segmentation: COCO file with the model's results")
      ->type_name("FILE")
      ->group(task);
  app->add_flag("--masks", o->masks, "detection: how far masks overlap, not boxes")->group(task);
  o->columns.add(*app);
  o->windows.add(*app);
  return {app, [o, app] {
            o->writes = app->count("--output") > 0;
            return run(*o, *app);
          }};
}

}  // namespace vigie::cli
