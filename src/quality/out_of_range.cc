// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "quality/judge_internal.h"

namespace vigie::quality {
namespace {

constexpr Param kParams[] = {
    {.name = "watch", .fallback = .001, .min = 0, .max = 1, .doc = "share outside that is warned of"},
    {.name = "major", .fallback = .1, .min = 0, .max = 1, .doc = "share outside that fails"}};

// Whole numbers as counts are written, but for years.
std::string end(double value) {
  const bool large = value == std::floor(value) && std::abs(value) >= 1e4 && std::abs(value) < 1e15;
  return large ? with_commas(static_cast<long long>(value)) : human(value, 6);
}

Finding judge(const ColumnState& column, const ColumnState& before, Args args) {
  Finding finding;
  const Fences& fences = column.fences();
  finding.expected = fmt::format("{} to {}", end(before.low()), end(before.high()));
  if (too_few(finding, column.finite(), before.finite())) return finding;
  if (std::isnan(fences.low)) {
    finding.reason = "was counted without the reference's range";
    return finding;
  }
  if (before.counts_up() && column.below() == 0 && 2 * column.above() > column.finite()) {
    finding.reason = "counts on after the reference, as ids do: name it with --id, or --ignore it";
    return finding;
  }
  const std::int64_t m = column.finite(), n = before.finite(), k = column.below() + column.above();
  // Of n + m exchangeable rows the k largest are all current ones with this chance, and nothing else need be known of
  // their law; with ties it is smaller still. Twice: below and above.
  finding.p_value = std::min(1.0, 2 * more_p({std::max(column.below(), column.above()), m, 0, n}));
  finding.value = static_cast<double>(k) / static_cast<double>(m);
  finding.verdict = k > 0 && finding.value >= args[1]   ? Verdict::kFail
                    : k > 0 && finding.value >= args[0] ? Verdict::kWarn
                                                        : Verdict::kPass;
  finding.reason =
      k ? fmt::format("{} outside ({} below, {} above), up to {} and {}", plural(k, "row"), with_commas(column.below()),
                      with_commas(column.above()), end(column.low()), end(column.high()))
        : "all inside";
  return finding;
}

void run(const Subject& subject, Args args, std::vector<Finding>& out) {
  for (const ColumnState& column : subject.current.columns()) {
    const ColumnState* before = subject.before(column);
    if (column.spec().kind != Kind::kNumber || column.spec().role == Role::kId || !before) continue;
    out.push_back(judge(column, *before, args));
    out.back().column = column.spec().name;
  }
}

}  // namespace

constinit const Check out_of_range{.name = "out_of_range",
                                   .summary =
                                       "Share of numbers beyond the reference's smallest and largest, more than "
                                       "its own extremes predict",
                                   .source = "exceedance test, exact",
                                   .takes = kNumbers | kNeedsReference,
                                   .params = kParams,
                                   .run = run};

}  // namespace vigie::quality
