// SPDX-License-Identifier: Apache-2.0
#include "server/index_watch.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/iso_time.h"
#include "base/quantity.h"
#include "base/text.h"
#include "engine/kept_counts.h"
#include "engine/windows.h"
#include "event/counted_window.h"
#include "event/record.h"

namespace vigie::server {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kSoon = 1;  // s, where a reference is yet to be taken over
constexpr int kPast = 100;   // windows that are counted at first, unless `from` says otherwise
constexpr Param kOwn[] = {
    {.name = "model",
     .doc = "the model whose predictions they are; it has a reference, or gets one posted",
     .required = true},
    {.name = "every", .fallback = "60s", .doc = "time between two looks"},
    {.name = "settle", .fallback = "60s", .doc = "time behind a window's end for rows that come late"},
};

std::vector<std::string> texts_of(const Json& list) {
  std::vector<std::string> out;
  for (const auto& one : list)
    if (one.is_string()) out.push_back(one.get<std::string>());
  return out;
}

// Indexes that are there, and no row is in any: what fields they will have is not known.
Result<bool> are_empty(IndexQuery& query) {
  VIGIE_ASSIGN(const auto said, query.ask({{"match_all", nlohmann::json::object()}}, nlohmann::json::object()));
  return elastic::whole_of(said, "hits.total.value") == 0 && elastic::whole_of(said, "_shards.total") > 0;
}

// How exact the counts of a window are, where they are not all exact.
std::string about(const std::vector<IndexCounts::Bound>& bounds) {
  if (bounds.empty()) return {};
  auto out = Json::array();
  for (const auto& bound : bounds)
    out.push_back({{"column", bound.column},
                   {"doc_count_error_upper_bound", bound.error},
                   {"sum_other_doc_count", bound.others},
                   {"share_of_others", static_cast<double>(bound.others) / static_cast<double>(bound.rows)}});
  return Json{{"columns", std::move(out)}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Error no_rows() {
  return fail(Code::kUnavailable, "there are no rows yet");
}

}  // namespace

std::span<const Param> indexed_model_params() {
  static const auto all = [] {
    std::vector<Param> out(std::begin(kOwn), std::end(kOwn));
    for (const auto& param : indexed_rows_params()) out.push_back(param);
    return out;
  }();
  return all;
}

Result<IndexedModel> make_indexed_model(std::string_view spec, const Environment& environment) {
  const auto call = parse_call(spec);
  if (!call) return fail(Code::kUsage, fmt::format("elastic: {}", call.error().message));
  VIGIE_ASSIGN(const auto settings, read_settings(*call, indexed_model_params(), environment));
  IndexedModel out;
  VIGIE_ASSIGN(out.rows, make_indexed_rows(settings));
  out.model = settings["model"];
  if (auto named = event::check_model(out.model); !named)
    return fail(Code::kUsage, fmt::format("elastic.model: {}", named.error().message));
  for (const auto& [name, to] : {std::pair{"every", &out.every}, {"settle", &out.settle}}) {
    const auto seconds = parse_duration(settings[name]);
    if (!seconds || !(*seconds >= 1))
      return fail(Code::kUsage, fmt::format("elastic.{}: expected a time from 1s on, as 60s, got {}", name,
                                            vigie::quoted(settings[name])));
    *to = *seconds;
  }
  return out;
}

IndexWatch::IndexWatch(std::vector<IndexedModel> models, const std::string& folder, Service service,
                       std::function<void(const std::string&)> log)
    : file_(folder + "/indexes"), service_(std::move(service)), log_(std::move(log)) {
  for (auto& model : models) {
    auto& of = watched_.emplace_back();
    of.state.model = model.model, of.state.index = model.rows.index;
    of.name = fmt::format("{} {} {}", model.model, model.rows.index, model.rows.query);
    kept_[of.name];  // for all threads to find
    of.model = std::move(model);
  }
  if (::access(file_.c_str(), F_OK) == 0)
    if (const auto text = read_file(file_)) {
      const auto json = Json::parse(*text, nullptr, false);
      if (json.is_object())
        for (const auto& [name, said] : json.items()) {
          auto& kept = kept_[name];
          if (!said.is_array() || said.size() < 2 || !said[0].is_number_integer() || !said[1].is_number_integer())
            continue;
          kept.until = said[0].get<std::int64_t>(), kept.reference = said[1].get<std::uint64_t>();
          if (said.size() == 4) kept.gone = texts_of(said[2]), kept.left_out = texts_of(said[3]);
        }
    }
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "vigie-index");
}

IndexWatch::~IndexWatch() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

bool IndexWatch::stopped() const {
  const std::lock_guard lock(mutex_);
  return stop_;
}

std::vector<IndexState> IndexWatch::states() const {
  const std::lock_guard lock(mutex_);
  std::vector<IndexState> out;
  for (const auto& of : watched_) out.push_back(of.state);
  return out;
}

std::optional<IndexedModel> IndexWatch::found(const std::string& model) const {
  for (const auto& of : watched_)
    if (of.model.model == model) return of.model;
  return {};
}

void IndexWatch::taken(const std::string& model, std::int64_t rows) {
  const std::lock_guard lock(mutex_);
  for (auto& of : watched_)
    if (of.model.model == model && rows > 0) ++of.state.windows, of.state.rows += rows;
}

void IndexWatch::refused(const std::string& model, std::int64_t since) {
  const std::lock_guard lock(mutex_);
  for (auto& of : watched_) {
    if (of.model.model != model) continue;
    auto& kept = kept_[of.name];
    of.refused = true, of.state.until = kept.until = std::min(kept.until, since);
  }
  static_cast<void>(save());  // else with the next window
}

void IndexWatch::run() {
  using std::chrono::steady_clock;
  while (!stopped()) {
    auto next = steady_clock::now() + std::chrono::minutes(1);
    for (auto& of : watched_) {
      if (of.due <= steady_clock::now() && !stopped()) {
        Status done;
        try {
          done = look(of);
        } catch (const std::exception& odd) {
          done = fail(Code::kCorrupt, fmt::format("the cluster answers what it never should: {}", odd.what()));
        }
        if (!done) of.counts.reset();  // what is there may be other than it was
        tell(of, done);
        const auto pause = of.replaced.empty() || of.counts ? of.model.every : kSoon;
        of.due = steady_clock::now() + std::chrono::milliseconds(std::llround(pause * 1e3));
      }
      next = std::min(next, of.due);
    }
    std::unique_lock lock(mutex_);
    wake_.wait_until(lock, next, [&] { return stop_; });
  }
}

void IndexWatch::tell(Watched& of, const Status& done) {
  const auto trouble = done ? std::string() : done.error().message;
  {
    const std::lock_guard lock(mutex_);
    const auto before = std::exchange(of.state.trouble, trouble);
    const bool news = done ? of.counts && !of.goes_on : trouble != before;
    if (stop_ || !news || !log_) return;
  }
  const bool first = !of.said;
  of.said = true, of.goes_on = done.has_value();
  log_(fmt::format(
      "{}, watched in {}: {}", of.model.model, of.model.rows.index,
      done ? fmt::format("{}windows by {}", first ? "" : "goes on, ", engine::to_string(of.counts->reference().window))
           : trouble));
}

Status IndexWatch::look(Watched& of) {
  VIGIE_ASSIGN(const bool ready, prepare(of));
  return ready ? count(of, of.counts->reference().window) : Status();
}

// What cannot be counted there is left out of the reference, which is said; the rest becomes the reference, and is
// counted by once it is.
Result<bool> IndexWatch::prepare(Watched& of) {
  const auto bytes = service_.reference(of.model.model);
  if (bytes.empty())
    return fail(Code::kUnavailable, "it has no reference yet: POST /v1/models/" + of.model.model + "/reference");
  if (of.counts && of.reference == bytes) return true;
  if (of.replaced == bytes && std::chrono::steady_clock::now() < of.again) return false;
  VIGIE_ASSIGN(const auto posted, engine::load_profile(bytes, of.model.model));
  if (!posted.window.calendar())
    return fail(Code::kUsage,
                "its reference has no windows by the calendar: \"window\" of PUT, or vigie profile --window");
  if (posted.window.every > 0)
    return fail(Code::kUsage, "rows of an index are in windows that do not overlap: PUT \"window\" without every");
  const std::vector<engine::SegmentBy> segments(posted.segmentations.begin() + 1, posted.segmentations.end());
  auto query = std::make_shared<IndexQuery>(of.model.rows);
  query->stop_when([this] { return stopped(); });
  auto counts = IndexCounts::make(query, posted, segments);
  if (counts ? (*counts)->left_out() : counts.error().code == Code::kUsage) {
    VIGIE_ASSIGN(const bool none, are_empty(*query));
    if (none) return no_rows();
  }
  VIGIE_ASSIGN(of.counts, std::move(counts));
  auto& kept = kept_[of.name];
  const auto known_by = hash64(bytes);
  if (!of.counts->left_out()) {
    {
      const std::lock_guard lock(mutex_);
      if (known_by != kept.reference) kept.gone.clear(), kept.left_out.clear();
      kept.reference = known_by;
    }
    note(of);
    of.reference = bytes, of.replaced.clear();
    of.patience = kPatience;
    return true;
  }
  // One that could be counted as a whole is not made less of for what may pass.
  if (kept.reference == known_by)
    return fail(Code::kUnavailable, fmt::format("what was there is there no more: {}",
                                                of.counts->notes().empty() ? "?" : of.counts->notes().front()));
  const auto& counted = of.counts->reference();
  const auto rest = engine::save_profile(counted);
  VIGIE_TRY(service_.set_reference(of.model.model, rest));
  Kept now{kept.until, hash64(rest), of.counts->notes(), {}};
  for (const auto& column : posted.columns)
    if (column.role != engine::Role::kLabel &&
        std::none_of(counted.columns.begin(), counted.columns.end(), [&](auto& c) { return c.name == column.name; }))
      now.left_out.push_back(column.name);
  {
    const std::lock_guard lock(mutex_);
    now.until = kept.until, kept = std::move(now);
    VIGIE_TRY(save());
  }
  note(of);
  for (const auto& gone : kept.gone)
    if (log_) log_(gone);
  // Where the same is there again, it was posted once more; or is not read on, and is not to be put there ever again.
  of.again = std::chrono::steady_clock::now() + of.patience, of.patience *= 2;
  of.replaced = bytes, of.counts.reset();
  return false;
}

Status IndexWatch::save() const {
  auto json = Json::object();
  for (const auto& [name, one] : kept_) json[name] = Json::array({one.until, one.reference, one.gone, one.left_out});
  return write_file(file_, json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

void IndexWatch::note(Watched& of) {
  const auto& kept = kept_[of.name];
  const std::lock_guard lock(mutex_);
  of.state.notes = kept.gone, of.state.left_out = kept.left_out;
  for (const auto* notes : {&of.counts->notes(), &std::as_const(of.answer_notes)})
    for (const auto& more : *notes)
      if (std::find(kept.gone.begin(), kept.gone.end(), more) == kept.gone.end()) of.state.notes.push_back(more);
}

Status IndexWatch::count(Watched& of, const engine::WindowSpec& windows) {
  VIGIE_ASSIGN(const auto all, of.counts->query().times(of.model.rows.from, of.model.rows.to));
  {
    const std::lock_guard lock(mutex_);
    of.state.newest = all.rows > 0 ? all.last : 0;
  }
  if (all.rows == 0) {
    VIGIE_ASSIGN(const bool none, are_empty(of.counts->query()));
    if (none) return no_rows();
    return fail(Code::kUnavailable, fmt::format("no rows there have a time in {}", of.model.rows.time));
  }
  VIGIE_ASSIGN(auto windower, engine::Windower::make(windows));
  const auto key_of = [&](std::int64_t time) { return windower.key_of(static_cast<double>(time)); };
  const auto until = [&] {
    const std::lock_guard lock(mutex_);
    if (std::exchange(of.refused, false)) of.last_rows = 0;
    return kept_[of.name].until;
  }();
  const auto settled = system_now() - std::llround(of.model.settle * 1e6);
  auto key = until > 0 ? key_of(until) : key_of(all.first);
  if (until == 0 && of.model.rows.from == std::numeric_limits<std::int64_t>::min())
    key = std::max(key, key_of(std::min<std::int64_t>(all.last, settled)) - kPast);
  if (of.last_rows > 0) {
    VIGIE_ASSIGN(const auto again, of.counts->query().times(of.last_from, until));
    const std::lock_guard lock(mutex_);
    of.state.late = of.late_before + std::max<std::int64_t>(0, again.rows - of.last_rows);
  }
  // Only such as are over, and have settled.
  const auto last = std::min<std::int64_t>(all.last, std::llround(windower.start(key_of(settled))) - 1);
  const auto use = [&](std::int64_t next, IndexQuery::Times rows) -> Result<bool> {
    const auto from = std::llround(windower.start(next)), to = std::llround(windower.start(next + 1));
    VIGIE_ASSIGN(auto counted, of.counts->count(windows, next, from, to, rows));
    std::optional<CountedAnswers> answers;
    if (auto* counting = of.counts->answers()) {
      auto notes = of.answer_notes;
      VIGIE_ASSIGN(answers, counting->count(from, to, rows, notes));
      const auto before = rows.rows;
      if (!answers) {
        VIGIE_ASSIGN(rows, of.counts->query().times(from, to));
      }
      // Rows came while they were counted: once more.
      if (rows.rows != before) {
        notes = of.answer_notes;
        VIGIE_ASSIGN(counted, of.counts->count(windows, next, from, to, rows));
        VIGIE_ASSIGN(answers, counting->count(from, to, rows, notes));
      }
      of.answer_notes = std::move(notes);
    }
    // Rows of it may have been counted with a shorter window.
    const auto since = std::max<std::int64_t>(from, until);
    auto anew = counted.rows;
    if (since > from) {
      VIGIE_ASSIGN(const auto had, of.counts->query().times(from, since));
      anew = std::max<std::int64_t>(0, anew - had.rows);
    }
    // By another reference, which was posted meanwhile, it is counted anew.
    if (service_.reference(of.model.model) != of.reference) return false;
    journal::Records records;
    event::CountedWindow window{next, from, to, since, anew, hash64(of.reference), engine::save_counts(counted)};
    if (!counted.quality.empty()) {
      ByteWriter state;
      counted.quality[0].save(state);
      window.quality = state.take();
    }
    if (answers) window.answers = answers->save();
    window.about = about(of.counts->bounds());
    records.add(event::encode({event::Kind::kCounts, of.model.model, event::encode(window)}));
    VIGIE_TRY(service_.append(std::move(records)));
    note(of);
    const std::lock_guard lock(mutex_);
    if (of.refused) return false;
    of.last_from = from, of.last_rows = counted.rows, of.late_before = of.state.late;
    of.state.until = kept_[of.name].until = to;
    VIGIE_TRY(save());
    return !stop_;
  };
  return each_window(of.counts->query(), windower, {all.rows, std::llround(windower.start(key)), last}, use);
}

std::string to_json(const IndexState& state) {
  return Json{{"model", state.model},
              {"index", state.index},
              {"windows", state.windows},
              {"rows", state.rows},
              {"until", state.until == 0 ? Json() : Json(iso_time(static_cast<double>(state.until)))},
              {"newest", state.newest == 0 ? Json() : Json(iso_time(static_cast<double>(state.newest)))},
              {"late_rows", state.late},
              {"notes", state.notes},
              {"left_out", state.left_out},
              {"trouble", state.trouble.empty() ? Json() : Json(state.trouble)}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace vigie::server
