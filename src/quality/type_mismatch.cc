// SPDX-License-Identifier: Apache-2.0
#include "quality/judge_internal.h"

namespace vigie::quality {
namespace {

constexpr Param kParams[] = {
    {.name = "watch", .fallback = 0, .min = 0, .max = 1, .doc = "rise of the share that is warned of"},
    {.name = "major", .fallback = .1, .min = 0, .max = 1, .doc = "rise of the share that fails"}};

void run(const Subject& subject, Args args, std::vector<Finding>& out) {
  for (const ColumnState& column : subject.current.columns()) {
    if (column.spec().kind == Kind::kOther || column.spec().kind == Kind::kUnknown) continue;
    const ColumnState* before = subject.before(column);
    Finding finding = before ? judge_more({column.mismatches(), column.rows(), before->mismatches(), before->rows()},
                                          "not of the type", args[0], args[1])
                             : judge_none(column.mismatches(), column.rows(), "not of the type");
    finding.column = column.spec().name;
    out.push_back(std::move(finding));
  }
}

}  // namespace

constinit const Check type_mismatch{.name = "type_mismatch",
                                    .summary = "Share of cells that cannot be read as the column's type",
                                    .source = "exact hypergeometric test",
                                    .takes = kNumbers | kStrings | kTimes | kOfRowsAlone,
                                    .params = kParams,
                                    .run = run};

}  // namespace vigie::quality
