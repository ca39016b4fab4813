// SPDX-License-Identifier: Apache-2.0
// What windows and people say becomes incidents, notices and entries of the audit log, of this service or of all that
// share a store.
#include <fmt/format.h>

#include <utility>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/text.h"
#include "server/follower.h"
#include "server/follower_internal.h"
#include "view/json.h"

namespace vigie::server {
namespace {

constexpr std::int64_t kFewestFirst = 300;  // rows that a reference is made of by itself
constexpr int kTries = 20;                  // to change incidents in common, while others do

// Incidents as all have them that share a store, with what is to be put there of them.
std::string in_common(std::string_view incidents, std::string_view held, std::int64_t version,
                      const std::map<std::string, journal::Sequence, std::less<>>& changed_by,
                      const Follower::Telling& telling) {
  ByteWriter out;
  out.string(incidents), out.string(held), out.fixed(version);
  out.varint(changed_by.size());
  for (const auto& [name, place] : changed_by) out.string(name), out.fixed(place);
  out.varint(telling.incidents.size());
  for (const auto& incident : telling.incidents) out.string(event::to_json(incident));
  out.varint(telling.outgoing.size());
  for (const auto& one : telling.outgoing) {
    out.string(one.target), out.fixed(static_cast<std::uint8_t>(one.notice.kind));
    out.string(event::to_json(one.notice.incident));
  }
  out.varint(telling.entries.size());
  for (const auto& entry : telling.entries) out.string(event::to_json(entry));
  return out.take();
}

// What stands at the end of it. Code::kCorrupt.
Result<Follower::Telling> telling_of(ByteReader& in) {
  Follower::Telling out;
  for (auto left = in.count(1); left > 0; --left) {
    VIGIE_ASSIGN(auto incident, event::incident_of_json(in.string()));
    out.incidents.push_back(std::move(incident));
  }
  for (auto left = in.count(3); left > 0; --left) {
    auto& one = out.outgoing.emplace_back();
    one.target = in.string();
    one.notice.kind = static_cast<event::Notice::Kind>(in.fixed<std::uint8_t>());
    VIGIE_ASSIGN(one.notice.incident, event::incident_of_json(in.string()));
  }
  for (auto left = in.count(1); left > 0; --left) {
    VIGIE_ASSIGN(auto entry, event::audit_of_json(in.string()));
    out.entries.push_back(std::move(entry));
  }
  if (!in.ok()) return fail(Code::kCorrupt, "incidents that are held in common cannot be read");
  return out;
}

}  // namespace

void Follower::look(const std::string& model, Followed& of, engine::Sighting sighting, std::int64_t clock) const {
  // Detectors were told of nothing that came then.
  const bool streams = sighting.track == engine::Sighting::Track::kStreams;
  if (!streams && maintenance.touching(model, sighting.start, sighting.end)) return;
  if (!sighting.causes.empty() && context) sighting.context = context(model, sighting.start, sighting.end);
  of.changes.push_back(
      {[seen = std::move(sighting), clock](auto& incidents, auto&) { return incidents.see(seen, clock); },
       streams ? std::optional(place_) : std::nullopt});
}

Status Follower::see(const std::string& model, Followed& of, std::vector<engine::Sighting> sightings,
                     std::int64_t clock) {
  for (auto& sighting : sightings) look(model, of, std::move(sighting), clock);
  return tell(model, of, clock);
}

Status Follower::answer(const std::string& model, std::string_view json, Origin at) {
  const auto read = answer_of_json(json);
  if (!read) return lose(read.error().message), Status();
  auto& of = followed(model);
  std::optional<event::Incident> over;
  if (read->second.action == engine::Incidents::Action::kFalseAlarm) {
    VIGIE_ASSIGN(over, store_.incident(read->first));
    if (over && over->state != event::Incident::State::kResolved) over.reset();
  }
  const auto said = [&](auto& incidents, auto& entries) {
    if (over && !(incidents.open() && incidents.open()->id == read->first)) {
      incidents.was_false(*over, read->second);
      entries.push_back(answered(model, read->first, read->second, true, at));
      return std::vector<event::Notice>();
    }
    // Somebody else, or the model itself, may have ended it meanwhile.
    const auto notices = incidents.answer(read->first, read->second, at.arrived);
    entries.push_back(answered(model, read->first, read->second, notices.has_value(), at));
    return notices.value_or(std::vector<event::Notice>());
  };
  of.changes.push_back({said, place_});
  return tell(model, of, at.arrived);
}

Status Follower::plan(const std::string& model, std::string_view record, Origin at) {
  if (auto said = maintenance.say(model, record); !said) return lose(said.error().message), Status();
  VIGIE_TRY(audit(maintenance_said(model, record, at)));
  return state_.put(maintenance_of(model), maintenance.save(model));
}

Status Follower::audit(const event::AuditEntry& entry) {
  ++pending_rows_;
  return store_.put(std::span(&entry, 1));
}

// What is to be put of the changes that wait.
Follower::Telling Follower::change(const std::string& model, Followed& of, std::int64_t clock) const {
  Telling out;
  std::vector<event::Notice> notices;
  const auto before = peers ? of.changed_by[peers->name()] : 0;
  for (const auto& change : of.changes) {
    if (change.once && peers && *change.once < before) continue;
    for (auto& notice : change.make(of.incidents, out.entries)) notices.push_back(std::move(notice));
    if (change.once && peers) of.changed_by[peers->name()] = *change.once + 1;
  }
  out.incidents = of.incidents.take_changed();
  for (const auto& notice : notices) out.entries.push_back(event::entry_of(notice, clock));
  const bool held = !of.held.empty();
  out.news = !notices.empty();
  notices = of.held.pass(std::move(notices), clock == 0 || maintenance.at(model, clock));
  out.news = out.news || !notices.empty() || held != !of.held.empty();
  const auto& open = of.incidents.open();
  for (auto& notice : notices)
    if (open && open->id == notice.incident.id) notice.incident = *open;
  for (const auto& notice : notices)
    for (auto& target : targets_(notice)) out.outgoing.push_back({.target = std::move(target), .notice = notice});
  return out;
}

Status Follower::put(const Telling& telling, std::int64_t version) {
  VIGIE_TRY(store_.put(telling.incidents, telling.outgoing, telling.entries, version));
  if (!telling.outgoing.empty() && told) told();
  return {};
}

Status Follower::tell(const std::string& model, Followed& of, std::int64_t clock) {
  // Where no time passed, or nobody is to be told now, nothing that waits is due.
  const bool due = !of.held.empty() && clock != 0 && !maintenance.at(model, clock);
  if (of.changes.empty() && !due) return {};
  Telling telling;
  if (peers) {
    VIGIE_TRY(tell_in_common(model, of, clock, telling));
  } else {
    telling = change(model, of, clock);
    if (!telling.empty()) VIGIE_TRY(put(telling, 0));
  }
  of.changes.clear();
  if (telling.empty() && !telling.news) return {};
  of.changed = true, ++pending_rows_;
  urgent_ = urgent_ || telling.news;
  return {};
}

// The incidents as the others left them, of which what belongs to them is in the store: whoever left them may have died
// before he put it there.
Status Follower::agree(const std::string& model, Followed& of) {
  VIGIE_ASSIGN(auto now, peers->exchange().common(incidents_of(model)));
  if (now.same(of.common)) return {};
  if (!now.body.empty()) {
    auto incidents = engine::Incidents(of.incidents);
    HeldNotices held;
    ByteReader in(now.body);
    const bool read = incidents.load(in.string()).has_value() && held.load(in.string()).has_value();
    const auto version = in.fixed<std::int64_t>();
    std::map<std::string, journal::Sequence, std::less<>> changed_by;
    for (auto left = in.count(9); left > 0; --left) {
      const auto name = in.string();
      changed_by[std::string(name)] = in.fixed<journal::Sequence>();
    }
    // As of another version of vigie, which is not to be written over.
    if (!read || !in.ok())
      return fail(Code::kUnavailable, fmt::format("what services have in common of the incidents of {} cannot be read",
                                                  vigie::quoted(model)));
    of.incidents = std::move(incidents), of.held = std::move(held);
    of.version = version, of.changed_by = std::move(changed_by);
    of.incidents.configure(of.config.owner, of.config.runbook, of.config.monitors, of.config.notify);
    static_cast<void>(of.incidents.take_changed());
    const auto telling = telling_of(in);
    if (!telling) lose(telling.error().message);
    if (telling && !telling->empty()) VIGIE_TRY(put(*telling, of.version));
  }
  of.common = std::move(now);
  return {};
}

Status Follower::tell_in_common(const std::string& model, Followed& of, std::int64_t clock, Telling& telling) {
  for (int i = 0; i < kTries; ++i) {
    VIGIE_TRY(agree(model, of));
    ByteReader before(of.common.body);
    telling = change(model, of, clock);
    const auto incidents = of.incidents.save(), held = of.held.save();
    if (telling.empty() && before.string() == incidents && before.string() == held) return {};
    const auto version = std::max(of.version + 1, system_now());
    VIGIE_ASSIGN(const bool replaced,
                 peers->exchange().replace(incidents_of(model),
                                           in_common(incidents, held, version, of.changed_by, telling), of.common));
    if (replaced) return of.version = version, put(telling, version);
    of.common = {};  // as they are now, then
  }
  return fail(Code::kUnavailable, "others change the incidents all the time");
}

Status Follower::add_ops(const Followed& of, store::Window& window) const {
  VIGIE_ASSIGN(const auto minutes, of.ops.within(window.start, window.end, store_));
  engine::Traffic requests;
  for (const auto& [minute, traffic] : minutes) requests.merge(traffic);
  if (requests.requests == 0) return {};
  VIGIE_ASSIGN(const auto sources, sources_of(of.config.runs_on, store_));
  VIGIE_ASSIGN(const auto cost, cost_of(sources, prices, minutes, window.start, window.end, store_));
  auto ops = view::to_json(requests);
  if (cost) ops.back() = ',', ops += " \"cost\": " + cost->to_json() + "}";
  // One object of both.
  window.body.back() = ',', window.body += "\n\"ops\": " + ops + "}";
  return {};
}

Status Follower::look_for_first(const std::string& model, Followed& of, std::int64_t clock) const {
  constexpr std::int64_t kHour = 60 * kMinute;
  const auto& choice = of.config.reference;
  if (choice.kind != ReferenceChoice::Kind::kFirst || of.watch || !first_over || clock - of.asked < kHour) return {};
  const auto latest = of.ops.latest();
  if (!latest) return {};
  if (!of.first) {
    store::OpsQuery query;
    query.from = *latest - 2 * choice.length, query.most = 1;
    VIGIE_ASSIGN(const auto found, of.ops.minutes(query, store_));
    if (found.minutes.empty()) return {};
    of.first = found.minutes.begin()->first;
  }
  const auto end = *of.first + choice.length;
  // Rows may be late.
  if (*latest < end + kHour) return {};
  // A few that came astray are not what came first.
  VIGIE_ASSIGN(const auto came, of.ops.between(*of.first, end, store_));
  if (came.requests < kFewestFirst) {
    store::OpsQuery query;
    query.from = *of.first + kMinute, query.most = 1;
    VIGIE_ASSIGN(const auto found, of.ops.minutes(query, store_));
    if (!found.minutes.empty()) of.first = found.minutes.begin()->first;
    return {};
  }
  if (first_over(model, *of.first, end)) of.asked = clock;
  return {};
}

std::string_view Follower::state_of(const Followed& of) {
  if (of.ops.silence().silent()) return "silent";
  return of.watch ? of.watch->state() : to_string(engine::Verdict::kNoData);
}

Status Follower::close(const std::string& model, Followed& of, std::int64_t clock, bool all) {
  if (of.incidents.due(clock))
    of.changes.push_back({[clock](auto& incidents, auto&) { return incidents.tick(clock); }});
  const Planned planned = [&](std::int64_t from, std::int64_t to) {
    return maintenance.touching(model, from, to).has_value();
  };
  const auto see_one = [&](engine::Sighting sighting) { look(model, of, std::move(sighting), clock); };
  // What is compared, what is scored, what requests say, what explains answers and what detectors say share what is
  // borne with.
  const bool explained = of.attributions && of.attributions->speaks();
  const double own = of.watch ? of.watch->tracks() : 0;
  const double tracks = own + of.ops.speaks() + explained + of.streams.speaks();
  const double level = engine::level_of(of.config.false_alarms / std::max(tracks, 1.), engine::RequestHealth::kWindow);
  VIGIE_ASSIGN(const auto hours, of.ops.judge(peers ? clock - kMinute : clock, level, store_, planned));
  for (const auto& hour : hours) see_one(hour);
  if (const auto last = peers ? elsewhere(model).last_seen : 0; last > of.ops.silence().last()) of.ops.came(last);
  const auto until = [&](std::int64_t from, std::int64_t to) {
    const auto work = maintenance.touching(model, from, to);
    return work ? std::optional(work->to) : std::nullopt;
  };
  if (const auto quiet = of.ops.silence().see(clock, until)) {
    see_one(*quiet);
    models_.update(model, [&](Model& known) { known.state = state_of(of); });
    of.changed = true, ++pending_rows_;
  }
  if (!all) VIGIE_TRY(look_for_first(model, of, clock));
  bear_streams(of);
  if (!hours.empty()) of.changed = true, ++pending_rows_;
  if (of.attributions) {
    const bool judged = of.attributions->judge(clock, of.config.false_alarms / std::max(tracks, 1.), see_one, planned);
    if (judged) of.changed = true, ++pending_rows_;
  }
  if (of.watch) {
    auto& watch = *of.watch;
    watch.bear(of.config.false_alarms * own / tracks);
    VIGIE_ASSIGN(const auto closed, watch.close(clock, all));
    std::vector<store::Window> windows;
    std::vector<store::Sample> samples;
    for (const auto& one : closed) {
      auto& window = windows.emplace_back(one.window);
      VIGIE_TRY(add_ops(of, window));
      see_one(one.sighting);
      samples.insert(samples.end(), one.samples.begin(), one.samples.end());
    }
    VIGIE_TRY(store_.put(samples));  // first: who sees a window finds its rows
    VIGIE_TRY(store_.put(windows));
    const auto counted = models_.find(model);
    VIGIE_ASSIGN(const auto scored, watch.scores(clock, counted && counted->labels > 0));
    std::vector<store::Score> scores;
    for (const auto& one : scored) {
      scores.push_back(one.score);
      if (one.sighting) see_one(*one.sighting);
    }
    VIGIE_TRY(store_.put(scores));
    {
      std::lock_guard lock(mutex_);
      astray_[watch.model()] = watch.astray();
    }
    if (!closed.empty()) of.judged = ++judged_, let_rest();
    if (!closed.empty() || !scores.empty()) {
      // What the store shows is known after a crash as well, or late rows would be taken for such as came in time.
      of.changed = urgent_ = true;
      models_.update(model, [&](Model& known) { known.state = state_of(of); });
      auto figures = std::make_shared<const Figures>(watch.figures());
      std::lock_guard lock(mutex_);
      figures_[model] = std::move(figures);
      ++pending_rows_;
    }
  }
  if (of.ops.any_over(clock)) of.changed = true, ++pending_rows_;
  return tell(model, of, clock);
}

}  // namespace vigie::server
