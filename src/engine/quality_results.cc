// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "engine/quality_results_internal.h"

namespace vigie::engine {
namespace {

constexpr double kSomeRejected = .01, kManyRejected = .1;  // shares of records

}  // namespace

quality::Extent extent_of(const WindowSpec& window, bool partial, bool some_whole) {
  if (!partial) return quality::Extent::kWhole;
  return window.calendar() && some_whole ? quality::Extent::kCutOff : quality::Extent::kFewerRows;
}

QualityResult as_result(quality::Finding f) {
  return {.check = std::move(f.check),
          .column = std::move(f.column),
          .value = f.value,
          .expected = std::move(f.expected),
          .verdict = std::string(to_string(f.verdict)),
          .reason = std::move(f.reason),
          .distance = f.distance};
}

std::optional<QualityResult> unreadable(std::int64_t rejected, std::int64_t rows) {
  const double share = static_cast<double>(rejected) / static_cast<double>(std::max<std::int64_t>(rejected + rows, 1));
  if (share < kSomeRejected) return std::nullopt;
  return QualityResult{
      .check = "unreadable",
      .column = {},
      .value = share,
      .expected = fmt::format("below {} %", human(100 * kSomeRejected)),
      .verdict = share >= kManyRejected ? "fail" : "warn",
      .reason = fmt::format("{} of {} records could not be read", with_commas(rejected), with_commas(rejected + rows))};
}

namespace {

// Labels come late; but those of older rows come first. Where a window has fewer than a later one has, or none has any,
// they are not late but lost.
void warn_of_lost_labels(std::span<WindowResult> windows, const std::string& label) {
  constexpr std::int64_t kFewest = 30;  // rows from which a share says something
  constexpr double kMore = .1, kErrors = 3;
  double least = 1;
  for (std::size_t w = windows.size(); w-- > 0;) {
    for (auto& q : windows[w].quality) {
      if (q.check != "missing" || q.column != label || !std::isfinite(q.value) || windows[w].rows < kFewest) continue;
      const double error = std::sqrt(q.value * (1 - q.value) / static_cast<double>(windows[w].rows));
      if (q.value > least + kMore + kErrors * error) {
        q.verdict = "warn";
        q.reason = fmt::format("{} have no label, more than of later rows ({}): lost, not late", percent(q.value),
                               percent(least));
      }
      least = std::min(least, q.value);
    }
  }
  if (least < 1) return;
  for (auto& w : windows)
    for (auto& q : w.quality)
      if (q.check == "missing" && q.column == label && q.value == 1)
        q.verdict = "warn", q.reason = "no row has a label";
}

}  // namespace

std::string judge_labels(std::span<WindowResult> windows, const std::string& label) {
  warn_of_lost_labels(windows, label);
  double rows = 0, without = 0, most = 0, least = 1;
  const WindowResult* at = nullptr;
  for (const auto& w : windows)
    for (const auto& q : w.quality) {
      if (q.check != "missing" || q.column != label || !std::isfinite(q.value)) continue;
      rows += static_cast<double>(w.rows), without += q.value * static_cast<double>(w.rows);
      least = std::min(least, q.value);
      if (q.value > most) most = q.value, at = &w;
    }
  if (!at) return {};
  auto note = fmt::format("label {}: {} of the rows have none yet", vigie::quoted(label), percent(without / rows));
  if (percent(least) == percent(most)) return note;
  return note + fmt::format("; most in window {}{}, {}", at->index,
                            at->start ? fmt::format(" ({})", at->start->substr(0, 10)) : "", percent(most));
}

}  // namespace vigie::engine
