// SPDX-License-Identifier: Apache-2.0
#include "engine/merged_windows.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "engine/kept_counts.h"

namespace vigie::engine {
namespace {

using Kind = WindowSpec::Kind;
using Windows = std::vector<drift::WindowSummary>;

constexpr std::uint8_t kVersion = 1;

// Whether `next` is in another longer window than those before it, of which there are so many, and `before` the last.
bool another(Kind kind, const drift::WindowSummary& before, const drift::WindowSummary& next, std::size_t so_many) {
  if (kind == Kind::kRows) return so_many == static_cast<std::size_t>(MergedWindows::kRowWindows);
  if (kind == Kind::kHour) return next.weekday != before.weekday || next.hour < before.hour;
  return next.weekday <= before.weekday;
}

std::vector<std::span<const drift::WindowSummary>> groups_of(Kind kind, std::span<const drift::WindowSummary> windows) {
  std::vector<std::span<const drift::WindowSummary>> out;
  for (std::size_t i = 0, first = 0; i < windows.size(); ++i) {
    if (i + 1 < windows.size() && !another(kind, windows[i], windows[i + 1], i + 1 - first)) continue;
    out.push_back(windows.subspan(first, i + 1 - first));
    first = i + 1;
  }
  return out;
}

std::size_t fullest(const std::vector<std::span<const drift::WindowSummary>>& groups) {
  std::size_t most = 0;
  for (const auto& group : groups) most = std::max(most, group.size());
  return most;
}

std::size_t fewest_of(std::size_t fullest) {
  return std::max<std::size_t>(2, (3 * fullest + 3) / 4);
}

Windows put_together(Kind kind, const Windows& windows) {
  const auto groups = groups_of(kind, windows);
  const auto fewest = fewest_of(fullest(groups));
  Windows out;
  for (const auto& group : groups) {
    if (group.size() < fewest) continue;
    out.push_back(drift::merge(group));
    if (kind == Kind::kHour) out.back().weekday = group.front().weekday;
  }
  return out;
}

// What windows that were put together are compared with: the reference with its own put together likewise. Where those
// are fewer than five, they stay as they are, as those of aspects do, of which fewer are kept: longer ones differ less.
struct Reference {
  Profile profile;
  std::size_t fewest = 2;  // windows that make one
};

Reference reference_for(const Profile& reference, const WindowSpec& windows, const WindowSpec& longer) {
  const auto kind = windows.kind;
  Reference out{reference};
  if (kind == Kind::kRows) out.fewest = fewest_of(MergedWindows::kRowWindows);
  if (kind == Kind::kMinutes) out.fewest = fewest_of(static_cast<std::size_t>(60 / windows.minutes));
  auto& profile = out.profile;
  profile.quality = nullptr;
  // Of windows of minutes some may be kept alone, which make up no hour.
  if (reference.window != windows || kind == Kind::kMinutes) return out;
  std::size_t full = 0, most = 0;
  for (const auto& column : reference.columns) {
    const auto& kept = column.parts[0][0].windows;
    full = std::max(full, fullest(groups_of(kind, kept))), most = std::max(most, put_together(kind, kept).size());
  }
  if (full > 0) out.fewest = fewest_of(full);
  if (most < drift::kFewestWindows) return out;
  profile.window = longer, profile.window_count = static_cast<std::int64_t>(most);
  for (std::size_t c = 0; c < profile.counted(); ++c)
    for (auto& parts : profile.counted(c).parts)
      for (auto& part : parts)
        for (auto* kept : {&part.windows, &part.missing_windows})
          if (auto longer_ones = put_together(kind, *kept); longer_ones.size() >= drift::kFewestWindows)
            *kept = std::move(longer_ones);
  return out;
}

Result<WindowResult> compare_merged(const Profile& reference, const WindowSpec& windows,
                                    const MergedWindows::Merged& merged, Tally& counted, CompareOptions options,
                                    const std::string& name) {
  options.window = windows, options.quality = false;
  if (windows.kind == Kind::kRows) options.window.rows = counted.rows;
  VIGIE_ASSIGN(counted.windower, Windower::make(windows));
  counted.windower->met(merged.key, static_cast<double>(merged.start), static_cast<double>(merged.end) - 1);
  VIGIE_ASSIGN(const auto comparer, Comparer::make(reference, options));
  CurrentData data{name, {}, {}};
  data.labels_later = true, data.cut_off = false;
  VIGIE_ASSIGN(auto found, comparer->judge(data, counted));
  auto& window = found.windows.at(0);
  window.index = merged.key, window.partial = false;
  return std::move(window);
}

}  // namespace

std::optional<WindowSpec> MergedWindows::longer(const WindowSpec& windows) {
  auto out = windows;
  if (windows.calendar()) out.rows = 0;
  switch (windows.kind) {
    case Kind::kMinutes:
      out.kind = Kind::kHour, out.minutes = 0;
      return out;
    case Kind::kHour:
      out.kind = Kind::kDay;
      return out;
    case Kind::kDay:
      out.kind = Kind::kWeek;
      return out;
    case Kind::kRows:
      out.rows *= kRowWindows;
      return out;
    default:
      return {};
  }
}

Result<std::optional<MergedWindows::Merged>> MergedWindows::add(const LiveWindows::Closed& window,
                                                                const WindowResult& result, const Tally& counted,
                                                                bool left_out, const Profile& reference,
                                                                const CompareOptions& options,
                                                                const std::string& name) {
  std::optional<Merged> out;
  const auto spec = longer(options.window);
  if (!spec) return out;
  auto key = window.key / kRowWindows, start = window.start, end = window.end;
  if (spec->calendar()) {
    VIGIE_ASSIGN(auto windower, Windower::make(*spec));
    key = windower.key_of(static_cast<double>(window.start));
    start = std::llround(windower.start(key)), end = std::llround(windower.start(key + 1));
  }
  if (windows_ > 0 && key > key_) {
    const auto against = reference_for(reference, options.window, *spec);
    if (windows_ >= static_cast<std::int64_t>(against.fewest)) {
      VIGIE_ASSIGN(auto rows, read_counts(counts_, reference));
      out = Merged{key_, start_, end_, windows_, {}, {}};
      VIGIE_ASSIGN(out->result, compare_merged(against.profile, *spec, *out, rows, options, name));
      out->counted = std::move(rows);
    }
    windows_ = 0;
  }
  const bool late = windows_ > 0 && (key < key_ || window.key <= last_);
  if (late || left_out || result.partial) return out;
  if (windows_ == 0) {
    key_ = key, start_ = start, counts_ = save_counts(counted);
  } else {
    VIGIE_ASSIGN(auto sum, read_counts(counts_, reference));
    put_in(sum, counted, reference);
    counts_ = save_counts(sum);
  }
  if (windows_ == 0 || window.part == 0) ++windows_;
  last_ = window.key, end_ = end;
  return out;
}

std::string MergedWindows::save() const {
  ByteWriter out;
  out.fixed(kVersion);
  for (auto number : {key_, start_, end_, last_, windows_}) out.fixed(number);
  out.string(counts_);
  return out.take();
}

Status MergedWindows::load(std::string_view saved) {
  ByteReader in(saved);
  const auto version = in.fixed<std::uint8_t>();
  for (auto* number : {&key_, &start_, &end_, &last_, &windows_}) *number = in.fixed<std::int64_t>();
  counts_ = in.string();
  if (version == kVersion && in.ok() && in.remaining() == 0) return {};
  *this = {};
  return fail(Code::kCorrupt, "what was kept of windows put together cannot be read");
}

}  // namespace vigie::engine
