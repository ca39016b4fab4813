// SPDX-License-Identifier: Apache-2.0
#include "engine/incidents.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "base/bytes.h"
#include "base/iso_time.h"
#include "base/text.h"
#include "engine/compare.h"
#include "quality/rules.h"

namespace vigie::engine {
namespace {

using event::Cause;
using event::Incident;
using event::Notice;
using event::Severity;

constexpr std::uint8_t kVersion = 6;       // an older one is of a track fewer
constexpr double kMonth = 30 * 8.64e10;    // µs
constexpr std::size_t kMostCauses = 50;    // of one incident
constexpr std::size_t kRemembered = 1000;  // windows
constexpr double kGrave = 3;  // weight from which causes are alike: their order then is that of columns, metrics
/// Checks that speak of data that are broken, not of others than before.
constexpr std::string_view kBroken[] = {"schema",   "missing", "empty",      "type_mismatch",
                                        "constant", "volume",  "unreadable", "infinite"};

std::string key_of(const Cause& cause) {
  return fmt::format("{}\n{}\n{}", cause.column, cause.segment, cause.what);
}

double weight_of(double effect, double major) {
  return std::isfinite(effect) && major > 0 ? effect / major : 1;
}

void rank(std::vector<Cause>& causes) {
  std::stable_sort(causes.begin(), causes.end(), [](const Cause& a, const Cause& b) {
    if (a.severity != b.severity) return a.severity > b.severity;
    return std::min(a.weight, kGrave) > std::min(b.weight, kGrave);
  });
  // What became worse and what moved stand side by side: the gravest of the one, then of the other, then the rest.
  const auto other = std::find_if(causes.begin(), causes.end(), [&](const Cause& cause) {
    return cause.column.empty() != causes.front().column.empty();
  });
  if (other != causes.end()) std::rotate(causes.begin() + 1, other, other + 1);
}

std::string summary_of(const Incident& incident) {
  const auto& first = incident.causes.front();
  auto text = fmt::format("{}{}: {}", first.column.empty() ? first.what : first.column,
                          first.segment.empty() ? "" : " where " + first.segment, first.reason);
  if (incident.causes.size() > 1) text += fmt::format("; and {} more", incident.causes.size() - 1);
  return text;
}

// "credit-20261127T020000Z"
std::string id_of(const std::string& model, std::int64_t since) {
  auto time = iso_time(static_cast<double>(since - since % 1'000'000));
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  return model + "-" + time;
}

}  // namespace

double level_of(double false_alarms, std::int64_t length) {
  return std::min(CompareOptions().alpha,
                  false_alarms * static_cast<double>(std::max<std::int64_t>(length, 1)) / kMonth);
}

Sighting sighting_of(const WindowResult& window, std::int64_t start, std::int64_t end, double level) {
  Sighting out{Sighting::Track::kData, start, end};
  for (const auto& c : window.columns) {
    out.judged = out.judged || c.verdict != Verdict::kNoData;
    if ((c.verdict != Verdict::kDrift && c.verdict != Verdict::kWarning) || c.p_adjusted > level) continue;
    const bool answer = c.role == Role::kPrediction || c.role == Role::kScore || c.role == Role::kLabel;
    out.firm = out.firm || c.verdict == Verdict::kDrift;
    out.causes.push_back({c.column, c.segment.value_or(""), std::string(c.method),
                          answer && c.verdict == Verdict::kDrift ? Severity::kCritical : Severity::kWarning,
                          weight_of(c.effect, c.major), c.reason, start, 1});
  }
  for (const auto& q : window.quality) {
    out.judged = out.judged || q.verdict != "no_data";
    const bool failed = q.verdict == "fail", rule = std::ranges::count(quality::rule_names(), q.check) > 0;
    if (!failed && !(rule && q.verdict == "warn")) continue;
    const bool broken = failed && (rule || std::ranges::count(kBroken, q.check) > 0);
    out.firm = out.firm || failed;
    // A relation is called by what it demands.
    const bool says = rule && !q.expected.empty() && q.column != q.expected;
    out.causes.push_back({q.column.value_or(""), "", q.check, broken ? Severity::kCritical : Severity::kWarning,
                          1 + (std::isfinite(q.value) ? std::clamp(q.value, 0., 2.) : 0),
                          says ? fmt::format("expected {}: {}", q.expected, q.reason) : q.reason, start, 1});
  }
  rank(out.causes);
  return out;
}

Sighting sighting_of(const ScoreWindow& window, std::int64_t start, std::int64_t end, double level) {
  Sighting out{Sighting::Track::kScores, start, end};
  for (const auto& r : window.metrics) {
    out.judged = out.judged || r.verdict != Verdict::kNoData;
    if ((r.verdict != Verdict::kDrift && r.verdict != Verdict::kWarning) || r.p_adjusted > level) continue;
    out.firm = out.firm || r.verdict == Verdict::kDrift;
    out.causes.push_back({r.part.empty() ? "" : fmt::format("{} {}", r.metric->key(), r.part), r.segment.value_or(""),
                          std::string(r.metric->name),
                          r.verdict == Verdict::kDrift ? Severity::kCritical : Severity::kWarning,
                          weight_of(r.effect, r.major), r.reason, start, 1});
  }
  rank(out.causes);
  return out;
}

Incidents::Incidents(std::string model, IncidentOptions options) : model_(std::move(model)), options_(options) {}

void Incidents::compare_anew(bool scored) {
  false_.clear();
  for (auto& course : courses_) course.seen.clear(), course.warnings = course.healthy = 0;
  if (!open_) return;
  // What may not be looked at again for long is left to the data.
  const auto leave = [&](Sighting::Track track) {
    if (std::exchange(courses_.at(static_cast<std::size_t>(track)).troubled, false))
      courses_.at(static_cast<std::size_t>(Sighting::Track::kData)).troubled = true;
  };
  if (!scored) leave(Sighting::Track::kScores);
  for (auto track : {Sighting::Track::kAttributions, Sighting::Track::kStreams, Sighting::Track::kMerged}) leave(track);
}

void Incidents::configure(std::string owner, std::string runbook, std::vector<Monitor> monitors,
                          std::vector<std::string> notify) {
  owner_ = std::move(owner), runbook_ = std::move(runbook), monitors_ = std::move(monitors);
  notify_ = std::move(notify);
  if (!open_) return;
  assign(false);
  changed_.insert_or_assign(open_->id, *open_);
}

const Monitor* Incidents::monitor_of(const Cause& cause) const {
  for (const auto& m : monitors_)
    if ((m.column.empty() || m.column == cause.column) && (m.what.empty() || m.what == cause.what)) return &m;
  return nullptr;
}

// Who is to act, and how. Whoever was told of it once is told how it ends.
void Incidents::assign(bool fresh) {
  const auto* monitor = open_->causes.empty() ? nullptr : monitor_of(open_->causes.front());
  open_->owner = monitor && !monitor->owner.empty() ? monitor->owner : owner_;
  open_->runbook = monitor && !monitor->runbook.empty() ? monitor->runbook : runbook_;
  const auto& notify = monitor && !monitor->notify.empty() ? monitor->notify : notify_;
  auto& told = open_->notify;
  if (fresh || notify.empty()) told = notify;
  for (const auto& name : notify)
    if (!told.empty() && std::find(told.begin(), told.end(), name) == told.end()) told.push_back(name);
}

bool Incidents::counts(const Cause& cause) const {
  if (const auto* monitor = monitor_of(cause); monitor && monitor->off) return false;
  const auto marked = false_.find(key_of(cause));
  return marked == false_.end() || cause.weight > options_.worse_than_false * marked->second;
}

std::vector<Notice> Incidents::see(const Sighting& given, std::int64_t now) {
  auto& course = courses_.at(static_cast<std::size_t>(given.track));
  const bool seen =
      course.seen.contains(given.start) || (course.seen.size() == kRemembered && given.start < *course.seen.begin());
  // An alarm of a stream comes once, whatever else began then.
  const bool again = given.still || (seen && given.track != Sighting::Track::kStreams);
  auto sighting = given;
  const auto before = sighting.causes.size();
  std::erase_if(sighting.causes, [&](const Cause& cause) { return !counts(cause); });
  for (auto& cause : sighting.causes)
    if (const auto* monitor = monitor_of(cause); monitor && monitor->severity) cause.severity = *monitor->severity;
  rank(sighting.causes);
  // What does not count may have been all that was firm.
  if (sighting.causes.size() < before)
    sighting.firm = sighting.firm && std::any_of(sighting.causes.begin(), sighting.causes.end(),
                                                 [](const Cause& c) { return c.weight >= 1; });
  // Of what nothing could be said, as before its labels come, something may be said later.
  if (sighting.judged || before > 0) course.seen.insert(sighting.start);
  if (course.seen.size() > kRemembered) course.seen.erase(course.seen.begin());
  if (!sighting.causes.empty()) return bad(sighting, course, again, now);
  if (!sighting.judged || again) return {};
  course.warnings = 0;
  // Those that overlap count one behind the other.
  if (sighting.overlaps && sighting.start < course.apart_until) return {};
  course.apart_until = sighting.end;
  ++course.healthy;
  // One track tells how time passes: that of the data, or where nothing is compared the first there is.
  const auto first = std::find_if(courses_.begin(), courses_.end(), [](const Course& c) { return !c.seen.empty(); });
  since_last_ += &*first == &course;
  if (course.healthy >= options_.healthy) course.troubled = false;
  if (!open_ || std::any_of(courses_.begin(), courses_.end(), [](const Course& c) { return c.troubled; })) return {};
  return {resolve(now)};
}

std::vector<Notice> Incidents::bad(const Sighting& sighting, Course& course, bool again, std::int64_t now) {
  // What was bad before it was restated is in an incident, or in the last one.
  const auto since = sighting.since > 0 ? sighting.since : sighting.start;
  const bool in_last = last_ && since >= last_->since && since < last_->until;
  const bool news = sighting.restated && sighting.firm && !in_last;
  if (again && !news && (!open_ || since < open_->since)) return {};
  if (!again || news || sighting.still) course.healthy = 0;
  if (!sighting.firm && !open_) {
    if (sighting.overlaps && sighting.start < course.apart_until) return {};
    course.apart_until = sighting.end;
    if (course.warnings++ == 0) course.first_warning = since;
    if (course.warnings < options_.warnings) return {};
  }
  std::vector<Notice> told;
  const bool fresh = !open_;
  if (fresh) open_at(course.warnings > 0 ? course.first_warning : since, sighting.causes, now);
  course.warnings = 0, course.troubled = true;
  auto& incident = *open_;
  for (const auto& cause : sighting.causes) {
    const auto known = std::find_if(incident.causes.begin(), incident.causes.end(),
                                    [&](const Cause& c) { return key_of(c) == key_of(cause); });
    if (known == incident.causes.end()) {
      if (incident.causes.size() < kMostCauses) incident.causes.push_back(cause);
      continue;
    }
    known->windows += !again;
    if (std::pair(cause.severity, cause.weight) <= std::pair(known->severity, known->weight)) continue;
    known->severity = cause.severity, known->weight = cause.weight, known->reason = cause.reason;
  }
  rank(incident.causes);
  incident.summary = summary_of(incident);
  assign(incident.notices == 0);
  // What is found in the windows up to here, by labels or in several together, is mostly of windows that were counted.
  incident.windows += !again && (fresh || incident.windows == 0 || sighting.end > incident.until);
  for (const auto& cause : incident.causes) incident.windows = std::max(incident.windows, cause.windows);
  // What a window that overlaps others has of the same is known from the first of them.
  if (sighting.since == 0 || sighting.end <= incident.since) incident.since = std::min(incident.since, since);
  incident.until = std::max(incident.until, sighting.end);
  if (!sighting.context.empty()) incident.context = sighting.context;
  if (sighting.track == Sighting::Track::kData) incident.compared_with = sighting.compared_with;
  const auto worst = incident.causes.front().severity;
  const bool worse = worst > incident.severity;
  incident.severity = std::max(incident.severity, worst);
  changed_.insert_or_assign(incident.id, incident);
  if (fresh)
    told.push_back(tell(Notice::Kind::kOpened, now));
  else if (worse && incident.state != Incident::State::kSnoozed)
    told.push_back(tell(Notice::Kind::kWorse, now));
  return told;
}

void Incidents::open_at(std::int64_t since, const std::vector<Cause>& causes, std::int64_t now) {
  const auto same = [&](const Cause& cause) {
    return std::any_of(causes.begin(), causes.end(), [&](const Cause& c) { return key_of(c) == key_of(cause); });
  };
  if (last_ && !last_->false_alarm && since_last_ <= options_.cool_down &&
      std::any_of(last_->causes.begin(), last_->causes.end(), same)) {
    open_ = std::move(last_);
    last_.reset();
    open_->state = Incident::State::kOpen, open_->resolved = 0;
    return;
  }
  auto& incident = open_.emplace();
  ++opened_;
  incident.id = id_of(model_, since);
  // Of an older window than the youngest incident there may have been one.
  if (since - since % 1'000'000 <= latest_) incident.id += fmt::format("-{}", opened_);
  latest_ = std::max(latest_, since);
  incident.model = model_, incident.since = since, incident.opened = now;
  last_.reset();
}

Notice Incidents::resolve(std::int64_t now) {
  open_->state = Incident::State::kResolved, open_->resolved = now, open_->snoozed_until = 0;
  auto told = tell(Notice::Kind::kResolved, now);
  last_ = std::exchange(open_, std::nullopt);
  since_last_ = 0;
  for (auto& course : courses_) course.troubled = false, course.warnings = 0;
  return told;
}

Notice Incidents::tell(Notice::Kind kind, std::int64_t now) {
  told_ = now;
  ++open_->notices;
  changed_.insert_or_assign(open_->id, *open_);
  return {kind, *open_};
}

bool Incidents::due(std::int64_t now) const {
  if (!open_) return false;
  return open_->state == Incident::State::kSnoozed
             ? open_->snoozed_until <= now
             : open_->state == Incident::State::kOpen && now - told_ >= options_.remind;
}

std::vector<Notice> Incidents::tick(std::int64_t now) {
  if (!due(now)) return {};
  open_->state = Incident::State::kOpen, open_->snoozed_until = 0;
  return {tell(Notice::Kind::kReminder, now)};
}

Result<std::vector<Notice>> Incidents::answer(std::string_view id, const Answer& answer, std::int64_t now) {
  std::vector<Notice> told;
  if (!open_ || open_->id != id)
    return fail(Code::kInput, fmt::format("incident {} is over, or there is none", vigie::quoted(id)));
  if (!answer.by.empty()) open_->answered_by = answer.by;
  if (!answer.note.empty()) open_->note = answer.note;
  switch (answer.action) {
    case Action::kAcknowledge:
      open_->state = Incident::State::kAcknowledged, open_->snoozed_until = 0;
      break;
    case Action::kSnooze:
      open_->state = Incident::State::kSnoozed, open_->snoozed_until = answer.until;
      break;
    case Action::kFalseAlarm:
      learn_false(*open_);
      [[fallthrough]];
    case Action::kResolve:
      told.push_back(resolve(now));
      return told;
  }
  changed_.insert_or_assign(open_->id, *open_);
  return told;
}

void Incidents::learn_false(Incident& incident) {
  incident.false_alarm = true;
  for (const auto& cause : incident.causes) {
    auto& weight = false_[key_of(cause)];
    weight = std::max(weight, cause.weight);
  }
}

void Incidents::was_false(Incident over, const Answer& answer) {
  if (!answer.by.empty()) over.answered_by = answer.by;
  if (!answer.note.empty()) over.note = answer.note;
  learn_false(over);
  if (last_ && last_->id == over.id) last_ = over;
  changed_.insert_or_assign(over.id, std::move(over));
}

std::vector<Incident> Incidents::take_changed() {
  std::vector<Incident> out;
  for (auto& [id, incident] : std::exchange(changed_, {})) out.push_back(std::move(incident));
  return out;
}

std::string Incidents::save() const {
  ByteWriter out;
  out.fixed(kVersion);
  for (const auto* incident : {&open_, &last_}) out.string(*incident ? event::to_json(**incident) : "");
  for (const auto& c : courses_) {
    for (auto number : {c.warnings, c.healthy, c.first_warning}) out.fixed(number);
    out.varint(c.seen.size());
    for (auto start : c.seen) out.fixed(start);
    out.fixed(std::uint8_t{c.troubled});
  }
  for (auto number : {told_, since_last_, latest_, opened_}) out.fixed(number);
  out.varint(false_.size());
  for (const auto& [key, weight] : false_) {
    out.string(key);
    out.fixed(weight);
  }
  return out.take();
}

Status Incidents::load(std::string_view bytes) {
  ByteReader in(bytes);
  const auto version = in.fixed<std::uint8_t>();
  for (auto* incident : {&open_, &last_}) {
    const auto json = in.string();
    incident->reset();
    if (json.empty()) continue;
    VIGIE_ASSIGN(*incident, event::incident_of_json(json));
  }
  courses_ = {};
  for (auto& c : std::span(courses_).first(version < kVersion ? version + std::size_t{1} : courses_.size())) {
    for (auto* number : {&c.warnings, &c.healthy, &c.first_warning}) *number = in.fixed<std::int64_t>();
    c.seen.clear();
    for (auto left = in.varint(); left > 0 && in.ok(); --left) c.seen.insert(in.fixed<std::int64_t>());
    c.troubled = in.fixed<std::uint8_t>() != 0;
  }
  for (auto* number : {&told_, &since_last_, &latest_, &opened_}) *number = in.fixed<std::int64_t>();
  false_.clear();
  for (auto left = in.varint(); left > 0 && in.ok(); --left) {
    auto key = in.string();
    false_[std::string(key)] = in.fixed<double>();
  }
  if (!in.ok() || version < 1 || version > kVersion)
    return fail(Code::kCorrupt, "what was kept of incidents cannot be read");
  return {};
}

}  // namespace vigie::engine
