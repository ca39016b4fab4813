// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "quality/judge_internal.h"

namespace vigie::quality {
namespace {

constexpr Param kParams[] = {
    {.name = "watch", .fallback = .01, .min = 0, .max = 1, .doc = "rise of the share that is warned of"},
    {.name = "major", .fallback = .1, .min = 0, .max = 1, .doc = "rise of the share that fails"}};

void run(const Subject& subject, Args args, std::vector<Finding>& out) {
  for (const ColumnState& column : subject.current.columns()) {
    Finding finding;
    const bool label = column.spec().role == Role::kLabel || column.spec().name == subject.label;
    const ColumnState* before = subject.reference ? subject.reference->find(column.spec().name) : nullptr;
    if (label && column.rows() > 0) {
      finding.value = static_cast<double>(column.missing()) / static_cast<double>(column.rows());
      finding.expected = "any share: labels come later";
      finding.verdict = Verdict::kPass;
      finding.reason = percent(finding.value) + " not there yet";
    } else if (before) {
      std::vector<double> windows;
      std::int64_t most = 0;
      const auto at = static_cast<std::size_t>(before - subject.reference->columns().data());
      for (const Window& w : subject.windows)
        if (at < w.missing.size() && w.rows > 0) {
          windows.push_back(static_cast<double>(w.missing[at]) / static_cast<double>(w.rows));
          most = std::max(most, w.missing[at]);
        }
      finding = judge_more({column.missing(), column.rows(), before->missing(), before->rows()}, "missing", args[0],
                           args[1], windows);
      finding.of_any_part =
          beyond_habit(finding, column.missing(), windows.size() < kFewestWindows ? before->missing() : most);
    } else if (column.rows() == 0) {
      finding.reason = "no rows";
    } else {
      finding.value = static_cast<double>(column.missing()) / static_cast<double>(column.rows());
      finding.expected = "some values";
      finding.verdict = column.present() ? Verdict::kPass : Verdict::kWarn;
      finding.reason = column.present() ? percent(finding.value) + " missing" : "every value is missing";
    }
    finding.column = column.spec().name;
    out.push_back(std::move(finding));
  }
}

}  // namespace

constinit const Check missing{.name = "missing",
                              .summary = "Share of rows without a value, against the reference; of labels only told",
                              .source = "exact hypergeometric test; Student's t against healthy windows",
                              .takes = kNumbers | kStrings | kTimes,
                              .params = kParams,
                              .run = run};

}  // namespace vigie::quality
