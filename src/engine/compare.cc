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
#include "engine/roles.h"

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

// What is judged beside the counts where the reference's rows are there, and where another program's rules are
// followed.
struct Comparer::Beside {
  const Tally* rows = nullptr;
  const PeerJudge* theirs = nullptr;
};

Comparer::Comparer(const Profile& reference, const CompareOptions& options)
    : reference_(reference), options_(options), known_good_(quality_of(reference)) {}
Comparer::~Comparer() = default;

Result<std::unique_ptr<Comparer>> Comparer::make(const Profile& reference, const CompareOptions& options) {
  VIGIE_TRY(check_segments(options.segments));
  std::unique_ptr<Comparer> out(new Comparer(reference, options));
  out->counting_ = {.window = options.window,
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
    out->counting_.segmentations.push_back(static_cast<std::size_t>(it - reference.segmentations.begin()));
  }
  if (options.quality) out->counting_.quality = &out->known_good_;
  VIGIE_ASSIGN(auto chosen, choose(reference, options.compat ? std::span<const MethodChoice>() : options.methods));
  out->chosen_ = std::make_unique<Chosen>(std::move(chosen));
  return out;
}

Result<Comparison> Comparer::run(table::Input& current) const {
  const auto* peer = options_.compat;
  auto counting = counting_;
  PeerWindows windows{options_.window, {}};
  if (peer) {
    if (!options_.reference_rows)
      return fail(Code::kUsage, fmt::format("--compat {}: needs the reference's rows, and {} is a profile without them",
                                            peer->name, reference_.source));
    VIGIE_ASSIGN(windows, peer_windows(*peer, options_.window, reference_, current));
    counting.window = windows.current;
  }
  CurrentData data{current.name(), {}, {}};
  VIGIE_ASSIGN(data.declared, current.declared());
  {
    VIGIE_ASSIGN(auto peek, current.open());
    data.columns = peek->schema();
    if (std::none_of(data.columns.begin(), data.columns.end(), [&](const auto& f) { return knows(f.name); }))
      return fail(Code::kInput,
                  fmt::format("{}: no column in common with the reference {}", current.name(), reference_.source));
  }
  PeerMethods peer_methods;
  if (peer) {
    VIGIE_ASSIGN(peer_methods, choose(*peer, reference_, options_.methods));
  }
  std::optional<Tally> rows;
  if (peer) {
    counting.most_values.assign(reference_.columns.size(), std::numeric_limits<std::int64_t>::max());
    auto again = counting;
    again.window = windows.reference, again.reference = true;
    VIGIE_ASSIGN(rows, tally(*options_.reference_rows, reference_, again));
  } else if (options_.reference_rows) {
    bool any = false;
    counting.keep_rows.resize(reference_.columns.size());
    for (std::size_t c = 0; c < chosen_->methods.size(); ++c) {
      bool by_values = false;
      for (const auto* m : chosen_->methods[c]) {
        if (!chosen_->asked[c] || m->run == drift::omnibus.run) continue;
        by_values = true;
        const auto of = reference_.column_of(c);
        if (sees_vectors(*m, reference_.columns[of].type)) counting.keep_rows[of] = true;
      }
      counting.most_values.push_back(by_values ? kMostValues : 0);
      any = any || by_values;
    }
    if (any) {
      auto again = counting;
      again.window = {}, again.reference = true, again.quality = nullptr;
      VIGIE_ASSIGN(rows, tally(*options_.reference_rows, reference_, again));
    } else {
      counting.most_values.clear();
      counting.keep_rows.clear();
    }
  }
  VIGIE_ASSIGN(const auto counted, tally(current, reference_, counting));
  if (counted.rows == 0) return no_rows(current.name(), counted.problems);
  std::optional<PeerJudge> theirs;
  if (peer) theirs.emplace(*peer, reference_, counted, *rows, std::move(peer_methods), options_.threads);
  return judge(data, counted, windows.current, {rows && !peer ? &*rows : nullptr, theirs ? &*theirs : nullptr});
}

Result<Comparison> Comparer::judge(const CurrentData& data, const Tally& counted) const {
  return judge(data, counted, options_.window, {});
}

bool Comparer::knows(const std::string& column) const {
  return std::any_of(reference_.columns.begin(), reference_.columns.end(),
                     [&](const auto& c) { return c.name == column; });
}

Result<Comparison> Comparer::judge(const CurrentData& data, const Tally& counted, const WindowSpec& spec,
                                   const Beside& beside) const {
  Comparison out;
  out.version = options_.version;
  out.alpha = options_.alpha;
  const auto* peer = options_.compat;
  const auto* theirs = beside.theirs;
  if (peer) out.compat = fmt::format("{} {}", peer->name, peer->version);
  std::vector<quality::ColumnSpec> added, declared;
  std::string unknown, label;
  Roles times;
  times.timestamp = reference_.timestamp;
  for (const auto& f : data.declared) declared.push_back(quality_column(f, times, &known_good_));
  for (const auto& c : reference_.columns)
    if (c.role == Role::kLabel) label = c.name;
  for (const auto& f : data.columns) {
    if (knows(f.name) || find_column(reference_.others, f.name) != std::string::npos || f.name == reference_.timestamp)
      continue;
    unknown += (unknown.empty() ? "" : ", ") + vigie::quoted(f.name);
    added.push_back(quality_column(f, {}, nullptr));
  }
  const Judge judge(reference_, counted, options_, counting_.segmentations, chosen_->methods, beside.rows);
  out.reference = {reference_.source, reference_.rows, reference_.window_count};
  out.current = {data.name, counted.rows, 0};
  out.rejected = counted.problems.rejected + reference_.rejected;
  out.problems = reference_.problems;
  out.problems.insert(out.problems.end(), counted.problems.messages.begin(), counted.problems.messages.end());
  const auto checked = options_.quality ? known_good_.notes : std::vector<std::string>();
  for (const auto& list : {reference_.notes, checked, counted.problems.notes})
    for (const auto& n : list)
      if (std::find(out.notes.begin(), out.notes.end(), n) == out.notes.end()) out.notes.push_back(n);
  if (!unknown.empty())
    out.notes.push_back(
        fmt::format("{}: columns the reference does not have are not compared: {}", data.name, unknown));
  if (counted.without_time)
    out.notes.push_back(fmt::format("{}: {} rows without a time are in no window", data.name, counted.without_time));
  out.notes.insert(out.notes.end(), counted.strays.begin(), counted.strays.end());
  for (const auto& remark : counted.windower->remarks()) out.notes.push_back(fmt::format("{}: {}", data.name, remark));
  if (peer)
    out.notes.push_back(fmt::format(
        "numbers, thresholds and verdicts are those of {} {}: they are not calibrated, and missing values do not count",
        peer->name, peer->version));
  else if (judge.warn_at_most())
    out.notes.push_back(fmt::format(
        "no verdict is worse than a warning, and --fail-on drift finds none: the reference has {} of the five windows "
        "that tell how much healthy ones differ; give one that lasts longer or has shorter windows (--window), or "
        "compare without --window",
        reference_.window_count));
  else if (!judge.between())
    out.notes.push_back(
        "assumes independent rows: the reference has no five windows from which to learn how much healthy ones differ");
  else if (options_.window.kind != WindowSpec::Kind::kNone && options_.window != reference_.window)
    out.notes.push_back(fmt::format(
        "the reference's windows are by {}, these by {}: how much healthy ones differ is learnt from the former",
        to_string(reference_.window), to_string(options_.window)));
  else if (reference_.window_count < kAdvisedWindows)
    out.notes.push_back(
        fmt::format("the reference has {} windows; {} or more are advised", reference_.window_count, kAdvisedWindows));

  const auto& windower = *counted.windower;
  auto order = windower.order();
  auto cut = windower.cut_off();
  const bool some_whole = data.cut_off || windower.some_whole();
  // Labels that come later are not tested.
  auto to_come = [&](std::size_t c) {
    return data.labels_later && !counted.present[c] && reference_.columns[c].role == Role::kLabel;
  };
  std::size_t family = 0;
  for (std::size_t c = 0; c < reference_.counted(); ++c)
    for (auto width : counted.widths)
      family += to_come(reference_.column_of(c))
                    ? 0
                    : width * ((chosen_->methods[c].empty() ? 0U : 1U) +
                               (c < reference_.columns.size() && reference_.columns[c].role != Role::kLabel &&
                                        reference_.columns[c].whole().total_missing() > 0
                                    ? 1U
                                    : 0U));

  // What is not read is neither missed nor judged.
  std::vector<std::string> unread;
  for (const auto& column : known_good_.state->columns()) {
    const auto& name = column.spec().name;
    const bool read = (options_.window.calendar() && name == reference_.timestamp) ||
                      std::any_of(reference_.columns.begin(), reference_.columns.end(),
                                  [&](const auto& c) { return c.name == name; });
    const auto role = column.spec().role;
    const bool own_role = role == quality::Role::kId || role == quality::Role::kTime || role == quality::Role::kLabel;
    if (!read && (!own_role || find_column(data.columns, name) != std::string::npos)) unread.push_back(name);
  }
  for (std::size_t c = 0; c < reference_.columns.size(); ++c)
    if (to_come(c)) unread.push_back(reference_.columns[c].name);
  auto quality_of_window = [&](std::size_t w, quality::Extent extent) -> Result<std::vector<QualityResult>> {
    std::vector<QualityResult> found;
    if (auto bad = unreadable(counted.problems.rejected, counted.rows)) found.push_back(std::move(*bad));
    quality::Context context{.current = counted.quality[w],
                             .reference = known_good_.state.get(),
                             .windows = {},
                             .extent = extent,
                             .unread = unread,
                             .added = added,
                             .declared = declared,
                             .label = label,
                             .habits = {}};
    if (options_.window == reference_.window)
      context.windows = known_good_.windows, context.habits = known_good_.habits;
    quality::RunOptions checks;
    checks.threads = options_.threads;
    VIGIE_ASSIGN(auto findings, quality::run_checks(context, checks));
    for (auto& finding : findings) found.push_back(as_result(std::move(finding)));
    for (std::size_t c = 0; c < reference_.columns.size(); ++c) {
      if (!counted.present[c]) continue;
      auto reason = judge.incomparable(c);
      if (reason.empty()) continue;
      for (auto& q : found)
        if (q.check == "schema" && q.column == reference_.columns[c].name) q.verdict = "fail", q.reason = reason;
    }
    return found;
  };
  for (std::size_t i = 0; i < order.size(); ++i) {
    auto w = order[i];
    WindowResult window;
    window.index = static_cast<std::int64_t>(i);
    window.rows = counted.window_rows[w];
    if (spec.calendar()) {
      window.start = windower.start_text(windower[w].key);
      window.end = windower.start_text(windower[w].key + 1);
      window.partial = data.cut_off.value_or(cut[i]);
    } else if (spec.kind == WindowSpec::Kind::kRows) {
      window.partial = window.rows < spec.rows;
    }
    const auto extent = extent_of(spec, window.partial, some_whole);
    const bool unfinished = extent == quality::Extent::kCutOff;
    std::vector<std::vector<Draft>> columns(reference_.columns.size());
    parallel_for(columns.size(), options_.threads, [&](std::size_t c) {
      if (to_come(c)) return;
      columns[c] = judge.column(c, w, unfinished, family);
      if (theirs) columns[c] = theirs->column(columns[c], c, w);
    });
    if (options_.quality && !counted.quality.empty()) {
      VIGIE_ASSIGN(window.quality, quality_of_window(w, extent));
    }
    // A rule is what people demand: no question of chance.
    if (w < counted.rules.size())
      for (const auto& finding : counted.rules[w]) {
        window.quality.push_back(as_result(finding));
        if (finding.verdict == quality::Verdict::kFail) window.verdict = Verdict::kDrift;
        if (finding.verdict == quality::Verdict::kWarn) window.verdict = std::max(window.verdict, Verdict::kWarning);
      }
    std::vector<Draft*> all;
    for (auto& drafts : columns)
      for (auto& d : drafts) all.push_back(&d);
    correct(all);
    for (auto& drafts : columns) {
      for (auto& d : drafts) {
        decide(d, options_.alpha, judge.warn_at_most());
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
  out.pictures = draw(reference_, counted);
  return out;
}

Result<Comparison> compare(const Profile& reference, table::Input& current, const CompareOptions& options) {
  VIGIE_ASSIGN(auto comparer, Comparer::make(reference, options));
  return comparer->run(current);
}

}  // namespace vigie::engine
