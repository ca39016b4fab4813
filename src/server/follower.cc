// SPDX-License-Identifier: Apache-2.0
#include "server/follower.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <utility>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/text.h"
#include "server/follower_internal.h"

namespace vigie::server {
namespace {

using std::chrono::steady_clock;
constexpr auto kCloseEvery = std::chrono::milliseconds(200);
constexpr auto kCommitEvery = std::chrono::seconds(1);  // syncs hold up those of the journal
constexpr std::int64_t kBehind = 5'000'000;             // µs since it had read all: a store may take its time
constexpr auto kGather = std::chrono::milliseconds(5);
constexpr auto kGlance = std::chrono::milliseconds(50);
constexpr auto kMostPause = std::chrono::seconds(5);  // before what went wrong is tried again
constexpr auto kForgetEvery = std::chrono::hours(1);
// When nobody waits for it, and when windows do.
constexpr auto kShareEvery = std::chrono::milliseconds(1000), kShareSoon = std::chrono::milliseconds(200);
constexpr auto kKnown = std::chrono::seconds(5);  // that somebody waits until all others know something
constexpr std::string_view kShares = "shares";    // with others, and told them what was there before
constexpr std::int64_t kSharedFor = kMinute * 60 * 24 * 7;
constexpr std::int64_t kOpsKept = kMinute * 60 * 24 * 35;
constexpr auto kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMostPending = 50'000;  // rows that a crash makes it read again
// After so many rows, what was counted of windows that may still change is kept, so that a start anew takes a second;
// of that no more bytes a row than these, some of what the journal has of it.
constexpr std::int64_t kMostAgain = 100'000, kKeptBytes = 100;
constexpr std::size_t kMostAwake = 16;  // models with their whole references in memory

std::string windows_of(std::string_view model) {
  return "windows " + std::string(model);
}
std::string open_windows_of(std::string_view model) {
  return "open windows " + std::string(model);
}
std::string held_of(std::string_view model) {
  return "held " + std::string(model);
}

// What one record makes fail in a way that nobody thought of ends no service: the rest goes on being accepted.
template <class F>
Status unless_thrown(F&& part) {
  try {
    return part();
  } catch (const std::exception& e) {
    return fail(Code::kUnavailable, fmt::format("a defect of vigie, please tell of it: {}", e.what()));
  }
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
  VIGIE_TRY(keep_older_references(models));
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
    if (started_ > 0) followed(known.name).ops.silence().deaf_until(started_);
    VIGIE_ASSIGN(const auto schema, state_.get(RecordSchema::name_of(known.name)));
    // One that cannot be read is learnt anew.
    if (auto read = schema ? followed(known.name).schema.load(*schema) : Status(); !read) lose(read.error().message);
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
  auto done = unless_thrown([&]() -> Status {
    VIGIE_TRY(start_again());
    return read_all();
  });
  if (done || done.error().code != Code::kUnavailable) return done;
  // As of a store that is away: run() begins anew.
  say_trouble(done.error().message);
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
  waited_ = started_ = system_now(), read_to_ = reader_.position();
  for (auto& [name, of] : followed_) of.ops.silence().deaf_until(started_);
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "vigie-count");
}

// A piece more, and what is due by now. Whether more is there.
Result<bool> Follower::go_on() {
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
  if (done && (!*more || behind || steady_clock::now() - closed_at_ >= kCloseEvery)) {
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
  if (!done) return done.error();
  return *more;
}

void Follower::run() {
  steady_clock::duration pause = kCloseEvery;
  while (!stop_) {
    bool more = false;
    const auto done = unless_thrown([&]() -> Status {
      if (again_) VIGIE_TRY(start_again());
      again_ = false;
      VIGIE_ASSIGN(more, go_on());
      return {};
    });
    // Trouble is over once something was kept.
    const bool over = pending_rows_ == 0;
    if (!done || over) say_trouble(!done ? done.error().message : "");
    if (!done) {
      call_those_that_wait(true);
      state_.give_up();
      again_ = true;
      const auto until = steady_clock::now() + pause;
      while (!stop_ && steady_clock::now() < until) std::this_thread::sleep_for(kGlance);
      pause = std::min<steady_clock::duration>(2 * pause, kMostPause);
      continue;
    }
    if (over) pause = kCloseEvery;
    call_those_that_wait(false);
    if (more) continue;
    waited_ = system_now();
    // Single posts are read some at a time: a wake for each costs more than what it reads.
    if (journal_.wait(reader_.position(), kCloseEvery)) std::this_thread::sleep_for(kGather);
  }
  if (trouble().empty()) static_cast<void>(unless_thrown([this] { return leave(); }));
}

Status Follower::leave() {
  if (peers) {
    // What was accepted here is known to others before it leaves.
    const auto until = steady_clock::now() + kKnown;
    bool more = true;
    while (more && steady_clock::now() < until) {
      VIGIE_ASSIGN(more, step());
    }
    VIGIE_TRY(commit(reader_.position()));
    VIGIE_TRY(share(true));
  }
  return commit(reader_.position(), true);
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

// Those of the model that a start anew would have to begin first with, and so on; or of all.
Status Follower::keep_open_windows(journal::Sequence offset, bool all) {
  if (offset < counted_) return {};  // what is read again is not yet all there
  for (auto& [name, of] : followed_)
    if (std::exchange(of.keeps, false) && of.watch) VIGIE_TRY(keep_open_windows(name, of, offset));
  while (true) {
    const auto oldest = std::min_element(followed_.begin(), followed_.end(), [](const auto& a, const auto& b) {
      return a.second.since.value_or(kNever) < b.second.since.value_or(kNever);
    });
    if (oldest == followed_.end() || !oldest->second.since) return {};
    auto& [name, of] = *oldest;
    if (!all && (read_ - *of.since < kMostAgain || kept_bytes_ > read_ * kKeptBytes)) return {};
    VIGIE_TRY(keep_open_windows(name, of, offset));
  }
}

Status Follower::keep_open_windows(const std::string& name, Followed& of, journal::Sequence offset) {
  const auto bytes = of.watch->keep_open(offset);
  VIGIE_TRY(state_.put(open_windows_of(name), bytes));
  kept_bytes_ += std::ssize(bytes);
  of.since.reset(), of.changed = true;
  return {};
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
    if (of.schema.altered()) {
      VIGIE_TRY(state_.put(RecordSchema::name_of(name), of.schema.save()));
      of.schema.saved();
    }
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
  for (auto& [name, of] : followed_) of.anew = false, of.posted.clear();
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
