// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "quality/mode_internal.h"

namespace vigie::quality {
namespace {

constexpr Param kParams[] = {
    {.name = "share", .fallback = .95, .min = .5, .max = 1, .doc = "share of rows with one value that is warned of"},
    {.name = "alone", .fallback = .995, .min = .5, .max = 1, .doc = "the same where there is no reference"},
    {.name = "rise", .fallback = .05, .min = 0, .max = 1, .doc = "rise of the share below which nothing is said"}};

Finding judge(const Subject& subject, std::size_t i, Args args) {
  const ColumnState& column = subject.current.columns()[i];
  Finding finding;
  const ColumnState* before = subject.before(column);
  const Mode mode = mode_of(column);
  finding.value = mode.rows ? mode.share() : kNaN;
  const double most = args[before ? 0 : 1];
  finding.expected = "below " + percent(most);
  if (too_few(finding, mode.rows, kFewestRows)) return finding;
  finding.reason = percent(mode.share()) + " of the values are " + mode.name;
  finding.verdict = Verdict::kPass;
  // One value alone is the matter of the check "constant".
  if (mode.share() < most || !column.varies()) return finding;
  if (!before) {
    if (column.spec().role != Role::kLabel) finding.verdict = Verdict::kWarn;
    return finding;
  }
  const Mode then = count_of(mode, *before);
  if (too_few(finding, then.rows, kFewestRows)) return finding;
  finding.p_value = more_p({mode.count, mode.rows, then.count, then.rows});
  finding.reason += ", " + percent(then.share()) + " in the reference";
  if (mode.share() - then.share() >= args[2]) finding.verdict = Verdict::kWarn;
  return finding;
}

void run(const Subject& subject, Args args, std::vector<Finding>& out) {
  const auto& columns = subject.current.columns();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Kind kind = columns[i].spec().kind;
    if (kind != Kind::kNumber && kind != Kind::kString) continue;
    out.push_back(judge(subject, i, args));
    out.back().column = columns[i].spec().name;
  }
}

}  // namespace

constinit const Check almost_constant{.name = "almost_constant",
                                      .summary = "A column in which one value has become nearly all",
                                      .source = "exact hypergeometric test",
                                      .takes = kNumbers | kStrings | kNeedsRows,
                                      .params = kParams,
                                      .run = run};

}  // namespace vigie::quality
