// SPDX-License-Identifier: Apache-2.0
#include "server/model_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/quantity.h"
#include "base/text.h"
#include "config/rules_file.h"
#include "drift/drift.h"
#include "engine/attribution.h"
#include "engine/compare.h"
#include "engine/live_windows.h"
#include "engine/silence.h"
#include "engine/sliding_windows.h"
#include "engine/windows.h"
#include "quality/quality.h"
#include "quality/rules.h"
#include "server/said_internal.h"
#include "server/stream_specs.h"
#include "table/json_rows.h"

namespace vigie::server {
namespace {

using said::Json, said::known, said::object_of, said::take, said::wrong;
using Answer = engine::Incidents::Answer;

constexpr std::array<std::string_view, 4> kActions{"ack", "snooze", "resolve", "false-alarm"};
constexpr double kMostRows = 1e9;  // of a window
constexpr double kMostFalseAlarms = 1000;
constexpr std::int64_t kDay = 86'400'000'000, kMostLateness = 7 * kDay;
constexpr std::size_t kMostDependencies = 20, kMostMaintenance = 50, kMostDetectors = 20, kLongestDetector = 1000,
                      kMostMethods = 1000, kMostRules = 1000,
                      kMostUnique = 10;  // of which each holds a million hashes of a window
constexpr std::string_view kChecks = "checks";

Result<std::int64_t> rows_of(const Json& json, const std::string& where, std::string_view expected) {
  const double rows = json.is_number() ? json.get<double>() : 0;
  if (rows >= 1 && rows <= kMostRows && rows == std::floor(rows)) return std::llround(rows);
  return wrong(where, expected, json);
}

Result<engine::WindowSpec> calendar_of(const Json& json, std::string_view where) {
  auto windows = engine::calendar_windows(json.get_ref<const std::string&>());
  if (!windows) return fail(Code::kInput, fmt::format("{}: {}", where, windows.error().message));
  return windows;
}

Result<engine::WindowSpec> sliding_of(const Json& every, engine::WindowSpec time) {
  constexpr std::string_view kExpected = "hour, day or minutes as 5m, which divide window.time";
  if (!every.is_string()) return wrong("window.every", kExpected, every);
  VIGIE_ASSIGN(const auto pane, calendar_of(every, "window.every"));
  switch (pane.kind) {
    case engine::WindowSpec::Kind::kMinutes:
      time.every = pane.minutes;
      break;
    case engine::WindowSpec::Kind::kHour:
      time.every = 60;
      break;
    case engine::WindowSpec::Kind::kDay:
      time.every = std::int64_t{24} * 60;
      break;
    default:
      return wrong("window.every", kExpected, every);
  }
  if (auto fits = engine::check_panes(time); !fits) return fail(Code::kInput, "window.every: " + fits.error().message);
  return time;
}

Result<engine::WindowSpec> window_of(const Json& json) {
  if (json.is_string()) return calendar_of(json, "window");
  if (!json.is_object()) {
    engine::WindowSpec spec;
    spec.kind = engine::WindowSpec::Kind::kRows;
    VIGIE_ASSIGN(spec.rows,
                 rows_of(json, "window",
                         "hour, day, week, month, minutes as 15m, a number of rows up to 1e9, both as "
                         "{\"rows\": 1000, \"time\": \"hour\"}, or {\"time\": \"hour\", \"every\": \"5m\"}"));
    return spec;
  }
  VIGIE_TRY(known(json, "window.", {"rows", "time", "every"}));
  const bool every = json.contains("every");
  if (every && json.contains("rows"))
    return fail(Code::kInput, "window.every: not beside rows: it is of time alone, of which it is a part");
  for (const auto* key : {"rows", "time"})
    if (!json.contains(key) && !(every && key == std::string_view("rows")))
      return fail(Code::kInput, fmt::format("window: lacks {}: it is of rows and time, whichever ends it first{}", key,
                                            every ? "" : ", or of time and every"));
  const auto& time = json["time"];
  if (!time.is_string()) return wrong("window.time", "hour, day, week, month or minutes as 15m", time);
  VIGIE_ASSIGN(auto spec, calendar_of(time, "window.time"));
  if (every) return sliding_of(json["every"], spec);
  VIGIE_ASSIGN(spec.rows, rows_of(json["rows"], "window.rows", "a number of rows up to 1e9"));
  return spec;
}

std::vector<std::string> names_of_causes() {
  std::vector<std::string> names{std::string(engine::kDefaultMethod), "error_rate", "latency_p95",
                                 std::string(engine::kAttributionDrift), std::string(engine::kSilence)};
  for (const auto* m : metric::metrics()) names.emplace_back(m->name);
  for (const auto* c : quality::checks()) names.emplace_back(c->name);
  for (const auto name : quality::rule_names()) names.emplace_back(name);
  for (const auto* m : drift::methods()) names.emplace_back(m->name);
  return names;
}

Result<engine::Monitor> monitor_of(const Json& json, std::size_t index, const std::vector<std::string>& streams) {
  const auto where = fmt::format("monitors[{}].", index);
  if (!json.is_object()) return wrong(where.substr(0, where.size() - 1), "a JSON object", json);
  VIGIE_TRY(known(json, where, {"column", "what", "severity", "owner", "runbook", "notify"}));
  engine::Monitor out;
  std::string severity;
  VIGIE_TRY(take(json, "column", where, out.column));
  VIGIE_TRY(take(json, "what", where, out.what));
  VIGIE_TRY(take(json, "owner", where, out.owner));
  VIGIE_TRY(take(json, "runbook", where, out.runbook));
  VIGIE_TRY(take(json, "notify", where, out.notify));
  VIGIE_TRY(take(json, "severity", where, severity));
  if (out.column.empty() && out.what.empty())
    return fail(Code::kInput,
                fmt::format("{}: names no column and no metric, check or method", where.substr(0, where.size() - 1)));
  if (!out.what.empty()) {
    auto names = names_of_causes();
    names.insert(names.end(), streams.begin(), streams.end());
    if (std::find(names.begin(), names.end(), out.what) == names.end())
      return fail(Code::kInput,
                  fmt::format("{}what: {}", where, unknown_name("metric, check or method", out.what, names)));
  }
  if (severity == "off")
    out.off = true;
  else if (severity == "warning" || severity == "critical")
    out.severity = severity == "warning" ? event::Severity::kWarning : event::Severity::kCritical;
  else if (!severity.empty())
    return wrong(where + "severity", "warning, critical or off", json["severity"]);
  return out;
}

Result<std::vector<engine::StreamSpec>> detectors_of(const Json& json) {
  if (!json.is_array() || json.size() > kMostDetectors)
    return wrong("detectors", fmt::format("a list of at most {}", kMostDetectors), json);
  std::vector<engine::StreamSpec> out;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const auto where = fmt::format("detectors[{}]", i);
    if (!json[i].is_object()) return wrong(where, "a JSON object", json[i]);
    VIGIE_TRY(known(json[i], where + ".", {"on", "detector"}));
    engine::StreamSpec spec;
    VIGIE_TRY(take(json[i], "on", where + ".", spec.on));
    VIGIE_TRY(take(json[i], "detector", where + ".", spec.detector));
    if (spec.on.empty() || spec.on.size() > kLongestDetector)
      return fail(Code::kInput, where + ".on: expected error, residual, score or the name of a numeric feature");
    if (spec.detector.empty()) spec.detector = engine::kUsualDetector;
    if (spec.detector.size() > kLongestDetector)
      return fail(Code::kInput, fmt::format("{}.detector: longer than {} bytes", where, kLongestDetector));
    if (auto made = engine::StreamDetector::make(spec); !made)
      return fail(Code::kInput, fmt::format("{}.detector: {}", where, made.error().message));
    if (std::find(out.begin(), out.end(), spec) != out.end())
      return fail(Code::kInput, fmt::format("{}: {} on {} is there twice", where, spec.detector, spec.on));
    out.push_back(std::move(spec));
  }
  const auto on = [&](std::string_view what) {
    return std::any_of(out.begin(), out.end(), [&](const auto& spec) { return spec.on == what; });
  };
  if (on(engine::kErrors) && on(engine::kResiduals))
    return fail(Code::kInput, "detectors: a model has errors or residuals, of classes or of numbers, not both");
  return out;
}

Result<RecordSchema::Columns> schema_of(const Json& json) {
  if (!json.is_object() || json.empty() || json.size() > RecordSchema::kMost)
    return wrong("schema", fmt::format("a JSON object of 1 to {} names", RecordSchema::kMost), json);
  const auto kinds = all_kinds();
  RecordSchema::Columns out;
  for (const auto& [name, kind] : json.items()) {
    const auto where = "schema." + name;
    if (!kind.is_string()) return wrong(where, fmt::format("one of {}", fmt::join(kinds, ", ")), kind);
    const auto said = kind_of(kind.get<std::string>());
    if (!said)
      return fail(Code::kInput, fmt::format("{}: {}", where,
                                            unknown_name("kind", kind.get<std::string>(),
                                                         std::vector<std::string>(kinds.begin(), kinds.end()))));
    out[name] = *said;
  }
  return out;
}

Result<std::vector<Expectation>> checks_of(const Json& json) {
  const std::string key(kChecks);
  if (!json.is_object()) return wrong(key, "a JSON object of columns and relations", json);
  auto rules = config::parse_rules_at(json.dump(-1, ' ', false, Json::error_handler_t::replace), key);
  if (!rules) return fail(Code::kInput, rules.error().message);
  if (rules->size() > kMostRules)
    return fail(Code::kInput, fmt::format("{}: {} rules are more than {}", key, rules->size(), kMostRules));
  const auto unique = std::ranges::count(*rules, Expectation::Kind::kUnique, &Expectation::kind);
  if (unique > static_cast<std::ptrdiff_t>(kMostUnique))
    return fail(Code::kInput, fmt::format("{}: {} columns that are unique are more than {}", key, unique, kMostUnique));
  if (auto made = quality::RuleStates::make(*rules, {}, key); !made) return fail(Code::kInput, made.error().message);
  return rules;
}

Result<engine::MethodChoice> method_of(const Json& json, std::size_t index) {
  const auto where = fmt::format("compare.methods[{}]", index);
  engine::MethodChoice out;
  if (json.is_string()) {
    out.method = json.get<std::string>();
  } else if (json.is_object()) {
    VIGIE_TRY(known(json, where + ".", {"column", "method"}));
    VIGIE_TRY(take(json, "column", where + ".", out.column));
    VIGIE_TRY(take(json, "method", where + ".", out.method));
    if (out.column.empty()) return fail(Code::kInput, where + ": names no column");
  } else {
    return wrong(where, "a method, or a JSON object of column and method", json);
  }
  std::vector<std::string> names{"all", "auto"};
  for (const auto* m : drift::methods()) names.emplace_back(m->name);
  if (std::find(names.begin(), names.end(), out.method) == names.end())
    return fail(Code::kInput, fmt::format("{}: {}", where, unknown_name("method", out.method, names)));
  return out;
}

Result<LevelsAndMethods> compare_of(const Json& json) {
  if (!json.is_object()) return wrong("compare", "a JSON object", json);
  VIGIE_TRY(known(json, "compare.", {"alpha", "watch", "major", "methods"}));
  LevelsAndMethods out;
  const auto number = [&](const char* key, double most) -> Result<std::optional<double>> {
    const auto at = json.find(key);
    if (at == json.end() || at->is_null()) return std::optional<double>();
    const double said = at->is_number() ? at->get<double>() : 0;
    if (said > 0 && said < most) return std::optional(said);
    return wrong(fmt::format("compare.{}", key), most > 1 ? "a number above 0" : "a level between 0 and 1", *at);
  };
  VIGIE_ASSIGN(const auto alpha, number("alpha", 1));
  VIGIE_ASSIGN(const auto watch, number("watch", 1e9));
  VIGIE_ASSIGN(const auto major, number("major", 1e9));
  out.alpha = alpha.value_or(out.alpha);
  if (watch.has_value() != major.has_value())
    return fail(Code::kInput,
                fmt::format("compare.{}: is missing: watch and major go together", watch ? "major" : "watch"));
  if (watch && *watch > *major) return wrong("compare.watch", "at most compare.major", json["watch"]);
  if (watch) out.levels = engine::Levels{*watch, *major};
  const auto methods = json.find("methods");
  if (methods == json.end() || methods->is_null()) return out;
  if (!methods->is_array() || methods->size() > kMostMethods)
    return wrong("compare.methods", fmt::format("a list of at most {}", kMostMethods), *methods);
  for (std::size_t i = 0; i < methods->size(); ++i) {
    VIGIE_ASSIGN(auto method, method_of((*methods)[i], i));
    out.methods.push_back(std::move(method));
  }
  return out;
}

Result<Dependency> dependency_of(const Json& json, std::size_t index) {
  const auto where = fmt::format("depends_on[{}].", index);
  if (!json.is_object()) return wrong(where.substr(0, where.size() - 1), "a JSON object", json);
  VIGIE_TRY(known(json, where, {"name", "probe", "prometheus", "series", "max_latency_ms", "max_age", "min", "max"}));
  Dependency out;
  std::string age;
  for (auto [key, into] :
       {std::pair("name", &out.name), std::pair("probe", &out.probe), std::pair("series", &out.series),
        std::pair("prometheus", &out.prometheus), std::pair("max_age", &age)})
    VIGIE_TRY(take(json, key, where, *into));
  if (out.name.empty() || out.name.size() > 100 || !is_utf8(out.name) || out.name.find('/') != std::string::npos)
    return fail(Code::kInput, where + "name: expected a name of at most 100 bytes, without /");
  if (out.probe.empty() == out.prometheus.empty())
    return fail(Code::kInput,
                where.substr(0, where.size() - 1) + ": expected one of probe and prometheus, an address each");
  const auto number = [&](const char* key, std::optional<double>& into) -> Status {
    const auto at = json.find(key);
    if (at == json.end() || at->is_null()) return {};
    if (!at->is_number()) return wrong(where + key, "a number", *at);
    into = at->get<double>();
    return {};
  };
  std::optional<double> latency;
  VIGIE_TRY(number("max_latency_ms", latency));
  VIGIE_TRY(number("min", out.least));
  VIGIE_TRY(number("max", out.most));
  out.max_latency_ms = latency.value_or(0);
  if (latency && !(*latency > 0)) return wrong(where + "max_latency_ms", "a number above 0", json["max_latency_ms"]);
  if (!age.empty()) {
    const auto duration = duration_of(age);
    if (!duration) return wrong(where + "max_age", "a length of at most 400 days, as 90m, 4h or 3d", json["max_age"]);
    out.max_age = *duration;
  }
  const bool of_series = !out.series.empty() || out.max_age > 0 || out.least || out.most;
  if (!out.probe.empty() && of_series)
    return fail(Code::kInput, where.substr(0, where.size() - 1) + ": series, max_age, min and max are of prometheus");
  if (!out.prometheus.empty() && (out.series.empty() || latency || !(out.max_age > 0 || out.least || out.most)))
    return fail(Code::kInput, where.substr(0, where.size() - 1) + ": prometheus wants series, and max_age, min or max");
  if (auto sample = sample_of("", out); !sample)
    return fail(Code::kInput, where.substr(0, where.size() - 1) + ": " + sample.error().message);
  return out;
}

}  // namespace

std::optional<std::int64_t> duration_of(std::string_view text) {
  const auto seconds = parse_duration(text);
  const bool unit = !text.empty() && (text.back() < '0' || text.back() > '9');
  if (!unit || !seconds || !(*seconds > 0) || *seconds > 400 * 86'400.0) return {};
  return std::llround(*seconds * 1e6);
}

Result<ModelConfig> read_model_config(std::string_view body) {
  VIGIE_ASSIGN(const auto json, object_of(body, "body"));
  VIGIE_TRY(
      known(json, "", {"description", "owner",        "runbook",          "notify",       "tags",       "task",
                       "positive",    "window",       "timezone",         "roles",        "segments",   "monitors",
                       "privacy",     "false_alarms", "allowed_lateness", "runs_on",      "depends_on", "detectors",
                       "reference",   "maintenance",  "schema",           "silent_after", "compare",    "checks"}));
  ModelConfig out;
  std::string description, task, zone;
  VIGIE_TRY(take(json, "description", "", description));
  VIGIE_TRY(take(json, "owner", "", out.owner));
  VIGIE_TRY(take(json, "runbook", "", out.runbook));
  VIGIE_TRY(take(json, "notify", "", out.notify));
  VIGIE_TRY(take(json, "task", "", task));
  VIGIE_TRY(take(json, "timezone", "", zone));
  if (!task.empty()) {
    std::vector<std::string> names;
    for (auto one :
         {metric::Task::kBinary, metric::Task::kMulticlass, metric::Task::kRegression, metric::Task::kRanking,
          metric::Task::kText, metric::Task::kDetection, metric::Task::kSegmentation}) {
      names.emplace_back(to_string(one));
      if (task == names.back()) out.task = one;
    }
    if (!out.task) return fail(Code::kInput, "task: " + unknown_name("task", task, names));
  }
  if (const auto at = json.find("positive"); at != json.end() && !at->is_null()) {
    if (at->is_structured()) return wrong("positive", "the positive class", *at);
    out.positive = at->is_string() ? at->get<std::string>() : at->dump();
  }
  if (const auto at = json.find("window"); at != json.end() && !at->is_null()) {
    VIGIE_ASSIGN(out.window, window_of(*at));
  }
  out.window.zone = zone;
  if (auto windows = engine::Windower::make(out.window); !windows)
    return fail(Code::kInput, fmt::format("timezone: there is no {}", vigie::quoted(zone)));
  if (const auto at = json.find("tags"); at != json.end() && !at->is_object() && !at->is_null())
    return wrong("tags", "a JSON object", *at);
  if (const auto at = json.find("roles"); at != json.end() && !at->is_null()) {
    if (!at->is_object()) return wrong("roles", "a JSON object", *at);
    VIGIE_TRY(known(*at, "roles.", {"features", "ignore"}));
    VIGIE_TRY(take(*at, "features", "roles.", out.features));
    VIGIE_TRY(take(*at, "ignore", "roles.", out.ignore));
  }
  if (const auto at = json.find("segments"); at != json.end() && !at->is_null()) {
    if (!at->is_array()) return wrong("segments", "a list", *at);
    for (std::size_t i = 0; i < at->size(); ++i) {
      const auto& one = (*at)[i];
      auto& by = out.segments.emplace_back();
      if (one.is_string()) by.push_back(one.get<std::string>());
      const bool names = one.is_array() && (one.size() == 1 || one.size() == 2) &&
                         std::all_of(one.begin(), one.end(), [](const Json& name) { return name.is_string(); });
      if (names) by = one.get<std::vector<std::string>>();
      if (by.empty()) return wrong(fmt::format("segments[{}]", i), "a name, or a list of one or two", one);
      const bool twice = (by.size() == 2 && by[0] == by[1]) ||
                         std::any_of(out.segments.begin(), std::prev(out.segments.end()), [&](const auto& other) {
                           return std::is_permutation(other.begin(), other.end(), by.begin(), by.end());
                         });
      if (twice) return fail(Code::kInput, fmt::format("segments[{}]: {} is there twice", i, fmt::join(by, ", ")));
    }
  }
  std::vector<std::string> streams{std::string(engine::kErrors), std::string(engine::kResiduals)};
  if (const auto at = json.find("detectors"); at != json.end() && !at->is_null()) {
    VIGIE_ASSIGN(out.detectors, detectors_of(*at));
    for (const auto& spec : *out.detectors) streams.push_back(spec.on);
  }
  if (const auto at = json.find("monitors"); at != json.end() && !at->is_null()) {
    if (!at->is_array()) return wrong("monitors", "a list", *at);
    for (std::size_t i = 0; i < at->size(); ++i) {
      VIGIE_ASSIGN(auto monitor, monitor_of((*at)[i], i, streams));
      out.monitors.push_back(std::move(monitor));
    }
  }
  if (const auto at = json.find("privacy"); at != json.end() && !at->is_null()) {
    if (!at->is_object()) return wrong("privacy", "a JSON object", *at);
    const auto all = all_privacy();
    for (const auto& [name, policy] : at->items()) {
      if (!policy.is_string()) return wrong("privacy." + name, "show, mask, hash or drop", policy);
      const auto said = privacy_of(policy.get<std::string>());
      if (!said)
        return fail(Code::kInput, fmt::format("privacy.{}: {}", name,
                                              unknown_name("policy", policy.get<std::string>(),
                                                           std::vector<std::string>(all.begin(), all.end()))));
      out.privacy[name] = *said;
    }
  }
  if (const auto at = json.find("false_alarms"); at != json.end() && !at->is_null()) {
    const double count = at->is_number() ? at->get<double>() : 0;
    if (!(count > 0 && count <= kMostFalseAlarms))
      return wrong("false_alarms", "how many in 30 days are borne with, above 0 and up to 1000", *at);
    out.false_alarms = count;
  }
  if (const auto at = json.find("allowed_lateness"); at != json.end() && !at->is_null()) {
    const auto text = at->is_string() ? at->get<std::string>() : std::string();
    const auto length = text == "0" ? std::optional<std::int64_t>(0) : duration_of(text);
    if (!length || *length > kMostLateness) return wrong("allowed_lateness", "0, or up to 7d, as 90m or 6h", *at);
    out.allowed_lateness = length;
  }
  if (const auto at = json.find("silent_after"); at != json.end() && !at->is_null()) {
    out.silent_after = duration_of(at->is_string() ? at->get<std::string>() : "");
    if (!out.silent_after) return wrong("silent_after", "a length of at most 400 days, as 15m or 26h", *at);
  }
  VIGIE_TRY(take(json, "runs_on", "", out.runs_on));
  if (const auto at = json.find("depends_on"); at != json.end() && !at->is_null()) {
    if (!at->is_array() || at->size() > kMostDependencies)
      return wrong("depends_on", fmt::format("a list of at most {}", kMostDependencies), *at);
    for (std::size_t i = 0; i < at->size(); ++i) {
      VIGIE_ASSIGN(auto dependency, dependency_of((*at)[i], i));
      for (const auto& other : out.depends_on)
        if (other.name == dependency.name)
          return fail(Code::kInput,
                      fmt::format("depends_on[{}].name: {} is there twice", i, vigie::quoted(other.name)));
      out.depends_on.push_back(std::move(dependency));
    }
  }
  if (const auto at = json.find("compare"); at != json.end() && !at->is_null()) {
    VIGIE_ASSIGN(out.compare, compare_of(*at));
  }
  if (const auto at = json.find(kChecks); at != json.end() && !at->is_null()) {
    VIGIE_ASSIGN(out.checks, checks_of(*at));
  }
  if (const auto at = json.find("reference"); at != json.end() && !at->is_null()) {
    VIGIE_ASSIGN(out.reference, read_reference_choice(at->dump(-1, ' ', false, Json::error_handler_t::replace)));
  }
  if (const auto at = json.find("maintenance"); at != json.end() && !at->is_null()) {
    if (!at->is_array() || at->size() > kMostMaintenance)
      return wrong("maintenance", fmt::format("a list of at most {}", kMostMaintenance), *at);
    for (std::size_t i = 0; i < at->size(); ++i) {
      VIGIE_ASSIGN(auto work, read_planned_work((*at)[i].dump(-1, ' ', false, Json::error_handler_t::replace),
                                                fmt::format("maintenance[{}]", i), zone));
      out.maintenance.push_back(std::move(work));
    }
  }
  if (const auto at = json.find("schema"); at != json.end() && !at->is_null()) {
    VIGIE_ASSIGN(out.schema, schema_of(*at));
  }
  out.json = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return out;
}

Status check_privacy(const ModelConfig& config, const engine::Profile& reference) {
  const RowPrivacy privacy(reference, config.privacy, "");
  const auto shown = [&](const std::string& where, const std::string& name, std::string_view column,
                         std::string_view why) -> Status {
    if (!privacy.said_to_hide(column)) return {};
    return fail(Code::kInput, fmt::format("{}: {} {}, which privacy hides", where, why, vigie::quoted(name)));
  };
  constexpr std::string_view kCalled = "segments are called by the values of";
  for (std::size_t i = 0; i < config.segments.size(); ++i)
    for (const auto& name : config.segments[i]) VIGIE_TRY(shown(fmt::format("segments[{}]", i), name, name, kCalled));
  for (std::size_t i = 0; config.detectors && i < config.detectors->size(); ++i) {
    const auto& spec = (*config.detectors)[i];
    const auto column = column_named(spec, reference);
    VIGIE_TRY(shown(fmt::format("detectors[{}]", i), spec.on, column.empty() ? spec.on : column,
                    "a detector says the level of"));
  }
  for (const auto& by : reference.segmentations)
    for (const auto& name : by) VIGIE_TRY(shown("reference", name, name, kCalled));
  return {};
}

Status check_methods(const ModelConfig& config, const engine::Profile& reference) {
  engine::CompareOptions options;
  options.methods = config.compare.methods;
  const auto made = engine::Comparer::make(reference, options);
  if (made) return {};
  constexpr std::string_view kOption = "--method";
  auto why = made.error().message;
  if (why.starts_with(kOption)) why.replace(0, kOption.size(), "compare.methods");
  return fail(Code::kInput, std::move(why));
}

Status check_rules(const ModelConfig& config, const engine::Profile& reference) {
  if (config.checks.empty()) return {};
  engine::LiveOptions options;
  options.compare.window = reference.window;
  if (options.compare.window.kind == engine::WindowSpec::Kind::kNone)
    options.compare.window.kind = engine::WindowSpec::Kind::kRows, options.compare.window.rows = 1;
  VIGIE_ASSIGN(const auto live, engine::LiveWindows::make(std::make_shared<const engine::Profile>(reference), options));
  VIGIE_TRY(live->check_by(config.checks));
  VIGIE_ASSIGN(const auto unfit, live->unfit());
  return unfit.empty() ? Status() : fail(Code::kInput, fmt::format("{}.{}", kChecks, unfit.front()));
}

ModelConfig kept_model_config(std::string_view json) {
  auto read = read_model_config(json);
  if (read) return std::move(*read);
  ModelConfig out;
  out.json = json, out.unread = read.error().message;
  const auto said = Json::parse(json, nullptr, false);
  if (!said.is_object()) return out;
  const auto text = [&](const char* key) {
    const auto at = said.find(key);
    return at != said.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  out.owner = text("owner"), out.runbook = text("runbook");
  if (const auto at = said.find("privacy"); at != said.end() && at->is_object())
    for (const auto& [name, policy] : at->items())
      out.privacy[name] =
          policy.is_string() ? privacy_of(policy.get<std::string>()).value_or(Privacy::kDrop) : Privacy::kDrop;
  return out;
}

Result<Answer> read_answer(std::string_view action, std::string_view body, std::int64_t now) {
  Answer out;
  const auto at = std::find(kActions.begin(), kActions.end(), action);
  if (at == kActions.end())
    return fail(Code::kInput,
                unknown_name("action", action, std::vector<std::string>(kActions.begin(), kActions.end())));
  out.action = static_cast<engine::Incidents::Action>(at - kActions.begin());
  const bool snooze = out.action == engine::Incidents::Action::kSnooze;
  if (snooze) out.until = now + kDay;
  if (body.find_first_not_of(" \t\r\n") == body.npos) return out;
  VIGIE_ASSIGN(const auto json, object_of(body, "body"));
  VIGIE_TRY(known(json, "", {"by", "note", "until", "for"}));
  std::string until, length;
  VIGIE_TRY(take(json, "by", "", out.by));
  VIGIE_TRY(take(json, "note", "", out.note));
  VIGIE_TRY(take(json, "until", "", until));
  VIGIE_TRY(take(json, "for", "", length));
  if (!snooze && !(until.empty() && length.empty()))
    return fail(Code::kInput, fmt::format("{}: only snooze has an end", until.empty() ? "for" : "until"));
  if (!length.empty()) {
    const auto duration = duration_of(length);
    if (!duration) return wrong("for", "a length of at most 400 days, as 90m, 4h or 3d", json["for"]);
    out.until = now + *duration;
  }
  if (!until.empty()) {
    const auto time = table::parse_time(until);
    if (!time || *time <= static_cast<double>(now)) return wrong("until", "a time that is to come", json["until"]);
    out.until = static_cast<std::int64_t>(*time);
  }
  return out;
}

std::string answer_to_json(std::string_view incident, const Answer& answer) {
  const Json json{{"id", incident},
                  {"action", kActions.at(static_cast<std::size_t>(answer.action))},
                  {"by", answer.by},
                  {"note", answer.note},
                  {"until", answer.until}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<std::pair<std::string, Answer>> answer_of_json(std::string_view text) {
  try {
    const auto json = Json::parse(text);
    Answer out;
    const auto at = std::find(kActions.begin(), kActions.end(), json.at("action").get<std::string>());
    if (at == kActions.end()) return fail(Code::kCorrupt, "an answer of the journal that is none");
    out.action = static_cast<engine::Incidents::Action>(at - kActions.begin());
    out.by = json.at("by"), out.note = json.at("note"), out.until = json.at("until");
    return std::pair(json.at("id").get<std::string>(), std::move(out));
  } catch (const std::exception&) {
    return fail(Code::kCorrupt, "an answer of the journal that is none");
  }
}

}  // namespace vigie::server
