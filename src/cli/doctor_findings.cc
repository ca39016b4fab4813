// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "base/text.h"
#include "cli/doctor_findings_internal.h"
#include "event/record.h"
#include "table/json_rows.h"

namespace vigie::cli {
namespace {

using Json = nlohmann::json;
constexpr double kHour = 3600e6, kDay = 24 * kHour;
constexpr std::size_t kFewWindows = 10;  // fewer tell nothing of how things usually are

std::string text(const Json& json, const char* key) {
  const auto at = json.is_object() ? json.find(key) : json.end();
  return at != json.end() && at->is_string() ? at->get<std::string>() : "";
}

double number(const Json& json, const char* key) {
  const auto at = json.is_object() ? json.find(key) : json.end();
  return at != json.end() && at->is_number() ? at->get<double>() : std::numeric_limits<double>::quiet_NaN();
}

double time(const Json& json, const char* key) {
  return table::parse_time(text(json, key)).value_or(std::numeric_limits<double>::quiet_NaN());
}

const Json& list(const Json& json, const char* key) {
  static const Json none = Json::array();
  const auto at = json.is_object() ? json.find(key) : json.end();
  return at != json.end() && at->is_array() ? *at : none;
}

bool flag(const Json& json, const char* key, bool otherwise) {
  const auto at = json.is_object() ? json.find(key) : json.end();
  return at != json.end() && at->is_boolean() ? at->get<bool>() : otherwise;
}

const Json& object(const Json& json, const char* key) {
  static const Json none = Json::object();
  const auto at = json.is_object() ? json.find(key) : json.end();
  return at != json.end() && at->is_object() ? *at : none;
}

std::string percent(double share) {
  return fmt::format("{:.0f} %", 100 * share);
}

// All of a model, and what is found of it.
class Patient {
 public:
  Patient(const ModelAnswers& answers, double now)
      : model_(answers.model),
        windows_(answers.windows),
        incidents_(answers.incidents),
        index_(answers.index),
        now_(now) {}

  std::vector<Finding> findings() {
    if (index_.is_object()) {
      rows_there();
    } else {
      traffic();
      labels();
    }
    if (windows_.is_array() && !windows_.empty()) judged(), drifting(), columns();
    alarms();
    people();
    std::stable_sort(found_.begin(), found_.end(), [](const auto& a, const auto& b) { return a.grade > b.grade; });
    return std::move(found_);
  }

 private:
  void add(Grade grade, std::string_view what, std::string reason, std::string advice) {
    found_.push_back({grade, text(model_, "model"), std::string(what), std::move(reason), std::move(advice)});
  }

  // How long nothing may come.
  static double patience(double window) {
    return std::isnan(window) ? kDay : std::max(std::min(kHour, 10 * window), 3 * window);
  }

  // µs of a window; NaN where they are by rows, or there is none.
  double length() const {
    for (auto it = windows_.rbegin(); it != windows_.rend(); ++it) {
      const double span = time(*it, "end") - time(*it, "start");
      if (span > 0) return span;
    }
    return std::numeric_limits<double>::quiet_NaN();
  }

  // Of a model that is watched in an index: nobody sends anything.
  void rows_there() {
    const auto index = text(index_, "index"), trouble = text(index_, "trouble");
    if (!flag(model_, "watched", true)) {
      add(Grade::kWarning, "no reference", fmt::format("there is no reference: nothing of {} is counted", index),
          "vigie profile TRAINING_DATA --window day -o ref.vpf, and POST it to …/reference");
    } else if (!trouble.empty()) {
      // Some troubles begin with the index that they are of.
      const auto why = trouble.starts_with(index + ": ") ? trouble.substr(index.size() + 2) : trouble;
      add(Grade::kFail, "index", fmt::format("{} is not counted on: {}", index, why),
          "mend what it says, there or in the source: it goes on from where it stands");
    } else if (number(model_, "predictions") == 0) {
      add(Grade::kHint, "index", fmt::format("no window of {} was counted yet", index),
          "wait until one is over, and \"settle\" behind it");
    } else {
      const double ago = now_ - time(model_, "last_seen");
      if (ago > patience(length()))
        add(Grade::kFail, "silent", fmt::format("nothing new is in {} for {}", index, duration(ago)),
            "see whether the model runs, and what writes its predictions there");
    }
    if (const double late = number(index_, "late_rows"), rows = number(index_, "rows"); late > 0 && late >= 0.01 * rows)
      add(Grade::kWarning, "late",
          fmt::format("{} came to {} when their window was counted, and are in none",
                      plural(static_cast<long long>(late), "row"), index),
          "give the source a longer \"settle\", as settle=6h");
    std::string names;
    for (const auto& column : list(index_, "left_out"))
      if (column.is_string()) names += fmt::format("{}{}", names.empty() ? "" : ", ", column.get<std::string>());
    if (!names.empty())
      add(Grade::kWarning, "columns", fmt::format("of its reference these are not watched in {}: {}", index, names),
          "GET /v1/indexes says why; a field of another name: \"fields\" of the source, and POST the reference again");
  }

  void traffic() {
    const double predictions = number(model_, "predictions"), seen = time(model_, "last_seen");
    if (predictions == 0 && !(number(model_, "labels") > 0))
      return add(Grade::kWarning, "unused", "it was declared, and no prediction ever came",
                 "send predictions to it, or check the name that the sender uses");
    if (const double ago = now_ - seen; ago > patience(length()))
      add(Grade::kFail, "silent", fmt::format("nothing came for {}", duration(ago)),
          "see whether the model runs, and whether its sender can reach the service");
    if (!flag(model_, "watched", true))
      add(Grade::kWarning, "no reference",
          "there is no reference: its predictions are counted, and compared with nothing",
          "vigie profile TRAINING_DATA -o ref.vpf, and POST it to …/reference");
    std::vector<std::string> keys{"features"};
    keys.insert(keys.end(), event::record_keys().begin(), event::record_keys().end());
    for (const auto& key : list(model_, "unknown_keys"))
      if (key.is_string())
        add(Grade::kWarning, "unknown keys",
            fmt::format("nothing is made of a key that its predictions have: {}",
                        unknown_name("key", key.get<std::string>(), keys)),
            "what the model was asked goes into \"features\", what is known of it besides into \"tags\"");
    if (const auto schema = model_.find("schema"); schema != model_.end() && schema->is_object())
      if (const auto departs = schema->find("departs"); departs != schema->end() && departs->is_object())
        for (const auto& [name, is] : departs->items())
          if (is.is_string())
            add(Grade::kWarning, "schema",
                fmt::format("its records depart from its schema: {} is {}", vigie::quoted(name), is.get<std::string>()),
                "mend who sends them, or PUT the \"schema\" that they are to have");
    if (const double late = number(model_, "late_rows"); late > 0 && late >= 0.01 * predictions)
      add(Grade::kWarning, "late",
          fmt::format("{} of its predictions came too late for their window", percent(late / predictions)),
          "PUT a longer \"allowed_lateness\", as \"6h\", or send without a \"timestamp\"");
    if (const double early = number(model_, "early_rows"); early > 0 && early >= 0.01 * predictions)
      add(Grade::kFail, "clock",
          fmt::format("{} of its predictions are of a time to come, and in no window", percent(early / predictions)),
          "check the time zone and the unit of \"timestamp\", and the clocks");
  }

  void labels() {
    const double predictions = number(model_, "predictions"), labels = number(model_, "labels");
    if (labels == 0 && predictions >= 1000)
      return add(Grade::kHint, "no labels", "no label ever came: how good it is cannot be told",
                 "send what was true to …/labels, when it is known");
    std::vector<double> coverage;
    for (const auto& window : windows_)
      if (const double share = number(window, "coverage"); !std::isnan(share) && !flag(window, "preliminary", false))
        coverage.push_back(share);
    if (coverage.size() < kFewWindows) return;
    std::sort(coverage.begin(), coverage.end());
    if (const double median = coverage[coverage.size() / 2]; median < 0.2)
      add(Grade::kHint, "few labels",
          fmt::format("half of its windows have labels for less than {} of their rows", percent(median)),
          "if what is labelled is not drawn at random, its score is that of another population");
  }

  void judged() {
    std::size_t none = 0;
    std::vector<double> rows;
    for (const auto& window : windows_) {
      none += text(window, "verdict") == "no_data";
      if (const double n = number(window, "rows"); !std::isnan(n)) rows.push_back(n);
    }
    if (none < kFewWindows || 2 * none < windows_.size() || rows.empty()) return;
    std::nth_element(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(rows.size() / 2), rows.end());
    add(Grade::kWarning, "too small",
        fmt::format("{} of its last {} windows had too few rows to say anything; half have less than {}", none,
                    windows_.size(), with_commas(static_cast<long long>(rows[rows.size() / 2]))),
        "give it longer windows: \"window\": \"day\" of PUT, or a reference with --window day");
  }

  void drifting() {
    std::map<std::string, std::size_t> columns;
    std::size_t judged = 0, drifted = 0;
    for (const auto& window : windows_) {
      const auto verdict = text(window, "verdict");
      if (verdict.empty() || verdict == "no_data" || verdict == "maintenance") continue;
      ++judged, drifted += verdict == "drift";
      std::set<std::string> of;
      for (const auto& c : list(window, "columns"))
        if (text(c, "verdict") == "drift") of.insert(text(c, "column"));
      for (const auto& name : of) ++columns[name];
    }
    if (judged < kFewWindows || 2 * drifted < judged) return;
    const auto most = std::max_element(columns.begin(), columns.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    add(Grade::kWarning, "old reference",
        fmt::format("{} of its last {} windows drifted{}", drifted, judged,
                    most == columns.end() ? "" : fmt::format(", {} in {}", most->first, most->second)),
        "if that is the new normal, POST a newer reference; a column that nobody cares for: a monitor with "
        "\"severity\": \"off\"");
  }

  void columns() {
    std::set<std::string> names, unknown;
    for (const auto& c : list(windows_.back(), "columns")) names.insert(text(c, "column"));
    if (names.empty()) return;
    const std::vector<std::string> known(names.begin(), names.end());
    const auto& config = object(model_, "config");
    for (const auto& monitor : list(config, "monitors"))
      if (const auto column = text(monitor, "column"); !column.empty() && !names.contains(column))
        unknown.insert(unknown_name("column", column, known));
    for (const auto& one : unknown)
      add(Grade::kWarning, "monitors", fmt::format("a monitor speaks of what the reference has not: {}", one),
          "mend the name, or leave the monitor out");
    for (const auto& q : list(windows_.back(), "quality"))
      if (text(q, "check") == "schema" && text(q, "verdict") == "fail")
        add(Grade::kFail, "schema", text(q, "reason"), "mend the sender, or POST a reference with the new columns");
  }

  void alarms() {
    std::size_t recent = 0, wrong = 0;
    std::map<std::string, std::size_t> causes;
    for (const auto& incident : incidents_) {
      const double opened = time(incident, "opened");
      if (text(incident, "state") == "open" && now_ - opened > kDay)
        add(Grade::kWarning, "unanswered",
            fmt::format("incident {} is open for {}, and nobody answered", text(incident, "id"),
                        duration(now_ - opened)),
            "acknowledge it, or say that it is a false alarm");
      if (!(now_ - opened < 30 * kDay)) continue;
      ++recent;
      wrong += flag(incident, "false_alarm", false);
      if (const auto& all = list(incident, "causes"); !all.empty()) {
        const auto column = text(all[0], "column");
        ++causes[column.empty() ? text(all[0], "what") : column];
      }
    }
    const auto& config = object(model_, "config");
    const double borne = std::isnan(number(config, "false_alarms")) ? 1 : number(config, "false_alarms");
    if (static_cast<double>(wrong) > borne)
      add(Grade::kWarning, "noisy",
          fmt::format("{} of its {} incidents in 30 days were marked as false alarms; {} are borne with", wrong, recent,
                      borne),
          "a newer reference, or a monitor with \"severity\": \"off\" for what cries wolf");
    if (recent >= 8 && !causes.empty()) {
      const auto most = std::max_element(causes.begin(), causes.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
      add(Grade::kWarning, "noisy",
          fmt::format("{} incidents in 30 days, {} of them first of all by {}", recent, most->second, most->first),
          "a newer reference or longer windows; if it is real, it is one change: find what makes it come and go");
    }
  }

  void people() {
    const auto& config = object(model_, "config");
    std::string lacks;
    for (const char* key : {"owner", "runbook"})
      if (text(config, key).empty()) lacks += fmt::format("{}{}", lacks.empty() ? "" : " and ", key);
    if (!lacks.empty())
      add(Grade::kHint, "nobody's", fmt::format("it has no {}: who is woken does not know whom to ask", lacks),
          "PUT {\"owner\": …, \"runbook\": …}");
  }

  const Json &model_, &windows_, &incidents_, &index_;
  double now_;
  std::vector<Finding> found_;
};

}  // namespace

std::string_view to_string(Grade grade) {
  return grade == Grade::kFail ? "fail" : grade == Grade::kWarning ? "warning" : "hint";
}

std::vector<Finding> findings_of(const ModelAnswers& answers, double now) {
  return Patient(answers, now).findings();
}

std::vector<Finding> findings_of_sources(const Json& sources) {
  std::vector<Finding> out;
  for (const auto& source : sources) {
    const auto name = text(source, "source"), model = text(source, "model");
    if (const auto trouble = text(source, "trouble"); !trouble.empty())
      out.push_back({Grade::kFail, model, "source", fmt::format("{} is not read on: {}", name, trouble),
                     "mend what it says: it goes on from where it stands"});
    const double rejected = number(source, "rejected"),
                 all = rejected + number(source, "accepted") + number(source, "duplicates");
    const auto& last = list(source, "last_rejected");
    if (rejected > 0 && rejected >= 0.01 * all && !last.empty())
      out.push_back(
          {Grade::kWarning, model, "source",
           fmt::format("{} of the records of {} were rejected, the last at {}:{}: {}", percent(rejected / all), name,
                       text(last.back(), "file"), number(last.back(), "line"), text(last.back(), "error")),
           "mend what writes them; GET /v1/sources has the last twenty"});
  }
  return out;
}

std::vector<Finding> findings_of_shipping(const Json& shipping, double now) {
  constexpr double kSoon = 5 * 60e6;  // as the rule of Prometheus has it
  std::vector<Finding> out;
  if (const auto trouble = text(shipping, "trouble"); !trouble.empty()) {
    const double waits = now - time(shipping, "trouble_since");
    out.push_back({waits < kSoon ? Grade::kWarning : Grade::kFail, "", "shipping",
                   fmt::format("it waits{}: {}", waits > 0 ? " for " + duration(waits) : "", trouble),
                   "mend what it says, there or in ship of vigie.yaml: what the journal keeps goes then"});
  }
  if (const double dropped = number(shipping, "dropped"); dropped > 0)
    out.push_back({Grade::kFail, "", "shipping",
                   fmt::format("the journal kept {} no longer when they were to be shipped",
                               plural(static_cast<long long>(dropped), "record")),
                   "give journal.keep_bytes and keep_age more; what is gone vigie ship sends from a log"});
  const double rejected = number(shipping, "rejected"),
               all = rejected + number(shipping, "stored") + number(shipping, "there");
  if (rejected > 0 && rejected >= 0.01 * all)
    out.push_back({Grade::kWarning, "", "shipping", percent(rejected / all) + " of its documents were rejected",
                   "the reasons are in ship-rejected.ndjson of the service's folder"});
  return out;
}

}  // namespace vigie::cli
