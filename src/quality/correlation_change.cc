// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "base/rng.h"
#include "base/text.h"
#include "quality/association_internal.h"
#include "quality/judge_internal.h"
#include "stats/distributions.h"
#include "stats/multiple_testing.h"

namespace vigie::quality {
namespace {

constexpr Param kParams[] = {
    {.name = "watch", .fallback = .15, .min = 0, .max = 2, .doc = "change of a coefficient that is warned of"},
    {.name = "major", .fallback = .4, .min = 0, .max = 2, .doc = "change of a coefficient that fails"},
    {.name = "pairs", .fallback = 1000, .min = 1, .max = 100000, .doc = "pairs looked at, of the first columns"},
    {.name = "shown", .fallback = 10, .min = 1, .max = 1000, .doc = "changed pairs that are listed"}};
constexpr int kShuffles = 200;

using Side = std::vector<Prepared>;

struct Change {
  std::size_t a, b;
  const char* measure;
  double before, now, p;
};

// z of a change on the scale of atanh. Small samples are given the normal law's error at least.
double change_p(const Correlation& x, const Correlation& y) {
  if (std::isnan(x.r) || std::isnan(y.r)) return kNaN;
  const auto scale = [](double r) { return std::atanh(std::clamp(r, -.999999, .999999)); };
  const auto error = [](const Correlation& c) {
    return std::max(c.error, 1 / std::sqrt(static_cast<double>(c.rows) - 3));
  };
  const double e = std::hypot(error(x), error(y));
  // Student's law in place of the normal one: the errors are estimated.
  return 2 *
         stats::student_t_sf(std::abs(scale(x.r) - scale(y.r)) / e, static_cast<double>(std::min(x.rows, y.rows)) / 4);
}

void numeric(const Side& before, const Side& now, std::size_t a, std::size_t b, std::vector<Change>& out) {
  const auto add = [&](const char* measure, const Correlation& x, const Correlation& y) {
    if (const double p = change_p(x, y); !std::isnan(p)) out.push_back({a, b, measure, x.r, y.r, p});
  };
  add("Spearman's rho", correlate(before[a].ranks, before[b].ranks), correlate(now[a].ranks, now[b].ranks));
  for (const Side* side : {&before, &now})
    for (const std::size_t i : {a, b})
      if ((*side)[i].heavy) return;
  add("Pearson's r", correlate(before[a].values, before[b].values), correlate(now[a].values, now[b].values));
}

// A change of V has no simple law near independence: rows are dealt anew to the two sides, and the tail is that of the
// normal law with the spread so found.
double shuffled_p(const Prepared& a, const Prepared& b, const Prepared& c, const Prepared& d, double seen) {
  std::vector<std::pair<std::int32_t, std::int32_t>> rows;
  std::size_t first = 0;
  for (std::size_t i = 0; i < a.codes.size(); ++i)
    if (a.codes[i] >= 0 && b.codes[i] >= 0) rows.emplace_back(a.codes[i], b.codes[i]);
  first = rows.size();
  for (std::size_t i = 0; i < c.codes.size(); ++i)
    if (c.codes[i] >= 0 && d.codes[i] >= 0) rows.emplace_back(c.codes[i], d.codes[i]);
  const auto wide = static_cast<std::size_t>(b.classes), high = static_cast<std::size_t>(a.classes);
  Rng rng(mix64(rows.size()));
  std::vector<std::int64_t> x(wide * high), y(wide * high);
  double squares = 0;
  for (int s = 0; s < kShuffles; ++s) {
    std::fill(x.begin(), x.end(), 0);
    std::fill(y.begin(), y.end(), 0);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::size_t j = i + rng.below(rows.size() - i);
      std::swap(rows[i], rows[j]);
      ++(i < first ? x : y)[static_cast<std::size_t>(rows[i].first) * wide + static_cast<std::size_t>(rows[i].second)];
    }
    const double change = cramers_v(y, wide) - cramers_v(x, wide);
    squares += change * change;
  }
  const double sd = std::sqrt(squares / kShuffles);
  return sd > 0 ? 2 * stats::student_t_sf(std::abs(seen) / sd, 30) : 1;
}

void classes(const Side& before, const Side& now, std::size_t a, std::size_t b, double watch,
             std::vector<Change>& out) {
  const auto v = [](const Prepared& x, const Prepared& y) {
    return cramers_v(cross(x.codes, x.classes, y.codes, y.classes), static_cast<std::size_t>(y.classes));
  };
  const double x = v(before[a], before[b]), y = v(now[a], now[b]);
  // Only a change that matters is worth the shuffling; the others count as tests that found nothing.
  const double p = std::abs(y - x) < watch ? 1 : shuffled_p(before[a], before[b], now[a], now[b], y - x);
  out.push_back({a, b, "Cramér's V", x, y, p});
}

void run(const Subject& subject, Args args, std::vector<Finding>& out) {
  Side before, now;
  std::vector<const ColumnState*> columns;
  std::size_t pairs = 0;
  for (std::size_t i = 0; i < subject.current.columns().size(); ++i) {
    const ColumnState& column = subject.current.columns()[i];
    const ColumnState* then = subject.before(column);
    const ColumnSpec& spec = column.spec();
    if (!then || spec.role == Role::kId || spec.role == Role::kTime) continue;
    if (spec.kind != Kind::kNumber && !(spec.kind == Kind::kString && column.categories() && then->categories()))
      continue;
    if (static_cast<double>(pairs + columns.size()) > args[2]) break;
    pairs += columns.size();
    columns.push_back(&column);
    before.push_back(prepare(
        *then, subject.reference_sample.columns[static_cast<std::size_t>(then - subject.reference->columns().data())]));
    now.push_back(prepare(column, subject.sample.columns[i], &before.back()));
  }
  if (columns.size() < 2) return;
  if (Finding few; too_few(few, static_cast<std::int64_t>(subject.sample.rows),
                           static_cast<std::int64_t>(subject.reference_sample.rows))) {
    out.push_back(std::move(few));
    return;
  }
  std::vector<Change> changes;
  for (std::size_t b = 1; b < columns.size(); ++b) {
    for (std::size_t a = 0; a < b; ++a) {
      const bool texts = now[a].classes > 0, other = now[b].classes > 0;
      if (texts && other)
        classes(before, now, a, b, args[0], changes);
      else if (!texts && !other)
        numeric(before, now, a, b, changes);
    }
  }
  std::vector<double> p;
  for (const Change& change : changes) p.push_back(change.p);
  const std::vector<double> adjusted = stats::benjamini_hochberg(p);
  for (std::size_t i = 0; i < changes.size(); ++i) changes[i].p = adjusted[i];
  std::stable_sort(changes.begin(), changes.end(), [](const Change& x, const Change& y) { return x.p < y.p; });
  const std::size_t held = out.size();
  for (const Change& c : changes) {
    const double moved = std::abs(c.now - c.before);
    if (out.size() - held >= static_cast<std::size_t>(args[3]) || !(c.p <= .05)) break;
    const bool told = std::any_of(out.begin() + static_cast<std::ptrdiff_t>(held), out.end(), [&](const Finding& f) {
      return f.column == columns[c.a]->spec().name + " × " + columns[c.b]->spec().name;
    });
    if (moved < args[0] || told) continue;
    Finding& finding = out.emplace_back();
    finding.column = columns[c.a]->spec().name + " × " + columns[c.b]->spec().name;
    finding.value = c.now - c.before;
    finding.expected = fmt::format("{} within {}", human(c.before), human(args[0]));
    finding.p_value = c.p;
    finding.verdict = moved >= args[1] ? Verdict::kFail : Verdict::kWarn;
    finding.reason = fmt::format("{} is {}, {} in the reference", c.measure, human(c.now), human(c.before));
  }
  if (out.size() > held) return;
  Finding& finding = out.emplace_back();
  finding.verdict = changes.empty() ? Verdict::kNoData : Verdict::kPass;
  finding.value = 0;
  for (const Change& c : changes)
    if (std::abs(c.now - c.before) > std::abs(finding.value)) finding.value = c.now - c.before;
  finding.p_value = changes.empty() ? kNaN : changes.front().p;
  finding.expected = "changes within " + human(args[0]);
  finding.reason = changes.empty() ? "no pair of columns can be compared"
                                   : fmt::format("{} compared, none changed beyond chance",
                                                 plural(static_cast<std::int64_t>(changes.size()), "coefficient"));
}

}  // namespace

constinit const Check correlation_change{.name = "correlation_change",
                                         .summary =
                                             "Pairs of columns whose correlation changed: Pearson, Spearman, "
                                             "Cramér's V, on sampled rows",
                                         .source =
                                             "Fisher 1921 with errors from influences; Bergsma 2013; Benjamini & "
                                             "Hochberg 1995",
                                         .takes = kNeedsRows | kNeedsSample | kPairs | kNeedsReference,
                                         .params = kParams,
                                         .run = run};

}  // namespace vigie::quality
