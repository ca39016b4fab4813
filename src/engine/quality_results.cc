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

QualityResult as_result(quality::Finding f) {
  return {.check = std::move(f.check),
          .column = std::move(f.column),
          .value = f.value,
          .expected = std::move(f.expected),
          .verdict = std::string(to_string(f.verdict)),
          .reason = std::move(f.reason)};
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

std::string labels_to_come(std::span<const WindowResult> windows, const std::string& label) {
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
  auto note = fmt::format("label {}: {} of the rows have none yet, which is no fault of the data", vigie::quoted(label),
                          percent(without / rows));
  if (percent(least) == percent(most)) return note;
  return note + fmt::format("; most in window {}{}, {}", at->index,
                            at->start ? fmt::format(" ({})", at->start->substr(0, 10)) : "", percent(most));
}

}  // namespace vigie::engine
