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
double alike(const ColumnState& a, const ColumnState& b) {
  Prepared p = prepare(a, a.sample()), q = prepare(b, b.sample());
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
  std::string name;
  double likeness = 0;
};

Candidate renamed(const Subject& subject, const ColumnState& gone) {
  Candidate best;
  const auto look = [&](const ColumnSpec& spec, double values) {
    const double likeness = (similarity(gone.spec().name, spec.name) + values) / 2;
    if (likeness > best.likeness) best = {spec.name, likeness};
  };
  for (const ColumnState& column : subject.current.columns())
    if (column.spec().kind == gone.spec().kind && !subject.reference->find(column.spec().name))
      look(column.spec(), alike(column, gone));
  // Of values that were not read, nothing is known.
  for (const ColumnSpec& spec : subject.added)
    if (spec.kind == gone.spec().kind) look(spec, .5);
  return best;
}

// What has a role of its own is no feature, and labels come late.
bool may_lack(const ColumnSpec& spec, std::string_view label) {
  return spec.role == Role::kLabel || spec.role == Role::kId || spec.role == Role::kTime || spec.name == label;
}

void run(const Subject& subject, Args args, std::vector<Finding>& out) {
  const auto& before = subject.reference->columns();
  const auto& now = subject.current.columns();
  const auto add = [&](const ColumnSpec& column, std::string expected, Verdict verdict, std::string reason) {
    out.push_back({.check = {},
                   .column = column.name,
                   .value = kNaN,
                   .expected = std::move(expected),
                   .verdict = verdict,
                   .reason = std::move(reason)});
  };
  std::vector<std::string> explained;
  for (const ColumnState& column : before) {
    if (std::find(subject.unread.begin(), subject.unread.end(), column.spec().name) != subject.unread.end()) continue;
    const std::string expected(to_string(column.spec().kind));
    const ColumnState* found = subject.current.find(column.spec().name);
    if (!found && may_lack(column.spec(), subject.label)) {
      add(column.spec(), expected, Verdict::kNoData,
          fmt::format("the current data has no such column{}",
                      column.spec().role == Role::kId || column.spec().role == Role::kTime
                          ? ", which is no feature"
                          : "; labels often come later"));
      continue;
    }
    if (!found) {
      const Candidate candidate = renamed(subject, column);
      std::string reason = "the current data has no such column";
      if (candidate.likeness >= args[0]) {
        reason +=
            fmt::format("; {} may be its new name ({} alike)", quoted(candidate.name), percent(candidate.likeness));
        explained.push_back(candidate.name);
      }
      add(column.spec(), expected, Verdict::kFail, std::move(reason));
      continue;
    }
    const Kind kind = found->spec().kind;
    const auto own = std::find_if(subject.declared.begin(), subject.declared.end(),
                                  [&](const ColumnSpec& spec) { return spec.name == column.spec().name; });
    if (own != subject.declared.end() && own->kind != kind && kind == column.spec().kind && column.present() > 0) {
      add(column.spec(), expected, Verdict::kWarn,
          fmt::format("the data declare it as {}, and it is read as {}", to_string(own->kind), expected));
      continue;
    }
    // A column without values has no type of its own.
    if (kind == column.spec().kind || column.spec().kind == Kind::kUnknown || column.present() == 0)
      add(column.spec(), expected, Verdict::kPass, "same type");
    else if (kind == Kind::kUnknown || found->present() == 0)
      add(column.spec(), expected, Verdict::kNoData, "no value that shows the type");
    else
      add(column.spec(), expected, Verdict::kFail, fmt::format("now {}", to_string(kind)));
  }
  const auto fresh = [&](const ColumnSpec& spec) {
    // What has a role of its own need not be known to the reference.
    if (spec.role != Role::kFeature || subject.reference->find(spec.name)) return;
    const bool told = std::find(explained.begin(), explained.end(), spec.name) != explained.end();
    add(spec, "not there", Verdict::kWarn, told ? "a new column, or one renamed" : "a new column");
  };
  for (const ColumnState& column : now) fresh(column.spec());
  for (const ColumnSpec& spec : subject.added) fresh(spec);
}

}  // namespace

constinit const Check schema{.name = "schema",
                             .summary = "Columns added, removed, renamed by the look of it, or of another type",
                             .source = "names by edit distance, values by Kolmogorov's distance or shared mass",
                             .takes = kTable | kNeedsReference | kOfRowsAlone,
                             .params = kParams,
                             .run = run};

}  // namespace vigie::quality
