// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cmath>

#include "base/text.h"
#include "quality/judge_internal.h"

namespace vigie::quality {
namespace {

constexpr Param kParams[] = {
    {.name = "watch", .fallback = .005, .min = 0, .max = 1, .doc = "rise of the share that is warned of"},
    {.name = "major", .fallback = .1, .min = 0, .max = 1, .doc = "rise of the share that fails"}};

void run(const Subject& subject, Args args, std::vector<Finding>& out) {
  for (const ColumnState& column : subject.current.columns()) {
    const ColumnState* before = subject.before(column);
    if (column.spec().kind != Kind::kNumber || column.spec().role == Role::kId || !before) continue;
    Finding& finding = out.emplace_back();
    const Fences& fences = column.fences();
    if (std::isnan(fences.outlier_low)) {
      finding.reason = "more than half of the reference's values are one value";
      too_few(finding, column.finite(), before->finite());
    } else {
      // The fences stand on the reference's sample, and so does its own share beyond them.
      Shares s{column.outliers(), column.finite(), 0, 0};
      for (const std::uint64_t word : before->sample()) {
        const double value = std::bit_cast<double>(word);
        if (word == ColumnState::kMissingHash || !std::isfinite(value)) continue;
        ++s.n_before;
        s.k_before += value < fences.outlier_low || value > fences.outlier_high;
      }
      finding = judge_more(s, "outliers", args[0], args[1]);
      if (finding.verdict != Verdict::kNoData)
        finding.reason += " (outside " + human(fences.outlier_low) + " to " + human(fences.outlier_high) + ")";
    }
    finding.column = column.spec().name;
  }
}

}  // namespace

constinit const Check outliers{.name = "outliers",
                               .summary = "Share of numbers more than 6 robust sd from the reference's median",
                               .source = "median and MAD, Iglewicz & Hoaglin 1993; exact hypergeometric test",
                               .takes = kNumbers | kNeedsReference,
                               .params = kParams,
                               .run = run};

}  // namespace vigie::quality
