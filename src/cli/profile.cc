// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/output_internal.h"
#include "cli/remarks_internal.h"
#include "cli/task_options_internal.h"
#include "engine/score_reference.h"
#include "server/index_query.h"
#include "server/index_reference.h"

namespace vigie::cli {
namespace {

// What says how rows of a file are read says nothing of rows that are counted in a cluster.
Status check_indexed(const CLI::App& app, const std::string& data, const DataOptions& columns) {
  const auto nothing = [](std::string_view option, std::string_view why) {
    return fail(Code::kUsage, fmt::format("{}: {} where DATA is elastic(…)", option, why));
  };
  VIGIE_TRY(check_no_file(app, "DATA is elastic(…)"));
  VIGIE_ASSIGN(const auto time, time_of(data, ""));
  if (!columns.timestamp.empty() && columns.timestamp != time)
    return nothing("--timestamp", fmt::format("the time of rows is {}, or what time= says,", vigie::quoted(time)));
  return {};
}

}  // namespace

Command add_profile(CLI::App& program) {
  struct Options {
    std::vector<std::string> data;
    std::string output;
    bool merge = false;
    DataOptions columns;
    WindowOptions windows;
    TaskOptions task;
  };
  auto o = std::make_shared<Options>();
  auto* app =
      program.add_subcommand("profile", "reduce a reference to a small file with everything later commands need of it");
  app->footer(
      "Examples:\n  vigie profile train.csv -o train.vpf\n"
      "  vigie profile january.parquet --timestamp ts --window day -o january.vpf\n"
      "  vigie profile may.csv --label paid --score risk --task binary -o may.vpf\n"
      "  vigie profile --merge january.vpf february.vpf -o winter.vpf\n"
      "  vigie profile -o may.vpf --window day \\\n"
      "      'elastic(to=http://localhost:9200, index=logs-*, until=2026-06-01)'");
  app->add_option("DATA", o->data,
                  "file, quoted glob or - (with --merge: two profiles or more); or rows in Elasticsearch or "
                  "OpenSearch, which are counted there: 'elastic(to=URL, index=logs-*)'")
      ->required();
  app->add_option("-o,--output", o->output, "the profile to write; an existing file is never rewritten")
      ->type_name("FILE")
      ->required();
  app->add_flag("--merge", o->merge, "join profiles into one");
  o->columns.add(*app);
  o->windows.add(*app);
  o->task.add(*app, false);
  return {
      app, [o, app]() -> Result<int> {
        VIGIE_TRY(check_output(
            o->output,
            {.what = "a profile", .example = "reference.vpf", .instead = {}, .endings = {}, .replace = false}));
        VIGIE_TRY(o->columns.check());
        engine::Profile profile;
        if (o->merge) {
          if (o->data.size() < 2) return fail(Code::kUsage, "--merge: needs at least two profiles");
          // They say how DATA is read, which was done when the profiles were made.
          for (const auto* option : app->get_options())
            if (option->count() > 0 && option->get_group() != "Options")
              return fail(Code::kUsage, fmt::format("--merge: {} can only be given where a profile is made from data",
                                                    option->get_name()));
          for (std::size_t i = 0; i < o->data.size(); ++i) {
            VIGIE_ASSIGN(auto bytes, read_file(o->data[i]));
            VIGIE_ASSIGN(auto next, engine::load_profile(bytes, o->data[i]));
            if (i == 0) {
              profile = std::move(next);
            } else {
              VIGIE_ASSIGN(profile, engine::merge_profiles(profile, next));
            }
          }
        } else {
          if (o->data.size() != 1)
            return fail(Code::kUsage,
                        fmt::format("one DATA is read at a time: quote a pattern ('{}*') or use --merge for profiles",
                                    o->data[0]));
          VIGIE_ASSIGN(bool made, is_profile_file(o->data[0]));
          if (made)
            return fail(Code::kUsage, fmt::format("{}: is a profile already; --merge joins several", o->data[0]));
          if (server::is_indexed_rows(o->data[0])) VIGIE_TRY(check_indexed(*app, o->data[0], o->columns));
          VIGIE_ASSIGN(const auto time, time_of(o->data[0], o->columns.timestamp));
          VIGIE_ASSIGN(auto window, o->windows.spec(time));
          VIGIE_ASSIGN(auto scoring, o->task.read(o->columns));
          VIGIE_ASSIGN(auto reference, read_reference(o->data[0], o->columns, window, o->windows.by(), true));
          profile = std::move(reference.profile);
          scoring.window = window, scoring.segments = o->windows.by(), scoring.timestamp = o->columns.timestamp;
          scoring.threads = o->columns.threads;
          if (server::is_indexed_rows(o->data[0])) {
            VIGIE_ASSIGN(auto rows, server::make_indexed_rows(o->data[0], variable));
            VIGIE_TRY(server::keep_index_scores(profile, std::make_shared<server::IndexQuery>(std::move(rows)),
                                                std::move(scoring), o->task.task.empty()));
          } else if (reference.rows)
            VIGIE_TRY(engine::keep_scores(profile, *reference.rows, std::move(scoring), o->task.task.empty()));
        }
        say_problems(profile.problems);
        if (const auto line = mostly_unread({{profile.source, profile.rejected, profile.rows}}); !line.empty())
          say(line.substr(0, line.size() - 1));
        for (const auto& note : profile.notes) say(note);
        // Not kept: who compares may name the columns better.
        for (const auto& remark : remarks_on(profile)) say(remark);
        auto bytes = engine::save_profile(profile);
        VIGIE_TRY(write_output(o->output, bytes, false));
        VIGIE_ASSIGN(const auto kept, engine::load_profile(bytes, o->output));
        if (profile.scores && !kept.scores)
          say(fmt::format("{}: no room for how good predictions were: the names of the columns are too long",
                          o->output));
        const bool cut = kept.scores && kept.scores->options.classes != profile.scores->options.classes;
        if (cut)
          say(fmt::format(
              "{}: no room for the names of the classes, which are too long: other classes of later data go "
              "unnoticed",
              o->output));
        if (kept.scores && kept.scores->state.empty())
          say(
              fmt::format("{}: how good predictions were cannot be merged with other profiles later: {} to be kept row "
                          "by row",
                          o->output,
                          cut ? "the names of the classes are too long"
                              : fmt::format("{} are too many", plural(profile.rows, "row"))));
        if (kept.scores && kept.scores->reference.cut)
          say(fmt::format("{}: no room for {} metrics, of classes or segments: without them", o->output,
                          profile.scores->reference.metrics.size() - kept.scores->reference.metrics.size()));
        say(fmt::format(
            "{}: {}, {}{}{}, {} kB", o->output, plural(profile.rows, "row"),
            plural(static_cast<long long>(profile.columns.size()), "column"),
            profile.window_count ? ", " + plural(profile.window_count, "healthy window") : "",
            kept.scores ? fmt::format(", {} of --task {}",
                                      plural(static_cast<long long>(kept.scores->reference.metrics.size()), "metric"),
                                      to_string(kept.scores->options.task))
                        : "",
            (bytes.size() + 999) / 1000));
        return 0;
      }};
}

}  // namespace vigie::cli
