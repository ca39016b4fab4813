// SPDX-License-Identifier: Apache-2.0
#include "server/follower.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <utility>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "view/json.h"

namespace vigie::server {
namespace {

using std::chrono::steady_clock;
constexpr auto kCommitEvery = std::chrono::milliseconds(200);
constexpr std::int64_t kBehind = 5'000'000;  // µs since it had read all: a store may take its time
constexpr auto kGlance = std::chrono::milliseconds(50);
constexpr auto kMostPause = std::chrono::seconds(5);  // before what went wrong is tried again
constexpr auto kForgetEvery = std::chrono::hours(1);
// When nobody waits for it, and when windows do.
constexpr auto kShareEvery = std::chrono::milliseconds(1000), kShareSoon = std::chrono::milliseconds(200);
constexpr auto kKnown = std::chrono::seconds(5);  // that somebody waits until all others know something
constexpr std::string_view kShares = "shares";    // with others, and told them what was there before
constexpr std::int64_t kSharedFor = kMinute * 60 * 24 * 7;
constexpr int kTries = 20;  // to change incidents in common, while others do
constexpr std::int64_t kOpsKept = kMinute * 60 * 24 * 35;
constexpr auto kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMostPending = 50'000;  // rows that a crash makes it read again
// After so many rows, what was counted of windows that may still change is kept, so that a start anew takes a second;
// of that no more bytes a row than these, some of what the journal has of it.
constexpr std::int64_t kMostAgain = 100'000, kKeptBytes = 100;
constexpr std::size_t kMostAwake = 16;       // models with their whole references in memory
constexpr std::int64_t kWindowRows = 1'000;  // where the reference has no windows

std::string windows_of(std::string_view model) {
  return "windows " + std::string(model);
}
std::string open_windows_of(std::string_view model) {
  return "open windows " + std::string(model);
}
std::string incidents_of(std::string_view model) {
  return "incidents " + std::string(model);
}

std::string held_of(std::string_view model) {
  return "held " + std::string(model);
}
std::string maintenance_of(std::string_view model) {
  return "maintenance " + std::string(model);
}

// What all are to know that share a store; an answer is given to the incidents that they have in common.
bool for_all(event::Kind kind) {
  using enum event::Kind;
  return kind == kLabels || kind == kReference || kind == kModel || kind == kExplanations || kind == kImportances ||
         kind == kMaintenance;
}

Follower::Change forgets(engine::Sighting::Track track) {
  return {[track](auto& incidents, auto&) {
    incidents.forget(track);
    return std::vector<event::Notice>();
  }};
}

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

std::int64_t time_of(const table::Column& times, std::size_t row, std::int64_t otherwise) {
  constexpr double kLatest = 9e18;  // µs that an integer holds
  const double said = times.numbers.empty() ? std::nan("") : times.numbers[row];
  return std::abs(said) < kLatest ? static_cast<std::int64_t>(said) : otherwise;
}

}  // namespace

Follower::Follower(journal::Journal& journal, State& state, Models& models, store::Store& store, TargetsOf targets,
                   std::function<void(journal::Sequence)> committed)
    : journal_(journal),
      state_(state),
      models_(models),
      store_(store),
      committed_(std::move(committed)),
      reader_(journal.read(0)),
      targets_(std::move(targets)) {}

Follower::~Follower() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
  call_those_that_wait(true);
}

void Follower::after(journal::Sequence record, Then then) {
  std::lock_guard lock(mutex_);
  waiting_.emplace(record, std::move(then));
}

void Follower::after_all(journal::Sequence record, Then then) {
  if (!peers) return after(record, std::move(then));
  after(record, [this, record, then = std::move(then)](bool read) {
    if (!read) return then(false);
    read_here_.push_back({record, steady_clock::now() + kKnown, then});
  });
}

bool Follower::someone_waits() const {
  std::lock_guard lock(mutex_);
  return !waiting_.empty() && waiting_.begin()->first < reader_.position();
}

// All of them, where it does not come to what they wait for.
void Follower::call_those_that_wait(bool all) {
  std::vector<std::pair<Then, bool>> due;
  {
    std::lock_guard lock(mutex_);
    const auto end = all ? waiting_.end() : waiting_.lower_bound(reader_.position());
    for (auto it = waiting_.begin(); it != end; ++it) due.emplace_back(std::move(it->second), !all);
    waiting_.erase(waiting_.begin(), end);
  }
  if (all)
    for (auto& known : std::exchange(read_here_, {})) due.emplace_back(std::move(known.then), false);
  for (const auto& [then, read] : due) then(read);
}

void Follower::call_those_that_all_know() {
  const auto now = steady_clock::now();
  const auto below = peers->known_below();
  for (auto& known : std::exchange(read_here_, {})) {
    const bool by_all = known.record < below;
    if (by_all || now >= known.until)
      known.then(by_all);
    else
      read_here_.push_back(std::move(known));
  }
}

Follower::Followed& Follower::followed(const std::string& model) {
  auto& of = followed_.try_emplace(model, model).first->second;
  of.changed = true;
  return of;
}

bool Follower::behind() const {
  return system_now() - waited_ > kBehind;
}

Follower::Lag Follower::lag() const {
  const auto end = journal_.end(), at = read_to_.load();
  if (at >= end) return {};
  return {end - at, std::max<std::int64_t>(0, system_now() - std::max(waited_.load(), last_arrived_.load()))};
}

std::optional<engine::LiveWindows::Astray> Follower::astray(const std::string& model) const {
  std::lock_guard lock(mutex_);
  const auto it = astray_.find(model);
  return it == astray_.end() ? std::nullopt : std::optional(it->second);
}

Peers::Counted Follower::elsewhere(std::string_view model) const {
  std::lock_guard lock(mutex_);
  const auto it = elsewhere_.find(model);
  return it == elsewhere_.end() ? Peers::Counted() : it->second;
}

std::map<std::string, std::shared_ptr<const Figures>, std::less<>> Follower::figures() const {
  std::lock_guard lock(mutex_);
  return figures_;
}

std::string Follower::trouble() const {
  std::lock_guard lock(mutex_);
  return trouble_;
}

std::int64_t Follower::lost_pieces() const {
  std::lock_guard lock(mutex_);
  return lost_;
}

std::string Follower::lost() const {
  std::lock_guard lock(mutex_);
  return lost_ == 0
             ? ""
             : fmt::format("{} of the journal could not be read; the last: {}", plural(lost_, "piece"), lost_why_);
}

Status Follower::start_again() {
  state_.give_up();
  pending_rows_ = 0;
  followed_.clear(), audited_.clear();
  VIGIE_ASSIGN(counted_, state_.offset());
  VIGIE_ASSIGN(auto models, state_.models());
  if (peers) {
    VIGIE_TRY(peers->load(state_, counted_));
    VIGIE_TRY(say_what_was_there(models));
  }
  for (const auto& model : models) audited_.insert(model.name);
  // Of those that are not in it yet, all is read again.
  for (const auto& model : models_.all())
    if (std::none_of(models.begin(), models.end(), [&](const Model& known) { return known.name == model.name; }))
      models_.update(model.name, [](Model& fresh) { fresh.predictions = fresh.labels = 0; });
  auto from = counted_;
  for (const auto& known : models) {
    models_.update(known.name, [&](Model& model) { model = known; });
    VIGIE_ASSIGN(const auto incidents, state_.get(incidents_of(known.name)));
    if (incidents) VIGIE_TRY(followed(known.name).incidents.load(*incidents));
    VIGIE_ASSIGN(const auto held, state_.get(held_of(known.name)));
    if (held) VIGIE_TRY(followed(known.name).held.load(*held));
    VIGIE_ASSIGN(const auto said, state_.get(maintenance_of(known.name)));
    if (said) VIGIE_TRY(maintenance.load(known.name, *said));
    VIGIE_ASSIGN(followed(known.name).ops, ModelOps::load(state_, known.name));
    VIGIE_TRY(configure(known.name, known.config));
    VIGIE_ASSIGN(const auto profile, state_.get(reference_of(known.name)));
    if (profile) VIGIE_TRY(set_reference(known, *profile, counted_, false));
    VIGIE_TRY(followed(known.name).streams.load(state_));
    VIGIE_ASSIGN(const bool explained, LiveAttributions::any(known.number, state_));
    if (explained) VIGIE_TRY(attributions(followed(known.name), known.number));
    if (!profile) continue;
    auto& watch = *followed(known.name).watch;
    VIGIE_ASSIGN(const auto kept, state_.get(windows_of(known.name)));
    VIGIE_ASSIGN(const auto open, state_.get(open_windows_of(known.name)));
    if (kept) {
      VIGIE_ASSIGN(auto unread, watch.load(*kept, open.value_or(""), counted_));
      if (!unread.empty()) lose(fmt::format("model {}: {}", known.name, unread));
    }
    from = std::min(from, watch.read_from());
  }
  reader_ = journal_.read(from);
  return {};
}

// Before there were others.
Status Follower::say_what_was_there(std::span<const Model> models) {
  VIGIE_ASSIGN(const auto said, state_.get(kShares));
  if (said) return {};
  VIGIE_TRY(state_.put(kShares, "yes"));
  ++pending_rows_;
  const auto say = [&](event::Kind kind, const std::string& model, std::string_view body) -> Status {
    std::int64_t stamp = 0;
    const event::Record record{kind, model, body};
    VIGIE_TRY(peers->newer(record, peers->name(), stamp, state_));
    return peers->say_before(record, counted_, stamp), Status();
  };
  for (const auto& model : models) {
    if (model.config != "{}") VIGIE_TRY(say(event::Kind::kModel, model.name, model.config));
    VIGIE_ASSIGN(const auto profile, state_.get(reference_of(model.name)));
    if (profile) VIGIE_TRY(say(event::Kind::kReference, model.name, *profile));
  }
  return {};
}

Status Follower::catch_up() {
  VIGIE_TRY(start_again());
  auto done = read_all();
  if (done || done.error().code != Code::kUnavailable) return done;
  // As of a store that is away: run() begins anew.
  state_.give_up();
  again_ = true;
  return {};
}

Status Follower::read_all() {
  while (true) {
    VIGIE_ASSIGN(const bool more, step());
    if (!more) break;
    if (pending_rows_ >= kMostPending || urgent_) VIGIE_TRY(commit(reader_.position()));
  }
  return commit(reader_.position());
}

void Follower::start() {
  waited_ = system_now(), read_to_ = reader_.position();
  thread_ = std::thread([this] { run(); });
}

void Follower::run() {
  steady_clock::duration pause = kCommitEvery;
  if (again_) static_cast<void>(start_again());
  while (!stop_) {
    const auto end = journal_.end();
    const bool behind = std::any_of(followed_.begin(), followed_.end(),
                                    [](const auto& of) { return of.second.watch && of.second.watch->behind(); });
    // What is over is told of before more is read.
    auto more = behind ? Result<bool>(true) : step();
    // Numbers may have gaps: where there is nothing more to read, all was.
    read_to_ = more && !*more ? std::max(end, reader_.position()) : reader_.position();
    last_arrived_ = arrived_;
    Status done = more ? Status() : Status(more.error());
    if (done && peers) {
      const bool soon = !read_here_.empty() || peers->news() || std::ranges::any_of(followed_, [](const auto& of) {
        return of.second.watch && of.second.watch->waits();
      });
      if (steady_clock::now() - shared_at_ >= (soon ? kShareSoon : kShareEvery))
        done = share(false), shared_at_ = done ? steady_clock::now() : steady_clock::time_point();
    }
    if (done && (!*more || behind || steady_clock::now() - closed_at_ >= kCommitEvery)) {
      // While it is behind, the clock of what it reads is the one that counts.
      if (!behind) clock_ = *more ? arrived_ : system_now();
      for (auto& [name, of] : followed_)
        if (done) done = close(name, of, clock_, false);
      closed_at_ = steady_clock::now();
      if (done && closed_at_ - forgot_at_ >= kForgetEvery) done = forget(), forgot_at_ = closed_at_;
    }
    // What somebody was told of, or waits for, must be there after a crash.
    const bool urgent = urgent_ || someone_waits();
    if (done && pending_rows_ > 0 &&
        (pending_rows_ >= kMostPending || urgent ||
         ((!*more || behind) && steady_clock::now() - committed_at_ >= kCommitEvery)))
      done = commit(reader_.position());
    say_trouble(!done ? done.error().message : "");
    if (!done) {
      call_those_that_wait(true);
      static_cast<void>(start_again());
      const auto until = steady_clock::now() + pause;
      while (!stop_ && steady_clock::now() < until) std::this_thread::sleep_for(kGlance);
      pause = std::min<steady_clock::duration>(2 * pause, kMostPause);
      continue;
    }
    pause = kCommitEvery;
    call_those_that_wait(false);
    if (more && !*more) waited_ = system_now();
    if (more && !*more) journal_.wait(reader_.position(), kCommitEvery);
  }
  if (!trouble().empty()) return;
  if (peers) {
    // What was accepted here is known to others before it leaves.
    const auto until = steady_clock::now() + kKnown;
    auto more = Result<bool>(true);
    while (more && *more && steady_clock::now() < until) more = step();
    if (!more || !commit(reader_.position()) || !share(true)) return;
  }
  static_cast<void>(commit(reader_.position(), true));
}

void Follower::say_trouble(const std::string& trouble) {
  std::string before;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(trouble_, trouble);
  }
  if (!log || trouble == before) return;
  log(trouble.empty() ? "what is accepted is read on" : fmt::format("what is accepted waits: {}", trouble));
}

Status Follower::forget() {
  VIGIE_TRY(store_.forget_ops(system_now() - kOpsKept));
  return peers ? peers->exchange().forget(system_now() - kSharedFor) : Status();
}

// Tells the others how far this service is, and hears how far they are.
Status Follower::share(bool last) {
  if (reader_.position() < counted_) return {};  // what is read again is not yet all there
  const auto now = system_now(), end = static_cast<std::int64_t>(journal_.end());
  Peers::Sign sign;
  sign.read_until = static_cast<std::int64_t>(reader_.position()) >= end ? now : arrived_, sign.leaves = last;
  if (!last) VIGIE_TRY(hear());
  for (auto& [name, of] : followed_) {
    if (!of.watch) continue;
    for (auto& [window, part] : of.watch->parts(clock_, last)) peers->count(name, window, std::move(part));
  }
  VIGIE_TRY(peers->tell([this](auto why) { lose(std::move(why)); }));
  for (const auto& [name, of] : followed_)
    if (of.watch)
      if (const auto first = of.watch->first_untold(clock_)) sign.open[name] = *first;
  for (const auto& model : models_.all())
    if (model.predictions > 0)
      sign.models[model.name] = {static_cast<std::int64_t>(model.predictions),
                                 static_cast<std::int64_t>(model.last_seen)};
  VIGIE_TRY(peers->sign(sign));
  call_those_that_all_know();
  return {};
}

Status Follower::hear() {
  VIGIE_ASSIGN(auto heard, peers->hear());
  if (!heard.records.empty()) {
    journal::Records records;
    for (const auto& record : heard.records) records.add(record);
    VIGIE_TRY(journal_.append(std::move(records)));
  }
  peers->kept();
  std::vector<Peers::Part> left;
  for (auto& part : heard.parts) {
    const auto found = followed_.find(part.model);
    auto* watch = found == followed_.end() ? nullptr : found->second.watch.get();
    const auto known = watch ? watch->add_part(part.by, part.window, part.body, system_now()) : Result<bool>(false);
    if (!known && known.error().code != Code::kCorrupt) return known.error();
    if (!known) {
      lose(known.error().message);
    } else if (!*known) {
      left.push_back(std::move(part));
    } else {
      found->second.changed = true, ++pending_rows_;
    }
  }
  peers->heard(std::move(left));
  {
    auto counted = peers->counted();
    const std::lock_guard lock(mutex_);
    elsewhere_ = std::move(counted);
  }
  return pending_rows_ > 0 ? peers->save(state_) : Status();
}

Result<bool> Follower::step() {
  const auto block = reader_.next();
  if (!block) {
    if (block.error().code != Code::kCorrupt) return block.error();
    // What was altered is gone; what stands behind it is not.
    lose(block.error().message);
    VIGIE_TRY(reader_.skip());
    return true;
  }
  if (!*block) return false;
  VIGIE_TRY(read(**block));
  return true;
}

Status Follower::read(const journal::Block& block) {
  arrived_ = block.arrived;
  auto place = block.first;
  for (auto bytes : block.records) {
    if (const auto record = event::decode(bytes)) {
      VIGIE_TRY(read(*record, place, block.arrived));
    } else {
      lose(record.error().message);
    }
    ++place;
  }
  return {};
}

void Follower::lose(std::string why) {
  std::lock_guard lock(mutex_);
  ++lost_;
  lost_why_ = std::move(why);
}

Status Follower::read(const event::Record& record, journal::Sequence place, std::int64_t arrived) {
  const auto number = models_.number_of(record.model, true);
  const bool again = place < counted_;
  if (again && record.kind != event::Kind::kPredictions && record.kind != event::Kind::kCounts) return {};
  const std::string name(record.model);
  const Origin at{place, arrived};
  place_ = place;
  if (record.kind == event::Kind::kHeard) return read_heard(record, place, arrived);
  if (record.kind == event::Kind::kScored) return read_scored(record, place, arrived);
  if (!again && audited_.insert(name).second && !heard_) VIGIE_TRY(audit(model_created(name, record.kind, at)));
  if (peers && !again) {
    VIGIE_ASSIGN(const bool holds, to_others(record, place, arrived));
    if (!holds) return {};
  }
  if (record.kind == event::Kind::kLabels) return read_labels(record, *number, arrived);
  if (record.kind == event::Kind::kExplanations) return read_explanations(record, *number, place, arrived);
  if (record.kind == event::Kind::kImportances) {
    VIGIE_ASSIGN(auto* explained, attributions(followed(name), *number));
    if (auto set = explained->compare_with(record.body); !set) lose(set.error().message);
    return {};
  }
  if (record.kind == event::Kind::kAnswer) return answer(name, record.body, at);
  if (record.kind == event::Kind::kMaintenance) return plan(name, record.body, at);
  if (record.kind == event::Kind::kModel) {
    const auto before = models_.find(name);
    if (!heard_) VIGIE_TRY(audit(model_changed(name, before ? before->config : "{}", record.body, at)));
    models_.update(name, [&](Model& model) { model.config = record.body; });
    VIGIE_TRY(configure(name, record.body));
    return tell(name, followed(name), 0);
  }
  if (record.kind == event::Kind::kReference) {
    const auto had = followed_.find(name);
    if (heard_ && had != followed_.end() && had->second.watch && had->second.watch->known_by() == hash64(record.body))
      return {};
    // What the old one was comparing with is over.
    VIGIE_TRY(close(name, followed(name), arrived, true));
    Model model;
    model.name = name, model.number = *number;
    if (auto set = set_reference(model, record.body, place, true); !set) {
      if (set.error().code == Code::kIo || set.error().code == Code::kUnavailable) return set;
      return lose(set.error().message), Status();
    }
    if (!heard_) VIGIE_TRY(audit(reference_set(name, record.body, at)));
    return state_.put(reference_of(record.model), record.body);
  }
  if (record.kind == event::Kind::kCounts) return read_counts(record, place, arrived);

  const auto found = followed_.find(name);
  auto* watch = found == followed_.end() ? nullptr : found->second.watch.get();
  if (watch && place < watch->begins_at()) watch = nullptr;
  if (again && !watch) return {};
  auto* streams = again || found == followed_.end() ? nullptr : &found->second.streams;
  const auto& shape = watch ? watch->shape() : streams ? streams->shape() : event::request_keys();
  rows_.read(record.body, shape);
  if (streams) VIGIE_TRY(streams->begin(rows_, shape, arrived));
  VIGIE_ASSIGN(const auto id, rows_.column(watch ? watch->id_column() : std::size_t{event::kPredictionId}));
  const auto when = watch ? watch->request_columns().time : event::kRequestColumns.time;
  table::Column times;
  if (when != event::kNoColumn) {
    VIGIE_ASSIGN(times, rows_.column(when));
  }
  const auto rows = static_cast<std::size_t>(rows_.rows());
  std::vector<std::size_t> fresh;
  std::vector<bool> seen(id.dictionary.size());
  for (std::size_t row = 0; row < rows; ++row) {
    const auto code = static_cast<std::size_t>(id.codes[row]);
    if (id.codes[row] < 0 || seen[code]) continue;
    seen[code] = true;
    const auto kept = streams ? streams->answer(row) : std::string_view();
    VIGIE_ASSIGN(const bool first,
                 state_.add_prediction(*number, id.dictionary[code], place, time_of(times, row, arrived), kept));
    if (first) fresh.push_back(row);
  }
  // What a watch reads again was counted before.
  if (!again && !fresh.empty())
    VIGIE_TRY(followed(name).ops.add(rows_, watch ? watch->request_columns() : event::kRequestColumns, fresh, arrived,
                                     place));
  if (streams && streams->any() && !fresh.empty()) {
    const auto label_of = [&](std::size_t row) {
      return state_.label_of(*number, id.dictionary[static_cast<std::size_t>(id.codes[row])]);
    };
    ModelStreams::Sightings sightings;
    VIGIE_TRY(streams->add(fresh, label_of, sightings));
    VIGIE_TRY(see(name, found->second, std::move(sightings), arrived));
  }
  if (watch && !fresh.empty()) {
    if (fresh.size() < rows) {
      std::string body;
      for (auto row : fresh) body.append(rows_.text_of(row)) += '\n';
      rows_.read(body, shape);
    }
    found->second.changed = true;
    if (!found->second.since) found->second.since = read_;
    VIGIE_TRY(watch->add(rows_, arrived, place, again));
  }
  pending_rows_ += static_cast<std::int64_t>(rows);
  read_ += static_cast<std::int64_t>(rows);
  if (again) return {};
  // All of every body is looked through: by steps as long as the key.
  static constexpr std::string_view kKey = "\"attributions\"";
  static const std::boyer_moore_horspool_searcher key(kKey.begin(), kKey.end());
  if (std::search(record.body.begin(), record.body.end(), key) != record.body.end()) {
    if (peers) peers->say({event::Kind::kExplanations, record.model, record.body}, place);
    VIGIE_TRY(read_explanations(record, *number, place, arrived));
  }
  models_.update(record.model, [&](Model& model) {
    model.predictions += fresh.size();
    model.last_seen = static_cast<double>(arrived);
  });
  return {};
}

Result<LiveAttributions*> Follower::attributions(Followed& of, std::uint32_t model) {
  of.changed = true;
  if (!of.attributions) {
    const auto windows = of.watch ? of.watch->window() : engine::WindowSpec();
    VIGIE_ASSIGN(of.attributions, LiveAttributions::load(model, windows, state_));
  }
  return of.attributions.get();
}

Status Follower::read_explanations(const event::Record& record, std::uint32_t number, journal::Sequence place,
                                   std::int64_t arrived) {
  // A prediction may have others than an explanation may, and then is none.
  if (!explanations_.read(record.body)) return {};
  auto& rows = explanations_.rows();
  VIGIE_ASSIGN(const auto id, rows.column(event::kPredictionId));
  VIGIE_ASSIGN(const auto said, rows.column(event::kPredictionTime));
  std::vector<std::size_t> fresh;
  std::vector<double> times;
  std::vector<bool> seen(id.dictionary.size());
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows.rows()); ++row) {
    const auto code = static_cast<std::size_t>(id.codes[row]);
    if (id.codes[row] < 0 || seen[code] || !explanations_.wrong(row).empty()) continue;
    seen[code] = true;
    VIGIE_ASSIGN(const auto predicted, state_.predicted(number, id.dictionary[code]));
    const auto time = time_of(said, row, predicted ? predicted->time.value_or(arrived) : arrived);
    VIGIE_ASSIGN(const bool first, state_.add_prediction(State::explained(number), id.dictionary[code], place, time));
    if (first) fresh.push_back(row), times.push_back(static_cast<double>(time));
  }
  if (fresh.empty()) return {};
  VIGIE_ASSIGN(auto* explained, attributions(followed(std::string(record.model)), number));
  pending_rows_ += std::ssize(fresh);
  return explained->add(explanations_, fresh, times, arrived);
}

Status Follower::read_counts(const event::Record& record, journal::Sequence place, std::int64_t arrived) {
  const auto found = followed_.find(record.model);
  if (found == followed_.end() || !found->second.watch || place < found->second.watch->begins_at()) return {};
  const auto window = event::counted_window_of(record.body);
  const auto rows = window ? found->second.watch->count(*window, arrived, place) : Result<std::int64_t>(window.error());
  if (!rows) return lose(rows.error().message), Status();  // as of another reference
  if (place < counted_) return {};
  found->second.changed = true, ++pending_rows_;
  models_.update(record.model, [&](Model& model) {
    model.predictions += static_cast<std::uint64_t>(*rows), model.last_seen = static_cast<double>(arrived);
  });
  return {};
}

// Whether it holds: of a model something later may have been said elsewhere.
Result<bool> Follower::to_others(const event::Record& record, journal::Sequence place, std::int64_t arrived) {
  using enum event::Kind;
  auto stamp = heard_ ? heard_->stamp : arrived;
  if (record.kind == kReference || record.kind == kModel || record.kind == kImportances) {
    VIGIE_ASSIGN(const bool newer, peers->newer(record, heard_ ? heard_->by : peers->name(), stamp, state_));
    if (!newer) return false;
  }
  if (!heard_ && for_all(record.kind)) peers->say(record, place, stamp);
  return true;
}

// Of another service, which wrote to the audit log what there was to say of it.
Status Follower::read_heard(const event::Record& record, journal::Sequence place, std::int64_t arrived) {
  if (!peers) return {};  // as of a store that it shares no more
  const auto heard = heard_of(record.body);
  const auto inner = heard ? event::decode(heard->record) : Result<event::Record>(heard.error());
  if (!inner) return lose(inner.error().message), Status();
  VIGIE_ASSIGN(const bool first, peers->first(*heard, state_));
  ++pending_rows_;
  if (!first || inner->kind == event::Kind::kHeard) return {};
  heard_ = &*heard;
  auto done = read(*inner, place, arrived);
  heard_ = nullptr;
  return done;
}

Status Follower::read_scored(const event::Record& record, journal::Sequence place, std::int64_t arrived) {
  const auto rows = scored_rows_of(record.body);
  if (!rows) return lose(rows.error().message), Status();
  const auto found = followed_.find(record.model);
  auto* watch = found == followed_.end() ? nullptr : found->second.watch.get();
  if (!watch || watch->known_by() != rows->reference) return {};
  found->second.changed = true;
  return watch->add_scored(rows->lines, arrived, place);
}

Status Follower::read_labels(const event::Record& record, std::uint32_t number, std::int64_t arrived) {
  rows_.read(record.body, event::keys_of(record.kind, table::OtherKeys::kSkipped));
  VIGIE_ASSIGN(const auto id, rows_.column(event::kLabelId));
  VIGIE_ASSIGN(const auto label, rows_.column(event::kLabelValue));
  std::uint64_t labels = 0;
  ModelStreams::Sightings sightings;
  const auto found = followed_.find(record.model);
  auto* watch = found == followed_.end() ? nullptr : found->second.watch.get();
  auto* streams = found == followed_.end() || !found->second.streams.joins() ? nullptr : &found->second.streams;
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows_.rows()); ++row) {
    if (id.codes[row] < 0 || label.codes[row] < 0) continue;
    const auto of = id.dictionary[static_cast<std::size_t>(id.codes[row])];
    const auto said = label.dictionary[static_cast<std::size_t>(label.codes[row])];
    VIGIE_ASSIGN(const auto was, state_.add_label(number, of, said));
    labels += was == State::Labelled::kFirst;
    if (was == State::Labelled::kRepeated || !(watch || streams)) continue;
    VIGIE_ASSIGN(const auto predicted, state_.predicted(number, of));
    found->second.changed = true;
    if (streams && was == State::Labelled::kFirst) streams->labelled(predicted, said, arrived, sightings);
    if (watch && predicted) VIGIE_TRY(watch->labelled(predicted->record, arrived));
  }
  if (!sightings.empty()) VIGIE_TRY(see(found->first, found->second, std::move(sightings), arrived));
  pending_rows_ += rows_.rows();
  models_.update(record.model, [&](Model& model) { model.labels += labels; });
  return {};
}

Status Follower::set_reference(const Model& of, std::string_view bytes, journal::Sequence place, bool anew) {
  const auto& model = of.name;
  VIGIE_ASSIGN(auto profile, engine::load_profile(bytes, model));
  auto windows = profile.window;
  if (windows.kind == engine::WindowSpec::Kind::kNone)
    windows.kind = engine::WindowSpec::Kind::kRows, windows.rows = kWindowRows;
  if (anew) {
    VIGIE_TRY(LiveScores::forget(of.number, state_));
    VIGIE_TRY(Watch::forget(of.number, state_));
  }
  const auto again = [this, model]() -> Result<std::shared_ptr<const engine::Profile>> {
    VIGIE_ASSIGN(const auto kept, state_.get(reference_of(model)));
    VIGIE_ASSIGN(auto whole, engine::load_profile(kept.value_or(""), model));
    return std::make_shared<const engine::Profile>(std::move(whole));
  };
  VIGIE_ASSIGN(auto watch, Watch::make(model, std::make_shared<const engine::Profile>(std::move(profile)),
                                       std::move(windows), place, again));
  watch->known_by(hash64(bytes));
  VIGIE_TRY(watch->score_with(state_, of.number));
  watch->refer_to(state_, of.number);
  auto& at = followed(model);
  at.since.reset();
  if (peers) {
    const auto complete = [this, model](auto window, auto since) { return peers->complete(model, window, since); };
    watch->share({.name = peers->name(), .complete = complete});
    watch->score_elsewhere([this, model, known_by = watch->known_by()](const auto& lines) {
      peers->say({event::Kind::kScored, model, encode(ScoredRows{known_by, lines})}, place_);
    });
  }
  if (anew && !heard_)
    at.changes.push_back({[scored = watch->scored()](auto& incidents, auto&) {
      incidents.compare_anew(scored);
      return std::vector<event::Notice>();
    }});
  if (anew && at.attributions) VIGIE_TRY(at.attributions->begin_anew(watch->window()));
  watch->allow_lateness(at.config.allowed_lateness);
  watch->show_by(at.config.privacy, hash_key);
  VIGIE_TRY(watch->compare_with(at.config.reference));
  watch->maintained_by([this, model](auto from, auto to) { return maintenance.touching(model, from, to); });
  if (!anew) watch->rest();
  at.watch = std::move(watch), at.judged = ++judged_;
  at.anew = anew, urgent_ = urgent_ || anew;
  VIGIE_TRY(set_streams(at, anew));
  std::lock_guard lock(mutex_);
  astray_[model] = at.watch->astray();
  return {};
}

Status Follower::configure(const std::string& model, std::string_view json) {
  // What was accepted can be read; what an older vigie accepted, and this one does not, is not followed.
  auto config = read_model_config(json);
  if (!config) return {};
  auto& of = followed(model);
  of.changes.push_back({[said = *config](auto& incidents, auto&) {
    incidents.configure(said.owner, said.runbook, said.monitors);
    return std::vector<event::Notice>();
  }});
  if (of.watch) {
    of.watch->allow_lateness(config->allowed_lateness), of.watch->show_by(config->privacy, hash_key);
    VIGIE_TRY(of.watch->compare_with(config->reference));
    if (!of.watch->merges()) of.changes.push_back(forgets(engine::Sighting::Track::kMerged));
  }
  of.config = std::move(*config);
  VIGIE_TRY(set_streams(of, false));
  maintenance.plan(model, of.config.maintenance);
  if (configured) configured(model, of.config);
  return {};
}

Status Follower::set_streams(Followed& of, bool anew) {
  const bool any = of.streams.any();
  of.streams.leave_out(
      [this, &name = of.name](auto from, auto to) { return maintenance.touching(name, from, to).has_value(); });
  VIGIE_TRY(of.streams.set(of.config.detectors, of.watch ? of.watch->reference() : nullptr, anew));
  if (any && !of.streams.any()) of.changes.push_back(forgets(engine::Sighting::Track::kStreams));
  bear_streams(of);
  return {};
}

// Requests are counted before they have their day of healthy hours: a detector whose share shrinks forgets what it
// learnt.
void Follower::bear_streams(Followed& of) {
  const double compared = of.watch ? of.watch->tracks() : 0;
  const bool explained = of.attributions && of.attributions->speaks();
  of.streams.bear(of.config.false_alarms / (compared + explained + 2));
}

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
  const auto said = [&](auto& incidents, auto& entries) {
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
    of.incidents.configure(of.config.owner, of.config.runbook, of.config.monitors);
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
    VIGIE_TRY(store_.put(windows));
    VIGIE_TRY(store_.put(samples));
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
      of.changed = true;
      models_.update(model, [&](Model& known) { known.state = watch.state(); });
      auto figures = std::make_shared<const Figures>(watch.figures());
      std::lock_guard lock(mutex_);
      figures_[model] = std::move(figures);
      ++pending_rows_;
    }
  }
  if (of.ops.any_over(clock)) of.changed = true, ++pending_rows_;
  return tell(model, of, clock);
}

// Those of the model that a start anew would have to begin first with, and so on; or of all.
Status Follower::keep_open_windows(journal::Sequence offset, bool all) {
  if (offset < counted_) return {};  // what is read again is not yet all there
  while (true) {
    const auto oldest = std::min_element(followed_.begin(), followed_.end(), [](const auto& a, const auto& b) {
      return a.second.since.value_or(kNever) < b.second.since.value_or(kNever);
    });
    if (oldest == followed_.end() || !oldest->second.since) return {};
    auto& [name, of] = *oldest;
    if (!all && (read_ - *of.since < kMostAgain || kept_bytes_ > read_ * kKeptBytes)) return {};
    const auto bytes = of.watch->keep_open(offset);
    VIGIE_TRY(state_.put(open_windows_of(name), bytes));
    kept_bytes_ += std::ssize(bytes);
    of.since.reset(), of.changed = true;
  }
}

Status Follower::commit(journal::Sequence offset, bool last) {
  for (auto& [name, of] : followed_) VIGIE_TRY(tell(name, of, 0));
  if (peers) VIGIE_TRY(peers->tell([this](auto why) { lose(std::move(why)); }));
  VIGIE_TRY(keep_open_windows(offset, last));
  auto keep = offset;
  // What is read again, for windows alone, was counted.
  offset = std::max(offset, counted_);
  std::vector<store::OpsPane> over;
  for (auto& [name, of] : followed_) {
    if (of.watch) keep = std::min(keep, of.watch->read_from());
    if (!std::exchange(of.changed, false)) continue;
    VIGIE_TRY(state_.put(incidents_of(name), of.incidents.save()));
    VIGIE_TRY(state_.put(held_of(name), of.held.save()));
    const auto panes = of.ops.take_over(std::max(clock_, arrived_));
    over.insert(over.end(), panes.begin(), panes.end());
    VIGIE_TRY(of.ops.save(state_));
    if (of.attributions) VIGIE_TRY(of.attributions->save());
    VIGIE_TRY(of.streams.save(state_));
    if (!of.watch) continue;
    VIGIE_ASSIGN(const auto kept, of.watch->save());
    VIGIE_TRY(state_.put(windows_of(name), kept));
  }
  VIGIE_TRY(store_.put(over));
  const auto models = models_.take_changed();
  if (auto done = state_.commit(offset, models); !done) {
    models_.give_back(models);
    return done;
  }
  committed_at_ = steady_clock::now();
  pending_rows_ = 0, urgent_ = false;
  counted_ = offset;
  journal_.keep(std::string(kConsumer), keep);
  committed_(offset);
  for (auto& [name, of] : followed_) of.anew = false;
  let_rest();
  return {};
}

// Those whose references were committed, and so can be had again; those that judged last stay awake.
void Follower::let_rest() {
  std::vector<Followed*> awake;
  for (auto& [name, of] : followed_)
    if (of.watch && !of.anew && !of.watch->rests()) awake.push_back(&of);
  std::ranges::sort(awake, std::greater(), &Followed::judged);
  for (std::size_t i = kMostAwake; i < awake.size(); ++i) awake[i]->watch->rest();
}

}  // namespace vigie::server
