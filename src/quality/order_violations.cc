// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "quality/judge_internal.h"

namespace vigie::quality {
namespace {

constexpr Param kParams[] = {
    {.name = "watch", .fallback = .001, .min = 0, .max = 1, .doc = "rise of the share that is warned of"},
    {.name = "major", .fallback = .1, .min = 0, .max = 1, .doc = "rise of the share that fails"},
    {.name = "sorted",
     .fallback = .01,
     .min = 0,
     .max = 1,
     .doc = "without a reference: share up to which rows count as meant to be in order"}};

void run(const Subject& subject, Args args, std::vector<Finding>& out) {
  for (const ColumnState& column : subject.current.columns()) {
    if (column.spec().role != Role::kTime || column.spec().kind != Kind::kTime) continue;
    Finding& finding = out.emplace_back();
    const Times& now = column.times();
    if (const ColumnState* before = subject.before(column)) {
      finding = judge_more({now.order().broken(), now.order().pairs(), before->times().order().broken(),
                            before->times().order().pairs()},
                           "come before the row above", args[0], args[1]);
    } else if (!too_few(finding, now.order().pairs(), kFewestRows)) {
      finding.value = static_cast<double>(now.order().broken()) / static_cast<double>(now.order().pairs());
      finding.expected = "rows in time order";
      finding.verdict = finding.value > 0 && finding.value <= args[2] ? Verdict::kWarn : Verdict::kPass;
      finding.reason = finding.value > args[2] ? "the rows are in no time order"
                                               : percent(finding.value) + " come before the row above";
    }
    finding.column = column.spec().name;
  }
}

}  // namespace

constinit const Check order_violations{.name = "order_violations",
                                       .summary = "Share of rows whose time lies before that of the row above",
                                       .source = "exact hypergeometric test",
                                       .takes = kTimes | kOfRowsAlone,
                                       .params = kParams,
                                       .run = run};

}  // namespace vigie::quality
