// SPDX-License-Identifier: Apache-2.0
#include "detect/detect.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>

#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/detect_input_internal.h"
#include "cli/list_internal.h"
#include "view/alarms.h"

namespace vigie::cli {
namespace {

struct Options {
  std::string detector, target_arl, parity, on_drift, seed, evaluate, within, fail_on;
  std::vector<std::string> params, members, rest;
  bool json = false;
  std::string column;
  DataOptions data;
};

// What the command line says, with nothing read yet.
struct Plan {
  detect::Spec spec;
  std::unique_ptr<detect::Monitor> monitor;  ///< none for what needs the whole series
  std::string data = "-";
  ValueColumns columns;
  std::optional<std::vector<detect::Change>> changes;
  std::optional<std::int64_t> within;
};

Result<detect::Spec> spec_of(const Options& o, std::vector<std::string>& params) {
  VIGIE_ASSIGN(auto spec, detect::parse_spec(o.detector));
  const auto& all = detect::ensembles();
  const bool holds = std::find(all.begin(), all.end(), spec.detector) != all.end();
  if (!holds && !o.members.empty())
    return fail(Code::kUsage, fmt::format("--of: {} holds no detectors; any, majority, at_least and confirmed do",
                                          spec.detector->name));
  if (!o.members.empty()) {
    const auto text = fmt::format("{}({})", spec.detector->name, fmt::join(o.members, ", "));
    VIGIE_ASSIGN(auto more, detect::parse_spec(text));
    std::move(more.members.begin(), more.members.end(), std::back_inserter(spec.members));
  }
  if (holds && spec.members.empty())
    return fail(Code::kUsage, fmt::format("{0}: which detectors? as in --of ddm,hddm_a", spec.detector->name));
  for (const auto& given : params) {
    const auto sign = given.find('=');
    if (sign == given.npos || sign == 0)
      return fail(Code::kUsage, fmt::format("--param: expected name=value, got {}", vigie::quoted(given)));
    spec.settings.emplace_back(given.substr(0, sign), given.substr(sign + 1));
  }
  for (const auto& [name, value] : {std::pair{"target_arl", &o.target_arl}, std::pair{"parity", &o.parity},
                                    std::pair{"on_drift", &o.on_drift}, std::pair{"seed", &o.seed}})
    if (!value->empty()) spec.settings.emplace_back(name, *value);
  return spec;
}

detect::Stream stream_of(const detect::Spec& spec) {
  return spec.members.empty() ? spec.detector->stream : stream_of(spec.members[0]);
}

Result<Plan> plan_of(const Options& o) {
  Plan plan;
  auto params = o.params;
  std::vector<std::string> files;
  // `--param a=1 b=2 FILE` is understood too.
  for (const auto& word : o.rest) {
    VIGIE_TRY(check_in_files(word));
    std::error_code none;
    const bool param = word.find('=') != word.npos && !std::filesystem::exists(word, none);
    (param ? params : files).push_back(word);
  }
  if (files.size() > 1)
    return fail(Code::kUsage, fmt::format("one FILE is read at a time, got {} and {}", vigie::quoted(files[0]),
                                          vigie::quoted(files[1])));
  if (!files.empty()) plan.data = files[0];

  const std::vector<std::string> grades = {"warning", "drift"};
  VIGIE_TRY(check_list("--fail-on", o.fail_on, "state"));
  for (const auto& grade : split(o.fail_on))
    if (std::find(grades.begin(), grades.end(), grade) == grades.end())
      return fail(Code::kUsage, fmt::format("--fail-on: {} (warning, drift)", unknown_name("state", grade, grades)));

  VIGIE_ASSIGN(plan.spec, spec_of(o, params));
  if (plan.spec.detector->segment) {
    VIGIE_TRY(detect::segment(*plan.spec.detector, {}, plan.spec.settings));
  } else {
    VIGIE_ASSIGN(plan.monitor, detect::make_monitor(plan.spec));
  }

  auto& columns = plan.columns;
  columns = {o.column, o.data.label, o.data.prediction, stream_of(plan.spec) == detect::Stream::kOutcomes};
  if (columns.label.empty() != columns.prediction.empty())
    return fail(Code::kUsage, "--label and --prediction: give both, for the errors of a model, or none");
  if (columns.label == columns.prediction && !columns.label.empty())
    return fail(Code::kUsage, fmt::format("--label {0} --prediction {0}: are one column", columns.label));
  if (!columns.value.empty() && !columns.label.empty())
    return fail(Code::kUsage, "--column: goes with no --label and --prediction, which make the values");
  if (!columns.any()) {
    for (const auto& [option, given] :
         {std::pair{"--timestamp", !o.data.timestamp.empty()}, std::pair{"--format", !o.data.format.empty()},
          std::pair{"--schema", !o.data.schema.empty()}, std::pair{"--delimiter", !o.data.delimiter.empty()}})
      if (given) return fail(Code::kUsage, fmt::format("{}: is of a table, and needs --column COL", option));
  }
  VIGIE_TRY(o.data.check());

  if (!o.within.empty()) {
    std::int64_t within = 0;
    const auto [end, error] = std::from_chars(o.within.data(), o.within.data() + o.within.size(), within);
    if (error != std::errc() || end != o.within.data() + o.within.size() || within < 1 || within > (1LL << 53))
      return fail(Code::kUsage,
                  fmt::format("--within: expected a number of values from 1 up, got {}", vigie::quoted(o.within)));
    if (o.evaluate.empty()) return fail(Code::kUsage, "--within: is of --evaluate");
    plan.within = within;
  }
  if (!o.evaluate.empty()) {
    if (o.evaluate == "-") return fail(Code::kUsage, "--evaluate -: expected a file");
    VIGIE_ASSIGN(plan.changes, read_changes(o.evaluate));
  }
  return plan;
}

// The times of recent rows; of all of them where the whole series is kept anyhow.
class Times {
 public:
  explicit Times(bool all) : all_(all) {}
  void add(std::span<const double> times) {
    for (const double time : times) {
      if (all_ || ring_.size() < kRecent)
        ring_.push_back(time);
      else
        ring_[static_cast<std::size_t>(count_) % kRecent] = time;
      ++count_;
    }
  }
  double at(std::int64_t row) const {
    const auto kept = static_cast<std::int64_t>(ring_.size());
    if (row < count_ - kept || row >= count_) return std::nan("");
    return ring_[static_cast<std::size_t>(row) % ring_.size()];
  }

 private:
  static constexpr std::size_t kRecent = 1 << 20;
  bool all_;
  std::vector<double> ring_;
  std::int64_t count_ = 0;
};

// Gives values to the detector, and prints what it says.
class Watch {
 public:
  Watch(const Plan& plan, bool json, bool timed)
      : plan_(plan), json_(json), timed_(timed), terminal_(terminal()), times_(!plan.monitor) {
    std::error_code none;
    live_ = !plan.columns.any() && !std::filesystem::is_regular_file(plan.data, none);
  }

  // False where what it says can no longer be written.
  bool take(std::span<const double> values, std::span<const double> times) {
    if (timed_) times_.add(times);
    for (const double value : values)
      if (std::isfinite(value))
        largest_ = std::max(largest_, std::abs(value)), binary_ = binary_ && (value == 0 || value == 1);
    if (!plan_.monitor) {
      series_.insert(series_.end(), values.begin(), values.end());
      return true;
    }
    alarms_.clear();
    plan_.monitor->update(values, alarms_);
    show();
    return !std::ferror(stdout);
  }

  Result<view::Detection> finish(const ValuesRead& read) {
    const auto& [spec, monitor, data, columns, changes, within] = plan_;
    view::Detection out{
        .detector = std::string(spec.detector->name), .rejected = read.rejected, .interrupted = read.interrupted};
    if (monitor) {
      out.observations = monitor->seen();
      out.skipped = monitor->skipped();
      out.to_learn = monitor->to_learn();
    } else {
      VIGIE_ASSIGN(alarms_, detect::segment(*spec.detector, series_, spec.settings));
      show();
      out.observations = static_cast<std::int64_t>(series_.size());
      out.skipped =
          std::count_if(series_.begin(), series_.end(), [](double v) { return std::isnan(detect::as_value(v)); });
    }
    out.drifts = drifts_, out.warnings = warnings_;
    say_rest();
    VIGIE_TRY(explain_unused(out));
    if (changes) out.evaluation = evaluation(*changes, out.observations);
    return out;
  }

  // ADWIN's bound is of any values, and its table has a row for errors.
  bool wants_errors(const view::Detection& found) const {
    const auto& spec = plan_.spec;
    return plan_.monitor && found.drifts > 10 && binary_ && largest_ == 1 && spec.members.empty() &&
           spec.detector->stream == detect::Stream::kValues && spec.detector->name != "adwin";
  }

 private:
  void show() {
    for (const auto& alarm : alarms_) {
      const bool drift = alarm.state == detect::State::kDrift;
      ++(drift ? drifts_ : warnings_);
      if (drift && plan_.changes) found_.push_back(alarm.index);
      view::TimedAlarm timed{alarm, timed_};
      if (timed_) timed.time = times_.at(alarm.index), timed.onset_time = times_.at(alarm.onset);
      if (json_) {
        print(view::to_json(timed));
        continue;
      }
      // Some detectors warn in hundreds between two drifts: the first is said at once, how many followed at their end,
      // or as they come where nobody knows an end.
      if (!drift && warned_) {
        ++unsaid_, last_ = timed;
        continue;
      }
      say_rest();
      warned_ = !drift;
      print(view::to_terminal(timed, terminal_));
    }
    if (live_) say_rest();
    // Who reads along sees it now.
    if (!alarms_.empty()) std::fflush(stdout);
  }

  void say_rest() {
    if (unsaid_ == 1) print(view::to_terminal(last_, terminal_));
    if (unsaid_ > 1) print(view::more_warnings(unsaid_, last_, terminal_));
    unsaid_ = 0;
  }

  Status explain_unused(const view::Detection& d) const {
    const auto stream = stream_of(plan_.spec);
    if (stream == detect::Stream::kValues && largest_ > 0 && largest_ < detect::kSmallest)
      say(fmt::format("{}: all values lie within {} of 0, and are taken as 0; multiply them", plan_.data,
                      detect::kSmallest));
    if (d.skipped == 0) return {};
    const std::string_view takes = stream == detect::Stream::kErrors     ? "errors from 0 to 1"
                                   : stream == detect::Stream::kOutcomes ? "outcomes, 2·label + prediction from 0 to 3"
                                                                         : "numbers up to 1e100 in size";
    // Not a stream with gaps, but another stream.
    if (d.skipped == d.observations && largest_ >= 0)
      return fail(Code::kInput, fmt::format("{}: none of {} can be used: {} takes {} (vigie list detectors)",
                                            plan_.data, plural(d.observations, "value"), d.detector, takes));
    say(fmt::format("{}: {} of {} skipped: missing, or not {}", plan_.data,
                    d.skipped == d.observations ? "every one" : with_commas(d.skipped), plural(d.observations, "value"),
                    takes));
    return {};
  }

  detect::Evaluation evaluation(const std::vector<detect::Change>& all, std::int64_t observations) const {
    std::vector<detect::Change> within;
    for (const auto& change : all)
      if (change.start < observations) within.push_back({change.start, std::min(change.end, observations - 1)});
    if (within.size() < all.size())
      say(fmt::format("--evaluate: {} behind the end of the {}, left out",
                      plural(static_cast<long long>(all.size() - within.size()), "change"),
                      plural(observations, "observation")));
    return detect::evaluate(found_, within, observations, plan_.within);
  }

  const Plan& plan_;
  bool json_, timed_, live_ = false;
  double largest_ = -1;  // of the finite values; below 0: there was none
  bool binary_ = true;   // they are 0 or 1
  view::TerminalOptions terminal_;
  Times times_;
  std::vector<double> series_;
  std::vector<detect::Alarm> alarms_;
  std::vector<std::int64_t> found_;
  std::int64_t drifts_ = 0, warnings_ = 0, unsaid_ = 0;
  bool warned_ = false;
  view::TimedAlarm last_{};
};

bool has_setting(const detect::Spec& spec, std::string_view name) {
  return std::any_of(spec.settings.begin(), spec.settings.end(), [&](const auto& s) { return s.first == name; });
}

// The thresholds of the papers let pass as many false alarms as they please.
void say_how_to_have_fewer(const detect::Spec& spec, const view::Detection& found, bool binary) {
  if (has_setting(spec, "parity")) return;
  if (binary) {
    say(
        fmt::format("{}: the values are 0 and 1, and its thresholds and --target-arl are of values that have a spread; "
                    "detectors of errors keep theirs: hddm_a, fhddm, rddm and others (vigie list detectors)",
                    found.detector));
    return;
  }
  const double least = detect::least_target(*spec.detector);
  const auto alarms = found.drifts + found.warnings;
  if (least == 0 || alarms <= 10 || alarms * 1000 <= found.observations) return;
  if (has_setting(spec, "target_arl")) return;
  say(
      fmt::format("{}: {} and {} in {} values; if nothing like as much has changed: --target-arl {:.0f}, the values "
                  "that pass before a false alarm",
                  found.detector, plural(found.drifts, "drift"), plural(found.warnings, "warning"),
                  with_commas(found.observations), std::max(least, 10000.)));
}

Result<int> run(const Options& o) {
  VIGIE_ASSIGN(const auto plan, plan_of(o));
  const bool json = o.json || !isatty(STDOUT_FILENO);
  Watch watch(plan, json, !o.data.timestamp.empty());
  const TakeValues take = [&](auto values, auto times) { return watch.take(values, times); };
  std::optional<CatchSignals> signals(std::in_place);
  VIGIE_ASSIGN(const auto read, plan.columns.any() ? read_columns(plan.data, o.data, plan.columns, *signals, take)
                                                   : read_lines(plan.data, o.data, *signals, take));
  VIGIE_ASSIGN(const auto found, watch.finish(read));
  print(json ? view::to_json(found) : view::to_terminal(found, terminal()));
  if (!std::ferror(stdout)) say_how_to_have_fewer(plan.spec, found, watch.wants_errors(found));
  for (const auto& grade : split(o.fail_on))
    if (found.drifts > 0 || (grade == "warning" && found.warnings > 0)) return 1;
  return 0;
}

}  // namespace

Command add_detect(CLI::App& program) {
  auto o = std::make_shared<Options>();
  auto* app = program.add_subcommand("detect", "when a stream of numbers changed: errors, residuals, scores, a metric");
  const auto* detector =
      app->add_option("DETECTOR", o->detector, "see vigie list detectors; with --help: what it can be set")->required();
  app->add_option("FILE", o->rest, "numbers, one a line, or a table with --column; default: standard input");
  app->add_option("--param", o->params, "a parameter of the detector; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app->add_option("--target-arl", o->target_arl,
                  "how many values without a change pass before a false alarm, 1000 to 100000, in place of a threshold")
      ->type_name("N");
  app->add_option("--of", o->members, "detectors of any, majority, at_least and confirmed, comma separated")
      ->type_name("DETECTOR,…")
      ->allow_extra_args(false);
  app->add_option("--on-drift,--policy", o->on_drift,
                  "after a drift: restart, keep_recent (from the onset on), or hold (say no more)")
      ->type_name("POLICY");
  app->add_option("--parity", o->parity, "rules, names and defaults of another program: river or moa")
      ->type_name("PROGRAM");
  app->add_option("--seed", o->seed, "of detectors that draw at random; default 1")->type_name("N");
  app->add_option("--evaluate", o->evaluate,
                  "score the drifts against known changes: a CSV with a column index and perhaps end or width")
      ->type_name("FILE");
  app->add_option(
         "--within", o->within,
         "values after a known change in which an alarm is of it; default: half of the shortest way to the next")
      ->type_name("N");
  app->add_option("--fail-on", o->fail_on, "exit status 1 when found: drift, or warning (either)")->type_name("STATE");
  app->add_flag("--json", o->json, "JSON lines also on a terminal");
  const char* columns = "Columns";
  app->add_option("--column", o->column, "column of DATA with the values")->type_name("COL")->group(columns);
  app->add_option("--label", o->data.label, "with --prediction: the values are the model's errors")
      ->type_name("COL")
      ->group(columns);
  app->add_option("--prediction", o->data.prediction, "column with the model's answer")
      ->type_name("COL")
      ->group(columns);
  app->add_option("--timestamp", o->data.timestamp, "column with the time of each row, told beside its index")
      ->type_name("COL")
      ->group(columns);
  o->data.add_reading(*app);
  app->footer([detector] { return detector->count() ? about_detector(detector->results()[0]) : std::string(); });
  app->footer(
      "Examples:\n  vigie detect ddm errors.txt\n"
      "  tail -f errors.txt | vigie detect hddm_a --fail-on drift\n"
      "  vigie detect adwin --target-arl 10000 --column residual --timestamp ts log.csv\n"
      "  vigie detect ddm --label truth --prediction answer answers.parquet\n"
      "  vigie detect at_least --param k=2 --of ddm,hddm_a,stepd errors.txt\n"
      "  vigie detect cusum --param h=8 --evaluate changes.csv latency.txt\n\n"
      "One JSON object a line for each drift, and where a warning begins; the last line\n"
      "counts them. On a terminal they are told in words, and as JSON with --json.\n"
      "Indices count from 0 the values read, without lines that are no numbers. Numbers\n"
      "from a pipe are looked at as they come, a table when it is whole. Ctrl-C ends\n"
      "the stream, not the count: the last line is still said.\n\n"
      "Exit status: 0 done; 1 done, and what --fail-on names was found; 2 bad input or\nusage.");
  return {app, [o] { return run(*o); }};
}

}  // namespace vigie::cli
