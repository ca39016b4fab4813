// SPDX-License-Identifier: Apache-2.0
#include "view/alarms.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/iso_time.h"
#include "base/text.h"
#include "view/grid_internal.h"

namespace vigie::view {
namespace {

using Json = nlohmann::ordered_json;

Json time_json(double micros) {
  const auto text = iso_time(micros);
  return text.empty() ? Json() : Json(text);
}

Json to_json(const detect::Scores& s) {
  return {{"alarms", s.alarms},
          {"detected", s.detected},
          {"episode_recall", s.episode_recall},
          {"precision", s.precision},
          {"mean_delay", s.mean_delay},
          {"median_delay", s.median_delay},
          {"false_alarms", s.false_alarms},
          {"false_alarms_per_1000", s.false_alarms_per_1000},
          {"mean_time_between_false_alarms", s.mean_time_between_false_alarms}};
}

std::string place(std::int64_t index, bool timed, double micros) {
  const auto time = timed ? iso_time(micros) : std::string();
  return with_commas(index) + (time.empty() ? "" : fmt::format(" ({})", time));
}

std::string counted(std::int64_t count, std::string_view noun) {
  return count ? plural(count, noun) : fmt::format("no {}", noun);
}

}  // namespace

std::string to_json(const TimedAlarm& timed) {
  const auto& a = timed.alarm;
  Json out{{"index", a.index}, {"state", detect::to_string(a.state)}};
  if (timed.timed) out["time"] = time_json(timed.time);
  out["statistic"] = a.statistic;
  out["threshold"] = a.threshold;
  out["direction"] = a.direction == detect::Direction::kNone ? Json() : Json(detect::to_string(a.direction));
  out["onset"] = a.onset;
  if (timed.timed) out["onset_time"] = time_json(timed.onset_time);
  out["before"] = a.before;
  out["after"] = a.after;
  return out.dump();
}

std::string to_json(const Detection& d) {
  Json out{{"command", "detect"},    {"observations", d.observations}, {"drifts", d.drifts},
           {"warnings", d.warnings}, {"detector", d.detector},         {"used", d.observations - d.skipped},
           {"skipped", d.skipped},   {"rejected", d.rejected},         {"to_learn", d.to_learn}};
  if (d.interrupted) out["interrupted"] = true;
  if (const auto& e = d.evaluation)
    out["evaluation"] = {{"changes", e->changes},
                         {"within", e->within},
                         {"detector", to_json(e->detector)},
                         {"always_alarm", to_json(e->always)},
                         {"never_alarm", to_json(e->never)}};
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_terminal(const TimedAlarm& timed, const TerminalOptions& options) {
  const auto& a = timed.alarm;
  const bool drift = a.state == detect::State::kDrift;
  std::string out =
      styled(fmt::format("{:<8}", detect::to_string(a.state)), drift ? Style::kDrift : Style::kWarning, options);
  out += fmt::format("at {}", place(a.index, timed.timed, timed.time));
  if (a.direction != detect::Direction::kNone) out += fmt::format(", {}", detect::to_string(a.direction));
  if (std::isfinite(a.before) && std::isfinite(a.after))
    out += fmt::format(": {} {} {}", human(a.before), options.unicode ? "→" : "->", human(a.after));
  if (a.onset < a.index) out += fmt::format(", since {}", place(a.onset, timed.timed, timed.onset_time));
  if (std::isfinite(a.statistic))
    out += styled(fmt::format("  statistic {}, threshold {}", human(a.statistic), human(a.threshold)), Style::kDim,
                  options);
  return out;
}

std::string more_warnings(std::int64_t count, const TimedAlarm& last, const TerminalOptions& options) {
  return styled(fmt::format("{:<8}", "warning"), Style::kWarning, options) +
         fmt::format("{} more, the last at {}", with_commas(count), place(last.alarm.index, last.timed, last.time));
}

std::string to_terminal(const Detection& d, const TerminalOptions& options) {
  std::string out = fmt::format("{}: {}", d.detector, plural(d.observations, "observation"));
  if (d.skipped)
    out += fmt::format(" ({} used, {} skipped)", with_commas(d.observations - d.skipped), with_commas(d.skipped));
  out += fmt::format(", {}, {}", counted(d.drifts, "drift"), counted(d.warnings, "warning"));
  if (d.rejected) out += fmt::format("; {} rejected", plural(d.rejected, "record"));
  if (d.interrupted) out += "; interrupted";
  out = styled(out, Style::kBold, options) + "\n";
  if (d.to_learn)
    out += styled(fmt::format("{}: no alarm can come before {} more\n",
                              d.drifts ? "learning anew since the last drift" : "still learning, nothing was tested",
                              plural(d.to_learn, "value")),
                  Style::kWarning, options);
  if (!d.evaluation) return out;
  const auto& e = *d.evaluation;
  std::vector<std::vector<std::string>> rows;
  const std::pair<std::string, const detect::Scores*> all[] = {
      {d.detector, &e.detector}, {"always alarm", &e.always}, {"never alarm", &e.never}};
  for (const auto& [name, s] : all)
    rows.push_back({name, fmt::format("{} of {}", s->detected, e.changes), human(s->mean_delay), human(s->median_delay),
                    with_commas(s->false_alarms), human(s->false_alarms_per_1000),
                    human(s->mean_time_between_false_alarms)});
  out += fmt::format("\nAgainst {} known, an alarm within {} after it counts:\n", plural(e.changes, "change"),
                     plural(e.within, "value"));
  constexpr auto kR = Align::kRight;
  return out + table({"", "found", "delay, mean", "median", "false", "per 1,000", "values between"}, rows,
                     {Align::kLeft, kR, kR, kR, kR, kR, kR}, options);
}

}  // namespace vigie::view
