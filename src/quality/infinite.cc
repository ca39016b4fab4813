// SPDX-License-Identifier: Apache-2.0
#include "quality/judge_internal.h"

namespace vigie::quality {
namespace {

constexpr Param kParams[] = {
    {.name = "watch", .fallback = 0, .min = 0, .max = 1, .doc = "rise of the share that is warned of"},
    {.name = "major", .fallback = .1, .min = 0, .max = 1, .doc = "rise of the share that fails"}};

void run(const Subject& subject, Args args, std::vector<Finding>& out) {
  for (const ColumnState& column : subject.current.columns()) {
    if (column.spec().kind != Kind::kNumber) continue;
    const ColumnState* before = subject.before(column);
    Finding finding = before ? judge_more({column.infinite(), column.present(), before->infinite(), before->present()},
                                          "infinite", args[0], args[1])
                             : judge_none(column.infinite(), column.present(), "infinite");
    finding.column = column.spec().name;
    out.push_back(std::move(finding));
  }
}

}  // namespace

constinit const Check infinite{.name = "infinite",
                               .summary = "Share of infinite numbers",
                               .source = "exact hypergeometric test",
                               .takes = kNumbers | kOfRowsAlone,
                               .params = kParams,
                               .run = run};

}  // namespace vigie::quality
