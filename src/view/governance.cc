// SPDX-License-Identifier: Apache-2.0
#include "view/governance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/iso_time.h"
#include "base/text.h"
#include "view/governance_internal.h"

namespace vigie::view {
namespace {

using Json = nlohmann::ordered_json;

std::optional<std::int64_t> median(std::vector<std::int64_t> values) {
  if (values.empty()) return {};
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Json time_of(std::int64_t micros) {
  return micros == 0 ? Json() : Json(iso_time(static_cast<double>(micros)));
}
Json text_of(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}
Json seconds_of(const std::optional<std::int64_t>& micros) {
  return micros ? Json(static_cast<double>(*micros) / 1e6) : Json();
}

}  // namespace

std::string minute_text(std::int64_t micros) {
  if (micros == 0) return "–";
  const auto text = iso_time(static_cast<double>(micros));
  return text.size() < 16 ? std::string("–") : text.substr(0, 10) + " " + text.substr(11, 5);
}

GovernanceCounts counts_of(const Governance& g) {
  GovernanceCounts out;
  for (const auto& w : g.windows) {
    ++out.windows, out.rows += w.rows, out.labelled += w.labelled, out.condensed += w.condensed;
    out.maintenance += w.verdict == "maintenance";
    out.judged += w.verdict != "no_data" && w.verdict != "maintenance";
    out.warning += w.verdict == "warning", out.drift += w.verdict == "drift";
    if (w.score_verdict.empty() || w.verdict == "maintenance") continue;
    ++out.scored, out.preliminary += w.preliminary;
    out.score_warning += w.score_verdict == "warning", out.score_drift += w.score_verdict == "drift";
  }
  std::vector<std::int64_t> answer, resolve;
  for (const auto& one : g.incidents) {
    const auto& i = one.incident;
    ++out.incidents, out.critical += i.severity == event::Severity::kCritical;
    out.open += i.state != event::Incident::State::kResolved, out.false_alarms += i.false_alarm;
    if (one.answered > 0) ++out.answered, answer.push_back(one.answered - i.opened);
    if (i.resolved > 0) resolve.push_back(i.resolved - i.opened);
  }
  out.to_answer = median(std::move(answer)), out.to_resolve = median(std::move(resolve));
  out.expected_false = g.false_alarms * static_cast<double>(g.to - g.from) / (30 * 8.64e10);
  return out;
}

std::string sentence(const Governance& g) {
  const auto c = counts_of(g);
  std::string out;
  if (c.windows == 0)
    out = "no window was over in this time: nothing was watched";
  else if (c.incidents == 0)
    out = fmt::format("no incident in {}", plural(c.windows, "window"));
  else
    out = fmt::format("{}{}, {} answered{}", plural(c.incidents, "incident"),
                      c.critical == 0 ? "" : fmt::format(", {} critical", c.critical),
                      c.answered == c.incidents ? "all" : fmt::format("{} of them", c.answered),
                      c.open == 0 ? "" : fmt::format(", {} still open", c.open));
  if (c.scored > 0)
    out += c.score_drift + c.score_warning == 0
               ? "; the model was as good as its reference"
               : fmt::format("; the model was worse than its reference in {} of {}", c.score_drift + c.score_warning,
                             plural(c.scored, "scored window"));
  else if (c.windows > 0)
    out += "; no labels came, so how good the model was is not known";
  if (g.audit_broken > 0) out += fmt::format("; the audit log was altered at entry {}", g.audit_broken);
  return out;
}

std::string to_json(const Governance& g) {
  const auto c = counts_of(g);
  Json references = Json::array(), runs = Json::array(), versions = Json::array(), windows = Json::array(),
       columns = Json::array(), checks = Json::array(), metrics = Json::array(), incidents = Json::array(),
       audit = Json::array(), said = Json::object();
  for (const auto& [key, value] : g.said) said[key] = value;
  for (const auto& r : g.references)
    references.push_back({{"since", time_of(r.since)},
                          {"source", text_of(r.source)},
                          {"rows", r.rows},
                          {"columns", r.columns},
                          {"window", r.window},
                          {"windows", r.windows},
                          {"sha256", r.sha256},
                          {"version", r.version}});
  for (const auto& v : g.versions)
    versions.push_back({{"version", v.version}, {"from", time_of(v.from)}, {"to", time_of(v.to)}, {"rows", v.rows}});
  for (const auto& r : g.runs)
    runs.push_back({{"from", time_of(r.from)}, {"to", time_of(r.to)}, {"version", r.version}, {"cut_off", r.cut_off}});
  for (const auto& w : g.windows)
    windows.push_back({{"start", time_of(w.start)},
                       {"end", time_of(w.end)},
                       {"rows", w.rows},
                       {"verdict", w.verdict},
                       {"score_verdict", text_of(w.score_verdict)},
                       {"labelled", w.labelled},
                       {"coverage", w.coverage},
                       {"preliminary", w.preliminary},
                       {"condensed", w.condensed}});
  for (const auto& one : g.columns)
    columns.push_back({{"column", one.column},
                       {"role", one.role},
                       {"type", one.type},
                       {"method", one.method},
                       {"segments", one.segments},
                       {"windows", one.judged},
                       {"warning", one.warning},
                       {"drift", one.drift},
                       {"reason", text_of(one.reason)}});
  for (const auto& one : g.checks)
    checks.push_back({{"check", one.check},
                      {"column", text_of(one.column)},
                      {"pass", one.passed},
                      {"warn", one.warned},
                      {"fail", one.failed},
                      {"reason", text_of(one.reason)}});
  for (const auto& m : g.metrics)
    metrics.push_back({{"metric", m.metric},
                       {"reference", m.reference},
                       {"value", m.value},
                       {"low", m.low},
                       {"high", m.high},
                       {"warning", m.warning},
                       {"drift", m.drift},
                       {"reason", text_of(m.reason)}});
  for (const auto& one : g.incidents) {
    auto incident = Json::parse(to_json(one.incident), nullptr, false);
    auto& steps = incident["steps"] = Json::array();
    for (const auto& s : one.steps)
      steps.push_back({{"time", time_of(s.time)}, {"what", s.what}, {"by", text_of(s.by)}, {"note", text_of(s.note)}});
    incident["answered"] = time_of(one.answered);
    incidents.push_back(std::move(incident));
  }
  for (const auto& e : g.audit) audit.push_back(Json::parse(to_json(e), nullptr, false));
  const Json out{{"command", "report"},
                 {"version", g.version},
                 {"model", g.model},
                 {"service", g.service},
                 {"from", time_of(g.from)},
                 {"to", time_of(g.to)},
                 {"made", time_of(g.made)},
                 {"summary",
                  {{"sentence", sentence(g)},
                   {"windows", c.windows},
                   {"windows_judged", c.judged},
                   {"windows_in_maintenance", c.maintenance},
                   {"windows_with_warning", c.warning},
                   {"windows_with_drift", c.drift},
                   {"windows_condensed", c.condensed},
                   {"rows", c.rows},
                   {"windows_scored", c.scored},
                   {"scores_with_warning", c.score_warning},
                   {"scores_with_drift", c.score_drift},
                   {"coverage", c.rows > 0 ? Json(c.coverage()) : Json()},
                   {"incidents", c.incidents},
                   {"critical", c.critical},
                   {"open", c.open},
                   {"answered", c.answered},
                   {"false_alarms", c.false_alarms},
                   {"expected_false_alarms", c.expected_false},
                   {"median_seconds_to_answer", seconds_of(c.to_answer)},
                   {"median_seconds_to_resolve", seconds_of(c.to_resolve)}}},
                 {"what_ran",
                  {{"state", g.state},
                   {"description", text_of(g.description)},
                   {"owner", text_of(g.owner)},
                   {"runbook", text_of(g.runbook)},
                   {"task", text_of(g.task)},
                   {"predictions", g.predictions},
                   {"labels", g.labels},
                   {"config", std::move(said)},
                   {"versions", std::move(versions)},
                   {"references", std::move(references)},
                   {"runs", std::move(runs)}}},
                 {"windows", std::move(windows)},
                 {"columns", std::move(columns)},
                 {"quality", std::move(checks)},
                 {"metrics", std::move(metrics)},
                 {"incidents", std::move(incidents)},
                 {"audit",
                  {{"entries", g.audit_entries},
                   {"hash", g.audit_hash},
                   {"broken", g.audit_broken == 0 ? Json() : Json(g.audit_broken)},
                   {"why", text_of(g.audit_why)},
                   {"listed", std::move(audit)}}}};
  return out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace vigie::view
