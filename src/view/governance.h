// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "event/audit.h"
#include "event/incident.h"

namespace vigie::view {

/// What is to be told of a model and a time to somebody who answers for it: what ran, what was watched, what went
/// wrong, who did what about it and when, how good the model was, and how much of this can be relied on. Times in µs
/// since 1970; 0: none.
struct Governance {
  std::string version;  ///< of the program that made it
  std::string model, service;
  std::int64_t from = 0, to = 0, made = 0;

  std::string state, description, owner, runbook, task;
  std::vector<std::pair<std::string, std::string>> said;  ///< what else people said of the model
  std::uint64_t predictions = 0, labels = 0;              ///< ever
  double false_alarms = 1;                                ///< in 30 days, that were borne with

  struct Reference {
    std::int64_t since = 0, rows = 0, columns = 0, windows = 0;
    std::string window, source, sha256, version;
  };
  std::vector<Reference> references;  ///< in force in that time, in their order
  struct Run {
    std::int64_t from = 0, to = 0;  ///< to 0: it goes on; what is older than `from` of the report may be cut off there
    std::string version;
    bool cut_off = false;  ///< it did not end by itself
  };
  std::vector<Run> runs;  ///< of the service, as far as they are in that time

  struct Version {
    std::string version;
    std::int64_t from = 0, to = 0, rows = 0;  ///< of the windows in which it answered
  };
  std::vector<Version> versions;  ///< of the model, as predictions say them, by when they first answered

  struct Window {
    std::int64_t start = 0, end = 0, rows = 0, labelled = 0;
    std::string verdict, score_verdict;  ///< the latter empty: it was not scored
    double coverage = std::numeric_limits<double>::quiet_NaN();
    bool preliminary = false, condensed = false;
  };
  std::vector<Window> windows;
  struct Column {
    std::string column, role, type, method;
    std::int64_t segments = 0, judged = 0, warning = 0, drift = 0;  ///< windows, but for the first
    std::string reason;                                             ///< of the gravest
    double effect = 0;                                              ///< of that one in shares of the major level
  };
  std::vector<Column> columns;
  struct Check {
    std::string check, column, reason;  ///< the reason: of the last that was not good
    std::int64_t passed = 0, warned = 0, failed = 0;
  };
  std::vector<Check> checks;
  struct Metric {
    std::string metric;
    double reference = std::numeric_limits<double>::quiet_NaN();
    std::vector<double> value, low, high;  ///< one for each of `windows`, NaN where there is none
    std::int64_t warning = 0, drift = 0;
    std::string reason;  ///< of the gravest
  };
  std::vector<Metric> metrics;

  struct Step {
    std::int64_t time = 0;
    std::string what, by, note;
  };
  struct Incident {
    event::Incident incident;
    std::vector<Step> steps;    ///< what was told and answered, in its order
    std::int64_t answered = 0;  ///< when somebody first said something
  };
  std::vector<Incident> incidents;  ///< that were open at some time of it, the oldest first

  std::vector<event::AuditEntry> audit;  ///< of the model and of the service
  std::int64_t audit_entries = 0, audit_broken = 0;
  std::string audit_hash, audit_why;
};

/// "2 incidents, of which 1 is open; …": all of it in a sentence.
std::string sentence(const Governance& report);
std::string to_json(const Governance& report);
/// One self-contained page; see to_report() of report.h.
std::string to_page(const Governance& report);

}  // namespace vigie::view
