// SPDX-License-Identifier: Apache-2.0
#include "server/live_reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "base/bytes.h"
#include "base/iso_time.h"
#include "base/text.h"
#include "engine/past_reference.h"
#include "server/kept_keys_internal.h"

namespace vigie::server {
namespace {

using Kind = ReferenceChoice::Kind;
using Closed = engine::LiveWindows::Closed;

constexpr char kWindow = 'p';
constexpr std::uint8_t kVersion = 1;
constexpr std::int64_t kDay = 86'400'000'000, kWeek = 7 * kDay, kClockChange = kDay / 8;  // µs
constexpr std::size_t kFewest = drift::kFewestWindows;

// Broken data, and those of another kind, are no measure of what is to come.
bool healthy(const engine::WindowResult& window) {
  return !window.partial && window.verdict != engine::Verdict::kDrift &&
         std::none_of(window.quality.begin(), window.quality.end(), [](const auto& q) { return q.verdict == "fail"; });
}

std::string time_text(std::int64_t micros) {
  return iso_time(static_cast<double>(micros));
}

}  // namespace

LiveReference::LiveReference(std::uint32_t model, engine::WindowSpec windows, State& state)
    : model_(model), windows_(std::move(windows)), state_(state) {}

Status LiveReference::forget(std::uint32_t model, State& state) {
  return state.drop(all_of(kWindow, model));
}

LiveReference::Said LiveReference::take_said(std::int64_t key) {
  const auto at = said_.extract(key);
  return at ? std::move(at.mapped()) : Said();
}

Result<std::vector<LiveReference::Kept>> LiveReference::before(const Closed& window) {
  std::vector<Kept> out;
  VIGIE_TRY(state_.scan(all_of(kWindow, model_), [&](std::string_view key, std::string_view bytes) {
    ByteReader in(bytes);
    Kept one;
    const auto version = in.fixed<std::uint8_t>();
    one.key = number_of(key);
    for (auto* number : {&one.start, &one.end, &one.rows}) *number = in.fixed<std::int64_t>();
    one.healthy = in.fixed<std::uint8_t>() != 0;
    one.counts = in.string();
    if (one.key >= window.key) return false;
    if (in.ok() && version == kVersion && one.end <= window.start && !planned_(one.start, one.end)) out.push_back(one);
    return true;
  }));
  return out;
}

// Of windows those that were healthy, where they are enough; else it is taken for another model than before.
template <class T>
static std::vector<const T*> healthy_of(std::vector<const T*> windows, std::size_t fewest) {
  std::vector<const T*> good;
  std::copy_if(windows.begin(), windows.end(), std::back_inserter(good), [](const T* one) { return one->healthy; });
  return good.size() >= fewest ? good : windows;
}

LiveReference::Chosen LiveReference::choose_from(const std::vector<Kept>& kept, const Closed& window) const {
  Chosen out;
  std::vector<const Kept*> all;
  for (const auto& one : kept) all.push_back(&one);
  if (choice_.kind == Kind::kMoving) {
    const auto to = window.start - choice_.gap, from = to - choice_.length;
    std::erase_if(all, [&](const Kept* one) { return one->start < from || one->end > to; });
    if (all.size() < kFewest) {
      out.why = fmt::format("{} are kept of {} to {}, and five are needed",
                            plural(static_cast<long long>(all.size()), "window"), time_text(from), time_text(to));
      return out;
    }
    out.parts = out.usual = healthy_of(std::move(all), kFewest);
    out.text = fmt::format("{} from {} to {}", plural(static_cast<long long>(out.parts.size()), "window"),
                           time_text(out.parts.front()->start), time_text(out.parts.back()->end));
    return out;
  }
  if (choice_.kind == Kind::kSameTime)
    out = same_time(kept, window);
  else if (all.empty())
    out.why = "no window before it is kept";
  else
    out.parts = {all.back()}, out.text = "the window before, from " + time_text(all.back()->start);
  if (!out.parts.empty()) out.usual = healthy_of(std::move(all), kFewest);
  return out;
}

LiveReference::Chosen LiveReference::same_time(const std::vector<Kept>& kept, const Closed& window) const {
  Chosen out;
  auto windower = engine::Windower::make(windows_);
  using Windows = engine::WindowSpec::Kind;
  const bool minutes = windows_.kind == Windows::kMinutes;
  const std::string_view unit = minutes ? "time" : windows_.kind == Windows::kHour ? "hour" : "day";
  if (!windower || !(minutes || windows_.kind == Windows::kHour || windows_.kind == Windows::kDay)) {
    out.why = fmt::format("windows by {} have no same time of a week before", to_string(windows_));
    return out;
  }
  const auto of = [&](std::int64_t start) {
    const auto& met = (*windower)[windower->met(windower->key_of(static_cast<double>(start)), 0, 0)];
    return std::tuple(met.minute, met.hour, met.weekday);
  };
  // Of one that overlaps others that of which it has most.
  const auto now = of(window.start + (window.end - window.start) / 2);
  std::vector<const Kept*> same;
  for (const auto& one : kept)
    if (one.start >= window.start - choice_.weeks * kWeek - kClockChange && of(one.start) == now) same.push_back(&one);
  if (same.empty()) {
    out.why = fmt::format("no window of the same {} of the {} before is kept", unit, plural(choice_.weeks, "week"));
    return out;
  }
  out.parts = healthy_of(std::move(same), 1);
  out.text = fmt::format("the same {} of {} before", unit, plural(static_cast<long long>(out.parts.size()), "week"));
  return out;
}

Result<engine::Comparison> LiveReference::judge(const engine::CompareOptions& options, const Closed& window,
                                                const engine::CurrentData& data, engine::Tally& counted,
                                                const engine::Tally* apart, const engine::Profile& posted,
                                                const engine::Comparer& own) {
  if (sets_apart()) return judge_versions(options, window, data, counted, apart, posted, own);
  nlohmann::ordered_json said{{"kind", "posted"}, {"rows", posted.rows}, {"windows", posted.window_count}};
  auto& told = said_[window.key] = {said.dump(), ""};
  if (choice_.kind == Kind::kPosted) return own.judge(data, counted);
  const auto rows = counted.rows;
  const auto counts = engine::save_counts(counted);
  VIGIE_ASSIGN(const auto kept, before(window));
  const auto chosen = choose_from(kept, window);
  std::optional<engine::Comparison> found;
  if (chosen.parts.empty()) {
    said["why"] = chosen.why;
    VIGIE_ASSIGN(found, own.judge(data, counted));
  } else {
    engine::PastReference past(posted, windows_);
    VIGIE_ASSIGN(const auto windower, engine::Windower::make(windows_));
    std::int64_t of = 0;
    for (const auto& one : kept) {
      const auto in = [&](const auto& list) { return std::find(list.begin(), list.end(), &one) != list.end(); };
      const bool part = in(chosen.parts), usual = in(chosen.usual);
      if (part) of += one.rows;
      const auto key = windows_.calendar() ? windower.key_of(static_cast<double>(one.start)) : one.key;
      if (part || usual) VIGIE_TRY(past.add({key, one.rows, part, usual}, one.counts));
    }
    const auto reference = past.make();
    engine::bring_to_axes(counted, posted, reference);
    VIGIE_ASSIGN(const auto comparer, engine::Comparer::make(reference, options));
    VIGIE_ASSIGN(found, comparer->judge(data, counted));
    said = {{"kind", to_string(choice_.kind)},
            {"from", time_text(chosen.parts.front()->start)},
            {"to", time_text(chosen.parts.back()->end)},
            {"windows", chosen.parts.size()},
            {"rows", of},
            {"healthy_windows", reference.window_count}};
    told.text = chosen.text;
  }
  told.json = said.dump();
  if (!window.overlaps) VIGIE_TRY(keep(window, rows, healthy(found->windows.at(0)), counts));
  return std::move(*found);
}

Result<engine::Comparison> LiveReference::judge_versions(const engine::CompareOptions& options, const Closed& window,
                                                         const engine::CurrentData& data, engine::Tally& counted,
                                                         const engine::Tally* apart, const engine::Profile& posted,
                                                         const engine::Comparer& own) {
  auto& told = said_[window.key] = {};
  nlohmann::ordered_json said{{"kind", "posted"}, {"rows", posted.rows}, {"windows", posted.window_count}};
  if (!apart) {
    said["why"] = fmt::format("it has no row of version {}", choice_.version);
    told.json = said.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    return own.judge(data, counted);
  }
  const auto all = counted.rows;
  engine::PastReference past(posted, windows_);
  VIGIE_ASSIGN(const auto windower, engine::Windower::make(windows_));
  const auto key = windows_.calendar() ? windower.key_of(static_cast<double>(window.start)) : window.key;
  past.add({.key = key, .rows = apart->rows, .part = true}, *apart);
  auto reference = past.make();
  // Both had the same time: how much windows differ is nothing to them.
  reference.has_time = false;
  engine::take_out(counted, *apart, posted);
  said = {{"kind", to_string(choice_.kind)},
          {"version", choice_.version},
          {"rows", apart->rows},
          {"compared_rows", counted.rows}};
  told = {said.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
          fmt::format("version {} at the same time", choice_.version)};
  engine::bring_to_axes(counted, posted, reference);
  VIGIE_ASSIGN(const auto comparer, engine::Comparer::make(reference, options));
  VIGIE_ASSIGN(auto found, comparer->judge(data, counted));
  found.windows.at(0).rows = all;
  return found;
}

Status LiveReference::keep(const Closed& window, std::int64_t rows, bool is_healthy, std::string_view counts) {
  ByteWriter out;
  out.fixed(kVersion);
  for (auto number : {window.start, window.end, rows}) out.fixed(number);
  out.fixed(std::uint8_t{is_healthy});
  out.string(counts);
  VIGIE_TRY(state_.keep(key_of(kWindow, model_, window.key), out.bytes()));
  // The oldest go.
  std::vector<std::pair<std::string, std::size_t>> kept;
  VIGIE_TRY(state_.scan(all_of(kWindow, model_), [&](std::string_view key, std::string_view bytes) {
    kept.emplace_back(key, bytes.size());
    return true;
  }));
  const auto most = windows_.kind == engine::WindowSpec::Kind::kMinutes ? kMostMinutes : kMostKept;
  std::size_t bytes = 0, windows = 0;
  for (auto it = kept.rbegin(); it != kept.rend(); ++it)
    if ((bytes += it->second) > kMostBytes || ++windows > most) VIGIE_TRY(state_.drop(it->first));
  return {};
}

}  // namespace vigie::server
