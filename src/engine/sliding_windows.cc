// SPDX-License-Identifier: Apache-2.0
#include "engine/sliding_windows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/bytes.h"
#include "base/text.h"

namespace vigie::engine {
namespace {

using Kind = WindowSpec::Kind;

constexpr std::uint8_t kVersion = 1;
constexpr std::int64_t kHour = 60, kDay = 24 * kHour, kWeek = 7 * kDay, kMonth = 30 * kDay;  // minutes
constexpr std::size_t kGroups = 10;

std::int64_t length_of(const WindowSpec& windows) {
  switch (windows.kind) {
    case Kind::kMinutes:
      return windows.minutes;
    case Kind::kHour:
      return kHour;
    case Kind::kDay:
      return kDay;
    case Kind::kWeek:
      return kWeek;
    default:
      return kMonth;
  }
}

}  // namespace

std::string pane_text(std::int64_t minutes) {
  if (minutes == kDay) return "day";
  return minutes == kHour ? "hour" : fmt::format("{}m", minutes);
}

Panes panes_of(const WindowSpec& windows) {
  Panes out;
  out.each.zone = windows.zone;
  out.each.kind = windows.every == kDay ? Kind::kDay : windows.every == kHour ? Kind::kHour : Kind::kMinutes;
  if (out.each.kind == Kind::kMinutes) out.each.minutes = windows.every;
  out.count = length_of(windows) / windows.every;
  return out;
}

Status check_panes(const WindowSpec& windows) {
  auto alone = windows;
  alone.zone.clear(), alone.every = 0;
  const auto every = windows.every, length = length_of(windows);
  const bool pane = every == kDay || every == kHour || (every > 0 && every < kHour && kHour % every == 0);
  if (!windows.calendar() || windows.rows > 0 || !pane || every >= length || length % every != 0)
    return fail(Code::kUsage, fmt::format("{} does not divide {}", pane_text(every), to_string(alone)));
  if (length / every <= kMostPanes) return {};
  return fail(Code::kUsage, fmt::format("{} divides {} into {} parts, of which {} are the most", pane_text(every),
                                        to_string(alone), with_commas(length / every), kMostPanes));
}

SlidingWindows::SlidingWindows(Panes panes, Windower each, Windower whole)
    : panes_(std::move(panes)), each_(std::move(each)), whole_(std::move(whole)) {}

Result<SlidingWindows> SlidingWindows::make(const WindowSpec& windows) {
  auto panes = panes_of(windows);
  VIGIE_ASSIGN(auto each, Windower::make(panes.each));
  VIGIE_ASSIGN(auto whole, Windower::make(windows));
  return SlidingWindows(std::move(panes), std::move(each), std::move(whole));
}

Status SlidingWindows::put(std::int64_t key, const Pane& pane, std::string_view counted) {
  if (keep_.put) {
    VIGIE_TRY(keep_.put(key, counted));
  } else {
    own_[key] = counted;
  }
  known_[key].pane = pane;
  changed_ = true;
  return {};
}

Result<std::string> SlidingWindows::counted(std::int64_t key) const {
  if (keep_.get) return keep_.get(key);
  const auto at = own_.find(key);
  return at == own_.end() ? std::string() : at->second;
}

std::int64_t SlidingWindows::start_of(std::int64_t pane) const {
  return std::llround(each_.start(pane));
}

std::optional<SlidingWindows::Window> SlidingWindows::window(std::int64_t key) const {
  Window out;
  out.start = start_of(key - panes_.count + 1), out.end = start_of(key + 1);
  out.first = std::numeric_limits<double>::infinity(), out.last = -out.first;
  const auto end = known_.upper_bound(key);
  for (auto it = known_.lower_bound(key - panes_.count + 1); it != end; ++it) {
    const auto& pane = it->second.pane;
    out.panes.push_back(it->first);
    out.rows += pane.rows;
    out.first = std::min(out.first, pane.first), out.last = std::max(out.last, pane.last);
  }
  if (out.rows == 0 || start_of(out.panes.front()) - out.start > (out.end - out.start) / 4) return {};
  if (const auto at = known_.find(key); at != known_.end()) {
    out.told = at->second.told;
    if (out.told > 0) out.late_rows = out.rows - at->second.at_first;
  }
  return out;
}

std::int64_t SlidingWindows::rows_to(std::int64_t key) const {
  return std::accumulate(known_.lower_bound(key - panes_.count + 1), known_.upper_bound(key), std::int64_t{0},
                         [](auto sum, const auto& pane) { return sum + pane.second.pane.rows; });
}

void SlidingWindows::tell(std::int64_t key) {
  auto& known = known_[key];
  known.told_rows = rows_to(key);
  if (known.told++ == 0) known.at_first = known.told_rows;
}

std::vector<std::int64_t> SlidingWindows::stale() const {
  std::vector<std::int64_t> out;
  if (!changed_) return out;
  for (const auto& [key, known] : known_)
    if (key - panes_.count + 1 >= forgotten_ && known.told > 0 && known.told_rows != rows_to(key)) out.push_back(key);
  changed_ = !out.empty();
  return out;
}

Status SlidingWindows::forget_below(std::int64_t key) {
  if (key < std::numeric_limits<std::int64_t>::min() + panes_.count) return {};
  forgotten_ = key - panes_.count + 1;
  while (!known_.empty() && known_.begin()->first < forgotten_) {
    const auto gone = known_.begin()->first;
    if (keep_.drop) VIGIE_TRY(keep_.drop(gone));
    own_.erase(gone);
    known_.erase(known_.begin());
  }
  return {};
}

bool SlidingWindows::whole(std::int64_t end) const {
  const auto time = static_cast<double>(end);
  return whole_.start(whole_.key_of(time)) == time;
}

std::int64_t SlidingWindows::calendar_key(const Window& window) const {
  return whole_.key_of(static_cast<double>(window.start) + static_cast<double>(window.end - window.start) / 2);
}

std::string SlidingWindows::save() const {
  ByteWriter out;
  out.fixed(kVersion), out.fixed(forgotten_);
  out.varint(known_.size());
  for (const auto& [key, known] : known_) {
    out.fixed(key), out.fixed(known.pane.rows), out.fixed(known.pane.first), out.fixed(known.pane.last);
    out.fixed(known.at_first), out.fixed(known.told_rows), out.fixed(known.told);
  }
  return out.take();
}

Status SlidingWindows::load(std::string_view saved) {
  ByteReader in(saved);
  std::map<std::int64_t, Known> known;
  const auto version = in.fixed<std::uint8_t>();
  const auto forgotten = in.fixed<std::int64_t>();
  for (auto left = in.count(6 * sizeof(std::int64_t)); left > 0 && in.ok(); --left) {
    const auto key = in.fixed<std::int64_t>();
    auto& one = known[key];
    one.pane.rows = in.fixed<std::int64_t>();
    one.pane.first = in.fixed<double>(), one.pane.last = in.fixed<double>();
    one.at_first = in.fixed<std::int64_t>(), one.told_rows = in.fixed<std::int64_t>();
    one.told = in.fixed<std::int32_t>();
    if (!each_.possible(key)) in.fail();
  }
  if (version != kVersion || !in.ok() || in.remaining() > 0)
    return fail(Code::kCorrupt, "what was kept of panes cannot be read");
  known_ = std::move(known), forgotten_ = forgotten, changed_ = true;
  return {};
}

std::optional<std::size_t> change_of(std::span<const std::vector<std::int64_t>> counts) {
  std::vector<double> cells;
  for (const auto& some : counts) {
    cells.resize(std::max(cells.size(), some.size()));
    for (std::size_t i = 0; i < some.size(); ++i) cells[i] += static_cast<double>(some[i]);
  }
  const auto all = std::accumulate(cells.begin(), cells.end(), 0.);
  if (all == 0) return {};
  using Groups = std::vector<double>;
  std::vector<std::size_t> group(cells.size());
  double before = 0;
  for (std::size_t i = 0; i < cells.size(); before += cells[i++])
    group[i] = std::min(kGroups - 1, static_cast<std::size_t>((before + cells[i] / 2) / all * kGroups));
  const auto add = [&](Groups& to, const std::vector<std::int64_t>& some) {
    for (std::size_t i = 0; i < some.size(); ++i) to[group[i]] += static_cast<double>(some[i]);
  };
  const auto likelihood = [](const Groups& of) {
    const auto sum = std::accumulate(of.begin(), of.end(), 0.);
    return std::accumulate(of.begin(), of.end(), 0.,
                           [&](double total, double n) { return n > 0 ? total + n * std::log(n / sum) : total; });
  };
  Groups whole(kGroups), early(kGroups), late(kGroups);
  for (const auto& some : counts) add(whole, some);
  const auto used = std::count_if(whole.begin(), whole.end(), [](double n) { return n > 0; });
  // One more for where it is.
  const double one = likelihood(whole), least = static_cast<double>(used) * std::log(all) / 2;
  std::optional<std::size_t> found;
  double most = least;
  for (std::size_t at = 1; at < counts.size(); ++at) {
    add(early, counts[at - 1]);
    for (std::size_t g = 0; g < kGroups; ++g) late[g] = whole[g] - early[g];
    const double gain = likelihood(early) + likelihood(late) - one;
    if (gain > most) most = gain, found = at;
  }
  return found;
}

}  // namespace vigie::engine
