// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/text.h"
#include "quality/categories_internal.h"

namespace vigie::quality {
namespace {

constexpr Param kParams[] = {
    {.name = "watch", .fallback = .001, .min = 0, .max = 1, .doc = "share of rows that is warned of"},
    {.name = "major", .fallback = .1, .min = 0, .max = 1, .doc = "share of rows that fails"}};

Finding judge(const ColumnState& column, const ColumnState& before, Args args) {
  Finding finding;
  const auto alone = categories_alone(column, before, true, finding);
  if (!alone) return finding;
  const double share = static_cast<double>(alone->rows) / static_cast<double>(column.present());
  finding.value = static_cast<double>(alone->names.size());
  finding.expected = "those of the reference";
  finding.distance = share;
  finding.p_value = alone_p(alone->pooled, true);
  finding.verdict = alone->rows && share >= args[1]   ? Verdict::kFail
                    : alone->rows && share >= args[0] ? Verdict::kWarn
                                                      : Verdict::kPass;
  finding.reason =
      alone->rows ? fmt::format("{} of the rows in new categories: {}", percent(share), listed(alone->names)) : "none";
  return finding;
}

void run(const Subject& subject, Args args, std::vector<Finding>& out) {
  for (const ColumnState& column : subject.current.columns()) {
    const ColumnState* before = subject.before(column);
    if (column.spec().kind != Kind::kString || column.spec().role == Role::kId || !before) continue;
    out.push_back(judge(column, *before, args));
    out.back().column = column.spec().name;
  }
}

}  // namespace

constinit const Check new_categories{
    .name = "new_categories",
    .summary = "Texts that the reference does not have, more than its rare ones predict",
    .source = "exact conditional chances given the pooled counts",
    .takes = kStrings | kNeedsReference,
    .params = kParams,
    .run = run};

}  // namespace vigie::quality
