// SPDX-License-Identifier: Apache-2.0
// What each kind of record makes of a model.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/hash.h"
#include "server/box_columns.h"
#include "server/follower.h"
#include "server/references.h"
#include "server/stream_specs.h"

namespace vigie::server {
namespace {

constexpr std::int64_t kWindowRows = 1'000;  // where the reference has no windows

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

std::int64_t time_of(const table::Column& times, std::size_t row, std::int64_t otherwise) {
  constexpr double kLatest = 9e18;  // µs that an integer holds
  const double said = times.numbers.empty() ? std::nan("") : times.numbers[row];
  return std::abs(said) < kLatest ? static_cast<std::int64_t>(said) : otherwise;
}

}  // namespace

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
  if (record.kind == event::Kind::kOrigin) {
    auto bytes = std::exchange(followed(name).posted, {});
    if (bytes.empty()) {
      VIGIE_ASSIGN(auto kept, state_.get(reference_of(name)));
      bytes = std::move(kept).value_or("");
    }
    return keep_reference(name, record.body, std::move(bytes), arrived);
  }
  if (record.kind == event::Kind::kAnswer) return answer(name, record.body, at);
  if (record.kind == event::Kind::kMaintenance) return plan(name, record.body, at);
  if (record.kind == event::Kind::kModel) {
    const auto before = models_.find(name);
    if (!heard_) VIGIE_TRY(audit(model_changed(name, before ? before->config : "{}", record.body, at)));
    models_.update(name, [&](Model& model) { model.config = record.body; });
    VIGIE_TRY(configure(name, record.body));
    auto& of = followed(name);
    if (const auto change = of.schema.say(of.config.schema, arrived); change && !heard_)
      VIGIE_TRY(audit(schema_changed(name, *change, at)));
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
    if (!heard_) {
      VIGIE_TRY(audit(reference_set(name, record.body, at)));
      followed(name).posted = record.body;
    }
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
  if (!again && !fresh.empty()) {
    auto& of = followed(name);
    VIGIE_TRY(of.ops.add(rows_, watch ? watch->request_columns() : event::kRequestColumns, fresh, arrived, place));
    if (const auto change = of.schema.look(rows_, fresh, arrived, one_row_))
      VIGIE_TRY(audit(schema_changed(name, *change, at)));
  }
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
  // One that was counted by another reference, which was posted meanwhile, is counted once more.
  const bool refused = window && !rows && rows.error().code == Code::kUsage;
  if (!rows && !refused) return lose(rows.error().message), Status();
  if (place < counted_) return {};
  // What is read again, as behind a store that was away, was told.
  if (window_taken && place >= windows_told_)
    windows_told_ = place + 1, window_taken(found->first, *window, refused ? std::nullopt : std::optional(*rows));
  if (refused) return {};
  found->second.changed = true, ++pending_rows_;
  if (*rows > 0) found->second.ops.came(arrived);
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
  const bool any_boxes = event::speaks_of_boxes(record.body);
  rows_.read(record.body, event::keys_of(record.kind, table::OtherKeys::kSkipped, any_boxes));
  VIGIE_ASSIGN(const auto id, rows_.column(event::kLabelId));
  VIGIE_ASSIGN(const auto label, rows_.column(event::kLabelValue));
  table::Column boxes, size;
  if (any_boxes) {
    VIGIE_ASSIGN(boxes, rows_.column(event::kLabelBoxes));
    VIGIE_ASSIGN(size, rows_.column(event::kLabelSize));
  }
  std::uint64_t labels = 0;
  std::map<journal::Sequence, std::uint64_t> of_records;
  ModelStreams::Sightings sightings;
  const auto found = followed_.find(record.model);
  auto* watch = found == followed_.end() ? nullptr : found->second.watch.get();
  auto* streams = found == followed_.end() || !found->second.streams.joins() ? nullptr : &found->second.streams;
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows_.rows()); ++row) {
    const auto objects = any_boxes ? label_of_boxes(boxes, size, row) : std::string();
    if (id.codes[row] < 0 || (label.codes[row] < 0 && objects.empty())) continue;
    const auto of = id.dictionary[static_cast<std::size_t>(id.codes[row])];
    const auto said =
        objects.empty() ? label.dictionary[static_cast<std::size_t>(label.codes[row])] : std::string_view(objects);
    VIGIE_ASSIGN(const auto was, state_.add_label(number, of, said));
    labels += was == State::Labelled::kFirst;
    if (was == State::Labelled::kRepeated || !(watch || streams)) continue;
    VIGIE_ASSIGN(const auto predicted, state_.predicted(number, of));
    found->second.changed = true;
    if (streams && was == State::Labelled::kFirst) streams->labelled(predicted, said, arrived, sightings);
    if (watch && predicted) ++of_records[predicted->record];
  }
  for (const auto& [of, count] : of_records) VIGIE_TRY(watch->labelled(of, count, arrived));
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
  if (peers) windows.every = 0;  // as before the store was one that is shared
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
  VIGIE_TRY(watch->compare_by(at.config.compare));
  VIGIE_TRY(watch->check_by(at.config.checks));
  watch->maintained_by([this, model](auto from, auto to) { return maintenance.touching(model, from, to); });
  if (!anew) watch->rest();
  at.watch = std::move(watch), at.judged = ++judged_;
  at.anew = anew, urgent_ = urgent_ || anew;
  VIGIE_TRY(set_streams(at, anew));
  std::lock_guard lock(mutex_);
  astray_[model] = at.watch->astray();
  return {};
}

// Windows are judged by the one in the State: what the store does not take holds up nothing.
Status Follower::keep_reference(const std::string& model, std::string_view origin, std::string bytes,
                                std::int64_t made) const {
  const auto profile = to_keep(model, origin, std::move(bytes), made);
  if (!profile) return {};  // of one that was not taken
  auto put = store_.put(*profile);
  if (put || put.error().code == Code::kUnavailable) return put;
  if (log) log(fmt::format("{}: its reference is not in the store: {}", model, put.error().message));
  return {};
}

// Those of an older vigie, once; those of others that share the store are there.
Status Follower::keep_older_references(std::span<const Model> models) {
  constexpr const char* kKept = "references kept";
  VIGIE_ASSIGN(const auto done, state_.get(kKept));
  if (done) return {};
  VIGIE_TRY(state_.put(kKept, "yes"));
  for (const auto& model : models) {
    VIGIE_ASSIGN(auto bytes, state_.get(reference_of(model.name)));
    if (!bytes) continue;
    VIGIE_ASSIGN(const auto there, store_.profiles({.model = model.name, .most = 1}));
    if (there.empty()) VIGIE_TRY(keep_reference(model.name, {}, std::move(*bytes), 0));
  }
  return {};
}

Status Follower::configure(const std::string& model, std::string_view json) {
  // What was accepted can be read, but for what an older vigie accepted, and this one does not.
  auto config = kept_model_config(json);
  if (!config.unread.empty() && log)
    log(fmt::format("{}: of its configuration only owner and privacy are followed, PUT it anew: {}", model,
                    config.unread));
  auto& of = followed(model);
  of.changes.push_back({[said = config](auto& incidents, auto&) {
    incidents.configure(said.owner, said.runbook, said.monitors, said.notify);
    return std::vector<event::Notice>();
  }});
  if (of.watch) {
    of.watch->allow_lateness(config.allowed_lateness), of.watch->show_by(config.privacy, hash_key);
    VIGIE_TRY(of.watch->compare_with(config.reference));
    VIGIE_TRY(of.watch->compare_by(config.compare));
    VIGIE_TRY(of.watch->check_by(config.checks));
    of.keeps = of.keeps || config.checks != of.config.checks;
    if (!of.watch->merges()) of.changes.push_back(forgets(engine::Sighting::Track::kMerged));
  }
  of.ops.silence().allow(config.silent_after);
  of.config = std::move(config);
  VIGIE_TRY(set_streams(of, false));
  maintenance.plan(model, of.config.maintenance);
  if (configured) configured(model, of.config);
  return {};
}

Status Follower::set_streams(Followed& of, bool anew) {
  const bool any = of.streams.any();
  of.streams.leave_out(
      [this, &name = of.name](auto from, auto to) { return maintenance.touching(name, from, to).has_value(); });
  const auto reference = of.watch ? of.watch->reference() : nullptr;
  // PUT refuses those that say values of what is hidden, as far as it knows the reference.
  auto detectors = of.config.detectors;
  if (detectors && reference)
    std::erase_if(*detectors,
                  [&](const auto& spec) { return of.watch->privacy().said_to_hide(column_named(spec, *reference)); });
  VIGIE_TRY(of.streams.set(detectors, reference, anew));
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

}  // namespace vigie::server
