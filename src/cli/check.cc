// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

#include "base/file.h"
#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/output_internal.h"
#include "cli/remarks_internal.h"
#include "config/rules_file.h"
#include "engine/inspection.h"
#include "quality/rules.h"
#include "view/json.h"
#include "view/report.h"

namespace vigie::cli {
namespace {

struct Options {
  std::string data, reference, rules, output, fail_on, only, skip;
  double fresh = 0;
  std::vector<std::string> params;
  bool json = false, writes = false, suggest = false, now = false;
  DataOptions columns;
  WindowOptions windows;
};

constexpr std::string_view kEndings[] = {".html", ".json"}, kRules[] = {".yaml", ".yml"};
constexpr Output kReport{
    .what = "a report", .example = "report.html", .instead = "--json writes to standard output", .endings = kEndings};
constexpr Output kSuggestion{.what = "a rules file",
                             .example = "rules.yaml",
                             .instead = "without -o it goes to standard output",
                             .endings = kRules,
                             .replace = false};

constexpr std::string_view kHead =
    "Rules that the data of {} keep, as `vigie check DATA --rules FILE` reads them: a start, to be read and changed.\n"
    "range: [low, high], null for none; set: the values allowed; not_null; missing_at_most: 0.2; unique;\n"
    "regex: \"[A-Z]{{2}}[0-9]*\"; monotone.\n"
    "at_most: share of the rows that may break the rules of a column; severity: warn instead of fail.\n"
    "Two columns: relations: [pickup <= dropoff]";

Result<quality::RunOptions> checks_of(const Options& o) {
  quality::RunOptions checks;
  VIGIE_TRY(check_list("--only", o.only, "check"));
  VIGIE_TRY(check_list("--skip", o.skip, "check"));
  checks.only = split(o.only);
  checks.skip = split(o.skip);
  for (const auto& given : o.params) {
    const auto dot = given.find('.'), equals = given.find('=');
    double value = 0;
    const char* end = given.data() + given.size();
    const bool fits = dot != std::string::npos && equals != std::string::npos && dot < equals;
    const auto [at, error] = fits ? std::from_chars(given.data() + equals + 1, end, value)
                                  : std::from_chars_result{given.data(), std::errc::invalid_argument};
    if (error != std::errc() || at != end)
      return fail(Code::kUsage,
                  fmt::format("--param {}: expected CHECK.NAME=NUMBER, as missing.watch=0.02", vigie::quoted(given)));
    checks.params[given.substr(0, dot)][given.substr(dot + 1, equals - dot - 1)] = value;
  }
  // Names are known now, and not after a pass over the data.
  const quality::TableState none(std::vector<quality::ColumnSpec>{});
  const auto known = [&](std::string_view option, const quality::RunOptions& given) -> Status {
    if (auto status = quality::run_checks({none}, given); !status)
      return fail(status.error().code, fmt::format("{}: {}", option, status.error().message));
    return {};
  };
  VIGIE_TRY(known("--only", {.only = checks.only, .skip = {}, .params = {}}));
  VIGIE_TRY(known("--skip", {.only = {}, .skip = checks.skip, .params = {}}));
  VIGIE_TRY(known("--param", {.only = {}, .skip = {}, .params = checks.params}));
  return checks;
}

// What can be told before any data is read.
Status check(const Options& o) {
  const std::vector<std::string> grades = {"warning", "fail", "no_data"};
  VIGIE_TRY(check_list("--fail-on", o.fail_on, "verdict"));
  for (const auto& grade : split(o.fail_on))
    if (std::find(grades.begin(), grades.end(), grade) == grades.end())
      return fail(Code::kUsage,
                  fmt::format("--fail-on: {} (warning, fail, no_data)", unknown_name("verdict", grade, grades)));
  if (o.reference == "-" && o.data == "-")
    return fail(Code::kUsage, "- --reference -: standard input can be only one of them");
  VIGIE_TRY(o.columns.check());
  if (o.suggest && !(o.rules.empty() && o.fail_on.empty() && !o.json))
    return fail(Code::kUsage, "--suggest: writes rules and checks nothing; leave out --rules, --fail-on and --json");
  if (!o.writes) return {};
  VIGIE_TRY(check_output(o.output, o.suggest ? kSuggestion : kReport));
  VIGIE_TRY(check_not_input(o.output, o.data, "DATA"));
  VIGIE_TRY(check_not_input(o.output, o.reference, "the reference"));
  return check_not_input(o.output, o.rules, "the rules file");
}

Result<engine::QualityReference> reference_of(const std::string& data, const Options& o,
                                              const engine::InspectOptions& options) {
  VIGIE_ASSIGN(bool made, is_profile_file(data));
  if (made) {
    VIGIE_ASSIGN(auto bytes, read_file(data));
    VIGIE_ASSIGN(auto profile, engine::load_profile(bytes, data));
    return engine::quality_of(profile);
  }
  VIGIE_ASSIGN(auto input, o.columns.open(data));
  ProgressBar bar("reading the reference");
  auto reading = options;
  reading.progress = bar.callback();
  return engine::learn_quality(*input, reading);
}

// Columns that current data must have: labels come later, and ids and times are no features.
table::Schema looked_at(const engine::QualityReference& reference) {
  table::Schema out;
  for (const auto& f : reference.types) {
    const auto* column = reference.state->find(f.name);
    const auto role = column ? column->spec().role : quality::Role::kTime;
    if (role == quality::Role::kFeature || role == quality::Role::kOther) out.push_back(f);
  }
  return out;
}

// Scores, and the answers where the label is a class: a text, or one of two numbers.
std::vector<std::string> probabilities(const engine::Roles& roles, const quality::TableState& state) {
  auto out = roles.scores;
  const auto* label = state.find(roles.label);
  if (!label || roles.prediction.empty()) return out;
  const auto numbers = label->numbers();
  if (label->spec().kind == quality::Kind::kString || (numbers && numbers->size() <= 2))
    out.push_back(roles.prediction);
  return out;
}

Result<int> suggest(const Options& o, const engine::InspectOptions& options) {
  const auto& from = o.reference.empty() ? o.data : o.reference;
  VIGIE_ASSIGN(auto reference, reference_of(from, o, options));
  say_problems(reference.problems);
  const auto rules = quality::suggest(*reference.state, probabilities(options.roles, *reference.state));
  const auto text = config::write_rules(rules, fmt::format(fmt::runtime(kHead), reference.source));
  if (!o.writes) {
    print(text);
    return 0;
  }
  VIGIE_TRY(write_output(o.output, text, false));
  say(fmt::format("{}: {}", o.output, plural(static_cast<long long>(rules.size()), "rule")));
  return 0;
}

Result<int> run(const Options& o) {
  VIGIE_TRY(check(o));
  engine::InspectOptions options;
  options.roles = o.columns.roles();
  options.threads = o.columns.threads;
  options.version = kVersion;
  VIGIE_ASSIGN(options.window, o.windows.spec(o.columns.timestamp));
  VIGIE_ASSIGN(options.checks, checks_of(o));
  if (o.suggest) return suggest(o, options);
  if (!o.rules.empty()) {
    VIGIE_ASSIGN(options.rules, config::load_rules_file(o.rules));
    options.rules_path = o.rules;
  }
  if (o.now) {
    if (!(o.fresh > 0)) return fail(Code::kUsage, fmt::format("--fresh: expected hours above 0, got {}", o.fresh));
    options.checks.params["freshness"]["hours"] = o.fresh;
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    options.now = static_cast<double>(std::chrono::duration_cast<std::chrono::microseconds>(since).count());
  }
  std::optional<engine::QualityReference> reference;
  if (!o.reference.empty()) {
    VIGIE_ASSIGN(reference, reference_of(o.reference, o, options));
  }
  const auto is_time = [](const quality::ColumnState& column) { return column.spec().role == quality::Role::kTime; };
  if (o.now && o.columns.timestamp.empty() &&
      (!reference || !reference->state || std::ranges::none_of(reference->state->columns(), is_time)))
    return fail(Code::kUsage, "--fresh: needs --timestamp COL, the column of the times");
  VIGIE_ASSIGN(auto current, o.columns.open(o.data, reference ? reference->types : table::Schema{}));
  std::vector<std::string> remarks;
  if (!o.columns.timestamp.empty()) {
    VIGIE_ASSIGN(auto remark, check_times(*current, o.columns.timestamp));
    add_note(remarks, remark);
  }
  if (reference) {
    VIGIE_ASSIGN(auto reader, current->open());
    auto besides = reference->left_out;
    for (const auto& f : reference->types) besides.push_back(f.name);
    for (const auto& question : renamed(looked_at(*reference), besides, reader->schema(), current->name()))
      add_note(remarks, question);
  }
  Result<engine::Inspection> inspected = [&] {
    ProgressBar bar("checking");
    options.progress = bar.callback();
    return engine::inspect(*current, reference ? &*reference : nullptr, options);
  }();
  if (!inspected) return std::move(inspected.error());
  auto& inspection = *inspected;
  for (const auto& remark : remarks) add_note(inspection.notes, remark);
  say_problems(inspection.problems);
  if (o.writes) {
    bool json = o.output.ends_with(".json");
    VIGIE_TRY(write_output(o.output, json ? view::to_json(inspection) : view::to_report(inspection), true));
  }
  const engine::QualityReference none;
  const auto& read = reference ? *reference : none;
  print(o.json ? view::to_json(inspection)
               : mostly_unread({{inspection.data.source, inspection.rejected, inspection.data.rows},
                                {read.source, read.rejected, read.rows}}) +
                     view::to_terminal(inspection, terminal()));
  if (o.writes) say(fmt::format("wrote {}", o.output));
  const auto grades = split(o.fail_on);
  const auto& s = inspection.summary;
  const auto named = [&](std::string_view grade) {
    return std::find(grades.begin(), grades.end(), grade) != grades.end();
  };
  return (named("warning") && s.warn + s.fail > 0) || (named("fail") && s.fail > 0) ||
                 (named("no_data") && (inspection.mostly_unmade() || s.pass + s.warn + s.fail == 0))
             ? 1
             : 0;
}

}  // namespace

Command add_check(CLI::App& program) {
  auto o = std::make_shared<Options>();
  auto* app = program.add_subcommand("check", "data quality alone: against a reference, and against rules of your own");
  app->footer(
      "Examples:\n  vigie check today.csv --reference train.vpf\n"
      "  vigie check train.csv --suggest -o rules.yaml\n"
      "  vigie check today.csv --rules rules.yaml --fail-on fail\n"
      "  vigie check 'june/*.parquet' --reference may.parquet --id id --timestamp ts \\\n"
      "      --window day -o report.html\n\n"
      "The checks are listed by vigie list checks.\n\n"
      "Exit status: 0 done; 1 done, and what --fail-on names was found; 2 bad input or\nusage.");
  app->add_option("DATA", o->data, "file, quoted glob or -: what is to be checked")->required();
  app->add_option("--reference", o->reference, "DATA or a profile (.vpf): what is normal; without it fewer checks")
      ->type_name("DATA");
  app->add_option("--rules", o->rules, "YAML file of what is demanded of columns: range, set, regex, …")
      ->type_name("FILE");
  app->add_flag("--suggest", o->suggest, "write rules that the reference, or DATA without one, keeps");
  app->add_option("-o,--output", o->output,
                  "write a report: .html for people, .json for programs; with --suggest the rules: .yaml")
      ->type_name("FILE");
  app->add_flag("--json", o->json, "one JSON document instead of tables");
  app->add_option("--fail-on", o->fail_on,
                  "exit status 1 when a check ends so: warning or fail; when all do, with --reference most: no_data")
      ->type_name("VERDICT");
  app->add_option("--only", o->only, "only these checks, comma separated")->type_name("CHECK[,CHECK…]");
  app->add_option("--skip", o->skip, "not these checks, comma separated")->type_name("CHECK[,CHECK…]");
  app->add_option("--param", o->params, "a parameter of a check, as missing.watch=0.02; may be repeated")
      ->type_name("CHECK.NAME=X")
      ->allow_extra_args(false);
  app->add_option("--fresh", o->fresh, "warn when the last --timestamp is more than so many hours before now")
      ->type_name("HOURS");
  o->columns.add(*app);
  o->windows.add(*app, false);
  return {app, [o, app] {
            o->writes = app->count("--output") > 0;
            o->now = app->count("--fresh") > 0;
            return run(*o);
          }};
}

}  // namespace vigie::cli
