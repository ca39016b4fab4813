// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "quality/association_internal.h"
#include "quality/judge_internal.h"

namespace vigie::quality {
namespace {

constexpr Param kParams[] = {{.name = "alike",
                              .fallback = .7,
                              .min = 0,
                              .max = 1,
                              .doc = "mean likeness of names and of values from which a column may have been renamed"}};

// 1 − the largest distance of the two distribution functions, or the shared mass of categories. The samples' own noise
// is not held against it.
double alike(const std::vector<std::uint64_t>& x, const std::vector<std::uint64_t>& y, const ColumnState& a,
             const ColumnState& b) {
  Prepared p = prepare(a, x), q = prepare(b, y);
  if (a.spec().kind == Kind::kString) {
    const auto u = a.categories(), v = b.categories();
    if (!u || !v) return .5;
    double shared = 0;
    for (const auto& item : *u)
      for (const auto& other : *v)
        if (item.name == other.name)
          shared +=
              std::min(static_cast<double>(item.count) / static_cast<double>(std::max<std::int64_t>(a.present(), 1)),
                       static_cast<double>(other.count) / static_cast<double>(std::max<std::int64_t>(b.present(), 1)));
    return shared;
  }
  const auto clean = [](std::vector<double>& values) {
    std::erase_if(values, [](double v) { return std::isnan(v); });
    std::sort(values.begin(), values.end());
  };
  clean(p.values);
  clean(q.values);
  if (p.values.empty() || q.values.empty()) return 0;
  const double n = static_cast<double>(p.values.size()), m = static_cast<double>(q.values.size());
  double distance = 0;
  std::size_t i = 0, j = 0;
  while (i < p.values.size() && j < q.values.size()) {
    const double at = std::min(p.values[i], q.values[j]);
    while (i < p.values.size() && p.values[i] == at) ++i;
    while (j < q.values.size() && q.values[j] == at) ++j;
    distance = std::max(distance, std::abs(static_cast<double>(i) / n - static_cast<double>(j) / m));
  }
  return 1 - std::max(0.0, distance - 1 / std::sqrt(n * m / (n + m)));
}

struct Candidate {
  const ColumnState* column = nullptr;
  double likeness = 0;
};

Candidate renamed(const Subject& subject, const ColumnState& gone, std::size_t gone_at) {
  Candidate best;
  for (std::size_t i = 0; i < subject.current.columns().size(); ++i) {
    const ColumnState& column = subject.current.columns()[i];
    if (column.spec().kind != gone.spec().kind || subject.reference->find(column.spec().name)) continue;
    const double likeness =
        (similarity(gone.spec().name, column.spec().name) +
         alike(subject.sample.columns[i], subject.reference_sample.columns[gone_at], column, gone)) /
        2;
    if (likeness > best.likeness) best = {&column, likeness};
  }
  return best;
}

void run(const Subject& subject, Args args, std::vector<Finding>& out) {
  const auto& before = subject.reference->columns();
  const auto& now = subject.current.columns();
  const auto add = [&](const ColumnState& column, std::string expected, Verdict verdict, std::string reason) {
    out.push_back({.check = {},
                   .column = column.spec().name,
                   .value = kNaN,
                   .expected = std::move(expected),
                   .verdict = verdict,
                   .reason = std::move(reason)});
  };
  std::vector<const ColumnState*> explained;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const ColumnState& column = before[i];
    const std::string expected(to_string(column.spec().kind));
    const ColumnState* found = subject.current.find(column.spec().name);
    if (!found) {
      const Candidate candidate = renamed(subject, column, i);
      std::string reason = "the column is gone";
      if (candidate.column && candidate.likeness >= args[0]) {
        reason += fmt::format("; {} may be its new name ({} alike)", quoted(candidate.column->spec().name),
                              percent(candidate.likeness));
        explained.push_back(candidate.column);
      }
      add(column, expected, Verdict::kFail, std::move(reason));
      continue;
    }
    const Kind kind = found->spec().kind;
    // A column without values has no type of its own.
    if (kind == column.spec().kind || column.spec().kind == Kind::kUnknown || column.present() == 0)
      add(column, expected, Verdict::kPass, "same type");
    else if (kind == Kind::kUnknown || found->present() == 0)
      add(column, expected, Verdict::kNoData, "no value that shows the type");
    else
      add(column, expected, Verdict::kFail, fmt::format("now {}", to_string(kind)));
  }
  for (const ColumnState& column : now) {
    if (subject.reference->find(column.spec().name)) continue;
    const bool told = std::find(explained.begin(), explained.end(), &column) != explained.end();
    add(column, "not there", Verdict::kWarn, told ? "a new column, or one renamed" : "a new column");
  }
}

}  // namespace

constinit const Check schema{.name = "schema",
                             .summary = "Columns added, removed, renamed by the look of it, or of another type",
                             .source = "names by edit distance, values by Kolmogorov's distance or shared mass",
                             .takes = kTable | kNeedsReference,
                             .params = kParams,
                             .run = run};

}  // namespace vigie::quality
