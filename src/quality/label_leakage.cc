// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/text.h"
#include "quality/association_internal.h"
#include "quality/judge_internal.h"

namespace vigie::quality {
namespace {

constexpr Param kParams[] = {
    {.name = "most", .fallback = .97, .min = 0, .max = 1, .doc = "association with the label that is too good"},
    {.name = "rows",
     .fallback = 100,
     .min = 30,
     .max = 1e9,
     .doc = "labelled sampled rows below which nothing is said"}};
constexpr std::int32_t kCuts = 20;
constexpr std::size_t kFewValues = 10;

// A number of few different values is a class.
bool few(const Prepared& column) {
  std::set<double> seen;
  for (const double value : column.values) {
    if (!std::isnan(value)) seen.insert(value);
    if (seen.size() > kFewValues) return false;
  }
  return true;
}

struct Classes {
  std::vector<std::int32_t> codes;
  std::int32_t count = 0;
};

Classes classes_of(const Prepared& column) {
  if (column.classes) return {column.codes, column.classes};
  std::set<double> seen;
  if (!few(column)) return {cut(column, kCuts), kCuts};
  for (const double value : column.values)
    if (!std::isnan(value)) seen.insert(value);
  Classes out{{}, static_cast<std::int32_t>(seen.size())};
  for (const double value : column.values)
    out.codes.push_back(std::isnan(value) ? -1
                                          : static_cast<std::int32_t>(std::distance(seen.begin(), seen.find(value))));
  return out;
}

// |2 AUC − 1| of a number for a label of two classes; NaN for other labels.
double separation(const Prepared& feature, const Classes& label) {
  if (label.count != 2) return kNaN;
  double n[2] = {}, sum = 0;
  std::vector<std::pair<double, std::int32_t>> rows;
  for (std::size_t i = 0; i < label.codes.size(); ++i)
    if (label.codes[i] >= 0 && !std::isnan(feature.values[i])) rows.emplace_back(feature.values[i], label.codes[i]);
  std::sort(rows.begin(), rows.end());
  for (std::size_t i = 0; i < rows.size();) {
    std::size_t j = i;
    while (j < rows.size() && rows[j].first == rows[i].first) ++j;
    for (std::size_t t = i; t < j; ++t) {
      ++n[rows[t].second];
      if (rows[t].second) sum += (static_cast<double>(i + j) + 1) / 2;
    }
    i = j;
  }
  if (n[0] < 5 || n[1] < 5) return kNaN;
  return std::abs(2 * (sum - n[1] * (n[1] + 1) / 2) / (n[0] * n[1]) - 1);
}

struct Association {
  double value = kNaN;
  std::int64_t rows = 0;
};

Association associate(const Prepared& feature, const Prepared& label) {
  Association out;
  const bool numeric = label.classes == 0 && !few(label);
  if (numeric && feature.classes == 0) {
    const Correlation c = correlate(feature.ranks, label.ranks);
    return {std::abs(c.r), c.rows};
  }
  const Classes y = classes_of(label), x = classes_of(feature);
  const auto table = cross(x.codes, x.count, y.codes, y.count);
  for (const std::int64_t count : table) out.rows += count;
  out.value = cramers_v(table, static_cast<std::size_t>(y.count));
  // Many classes can tell few rows apart by chance alone: five rows a cell are asked for.
  if (out.rows < 5 * static_cast<std::int64_t>(x.count)) out.value = 0;
  if (feature.classes == 0) {
    const double s = separation(feature, y);
    if (s > out.value) out.value = s;
  }
  return out;
}

void run(const Subject& subject, Args args, std::vector<Finding>& out) {
  const auto& columns = subject.current.columns();
  const auto at = std::find_if(columns.begin(), columns.end(), [](const auto& c) {
    return c.spec().role == Role::kLabel && (c.spec().kind == Kind::kNumber || c.spec().kind == Kind::kString);
  });
  if (at == columns.end()) return;
  const auto label_at = static_cast<std::size_t>(at - columns.begin());
  const Prepared label = prepare(*at, subject.sample.columns[label_at]);
  const ColumnState* label_before = subject.before(*at);
  const auto sampled = [&](const ColumnState* column) {
    return prepare(
        *column,
        subject.reference_sample.columns[static_cast<std::size_t>(column - subject.reference->columns().data())]);
  };
  const Prepared then = label_before ? sampled(label_before) : Prepared{};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const ColumnSpec& spec = columns[i].spec();
    if (spec.role != Role::kFeature || (spec.kind != Kind::kNumber && spec.kind != Kind::kString)) continue;
    Finding& finding = out.emplace_back();
    finding.column = spec.name;
    const Association a = associate(prepare(columns[i], subject.sample.columns[i]), label);
    finding.value = a.value;
    finding.expected = "below " + human(args[0]);
    if (static_cast<double>(a.rows) < args[1] || std::isnan(a.value)) {
      finding.reason = static_cast<double>(a.rows) < args[1]
                           ? fmt::format("only {} with a label", plural(a.rows, "row"))
                           : "the column or the label is constant";
      continue;
    }
    finding.verdict = Verdict::kPass;
    finding.reason = fmt::format("association {} with {}", human(a.value), quoted(at->spec().name));
    if (a.value < args[0]) continue;
    const ColumnState* before = subject.before(columns[i]);
    const double known = before && label_before ? associate(sampled(before), then).value : 0;
    if (known >= args[0]) {
      finding.reason += ", as in the reference";
    } else {
      finding.verdict = Verdict::kWarn;
      finding.reason += ": too good to be true, the feature may hold the answer";
    }
  }
}

}  // namespace

constinit const Check label_leakage{.name = "label_leakage",
                                    .summary =
                                        "Association of a feature with the label that is too good to be true: "
                                        "Spearman, 2 AUC − 1 or Cramér's V, on sampled rows",
                                    .source = "Kaufman et al. 2012; Bergsma 2013",
                                    .takes = kNeedsRows | kNeedsSample | kPairs,
                                    .params = kParams,
                                    .run = run};

}  // namespace vigie::quality
