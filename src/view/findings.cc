// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <tuple>
#include <unordered_map>

#include "base/text.h"
#include "view/findings_internal.h"
#include "view/quality_internal.h"

namespace vigie::view {
namespace {

using engine::ColumnResult;
using engine::Comparison;
using engine::Role;
using engine::Verdict;

// Where p-values say no more, all are taken for equal.
double evidence(const ColumnResult& r) {
  return std::isnan(r.p_value) ? 1 : std::max(r.p_value, 1e-15);
}

bool graver(const ColumnResult& a, const ColumnResult* b) {
  if (!b) return true;
  if (a.verdict != b->verdict) return a.verdict > b->verdict;
  if (a.segment.has_value() != b->segment.has_value()) return !a.segment;
  // What did not change is spoken of by its values.
  if (a.verdict < Verdict::kWarning && is_missing_share(a) != is_missing_share(*b)) return !is_missing_share(a);
  // Of segments, which differ in rows, the one that tells most: a large effect of a few rows is often chance.
  if (a.segment && a.verdict >= Verdict::kWarning && evidence(a) != evidence(*b)) return evidence(a) < evidence(*b);
  return gravity(a) > gravity(*b);
}

}  // namespace

std::string held_back(std::int64_t held) {
  if (held == 0) return {};
  return fmt::format("; {} would be {}, had the reference five windows to tell by", held,
                     held == 1 ? "a drift" : "drifts");
}

bool is_missing_share(const ColumnResult& r) {
  return r.method == "missing_share";
}

Shares missing_shares(const Finding& f, const ColumnResult& r, std::size_t window) {
  if (!r.segment && f.picture && window < f.picture->points.size())
    return {f.picture->reference.missing_share, f.picture->points[window].missing_share};
  auto share = [](std::int64_t missing, std::int64_t present) {
    return missing ? static_cast<double>(missing) / static_cast<double>(missing + present) : 0.0;
  };
  return {share(r.missing_reference, r.n_reference), share(r.missing_current, r.n_current)};
}

double best_power(const Finding& f) {
  double best = std::numeric_limits<double>::quiet_NaN();
  for (const auto* r : f.values)
    if (r && !(r->detectable_effect >= best)) best = r->detectable_effect;
  return best;
}

bool Finding::output() const {
  return role == Role::kPrediction || role == Role::kScore || role == Role::kLabel;
}

double gravity(const ColumnResult& r) {
  return std::isfinite(r.effect) && r.major > 0 ? r.effect / r.major : -1;
}

bool stays(const Finding& f) {
  return f.changed() && lasting(f);
}

const Finding* foremost(const std::vector<Finding>& findings) {
  const auto rank = [](const Finding& f) { return std::tuple(stays(f), f.verdict, f.gravity); };
  auto first = std::max_element(findings.begin(), findings.end(),
                                [&](const Finding& a, const Finding& b) { return rank(a) < rank(b); });
  return first == findings.end() ? nullptr : &*first;
}

std::vector<Finding> find(const Comparison& c) {
  std::vector<Finding> out;
  std::unordered_map<std::string_view, std::size_t> known;
  auto entry = [&](std::string_view column) -> Finding& {
    auto [at, fresh] = known.try_emplace(column, out.size());
    if (fresh) {
      auto& f = out.emplace_back();
      f.column = column;
      f.verdicts.assign(c.windows.size(), Verdict::kNoData);
      f.undecided.assign(c.windows.size(), false);
      f.values.assign(c.windows.size(), nullptr);
      f.missing.assign(c.windows.size(), nullptr);
    }
    return out[at->second];
  };
  for (const auto& p : c.pictures) entry(p.column).picture = &p;
  for (std::size_t w = 0; w < c.windows.size(); ++w) {
    for (const auto& r : c.windows[w].columns) {
      auto& f = entry(r.column);
      f.role = r.role;
      f.type = r.type;
      f.verdicts[w] = std::max(f.verdicts[w], r.verdict);
      if (!r.segment) {
        auto& slot = is_missing_share(r) ? f.missing[w] : f.values[w];
        if (graver(r, slot)) slot = &r;
        if (undecided(r, c.windows[w])) f.undecided[w] = true;
      }
      if (graver(r, f.gravest)) {
        f.gravest = &r;
        f.window = w;
      }
    }
  }
  std::erase_if(out, [](const Finding& f) { return !f.gravest; });
  for (auto& f : out) {
    if (!f.gravest->guess.empty()) continue;
    for (std::size_t w = 0; w < f.values.size() && f.guess.empty(); ++w)
      if (const auto* r = f.values[w]; r && r->verdict >= Verdict::kWarning && !r->guess.empty())
        f.guess = fmt::format("{} {}", window_text(c, w), r->guess);
  }
  for (auto& f : out) {
    f.verdict = f.gravest->verdict;
    f.gravity = gravity(*f.gravest);
    for (std::size_t w = 0; w < f.verdicts.size(); ++w)
      if (f.verdicts[w] >= Verdict::kWarning) f.undecided[w] = false;
  }
  return out;
}

bool undecided(const ColumnResult& r, const engine::WindowResult& w) {
  return r.verdict == Verdict::kNoData && r.effect >= r.watch && !w.partial;
}

Finding all_together(const Comparison& c, const std::vector<Finding>& findings) {
  Finding all;
  all.column = "any column";
  for (std::size_t w = 0; w < c.windows.size(); ++w) {
    auto verdict = c.windows[w].verdict;
    all.verdicts.push_back(verdict);
    all.verdict = std::max(all.verdict, verdict);
    all.undecided.push_back(verdict == Verdict::kNoData && std::any_of(findings.begin(), findings.end(),
                                                                       [&](const auto& f) { return f.undecided[w]; }));
  }
  all.values.assign(c.windows.size(), nullptr);
  all.missing.assign(c.windows.size(), nullptr);
  return all;
}

std::string overall(const Comparison& c, const std::vector<Finding>& findings) {
  const bool any = std::any_of(findings.begin(), findings.end(), stays);
  auto all = static_cast<Course>(all_together(c, findings));
  if (any)
    for (std::size_t w = 0; w < all.verdicts.size(); ++w) {
      if (all.verdicts[w] < Verdict::kWarning) continue;
      all.verdicts[w] = Verdict::kOk;
      for (const auto& f : findings)
        if (stays(f)) all.verdicts[w] = std::max(all.verdicts[w], f.verdicts[w]);
    }
  return when(c, all, foremost(findings)->verdict);
}

std::vector<const Finding*> ranked(const std::vector<Finding>& findings) {
  std::vector<const Finding*> out;
  for (const auto& f : findings) out.push_back(&f);
  std::stable_sort(out.begin(), out.end(), [](const Finding* a, const Finding* b) {
    return a->verdict != b->verdict ? a->verdict > b->verdict : a->gravity > b->gravity;
  });
  return out;
}

std::string share_text(double share) {
  if (std::isnan(share)) return "–";
  double percent = 100 * share;
  if (percent != 0 && std::fabs(percent) < 0.01) return percent < 0 ? "> −0.01 %" : "< 0.01 %";
  return human(percent, std::fabs(percent) >= 10 && std::fabs(percent) < 99.5 ? 2 : 3) + " %";
}

std::string effect_text(double effect, std::string_view scale, int way) {
  if (std::isnan(effect)) return "–";
  auto sign = way > 0 ? "+" : way < 0 ? "−" : "";
  if (scale == "share of rows")
    return fmt::format("{}{} of rows", sign, effect < 1e-4 ? share_text(effect) : human(100 * effect, 2) + " %");
  auto number = human(effect, effect >= 1 ? 3 : 2);
  return fmt::format("{}{} {}", sign, number, scale == "reference sd" ? "sd" : scale);
}

std::string type_text(engine::ColumnType type) {
  auto by = type == engine::ColumnType::kText        ? ", by its length"
            : type == engine::ColumnType::kEmbedding ? ", by its norm"
                                                     : "";
  return fmt::format("{}{}", to_string(type), by);
}

std::string p_text(double p) {
  if (std::isnan(p)) return "–";
  if (p < 1e-15) return "< 1e-15";
  return p > 0.995 ? "1" : human(p, 2);
}

int direction(const Finding& f, const ColumnResult& r, std::size_t window) {
  if (is_missing_share(r)) return r.statistic > 0 ? 1 : r.statistic < 0 ? -1 : 0;
  if (r.segment || !f.picture || window >= f.picture->points.size()) return 0;
  const auto& a = f.picture->reference;
  const auto& b = f.picture->points[window];
  if (b.p10 >= a.p10 && b.p50 > a.p50 && b.p90 >= a.p90) return 1;
  if (b.p10 <= a.p10 && b.p50 < a.p50 && b.p90 <= a.p90) return -1;
  return 0;
}

std::string window_label(const Comparison& c, std::size_t window) {
  auto date = date_of(c.windows, window);
  return date.empty() ? std::to_string(c.windows[window].index) : date;
}

std::string window_text(const Comparison& c, std::size_t window) {
  return window_text(c.windows, window);
}

std::string when(const Comparison& c, const Course& course, Verdict verdict) {
  return when(course, verdict, [&](std::size_t w) { return window_text(c, w); });
}

std::string cut_off(const std::vector<engine::WindowResult>& windows) {
  // Where none is whole, they are judged as they are.
  if (std::ranges::all_of(windows, &engine::WindowResult::partial)) return {};
  auto unjudged = [](const engine::WindowResult& w) { return w.partial && w.verdict == Verdict::kNoData; };
  bool first = unjudged(windows.front()), last = unjudged(windows.back());
  if (!first && !last) return {};
  auto which = first && last ? "first and the last window are" : first ? "first window is" : "last window is";
  return fmt::format("the {} cut off by the {} of the data", which, first && last ? "ends" : first ? "start" : "end");
}

std::string reason_text(const Finding& f) {
  return f.gravest->reason + (f.guess.empty() ? "" : "; " + f.guess);
}

std::string worst_in(const Comparison& c, const Finding& f) {
  if (c.windows.size() < 2 || !f.changed()) return {};
  auto first = std::find_if(f.verdicts.begin(), f.verdicts.end(), [&](Verdict v) { return v >= f.verdict; });
  auto at = static_cast<std::size_t>(first - f.verdicts.begin());
  return at == f.window ? std::string() : "worst in " + window_text(c, f.window);
}

namespace {

// "origin,carrier" of "origin=JFK,carrier=UA" and of "origin,carrier=(other)".
std::string columns_of(std::string_view segment) {
  std::string out;
  bool in_value = false;  // values may have commas too
  for (std::size_t at = 0; at <= segment.size();) {
    const auto part = segment.substr(at, segment.find(',', at) - at);
    at += part.size() + 1;
    const auto equals = part.find('=');
    if (equals == std::string::npos && in_value) continue;
    in_value = equals != std::string::npos;
    out += fmt::format("{}{}", out.empty() ? "" : ",", part.substr(0, equals));
  }
  return out;
}

// The segments of one segmentation that were judged, where all of them changed, there are several, and none is known to
// have moved against the others.
struct Alike {
  std::vector<const ColumnResult*> judged;
  bool others = false;  // there are segments without a verdict
};
Alike all_alike(const Comparison& c, const Finding& f) {
  Alike out;
  const auto& g = *f.gravest;
  for (const auto& r : c.windows[f.window].columns) {
    if (!r.segment || columns_of(*r.segment) != columns_of(*g.segment) || r.column != f.column || r.method != g.method)
      continue;
    out.others = out.others || r.verdict == Verdict::kNoData;
    if (r.verdict == Verdict::kNoData) continue;
    if (r.verdict < Verdict::kWarning || direction(f, r, f.window) != direction(f, g, f.window)) return {};
    out.judged.push_back(&r);
  }
  return out.judged.size() > 1 ? out : Alike();
}

std::string moved(const Comparison& c, const Finding& f) {
  const auto& r = *f.gravest;
  const auto [all, others] = r.segment ? all_alike(c, f) : Alike();
  auto segment = !all.empty() ? fmt::format(" in all {} segments{}", all.size(), others ? " that were judged" : "")
                 : r.segment  ? fmt::format(" where {}", *r.segment)
                              : std::string();
  if (is_missing_share(r)) {
    auto [before, now] = missing_shares(f, r, f.window);
    return fmt::format("missing values of {}{} changed most, {} → {}", f.column, segment, share_text(before),
                       share_text(now));
  }
  if (all.empty())
    return fmt::format("{}{} moved most, {}", f.column, segment,
                       effect_text(r.effect, r.effect_scale, direction(f, r, f.window)));
  const auto most = (*std::ranges::max_element(all, {}, [](const ColumnResult* of) { return of->effect; }))->effect;
  // Values of segments have no direction. Where all rows together stayed, they did not move one way.
  const auto* whole = f.values[f.window];
  return fmt::format("{}{} moved most, up to {}{}", f.column, segment, effect_text(most, r.effect_scale, 0),
                     whole && whole->verdict == Verdict::kOk ? ", though not all rows together" : "");
}

// The one of the ok columns that was best placed to show a change, where none could have shown a major one.
const Finding* best_of_blind(const Comparison& c, const std::vector<Finding>& findings) {
  if (c.summary.verdict != Verdict::kOk) return nullptr;
  const Finding* best = nullptr;
  for (const auto& f : findings) {
    if (f.verdict != Verdict::kOk) continue;
    if (!blind(f)) return nullptr;
    if (!best || best_power(f) / f.gravest->major < best_power(*best) / best->gravest->major) best = &f;
  }
  return best;
}

// Of columns whose changes did not stay: "2 columns on 3 single days".
std::string passing(const Comparison& c, const std::vector<Finding>& findings) {
  std::int64_t columns = 0;
  std::vector<bool> hit(c.windows.size());
  for (const auto& f : findings) {
    if (!f.changed() || stays(f)) continue;
    ++columns;
    for (std::size_t w = 0; w < hit.size(); ++w)
      if (f.verdicts[w] >= Verdict::kWarning) hit[w] = true;
  }
  const auto windows = std::count(hit.begin(), hit.end(), true);
  const auto unit = std::find_if(c.options.begin(), c.options.end(), [](const auto& o) { return o.first == "window"; });
  const bool days = unit != c.options.end() && unit->second.starts_with("\"day");
  return fmt::format("{} {} {}", plural(columns, "column"), days ? "on" : "in",
                     plural(windows, days ? "single day" : "single window"));
}

// The verdict without the data quality. `best`: of columns of which none could have shown a major change.
std::string drift_sentence(const Comparison& c, const std::vector<Finding>& findings, const Finding* best) {
  const auto& s = c.summary;
  if (c.windows.empty()) return "there is no window to judge";
  auto windows = c.windows.size() > 1 ? fmt::format(" in any of {} windows", c.windows.size()) : std::string();
  const auto* first = foremost(findings);
  if (!first) return "there is no column to judge";
  if (first->verdict == Verdict::kNoData) {
    auto groups = without_data(findings);
    return fmt::format("none of {} could be judged{}: {}", plural(s.columns, "column"),
                       groups.size() > 1 ? fmt::format(", {} of them for this reason", groups[0].columns.size()) : "",
                       groups[0].reason);
  }
  if (!first->changed()) {
    auto blank =
        std::count_if(findings.begin(), findings.end(), [](const Finding& f) { return f.verdict == Verdict::kNoData; });
    auto unseen = blank ? fmt::format("; {} could not be judged", blank) : std::string();
    auto columns = plural(s.columns, "column");
    if (!best) return fmt::format("none of {} changed enough to matter{}{}", columns, windows, unseen);
    return fmt::format("none of {} changed enough{} to be seen, which takes {} or more{}", columns, windows,
                       effect_text(best_power(*best), best->gravest->effect_scale), unseen);
  }
  auto time = overall(c, findings);
  const auto gravest = first->verdict;
  const auto changed = s.drift + s.warning;
  const auto staying = std::count_if(findings.begin(), findings.end(), stays);
  auto text = staying == 0 && c.windows.size() > 1
                  ? fmt::format("no change that stayed: {}; {}", passing(c, findings), moved(c, *first))
                  : fmt::format("{} of {} changed{}; {}", staying, plural(s.columns, "column"),
                                gravest == Verdict::kWarning ? " somewhat" : "", moved(c, *first));
  bool warned_first = time.find(", drift ") != std::string::npos;
  auto word = gravest == Verdict::kDrift && !warned_first ? "drift" : "warnings";
  if (!time.empty()) text += fmt::format("; {} {}", word, time);
  if (staying > 0 && staying < changed)
    text += fmt::format("; besides {}{}", passing(c, findings), s.verdict > gravest ? ", drift among them" : "");
  return text + (c.summary.verdict == Verdict::kWarning ? held_back(s.held) : "");
}

}  // namespace

bool blind(const Finding& f) {
  return f.verdict == Verdict::kOk && best_power(f) > f.gravest->major;
}

std::string sentence(const Comparison& c, const std::vector<Finding>& findings) {
  const auto* best = best_of_blind(c, findings);
  auto text = drift_sentence(c, findings, best);
  auto judged =
      std::count_if(findings.begin(), findings.end(), [](const Finding& f) { return f.verdict != Verdict::kNoData; });
  auto unseen = std::count_if(findings.begin(), findings.end(), blind);
  auto failures = quality_counts(c.windows).fail;
  auto failed = failures ? fmt::format("{} of data quality failed", plural(failures, "check")) : std::string();
  bool ok = c.summary.verdict == Verdict::kOk;
  if (best)
    return fmt::format("but no change of the size that matters could have been seen: {}{}{}", text,
                       failed.empty() ? "" : "; ", failed);
  if (ok && 2 * unseen > judged)
    return fmt::format("but {} of {} could not have shown a change of the size that matters: {}{}{}", unseen,
                       plural(judged, "column"), text, failed.empty() ? "" : "; ", failed);
  if (failed.empty()) return text;
  return ok ? fmt::format("but {}: {}", failed, text) : fmt::format("{}; {}", text, failed);
}

bool cautious(std::string_view sentence) {
  return sentence.starts_with("but ");
}

std::vector<Group> without_data(const std::vector<Finding>& findings) {
  std::vector<Group> out;
  for (const auto& f : findings) {
    if (f.verdict != Verdict::kNoData) continue;
    auto at = std::find_if(out.begin(), out.end(), [&](const Group& g) { return g.reason == f.gravest->reason; });
    if (at == out.end()) at = out.insert(out.end(), {f.gravest->reason, {}});
    at->columns.push_back(f.column);
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Group& a, const Group& b) { return a.columns.size() > b.columns.size(); });
  return out;
}

std::vector<const ColumnResult*> segments(const Comparison& c, std::string_view column) {
  std::vector<const ColumnResult*> out;
  std::unordered_map<std::string_view, std::size_t> known;
  for (const auto& w : c.windows)
    for (const auto& r : w.columns) {
      if (!r.segment || r.column != column || r.verdict < Verdict::kWarning) continue;
      auto [at, fresh] = known.try_emplace(*r.segment, out.size());
      if (fresh)
        out.push_back(&r);
      else if (graver(r, out[at->second]))
        out[at->second] = &r;
    }
  std::stable_sort(out.begin(), out.end(), [](const ColumnResult* a, const ColumnResult* b) {
    return a->verdict != b->verdict ? a->verdict > b->verdict : gravity(*a) > gravity(*b);
  });
  return out;
}

}  // namespace vigie::view
