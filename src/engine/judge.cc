// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/text.h"
#include "drift/effect.h"
#include "engine/judge_internal.h"
#include "engine/movement_internal.h"
#include "engine/summaries_internal.h"
#include "engine/unit_change_internal.h"

namespace vigie::engine {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// Whether the method's numbers are those of the cells by definition, and so the same whichever way the data came.
bool by_cells(const drift::Method& method) {
  return method.run == drift::omnibus.run;
}

// Why a column whose current values are mostly beyond the reference's last has not drifted by that; empty for others.
std::string_view went_on(const ColumnProfile& column, std::span<const std::int64_t> current) {
  if (current.empty() || 2 * current.back() <= std::accumulate(current.begin(), current.end(), std::int64_t{0}))
    return {};
  if (column.type == ColumnType::kTimestamp)
    return "times after those of the reference, as time goes on: name it with --timestamp, or --ignore it";
  if (column.role == Role::kFeature && column.counts_up())
    return "counts on after the reference, as ids do: name it with --id, or --ignore it";
  return {};
}

}  // namespace

std::string too_few(std::int64_t reference, std::int64_t current) {
  return fmt::format("too few rows to decide: {} in the reference, {} in current; {} are needed", reference, current,
                     drift::kFewestRows);
}

std::optional<Judge::Among> Judge::Among::of(const drift::Axis& axis, std::span<const std::int64_t> cells,
                                             std::span<const drift::WindowSummary> windows) {
  if (windows.size() < drift::kFewestWindows) return std::nullopt;
  drift::Sample reference{.counts = cells, .values = {}};
  return Among{drift::Summarizer(axis, reference), drift::HealthyWindows(axis, reference, windows)};
}

Judge::Judge(const Profile& reference, const Tally& tally, const CompareOptions& options,
             std::vector<std::size_t> segmentations, std::vector<std::vector<const drift::Method*>> methods,
             const Tally* rows)
    : reference_(reference),
      tally_(tally),
      options_(options),
      segmentations_(std::move(segmentations)),
      methods_(std::move(methods)),
      rows_(rows),
      between_(reference.window_count >= static_cast<std::int64_t>(drift::kFewestWindows) &&
               reference.window.kind != WindowSpec::Kind::kNone),
      warn_at_most_(reference.has_time && options.window.kind != WindowSpec::Kind::kNone && !between_) {
  if (!between_) return;
  for (std::size_t c = 0; c < reference.counted(); ++c) {
    const auto& column = reference.counted(c);
    auto& of_column = among_.emplace_back();
    for (std::size_t k = 0; k < tally.widths.size(); ++k) {
      auto& of_parts = of_column.emplace_back();
      for (const auto& part : column.parts[k == 0 ? 0 : segmentations_[k - 1]]) {
        auto cells = padded(part.counts, column.cells());
        of_parts.push_back({Among::of(column.axis(), cells, part.windows),
                            Among::of(kMissingAxis, missing_or_present(part.counts), part.missing_windows)});
      }
    }
  }
}

std::vector<Draft> Judge::column(std::size_t c, std::size_t window, bool partial, std::size_t family) const {
  std::vector<Draft> drafts;
  const auto& column = reference_.columns[c];
  if (auto reason = incomparable(c); !reason.empty()) {
    Draft d = blank(column);
    d.result.method = first_method(c).name;
    d.result.n_reference = column.whole().total_rows();
    d.result.missing_reference = column.whole().total_missing();
    d.result.reason = std::move(reason);
    drafts.push_back(std::move(d));
    return drafts;
  }
  add_parts(drafts, c, window, partial, family);
  for (std::size_t a = 0; a < reference_.aspects.size(); ++a)
    if (reference_.aspects[a].profile.name == column.name)
      add_parts(drafts, reference_.columns.size() + a, window, partial, family);
  return drafts;
}

void Judge::add_parts(std::vector<Draft>& drafts, std::size_t c, std::size_t window, bool partial,
                      std::size_t family) const {
  const auto& column = reference_.counted(c);
  const bool aspect = c >= reference_.columns.size();
  for (std::size_t k = 0; k < tally_.widths.size(); ++k) {
    for (std::size_t s = 0; s < tally_.widths[k]; ++s) {
      const auto* current = tally_.at(c, k, window, s);
      if (k > 0 && !current) continue;
      auto segmentation = k == 0 ? 0 : segmentations_[k - 1];
      const Counts none;
      Place place{.column = c,
                  .window = window,
                  .segmentation = k,
                  .index = s,
                  .part = column.parts[segmentation][s],
                  .among = between_ ? &among_[c][k][s] : nullptr,
                  .current = current ? *current : none,
                  .segment = std::nullopt,
                  .partial = partial,
                  .level = options_.alpha / static_cast<double>(std::max<std::size_t>(family, 1))};
      if (k > 0) place.segment = reference_.segments[segmentation][s];
      if (!methods_[c].empty())
        for (auto& d : values(place)) drafts.push_back(std::move(d));
      if (aspect || column.role == Role::kLabel) continue;  // a label that is not there is not known yet
      if (place.part.counts.total_missing() > 0 || place.current.total_missing() > 0) drafts.push_back(missing(place));
    }
  }
}

const drift::Method& Judge::first_method(std::size_t c) const {
  if (!methods_[c].empty()) return *methods_[c][0];
  for (std::size_t a = 0; a < reference_.aspects.size(); ++a) {
    const auto& methods = methods_[reference_.columns.size() + a];
    if (reference_.aspects[a].profile.name == reference_.columns[c].name && !methods.empty()) return *methods[0];
  }
  return drift::omnibus;
}

std::string Judge::incomparable(std::size_t c) const {
  if (!tally_.present[c]) return "the current data has no such column";
  if (tally_.only_numbers[c]) return "texts that are all numbers are not compared by their length; is --decimal right?";
  return {};
}

Draft Judge::blank(const ColumnProfile& column) const {
  Draft d;
  auto& r = d.result;
  r.column = column.name, r.role = column.role, r.type = column.type;
  r.statistic = r.p_value = r.p_adjusted = r.effect = r.detectable_effect = kNaN;
  r.exact = column.exact, r.error_bound = column.error_bound;
  bool share = column.categorical() || column.bins.sd == 0;
  auto levels = options_.levels.value_or(share ? kShareLevels : kSdLevels);
  r.watch = levels.watch, r.major = levels.major, r.effect_scale = scale_of(share);
  return d;
}

// Takes the larger of the p-value at hand and that among the healthy windows.
void Judge::judge_among(Draft& d, const Among& among, std::span<const std::int64_t> cells, const Place& place) const {
  auto& r = d.result;
  auto now = among.summarize({.counts = cells, .values = {}}, false);
  const auto& w = (*tally_.windower)[place.window];
  now.hour = w.hour;
  now.weekday = w.weekday;
  auto found = among.healthy.test(now, place.level);
  if (std::isnan(found.p_value)) return;
  for (const auto& p : found.components) r.components.emplace_back("between_" + std::string(p.name), p.p_value);
  if (found.p_value > r.p_value) {
    d.usual = r.p_value <= place.level;
    // Without a category frequent enough in the healthy windows they do not say what is usual; nor, of what is major
    // and far from all of them, where they change so slowly that many of them know little more than one.
    if (among.healthy.size() >= static_cast<std::size_t>(kAdvisedWindows)) d.outside = found.outside;
    const bool blind = found.detectable > r.effect &&
                       (reference_.window_count < kAdvisedWindows || (r.effect >= r.major && d.outside >= kOutside));
    d.unsure = d.usual && (blind || std::isnan(found.detectable));
    r.p_value = found.p_value;
    r.null = "between-window";
  }
  if (!std::isnan(found.detectable)) r.detectable_effect = std::max(r.detectable_effect, found.detectable);
}

std::vector<Draft> Judge::values(const Place& place) const {
  const auto& column = reference_.counted(place.column);
  const auto& current = place.current;
  const auto* aspect = place.column < reference_.columns.size()
                           ? nullptr
                           : &reference_.aspects[place.column - reference_.columns.size()];
  const auto& fresh = tally_.fresh[place.column];
  auto axis = column.axis();
  auto cells = column.cells() + fresh.size();
  auto x = padded(place.part.counts, cells), y = padded(current, cells);
  drift::Sample ref{.counts = x, .values = {}},
      cur{.counts = y, .values = {}, .beyond = static_cast<double>(current.beyond) * 1e-6};

  bool healthy = place.among && place.among->values && place.among->values->healthy.size() >= drift::kFewestWindows;
  // Between windows the range of the reference says nothing: a window that wanders leaves it (recipe section 8).
  if (healthy) axis.lattice = true;
  const auto& methods = methods_[place.column];
  Draft base = blank(column);
  base.alone = place.among && !healthy;
  base.aspect = aspect != nullptr;
  base.segmentation = place.segmentation, base.segment = place.index;
  {
    auto& r = base.result;
    r.segment = place.segment;
    r.n_reference = place.part.counts.total_rows(), r.n_current = current.total_rows();
    r.missing_reference = place.part.counts.total_missing(), r.missing_current = current.total_missing();
    r.untested_reference = place.part.counts.uncounted;
    auto effect = drift::effect(axis, ref, cur);
    r.effect = effect.corrected, r.effect_scale = scale_of(effect.share);
    base.noise = effect.noise;
    r.detectable_effect = drift::detectable_effect(axis, ref, cur, place.level);
    Known known;
    const auto* ends = !aspect && place.segmentation == 0 && place.window < tally_.quality.size()
                           ? tally_.quality[place.window].find(column.name)
                           : nullptr;
    if (ends && column.type == ColumnType::kNumeric) known.low = ends->low(), known.high = ends->high();
    const auto values = tally_.values_at(place.column, place.segmentation, place.window, place.index);
    if (!values.empty()) known = {values.front(), values.back(), values[values.size() / 2]};
    base.movement = movement(column, x, y, fresh, known);
    if (aspect && !column.categorical() && !base.movement.empty())
      base.movement = fmt::format("{}: {}", info(aspect->aspect).noun, base.movement);
    if (ends) r.guess = unit_change(column, x, current, ends->low(), ends->high());
    base.methods = methods.size();
  }
  if (rows_) {
    auto of_reference = rows_->values_at(place.column, place.segmentation, 0, place.index),
         of_current = tally_.values_at(place.column, place.segmentation, place.window, place.index);
    if (!of_reference.empty() && !of_current.empty()) ref.values = of_reference, cur.values = of_current;
  }
  std::vector<Draft> drafts;
  for (const auto* method : methods) {
    auto& d = drafts.emplace_back(base);
    auto& r = d.result;
    const double share = 1 / static_cast<double>(methods.size());
    const drift::Args args{
        .level = place.level * share, .seed = options_.seed + place.column, .params = {}, .effort = share};
    if (judge_vectors(d, *method, place, args)) continue;
    auto score = method->run(axis, ref, cur, args);
    r.method = method->name;
    // The power is that of omnibus.
    if (!aspect && !by_cells(*method)) r.detectable_effect = kNaN;
    r.statistic = score.statistic, r.p_value = score.p_value;
    r.null = score.null == drift::Null::kNone ? "" : std::string(drift::to_string(score.null));
    for (const auto& part_p : score.components) r.components.emplace_back(part_p.name, part_p.p_value);
    if (!by_cells(*method)) r.exact = r.exact && score.exact, r.error_bound = score.exact ? r.error_bound : score.error;
    d.tested = score.status == drift::Status::kOk && !std::isnan(r.p_value) && !place.partial;
    if (aspect) {
      r.type = info(aspect->aspect).of;
      auto why = r.type == ColumnType::kTimestamp ? uncovered(place, aspect->aspect) : std::string();
      if (!why.empty()) {  // numbers of the cover, not of the rows
        r.effect = r.p_value = r.detectable_effect = kNaN;
        r.components.clear();
      }
      if (d.tested && !why.empty()) {
        d.tested = false;
        r.reason = std::move(why);
        continue;
      }
    }
    if (d.tested && healthy) judge_among(d, *place.among->values, y, place);
    if (place.partial) {
      r.reason = kCutOff;
    } else if (score.status == drift::Status::kEmpty) {
      r.reason = r.n_current == 0 ? no_value(place.column, current) : "the reference has no value";
    } else if (score.status == drift::Status::kTooFewRows) {
      r.reason = too_few(place.part.counts.rows(), current.rows());
      if (r.untested_reference > 0)
        r.reason +=
            fmt::format("; {} more chose the {}", with_commas(r.untested_reference), aspect ? "words" : "categories");
    } else if (score.status == drift::Status::kConstant) {
      r.reason = column.type == ColumnType::kText ? "texts of one length in both" : "the same single value in both";
    } else if (auto why = went_on(column, y); !why.empty()) {
      d.tested = false;
      r.reason = why;
    }
  }
  return drafts;
}

Draft Judge::missing(const Place& place) const {
  const auto& current = place.current;
  Draft d = blank(reference_.columns[place.column]);
  auto& r = d.result;
  r.segment = place.segment;
  r.method = "missing_share";
  r.n_reference = place.part.counts.total_rows(), r.n_current = current.total_rows();
  r.missing_reference = place.part.counts.total_missing(), r.missing_current = current.total_missing();
  auto n = r.n_reference + r.missing_reference, m = r.n_current + r.missing_current;
  auto score = drift::missing_share(r.missing_reference, n, r.missing_current, m);
  r.statistic = score.statistic, r.p_value = score.p_value;
  r.null = "exact";
  auto effect = drift::share_effect(r.missing_reference, n, r.missing_current, m);
  r.effect = effect.corrected, r.effect_scale = scale_of(true);
  auto levels = options_.levels.value_or(kShareLevels);
  r.watch = levels.watch, r.major = levels.major;
  d.noise = effect.noise;
  r.detectable_effect = drift::detectable_share(r.missing_reference, n, m, place.level);
  bool enough = n >= drift::kFewestRows && m >= drift::kFewestRows;
  // Of a column without any value on either side no more is known than that it is still empty.
  bool empty = r.n_reference == 0 && r.n_current == 0;
  d.tested = enough && !empty && !place.partial && !std::isnan(r.p_value);
  auto share = [](std::int64_t k, std::int64_t of) {
    return percent(static_cast<double>(k) / static_cast<double>(of));
  };
  if (n && m) d.movement = fmt::format("missing {} → {}", share(r.missing_reference, n), share(r.missing_current, m));
  bool healthy = place.among && place.among->missing && place.among->missing->healthy.size() >= drift::kFewestWindows;
  // Where nothing was ever missing, the healthy windows agree on that, and leave no trace of it.
  d.alone = place.among && !healthy && place.part.counts.missing > 0;
  if (d.tested && healthy) judge_among(d, *place.among->missing, missing_or_present(current), place);
  if (place.partial)
    r.reason = kCutOff;
  else if (!enough)
    r.reason = too_few(n, m);
  else if (empty)
    r.reason = "every value is missing in both";
  return d;
}

std::string Judge::no_value(std::size_t c, const Counts& current) const {
  if (tally_.mismatches[c] > 0 && c >= reference_.columns.size())
    return fmt::format("no list of {} numbers, as the reference's are: {} of another length",
                       reference_.aspects[c - reference_.columns.size()].known.center.size(), tally_.mismatches[c]);
  if (tally_.mismatches[c] > 0)
    return fmt::format("no value that is {}: {} could not be read", to_string(reference_.counted(c).type),
                       tally_.mismatches[c]);
  return current.total_missing() ? "every value is missing" : "no rows";
}

}  // namespace vigie::engine
