// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/hash.h"
#include "base/rng.h"
#include "base/text.h"
#include "quality/association_internal.h"
#include "quality/judge_internal.h"
#include "stats/distributions.h"
#include "stats/multiple_testing.h"
#include "stats/sampling.h"

namespace vigie::quality {
namespace {

constexpr Param kParams[] = {
    {.name = "watch", .fallback = .15, .min = 0, .max = 2, .doc = "change of a coefficient that is warned of"},
    {.name = "major", .fallback = .4, .min = 0, .max = 2, .doc = "change of a coefficient that fails"},
    {.name = "pairs", .fallback = 1000, .min = 1, .max = 100000, .doc = "pairs looked at, of the first columns"},
    {.name = "shown", .fallback = 10, .min = 1, .max = 1000, .doc = "changed pairs that are listed"}};
constexpr int kFewDeals = 25, kDeals = 200;
constexpr double kSure = 1e-6, kHopeless = .25;  // p-values that no more deals would bring to the other side

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

using Table = std::vector<std::int64_t>;

// A change of V has no simple law near independence: rows are dealt anew to the two sides, and the tail is that of the
// normal law with the spread so found. Few deals tell what is beyond doubt either way.
double dealt_p(const Table& x, const Table& y, std::size_t columns, double seen) {
  Table both(x.size()), first(x.size()), second(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) both[i] = x[i] + y[i];
  const auto rows = [](const Table& t) { return std::accumulate(t.begin(), t.end(), std::int64_t{0}); };
  const stats::FixedMargins deal(both, rows(x));
  Rng rng(mix64(static_cast<std::uint64_t>(rows(both))));
  double squares = 0, p = 1;
  int deals = 0;
  for (const int upto : {kFewDeals, kDeals}) {
    for (; deals < upto; ++deals) {
      deal(rng, first);
      for (std::size_t i = 0; i < both.size(); ++i) second[i] = both[i] - first[i];
      const double change = cramers_v(second, columns) - cramers_v(first, columns);
      squares += change * change;
    }
    const double sd = std::sqrt(squares / deals);
    p = sd > 0 ? 2 * stats::student_t_sf(std::abs(seen) / sd, std::min(deals, 30)) : 1;
    if (p < kSure || p > kHopeless) break;
  }
  return p;
}

void classes(const Side& before, const Side& now, std::size_t a, std::size_t b, double watch,
             std::vector<Change>& out) {
  const auto table = [&](const Side& side) {
    return cross(side[a].codes, side[a].classes, side[b].codes, side[b].classes);
  };
  const auto columns = static_cast<std::size_t>(before[b].classes);
  const Table x = table(before), y = table(now);
  const double v = cramers_v(x, columns), w = cramers_v(y, columns);
  // Only a change that matters is worth the dealing; the others count as tests that found nothing.
  out.push_back({a, b, "Cramér's V", v, w, std::abs(w - v) < watch ? 1 : dealt_p(x, y, columns, w - v)});
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
