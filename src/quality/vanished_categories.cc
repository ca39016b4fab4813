// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/text.h"
#include "quality/categories_internal.h"

namespace vigie::quality {
namespace {

constexpr Param kParams[] = {
    {.name = "watch", .fallback = .01, .min = 0, .max = 1, .doc = "share of rows that is warned of"},
    {.name = "major", .fallback = .15, .min = 0, .max = 1, .doc = "share of rows that fails"}};

Finding judge(const ColumnState& column, const ColumnState& before, std::span<const std::string> usual, Args args) {
  Finding finding;
  const auto alone = categories_alone(column, before, false, finding, usual);
  if (!alone) return finding;
  const double share = static_cast<double>(alone->rows) / static_cast<double>(before.present());
  finding.value = static_cast<double>(alone->names.size());
  finding.expected = usual.empty() ? "all of the reference's" : "all that healthy windows have";
  finding.distance = share;
  finding.p_value = alone_p(alone->pooled, false);
  finding.verdict = alone->rows && share >= args[1]   ? Verdict::kFail
                    : alone->rows && share >= args[0] ? Verdict::kWarn
                                                      : Verdict::kPass;
  finding.reason = alone->rows ? fmt::format("{} of the reference's rows in vanished categories: {}", percent(share),
                                             listed(alone->names))
                               : "none";
  return finding;
}

void run(const Subject& subject, Args args, std::vector<Finding>& out) {
  for (const ColumnState& column : subject.current.columns()) {
    const ColumnState* before = subject.before(column);
    if (column.spec().kind != Kind::kString || column.spec().role == Role::kId || !before) continue;
    std::span<const std::string> usual;
    for (const auto& habit : subject.habits)
      if (habit.column == column.spec().name) usual = habit.texts;
    out.push_back(judge(column, *before, usual, args));
    out.back().column = column.spec().name;
  }
}

}  // namespace

constinit const Check vanished_categories{
    .name = "vanished_categories",
    .summary = "Texts of the reference that no current row has, though enough rows came",
    .source = "exact conditional chances given the pooled counts",
    .takes = kStrings | kNeedsReference,
    .params = kParams,
    .run = run};

}  // namespace vigie::quality
