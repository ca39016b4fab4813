// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/summaries_internal.h"

namespace vigie::engine {
namespace {

// Bytes of all traces of a categorical column, of one without its shares, and the shares worth following.
constexpr std::size_t kTraceBytes = 24'000, kTrace = 26, kFewestShares = 4;
// An aspect's share of what a column may take: 100 windows of 54 bytes.
constexpr std::size_t kAspectWindows = 100, kAspectShares = 7;
constexpr std::size_t kMissingWindows = 250;  // latest ones of which the missing share is followed

// What a profile keeps of a trace is what a fresh reference would compare with, to the last digit.
drift::WindowSummary as_stored(drift::WindowSummary s, std::size_t shares) {
  for (double* v : {&s.location, &s.log_scale, &s.skew, &s.log_kurtosis, &s.chi2}) *v = static_cast<float>(*v);
  if (s.arcsine.size() > shares) s.arcsine.resize(shares);
  for (double& v : s.arcsine) v = static_cast<float>(v);
  return s;
}

}  // namespace

bool know_hours(const WindowSpec& spec, std::int64_t first, std::int64_t last) {
  constexpr std::int64_t kWeeks = 14 * 24 * 60;  // minutes
  return spec.kind != WindowSpec::Kind::kMinutes || (last - first + 1) * spec.minutes >= kWeeks;
}

std::vector<std::int64_t> padded(const Counts& counts, std::size_t cells) {
  auto out = counts.cells;
  out.resize(std::max(cells, out.size()));
  return out;
}

std::array<std::int64_t, 2> missing_or_present(const Counts& counts) {
  return {counts.missing, counts.rows()};
}

namespace {

// The latest; of windows of minutes, which would be of a night alone, such as are spread over all of them.
std::vector<std::size_t> some_of(std::span<const std::size_t> windows, std::size_t most, const WindowSpec& spec) {
  if (windows.size() <= most) return {windows.begin(), windows.end()};
  if (spec.kind != WindowSpec::Kind::kMinutes)
    return {windows.end() - static_cast<std::ptrdiff_t>(most), windows.end()};
  std::vector<std::size_t> out;
  for (std::size_t i = 1; i <= most; ++i) out.push_back(windows[i * windows.size() / most - 1]);
  return out;
}

std::vector<std::size_t> whole_windows(const Windower& windower, const WindowSpec& spec,
                                       std::span<const std::int64_t> rows, std::int64_t fewest = 1) {
  auto order = windower.order();
  auto cut = windower.cut_off();
  std::vector<std::size_t> whole;
  if (spec.kind == WindowSpec::Kind::kNone) return whole;
  for (std::size_t i = 0; i < order.size(); ++i) {
    auto n = rows[order[i]];
    if (!cut[i] && n >= fewest && (spec.kind != WindowSpec::Kind::kRows || n == spec.rows)) whole.push_back(order[i]);
  }
  return some_of(whole, kWindows, spec);
}

}  // namespace

std::vector<std::size_t> healthy_windows(const Windower& windower, const WindowSpec& spec,
                                         std::span<const std::int64_t> rows) {
  return whole_windows(windower, spec, rows, drift::kFewestRows);
}

void keep_windows(Profile& profile, const Tally& counted) {
  const auto& windower = *counted.windower;
  bool windows = profile.window.kind != WindowSpec::Kind::kNone;
  auto healthy = healthy_windows(windower, profile.window, counted.window_rows);
  profile.window_count = static_cast<std::int64_t>(healthy.size());
  if (windows && profile.quality) {
    // A night with few rows says nothing but that there are such nights.
    for (auto w : whole_windows(windower, profile.window, counted.window_rows)) {
      auto& window = profile.quality_windows.emplace_back();
      window.rows = counted.window_rows[w];
      if (window.rows < drift::kFewestRows) continue;
      for (const auto& column : profile.quality->columns()) {
        auto c = std::find_if(profile.columns.begin(), profile.columns.end(),
                              [&](const auto& known) { return known.name == column.spec().name; });
        const auto* counts = c == profile.columns.end()
                                 ? nullptr
                                 : counted.at(static_cast<std::size_t>(c - profile.columns.begin()), 0, w, 0);
        window.missing.push_back(counts ? counts->total_missing() : 0);
      }
    }
  }
  // A column's traces stay within the promise of 50 kB: the more windows, the fewer categories are followed, and of
  // those only the latest windows.
  std::size_t followed = std::min(healthy.size(), kTraceBytes / (kTrace + 4 * kFewestShares));
  std::size_t shares =
      followed == 0 ? 0
                    : std::clamp<std::size_t>((kTraceBytes / followed - kTrace) / 4, kFewestShares, drift::kArcsine);

  const bool hours =
      !healthy.empty() && know_hours(profile.window, windower[healthy.front()].key, windower[healthy.back()].key);

  for (std::size_t c = 0; c < profile.counted(); ++c) {
    auto& column = profile.counted(c);
    const bool aspect = c >= profile.columns.size();
    auto axis = column.axis();
    auto trace = [&](Part& part, std::size_t k, std::size_t s) {
      auto reference = padded(part.counts, column.cells());
      drift::Summarizer summarize(axis, {.counts = reference, .values = {}});
      auto most = column.categorical() ? followed : healthy.size();
      if (aspect) most = std::min(most, kAspectWindows);
      auto stamped = [&](drift::WindowSummary summary, std::size_t w) {
        if (hours) summary.hour = windower[w].hour, summary.weekday = windower[w].weekday;
        return as_stored(std::move(summary), aspect ? std::min(shares, kAspectShares) : shares);
      };
      for (auto w : some_of(healthy, most, profile.window)) {
        const auto* counts = counted.at(c, k, w, s);
        auto cells = padded(counts ? *counts : Counts{}, reference.size());
        auto summary = summarize({.counts = cells, .values = {}}, true);
        if (summary.rows < static_cast<double>(drift::kFewestRows)) continue;
        part.windows.push_back(stamped(std::move(summary), w));
      }
      if (aspect || part.counts.missing == 0 || part.counts.rows() == 0) return;
      auto all = missing_or_present(part.counts);
      drift::Summarizer gaps(kMissingAxis, {.counts = all, .values = {}});
      for (auto w : some_of(healthy, kMissingWindows, profile.window)) {
        const auto* counts = counted.at(c, k, w, s);
        auto cells = missing_or_present(counts ? *counts : Counts{});
        auto summary = gaps({.counts = cells, .values = {}}, true);
        if (summary.rows >= static_cast<double>(drift::kFewestRows))
          part.missing_windows.push_back(stamped(std::move(summary), w));
      }
    };
    trace(column.parts[0][0], 0, 0);
    for (std::size_t k = 1; k < profile.segmentations.size(); ++k) {
      column.parts.emplace_back(profile.segments[k].size());
      for (std::size_t s = 0; s < profile.segments[k].size(); ++s) {
        auto& part = column.parts[k][s];
        for (std::size_t w = 0; w < windower.size(); ++w)
          if (const auto* counts = counted.at(c, k, w, s)) part.counts.merge(*counts);
        trace(part, k, s);
      }
    }
  }
}

}  // namespace vigie::engine
