// SPDX-License-Identifier: Apache-2.0
#include "engine/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/parallel.h"
#include "base/text.h"
#include "drift/between.h"
#include "drift/effect.h"
#include "engine/movement_internal.h"
#include "engine/picture.h"
#include "engine/roles_internal.h"
#include "engine/summaries_internal.h"
#include "stats/multiple_testing.h"

namespace vigie::engine {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kAdvisedWindows = 15;
constexpr const char* kCutOff = "the window is cut off by the start or the end of the data";
constexpr std::int64_t kResultBytes = 4'000;  // a ColumnResult and its JSON, as measured

// One test before its family is known.
struct Draft {
  ColumnResult result;
  bool tested = false;   // a member of the family
  double noise = 0;      // of the effect
  std::string movement;  // what changed, for people
  bool usual = false;    // sampling noise is exceeded, the variation between healthy windows is not
};

class Judge {
 public:
  Judge(const Profile& reference, const Tally& tally, const CompareOptions& options)
      : reference_(reference),
        tally_(tally),
        options_(options),
        between_(reference.window_count >= static_cast<std::int64_t>(drift::kFewestWindows) &&
                 reference.window.kind != WindowSpec::Kind::kNone),
        warn_at_most_(reference.has_time && options.window.kind != WindowSpec::Kind::kNone && !between_) {}

  bool between() const { return between_; }
  bool warn_at_most() const { return warn_at_most_; }

  /// Readies the healthy windows of every part; call once, when `segmentations` is set.
  void prepare() {
    if (!between_) return;
    for (const auto& column : reference_.columns) {
      auto& of_column = among_.emplace_back();
      for (std::size_t k = 0; k < tally_.widths.size(); ++k) {
        auto& of_parts = of_column.emplace_back();
        for (const auto& part : column.parts[k == 0 ? 0 : segmentations[k - 1]]) {
          auto cells = padded(part.counts, column.cells());
          of_parts.push_back({Among::of(column.axis(), cells, part.windows),
                              Among::of(kMissingAxis, missing_or_present(part.counts), part.missing_windows)});
        }
      }
    }
  }

  std::vector<Draft> column(std::size_t c, std::size_t window, bool partial, std::size_t family) const {
    std::vector<Draft> drafts;
    const auto& column = reference_.columns[c];
    if (!tally_.present[c]) {
      Draft d = blank(column);
      d.result.method = "omnibus";
      d.result.n_reference = column.whole().rows();
      d.result.missing_reference = column.whole().missing;
      d.result.reason = "the current data has no such column";
      drafts.push_back(std::move(d));
      return drafts;
    }
    for (std::size_t k = 0; k < tally_.widths.size(); ++k) {
      for (std::size_t s = 0; s < tally_.widths[k]; ++s) {
        const auto* current = tally_.at(c, k, window, s);
        auto segmentation = k == 0 ? 0 : segmentations[k - 1];
        const auto& part = column.parts[segmentation][s];
        std::optional<std::string> name;
        if (k > 0) name = reference_.segments[segmentation][s];
        if (k > 0 && !current) continue;
        const auto* among = between_ ? &among_[c][k][s] : nullptr;
        test(drafts, c, part, among, current ? *current : Counts{}, name, window, partial, family);
      }
    }
    return drafts;
  }

  std::vector<std::size_t> segmentations;  // of the reference, those that are asked for

 private:
  Draft blank(const ColumnProfile& column) const {
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

  // The healthy windows of one part of a column, and what turns a window into their terms.
  struct Among {
    drift::Summarizer summarize;
    drift::HealthyWindows healthy;

    static std::optional<Among> of(const drift::Axis& axis, std::span<const std::int64_t> cells,
                                   std::span<const drift::WindowSummary> windows) {
      if (windows.size() < drift::kFewestWindows) return std::nullopt;
      drift::Sample reference{.counts = cells, .values = {}};
      return Among{drift::Summarizer(axis, reference), drift::HealthyWindows(axis, reference, windows)};
    }
  };
  struct AmongPair {
    std::optional<Among> values, missing;
  };

  // Takes the larger of the p-value at hand and that among the healthy windows.
  void judge_among(Draft& d, const Among& among, std::span<const std::int64_t> cells, std::size_t window,
                   double level) const {
    auto& r = d.result;
    auto now = among.summarize({.counts = cells, .values = {}}, false);
    const auto& w = (*tally_.windower)[window];
    now.hour = w.hour;
    now.weekday = w.weekday;
    auto found = among.healthy.test(now, level);
    if (std::isnan(found.p_value)) return;
    for (const auto& p : found.components) r.components.emplace_back("between_" + std::string(p.name), p.p_value);
    if (found.p_value > r.p_value) {
      d.usual = r.p_value <= level;
      r.p_value = found.p_value;
      r.null = "between-window";
    }
    if (!std::isnan(found.detectable)) r.detectable_effect = std::max(r.detectable_effect, found.detectable);
  }

  void test(std::vector<Draft>& drafts, std::size_t c, const Part& part, const AmongPair* among, const Counts& current,
            const std::optional<std::string>& segment, std::size_t window, bool partial, std::size_t family) const {
    const auto& column = reference_.columns[c];
    auto axis = column.axis();
    auto cells = column.cells() + tally_.fresh[c].size();
    auto x = padded(part.counts, cells), y = padded(current, cells);
    drift::Sample ref{.counts = x, .values = {}},
        cur{.counts = y, .values = {}, .beyond = static_cast<double>(current.beyond) * 1e-6};
    double level = options_.alpha / static_cast<double>(std::max<std::size_t>(family, 1));

    Draft d = blank(column);
    auto& r = d.result;
    r.segment = segment;
    r.method = "omnibus";
    r.n_reference = part.counts.rows(), r.n_current = current.rows();
    r.missing_reference = part.counts.missing, r.missing_current = current.missing;
    const auto* method = drift::find_method("omnibus");
    bool healthy = among && among->values;
    // Between windows the range of the reference says nothing: a window that wanders leaves it (recipe section 8).
    if (healthy) axis.lattice = true;
    auto score = method->run(axis, ref, cur, {.level = level, .seed = options_.seed + c, .params = {}});
    r.statistic = score.statistic, r.p_value = score.p_value;
    r.null = score.null == drift::Null::kNone ? "" : std::string(drift::to_string(score.null));
    for (const auto& part_p : score.components) r.components.emplace_back(part_p.name, part_p.p_value);
    auto effect = drift::effect(axis, ref, cur);
    r.effect = effect.corrected, r.effect_scale = scale_of(effect.share);
    d.noise = effect.noise;
    r.detectable_effect = drift::detectable_effect(axis, ref, cur, level);
    d.movement = movement(column, x, y, tally_.fresh[c]);
    d.tested = score.status == drift::Status::kOk && !std::isnan(r.p_value) && !partial;
    if (d.tested && healthy) judge_among(d, *among->values, y, window, level);
    if (partial)
      r.reason = kCutOff;
    else if (score.status == drift::Status::kEmpty)
      r.reason = r.n_current == 0 ? no_value(c, current) : "the reference has no value";
    else if (score.status == drift::Status::kTooFewRows)
      r.reason = fmt::format("too few rows to decide: {} in the reference, {} in current; {} are needed", r.n_reference,
                             r.n_current, drift::kFewestRows);
    else if (score.status == drift::Status::kConstant)
      r.reason = column.type == ColumnType::kText ? "texts of one length in both; their words are not compared"
                                                  : "the same single value in both";
    else if (time_went_on(column, y)) {
      d.tested = false;
      r.reason = "times after those of the reference, as time goes on: name it with --timestamp, or --ignore it";
    }
    drafts.push_back(std::move(d));

    if (part.counts.missing == 0 && current.missing == 0) return;
    Draft m = blank(column);
    auto& q = m.result;
    q.segment = segment;
    q.method = "missing_share";
    q.n_reference = part.counts.rows(), q.n_current = current.rows();
    q.missing_reference = part.counts.missing, q.missing_current = current.missing;
    auto n = q.n_reference + q.missing_reference, l = q.n_current + q.missing_current;
    auto missing = drift::missing_share(q.missing_reference, n, q.missing_current, l);
    q.statistic = missing.statistic, q.p_value = missing.p_value;
    q.null = "exact";
    auto moved = drift::share_effect(q.missing_reference, n, q.missing_current, l);
    q.effect = moved.corrected, q.effect_scale = scale_of(true);
    auto levels = options_.levels.value_or(kShareLevels);
    q.watch = levels.watch, q.major = levels.major;
    m.noise = moved.noise;
    q.detectable_effect = drift::detectable_share(q.missing_reference, n, l, level);
    bool enough = n >= drift::kFewestRows && l >= drift::kFewestRows;
    m.tested = enough && !partial && !std::isnan(q.p_value);
    m.movement = n && l ? fmt::format("missing {} → {}",
                                      percent(static_cast<double>(q.missing_reference) / static_cast<double>(n)),
                                      percent(static_cast<double>(q.missing_current) / static_cast<double>(l)))
                        : "";
    if (m.tested && among && among->missing)
      judge_among(m, *among->missing, missing_or_present(current), window, level);
    if (partial)
      q.reason = kCutOff;
    else if (!enough)
      q.reason = fmt::format("too few rows to decide: {} in the reference, {} in current; {} are needed", n, l,
                             drift::kFewestRows);
    drafts.push_back(std::move(m));
  }

  // Whether a column of times has just moved on: most of the current ones are later than the reference's last.
  static bool time_went_on(const ColumnProfile& column, std::span<const std::int64_t> current) {
    if (column.type != ColumnType::kTimestamp || current.empty()) return false;
    return 2 * current.back() > std::accumulate(current.begin(), current.end(), std::int64_t{0});
  }

  std::string no_value(std::size_t c, const Counts& current) const {
    if (tally_.mismatches[c] > 0)
      return fmt::format("no value that is {}: {} could not be read", to_string(reference_.columns[c].type),
                         tally_.mismatches[c]);
    return current.missing ? "every value is missing" : "no rows";
  }

  const Profile& reference_;
  const Tally& tally_;
  const CompareOptions& options_;
  bool between_, warn_at_most_;
  std::vector<std::vector<std::vector<AmongPair>>> among_;  // [column][segmentation asked for][segment]
};

// The one place where a score becomes a verdict (alarms: "From p-values to a verdict").
void decide(Draft& d, double alpha, bool warn_at_most) {
  auto& r = d.result;
  if (!d.tested) return;
  bool share = r.effect_scale == scale_of(true);
  auto seen = d.movement.empty() ? std::string() : d.movement + ", ";
  if (!(r.p_adjusted <= alpha)) {
    r.verdict = Verdict::kOk;
    if (d.usual)
      r.reason = fmt::format("{}within what healthy windows differ by", seen);
    else if (!std::isnan(r.detectable_effect))
      r.reason = fmt::format("no change seen; {} would have been", amount(r.detectable_effect, share));
    else
      r.reason = "no change seen";
    return;
  }
  if (r.effect < r.watch) {
    r.verdict = Verdict::kOk;
    r.reason = fmt::format("{}detectable, too small to matter: {}", seen, amount(r.effect, share));
    return;
  }
  r.verdict = r.effect >= r.major ? Verdict::kDrift : Verdict::kWarning;
  r.reason = fmt::format("{}moved {} (p {} corrected)", seen, amount(r.effect, share),
                         r.p_adjusted < 1e-15 ? "< 1e-15" : human(r.p_adjusted, 2));
  if (r.verdict == Verdict::kDrift && d.noise >= r.major) {
    r.verdict = Verdict::kWarning;
    r.reason += "; so few rows move this far by chance";
  } else if (r.verdict == Verdict::kDrift && warn_at_most) {
    r.verdict = Verdict::kWarning;
    r.reason += "; assumes independent rows: the reference has fewer than five windows";
  }
}

void summarise(Comparison& out) {
  auto& s = out.summary;
  std::map<std::string, Verdict> worst;
  for (const auto& w : out.windows) {
    s.verdict = std::max(s.verdict, w.verdict);
    s.windows_with_drift += w.verdict == Verdict::kDrift;
    bool tested = false;
    for (const auto& r : w.columns) {
      auto [it, fresh] = worst.try_emplace(r.column, r.verdict);
      if (!fresh) it->second = std::max(it->second, r.verdict);
      tested = tested || r.verdict != Verdict::kNoData;
    }
    if (tested) s.expected_false_windows += out.alpha;
  }
  s.windows = static_cast<std::int64_t>(out.windows.size());
  s.columns = static_cast<std::int64_t>(worst.size());
  for (const auto& [name, v] : worst) {
    s.drift += v == Verdict::kDrift;
    s.warning += v == Verdict::kWarning;
    s.ok += v == Verdict::kOk;
    s.no_data += v == Verdict::kNoData;
  }
}

}  // namespace

Result<Comparison> compare(const Profile& reference, table::Input& current, const CompareOptions& options) {
  VIGIE_TRY(check_segments(options.segments));
  Comparison out;
  out.version = options.version;
  out.alpha = options.alpha;
  TallyOptions counting{.window = options.window,
                        .timestamp = reference.timestamp,
                        .segmentations = {},
                        .group_bytes = kResultBytes,
                        .threads = options.threads,
                        .progress = options.progress};
  for (const auto& by : options.segments) {
    auto it = std::find(reference.segmentations.begin(), reference.segmentations.end(), by);
    if (it == reference.segmentations.end())
      return fail(Code::kUsage,
                  fmt::format("--segment {}: the profile was made without it (vigie profile … --segment {})",
                              to_string(by), to_string(by)));
    counting.segmentations.push_back(static_cast<std::size_t>(it - reference.segmentations.begin()));
  }
  std::string unknown;
  {
    VIGIE_ASSIGN(auto peek, current.open());
    bool common = false;
    for (const auto& f : peek->schema()) {
      bool known = std::any_of(reference.columns.begin(), reference.columns.end(),
                               [&](const auto& c) { return c.name == f.name; });
      common = common || known;
      if (!known && find_column(reference.others, f.name) == std::string::npos)
        unknown += (unknown.empty() ? "" : ", ") + vigie::quoted(f.name);
    }
    if (!common)
      return fail(Code::kInput,
                  fmt::format("{}: no column in common with the reference {}", current.name(), reference.source));
  }
  VIGIE_ASSIGN(auto counted, tally(current, reference, counting));
  if (counted.rows == 0) return no_rows(current.name(), counted.problems);

  Judge judge(reference, counted, options);
  judge.segmentations = counting.segmentations;
  judge.prepare();
  out.reference = {reference.source, reference.rows, reference.window_count};
  out.current = {current.name(), counted.rows, 0};
  out.rejected = counted.problems.rejected + reference.rejected;
  for (const auto& list : {reference.notes, counted.problems.messages, counted.problems.notes})
    for (const auto& n : list)
      if (std::find(out.notes.begin(), out.notes.end(), n) == out.notes.end()) out.notes.push_back(n);
  if (!unknown.empty())
    out.notes.push_back(
        fmt::format("{}: columns the reference does not have are not compared: {}", current.name(), unknown));
  if (counted.without_time)
    out.notes.push_back(
        fmt::format("{}: {} rows without a time are in no window", current.name(), counted.without_time));
  if (!judge.between())
    out.notes.push_back(
        "assumes independent rows: the reference has no five windows from which to learn how much healthy ones differ");
  else if (options.window.kind != WindowSpec::Kind::kNone && options.window != reference.window)
    out.notes.push_back(fmt::format(
        "the reference's windows are by {}, these by {}: how much healthy ones differ is learnt from the former",
        to_string(reference.window), to_string(options.window)));
  else if (reference.window_count < static_cast<std::int64_t>(kAdvisedWindows))
    out.notes.push_back(
        fmt::format("the reference has {} windows; {} or more are advised", reference.window_count, kAdvisedWindows));

  const auto& windower = *counted.windower;
  auto order = windower.order();
  auto cut = windower.cut_off();
  bool several = order.size() > 1;
  std::size_t family = 0;
  for (std::size_t c = 0; c < reference.columns.size(); ++c)
    for (auto width : counted.widths) family += width * (reference.columns[c].whole().missing > 0 ? 2 : 1);

  for (std::size_t i = 0; i < order.size(); ++i) {
    auto w = order[i];
    WindowResult window;
    window.index = static_cast<std::int64_t>(i);
    window.rows = counted.window_rows[w];
    if (options.window.calendar()) {
      window.start = windower.start_text(windower[w].key);
      window.end = windower.start_text(windower[w].key + 1);
      window.partial = cut[i];
    } else if (options.window.kind == WindowSpec::Kind::kRows) {
      window.partial = window.rows < options.window.rows;
    }
    bool unfinished = options.window.calendar() && window.partial && several;
    std::vector<std::vector<Draft>> columns(reference.columns.size());
    parallel_for(columns.size(), options.threads,
                 [&](std::size_t c) { columns[c] = judge.column(c, w, unfinished, family); });
    std::vector<double> p;
    for (const auto& drafts : columns)
      for (const auto& d : drafts) p.push_back(d.tested ? d.result.p_value : kNaN);
    auto adjusted = stats::benjamini_hochberg(p);
    std::size_t at = 0;
    for (auto& drafts : columns) {
      for (auto& d : drafts) {
        d.result.p_adjusted = adjusted[at++];
        decide(d, options.alpha, judge.warn_at_most());
        window.verdict = std::max(window.verdict, d.result.verdict);
        window.columns.push_back(std::move(d.result));
      }
    }
    out.windows.push_back(std::move(window));
  }
  summarise(out);
  out.pictures = draw(reference, counted);
  return out;
}

}  // namespace vigie::engine
