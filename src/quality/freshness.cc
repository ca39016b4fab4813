// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "quality/judge_internal.h"

namespace vigie::quality {
namespace {

constexpr Param kParams[] = {
    {.name = "hours",
     .fallback = 0,
     .min = 0,
     .max = 1e6,
     .doc = "age that is warned of; 0: learnt from the reference"},
    {.name = "factor", .fallback = 3, .min = 1, .max = 1e6, .doc = "times the reference's largest gap, at least"}};
constexpr double kHour = 3600e6, kLevel = .001;

Finding judge(const Subject& subject, const ColumnState& column, Args args) {
  Finding finding;
  finding.value = (subject.now - column.times().max()) / kHour;
  if (std::isnan(finding.value)) {
    finding.reason = column.times().count() ? "the present time is not given" : "no times";
    return finding;
  }
  double most = args[0] * kHour;
  if (most == 0) {
    const ColumnState* before = subject.before(column);
    const auto gaps = before ? before->times().gaps() : Times::Gaps{};
    if (gaps.count < kFewestRows) {
      finding.reason = before ? "too few gaps in the reference" : "no reference, and no hours were given";
      return finding;
    }
    most = std::max(gap_limit(gaps, gaps.count, kLevel, args[1]), before->times().resolution() * args[1]);
  }
  const double age = finding.value * kHour;
  finding.expected = "at most " + duration(most);
  finding.reason = "the latest row is " + duration(age) + " old";
  finding.verdict = age > most ? Verdict::kWarn : Verdict::kPass;
  return finding;
}

void run(const Subject& subject, Args args, std::vector<Finding>& out) {
  for (const ColumnState& column : subject.current.columns()) {
    if (column.spec().role != Role::kTime || column.spec().kind != Kind::kTime) continue;
    out.push_back(judge(subject, column, args));
    out.back().column = column.spec().name;
  }
}

}  // namespace

constinit const Check freshness{.name = "freshness",
                                .summary = "Hours since the latest row, against the gaps of the reference",
                                .source = "Weissman 1978 with the tail of Hill 1975",
                                .takes = kTimes | kOfRowsAlone,
                                .params = kParams,
                                .run = run};

}  // namespace vigie::quality
