// SPDX-License-Identifier: Apache-2.0
#include "engine/scoring.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "base/call.h"
#include "base/text.h"
#include "engine/class_names_internal.h"
#include "engine/roles.h"
#include "engine/score_pass_internal.h"
#include "engine/scorer_internal.h"
#include "engine/tally.h"
#include "metric/aliases.h"
#include "table/image_objects.h"

namespace vigie::engine {
namespace {

using metric::Task;

constexpr std::size_t kFewNamed = 3;

/// Code::kUsage for options that the task does not know, or that it needs.
Status check_options(const ScoreOptions& o) {
  const auto task = to_string(o.task);
  const auto needs = [&](std::string_view option, std::string_view what) {
    return fail(Code::kUsage, fmt::format("--task {}: needs {} COL, {}", task, option, what));
  };
  const auto unknown = [&](bool given, std::string_view option, std::string_view tasks) -> Status {
    if (!given) return {};
    return fail(Code::kUsage, fmt::format("{}: --task {} has no use for it, {} has", option, task, tasks));
  };
  const bool classes = o.task == Task::kBinary || o.task == Task::kMulticlass;
  if (o.label.empty()) return needs("--label", "the column with the truth");
  if (o.prediction.empty() &&
      (o.scores.empty() || o.task == Task::kText || o.task == Task::kDetection || o.task == Task::kSegmentation))
    return needs("--prediction", classes ? "the column with the model's answer, or --score with its scores"
                                         : "the column with the model's answer");
  if (o.scores.size() > 1 && o.task != Task::kMulticlass)
    return fail(Code::kUsage,
                fmt::format("--score: --task {} takes one column{}, got {}", task,
                            o.task == Task::kBinary ? ", that of the positive class" : "", o.scores.size()));
  if (o.task == Task::kRanking && o.group.empty()) return needs("--group", "which list (query, user) each row is of");
  VIGIE_TRY(unknown(!o.group.empty() && o.task != Task::kRanking && o.task != Task::kSegmentation, "--group",
                    "ranking or segmentation"));
  VIGIE_TRY(unknown(o.positive.has_value() && o.task != Task::kBinary, "--positive", "binary"));
  VIGIE_TRY(unknown(o.costs.has_value() && o.task != Task::kBinary, "--cost-matrix", "binary"));
  VIGIE_TRY(unknown(!o.sensitive.empty() && o.task != Task::kBinary, "--sensitive", "binary"));
  return unknown(!o.token_logprob.empty() && o.task != Task::kText, "--token-logprob", "text");
}

}  // namespace

Status check_columns(table::Input& data, const ScoreOptions& o) {
  std::vector<std::string> known;
  {
    VIGIE_ASSIGN(auto reader, data.open());
    for (const auto& field : reader->schema()) known.push_back(field.name);
  }
  Roles roles;
  roles.timestamp = o.timestamp, roles.label = o.label, roles.prediction = o.prediction, roles.scores = o.scores;
  VIGIE_TRY(check_roles(known, roles, data.name()));
  std::vector<std::pair<std::string_view, std::string>> named = {
      {"--group", o.group}, {"--sensitive", o.sensitive}, {"--token-logprob", o.token_logprob}};
  for (const auto& by : o.segments)
    for (const auto& column : by) named.emplace_back("--segment", column);
  for (const auto& [option, name] : named)
    if (!name.empty() && std::find(known.begin(), known.end(), name) == known.end())
      return fail(Code::kUsage,
                  fmt::format("{}: {}", option, unknown_name("column", name, known, " in " + data.name())));
  return {};
}

namespace {

/// A data set, scored; and the scorer that did it.
struct Scored {
  std::unique_ptr<Scorer> scorer;
  ScorePass pass;
};

Result<Scored> score_data(const MakeScorer& make, table::Input& data, ScoreOptions& options) {
  VIGIE_TRY(check_columns(data, options));
  Scored out;
  bool misfits = false;
  const auto known = options.classes;
  for (const bool text : {false, true}) {
    options.classes = known;
    VIGIE_ASSIGN(out.scorer, make(data, options, text));
    VIGIE_ASSIGN(out.pass, score_pass(data, *out.scorer, options, misfits));
    if (!misfits) break;
  }
  VIGIE_TRY(out.scorer->check());
  return out;
}

ScoreReference reference_of(const Scored& scored) {
  const auto& pass = scored.pass;
  ScoreReference out;
  out.metrics = pass.whole ? pass.whole->metrics : pass.windows.front().metrics;
  out.healthy = healthy_of(out.metrics, pass.windows);
  for (const auto& windows : pass.coarser) out.coarser.push_back(healthy_of(out.metrics, windows));
  return out;
}

/// Code::kUsage for what cannot be told of the data.
Status check_all(const ScoreOptions& o) {
  VIGIE_TRY(check_options(o));
  VIGIE_TRY(check_segments(o.segments));
  return check_metrics(o.metrics, o.task, !o.sensitive.empty());
}

std::string zone_of(const WindowSpec& spec) {
  return spec.zone.empty() ? "UTC" : spec.zone;
}

/// "--window week", "--window-rows 100"; `zoned`: "--window week --timezone UTC".
std::string window_option(const WindowSpec& spec, bool zoned) {
  if (!spec.calendar()) return fmt::format("--window-rows {}", spec.rows);
  const auto kind = to_string({.kind = spec.kind, .rows = 0, .zone = {}, .minutes = spec.minutes, .every = 0});
  return fmt::format("--window {}{}", kind, zoned ? " --timezone " + zone_of(spec) : "");
}

/// "windows of an hour", "windows of 100 rows", "no windows"; where those of `other` begin elsewhere alone, "windows of
/// UTC".
std::string windows_of(const WindowSpec& spec, const WindowSpec& other) {
  using enum WindowSpec::Kind;
  if (spec.kind == kNone) return "no windows";
  if (spec.calendar() && spec.kind == other.kind && spec.minutes == other.minutes) return "windows of " + zone_of(spec);
  const auto* article = spec.kind == kHour ? "an " : spec.calendar() && spec.kind != kMinutes ? "a " : "";
  return fmt::format("windows of {}{}", article, to_string(spec));
}

/// " (--window week)": the next longer ones of the calendar; empty where there are none.
std::string longer_windows(WindowSpec spec) {
  if (!spec.calendar() || spec.kind == WindowSpec::Kind::kMonth) return {};
  spec.kind = spec.kind == WindowSpec::Kind::kMinutes ? WindowSpec::Kind::kHour
                                                      : static_cast<WindowSpec::Kind>(static_cast<int>(spec.kind) + 1);
  return fmt::format(" ({})", window_option(spec, false));
}

/// Where most windows have too few rows for a verdict: in how many of them, of all rows and of each segment.
void note_few_rows(Scorecard& card, const WindowSpec& spec) {
  struct Counted {
    std::int64_t windows = 0, enough = 0;
  };
  std::map<std::optional<std::string>, Counted> places;
  for (const auto& w : card.windows) {
    if (w.partial) continue;
    std::map<std::optional<std::string>, std::int64_t> rows;
    for (const auto& r : w.metrics) rows[r.segment] = std::max(rows[r.segment], r.value.n);
    for (const auto& [segment, n] : rows) {
      auto& counted = places[segment];
      ++counted.windows, counted.enough += n >= drift::kFewestRows;
    }
  }
  std::vector<std::string> few;
  std::size_t more = 0;
  for (const auto& [segment, c] : places) {
    if (c.windows < 2 || 2 * c.enough >= c.windows) continue;
    if (few.size() == kFewNamed) {
      ++more;
      continue;
    }
    few.push_back(fmt::format("{} of {}{}", c.enough, c.windows, segment ? " where " + *segment : ""));
  }
  if (few.empty()) return;
  card.notes.push_back(
      fmt::format("few whole windows have the {} labelled {}s that a verdict needs: {}{}; longer windows{}, or none, "
                  "would have more",
                  drift::kFewestRows, card.unit, fmt::join(few, ", "),
                  more ? fmt::format(" and {} more segments", more) : "", longer_windows(spec)));
}

/// The part of a stored reference that these options ask for. Windows of another kind say nothing of these.
ScoreReference stored_reference(const StoredScores& stored, const ScoreOptions& options, Scorecard& card) {
  auto out = stored.reference;
  const ClassIndex index(options.classes);
  for (auto& r : out.metrics)
    if (r.metric->key() == "class")
      if (const auto code = index.find(r.part); code < index.names().size()) r.part = index.names()[code];
  if (options.window == stored.options.window) return out;
  const auto& had = stored.options.window;
  const auto longer = coarser_than(had.kind);
  const auto at =
      static_cast<std::size_t>(std::find(longer.begin(), longer.end(), options.window.kind) - longer.begin());
  if (had.zone == options.window.zone && at < out.coarser.size()) {
    out.healthy = std::move(out.coarser[at]);
    return out;
  }
  for (auto& healthy : out.healthy) healthy = {};
  if (options.window.kind == WindowSpec::Kind::kNone) return out;
  const bool none = had.kind == WindowSpec::Kind::kNone;
  const bool zoned = !had.zone.empty() || !options.window.zone.empty();
  card.wanted = windows_of(options.window, had);
  card.notes.push_back(fmt::format(
      "{}: has {}, not {}, so rows are taken for independent and no verdict is worse than a warning; make it again "
      "with {}, or score {}",
      *card.reference, windows_of(had, options.window), card.wanted, window_option(options.window, zoned),
      none ? "without windows" : "with " + window_option(had, zoned)));
  return out;
}

}  // namespace

Status check_metrics(const std::vector<std::string>& names, Task task, bool fairness) {
  std::vector<std::string> known;
  for (const auto* m : metric::metrics())
    if (m->task() == task || (fairness && m->task() == Task::kFairness)) known.emplace_back(m->name);
  for (std::size_t i = 0, own = known.size(); i < own; ++i)
    for (const auto alias : metric::aliases_of(known[i])) known.emplace_back(alias);
  for (const auto& name : names)
    if (std::find(known.begin(), known.end(), name) == known.end())
      return fail(Code::kUsage,
                  fmt::format("--metric: {} (vigie list metrics)",
                              unknown_name("metric", name, known, fmt::format(" of task {}", to_string(task)))));
  return {};
}

void keep_metrics(ScoreWindow& window, const std::vector<std::string>& names) {
  if (names.empty()) return;
  std::erase_if(window.metrics, [&](const MetricResult& r) {
    return std::none_of(names.begin(), names.end(), [&](const auto& n) { return metric::means(n, r.metric->name); });
  });
}

void summarise(Scorecard& card, double alpha) {
  auto& s = card.summary;
  std::map<std::pair<const metric::Metric*, std::string>, Verdict> worst;
  std::set<std::pair<const metric::Metric*, std::string>> held;
  for (const auto& w : card.windows) {
    s.verdict = std::max(s.verdict, w.verdict);
    s.windows_with_drift += w.verdict == Verdict::kDrift;
    s.rows += w.rows;
    if (card.reference && w.verdict != Verdict::kNoData) s.expected_false_windows += alpha;
    for (const auto& r : w.metrics) {
      auto [it, fresh] = worst.try_emplace({r.metric, r.part}, r.verdict);
      if (!fresh) it->second = std::max(it->second, r.verdict);
      if (r.held) held.insert({r.metric, r.part});
    }
  }
  s.windows = static_cast<std::int64_t>(card.windows.size());
  s.metrics = static_cast<std::int64_t>(worst.size());
  for (const auto& [key, v] : worst) {
    s.drift += v == Verdict::kDrift, s.warning += v == Verdict::kWarning;
    s.ok += v == Verdict::kOk, s.no_data += v == Verdict::kNoData;
    s.held += v == Verdict::kWarning && held.contains(key);
  }
  const auto alarms_in_a_window = [&](const MetricResult& of) {
    return std::ranges::any_of(card.windows, [&](const ScoreWindow& w) {
      return std::ranges::any_of(w.metrics, [&](const MetricResult& r) {
        return r.metric == of.metric && r.part == of.part && !r.segment && r.verdict >= Verdict::kWarning;
      });
    });
  };
  // Of all windows together is told what no window tells of all rows.
  const auto told_of_whole = [&](const MetricResult& r) { return r.held && !r.segment && !alarms_in_a_window(r); };
  if (s.held == 0) {
    card.wanted.clear();
    if (card.whole && std::ranges::any_of(card.whole->metrics, told_of_whole))
      card.notes.push_back(
          "verdicts on all windows together are held to warnings: nothing tells how much so many healthy ones differ");
  } else if (card.wanted.empty()) {
    card.wanted = fmt::format("five whole windows of {} labelled {}s", drift::kFewestRows, card.unit);
    card.notes.push_back(fmt::format(
        "verdicts are held to warnings and rows taken for independent where fewer than five whole windows of the "
        "reference have {} labelled {}s, which would tell how much healthy ones differ; give a reference that lasts "
        "longer, choose longer windows, or score without windows",
        drift::kFewestRows, card.unit));
  }
}

Result<std::unique_ptr<Scorer>> make_scorer(table::Input& data, ScoreOptions& options, bool text) {
  switch (options.task) {
    case Task::kBinary:
      return make_binary_scorer(data, options, text);
    case Task::kMulticlass:
      return make_multiclass_scorer(data, options, text);
    case Task::kRegression:
      return make_regression_scorer(options);
    case Task::kRanking:
      return make_ranking_scorer(options);
    case Task::kText:
      return make_text_scorer(data, options);
    case Task::kDetection:
      return make_object_scorer(data, options);
    case Task::kSegmentation: {
      VIGIE_ASSIGN(const bool objects, holds_objects(data, options));
      return objects ? make_object_scorer(data, options) : make_segmentation_scorer(data, options, text);
    }
    default:
      return fail(Code::kUsage, fmt::format("--task {}: is not scored from rows", to_string(options.task)));
  }
}

Result<Scorecard> score_with(const MakeScorer& make, table::Input& data, const ScoreAgainst& reference,
                             const ScoreOptions& given) {
  auto options = given;
  VIGIE_ASSIGN(auto scored, score_data(make, data, options));
  Scorecard card;
  card.version = options.version, card.task = options.task, card.alpha = options.alpha;
  card.source = data.name();
  card.windows = std::move(scored.pass.windows), card.whole = std::move(scored.pass.whole);
  card.pictures = std::move(scored.pass.pictures);
  card.rejected = scored.pass.problems.rejected, card.problems = scored.pass.problems.messages;
  card.notes = scored.pass.problems.notes;
  card.notes.insert(card.notes.end(), scored.pass.notes.begin(), scored.pass.notes.end());
  scored.scorer->describe(card);
  if (options.levels) {
    card.options.emplace_back("watch", options.levels->watch);
    card.options.emplace_back("major", options.levels->major);
  }
  if (scored.pass.without_time > 0)
    card.notes.push_back(
        fmt::format("{}: {} without a time are in no window", data.name(), plural(scored.pass.without_time, "row")));
  for (auto& w : card.windows) keep_metrics(w, options.metrics);
  if (card.whole) keep_metrics(*card.whole, options.metrics);
  if (!reference.rows && !reference.profile) {
    for (auto& w : card.windows) judge_metrics_alone(w);
    if (card.whole) judge_metrics_alone(*card.whole);
    summarise(card, options.alpha);
    return card;
  }
  ScoreReference healthy;
  if (reference.profile) {
    card.reference = reference.name;
    healthy = stored_reference(*reference.profile->scores, options, card);
    card.rejected += reference.profile->rejected, card.rejected_reference = reference.profile->rejected;
    card.rows_reference = reference.profile->rows;
    card.problems.insert(card.problems.end(), reference.profile->problems.begin(), reference.profile->problems.end());
  } else {
    // The same positive class, whatever the other is called there, and no pictures of the reference.
    options.pictures = false;
    if (options.task == Task::kBinary) options.classes = given.classes;
    VIGIE_ASSIGN(auto rows, score_data(make, *reference.rows, options));
    card.reference = reference.rows->name();
    healthy = reference_of(rows);
    const auto& problems = rows.pass.problems;
    card.rejected += problems.rejected, card.rejected_reference = problems.rejected;
    card.rows_reference = rows.pass.rows;
    card.problems.insert(card.problems.end(), problems.messages.begin(), problems.messages.end());
  }
  for (auto& w : card.windows) judge_metrics(w, healthy, options);
  if (card.whole) {
    // All windows together are no window like the others.
    for (auto& windows : healthy.healthy) windows = {};
    judge_metrics(*card.whole, healthy, options);
  }
  note_few_rows(card, options.window);
  summarise(card, options.alpha);
  return card;
}

Result<Scorecard> score(table::Input& data, const ScoreAgainst& reference, const ScoreOptions& given) {
  VIGIE_TRY(check_all(given));
  VIGIE_TRY(check_columns(data, given));
  if (reference.rows) VIGIE_TRY(check_columns(*reference.rows, given));
  auto options = given;
  if (reference.profile) {
    const auto& stored = *reference.profile->scores;
    if (!options.positive) options.positive = stored.options.positive;
    VIGIE_TRY(check_stored(stored, options, reference.name));
    options.positive = given.positive;
  }
  VIGIE_ASSIGN(auto common, common_classes(data, reference, options));
  options.classes = std::move(common.names), options.positive = std::move(common.positive);
  VIGIE_ASSIGN(auto card, score_with(make_scorer, data, reference, options));
  if (!common.note.empty()) card.notes.push_back(std::move(common.note));
  return card;
}

Result<std::shared_ptr<const StoredScores>> store_scores(table::Input& data, const ScoreOptions& given) {
  VIGIE_TRY(check_all(given));
  auto out = std::make_shared<StoredScores>();
  out->options = given;
  out->options.keep_state = true;
  VIGIE_ASSIGN(auto scored, score_data(make_scorer, data, out->options));
  out->reference = reference_of(scored);
  out->state = std::move(scored.pass.state), out->cut = std::move(scored.pass.cut);
  return std::shared_ptr<const StoredScores>(std::move(out));
}

Status keep_scores(Profile& profile, table::Input& rows, ScoreOptions options, bool guessed) {
  if (guessed) {
    const auto task = likely_task(profile);
    if (!task) return {};
    options.task = *task;
  }
  auto scores = store_scores(rows, options);
  if (scores) {
    profile.scores = std::move(*scores);
  } else if (!guessed) {
    return std::move(scores.error());
  } else {
    profile.notes.push_back(fmt::format("how good predictions were is not kept: taken for --task {}, but {}",
                                        to_string(options.task), scores.error().message));
  }
  return {};
}

std::function<bool(std::string_view)> known_labels(const StoredScores& scores) {
  if (scores.options.task == Task::kRegression)
    return [](std::string_view label) {
      label = trim(label);
      if (label.starts_with('+') && !label.starts_with("+-")) label.remove_prefix(1);
      double value = 0;
      const auto [end, error] = std::from_chars(label.data(), label.data() + label.size(), value);
      return error == std::errc() && end == label.data() + label.size() && std::isfinite(value);
    };
  if (scores.options.task == Task::kDetection || scores.options.task == Task::kSegmentation)
    return [pixels = scores.options.task == Task::kSegmentation](std::string_view label) {
      const bool objects = !pixels || label.find('{') != label.npos;
      return objects ? table::read_objects(label, table::ObjectsOf::kLabel).has_value() : trim(label).starts_with('[');
    };
  const bool classes = scores.options.task == Task::kBinary || scores.options.task == Task::kMulticlass;
  if (!classes || scores.options.classes.empty()) return [](std::string_view) { return true; };
  return [index = ClassIndex(scores.options.classes)](std::string_view label) {
    return index.find(label) < index.names().size();
  };
}

}  // namespace vigie::engine
