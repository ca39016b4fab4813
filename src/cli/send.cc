// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/quantity.h"
#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/interrupt_internal.h"
#include "cli/remarks_internal.h"
#include "cli/send_internal.h"
#include "cli/send_pace_internal.h"
#include "cli/task_options_internal.h"
#include "engine/tally.h"

namespace vigie::cli {
namespace {

using Clock = std::chrono::steady_clock;

using Options = SendOptions;

// What the options say, in numbers.
struct Plan {
  PaceOptions pace;
  std::optional<std::chrono::milliseconds> patience;
  std::int64_t from_row = 1;
};

Result<double> seconds_of(std::string_view option, const std::string& given) {
  const auto seconds = parse_duration(given);
  if (seconds) return *seconds;
  return fail(Code::kUsage,
              fmt::format("{}: expected a time, as 30s, 15m, 2h or 7d, got {}", option, vigie::quoted(given)));
}

// A factor, as 60x; nothing for what is none.
std::optional<double> factor_of(std::string_view given) {
  double value = 0;
  if (given.ends_with('x')) given.remove_suffix(1);
  const auto* end = given.data() + given.size();
  const auto [stop, error] = std::from_chars(given.data(), given.data() + given.size(), value);
  if (error != std::errc() || stop != end || !(value > 0) || !std::isfinite(value)) return {};
  return value;
}

Result<Plan> plan_of(const Options& o) {
  Plan plan;
  auto& pace = plan.pace;
  if (o.speed != "max") {
    const auto factor = factor_of(o.speed);
    if (!factor)
      return fail(Code::kUsage,
                  fmt::format("--speed: expected max, or a factor as 60x, got {}", vigie::quoted(o.speed)));
    pace.speed = *factor;
  }
  if (!o.delay.empty()) {
    VIGIE_ASSIGN(const double seconds, seconds_of("--label-delay", o.delay));
    pace.delay = seconds * 1e6;
  }
  if (!o.timeout.empty()) {
    VIGIE_ASSIGN(const double seconds, seconds_of("--timeout", o.timeout));
    plan.patience = std::chrono::milliseconds(static_cast<std::int64_t>(std::min(seconds, 1e9) * 1e3));
  }
  if (!o.from_row.empty()) {
    const auto* end = o.from_row.data() + o.from_row.size();
    const auto [stop, error] = std::from_chars(o.from_row.data(), end, plan.from_row);
    if (error != std::errc() || stop != end || plan.from_row < 1)
      return fail(Code::kUsage,
                  fmt::format("--from-row: expected a row's number from 1 up, got {}", vigie::quoted(o.from_row)));
  }
  pace.predictions = !o.labels_only;
  VIGIE_TRY(o.columns.check());
  const bool windows = !o.windows.window.empty() || !o.windows.window_rows.empty() || !o.windows.timezone.empty();
  VIGIE_ASSIGN(const bool profile, o.reference.empty() ? false : is_profile_file(o.reference));
  if (windows && (o.reference.empty() || profile))
    return fail(Code::kUsage,
                profile
                    ? fmt::format("--window: {} is a profile, and has the windows that it was made with", o.reference)
                    : "--window: is of the reference: --reference DATA");
  if ((!o.task.task.empty() || o.task.positive) && (o.reference.empty() || profile))
    return fail(Code::kUsage,
                fmt::format("{}: {}", o.task.task.empty() ? "--positive" : "--task",
                            profile ? o.reference + " is a profile, and has the task that it was made with"
                                    : "is of the reference: --reference DATA"));
  if (o.reference == "-" && o.data == "-")
    return fail(Code::kUsage, "- --reference -: standard input can be only one of them");
  return plan;
}

// What can be told once it is known what a profile says of the columns.
Status check_roles(const Options& o) {
  if (o.columns.timestamp.empty())
    for (const auto& [option, given] :
         {std::pair{"--speed", o.speed != "max"}, std::pair{"--label-delay", !o.delay.empty()}})
      if (given)
        return fail(Code::kUsage,
                    fmt::format("{}: needs --timestamp COL, the column with the time of each row", option));
  if (o.columns.label.empty())
    for (const auto& [option, given] :
         {std::pair{"--labels-only", o.labels_only}, std::pair{"--label-delay", !o.delay.empty()}})
      if (given) return fail(Code::kUsage, fmt::format("{}: needs --label COL, the column with the truth", option));
  return {};
}

// Roles that a profile knows hold for columns of the same names, as where it is compared with.
void adopt(DataOptions& columns, const engine::Profile& profile, const table::Schema& schema) {
  const auto take = [&](std::string& role, const std::string& name) {
    if (role.empty() && engine::find_column(schema, name) != std::string::npos) role = name;
  };
  take(columns.timestamp, profile.timestamp);
  take(columns.weight, profile.weight);
  std::string scores;
  for (const auto& c : profile.columns) {
    if (c.role == engine::Role::kPrediction) take(columns.prediction, c.name);
    if (c.role == engine::Role::kLabel) take(columns.label, c.name);
    if (c.role == engine::Role::kScore && engine::find_column(schema, c.name) != std::string::npos)
      scores += (scores.empty() ? "" : ",") + c.name;
  }
  if (columns.score.empty()) columns.score = scores;
}

// What ids begin with where no column has them: the same each time that a file is sent.
std::string stem_of(const std::string& data) {
  if (data == "-") return "stdin";
  std::filesystem::path path(data);
  for (const auto* packed : {".gz", ".zst"})
    if (path.extension() == packed) path.replace_extension();
  path.replace_extension();
  return has_glob(data) ? path.string() : path.filename().string();
}

struct Known {
  table::Schema schema;
  std::int64_t rows = 0;
};

// Types as the whole of the data has them.
Result<Known> look_through(table::Input& input) {
  constexpr int kAttempts = 8;
  ProgressBar bar("reading");
  const auto progress = bar.callback();
  std::optional<table::Schema> types;
  for (int attempt = 0; attempt <= kAttempts; ++attempt) {
    Known known;
    VIGIE_ASSIGN(const auto reader, input.open(types));
    while (true) {
      VIGIE_ASSIGN(const auto batch, reader->next());
      if (!batch) break;
      known.rows += batch->rows();
      if (progress)
        progress(static_cast<double>(reader->consumed()) / std::max(1.0, static_cast<double>(input.bytes())));
    }
    known.schema = reader->schema();
    types = known.schema;
    if (!reader->settled()) continue;
    if (known.rows == 0) return engine::no_rows(input.name(), reader->problems());
    return known;
  }
  return fail(Code::kInternal, fmt::format("{}: column types do not settle", input.name()));
}

Result<engine::Profile> reference_of(const Options& o) {
  VIGIE_ASSIGN(const auto window, o.windows.spec(o.columns.timestamp));
  std::vector<engine::SegmentBy> segments;
  for (const auto& tag : o.tags) segments.push_back({tag});
  VIGIE_ASSIGN(auto reference, read_reference(o.reference, o.columns, window, segments, true));
  if (!reference.rows) return std::move(reference.profile);
  VIGIE_ASSIGN(auto scoring, o.task.read(o.columns));
  scoring.window = window, scoring.segments = segments, scoring.timestamp = o.columns.timestamp;
  scoring.threads = o.columns.threads;
  VIGIE_TRY(add_scores(reference.profile, *reference.rows, std::move(scoring), !o.task.task.empty()));
  say_problems(reference.profile.problems);
  for (const auto& note : reference.profile.notes) say(note);
  return std::move(reference.profile);
}

// What people should know of the times of the rows.
class Times {
 public:
  void add(double time) {
    none_ += std::isnan(time);
    back_ += time < latest_;
    farthest_ = std::max(farthest_, latest_ - time);
    if (!(time <= latest_)) latest_ = std::isnan(time) ? latest_ : time;
  }
  void say_of(const std::string& source, const std::string& column) const {
    if (none_ > 0)
      say(fmt::format("{}: {} without {}: the service takes them for rows of the time at which they came", source,
                      plural(none_, "row"), vigie::quoted(column)));
    if (back_ > 0)
      say(fmt::format("{}: {} back in time, by {} at most: rows of a window that is over are counted as late there",
                      source, back_ == 1 ? "1 row goes" : with_commas(back_) + " rows go", duration(farthest_)));
  }

 private:
  std::int64_t none_ = 0, back_ = 0;
  double latest_ = -std::numeric_limits<double>::infinity(), farthest_ = 0;
};

std::string document(const Options& o, const Sent& sent, double seconds) {
  nlohmann::ordered_json out{
      {"command", "send"},         {"source", o.data},          {"model", o.model},
      {"sent", sent.predictions},  {"accepted", sent.accepted}, {"duplicates", sent.duplicates},
      {"rejected", sent.rejected}, {"labels", sent.labels},     {"seconds", std::round(seconds * 1e3) / 1e3}};
  if (sent.interrupted) out["interrupted"] = true, out["last_row"] = sent.reached;
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string sentence(const Options& o, const Sent& sent, double seconds) {
  std::string out = fmt::format("{} to {}: ", o.data, o.model);
  if (!o.labels_only)
    out += fmt::format("{} sent, {} accepted, {} there already, ", plural(sent.predictions, "prediction"),
                       with_commas(sent.accepted), with_commas(sent.duplicates));
  if (!o.columns.label.empty()) out += plural(sent.labels, "label") + (o.labels_only ? " sent, " : ", ");
  return out + fmt::format("{} rejected; {}", with_commas(sent.rejected), duration(seconds * 1e6));
}

// Sends the rows; the error of a service that was lost says from where to go on.
Result<Sent> send_rows(const Options& o, const Plan& plan, table::Input& input, const Known& known, Records& records,
                       Delivery& delivery, const CatchSignals& signals) {
  Courier courier(delivery, o.data, o.columns.strict);
  Pace pace(courier, plan.pace, signals);
  Times times;
  ProgressBar bar("sending");
  const auto progress = bar.callback();
  std::int64_t before = 0, unread = 0;
  const auto all = [&]() -> Status {
    VIGIE_ASSIGN(const auto reader, input.open(records.types()));
    bool on = true;
    while (on) {
      VIGIE_ASSIGN(const auto batch, reader->next());
      if (!batch) break;
      const auto rows = batch->rows();
      if (before + rows >= plan.from_row) VIGIE_TRY(records.load(*batch, reader->schema(), before + 1));
      for (std::int64_t i = std::max<std::int64_t>(0, plan.from_row - 1 - before); on && i < rows; ++i) {
        if (records.time(static_cast<std::size_t>(i)) > o.until) continue;
        if (!o.columns.timestamp.empty()) times.add(records.time(static_cast<std::size_t>(i)));
        VIGIE_ASSIGN(on, pace.row(records, static_cast<std::size_t>(i), before + i + 1));
        if (progress) progress(static_cast<double>(before + i) / static_cast<double>(known.rows));
      }
      before += rows;
    }
    if (on) {
      unread = reader->problems().rejected;
      say_problems(reader->problems().messages);
      for (const auto& note : reader->problems().notes) say(note);
      VIGIE_TRY(pace.finish());
    }
    return courier.finish();
  };
  auto done = all();
  if (!done) (void)courier.finish();
  auto sent = courier.sent();
  sent.interrupted = signals.asked() && (sent.interrupted || sent.reached < known.rows || pace.waiting() > 0);
  std::string rest;
  if (sent.reached < known.rows && sent.reached > 0) rest = fmt::format("go on with --from-row {}", sent.reached + 1);
  if (pace.waiting() > 0)
    rest += fmt::format("{}{} waited for their time: --labels-only sends them", rest.empty() ? "" : "; ",
                        plural(static_cast<long long>(pace.waiting()), "label"));
  if (!done) {
    if (sent.reached > 0)
      done.error().message +=
          fmt::format("; rows up to {} of {} are there: {}", with_commas(sent.reached), o.data, rest);
    return std::move(done.error());
  }
  if (sent.interrupted && !rest.empty() && o.again)
    say(fmt::format("{}: ended after row {} of {}: {}", o.data, with_commas(sent.reached), with_commas(known.rows),
                    rest));
  if (!sent.interrupted) times.say_of(o.data, o.columns.timestamp);
  sent.rejected += unread;
  return sent;
}

}  // namespace

Result<int> send(SendOptions& o, const CatchSignals* signals) {
  VIGIE_ASSIGN(auto plan, plan_of(o));
  if (o.reference.empty()) VIGIE_TRY(check_roles(o));
  VIGIE_ASSIGN(auto token, o.credentials.read());
  VIGIE_ASSIGN(auto delivery, Delivery::make(o.to, o.model, std::move(token), plan.patience));
  // What is not there is told before anybody is asked; a pipe can be read once.
  VIGIE_ASSIGN(const auto reading, o.columns.reading());
  VIGIE_TRY(check_in_files(o.data));
  if (o.data != "-") VIGIE_TRY(table::open_input(o.data, reading));
  VIGIE_TRY(delivery.reach());
  std::optional<engine::Profile> reference;
  table::Schema types;
  if (!o.reference.empty()) {
    VIGIE_ASSIGN(reference, reference_of(o));
    // Read as the reference was, as where they are compared.
    types = reference->others;
    for (const auto& c : reference->columns) types.push_back({c.name, c.source});
  }
  VIGIE_ASSIGN(const auto input, o.columns.open(o.data, types));
  if (reference) {
    VIGIE_ASSIGN(const auto head, input->open());
    adopt(o.columns, *reference, head->schema());
    VIGIE_TRY(check_roles(o));
  }
  VIGIE_ASSIGN(const auto known, look_through(*input));
  const bool text = input->kind() == "CSV" || input->kind() == "TSV" || input->kind() == "NDJSON";
  VIGIE_ASSIGN(auto records, Records::make(known.schema,
                                           {.roles = o.columns.roles(),
                                            .tags = o.tags,
                                            .ids = stem_of(o.data),
                                            .as_written = text && o.columns.decimal == ".",
                                            .shift = o.shift,
                                            .more = o.more},
                                           o.data));
  if (!reference) {
    std::vector<std::string> names;
    for (const auto& field : known.schema) names.push_back(field.name);
    VIGIE_TRY(o.columns.remark_types(names, o.data));
  }
  if (plan.from_row > known.rows)
    return fail(Code::kUsage,
                fmt::format("--from-row {}: {} has {}", plan.from_row, o.data, plural(known.rows, "row")));
  plan.pace.labels = !o.columns.label.empty();
  std::optional<CatchSignals> own;
  if (!signals) signals = &own.emplace();
  delivery.heed(*signals);
  const auto began = Clock::now();
  if (reference) {
    VIGIE_ASSIGN(const bool there, delivery.reference(engine::save_profile(*reference)));
    if (there) say(fmt::format("{}: is the reference of {} now", o.reference, o.model));
  }
  VIGIE_ASSIGN(const auto sent, send_rows(o, plan, *input, known, records, delivery, *signals));
  const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
  print(o.json ? document(o, sent, seconds) : sentence(o, sent, seconds));
  if (sent.interrupted) return 128 + signals->number();
  if (sent.predictions > 0 && sent.duplicates == sent.predictions && o.columns.id.empty())
    say(fmt::format("{}: no row was new; without --id COL a row is known as {}-1 and so on", o.data, stem_of(o.data)));
  else if (sent.duplicates > 0 && o.columns.id.empty())
    say(fmt::format(
        "{}: {} taken for ones that are there: without --id COL a row is known as {}-1 and so on, whatever "
        "folder its file is in; rows of another file of that name want --id, or another name",
        o.data, sent.duplicates == 1 ? "1 row was" : plural(sent.duplicates, "row") + " were", stem_of(o.data)));
  return sent.rejected > 0 && sent.accepted + sent.duplicates + sent.labels == 0 ? 2 : 0;
}

Command add_send(CLI::App& program) {
  auto o = std::make_shared<SendOptions>();
  auto* app =
      program.add_subcommand("send", "send the rows of a file to a running vigie serve, as they came or faster");
  app->footer(
      "Examples:\n  vigie serve &\n"
      "  vigie send june.csv --to http://127.0.0.1:8090 --model credit \\\n"
      "      --reference may.vpf --id id --label paid\n"
      "  vigie send june.parquet --to http://127.0.0.1:8090 --model credit \\\n"
      "      --timestamp ts --prediction answer --score risk --label paid \\\n"
      "      --speed 60x --label-delay 2h\n"
      "  cat june.csv | vigie send - --format csv --to http://127.0.0.1:8090 \\\n"
      "      --model credit\n\n"
      "Each row is a prediction, and where --label names the truth a label too. Rows go\n"
      "in the order of the file, which should be that of their times: a row counts as\n"
      "late whose window is over. What was sent before is known by its ids, and counted\n"
      "as there already: the same command may be run again.\n\n"
      "Ctrl-C finishes the batch under way, and says what was sent and how to go on.\n\n"
      "Exit status: 0 done; 2 bad input or usage; 3 the service could not be reached;\n130 ended by Ctrl-C.");
  app->add_option("FILE", o->data, "DATA: file, quoted glob or -")->required();
  app->add_option("--to", o->to, "the service, as http://127.0.0.1:8090")->type_name("URL")->required();
  app->add_option("--model", o->model, "name of the model there")->type_name("M")->required();
  o->credentials.add(*app);
  app->add_option("--reference", o->reference,
                  "DATA or a profile (.vpf) that the service is to compare with from now on; sent first. Columns are "
                  "read as they are there, and have the roles that a profile knows")
      ->type_name("DATA");
  app->add_option("--speed", o->speed,
                  "60x: an hour of --timestamp passes in a minute; max (default): as fast as it goes")
      ->type_name("FACTOR");
  app->add_option("--label-delay", o->delay,
                  "how long after its row a label is sent, as 2h; in the time of --timestamp")
      ->type_name("TIME");
  app->add_flag("--labels-only", o->labels_only, "send the labels, not the predictions");
  app->add_option("--from-row", o->from_row, "begin at this row, counted from 1")->type_name("N");
  app->add_option("--timeout", o->timeout,
                  "how long to try again when the connection is lost; default 60s, and 0 before the first answer")
      ->type_name("TIME");
  app->add_flag("--json", o->json, "one JSON document instead of a line");
  o->columns.add(*app);
  app->add_option("--tag", o->tags, "column that says which segment a row is of, sent under `tags`; may be repeated")
      ->type_name("COL")
      ->group("Columns")
      ->allow_extra_args(false);
  o->windows.add(*app, false);
  app->add_option("--task", o->task.task,
                  "what the reference's predictions are of, as binary; else told from its columns")
      ->type_name("TASK")
      ->group(TaskOptions::kGroup);
  app->add_option("--positive", o->task.positive, "binary: the positive class of the reference, as vigie score has it")
      ->type_name("V")
      ->group(TaskOptions::kGroup);
  return {app, [o] { return send(*o); }};
}

}  // namespace vigie::cli
