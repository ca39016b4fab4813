// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "base/iso_time.h"
#include "cli/command_internal.h"
#include "cli/report_input_internal.h"
#include "event/audit.h"
#include "table/json_rows.h"

namespace vigie::cli {
namespace {

using Json = ServiceClient::Json;
using event::Happened;
using view::Governance;

std::int64_t time_in(const Json& json, const char* key) {
  const auto value = json.value(key, Json());
  const auto time = value.is_string() ? table::parse_time(value.get<std::string>()) : std::nullopt;
  return time ? std::llround(*time) : 0;
}
std::string text_in(const Json& json, const char* key) {
  const auto value = json.value(key, Json());
  return value.is_string() ? value.get<std::string>() : value.is_null() ? "" : value.dump();
}
double number_in(const Json& json, const char* key) {
  const auto value = json.value(key, Json());
  return value.is_number() ? value.get<double>() : std::nan("");
}
std::int64_t count_in(const Json& json, const char* key) {
  const auto value = json.value(key, Json());
  return value.is_number() ? value.get<std::int64_t>() : 0;
}
const Json& list_in(const Json& json, const char* key) {
  static const Json none = Json::array();
  const auto at = json.find(key);
  return at != json.end() && at->is_array() ? *at : none;
}

// What is found in windows, put together by column, check and metric.
class Windows {
 public:
  explicit Windows(Governance& report) : report_(report) {}

  void add(const Json& json) {
    auto& w = report_.windows.emplace_back();
    w.start = time_in(json, "began"), w.end = time_in(json, "ended");
    w.rows = count_in(json, "rows"), w.labelled = count_in(json, "labelled");
    w.verdict = text_in(json, "verdict"), w.score_verdict = text_in(json, "score_verdict");
    w.coverage = number_in(json, "coverage");
    w.preliminary = json.value("preliminary", false), w.condensed = json.value("condensed", false);
    if (const auto versions = json.find("versions"); versions != json.end())
      for (const auto& [name, rows] : versions->items()) version(name, rows.get<std::int64_t>());
    if (w.verdict == "maintenance") return;
    for (const auto* list : {"columns", "label_drift"})
      for (const auto& c : list_in(json, list)) column(c);
    for (const auto& q : list_in(json, "quality")) check(q);
    for (const auto& m : list_in(json, "metrics")) metric(m);
  }

  void end() {
    for (auto& m : report_.metrics)
      for (auto* list : {&m.value, &m.low, &m.high}) list->resize(report_.windows.size(), std::nan(""));
    std::stable_sort(report_.columns.begin(), report_.columns.end(), [](const auto& a, const auto& b) {
      return std::tuple(a.drift, a.warning, a.effect) > std::tuple(b.drift, b.warning, b.effect);
    });
    std::stable_sort(report_.checks.begin(), report_.checks.end(), [](const auto& a, const auto& b) {
      return std::pair(a.failed, a.warned) > std::pair(b.failed, b.warned);
    });
    std::stable_sort(report_.metrics.begin(), report_.metrics.end(), [](const auto& a, const auto& b) {
      return std::pair(a.drift, a.warning) > std::pair(b.drift, b.warning);
    });
  }

 private:
  void version(const std::string& name, std::int64_t rows) {
    const auto& window = report_.windows.back();
    const auto at = std::find_if(report_.versions.begin(), report_.versions.end(),
                                 [&](const auto& one) { return one.version == name; });
    if (at == report_.versions.end()) {
      report_.versions.push_back({name, window.start, window.end, rows});
    } else {
      at->to = std::max(at->to, window.end), at->rows += rows;
    }
  }

  void column(const Json& c) {
    const auto name = text_in(c, "column"), method = text_in(c, "method"), verdict = text_in(c, "verdict");
    const auto [at, fresh] = columns_.try_emplace({name, method}, report_.columns.size());
    if (fresh) {
      auto& made = report_.columns.emplace_back();
      made.column = name, made.method = method, made.role = text_in(c, "role"), made.type = text_in(c, "type");
    }
    auto& of = report_.columns[at->second];
    const auto segment = text_in(c, "segment");
    if (segment.empty()) {
      of.judged += verdict != "no_data", of.warning += verdict == "warning", of.drift += verdict == "drift";
    } else if (segments_.emplace(name + "\n" + method, segment).second) {
      ++of.segments;
    }
    if (verdict != "warning" && verdict != "drift") return;
    const double major = number_in(c, "major"), effect = number_in(c, "effect") / (major > 0 ? major : 1);
    const double weight = (verdict == "drift" ? 1e6 : 0) + (std::isfinite(effect) ? effect : 0);
    if (weight < of.effect && !of.reason.empty()) return;
    of.effect = weight;
    of.reason = fmt::format("{}{}: {}", text_of(report_.windows.back().start), segment.empty() ? "" : ", " + segment,
                            text_in(c, "reason"));
  }

  void check(const Json& q) {
    const auto name = text_in(q, "check"), column = text_in(q, "column"), verdict = text_in(q, "verdict");
    const auto [at, fresh] = checks_.try_emplace({name, column}, report_.checks.size());
    if (fresh) report_.checks.push_back({.check = name, .column = column, .reason = {}});
    auto& of = report_.checks[at->second];
    of.passed += verdict == "pass", of.warned += verdict == "warn", of.failed += verdict == "fail";
    if (verdict == "warn" || verdict == "fail")
      of.reason = fmt::format("{}: {}", text_of(report_.windows.back().start), text_in(q, "reason"));
  }

  void metric(const Json& m) {
    if (!text_in(m, "segment").empty()) return;
    auto name = text_in(m, "metric");
    for (const auto* part : {"class", "k", "group"})
      if (const auto which = text_in(m, part); !which.empty()) name += fmt::format(", {} {}", part, which);
    const auto [at, fresh] = metrics_.try_emplace(name, report_.metrics.size());
    if (fresh) report_.metrics.emplace_back().metric = name;
    auto& of = report_.metrics[at->second];
    const auto window = report_.windows.size();
    for (auto [list, key] : {std::pair{&of.value, "value"}, {&of.low, "low"}, {&of.high, "high"}}) {
      list->resize(window, std::nan(""));
      list->back() = number_in(m, key);
    }
    if (const double reference = number_in(m, "reference"); std::isfinite(reference)) of.reference = reference;
    const auto verdict = text_in(m, "verdict");
    of.warning += verdict == "warning", of.drift += verdict == "drift";
    if (verdict == "drift" || (verdict == "warning" && of.drift == 0))
      of.reason = fmt::format("{}: {}", text_of(report_.windows.back().start), text_in(m, "reason"));
  }

  static std::string text_of(std::int64_t time) {
    const auto text = iso_time(static_cast<double>(time));
    return text.size() < 16 ? text : text.substr(0, 10) + " " + text.substr(11, 5);
  }

  Governance& report_;
  std::map<std::pair<std::string, std::string>, std::size_t> columns_, checks_;
  std::map<std::string, std::size_t> metrics_;
  std::set<std::pair<std::string, std::string>> segments_;
};

void read_model(const Json& json, Governance& report) {
  report.state = text_in(json, "state");
  report.predictions = static_cast<std::uint64_t>(count_in(json, "predictions"));
  report.labels = static_cast<std::uint64_t>(count_in(json, "labels"));
  const auto config = json.value("config", Json::object());
  for (const auto& [key, value] : config.items()) {
    if (key == "owner" || key == "description" || key == "runbook" || key == "task") continue;
    if (key == "false_alarms" && value.is_number()) report.false_alarms = value.get<double>();
    report.said.emplace_back(key, text_in(config, key.c_str()));
  }
  report.owner = text_in(config, "owner"), report.description = text_in(config, "description");
  report.runbook = text_in(config, "runbook"), report.task = text_in(config, "task");
}

Governance::Reference reference_of(const event::AuditEntry& entry) {
  const auto d = Json::parse(entry.details);
  return {entry.time,           count_in(d, "rows"),  count_in(d, "columns"), count_in(d, "windows"),
          text_in(d, "window"), text_in(d, "source"), text_in(d, "sha256"),   text_in(d, "version")};
}

// When the service ran, of its starts and stops until the end of the report's time, in their order.
void read_runs(const std::vector<event::AuditEntry>& entries, Governance& report) {
  for (const auto& e : entries) {
    if (e.happened == Happened::kServiceStarted) {
      const auto d = Json::parse(e.details);
      // Until when one that was cut off ran nobody knows, but that it was over by now.
      if (!report.runs.empty() && report.runs.back().to == 0)
        report.runs.back().to = e.time, report.runs.back().cut_off = true;
      report.runs.push_back({e.time, 0, text_in(d, "version")});
    } else if (e.happened == Happened::kServiceStopped && !report.runs.empty()) {
      report.runs.back().to = e.time;
    }
  }
  std::erase_if(report.runs, [&](const auto& run) { return run.to != 0 && run.to < report.from; });
}

void read_incident(const Json& json, const std::vector<event::AuditEntry>& audit, Governance& report) {
  const auto incident = event::incident_of_json(json.dump());
  if (!incident || (incident->resolved > 0 && incident->resolved < report.from)) return;
  Governance::Incident out;
  out.incident = *incident;
  for (const auto& e : audit) {
    const auto d = Json::parse(e.details);
    if (text_in(d, "incident") != incident->id) continue;
    Governance::Step step{e.time, {}, e.by, text_in(d, "note")};
    switch (e.happened) {
      case Happened::kIncidentOpened:
        step.what = "opened: " + text_in(d, "summary");
        break;
      case Happened::kIncidentWorse:
        step.what = "became critical: " + text_in(d, "summary");
        break;
      case Happened::kIncidentReminder:
        step.what = "told of again: nobody had answered";
        break;
      case Happened::kIncidentResolved:
        step.what = incident->false_alarm ? "over, as a false alarm" : "over";
        break;
      case Happened::kAnswered:
        step.what = text_in(d, "action");
        if (out.answered == 0 && d.value("applied", true)) out.answered = e.time;
        break;
      case Happened::kNoticeSent:
        step.what = text_in(d, "target") + " was told";
        break;
      case Happened::kNoticeGivenUp:
        step.what = fmt::format("{} could not be told: {}", text_in(d, "target"), text_in(d, "why"));
        break;
      case Happened::kNoticeResent:
        step.what = text_in(d, "target") + " is to be told again";
        break;
      default:
        continue;
    }
    out.steps.push_back(std::move(step));
  }
  report.incidents.push_back(std::move(out));
}

Result<std::vector<event::AuditEntry>> entries_of(ServiceClient& service, const std::string& path) {
  VIGIE_ASSIGN(const auto list, service.list(path));
  std::vector<event::AuditEntry> out;
  for (const auto& one : list) {
    VIGIE_ASSIGN(auto entry, event::audit_of_json(one.dump()));
    out.push_back(std::move(entry));
  }
  return out;
}

Status read_all(ServiceClient& service, Governance& report) {
  const auto model = http::encoded(report.model);
  const auto from = http::encoded(iso_time(static_cast<double>(report.from)));
  const auto to = http::encoded(iso_time(static_cast<double>(report.to)));
  VIGIE_ASSIGN(const auto known, service.get("/v1/models/" + model));
  read_model(known, report);

  Windows windows(report);
  VIGIE_TRY(service.pages(fmt::format("/v1/export/windows?model={}&from={}&to={}", model, from, to),
                          [&](const http::Answer& page) -> Result<bool> {
                            for (std::string_view rest = page.body; !rest.empty();) {
                              const auto end = std::min(rest.find('\n'), rest.size());
                              windows.add(Json::parse(rest.substr(0, end)));
                              rest.remove_prefix(std::min(end + 1, rest.size()));
                            }
                            return true;
                          }));
  windows.end();
  if (report.windows.empty()) {
    VIGIE_ASSIGN(const auto first, service.ask(fmt::format("/v1/export/windows?model={}&limit=1", model)));
    const auto json = Json::parse(first.body.substr(0, first.body.find('\n')), nullptr, false);
    if (json.is_object() && json.contains("start"))
      say(fmt::format("{}: no window was over from {} to {}; its first one begins at {}: --from", report.model,
                      iso_time(static_cast<double>(report.from)), iso_time(static_cast<double>(report.to)),
                      text_in(json, "start")));
  }

  // Of the model all: an incident, and the reference, may be older, and of rows that were sent later it was answered
  // later.
  VIGIE_ASSIGN(const auto all, entries_of(service, fmt::format("/v1/audit?model={}&limit=10000", model)));
  std::vector<event::AuditEntry> runs;
  for (const auto* event : {"service_started", "service_stopped"}) {
    VIGIE_ASSIGN(auto some, entries_of(service, fmt::format("/v1/audit?event={}&to={}&limit=10000", event, to)));
    runs.insert(runs.end(), some.begin(), some.end());
  }
  const auto by_number = [](const auto& a, const auto& b) { return a.number < b.number; };
  std::sort(runs.begin(), runs.end(), by_number);
  read_runs(runs, report);
  for (const auto& e : all) {
    if (e.happened != Happened::kReferenceSet || e.time >= report.to) continue;
    if (e.time < report.from) report.references.clear();
    report.references.push_back(reference_of(e));
  }
  for (const auto* list : {&all, &std::as_const(runs)})
    for (const auto& e : *list)
      if (e.time >= report.from && e.time < report.to) report.audit.push_back(e);
  std::sort(report.audit.begin(), report.audit.end(), by_number);

  VIGIE_ASSIGN(const auto incidents, service.list(fmt::format("/v1/incidents?model={}&to={}&limit=1000", model, to)));
  for (const auto& one : incidents) read_incident(one, all, report);
  std::reverse(report.incidents.begin(), report.incidents.end());

  VIGIE_ASSIGN(const auto chain, service.get("/v1/audit/verify"));
  report.audit_entries = count_in(chain, "last"), report.audit_hash = text_in(chain, "hash");
  report.audit_broken = count_in(chain, "broken"), report.audit_why = text_in(chain, "why");
  return {};
}

}  // namespace

Status read_report(ServiceClient& service, Governance& report) {
  try {
    return read_all(service, report);
  } catch (const Json::exception&) {
    return fail(Code::kUnavailable, fmt::format("{}: the answer is none of vigie serve", report.service));
  }
}

}  // namespace vigie::cli
