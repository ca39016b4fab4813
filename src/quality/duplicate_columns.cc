// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <map>

#include "base/text.h"
#include "quality/mode_internal.h"

namespace vigie::quality {
namespace {

constexpr std::int64_t kApart = 20;

bool equal(const ColumnState& a, const ColumnState& b) {
  return a.spec().kind == b.spec().kind && a.content() == b.content() && a.rows() == b.rows();
}

void run(const Subject& subject, Args, std::vector<Finding>& out) {
  const auto& columns = subject.current.columns();
  std::map<std::pair<Kind, std::uint64_t>, std::size_t> seen;
  std::int64_t pairs = 0;
  if (subject.current.rows() < kFewestRows) {
    too_few(out.emplace_back(), subject.current.rows(), kFewestRows);
    return;
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const ColumnState& column = columns[i];
    if (column.spec().kind > Kind::kTime) continue;
    const auto [at, fresh] = seen.emplace(std::pair(column.spec().kind, column.content()), i);
    if (fresh) continue;
    const ColumnState& twin = columns[at->second];
    // Two rare flags are equal by chance: enough rows must differ from the usual value.
    const Mode mode = mode_of(column);
    const std::int64_t apart = mode.rows - mode.count;
    if (!equal(column, twin) || apart < kApart) continue;
    const ColumnState *before = subject.before(column), *twin_before = subject.before(twin);
    if (before && twin_before && equal(*before, *twin_before)) continue;
    ++pairs;
    Finding& finding = out.emplace_back();
    finding.column = column.spec().name;
    finding.value = 1;
    finding.expected = "no copy of another column";
    finding.verdict = Verdict::kWarn;
    finding.reason = fmt::format("equals {} in every row{}", quoted(twin.spec().name),
                                 before && twin_before ? ", which it did not in the reference" : "");
  }
  if (pairs) return;
  Finding& finding = out.emplace_back();
  finding.value = 0;
  finding.expected = "no copies";
  finding.verdict = Verdict::kPass;
  finding.reason = "no column has become a copy of another";
}

}  // namespace

constinit const Check duplicate_columns{.name = "duplicate_columns",
                                        .summary =
                                            "Columns that hold the same value as another in every row, which "
                                            "they did not in the reference",
                                        .source = "sum of 64-bit hashes over rows",
                                        .takes = kTable | kNeedsRows,
                                        .params = {},
                                        .run = run};

}  // namespace vigie::quality
