// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "quality/judge_internal.h"

namespace vigie::quality {
namespace {

constexpr Param kParams[] = {
    {.name = "watch", .fallback = .001, .min = 0, .max = 1, .doc = "share outside that is warned of"},
    {.name = "major", .fallback = .1, .min = 0, .max = 1, .doc = "share outside that fails"}};

constexpr std::int64_t kMostAlone = 1'000'000;

Finding judge(const ColumnState& column, const ColumnState& before, Args args) {
  Finding finding;
  const auto reference = before.numbers(), current = column.numbers();
  if (too_few(finding, column.finite(), before.finite())) return finding;
  if (!current) {
    finding.reason = "was counted without the reference's domain";
    return finding;
  }
  std::map<double, std::pair<std::int64_t, std::int64_t>> counts;
  for (const auto& [value, count] : *reference) counts[value].first = count;
  for (const auto& [value, count] : *current) counts[value].second = count;
  Pooled pooled;
  std::int64_t outside = column.beyond_numbers(), domain = 0;
  std::vector<std::string> names;
  for (const auto& [value, both] : counts) {
    pooled.push_back(both);
    domain += both.first > 0;
    if (both.first > 0 || both.second == 0) continue;
    outside += both.second;
    names.push_back(human(value, 6));
  }
  // What was not counted one by one: as if it were all different, which alarms least.
  pooled.insert(pooled.end(), static_cast<std::size_t>(std::min(column.beyond_numbers(), kMostAlone)), {0, 1});
  finding.value = static_cast<double>(outside) / static_cast<double>(column.finite());
  finding.expected = fmt::format("the {} of the reference", plural(domain, "different number"));
  finding.p_value = alone_p(pooled, true);
  finding.verdict = outside && finding.value >= args[1]   ? Verdict::kFail
                    : outside && finding.value >= args[0] ? Verdict::kWarn
                                                          : Verdict::kPass;
  finding.reason = outside ? fmt::format("{} outside: {}", percent(finding.value), listed(names)) : "all in the domain";
  return finding;
}

void run(const Subject& subject, Args args, std::vector<Finding>& out) {
  for (const ColumnState& column : subject.current.columns()) {
    const ColumnState* before = subject.before(column);
    if (column.spec().kind != Kind::kNumber || !before || !before->numbers()) continue;
    out.push_back(judge(column, *before, args));
    out.back().column = column.spec().name;
  }
}

}  // namespace

constinit const Check out_of_domain{.name = "out_of_domain",
                                    .summary =
                                        "Share of numbers that are none of the reference's few different ones; "
                                        "for texts see new_categories",
                                    .source = "exact conditional chances given the pooled counts",
                                    .takes = kNumbers | kNeedsReference | kNeedsRows,
                                    .params = kParams,
                                    .run = run};

}  // namespace vigie::quality
