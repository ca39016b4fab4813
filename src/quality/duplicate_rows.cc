// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "quality/judge_internal.h"

namespace vigie::quality {
namespace {

constexpr Param kParams[] = {
    {.name = "watch", .fallback = .01, .min = 0, .max = 1, .doc = "rise of the share that is warned of"},
    {.name = "major", .fallback = .1, .min = 0, .max = 1, .doc = "rise of the share that fails"}};

void run(const Subject& subject, Args args, std::vector<Finding>& out) {
  const Repeats& now = subject.current.row_repeats();
  Finding& finding = out.emplace_back();
  finding.value = now.rows() ? now.share() : kNaN;
  const char* how = now.exact() ? "" : ", estimated";
  if (subject.reference) {
    const Repeats& before = subject.reference->row_repeats();
    // Where rows repeat by chance, twice the rows repeat up to twice as large a share: x − 1 + e^−x, the expected
    // repeats of a value with x expected rows, grows at most with x².
    const double more = static_cast<double>(now.rows()) / static_cast<double>(std::max<std::int64_t>(before.rows(), 1));
    const double share = std::min(1.0, before.share() * std::max(1.0, more));
    const auto repeated = static_cast<std::int64_t>(std::ceil(share * static_cast<double>(before.followed())));
    finding = judge_more({now.repeated(), now.followed(), repeated, before.followed()}, "repeat an earlier row",
                         args[0], args[1]);
    if (finding.verdict != Verdict::kNoData && more > 1 && before.repeated() > 0)
      finding.reason += fmt::format(" for {}", plural(now.rows(), "row"));
    finding.reason += how;
    return;
  }
  if (too_few(finding, now.rows(), kFewestRows)) return;
  finding.expected = "at most " + percent(args[0]);
  finding.reason = percent(finding.value) + " repeat an earlier row" + how;
  // Rows of few possible values repeat by chance, and without a reference nobody knows how often.
  double most = 0;
  for (const ColumnState& column : subject.current.columns())
    if (column.spec().role != Role::kId && column.spec().role != Role::kTime) most = std::max(most, column.distinct());
  const bool rich = most >= .5 * static_cast<double>(now.rows());
  if (finding.value >= args[0] && !rich) finding.reason += "; its values are few, so it may be chance";
  finding.verdict = finding.value >= args[0] && rich ? Verdict::kWarn : Verdict::kPass;
}

}  // namespace

constinit const Check duplicate_rows{.name = "duplicate_rows",
                                     .summary =
                                         "Share of rows that repeat an earlier one, apart from id and time; "
                                         "exact up to 262,144 different rows, then estimated",
                                     .source = "adaptive sampling, Flajolet 1990",
                                     .takes = kTable | kNeedsRows,
                                     .params = kParams,
                                     .run = run};

}  // namespace vigie::quality
