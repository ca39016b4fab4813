// SPDX-License-Identifier: Apache-2.0
#include "server/live_attributions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/bytes.h"
#include "base/iso_time.h"
#include "engine/compare.h"
#include "event/record.h"
#include "server/answers.h"
#include "server/kept_keys_internal.h"
#include "view/json.h"

namespace vigie::server {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr char kWindow = 'a', kReference = 'i';  // windows by start; what they are compared with
constexpr std::int64_t kIdle = 1'000'000;        // µs without an explanation after which a window may be over
constexpr std::int64_t kPatience = 60'000'000;   // the same of windows long past, and between judgements
constexpr std::int64_t kAhead = 3'600'000'000;   // µs: what is of a time so far ahead of the clock is left out

engine::WindowSpec calendar(const engine::WindowSpec& windows) {
  if (windows.calendar()) return windows;
  engine::WindowSpec hours;
  hours.kind = engine::WindowSpec::Kind::kHour;
  return hours;
}

std::vector<double> values_of(const event::ExplanationRows& rows, std::span<const std::size_t> which) {
  std::vector<double> values, row_values;
  for (const auto row : which) {
    rows.of_row(row, row_values);
    values.insert(values.end(), row_values.begin(), row_values.end());
  }
  return values;
}

// Rows by the windower's numbers of their windows; those without a time are in none.
std::map<std::int32_t, std::vector<std::size_t>> parts_of(engine::Windower& windower, std::span<const double> times) {
  std::vector<std::int32_t> windows;
  windower.assign(0, std::ssize(times), times, windows);
  std::map<std::int32_t, std::vector<std::size_t>> parts;
  for (std::size_t i = 0; i < windows.size(); ++i)
    if (windows[i] >= 0) parts[windows[i]].push_back(i);
  return parts;
}

Result<engine::AttributionReference> reference_of(std::string_view bytes) {
  ByteReader in(bytes);
  return engine::AttributionReference::load(in);
}

}  // namespace

std::string LiveAttributions::bytes_of(const Window& window) {
  ByteWriter out;
  out.fixed(kVersion);
  for (const auto number : {window.end, window.last_came, window.told, window.when_told}) out.fixed(number);
  out.fixed(static_cast<std::uint8_t>(window.learnt + 2 * window.seen));
  window.sums.save(out);
  return out.take();
}

Result<LiveAttributions::Window> LiveAttributions::window_of(std::string_view bytes) {
  ByteReader in(bytes);
  Window out;
  const auto version = in.fixed<std::uint8_t>();
  for (auto* number : {&out.end, &out.last_came, &out.told, &out.when_told}) *number = in.fixed<std::int64_t>();
  const auto flags = in.fixed<std::uint8_t>();
  out.learnt = flags & 1, out.seen = flags & 2;
  VIGIE_ASSIGN(out.sums, engine::Attributions::load(in));
  if (version != kVersion) return fail(Code::kCorrupt, "what was kept of a model's attributions cannot be read");
  out.changed = false;
  return out;
}

Result<bool> LiveAttributions::any(std::uint32_t model, State& state) {
  bool found = false;
  for (const char kind : {kWindow, kReference})
    VIGIE_TRY(state.scan(all_of(kind, model), [&](auto, auto) { return found = true, false; }));
  return found;
}

Result<std::unique_ptr<LiveAttributions>> LiveAttributions::load(std::uint32_t model, const engine::WindowSpec& windows,
                                                                 State& state) {
  std::unique_ptr<LiveAttributions> out(new LiveAttributions(model, state));
  VIGIE_ASSIGN(out->windower_, engine::Windower::make(calendar(windows)));
  VIGIE_ASSIGN(const auto reference, state.kept(all_of(kReference, model)));
  if (reference) {
    VIGIE_ASSIGN(out->reference_, reference_of(*reference));
  }
  Status read;
  VIGIE_TRY(state.scan(all_of(kWindow, model), [&](std::string_view key, std::string_view bytes) {
    auto window = window_of(bytes);
    if (!window) return read = window.error(), false;
    if (window->sums.rows() > window->told) out->open_.emplace(number_of(key), std::move(*window));
    return true;
  }));
  VIGIE_TRY(read);
  return out;
}

Status LiveAttributions::begin_anew(const engine::WindowSpec& windows) {
  VIGIE_ASSIGN(windower_, engine::Windower::make(calendar(windows)));
  reference_ = {}, reference_changed_ = false;
  open_.clear();
  for (const char kind : {kWindow, kReference}) VIGIE_TRY(state_.drop(all_of(kind, model_)));
  return {};
}

Status LiveAttributions::compare_with(std::string_view reference) {
  VIGIE_ASSIGN(reference_, reference_of(reference));
  reference_changed_ = true;
  return {};
}

Result<LiveAttributions::Window*> LiveAttributions::at(std::int64_t key) {
  const auto start = std::llround(windower_->start(key));
  if (const auto found = open_.find(start); found != open_.end()) return &found->second;
  VIGIE_ASSIGN(const auto kept, state_.kept(key_of(kWindow, model_, start)));
  Window window;
  if (kept) {
    VIGIE_ASSIGN(window, window_of(*kept));
  }
  window.end = std::llround(windower_->start(key + 1));
  return &open_.emplace(start, std::move(window)).first->second;
}

Status LiveAttributions::add(const event::ExplanationRows& rows, std::span<const std::size_t> which,
                             std::span<const double> given, std::int64_t arrived) {
  std::vector<double> times(given.begin(), given.end());
  for (auto& time : times)
    if (time > static_cast<double>(arrived + kAhead)) time = std::nan("");
  for (const auto& [part, places] : parts_of(*windower_, times)) {
    VIGIE_ASSIGN(auto* window, at((*windower_)[static_cast<std::size_t>(part)].key));
    std::vector<std::size_t> of_window;
    for (const auto place : places) {
      of_window.push_back(which[place]);
      latest_ = std::max(latest_, static_cast<std::int64_t>(times[place]));
    }
    window->sums.add(rows.features(), values_of(rows, of_window));
    window->last_came = arrived, window->changed = true;
  }
  return {};
}

bool LiveAttributions::over(std::int64_t start, const Window& window, std::int64_t now) const {
  if (window.end <= latest_ || (open_.size() > kMostOpen && start == open_.begin()->first)) return true;
  // What comes long after its time is read from somewhere, and may pause.
  return window.end <= now && window.last_came + (now - window.end > window.end - start ? kPatience : kIdle) <= now;
}

bool LiveAttributions::judge(std::int64_t now, double false_alarms, const See& see, const Planned& planned) {
  bool any = false;
  for (auto& [start, window] : open_) {
    if (window.sums.rows() <= window.told || !over(start, window, now)) continue;
    if (window.told > 0 && now - window.last_came < kIdle && now - window.when_told < kPatience) continue;
    any = window.changed = true;
    window.told = window.sums.rows(), window.when_told = now;
    if (window.told < engine::AttributionReference::kFewestRows || window.learnt) continue;
    if (planned(start, window.end)) continue;
    if (!reference_.ready()) {
      reference_.add(window.sums);
      window.learnt = reference_changed_ = true;
      continue;
    }
    auto sighting =
        reference_.sighting(window.sums, start, window.end, engine::level_of(false_alarms, window.end - start));
    sighting.restated = std::exchange(window.seen, true);
    see(std::move(sighting));
  }
  return any;
}

Status LiveAttributions::forget_before(std::int64_t time) {
  std::vector<std::string> old;
  VIGIE_TRY(state_.scan(all_of(kWindow, model_), [&](std::string_view key, std::string_view bytes) {
    const auto window = window_of(bytes);
    if (window && window->last_came >= time) return false;
    old.emplace_back(key);
    return true;
  }));
  for (const auto& key : old) VIGIE_TRY(state_.drop(key));
  return {};
}

Status LiveAttributions::save() {
  if (std::exchange(reference_changed_, false)) {
    ByteWriter out;
    reference_.save(out);
    VIGIE_TRY(state_.keep(all_of(kReference, model_), out.bytes()));
  }
  std::int64_t now = 0;
  for (auto it = open_.begin(); it != open_.end();) {
    auto& [start, window] = *it;
    if (std::exchange(window.changed, false)) VIGIE_TRY(state_.keep(key_of(kWindow, model_, start), bytes_of(window)));
    now = std::max(now, window.last_came);
    it = window.sums.rows() <= window.told ? open_.erase(it) : std::next(it);
  }
  return now > 0 ? forget_before(now - kKeptFor) : Status();
}

Result<std::optional<std::string>> attributions_of_rows(std::string_view body, const engine::WindowSpec& windows) {
  event::ExplanationRows rows;
  VIGIE_TRY(rows.read(body));
  std::vector<std::size_t> which;
  std::vector<double> times;
  VIGIE_ASSIGN(const auto time, rows.rows().column(event::kPredictionTime));
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows.rows().rows()); ++row) {
    // Some rows of a reference may be explained, as a sample of them.
    if (!rows.any(row)) continue;
    if (const auto wrong = rows.wrong(row); !wrong.empty())
      return fail(Code::kInput, fmt::format("record {}: {}", rows.rows().record_of(row), wrong));
    which.push_back(row), times.push_back(time.numbers[row]);
  }
  if (which.empty()) return std::optional<std::string>();
  engine::AttributionReference reference;
  VIGIE_ASSIGN(auto windower, engine::Windower::make(calendar(windows)));
  for (const auto& [part, places] : parts_of(windower, times)) {
    std::vector<std::size_t> of_window;
    for (const auto place : places) of_window.push_back(which[place]);
    engine::Attributions sums;
    sums.add(rows.features(), values_of(rows, of_window));
    if (sums.rows() >= engine::AttributionReference::kFewestRows) reference.add(sums);
  }
  if (reference.windows() == 0) {
    engine::Attributions sums;
    sums.add(rows.features(), values_of(rows, which));
    reference.add(sums);
  }
  if (reference.rows() < engine::AttributionReference::kFewestRows)
    return fail(Code::kInput, fmt::format("attributions: of {} rows, and a reference needs those of {}", which.size(),
                                          engine::AttributionReference::kFewestRows));
  reference.given();
  ByteWriter out;
  reference.save(out);
  return std::optional(out.take());
}

Reply attributions(const Request& request, const State& state, std::uint32_t model) {
  const auto asked = Parameters::read(request, {"from", "to", "limit", "after"}, 100);
  if (!asked) return refuse(asked.error(), "query");
  auto from = std::numeric_limits<std::int64_t>::min();
  if (asked->has("after")) {
    const auto after = whole_number("after", (*asked)["after"]);
    if (!after) return refuse(after.error(), "query");
    from = *after + 1;
  }
  engine::AttributionReference reference;
  Status read;
  auto looked = state.look(all_of(kReference, model), all_of(kReference, model), [&](auto, std::string_view bytes) {
    auto kept = reference_of(bytes);
    kept ? void(reference = std::move(*kept)) : void(read = kept.error());
    return false;
  });
  std::string body = "[";
  std::size_t count = 0;
  std::int64_t last = 0;
  if (looked)
    looked = state.look(
        all_of(kWindow, model), key_of(kWindow, model, from), [&](std::string_view key, std::string_view bytes) {
          const auto start = number_of(key);
          if (start >= asked->to || count == asked->most) return false;
          const auto window = LiveAttributions::window_of(bytes);
          if (!window) return read = window.error(), false;
          if (window->end <= asked->from) return true;
          auto found = reference.judge(window->sums, engine::CompareOptions().alpha);
          if (window->learnt)
            found.verdict = engine::Verdict::kNoData, found.reason = "later windows are compared with this one";
          body += fmt::format("{}{{\"start\": \"{}\", \"end\": \"{}\", {}", count++ ? ",\n" : "\n",
                              iso_time(static_cast<double>(start)), iso_time(static_cast<double>(window->end)),
                              view::to_json(found).substr(1));
          last = start;
          return true;
        });
  if (!looked || !read) return refuse(looked ? read.error() : looked.error(), "state");
  Reply reply{200, body + "]\n"};
  if (count == asked->most) asked->link_next(reply, std::to_string(last));
  return reply;
}

}  // namespace vigie::server
