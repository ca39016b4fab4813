// SPDX-License-Identifier: Apache-2.0
#include "server/watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "base/bytes.h"
#include "base/iso_time.h"
#include "base/text.h"
#include "engine/kept_counts.h"
#include "engine/label_drift.h"
#include "quality/rules.h"
#include "server/index_counts.h"
#include "server/kept_keys_internal.h"
#include "server/record_path.h"
#include "view/json.h"

namespace vigie::server {
namespace {

constexpr std::uint8_t kVersion = 6, kWithoutPanes = 5, kWithoutParts = 4, kOldest = 3;
constexpr std::string_view kOpenMagic = "VOPN";
constexpr std::uint8_t kOpenVersion = 2;
constexpr auto kSlice = std::chrono::milliseconds(200);
constexpr std::string_view kMaintenance = "maintenance";
constexpr char kMerged = 'g';                    // windows put together, in the State
constexpr char kPart = 'q';                      // what others counted, by window and their name
constexpr char kPane = 'o';                      // what was counted of panes, and of which versions their rows are
constexpr std::int64_t kTellEvery = 10'000'000;  // µs: of a window that is not over
constexpr std::size_t kMostVersions = 20;        // of a window that are told apart
constexpr std::size_t kDrawn = 20;               // columns of a window that are drawn
constexpr std::string_view kOther = "(other)";
// Checks that say no values, and such as name columns.
constexpr std::string_view kOfNoValues[] = {"schema", "missing", "empty", "infinite", "cardinality", "type_mismatch"};
constexpr std::string_view kOfColumns[] = {"duplicate_columns", "label_leakage"};

// Rows by version.
std::map<std::string, std::int64_t, std::less<>> versions_of(ByteReader& in) {
  std::map<std::string, std::int64_t, std::less<>> out;
  for (auto left = in.count(9); left > 0 && in.ok(); --left) {
    const auto version = in.string();
    out[std::string(version)] = in.fixed<std::int64_t>();
  }
  return out;
}

// Adds members to a JSON object.
void add_to(std::string& object, std::string_view members) {
  object.pop_back();
  object.append(",\n   ").append(members) += '}';
}

std::string said_of(const Maintenance::Time& work, engine::Verdict verdict) {
  const nlohmann::ordered_json json{
      {"from", iso_time(static_cast<double>(work.from))},
      {"to", iso_time(static_cast<double>(work.to))},
      {"note", work.note.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(work.note)},
      {"verdict", to_string(verdict)}};
  return fmt::format(R"("{}": {})", kMaintenance, json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

// Rows of which those without a time get one.
class Timed final : public table::Batch {
 public:
  Timed(table::Batch& rows, std::size_t time, double arrived) : rows_(rows), time_(time), arrived_(arrived) {}
  std::int64_t rows() const override { return rows_.rows(); }
  Result<table::Column> column(std::size_t i) override {
    VIGIE_ASSIGN(auto column, rows_.column(i));
    if (i != time_) return column;
    times_.assign(column.numbers.begin(), column.numbers.end());
    for (auto& time : times_)
      if (std::isnan(time)) time = arrived_;
    column.numbers = times_;
    return column;
  }
  void release(std::size_t i) override { rows_.release(i); }

 private:
  table::Batch& rows_;
  std::size_t time_;
  double arrived_;
  std::vector<double> times_;
};

// Categories as they may be shown: those that look alike then are one.
void mask(engine::Picture& picture, const RowPrivacy& privacy, const RowPrivacy::Shared& shared) {
  std::vector<std::string> names;
  std::vector<double> reference, current;
  const auto add = [](std::vector<double>& to, std::size_t at, const std::vector<double>& shares, std::size_t i) {
    to.resize(std::max(to.size(), at + 1));
    if (i < shares.size()) to[at] += shares[i];
  };
  for (std::size_t i = 0; i < picture.categories.size(); ++i) {
    const auto& own = picture.categories[i];
    auto name = own == kOther ? own : privacy.category(picture.column, own, shared);
    const auto at = static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
    if (at == names.size()) names.push_back(std::move(name));
    add(reference, at, picture.reference_shares, i), add(current, at, picture.current_shares, i);
  }
  if (names.empty()) return;
  picture.categories = std::move(names);
  picture.reference_shares = std::move(reference), picture.current_shares = std::move(current);
}

// Categories that so many rows of a window have that they are nobody's.
RowPrivacy::Shared shared_in(const engine::Tally& counted, const engine::Profile& reference) {
  RowPrivacy::Shared out;
  for (std::size_t c = 0; c < reference.columns.size(); ++c) {
    const auto& column = reference.columns[c];
    const auto* counts = column.categorical() ? counted.at(c, 0, 0, 0) : nullptr;
    if (!counts) continue;
    const auto other = column.categories.size();
    for (std::size_t cell = 0; cell < std::min(counts->cells.size(), other + 1 + counted.fresh[c].size()); ++cell)
      if (cell != other && counts->cells[cell] >= RowPrivacy::kShared)
        out[column.name].insert(cell < other ? column.categories[cell].name : counted.fresh[c][cell - other - 1]);
  }
  return out;
}

}  // namespace

std::string merged_of(std::string_view model) {
  return std::string(model) + "/merged";
}

Result<std::unique_ptr<Watch>> Watch::make(std::string model, const std::shared_ptr<const engine::Profile>& reference,
                                           engine::WindowSpec windows, journal::Sequence place, Again again) {
  std::unique_ptr<Watch> watch(new Watch());
  engine::LiveOptions options;
  options.name = model;
  options.compare.window = std::move(windows);
  options.compare.threads = 1;
  options.slice = kSlice;
  options.again = std::move(again);
  // The first is of all rows.
  for (std::size_t k = 1; k < reference->segmentations.size(); ++k)
    options.compare.segments.push_back(reference->segmentations[k]);
  VIGIE_ASSIGN(watch->live_, engine::LiveWindows::make(reference, std::move(options)));
  watch->model_ = std::move(model);
  const auto& schema = watch->live_->schema();
  std::vector<table::JsonShape::Key> keys;
  for (const auto& field : schema) keys.push_back(record_key(*reference, field));
  watch->time_column_ = keys.size();
  if (watch->live_->calendar())
    for (std::size_t i = 0; i < schema.size(); ++i)
      if (schema[i].name == reference->timestamp) watch->time_column_ = i, keys[i].field.type = table::Type::kTimestamp;
  const std::vector<std::string> version{"version"};
  const auto by_version = std::ranges::find(keys, version, &table::JsonShape::Key::path);
  watch->version_column_ = static_cast<std::size_t>(by_version - keys.begin());
  if (by_version == keys.end())
    keys.push_back({{"version", table::Type::kString}, version});
  else
    by_version->field.type = table::Type::kString;
  if (reference->scores)
    for (const auto& name : LiveScores::wanted(*reference)) {
      const auto at = std::find_if(keys.begin(), keys.end(), [&](const auto& key) { return key.field.name == name; });
      watch->scored_columns_.push_back(static_cast<std::size_t>(at - keys.begin()));
      if (at != keys.end()) continue;
      const auto other = std::find_if(reference->others.begin(), reference->others.end(),
                                      [&](const auto& field) { return field.name == name; });
      const auto type = other == reference->others.end() ? table::Type::kString : other->type;
      keys.push_back(record_key(*reference, {name, type}));
    }
  if (has_boxes(*reference)) {
    auto& boxes = watch->boxes_.emplace();
    for (std::size_t i = 0; i < keys.size(); ++i)
      if (made_of_boxes(keys[i].field.name)) boxes.made.emplace_back(i, keys[i].field.name);
    boxes.masks = reference->scores && reference->scores->options.task == metric::Task::kSegmentation;
    boxes.boxes = keys.size(), boxes.size = keys.size() + 1;
    for (const auto* name : {"boxes", "image_size"}) keys.push_back({{name, table::Type::kString}, {name}});
  }
  watch->reference_ = watch->live_->axes();
  if (reference->scores) watch->labels_ = engine::labels_of(*reference);
  watch->id_column_ = keys.size();
  keys.push_back({{"id", table::Type::kString}, {"id"}});
  watch->request_columns_ = event::add_request_keys(keys);
  watch->shape_ = std::make_unique<table::JsonShape>(std::move(keys), table::OtherKeys::kSkipped);
  watch->begins_at_ = watch->made_at_ = place;
  watch->live_->at(place);
  watch->samples_.emplace(watch->model_, *reference, watch->shape_->schema());
  return watch;
}

std::int64_t Watch::usual_lateness(const engine::WindowSpec& windows) {
  constexpr std::int64_t kMinute = 60'000'000, kHour = 60 * kMinute;
  const bool minutes = windows.kind == engine::WindowSpec::Kind::kMinutes;
  return minutes ? std::min(kHour, 10 * windows.minutes * kMinute) : kHour;
}

void Watch::show_by(const std::map<std::string, Privacy>& said, const std::string& key) {
  privacy_ = std::make_shared<const RowPrivacy>(*reference_, said, key);
  samples_->show_by(privacy_);
  if (scores_) scores_->show_by(privacy_);
}

void Watch::refer_to(State& state, std::uint32_t model) {
  own_ = std::make_unique<LiveReference>(model, live_->window(), state);
  state_ = &state, number_ = model;
  if (live_->sliding()) keep_panes();
  merges_ = engine::MergedWindows::longer(live_->window()).has_value();
  live_->judge_by([this](const auto& window, const auto& data, auto& counted, const auto* apart, const auto& posted,
                         const auto& own) -> Result<engine::Comparison> {
    const auto& shared = shared_[window.key] = shared_in(counted, *reference_);
    VIGIE_ASSIGN(auto found, own_->judge(live_->comparing(), window, data, counted, apart, posted, own));
    // What overlaps another is in that already.
    if (merges_ && !window.overlaps) VIGIE_TRY(merge(window, found.windows.at(0), counted, posted));
    drawn_[window.key] = drawn(found, shared);
    return found;
  });
}

// Until when it would last, were its share of what is borne with by how long it lasts. Parts of a calendar window share
// the window's: one half by the time that each took, which may be none, the other by 1/n², whose sum is π²/6. Windows
// that overlap share theirs as if each lasted as long as what is new in it.
Result<std::int64_t> Watch::shared_end(const engine::LiveWindows::Closed& one, std::int64_t rows) const {
  const auto& live = *live_;
  if (const auto* sliding = live.sliding()) return one.start + (one.end - one.start) / sliding->panes().count;
  if (live.most_rows() == 0) return one.end;
  VIGIE_ASSIGN(const auto windower, engine::Windower::make(live.window()));
  const auto key = windower.key_of(static_cast<double>(one.start));
  const double all = windower.start(key + 1) - windower.start(key), n = static_cast<double>(one.part) + 1;
  const bool whole = one.part == 0 && rows < live.most_rows();
  constexpr auto kPi = std::numbers::pi;
  const double took = static_cast<double>(one.end - one.start);
  return one.start + std::llround(whole ? all : took / 2 + 3 * all / (kPi * kPi * n * n));
}

void Watch::keep_panes() {
  const auto put = [this](std::int64_t pane, std::string_view counted) {
    ByteWriter out;
    const auto found = versions_.find(pane);
    const auto& versions = found == versions_.end() ? Versions() : found->second;
    out.varint(versions.size());
    for (const auto& [version, rows] : versions) out.string(version), out.fixed(rows);
    out.string(counted);
    return state_->keep(key_of(kPane, number_, pane), out.bytes());
  };
  const auto get = [this](std::int64_t pane) -> Result<std::string> {
    VIGIE_ASSIGN(const auto kept, state_->kept(key_of(kPane, number_, pane)));
    ByteReader in(kept.value_or(""));
    static_cast<void>(versions_of(in));
    return std::string(in.string());
  };
  live_->keep_panes({put, get, [this](std::int64_t pane) { return state_->drop(key_of(kPane, number_, pane)); }});
}

Status Watch::forget(std::uint32_t model, State& state) {
  VIGIE_TRY(LiveReference::forget(model, state));
  for (const char kind : {kPart, kPane}) VIGIE_TRY(state.drop(all_of(kind, model)));
  return state.drop(all_of(kMerged, model));
}

// What windows before it are compared with goes along with slow changes, as it is asked to.
Status Watch::compare_with(const ReferenceChoice& choice) {
  // What came first is the posted one, once it is there.
  const bool posted = choice.kind == ReferenceChoice::Kind::kPosted || choice.kind == ReferenceChoice::Kind::kFirst;
  own_->choose(posted ? ReferenceChoice() : choice);
  merges_ = posted && engine::MergedWindows::longer(live_->window());
  return merges_ ? Status() : state_->drop(all_of(kMerged, number_));
}

Status Watch::compare_by(const LevelsAndMethods& said) {
  auto methods = said.methods;
  auto done = live_->compare_by(said.alpha, said.levels, methods);
  if (done || done.error().code != Code::kUsage) return done;
  // PUT refuses what does not fit, as far as it knows the reference.
  std::erase_if(methods, [](const auto& choice) { return !choice.column.empty(); });
  return live_->compare_by(said.alpha, said.levels, std::move(methods));
}

Status Watch::merge(const engine::LiveWindows::Closed& window, const engine::WindowResult& result,
                    const engine::Tally& counted, const engine::Profile& posted) {
  engine::MergedWindows together;
  const auto key = all_of(kMerged, number_);
  VIGIE_ASSIGN(const auto kept, state_->kept(key));
  if (kept) static_cast<void>(together.load(*kept));  // what cannot be read begins anew
  // What was told of is no news.
  VIGIE_ASSIGN(const auto end, shared_end(window, result.rows));
  const bool told = !engine::sighting_of(result, window.start, window.end, level(window.start, end)).causes.empty();
  const bool left_out = told || maintained_(window.start, window.end);
  VIGIE_ASSIGN(auto merged, together.add(window, result, counted, left_out, posted, live_->comparing(), model_));
  if (merged) {
    hide(merged->result, shared_in(merged->counted, *reference_));
    merged_.push_back(std::move(*merged));
  }
  return state_->keep(key, together.save());
}

void Watch::maintained_by(Maintained maintained) {
  maintained_ = std::move(maintained);
  if (own_) own_->leave_out([this](auto from, auto to) { return maintained_(from, to).has_value(); });
}

Status Watch::score_with(State& state, std::uint32_t model) {
  if (!reference_->scores) return {};
  VIGIE_ASSIGN(scores_, LiveScores::make(model, reference_, std::exchange(labels_, {}), live_->window(), state,
                                         live_->sliding()));
  scores_->show_by(privacy_);
  return {};
}

Status Watch::add(table::JsonRows& rows, std::int64_t arrived, journal::Sequence place, bool again) {
  live_->at(place);
  std::optional<BoxRows> boxes;
  if (boxes_) {
    VIGIE_ASSIGN(boxes, BoxRows::read(rows, *boxes_));
  }
  Timed timed(boxes ? static_cast<table::Batch&>(*boxes) : rows, time_column_, static_cast<double>(arrived));
  const auto astray = live_->astray();
  VIGIE_ASSIGN(const auto apart, rows_apart(rows));
  VIGIE_TRY(live_->add(timed, arrived, apart));
  if (again) live_->astray(astray);
  VIGIE_TRY(count_versions(rows));
  VIGIE_TRY(samples_->add(timed, rows, id_column_, *live_));
  if (!scores_ || again) return {};
  return scores_->add(timed, id_column_, scored_columns_, *live_, place, arrived);
}

Result<std::int64_t> Watch::count(const event::CountedWindow& window, std::int64_t arrived, journal::Sequence place) {
  if (window.reference != known_by_) return fail(Code::kUsage, "a window that was counted by another reference");
  live_->at(place);
  VIGIE_ASSIGN(auto counted, engine::read_counts(window.counts, *live_->axes()));
  const auto rows = counted.rows;
  if (!window.quality.empty()) {
    ByteReader in(window.quality);
    VIGIE_ASSIGN(auto state, quality::TableState::load(in));
    state.lower(quality::Depth::kCounts);
    counted.quality.push_back(std::move(state));
  }
  VIGIE_ASSIGN(const bool fresh, live_->add_counts(window.key, std::move(counted), arrived));
  if (fresh) indexed_[window.key] = window.about;
  if (fresh && scores_ && !window.answers.empty()) VIGIE_TRY(scores_->counted(window.key, window.answers));
  return fresh ? std::min(rows, window.anew) : 0;
}

void Watch::share(engine::LiveWindows::Sharing sharing) {
  name_ = sharing.name;
  live_->share(std::move(sharing));
}

void Watch::score_elsewhere(LiveScores::Told told) {
  if (scores_ && live_->most_rows() == 0) scores_->told = std::move(told);
}

Status Watch::add_scored(const LiveScores::Lines& lines, std::int64_t arrived, journal::Sequence place) {
  return scores_ ? scores_->add(lines, *live_, place, arrived) : Status();
}

std::vector<std::pair<std::int64_t, std::string>> Watch::parts(std::int64_t now, bool all) {
  std::vector<std::pair<std::int64_t, std::string>> out;
  for (const auto& part : live_->parts(now, all ? 0 : kTellEvery)) {
    ByteWriter bytes;
    bytes.fixed(known_by_), bytes.fixed(part.rows), bytes.fixed(part.first), bytes.fixed(part.last);
    bytes.fixed(std::uint8_t{part.over});
    bytes.string(part.counted);
    const auto& versions = versions_[part.key];
    bytes.varint(versions.size());
    for (const auto& [version, rows] : versions) bytes.string(version), bytes.fixed(rows);
    out.emplace_back(part.key, bytes.take());
  }
  return out;
}

Result<Watch::Took> Watch::take_part(const std::string& name, std::int64_t key, std::string_view part,
                                     std::int64_t now) {
  ByteReader in(part);
  if (in.fixed<std::uint64_t>() != known_by_) return Took::kUnknown;
  engine::LiveWindows::Part counted{.key = key, .rows = in.fixed<std::int64_t>()};
  counted.first = in.fixed<double>(), counted.last = in.fixed<double>();
  counted.over = in.fixed<std::uint8_t>() != 0;
  counted.counted = in.string();
  auto versions = versions_of(in);
  if (!in.ok()) return fail(Code::kCorrupt, "what another service counted of a window cannot be read");
  VIGIE_ASSIGN(const bool taken, live_->add_part(name, std::move(counted), now));
  if (taken) elsewhere_[key][name] = std::move(versions);
  return taken ? Took::kIt : Took::kNothing;
}

Result<bool> Watch::add_part(const std::string& name, std::int64_t key, std::string_view part, std::int64_t now) {
  VIGIE_ASSIGN(const auto took, take_part(name, key, part, now));
  if (took != Took::kIt) return took == Took::kNothing;
  ByteWriter kept;
  kept.fixed(now);
  VIGIE_TRY(state_->keep(key_of(kPart, number_, key) + name, std::string(kept.bytes()) + std::string(part)));
  return true;
}

// Of windows that are not gone, as they were told.
Status Watch::load_parts() {
  std::vector<std::pair<std::string, std::string>> parts;
  VIGIE_TRY(state_->scan(all_of(kPart, number_), [&](std::string_view key, std::string_view bytes) {
    parts.emplace_back(key, bytes);
    return true;
  }));
  for (const auto& [key, bytes] : parts) {
    ByteReader in(bytes);
    const auto when = in.fixed<std::int64_t>();
    const auto name = key.substr(key_of(kPart, number_, 0).size());
    // What cannot be read any more they tell again.
    static_cast<void>(take_part(name, number_of(key), std::string_view(bytes).substr(sizeof when), when));
  }
  return {};
}

Result<Watch::Versions> Watch::versions_in(std::int64_t window) const {
  Versions all;
  if (privacy_ && privacy_->said_to_hide("version")) return all;
  const auto add = [&](const Versions& some) {
    for (const auto& [version, rows] : some) all[version] += rows;
  };
  if (const auto own = versions_.find(window); own != versions_.end() && !live_->sliding()) add(own->second);
  if (const auto others = elsewhere_.find(window); others != elsewhere_.end())
    for (const auto& [name, versions] : others->second) add(versions);
  if (!live_->sliding()) return all;
  for (auto pane = window - live_->sliding()->panes().count + 1; pane <= window; ++pane) {
    VIGIE_ASSIGN(const auto kept, state_->kept(key_of(kPane, number_, pane)));
    ByteReader in(kept.value_or(""));
    add(versions_of(in));
  }
  return all;
}

Result<std::vector<std::uint8_t>> Watch::rows_apart(table::Batch& rows) const {
  std::vector<std::uint8_t> out;
  if (!own_ || !own_->sets_apart()) return out;
  VIGIE_ASSIGN(const auto version, rows.column(version_column_));
  for (const auto code : version.codes)
    out.push_back(code >= 0 && own_->sets_apart(version.dictionary[static_cast<std::size_t>(code)]));
  return out;
}

Status Watch::count_versions(table::Batch& rows) {
  VIGIE_ASSIGN(const auto version, rows.column(version_column_));
  for (std::size_t row = 0, next; row < version.codes.size(); row = next) {
    const auto code = version.codes[row];
    const auto window = live_->window_of(row);
    next = row + 1;
    while (next < version.codes.size() && version.codes[next] == code && live_->window_of(next) == window) ++next;
    if (code < 0 || !window || *window < live_->gone_below()) continue;
    auto& counts = versions_[*window];
    auto name = version.dictionary[static_cast<std::size_t>(code)];
    if (counts.size() >= kMostVersions && !counts.contains(name)) name = "(other)";
    counts[std::string(name)] += static_cast<std::int64_t>(next - row);
  }
  return {};
}

Status Watch::labelled(journal::Sequence record, std::uint64_t labels, std::int64_t arrived) {
  return scores_ ? scores_->labelled(record, labels, arrived) : Status();
}

// What is judged by itself shares what is borne with.
double Watch::level(std::int64_t start, std::int64_t end) const {
  constexpr std::int64_t kHour = 3'600'000'000;  // nobody knows how often windows by rows will come
  return engine::level_of(false_alarms_ / tracks(), live_->calendar() ? end - start : kHour);
}

Result<std::vector<Watch::Scored>> Watch::scores(std::int64_t now, bool any_labels) {
  if (!scores_) return std::vector<Scored>();
  const auto* sliding = live_->sliding();
  const auto share = sliding ? sliding->panes().count : 1;
  VIGIE_ASSIGN(auto found, scores_->due(now, any_labels, [&](auto start, auto end) {
    return level(start, start + (end - start) / share);
  }));
  std::vector<Scored> out;
  for (auto& score : found) {
    const auto verdict = score.sighting ? score.verdict : engine::Verdict::kNoData;
    const bool work = score.sighting && maintained_(score.sighting->start, score.sighting->end);
    if (sliding && score.sighting)
      score.sighting->overlaps = !sliding->whole(score.sighting->end), score.sighting->since = score.sighting->start;
    if (score.sighting && !work && score.start >= scored_.start)
      scored_ = {score.start, verdict}, figures_.take(score.window ? &*score.window : nullptr, score.labels);
    out.push_back({{model_, std::move(score.key), std::string(to_string(verdict)), std::move(score.body)},
                   std::move(score.sighting)});
  }
  return out;
}

Result<std::vector<Watch::Closed>> Watch::close(std::int64_t now, bool all) {
  VIGIE_ASSIGN(auto closed, live_->close(now, all));
  std::vector<Closed> out;
  for (auto& one : closed) {
    const auto indexed = indexed_.extract(one.key);
    // An index has no order.
    if (indexed)
      std::erase_if(one.result.quality,
                    [](const auto& q) { return std::ranges::find(kWithoutOrder, q.check) != std::end(kWithoutOrder); });
    hide(one.result, shared_[one.key]);
    const auto key = key_in_store(one.start, one.end, one.key);
    const auto work = maintained_(one.start, one.end);
    const auto verdict = std::string(work ? kMaintenance : to_string(one.result.verdict));
    auto body = view::to_json(one.result, verdict);
    const auto compared = own_ ? own_->take_said(one.key) : LiveReference::Said();
    if (!compared.json.empty()) add_to(body, "\"reference\": " + compared.json);
    if (work) add_to(body, said_of(*work, one.result.verdict));
    if (const auto pictures = drawn_.extract(one.key)) add_to(body, "\"distributions\": " + pictures.mapped());
    if (indexed && !indexed.mapped().empty()) add_to(body, "\"counted\": " + indexed.mapped());
    if (one.late_rows > 0) add_to(body, fmt::format(R"("late_rows": {}, "restated": {})", one.late_rows, one.restated));
    VIGIE_ASSIGN(const auto versions, versions_in(one.key));
    if (!versions.empty())
      add_to(body, fmt::format(R"("versions": {})", nlohmann::json(versions).dump(
                                                        -1, ' ', false, nlohmann::json::error_handler_t::replace)));
    VIGIE_ASSIGN(const auto end, shared_end(one, one.result.rows));
    auto sighting = engine::sighting_of(one.result, one.start, one.end, level(one.start, end));
    sighting.restated = one.restated > 0, sighting.compared_with = compared.text;
    VIGIE_TRY(place(sighting, one));
    auto samples = samples_->chosen(one.key, key);
    if (privacy_) std::erase_if(samples, [&](const auto& sample) { return privacy_->names_hidden(sample.segment); });
    out.push_back(
        {{model_, one.start, one.end, key, verdict, std::move(body)}, std::move(sighting), std::move(samples)});
    if (!work && one.start >= compared_.start) compared_ = {one.start, one.result.verdict}, figures_.take(one.result);
    if (scores_) VIGIE_TRY(scores_->closed(one, out.back().window.key, now));
  }
  drawn_.clear(), shared_.clear();
  for (auto& merged : std::exchange(merged_, {})) out.push_back(of_merged(std::move(merged)));
  const auto gone = live_->gone_below();
  versions_.erase(versions_.begin(), versions_.lower_bound(gone));
  indexed_.erase(indexed_.begin(), indexed_.lower_bound(gone));
  for (auto it = elsewhere_.begin(); it != elsewhere_.end() && it->first < gone; it = elsewhere_.erase(it))
    VIGIE_TRY(state_->drop(key_of(kPart, number_, it->first)));
  samples_->forget_below(gone);
  return out;
}

// When what it found began, where it overlaps others.
Status Watch::place(engine::Sighting& sighting, const engine::LiveWindows::Closed& window) const {
  if (!live_->sliding()) return {};
  sighting.overlaps = window.overlaps;
  if (sighting.causes.empty()) return {};
  VIGIE_ASSIGN(const auto began, live_->began(window.key));
  sighting.since = window.end;
  for (auto& cause : sighting.causes) {
    const auto at = began.find(cause.column);
    if (cause.segment.empty() && at != began.end()) cause.since = at->second;
    sighting.since = std::min(sighting.since, cause.since);
  }
  return {};
}

// Windows by rows, parts of others, and what overlaps, are each one's own.
std::string Watch::key_in_store(std::int64_t start, std::int64_t end, std::int64_t key) const {
  if (live_->shares()) return fmt::format("{}-{}", start, end);
  return fmt::format("{}-{}{}{}", made_at_, key, name_.empty() ? "" : "-", name_);
}

void Watch::hide(engine::WindowResult& result, const RowPrivacy::Shared& shared) const {
  if (!privacy_) return;
  const auto hidden = [&](const auto& c) { return c.segment && privacy_->names_hidden(*c.segment); };
  std::erase_if(result.columns, hidden);
  // Why nothing can be said of a column has none of its values.
  for (auto& c : result.columns)
    if (c.verdict != engine::Verdict::kNoData) c.reason = privacy_->sentence(c.column, std::move(c.reason), shared);
  const auto among = [](const auto& checks, const auto& check) {
    return std::ranges::find(checks, check) != std::end(checks);
  };
  for (auto& q : result.quality) {
    const auto column = q.column.value_or("");
    if (among(kOfNoValues, q.check)) continue;
    if (among(quality::rule_names(), q.check)) {
      hide_rule(q, shared);
      continue;
    }
    const bool amounts = privacy_->hides_amounts(column);
    if (amounts) q.expected.clear();
    if (q.verdict == "no_data") continue;
    if (amounts)
      q.reason = RowPrivacy::kHidden;
    else
      q.reason = privacy_->sentence(column, std::move(q.reason), shared, among(kOfColumns, q.check));
  }
}

// It tells of a value that breaks it; a relation of one of both columns that it names.
void Watch::hide_rule(engine::QualityResult& rule, const RowPrivacy::Shared& shared) const {
  const auto name = rule.column.value_or("");
  for (const auto& known : reference_->columns) {
    const auto& column = known.name;
    if (column != name && (rule.check != "relation" || name.find(column) == name.npos)) continue;
    if (privacy_->said_to_hide(column)) rule.expected.clear();
    if (rule.verdict == "no_data") continue;
    if (privacy_->hides_amounts(column))
      rule.reason = RowPrivacy::kHidden;
    else
      rule.reason = privacy_->sentence(column, std::move(rule.reason), shared);
  }
}

// Of the columns that changed most, what they were and are.
std::string Watch::drawn(engine::Comparison& found, const RowPrivacy::Shared& shared) const {
  std::map<std::string_view, std::pair<engine::Verdict, double>> moved;
  for (const auto& result : found.windows.at(0).columns) {
    if (result.segment) continue;
    auto& most = moved[result.column];
    most = std::max(most, {result.verdict, std::isfinite(result.effect) ? std::fabs(result.effect) : 0});
  }
  auto& pictures = found.pictures;
  std::erase_if(pictures, [&](const auto& picture) { return privacy_ && privacy_->hides(picture.column); });
  const auto how_far = [&](const auto& picture) {
    const auto at = moved.find(picture.column);
    return at != moved.end() ? at->second : std::pair(engine::Verdict::kNoData, 0.);
  };
  std::stable_sort(pictures.begin(), pictures.end(),
                   [&](const auto& a, const auto& b) { return how_far(a) > how_far(b); });
  if (pictures.size() > kDrawn) pictures.resize(kDrawn);
  if (privacy_)
    for (auto& picture : pictures) mask(picture, *privacy_, shared);
  return view::to_json(pictures);
}

Watch::Closed Watch::of_merged(engine::MergedWindows::Merged merged) const {
  const auto together = fmt::format(" ({} together)", plural(merged.windows, "window"));
  auto sighting = engine::sighting_of(merged.result, merged.start, merged.end, level(merged.start, merged.end));
  sighting.track = engine::Sighting::Track::kMerged;
  for (auto& cause : sighting.causes) cause.reason += together;
  const auto verdict = std::string(to_string(merged.result.verdict));
  auto body = view::to_json(merged.result, verdict);
  add_to(body, fmt::format(R"("merged": {})", merged.windows));
  const auto key = key_in_store(merged.start, merged.end, merged.key);
  return {{merged_of(model_), merged.start, merged.end, key, verdict, std::move(body)}, std::move(sighting), {}};
}

std::string_view Watch::state() const {
  return to_string(std::max(compared_.verdict, scored_.verdict));
}

Result<std::string> Watch::save() {
  if (scores_) VIGIE_TRY(scores_->save());
  const auto from = live_->resume();
  ByteWriter out;
  const bool panes = live_->sliding() != nullptr;
  out.fixed(panes ? kVersion : from.filling.empty() ? kWithoutParts : kWithoutPanes);
  out.fixed(from.place);
  out.fixed(from.rows);
  out.fixed(from.closed_below);
  out.fixed(from.astray.late);
  out.fixed(made_at_);
  for (const auto& latest : {compared_, scored_}) {
    out.fixed(latest.start);
    out.fixed(static_cast<std::uint8_t>(latest.verdict));
  }
  out.fixed(from.gone_below);
  out.fixed(from.astray.early);
  out.fixed(static_cast<std::uint64_t>(from.told.size()));
  for (const auto& told : from.told) {
    out.fixed(told.key), out.fixed(told.at_first), out.fixed(told.rows);
    out.fixed(told.when), out.fixed(told.times), out.fixed(std::uint8_t{told.first});
  }
  if (from.filling.empty() && !panes) return out.take();
  out.fixed(static_cast<std::uint64_t>(from.filling.size()));
  for (const auto& into : from.filling)
    for (const auto number : {into.calendar, into.part, into.first, into.rows}) out.fixed(number);
  if (panes) out.string(from.panes);
  return out.take();
}

Result<std::string> Watch::load(std::string_view saved, std::string_view open, journal::Sequence place) {
  ByteReader in(saved);
  engine::LiveWindows::Resume from;
  const auto version = in.fixed<std::uint8_t>();
  from.place = in.fixed<std::uint64_t>();
  from.rows = in.fixed<std::int64_t>();
  from.closed_below = in.fixed<std::int64_t>();
  from.astray.late = in.fixed<std::int64_t>();
  made_at_ = in.fixed<journal::Sequence>();
  for (auto* latest : {&compared_, &scored_}) {
    latest->start = in.fixed<std::int64_t>();
    latest->verdict = static_cast<engine::Verdict>(in.fixed<std::uint8_t>());
  }
  from.gone_below = from.closed_below;
  if (version > 3) {
    from.gone_below = in.fixed<std::int64_t>();
    from.astray.early = in.fixed<std::int64_t>();
    for (auto left = in.fixed<std::uint64_t>(); left > 0 && in.ok(); --left) {
      auto& told = from.told.emplace_back();
      for (auto* number : {&told.key, &told.at_first, &told.rows, &told.when}) *number = in.fixed<std::int64_t>();
      told.times = in.fixed<std::int32_t>();
      told.first = in.fixed<std::uint8_t>() != 0;
    }
  }
  if (version > kWithoutParts)
    for (auto left = in.fixed<std::uint64_t>(); left > 0 && in.ok(); --left) {
      auto& into = from.filling.emplace_back();
      for (auto* number : {&into.calendar, &into.part, &into.first, &into.rows}) *number = in.fixed<std::int64_t>();
    }
  if (version > kWithoutPanes) from.panes = in.string();
  if (!in.ok() || version < kOldest || version > kVersion)
    return fail(Code::kCorrupt, "what was kept of a model's windows cannot be read");
  // Windows that overlap are called by their panes: of the others' numbers nothing is known. They begin anew.
  if ((version > kWithoutPanes) != (live_->sliding() != nullptr)) {
    made_at_ = begins_at_;
    if (scores_) VIGIE_TRY(LiveScores::forget(number_, *state_));
    VIGIE_TRY(forget(number_, *state_));
    return "";
  }
  const auto known = open.empty() ? Status() : load_open(open);
  live_->resume(from);
  if (!name_.empty()) VIGIE_TRY(load_parts());
  begins_at_ = std::min(from.place, place);
  return known ? "" : known.error().message;
}

std::string Watch::keep_open(journal::Sequence place) {
  ByteWriter out;
  out.fixed(made_at_);
  out.string(live_->keep(place));
  out.varint(versions_.size());
  for (const auto& [window, rows] : versions_) {
    out.fixed(window);
    out.varint(rows.size());
    for (const auto& [version, count] : rows) out.string(version), out.fixed(count);
  }
  samples_->save(out);
  out.fixed(privacy_ ? privacy_->said_hash() : 0);
  return seal(kOpenMagic, kOpenVersion, out.bytes());
}

Status Watch::load_open(std::string_view bytes) {
  VIGIE_ASSIGN(const auto sealed, unseal(kOpenMagic, kOpenVersion, bytes, "what was kept of open windows"));
  ByteReader in(sealed.payload);
  if (in.fixed<journal::Sequence>() != made_at_) return {};
  VIGIE_TRY(live_->load(in.string()));
  for (auto left = in.count(9); left > 0 && in.ok(); --left) {
    auto& rows = versions_[in.fixed<std::int64_t>()];
    for (auto versions = in.count(9); versions > 0; --versions) {
      const auto name = in.string();
      rows[std::string(name)] = in.fixed<std::int64_t>();
    }
  }
  samples_->load(in);
  // What was chosen when something else was said, or nobody knows what, may show what is hidden now.
  const auto said = in.ok() && in.remaining() > 0 ? in.fixed<std::uint64_t>() : 0;
  if (!privacy_ || said != privacy_->said_hash()) samples_->forget_below(std::numeric_limits<std::int64_t>::max());
  return in.ok() ? Status() : fail(Code::kCorrupt, "what was kept of open windows cannot be read");
}

}  // namespace vigie::server
