// SPDX-License-Identifier: Apache-2.0
#include "server/live_scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/bytes.h"
#include "base/call.h"
#include "base/iso_time.h"
#include "base/text.h"
#include "server/box_columns.h"
#include "server/index_scores.h"
#include "server/json_input.h"
#include "server/kept_keys_internal.h"
#include "view/json.h"

namespace vigie::server {
namespace {

using std::chrono::steady_clock;
constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kQuiet = kSecond;  // after a label, lest each be scored by itself
constexpr std::int64_t kCostFactor = 20;  // of the time that scoring took, until it may again
constexpr auto kSlice = std::chrono::milliseconds(100);
constexpr double kNearlyAll = 0.95;  // of the labels
constexpr int kStepsPerOctave = 4;   // of delays
constexpr std::size_t kDelays = std::size_t{64} * kStepsPerOctave;
constexpr std::string_view kModelVersion = "version";
constexpr std::size_t kMostVersions = 5;     // that are scored apart
constexpr std::uint8_t kNoMore = 60;         // looks at a score, which spent all of its level
constexpr std::size_t kMostLateLabels = 20;  // fewer tell nothing of how late labels are

// What is kept: rows by window and record; by record when it came and its windows; windows that are over; windows that
// are to be scored, and when; delays of labels; answers that were counted elsewhere, by window.
constexpr char kRows = 'r', kBatch = 'b', kWindow = 'w', kDue = 'd', kLate = 'h', kAnswers = 'A';

// Of rows.
std::int64_t place_of(std::string_view key) {
  return static_cast<std::int64_t>(number_at(key, 17));
}

struct Batch {
  std::int64_t arrived = 0;
  std::vector<std::int64_t> windows{};
};
Batch batch_of(std::string_view bytes) {
  ByteReader in(bytes);
  Batch out{in.fixed<std::int64_t>()};
  while (in.remaining() > 0) out.windows.push_back(in.fixed<std::int64_t>());
  return out;
}

void append_value(std::string& out, const table::Column& column, std::size_t row) {
  using table::Type;
  if (column.type == Type::kString) {
    const auto code = column.codes[row];
    if (code < 0) return void(out += "null");
    return append_json(out, column.dictionary[static_cast<std::size_t>(code)]);
  }
  if (column.type == Type::kList) {
    if (!column.missing.empty() && column.missing[row]) return void(out += "null");
    out += '[';
    const auto from = static_cast<std::size_t>(column.offsets[row]),
               to = static_cast<std::size_t>(column.offsets[row + 1]);
    for (auto i = from; i < to; ++i)
      std::isfinite(column.values[i])
          ? fmt::format_to(std::back_inserter(out), "{}{}", i > from ? "," : "", column.values[i])
          : fmt::format_to(std::back_inserter(out), "{}null", i > from ? "," : "");
    out += ']';
    return;
  }
  const double value = column.numbers[row];
  if (!std::isfinite(value)) return void(out += "null");
  if (column.type == Type::kBoolean) return void(out += value != 0 ? "true" : "false");
  if (column.type == Type::kTimestamp) return append_json(out, iso_time(value));
  fmt::format_to(std::back_inserter(out), "{}", value);
}

// What JSON has in quotes; as it stands there where that is none.
std::string text_in(std::string_view quoted) {
  const auto json = nlohmann::json::parse(quoted, nullptr, false);
  return json.is_string() ? json.get<std::string>() : std::string(quoted);
}

// Of a row as it is kept, {"":"ID", the rest.
struct IdAndRest {
  std::string id;
  std::string_view rest;
};
constexpr std::string_view kBeforeId = "{\"\":\"";
IdAndRest id_of(std::string_view line) {
  const auto from = kBeforeId.size() - 1;
  auto to = from + 1;
  while (to < line.size() && line[to] != '"') to += line[to] == '\\' ? 2 : 1;
  const auto quoted = line.substr(from, to + 1 - from);
  std::string id(quoted.substr(1, quoted.size() - 2));
  if (id.find('\\') != std::string::npos) id = text_in(quoted);
  return {std::move(id), line.substr(to + 1)};
}

// What is behind the id, with that for the time, where it has one.
std::string at_time(std::string_view rest, std::string_view timestamp, std::int64_t time) {
  std::string before = ",";
  append_json(before, timestamp);
  before += ":\"";
  if (!rest.starts_with(before)) return std::string(rest);
  return fmt::format("{}{}{}", before, iso_time(static_cast<double>(time)), rest.substr(rest.find('"', before.size())));
}

// Whether "version" of a row is the model's, and no column of the reference.
bool has_versions(const engine::Profile& reference) {
  return std::none_of(reference.columns.begin(), reference.columns.end(),
                      [](const auto& column) { return column.name == kModelVersion; });
}

// Of a row as it is kept, as JSON has it between its quotes; empty where it has none.
std::string_view version_of(std::string_view line) {
  static const std::string before = fmt::format(",\"{}\":\"", kModelVersion);
  const auto at = line.rfind(before);
  if (at == line.npos || !line.ends_with("\"}")) return {};
  return line.substr(at + before.size(), line.size() - at - before.size() - 2);
}

// The versions of rows that are scored apart, those with most rows; none where all are of one.
std::vector<std::string_view> versions_of(std::string_view lines) {
  std::map<std::string_view, std::int64_t> counts;
  for (std::size_t from = 0, to; from < lines.size(); from = to + 1) {
    to = lines.find('\n', from);
    ++counts[version_of(lines.substr(from, to - from))];
  }
  counts.erase("");
  std::vector<std::string_view> out;
  for (const auto& [version, rows] : counts) out.push_back(version);
  if (out.size() < 2) return {};
  std::stable_sort(out.begin(), out.end(), [&](auto a, auto b) { return counts[a] > counts[b]; });
  out.resize(std::min(out.size(), kMostVersions));
  return out;
}

bool is_json_scalar(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  return json.is_number() || json.is_boolean();
}

std::size_t step_of(std::int64_t delay) {
  return delay < 1
             ? 0
             : std::min(kDelays - 1, static_cast<std::size_t>(kStepsPerOctave * std::log2(static_cast<double>(delay))));
}

using Found = Result<engine::ScoreWindow>;

void join(engine::Sighting& to, engine::Sighting more) {
  to.judged = to.judged || more.judged, to.firm = to.firm || more.firm;
  std::ranges::move(more.causes, std::back_inserter(to.causes));
}

// What the answers of a window, and how its labels moved, say together.
engine::Sighting sighting_of(const Found& found, const std::vector<engine::ColumnResult>& moved, std::int64_t start,
                             std::int64_t end, double level) {
  auto out = found ? engine::sighting_of(*found, start, end, level)
                   : engine::Sighting{engine::Sighting::Track::kScores, start, end};
  engine::WindowResult labels;
  labels.columns = moved;
  join(out, engine::sighting_of(labels, start, end, level));
  return out;
}

engine::Verdict worse_of(const Found& found, const std::vector<engine::ColumnResult>& moved) {
  auto out = found ? found->verdict : engine::Verdict::kNoData;
  for (const auto& result : moved) out = std::max(out, result.verdict);
  return out;
}

}  // namespace

LiveScores::LiveScores(std::uint32_t model, std::shared_ptr<const engine::Profile> reference, State& state)
    : model_(model), reference_(std::move(reference)), state_(state), delays_(kDelays) {}

std::string LiveScores::key(char kind, std::int64_t number) const {
  return key_of(kind, model_, number);
}

Status LiveScores::forget(std::uint32_t model, State& state) {
  for (char kind : {kRows, kBatch, kWindow, kDue, kAnswers}) VIGIE_TRY(state.drop(all_of(kind, model)));
  return {};
}

std::vector<std::string> LiveScores::wanted(const engine::Profile& reference) {
  const auto& o = reference.scores->options;
  std::vector<std::string> out;
  const auto want = [&](const std::string& name) {
    if (!name.empty() && std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  };
  if (reference.window.calendar()) want(reference.timestamp);
  want(o.prediction), want(o.group), want(o.sensitive), want(o.token_logprob);
  for (const auto& name : o.scores) want(name);
  for (const auto& by : o.segments)
    for (const auto& name : by) want(name);
  if (has_versions(reference)) want(std::string(kModelVersion));  // the last: score() looks for it there
  return out;
}

Result<std::unique_ptr<LiveScores>> LiveScores::make(std::uint32_t model,
                                                     std::shared_ptr<const engine::Profile> reference,
                                                     std::optional<engine::Profile> labels,
                                                     const engine::WindowSpec& windows, State& state,
                                                     const engine::SlidingWindows* sliding) {
  std::unique_ptr<LiveScores> live(new LiveScores(model, std::move(reference), state));
  live->sliding_ = sliding;
  live->labels_ = std::move(labels);
  auto& o = live->options_ = live->reference_->scores->options;
  o.threads = 1, o.keep_state = false, o.pictures = false, o.progress = {};
  o.window = windows, o.timestamp = windows.calendar() ? live->reference_->timestamp : "";
  live->wanted_ = wanted(*live->reference_);
  live->label_is_text_ = true;
  live->known_label_ = engine::known_labels(*live->reference_->scores);
  for (const auto& c : live->reference_->columns)
    if (c.name == o.label) live->label_is_text_ = c.source == table::Type::kString;

  VIGIE_TRY(state.scan(all_of(kDue, model), [&](std::string_view key, std::string_view bytes) {
    ByteReader in(bytes);
    live->due_[number_of(key)] = in.fixed<std::int64_t>();
    return true;
  }));
  VIGIE_ASSIGN(const auto delays, state.kept(live->key(kLate, 0)));
  if (delays && delays->size() == kDelays * sizeof(std::uint64_t))
    std::memcpy(live->delays_.data(), delays->data(), delays->size());
  return live;
}

Status LiveScores::add(table::Batch& rows, std::size_t id, const std::vector<std::size_t>& columns,
                       const engine::LiveWindows& windows, journal::Sequence place, std::int64_t arrived) {
  VIGIE_ASSIGN(const auto ids, rows.column(id));
  std::vector<table::Column> values;
  for (auto column : columns) {
    VIGIE_ASSIGN(auto value, rows.column(column));
    values.push_back(value);
  }
  Lines lines;
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows.rows()); ++row) {
    const auto window = windows.window_of(row);
    if (!window || ids.codes[row] < 0) continue;
    auto& out = lines[*window];
    out += "{\"\":";
    append_json(out, ids.dictionary[static_cast<std::size_t>(ids.codes[row])]);
    for (std::size_t i = 0; i < values.size(); ++i) {
      out += ',';
      append_json(out, wanted_[i]);
      out += ':';
      append_value(out, values[i], row);
    }
    out += "}\n";
  }
  if (told && !lines.empty()) told(lines);
  return keep(lines, windows, place, arrived);
}

Status LiveScores::keep(const Lines& lines, const engine::LiveWindows& windows, journal::Sequence place,
                        std::int64_t arrived) {
  ByteWriter touched;
  touched.fixed(arrived);
  for (const auto& [window, text] : lines) {
    auto name = key(kRows, window);
    append_number(name, place);
    VIGIE_TRY(state_.keep(name, text));
    touched.fixed(window);
    if (window < windows.closed_below()) VIGIE_TRY(want_all(window, arrived + quiet()));
  }
  return state_.keep(key(kBatch, static_cast<std::int64_t>(place)), touched.bytes());
}

Status LiveScores::add(const Lines& lines, const engine::LiveWindows& windows, journal::Sequence place,
                       std::int64_t arrived) {
  Lines fresh;
  for (const auto& [window, text] : lines) {
    for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
      end = std::min(text.find('\n', at), text.size());
      const auto line = std::string_view(text).substr(at, end - at);
      auto json = nlohmann::json::parse(line, nullptr, false);
      if (!line.starts_with(kBeforeId) || !json.is_object() || !json[""].is_string()) continue;
      auto time = arrived;
      if (const auto said = json.find(reference_->timestamp); said != json.end() && said->is_string())
        if (const auto read = table::parse_time(said->get_ref<const std::string&>())) time = std::llround(*read);
      VIGIE_ASSIGN(const bool first,
                   state_.add_prediction(model_, json[""].get_ref<const std::string&>(), place, time));
      if (first) fresh[window].append(line) += '\n';
    }
  }
  return fresh.empty() ? Status() : keep(fresh, windows, place, arrived);
}

Status LiveScores::want(std::int64_t window, std::int64_t when) {
  const auto [it, fresh] = due_.try_emplace(window, when);
  if (!fresh && it->second <= when) return {};
  it->second = when;
  return state_.keep(key(kDue, window), {reinterpret_cast<const char*>(&when), sizeof when});
}

// Windows that overlap all have what came of a pane, as far as they are over.
Status LiveScores::want_all(std::int64_t pane, std::int64_t when) {
  if (!sliding_) return want(pane, when);
  for (auto window = pane; window < pane + panes(); ++window) {
    VIGIE_ASSIGN(const auto over, state_.kept(key(kWindow, window)));
    if (over) VIGIE_TRY(want(window, when));
  }
  return {};
}

Status LiveScores::labelled(journal::Sequence record, std::uint64_t labels, std::int64_t arrived) {
  VIGIE_ASSIGN(const auto kept, state_.kept(key(kBatch, static_cast<std::int64_t>(record))));
  if (!kept) return {};
  const auto batch = batch_of(*kept);
  delays_[step_of(arrived - batch.arrived)] += labels;
  delays_changed_ = true;
  for (auto window : batch.windows) VIGIE_TRY(want_all(window, arrived + quiet()));
  return {};
}

Status LiveScores::counted(std::int64_t window, std::string_view answers) {
  return state_.keep(key(kAnswers, window), answers);
}

Status LiveScores::closed(const engine::LiveWindows::Closed& window, std::string_view key_in_store, std::int64_t now) {
  VIGIE_ASSIGN(const auto before, over(window.key));
  Over is{window.result.partial, now, window.start, window.end, std::string(key_in_store)};
  if (before) is.looks = before->looks, is.labels = before->labels;
  VIGIE_TRY(keep(window.key, is));
  VIGIE_TRY(want(window.key, 0));
  return forget_before(now - kKeptFor);
}

Result<std::optional<LiveScores::Over>> LiveScores::over(std::int64_t window) const {
  VIGIE_ASSIGN(const auto kept, state_.kept(key(kWindow, window)));
  if (!kept) return std::optional<Over>();
  ByteReader in(*kept);
  Over out;
  out.partial = in.fixed<std::uint8_t>() != 0;
  for (auto* time : {&out.closed, &out.start, &out.end}) *time = in.fixed<std::int64_t>();
  out.key = in.string();
  // An older vigie does not say how often it looked.
  if (in.remaining() > 0) out.looks = in.fixed<std::uint8_t>(), out.labels = in.fixed<std::int64_t>();
  return std::optional(std::move(out));
}

Status LiveScores::keep(std::int64_t window, const Over& is) {
  ByteWriter out;
  out.fixed(std::uint8_t{is.partial});
  for (auto time : {is.closed, is.start, is.end}) out.fixed(time);
  out.string(is.key);
  out.fixed(is.looks), out.fixed(is.labels);
  return state_.keep(key(kWindow, window), out.bytes());
}

Status LiveScores::forget_before(std::int64_t time) {
  std::vector<std::int64_t> old;
  VIGIE_TRY(state_.scan(all_of(kWindow, model_), [&](std::string_view key, std::string_view bytes) {
    ByteReader in(bytes);
    in.fixed<std::uint8_t>();
    if (in.fixed<std::int64_t>() > time) return false;
    old.push_back(number_of(key));
    return true;
  }));
  for (auto window : old) {
    // Of panes those that no later window has, and of which there was none.
    const auto last = window - panes() + 1;
    std::vector<std::string> rows, records;
    VIGIE_TRY(state_.scan(sliding_ ? all_of(kRows, model_) : key(kRows, window), [&](auto name, std::string_view) {
      if (number_of(name) > last) return false;
      rows.emplace_back(name), records.push_back(key(kBatch, place_of(name)));
      return true;
    }));
    for (const auto& record : records) {
      VIGIE_ASSIGN(const auto kept, state_.kept(record));
      const auto windows = kept ? batch_of(*kept).windows : std::vector<std::int64_t>();
      // One that has rows of a later window goes with that.
      if (std::all_of(windows.begin(), windows.end(), [&](auto of) { return of <= last; }))
        VIGIE_TRY(state_.drop(record));
    }
    for (const auto& row : rows) VIGIE_TRY(state_.drop(row));
    for (char kind : {kWindow, kDue, kAnswers}) VIGIE_TRY(state_.drop(key(kind, window)));
    due_.erase(window);
  }
  return {};
}

std::int64_t LiveScores::quiet() const {
  return std::max(kQuiet, kCostFactor * cost_ * panes());
}

std::int64_t LiveScores::usual_delay() const {
  const auto all = std::accumulate(delays_.begin(), delays_.end(), std::uint64_t{0});
  if (all < kMostLateLabels) return 0;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kDelays; ++i) {
    seen += delays_[i];
    if (static_cast<double>(seen) >= kNearlyAll * static_cast<double>(all))
      return std::llround(std::exp2(static_cast<double>(i + 1) / kStepsPerOctave));
  }
  return 0;
}

Result<std::vector<LiveScores::Scored>> LiveScores::due(std::int64_t now, bool any_labels, const LevelOf& level) {
  std::vector<Scored> out;
  const auto began = steady_clock::now();
  for (auto it = due_.begin(); it != due_.end();) {
    const auto window = it->first;
    if (it->second > now) {
      ++it;
      continue;
    }
    VIGIE_ASSIGN(const auto over, this->over(window));
    if (!over) {
      ++it;
      continue;
    }
    std::int64_t ripe = 0;
    VIGIE_ASSIGN(const auto answers, state_.kept(key(kAnswers, window)));
    if (any_labels || answers) {
      const auto start = steady_clock::now();
      VIGIE_ASSIGN(auto scored, score(window, *over, now, level, ripe));
      if (!scored.body.empty()) out.push_back(std::move(scored));
      cost_ = std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - start).count();
    }
    it = due_.erase(it);
    VIGIE_TRY(state_.drop(key(kDue, window)));
    if (answers) VIGIE_TRY(state_.drop(key(kAnswers, window)));
    if (ripe > now) VIGIE_TRY(want(window, ripe));
    if (steady_clock::now() - began > kSlice) break;
  }
  return out;
}

Result<LiveScores::Scored> LiveScores::score(std::int64_t window, Over about, std::int64_t now, const LevelOf& level,
                                             std::int64_t& ripe) {
  Scored out;
  const bool partial = about.partial;
  const auto end = about.end;
  out.start = about.start, out.key = about.key;
  VIGIE_ASSIGN(const auto answers, state_.kept(key(kAnswers, window)));
  if (answers) {
    VIGIE_TRY(score_counted(*answers, partial, end, level, out));
    return out;
  }

  std::string kept;
  std::int64_t last = 0;
  std::vector<std::int64_t> places;
  for (auto pane = window - panes() + 1; pane <= window; ++pane)
    VIGIE_TRY(state_.scan(key(kRows, pane), [&](std::string_view key, std::string_view bytes) {
      kept += bytes;
      places.push_back(place_of(key));
      return true;
    }));
  for (auto place : places) {
    VIGIE_ASSIGN(const auto batch, state_.kept(key(kBatch, static_cast<std::int64_t>(place))));
    if (batch) last = std::max(last, ByteReader(*batch).fixed<std::int64_t>());
  }
  // The rows as they were, each with its label.
  struct Rows {
    std::string text;
    std::int64_t count = 0, labels = 0;
    double coverage() const { return static_cast<double>(labels) / static_cast<double>(count); }
  };
  Rows all;
  std::map<std::string, Rows, std::less<>> versions;
  std::int64_t strange = 0;
  const bool versions_told = has_versions(*reference_) && !(privacy_ && privacy_->said_to_hide(kModelVersion));
  const auto apart = versions_told ? versions_of(kept) : std::vector<std::string_view>();
  for (std::size_t at = 0, end_of = 0; at < kept.size(); at = end_of + 1) {
    end_of = kept.find('\n', at);
    const auto line = std::string_view(kept).substr(at, end_of - at);
    const auto [id, rest] = id_of(line);
    VIGIE_ASSIGN(auto label, state_.label_of(model_, id));
    if (label && !known_label_(*label)) label.reset(), ++strange;
    std::string row = "{";
    append_json(row, options_.label);
    row += ':';
    if (!label)
      row += "null";
    else if (!label_is_text_ && is_json_scalar(*label))
      row += trim(*label);
    else
      append_json(row, *label);
    // All are of the calendar's window that has most of one that overlaps others.
    row.append(sliding_ ? at_time(rest, options_.timestamp, out.start + (end - out.start) / 2) : rest) += '\n';
    const auto add = [&](Rows& some) { some.text += row, ++some.count, some.labels += label.has_value(); };
    add(all);
    if (const auto version = apart.empty() ? "" : version_of(line); !version.empty()) {
      const bool own = std::find(apart.begin(), apart.end(), version) != apart.end();
      add(versions[own ? text_in(fmt::format("\"{}\"", version)) : "(other)"]);
    }
  }
  if (all.labels + strange == 0) return out;

  const auto options = options_of(partial);
  const auto score_of = [&](const Rows& some) -> Result<engine::ScoreWindow> {
    if (some.labels == 0) return fail(Code::kInput, "no labels");
    JsonInput input(some.text, "the window");
    const auto& keys = input.keys();
    if (!options.prediction.empty() &&
        std::none_of(keys.begin(), keys.end(), [&](const auto& k) { return k.field.name == options.prediction; }))
      return fail(Code::kInput, "no row has a prediction");
    return card_of(input, options);
  };
  auto found = score_of(all);
  JsonInput rows(all.text, "the window");
  auto moved = this->moved(rows, all.count, all.labels, partial);
  const auto late = usual_delay();
  const bool preliminary = last + late > now;
  if (preliminary) ripe = last + late;
  out.body = fmt::format("{{\"coverage\": {}, \"preliminary\": {}", all.coverage(), preliminary);
  if (strange > 0) out.body += fmt::format(", \"unknown_labels\": {}", strange);
  if (!found && all.labels > 0) {
    out.body += ", \"score_note\": ";
    append_json(out.body, found.error().message);
  }
  if (!moved.empty()) out.body.append(", \"label_drift\": ").append(view::to_json(moved));
  // It is looked at once, and again each time that it has twice as many labels, or all: each takes three quarters of
  // what is left of its level, and where no more can come the whole.
  const bool complete = all.labels == all.count;
  const bool look = about.looks == 0 || all.labels >= 2 * about.labels || (complete && all.labels > about.labels);
  const double left = std::ldexp(complete ? 1 : .75, -2 * about.looks);
  // A version apart may be worse than all together are, and labels may move where none is; one chance for each.
  const double share = left * level(out.start, end) / static_cast<double>(1 + versions.size() + !moved.empty());
  auto sighting = sighting_of(found, moved, out.start, end, share);
  out.verdict = worse_of(found, moved);
  if (found && !versions.empty()) {
    out.body += ", \"scores_by_version\": {";
    for (const auto& [version, some] : versions) {
      append_json(out.body.append(&version == &versions.begin()->first ? "" : ", "), version);
      out.body += fmt::format(": {{\"coverage\": {}, ", some.coverage());
      const auto own = score_of(some);
      out.body += own ? view::to_json(*own).substr(1) : "\"metrics\": []}";
      if (!own) continue;
      auto its = engine::sighting_of(*own, out.start, end, share);
      for (auto& cause : its.causes)
        cause.segment = fmt::format("{}version={}", cause.segment.empty() ? "" : cause.segment + ", ", version);
      join(sighting, std::move(its));
    }
    out.body += '}';
  }
  out.body += found ? ", " + view::to_json(*found).substr(1) : ", \"metrics\": []}";
  if (preliminary || (!found && moved.empty())) return out;
  sighting.restated = look && about.looks > 0;
  if (look && (sighting.judged || !sighting.causes.empty())) {
    about.looks = complete ? kNoMore : static_cast<std::uint8_t>(about.looks + 1), about.labels = all.labels;
    VIGIE_TRY(keep(window, about));
  }
  out.sighting = std::move(sighting), out.labels = std::move(moved);
  if (found) out.window = std::move(*found);
  return out;
}

engine::ScoreOptions LiveScores::options_of(bool partial) const {
  auto out = options_;
  out.cut_off = partial;
  std::erase_if(out.segments, [&](const auto& by) {
    return privacy_ && std::ranges::any_of(by, [&](const auto& name) { return privacy_->said_to_hide(name); });
  });
  return out;
}

Result<engine::ScoreWindow> LiveScores::card_of(table::Input& rows, const engine::ScoreOptions& options) const {
  auto card = engine::score(rows, {.profile = reference_.get(), .name = "the reference"}, options);
  if (!card) return hidden(std::move(card.error()));
  hide(card->windows.front());
  return std::move(card->windows.front());  // of rows of one window there is one
}

// Answers that were counted where they are: they are what they are, and no label of theirs comes here.
Status LiveScores::score_counted(std::string_view answers, bool partial, std::int64_t end, const LevelOf& level,
                                 Scored& out) {
  VIGIE_ASSIGN(auto counted, CountedAnswers::load(answers));
  auto& rows = counted.rows;
  const auto& columns = rows.columns();
  const auto label =
      static_cast<std::size_t>(std::ranges::find(columns, options_.label, &table::Field::name) - columns.begin());
  const auto labels = label < columns.size() ? rows.present(label) : 0;
  if (labels == 0) return {};
  auto found = card_of(rows, options_for(counted, options_of(partial)));
  auto moved = this->moved(rows, rows.rows(), labels, partial);
  out.body = fmt::format("{{\"coverage\": {}, \"preliminary\": false",
                         static_cast<double>(labels) / static_cast<double>(rows.rows()));
  out.body += fmt::format(", \"answers\": {{\"exact\": {}, \"different\": {}", counted.exact, rows.different());
  if (!counted.exact) {
    out.body += fmt::format(", \"cells\": {}, \"not_told\": {}", counted.cells, nlohmann::json(not_of_cells()).dump());
    if (std::isfinite(counted.roc_auc_bound))
      out.body +=
          fmt::format(", \"roc_auc_bound\": {}, \"gini_bound\": {}", counted.roc_auc_bound, 2 * counted.roc_auc_bound);
  }
  out.body += '}';
  if (!found) append_json(out.body.append(", \"score_note\": "), found.error().message);
  if (!moved.empty()) out.body.append(", \"label_drift\": ").append(view::to_json(moved));
  const double share = level(out.start, end) / static_cast<double>(1 + !moved.empty());
  auto sighting = sighting_of(found, moved, out.start, end, share);
  out.verdict = worse_of(found, moved);
  out.body += found ? ", " + view::to_json(*found).substr(1) : ", \"metrics\": []}";
  if (!found && moved.empty()) return {};
  out.sighting = std::move(sighting), out.labels = std::move(moved);
  if (found) out.window = std::move(*found);
  return {};
}

// How labels differ from the reference's, in sentences that may be shown; of all rows, since those without a label may
// be others.
std::vector<engine::ColumnResult> LiveScores::moved(table::Input& rows, std::int64_t count, std::int64_t labels,
                                                    bool partial) const {
  if (!labels_ || labels == 0) return {};
  auto found = engine::compare_labels(*labels_, rows, options_.window, partial);
  if (!found) return {};  // then there is no score either, which says why
  const auto hidden = hidden_by();
  for (auto& result : *found) {
    if (privacy_ && result.verdict != engine::Verdict::kNoData)
      result.reason = privacy_->sentence(hidden.empty() ? options_.label : hidden, std::move(result.reason));
    if (labels < count)
      result.reason += fmt::format("; {} of {} have a label", with_commas(labels), plural(count, "row"));
  }
  return std::move(*found);
}

// The column by which classes may least be named; empty: by any.
std::string LiveScores::hidden_by() const {
  std::string out;
  auto most = Privacy::kShow;
  const std::string boxes = options_.prediction == kBoxObjects ? "boxes" : "";
  for (const auto& column : {options_.label, std::string("label"), options_.prediction, boxes})
    if (privacy_ && !column.empty() && privacy_->said(column) > most) most = privacy_->said(column), out = column;
  return out;
}

Error LiveScores::hidden(Error error) const {
  if (const auto by = hidden_by(); !by.empty()) error.message = privacy_->sentence(by, std::move(error.message));
  return error;
}

void LiveScores::hide(engine::ScoreWindow& window) const {
  if (!privacy_) return;
  if (!options_.sensitive.empty() && privacy_->hides(options_.sensitive))
    std::erase_if(window.metrics, [](const auto& r) { return r.metric && r.metric->key() == "group"; });
  const auto by = hidden_by();
  if (by.empty()) return;
  const auto of_class = [](const auto& r) { return r.metric && r.metric->key() == "class"; };
  std::map<std::string, std::string, std::less<>> shown;
  for (const auto& r : window.metrics)
    if (of_class(r)) shown[r.part];
  if (window.confusion)
    for (const auto& name : window.confusion->labels) shown[name];
  std::set<std::string_view> names;
  for (auto& [name, as] : shown) as = privacy_->category(by, name), names.insert(as);
  // Classes of which nothing is left to tell them by are not told of one by one.
  if (names.size() < shown.size() || names.contains(RowPrivacy::kDropped)) {
    std::erase_if(window.metrics, of_class);
    window.confusion.reset();
    return;
  }
  for (auto& r : window.metrics)
    if (of_class(r)) r.part = shown[r.part];
  if (window.confusion)
    for (auto& name : window.confusion->labels) name = shown[name];
}

Status LiveScores::save() {
  if (!std::exchange(delays_changed_, false)) return {};
  return state_.keep(key(kLate, 0),
                     {reinterpret_cast<const char*>(delays_.data()), delays_.size() * sizeof delays_[0]});
}

}  // namespace vigie::server
