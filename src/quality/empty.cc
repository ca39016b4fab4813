// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "quality/judge_internal.h"

namespace vigie::quality {
namespace {

constexpr Param kParams[] = {
    {.name = "watch", .fallback = .01, .min = 0, .max = 1, .doc = "rise of the share that is warned of"},
    {.name = "major", .fallback = .1, .min = 0, .max = 1, .doc = "rise of the share that fails"}};

void run(const Subject& subject, Args args, std::vector<Finding>& out) {
  for (const ColumnState& column : subject.current.columns()) {
    if (column.spec().kind != Kind::kString) continue;
    Finding finding;
    if (const ColumnState* before = subject.before(column)) {
      finding =
          judge_more({column.empty(), column.present(), before->empty(), before->present()}, "empty", args[0], args[1]);
      finding.of_any_part = beyond_habit(finding, column.empty(), before->empty());
    } else if (column.present() == 0) {
      finding.reason = "no values";
    } else {
      finding.value = static_cast<double>(column.empty()) / static_cast<double>(column.present());
      finding.expected = "none";
      finding.verdict = column.empty() ? Verdict::kWarn : Verdict::kPass;
      finding.reason = percent(finding.value) + " empty";
    }
    finding.column = column.spec().name;
    out.push_back(std::move(finding));
  }
}

}  // namespace

constinit const Check empty{.name = "empty",
                            .summary = "Share of texts without a sign, or of blanks only",
                            .source = "exact hypergeometric test",
                            .takes = kStrings,
                            .params = kParams,
                            .run = run};

}  // namespace vigie::quality
