// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/list_internal.h"
#include "cli/output_internal.h"
#include "cli/remarks_internal.h"
#include "drift/compat.h"
#include "drift/drift.h"
#include "server/index_counts.h"
#include "view/json.h"
#include "view/report.h"

namespace vigie::cli {
namespace {

struct Options {
  std::string reference, current, output, fail_on, compat;
  double alpha = 0.05;
  std::vector<std::string> methods;
  bool json = false, writes = false;
  const CLI::App* app = nullptr;
  DataOptions columns;
  WindowOptions windows;
  LevelOptions levels;
};

constexpr std::string_view kEndings[] = {".html", ".json"};
constexpr Output kReport{
    .what = "a report", .example = "report.html", .instead = "--json writes to standard output", .endings = kEndings};

std::string method_of(const std::string& given) {
  auto at = given.rfind('=');
  return at == std::string::npos ? given : given.substr(at + 1);
}

std::string column_of(const std::string& given) {
  auto at = given.rfind('=');
  return at == std::string::npos ? std::string() : given.substr(0, at);
}

// What can be told before any data is read.
Status check(const Options& o) {
  const std::vector<std::string> grades = {"warning", "drift", "fail", "no_data"};
  VIGIE_TRY(check_list("--fail-on", o.fail_on, "verdict"));
  for (const auto& grade : split(o.fail_on))
    if (std::find(grades.begin(), grades.end(), grade) == grades.end())
      return fail(Code::kUsage,
                  fmt::format("--fail-on: {} (warning, drift, fail, no_data)", unknown_name("verdict", grade, grades)));
  if (o.reference == "-" && o.current == "-")
    return fail(Code::kUsage, "--reference - --current -: standard input can be only one of them");
  if (!(o.alpha > 0 && o.alpha < 1))
    return fail(Code::kUsage, fmt::format("--alpha: expected a level between 0 and 1, got {}", o.alpha));
  VIGIE_TRY(o.levels.read());
  std::vector<std::string> known = {"auto", "all"};
  if (o.compat.empty()) {
    for (const auto* m : drift::methods()) known.emplace_back(m->name);
  } else {
    VIGIE_ASSIGN(const auto* peer, peer_named(o.compat));
    for (const auto& m : peer->methods) known.emplace_back(m.name);
  }
  for (const auto& m : o.methods) {
    if (std::find(known.begin(), known.end(), method_of(m)) != known.end()) continue;
    return fail(Code::kUsage,
                fmt::format("--method: {} ({})", unknown_name("method", method_of(m), known), fmt::join(known, ", ")));
  }
  VIGIE_TRY(o.columns.check());
  if (!o.writes) return {};
  VIGIE_TRY(check_output(o.output, kReport));
  VIGIE_TRY(check_not_input(o.output, o.reference, "the reference"));
  return check_not_input(o.output, o.current, "the current data");
}

// Columns named by options that are looked at only now.
Status check_methods(const Options& o, const engine::Profile& reference) {
  std::vector<std::string> names;
  for (const auto& c : reference.columns) names.push_back(c.name);
  // Why one is not counted there is among its notes.
  if (server::is_indexed_rows(o.reference))
    for (const auto& f : reference.others)
      if (std::ranges::any_of(reference.notes, [noted = vigie::quoted(f.name) + " is not compared"](const auto& note) {
            return note.find(noted) != note.npos;
          }))
        names.push_back(f.name);
  for (const auto& m : o.methods) {
    auto name = column_of(m);
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
      return fail(Code::kUsage, fmt::format("--method: {}", unknown_name("column", name, names, " in " + o.reference)));
  }
  return {};
}

Status check_time(const Options& o, const engine::Profile& reference, const engine::WindowSpec& window,
                  table::Input& current) {
  // The reference may be a profile that does not know the current data's time.
  const bool indexed = server::is_indexed_rows(o.reference), said = !o.columns.timestamp.empty();
  const auto& time = said || !indexed || !window.calendar() ? o.columns.timestamp : reference.timestamp;
  const bool known = time.empty() || (!indexed && std::any_of(reference.others.begin(), reference.others.end(),
                                                              [&](const auto& f) { return f.name == time; }));
  if (known) return {};
  VIGIE_ASSIGN(auto reader, current.open());
  std::vector<std::string> names;
  for (const auto& f : reader->schema()) names.push_back(f.name);
  if (std::find(names.begin(), names.end(), time) != names.end()) return {};
  if (!said)
    return fail(Code::kUsage, fmt::format("{}: no column {}, which is the time in the index: --timestamp COL",
                                          o.current, vigie::quoted(time)));
  return fail(Code::kUsage, fmt::format("--timestamp: {}", unknown_name("column", time, names, " in " + o.current)));
}

// For people, beside what the engine remarks.
Result<std::vector<std::string>> remarks_of(const Options& o, const engine::Profile& reference, table::Input& current) {
  auto remarks = remarks_on(reference);
  if (!o.columns.timestamp.empty()) {
    VIGIE_ASSIGN(auto remark, check_times(current, o.columns.timestamp));
    add_note(remarks, remark);
  }
  VIGIE_ASSIGN(auto reader, current.open());
  table::Schema before;
  std::vector<std::string> besides;
  for (const auto& c : reference.columns) before.push_back({c.name, c.source});
  for (const auto& f : reference.others) besides.push_back(f.name);
  for (const auto& question : renamed(before, besides, reader->schema(), current.name())) add_note(remarks, question);
  add_note(remarks, windows_to_have(reference));
  return remarks;
}

// Whether what --fail-on names was found.
bool found(const engine::Comparison& comparison, const std::vector<std::string>& grades) {
  auto named = [&](std::string_view grade) { return std::find(grades.begin(), grades.end(), grade) != grades.end(); };
  auto verdict = comparison.summary.verdict;
  bool failed = std::any_of(comparison.windows.begin(), comparison.windows.end(), [](const auto& w) {
    return std::any_of(w.quality.begin(), w.quality.end(), [](const auto& q) { return q.verdict == "fail"; });
  });
  return (named("warning") && verdict >= engine::Verdict::kWarning) ||
         (named("drift") && verdict == engine::Verdict::kDrift) || (named("fail") && failed) ||
         (named("no_data") && verdict == engine::Verdict::kNoData);
}

// Leaves out methods of columns that are not compared; why they are not is among the notes.
void keep_compared(std::vector<engine::MethodChoice>& methods, const engine::Profile& reference) {
  std::erase_if(methods, [&](const auto& choice) {
    return !choice.column.empty() &&
           std::ranges::find(reference.columns, choice.column, &engine::ColumnProfile::name) == reference.columns.end();
  });
}

// Rows that lie in a cluster are counted there.
Result<engine::Comparison> compare_there(server::IndexedRows rows, const engine::Profile& reference,
                                         engine::CompareOptions options, std::vector<std::string>& remarks) {
  const auto name = rows.index;
  VIGIE_ASSIGN(const auto there, server::IndexCounts::make(std::make_shared<server::IndexQuery>(std::move(rows)),
                                                           reference, options.segments));
  options.reference_rows = nullptr;
  keep_compared(options.methods, there->reference());
  if (options.compat)
    return fail(Code::kUsage, "--compat: follows rules that need the rows, which stay in the cluster");
  options.segments.assign(there->reference().segmentations.begin() + 1, there->reference().segmentations.end());
  VIGIE_ASSIGN(const auto comparer, engine::Comparer::make(there->reference(), options));
  VIGIE_ASSIGN(const auto counted, there->count(options.window, options.progress));
  engine::CurrentData data{name, there->columns(), {}};
  data.labels_later = true;
  // What is not compared is there as well, as far as anybody knows, and not looked at.
  for (const auto& field : there->reference().others) data.columns.push_back(field);
  VIGIE_ASSIGN(auto out, comparer->judge(data, counted));
  for (const auto& note : there->notes()) add_note(remarks, note);
  // As a file's that lacks a column, or has it otherwise.
  for (auto& window : out.windows) {
    std::erase_if(window.quality, [](const auto& q) {
      return std::ranges::find(server::kWithoutOrder, q.check) != std::end(server::kWithoutOrder);
    });
    for (const auto& [column, expected, why] : there->unlike())
      window.quality.push_back({"schema", column, std::numeric_limits<double>::quiet_NaN(), expected, "fail", why,
                                std::numeric_limits<double>::quiet_NaN()});
  }
  add_note(remarks, fmt::format("{}: counted where it is: {}", name,
                                there->reference().quality
                                    ? "of data quality everything but the order of rows, gaps of time and repeated ids"
                                    : "data quality was not checked, as the reference has nothing for it"));
  return out;
}

Result<int> run(const Options& o) {
  VIGIE_TRY(check(o));
  std::optional<server::IndexedRows> there;
  if (server::is_indexed_rows(o.current)) {
    VIGIE_ASSIGN(there, server::make_indexed_rows(o.current, variable));
    VIGIE_ASSIGN(const auto made, is_profile_file(o.reference));
    if (made || server::is_indexed_rows(o.reference))
      VIGIE_TRY(
          check_no_file(*o.app, fmt::format("--current is elastic(…) and --reference {}", made ? "a profile" : "too")));
  } else if (const auto bracket = o.current.find('(');
             bracket != o.current.npos && ::access(o.current.c_str(), F_OK) != 0) {
    const std::vector<std::string> known{"elastic"};
    const auto unknown = unknown_name("source", o.current.substr(0, bracket), known);
    if (unknown.find("did you mean") != unknown.npos) return fail(Code::kUsage, "--current: " + unknown);
  }
  VIGIE_ASSIGN(auto time, time_of(o.current, o.columns.timestamp));
  VIGIE_ASSIGN(time, time_of(o.reference, time));
  VIGIE_ASSIGN(auto window, o.windows.spec(time));
  VIGIE_ASSIGN(auto read, read_reference(o.reference, o.columns, window, o.windows.by(), false));
  auto& reference = read.profile;
  const auto& named = o.columns.timestamp;
  const auto is_named = [&](const auto& column) { return column.name == named; };
  if (there && !named.empty() && named != there->time && !std::ranges::any_of(reference.columns, is_named) &&
      !std::ranges::any_of(reference.others, is_named))
    return fail(Code::kUsage, fmt::format("--timestamp: the time of rows is {}, or what time= says, where --current is "
                                          "elastic(…)",
                                          vigie::quoted(there->time)));
  VIGIE_TRY(check_methods(o, reference));
  // An index may call the time otherwise than a file.
  if (!there && !named.empty() && server::is_indexed_rows(o.reference)) reference.timestamp = named;
  std::unique_ptr<table::Input> current;
  auto remarks = remarks_on(reference);
  if (!there) {
    VIGIE_ASSIGN(current, o.columns.open(o.current));
    VIGIE_TRY(check_time(o, reference, window, *current));
    VIGIE_ASSIGN(remarks, remarks_of(o, reference, *current));
  }
  engine::CompareOptions options;
  options.window = window, options.segments = o.windows.by(), options.alpha = o.alpha;
  options.threads = o.columns.threads, options.version = kVersion;
  VIGIE_ASSIGN(options.levels, o.levels.read());
  // What an index counts has no rows for methods that need them.
  if (!server::is_indexed_rows(o.reference)) options.reference_rows = read.rows.get();
  if (!o.compat.empty()) options.compat = drift::find_peer(o.compat);
  for (const auto& given : o.methods) options.methods.push_back({column_of(given), method_of(given)});
  keep_compared(options.methods, reference);
  Result<engine::Comparison> compared = [&] {
    ProgressBar bar("comparing");
    options.progress = bar.callback();
    return there ? compare_there(std::move(*there), reference, options, remarks)
                 : engine::compare(reference, *current, options);
  }();
  if (!compared) return std::move(compared.error());
  auto& comparison = *compared;
  for (const auto& remark : remarks) add_note(comparison.notes, remark);
  // The current data are what is looked at: what is wrong with them comes first.
  auto of_reference = std::min(reference.problems.size(), comparison.problems.size());
  std::rotate(comparison.problems.begin(), comparison.problems.begin() + static_cast<std::ptrdiff_t>(of_reference),
              comparison.problems.end());
  auto text = [](const auto& value) {
    return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  };
  comparison.options = {{"alpha", fmt::format("{}", o.alpha)},
                        {"window", text(engine::to_string(window))},
                        {"method", o.methods.empty() ? "\"auto\"" : text(o.methods)},
                        {"seed", "1"}};
  if (!comparison.compat.empty()) comparison.options.emplace_back("compat", text(comparison.compat));
  if (!o.windows.segments.empty()) comparison.options.emplace_back("segment", text(o.windows.segments));
  if (options.levels) {
    comparison.options.emplace_back("watch", fmt::format("{}", options.levels->watch));
    comparison.options.emplace_back("major", fmt::format("{}", options.levels->major));
  }
  say_problems(comparison.problems);

  if (o.writes) {
    bool json = o.output.ends_with(".json");
    VIGIE_TRY(write_output(o.output, json ? view::to_json(comparison) : view::to_report(comparison), true));
  }
  if (o.json)
    print(view::to_json(comparison));
  else
    print(mostly_unread({{comparison.current.source, comparison.rejected - reference.rejected, comparison.current.rows},
                         {reference.source, reference.rejected, reference.rows}}) +
          view::to_terminal(comparison, terminal()));
  if (o.writes) say(fmt::format("wrote {}", o.output));
  return found(comparison, split(o.fail_on)) ? 1 : 0;
}

}  // namespace

Command add_compare(CLI::App& program) {
  auto o = std::make_shared<Options>();
  auto* app = program.add_subcommand(
      "compare", "what changed between a reference and current data, how much, and whether it matters");
  app->footer(
      "Examples:\n  vigie compare --reference train.csv --current today.csv\n"
      "  vigie compare --reference train.vpf --current 'june/*.parquet' \\\n"
      "      --timestamp ts --window day -o report.html\n"
      "  vigie compare --reference train.csv --current today.csv --fail-on drift --json\n"
      "  vigie compare --reference train.csv --current today.csv --compat evidently\n"
      "  vigie compare --reference train.vpf --window day \\\n"
      "      --current 'elastic(to=http://localhost:9200, index=logs-*)'\n\n"
      "Data quality is checked as far as the counts of the comparison go; vigie check\n"
      "has all checks: vigie list checks --json names those made here (in_compare).\n\n"
      "Exit status: 0 done; 1 done, and what --fail-on names was found; 2 bad input or\nusage.");
  app->add_option("--reference", o->reference,
                  "DATA or a profile (.vpf): what is normal; or rows in a cluster, as of --current")
      ->type_name("DATA")
      ->required();
  app->add_option("--current", o->current,
                  "DATA: what is to be judged; or rows in Elasticsearch or OpenSearch, which are counted there: "
                  "'elastic(to=URL, index=logs-*)' (vigie list sources)")
      ->type_name("DATA")
      ->required();
  app->add_option("-o,--output", o->output, "write a report: .html for people, .json for programs")->type_name("FILE");
  app->add_flag("--json", o->json, "one JSON document instead of tables");
  app->add_option(
         "--fail-on", o->fail_on,
         "exit status 1 when found: warning, drift, fail (of data quality), no_data (nothing could be judged), or "
         "several: drift,fail")
      ->type_name("VERDICT");
  app->add_option("--alpha", o->alpha, "false-discovery level of a window; default 0.05")->type_name("A");
  o->levels.add(*app, "0.1 sd, 0.05 of rows", "0.25 sd, 0.15 of rows");
  app->add_option(
         "--method", o->methods,
         "drift method of every column, or COL=METHOD of one; all: each that fits, auto: the default; see vigie list "
         "methods; may be repeated")
      ->type_name("[COL=]METHOD")
      ->allow_extra_args(false);
  app->add_option("--compat", o->compat,
                  "numbers, thresholds and verdicts of another program: evidently (0.7.23) or nannyml (0.13.1); "
                  "--method then names its methods, see vigie list methods --compat NAME")
      ->type_name("NAME");
  o->columns.add(*app);
  o->windows.add(*app);
  o->app = app;
  return {app, [o, app] {
            o->writes = app->count("--output") > 0;
            for (const auto* option : {"--alpha", "--watch"})
              if (!o->compat.empty() && app->count(option) > 0)
                say(fmt::format("{}: has no effect on the verdicts of {}", option, o->compat));
            return run(*o);
          }};
}

}  // namespace vigie::cli
