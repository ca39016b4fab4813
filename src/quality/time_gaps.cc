// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "quality/judge_internal.h"

namespace vigie::quality {
namespace {

constexpr Param kParams[] = {
    {.name = "factor", .fallback = 3, .min = 1, .max = 1e6, .doc = "times the reference's largest gap, at least"}};
constexpr double kLevel = .001;

Finding judge(const ColumnState& column, const ColumnState* before, Args args) {
  Finding finding;
  const auto gaps = column.times().gaps();
  auto known = before ? before->times().gaps() : gaps;
  // Without a reference the largest gap is held against the others.
  if (!before && !known.largest.empty()) known.largest.erase(known.largest.begin()), --known.count;
  finding.value = gaps.largest.empty() ? kNaN : gaps.largest.front() / 3600e6;
  if (gaps.count == 0 || known.count < kFewestRows || known.largest.empty()) {
    finding.reason = gaps.count == 0 ? "fewer than two different times" : "too few gaps to compare with";
    return finding;
  }
  const double coarse = std::max(column.times().resolution(), before ? before->times().resolution() : 0);
  const double most = std::max(gap_limit(known, gaps.count, kLevel, args[0]), args[0] * coarse);
  finding.expected = "at most " + duration(most);
  finding.reason = "the largest gap is " + duration(gaps.largest.front());
  finding.verdict = gaps.largest.front() > most ? Verdict::kWarn : Verdict::kPass;
  return finding;
}

void run(const Subject& subject, Args args, std::vector<Finding>& out) {
  for (const ColumnState& column : subject.current.columns()) {
    if (column.spec().role != Role::kTime || column.spec().kind != Kind::kTime) continue;
    out.push_back(judge(column, subject.before(column), args));
    out.back().column = column.spec().name;
  }
}

}  // namespace

constinit const Check time_gaps{.name = "time_gaps",
                                .summary = "Largest stretch without a row, in hours, against the reference's gaps",
                                .source = "Weissman 1978 with the tail of Hill 1975",
                                .takes = kTimes | kOfRowsAlone,
                                .params = kParams,
                                .run = run};

}  // namespace vigie::quality
