// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/text.h"
#include "quality/judge_internal.h"

namespace vigie::quality {
namespace {

constexpr Param kParams[] = {
    {.name = "major", .fallback = .01, .min = 0, .max = 1, .doc = "share of repeated ids that fails"}};

void run(const Subject& subject, Args args, std::vector<Finding>& out) {
  for (const ColumnState& column : subject.current.columns()) {
    if (column.spec().role != Role::kId) continue;
    const Repeats& now = subject.current.id_repeats();
    Finding& finding = out.emplace_back();
    if (now.rows() == 0) {
      finding.reason = "no ids";
    } else if (subject.reference && subject.reference->id_repeats().repeated() > 0) {
      const Repeats& before = subject.reference->id_repeats();
      finding = judge_more({now.repeated(), now.followed(), before.repeated(), before.followed()},
                           "repeat an earlier id", args[0], .1);
    } else {
      finding.value = now.share();
      finding.expected = "none";
      finding.verdict = now.repeated() == 0 ? Verdict::kPass : now.share() >= args[0] ? Verdict::kFail : Verdict::kWarn;
      finding.reason = fmt::format("{} of {} repeat an earlier one{}", with_commas(now.repeated()),
                                   plural(now.followed(), "id"), now.exact() ? "" : " that were followed");
    }
    finding.column = column.spec().name;
    return;
  }
}

}  // namespace

constinit const Check duplicate_ids{.name = "duplicate_ids",
                                    .summary = "Ids that came before; where the reference has some, more than it has",
                                    .source = "exact count; adaptive sampling beyond a million, Flajolet 1990",
                                    .takes = kTable | kOfRowsAlone,
                                    .params = kParams,
                                    .run = run};

}  // namespace vigie::quality
