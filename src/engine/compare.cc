// SPDX-License-Identifier: Apache-2.0
#include "engine/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/parallel.h"
#include "base/text.h"
#include "engine/choice_internal.h"
#include "engine/compat_internal.h"
#include "engine/judge_internal.h"
#include "engine/picture.h"
#include "engine/quality_counter_internal.h"
#include "engine/quality_results_internal.h"
#include "engine/roles_internal.h"

namespace vigie::engine {
namespace {

constexpr std::int64_t kResultBytes = 4'000;  // a ColumnResult and its JSON, as measured

void summarise(Comparison& out) {
  auto& s = out.summary;
  std::map<std::string, Verdict> worst;
  std::set<std::string> held;
  for (const auto& w : out.windows) {
    s.verdict = std::max(s.verdict, w.verdict);
    s.windows_with_drift += w.verdict == Verdict::kDrift;
    bool tested = false;
    for (const auto& r : w.columns) {
      auto [it, fresh] = worst.try_emplace(r.column, r.verdict);
      if (!fresh) it->second = std::max(it->second, r.verdict);
      tested = tested || r.verdict != Verdict::kNoData;
      if (r.held) held.insert(r.column);
    }
    if (tested) s.expected_false_windows += out.alpha;
  }
  if (!out.compat.empty()) s.expected_false_windows = std::numeric_limits<double>::quiet_NaN();
  s.windows = static_cast<std::int64_t>(out.windows.size());
  s.columns = static_cast<std::int64_t>(worst.size());
  for (const auto& [name, v] : worst) {
    s.drift += v == Verdict::kDrift;
    s.warning += v == Verdict::kWarning;
    s.held += v == Verdict::kWarning && held.contains(name);
    s.ok += v == Verdict::kOk;
    s.no_data += v == Verdict::kNoData;
  }
}

// Segments that no window had the rows to judge: nothing is said of them, which must not be taken for well.
std::vector<std::string> never_judged(const Comparison& out) {
  std::map<std::string, std::pair<bool, std::int64_t>> segments;  // judged at all, most rows of a window
  for (const auto& w : out.windows) {
    for (const auto& r : w.columns) {
      if (!r.segment) continue;
      auto& [judged, rows] = segments[*r.segment];
      judged = judged || r.verdict != Verdict::kNoData;
      rows = std::max(rows, r.n_current + r.missing_current);
    }
  }
  std::vector<std::string> notes;
  for (const auto& [name, seen] : segments)
    if (!seen.first && seen.second < drift::kFewestRows)
      notes.push_back(
          fmt::format("segment {} was not judged: {} at most in a window, {} are needed; larger windows have more",
                      name, plural(seen.second, "row"), drift::kFewestRows));
  return notes;
}

}  // namespace

Result<Comparison> compare(const Profile& reference, table::Input& current, const CompareOptions& options) {
  VIGIE_TRY(check_segments(options.segments));
  Comparison out;
  out.version = options.version;
  out.alpha = options.alpha;
  const auto* peer = options.compat;
  PeerWindows windows{options.window, {}};
  if (peer) {
    out.compat = fmt::format("{} {}", peer->name, peer->version);
    if (!options.reference_rows)
      return fail(Code::kUsage, fmt::format("--compat {}: needs the reference's rows, and {} is a profile without them",
                                            peer->name, reference.source));
    VIGIE_ASSIGN(windows, peer_windows(*peer, options.window, reference, current));
  }
  TallyOptions counting{.window = windows.current,
                        .timestamp = reference.timestamp,
                        .segmentations = {},
                        .group_bytes = kResultBytes,
                        .threads = options.threads,
                        .progress = options.progress,
                        .most_values = {},
                        .keep_rows = {}};
  for (const auto& by : options.segments) {
    auto it = std::find(reference.segmentations.begin(), reference.segmentations.end(), by);
    if (it == reference.segmentations.end())
      return fail(Code::kUsage,
                  fmt::format("--segment {}: the profile was made without it (vigie profile … --segment {})",
                              to_string(by), to_string(by)));
    counting.segmentations.push_back(static_cast<std::size_t>(it - reference.segmentations.begin()));
  }
  const QualityReference known_good = quality_of(reference);
  if (options.quality) counting.quality = &known_good;
  std::vector<quality::ColumnSpec> added, declared;
  std::string unknown, label;
  Roles times;
  times.timestamp = reference.timestamp;
  VIGIE_ASSIGN(const auto own, current.declared());
  for (const auto& f : own) declared.push_back(quality_column(f, times, &known_good));
  for (const auto& c : reference.columns)
    if (c.role == Role::kLabel) label = c.name;
  table::Schema there;
  {
    VIGIE_ASSIGN(auto peek, current.open());
    there = peek->schema();
    bool common = false;
    for (const auto& f : there) {
      bool known = std::any_of(reference.columns.begin(), reference.columns.end(),
                               [&](const auto& c) { return c.name == f.name; });
      common = common || known;
      if (known || find_column(reference.others, f.name) != std::string::npos || f.name == reference.timestamp)
        continue;
      unknown += (unknown.empty() ? "" : ", ") + vigie::quoted(f.name);
      added.push_back(quality_column(f, {}, nullptr));
    }
    if (!common)
      return fail(Code::kInput,
                  fmt::format("{}: no column in common with the reference {}", current.name(), reference.source));
  }
  PeerMethods peer_methods;
  if (peer) {
    VIGIE_ASSIGN(peer_methods, choose(*peer, reference, options.methods));
  }
  VIGIE_ASSIGN(auto chosen, choose(reference, peer ? std::span<const MethodChoice>() : options.methods));
  std::optional<Tally> rows;
  if (peer) {
    counting.most_values.assign(reference.columns.size(), std::numeric_limits<std::int64_t>::max());
    auto again = counting;
    again.window = windows.reference, again.reference = true;
    VIGIE_ASSIGN(rows, tally(*options.reference_rows, reference, again));
  } else if (options.reference_rows) {
    bool any = false;
    counting.keep_rows.resize(reference.columns.size());
    for (std::size_t c = 0; c < chosen.methods.size(); ++c) {
      bool by_values = false;
      for (const auto* m : chosen.methods[c]) {
        if (!chosen.asked[c] || m->run == drift::omnibus.run) continue;
        by_values = true;
        const auto of = reference.column_of(c);
        if (sees_vectors(*m, reference.columns[of].type)) counting.keep_rows[of] = true;
      }
      counting.most_values.push_back(by_values ? kMostValues : 0);
      any = any || by_values;
    }
    if (any) {
      auto again = counting;
      again.window = {}, again.reference = true, again.quality = nullptr;
      VIGIE_ASSIGN(rows, tally(*options.reference_rows, reference, again));
    } else {
      counting.most_values.clear();
      counting.keep_rows.clear();
    }
  }
  VIGIE_ASSIGN(auto counted, tally(current, reference, counting));
  if (counted.rows == 0) return no_rows(current.name(), counted.problems);

  const Judge judge(reference, counted, options, counting.segmentations, chosen.methods,
                    rows && !peer ? &*rows : nullptr);
  std::optional<PeerJudge> theirs;
  if (peer) theirs.emplace(*peer, reference, counted, *rows, std::move(peer_methods), options.threads);
  out.reference = {reference.source, reference.rows, reference.window_count};
  out.current = {current.name(), counted.rows, 0};
  out.rejected = counted.problems.rejected + reference.rejected;
  out.problems = reference.problems;
  out.problems.insert(out.problems.end(), counted.problems.messages.begin(), counted.problems.messages.end());
  for (const auto& list : {reference.notes, known_good.notes, counted.problems.notes})
    for (const auto& n : list)
      if (std::find(out.notes.begin(), out.notes.end(), n) == out.notes.end()) out.notes.push_back(n);
  if (!unknown.empty())
    out.notes.push_back(
        fmt::format("{}: columns the reference does not have are not compared: {}", current.name(), unknown));
  if (counted.without_time)
    out.notes.push_back(
        fmt::format("{}: {} rows without a time are in no window", current.name(), counted.without_time));
  out.notes.insert(out.notes.end(), counted.strays.begin(), counted.strays.end());
  for (const auto& remark : counted.windower->remarks())
    out.notes.push_back(fmt::format("{}: {}", current.name(), remark));
  if (peer)
    out.notes.push_back(fmt::format(
        "numbers, thresholds and verdicts are those of {} {}: they are not calibrated, and missing values do not count",
        peer->name, peer->version));
  else if (judge.warn_at_most())
    out.notes.push_back(fmt::format(
        "no verdict is worse than a warning, and --fail-on drift finds none: the reference has {} of the five windows "
        "that tell how much healthy ones differ; give one that lasts longer or has shorter windows (--window), or "
        "compare without --window",
        reference.window_count));
  else if (!judge.between())
    out.notes.push_back(
        "assumes independent rows: the reference has no five windows from which to learn how much healthy ones differ");
  else if (options.window.kind != WindowSpec::Kind::kNone && options.window != reference.window)
    out.notes.push_back(fmt::format(
        "the reference's windows are by {}, these by {}: how much healthy ones differ is learnt from the former",
        to_string(reference.window), to_string(options.window)));
  else if (reference.window_count < kAdvisedWindows)
    out.notes.push_back(
        fmt::format("the reference has {} windows; {} or more are advised", reference.window_count, kAdvisedWindows));

  const auto& windower = *counted.windower;
  auto order = windower.order();
  auto cut = windower.cut_off();
  const bool some_whole = windower.some_whole();
  std::size_t family = 0;
  for (std::size_t c = 0; c < reference.counted(); ++c)
    for (auto width : counted.widths)
      family += width * ((chosen.methods[c].empty() ? 0U : 1U) +
                         (c < reference.columns.size() && reference.columns[c].role != Role::kLabel &&
                                  reference.columns[c].whole().total_missing() > 0
                              ? 1U
                              : 0U));

  // What is not read is neither missed nor judged.
  std::vector<std::string> unread;
  for (const auto& column : known_good.state->columns()) {
    const auto& name = column.spec().name;
    const bool read =
        (options.window.calendar() && name == reference.timestamp) ||
        std::any_of(reference.columns.begin(), reference.columns.end(), [&](const auto& c) { return c.name == name; });
    const auto role = column.spec().role;
    const bool own_role = role == quality::Role::kId || role == quality::Role::kTime || role == quality::Role::kLabel;
    if (!read && (!own_role || find_column(there, name) != std::string::npos)) unread.push_back(name);
  }
  auto quality_of_window = [&](std::size_t w, quality::Extent extent) -> Result<std::vector<QualityResult>> {
    std::vector<QualityResult> found;
    if (auto bad = unreadable(counted.problems.rejected, counted.rows)) found.push_back(std::move(*bad));
    quality::Context context{.current = counted.quality[w],
                             .reference = known_good.state.get(),
                             .windows = {},
                             .extent = extent,
                             .unread = unread,
                             .added = added,
                             .declared = declared,
                             .label = label};
    if (options.window == reference.window) context.windows = known_good.windows;
    quality::RunOptions checks;
    checks.threads = options.threads;
    VIGIE_ASSIGN(auto findings, quality::run_checks(context, checks));
    for (auto& finding : findings) found.push_back(as_result(std::move(finding)));
    for (std::size_t c = 0; c < reference.columns.size(); ++c) {
      if (!counted.present[c]) continue;
      auto reason = judge.incomparable(c);
      if (reason.empty()) continue;
      for (auto& q : found)
        if (q.check == "schema" && q.column == reference.columns[c].name) q.verdict = "fail", q.reason = reason;
    }
    return found;
  };
  for (std::size_t i = 0; i < order.size(); ++i) {
    auto w = order[i];
    WindowResult window;
    window.index = static_cast<std::int64_t>(i);
    window.rows = counted.window_rows[w];
    if (windows.current.calendar()) {
      window.start = windower.start_text(windower[w].key);
      window.end = windower.start_text(windower[w].key + 1);
      window.partial = cut[i];
    } else if (windows.current.kind == WindowSpec::Kind::kRows) {
      window.partial = window.rows < windows.current.rows;
    }
    const auto extent = extent_of(windows.current, window.partial, some_whole);
    const bool unfinished = extent == quality::Extent::kCutOff;
    std::vector<std::vector<Draft>> columns(reference.columns.size());
    parallel_for(columns.size(), options.threads, [&](std::size_t c) {
      columns[c] = judge.column(c, w, unfinished, family);
      if (theirs) columns[c] = theirs->column(columns[c], c, w);
    });
    if (options.quality) {
      VIGIE_ASSIGN(window.quality, quality_of_window(w, extent));
    }
    std::vector<Draft*> all;
    for (auto& drafts : columns)
      for (auto& d : drafts) all.push_back(&d);
    correct(all);
    for (auto& drafts : columns) {
      for (auto& d : drafts) {
        decide(d, options.alpha, judge.warn_at_most());
        window.verdict = std::max(window.verdict, d.result.verdict);
        window.columns.push_back(std::move(d.result));
      }
    }
    if (theirs) window.dataset = theirs->dataset(window);
    out.windows.push_back(std::move(window));
  }
  if (peer)
    if (auto note = dataset_note(*peer, out.windows); !note.empty()) out.notes.push_back(std::move(note));
  if (auto note = judge_labels(out.windows, label); !note.empty()) out.notes.push_back(std::move(note));
  for (auto& note : never_judged(out)) out.notes.push_back(std::move(note));
  summarise(out);
  out.pictures = draw(reference, counted);
  return out;
}

}  // namespace vigie::engine
