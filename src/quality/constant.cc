// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "base/text.h"
#include "quality/mode_internal.h"

namespace vigie::quality {
namespace {

constexpr double kCommon = .1;  // share of the reference from which a shorter time may well hold nothing else

Finding judge(const Subject& subject, std::size_t i) {
  const ColumnState& column = subject.current.columns()[i];
  Finding finding;
  finding.value = column.distinct_exact() ? column.distinct() : std::round(column.distinct());
  finding.expected = "more than one value";
  if (column.present() < kFewestRows) {
    too_few(finding, column.present(), kFewestRows);
    return finding;
  }
  finding.verdict = Verdict::kPass;
  if (column.varies()) {
    finding.reason = "it varies";
    return finding;
  }
  const Mode mode = mode_of(column);
  finding.reason = "every value is " + mode.name;
  const ColumnState* before = subject.before(column);
  if (!before || before->present() < kFewestRows) {
    finding.verdict = Verdict::kWarn;
    return finding;
  }
  if (!before->varies()) {
    finding.expected = "one value, as in the reference";
    return finding;
  }
  const Mode then = count_of(mode, *before);
  finding.reason += ", as in " + percent(then.share()) + " of the reference";
  if (then.share() >= kCommon && shorter(subject)) {
    finding.expected = "one value or more: this is a shorter time than the reference's";
    return finding;
  }
  for (const auto& habit : subject.habits)
    if (habit.column == column.spec().name && habit.constant) {
      finding.expected = "one value or more, as healthy windows have";
      return finding;
    }
  finding.p_value = more_p({mode.rows, mode.rows, then.count, then.rows});
  finding.verdict = Verdict::kFail;
  return finding;
}

void run(const Subject& subject, Args, std::vector<Finding>& out) {
  const auto& columns = subject.current.columns();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Kind kind = columns[i].spec().kind;
    if (kind != Kind::kNumber && kind != Kind::kString) continue;
    out.push_back(judge(subject, i));
    out.back().column = columns[i].spec().name;
  }
}

}  // namespace

constinit const Check constant{.name = "constant",
                               .summary = "A column with one value only, where the reference has more",
                               .source = "exact hypergeometric test",
                               .takes = kNumbers | kStrings,
                               .params = {},
                               .run = run};

}  // namespace vigie::quality
