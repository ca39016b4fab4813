// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "base/parallel.h"
#include "base/text.h"
#include "engine/score_pass_internal.h"
#include "engine/segmenter.h"
#include "engine/tally.h"

namespace vigie::engine {
namespace {

using table::Type;

/// Each batch is cut into so many parts, and each part adds to states of its own, which are merged at the end: the same
/// sums whatever the number of threads.
constexpr std::size_t kLanes = 8;
/// Numbers that a state keeps exactly where there are many states.
constexpr std::size_t kWindowLimit = std::size_t{1} << 18;
constexpr std::size_t kMostGroups = 200'000;
/// Rows beyond which a state is larger than a profile has room for, but for text, whose states are sums.
constexpr std::int64_t kStoredRows = 100'000;

/// The columns that a pass reads, and where they are.
class Columns {
 public:
  /// `flexible`: any scalar type will do.
  Status want(const std::string& name, Type type, bool flexible) {
    auto i = find_column(types_, name);
    if (i == std::string::npos) {
      types_.push_back({name, type});
      flexible_.push_back(flexible);
      return {};
    }
    if (types_[i].type == type || flexible) return {};
    if (!flexible_[i])
      return fail(Code::kUsage, fmt::format("column {} cannot be a number and a name at once", vigie::quoted(name)));
    types_[i].type = type, flexible_[i] = false;
    return {};
  }
  const table::Schema& types() const { return types_; }

  Status open(table::Input& data) {
    VIGIE_ASSIGN(reader, data.open(types_));
    for (const auto& field : types_) {
      where_.push_back(find_column(reader->schema(), field.name));
      if (where_.back() == std::string::npos)
        return fail(Code::kUsage, fmt::format("{}: no column {}", data.name(), vigie::quoted(field.name)));
    }
    columns_.resize(types_.size());
    return {};
  }
  Status decode(table::Batch& batch, unsigned threads) {
    std::vector<Status> failures(columns_.size());
    parallel_for(columns_.size(), threads, [&](std::size_t i) {
      auto column = batch.column(where_[i]);
      if (column)
        columns_[i] = *column;
      else
        failures[i] = std::move(column.error());
    });
    for (auto& f : failures) VIGIE_TRY(std::move(f));
    return {};
  }
  const table::Column& operator[](const std::string& name) const { return columns_[find_column(types_, name)]; }
  std::size_t where(const std::string& name) const { return where_[find_column(types_, name)]; }

  std::unique_ptr<table::Reader> reader;

 private:
  table::Schema types_;
  std::vector<bool> flexible_;
  std::vector<std::size_t> where_;
  std::vector<table::Column> columns_;
};

/// The rows of one lane, by segmentation and group.
struct Lane {
  std::vector<std::vector<std::unique_ptr<GroupState>>> states;

  void add(const Scorer& scorer, std::size_t limit, std::size_t k, std::size_t groups, const Membership& members,
           std::size_t begin, std::size_t end) {
    auto& of_k = states[k];
    of_k.resize(groups);
    const auto state = [&](std::int32_t g) -> GroupState& {
      auto& held = of_k[static_cast<std::size_t>(g)];
      if (!held) held = scorer.make(limit);
      return *held;
    };
    if (!members.runs.empty()) {
      for (const auto& run : members.runs) {
        const auto from = std::max(begin, static_cast<std::size_t>(run.begin)),
                   to = std::min(end, static_cast<std::size_t>(run.end));
        if (from < to && run.group >= 0) scorer.update(state(run.group), {from, to, {}});
      }
      return;
    }
    std::unordered_map<std::int32_t, std::vector<std::uint32_t>> picked;
    for (auto i = begin; i < end; ++i)
      if (members.groups[i] >= 0) picked[members.groups[i]].push_back(static_cast<std::uint32_t>(i));
    for (const auto& [g, rows] : picked) scorer.update(state(g), {0, 0, rows});
  }
};

/// The windows and segments of the rows.
class Grouping {
 public:
  struct Place {
    std::int32_t window, segment;
  };
  Grouping(const ScoreOptions& options, Windower windows) : windower(std::move(windows)), options_(options) {}

  void by(const SegmentBy& by, const Columns& columns) {
    std::vector<std::size_t> where;
    for (const auto& name : by) where.push_back(columns.where(name));
    segmenters.emplace_back(by, std::move(where), nullptr);
  }
  Status assign(table::Batch& batch, const Columns& columns, std::int64_t first) {
    std::span<const double> times;
    if (options_.window.calendar()) {
      VIGIE_ASSIGN(times, read_times(batch, columns.where(options_.timestamp), time_buffer_));
    }
    members.resize(segmenters.size() + 1);
    places.resize(members.size());
    index_.resize(members.size());
    rows.resize(members.size());
    windower.assign(first, batch.rows(), times, members[0].groups);
    for (auto w = places[0].size(); w < windower.size(); ++w) places[0].push_back({static_cast<std::int32_t>(w), 0});
    for (const auto w : members[0].groups) without_time += w < 0;
    for (std::size_t k = 1; k < members.size(); ++k) {
      auto& groups = members[k].groups;
      VIGIE_TRY(segmenters[k - 1].assign(batch, groups));
      for (std::size_t i = 0; i < groups.size(); ++i) {
        const auto window = members[0].groups[i];
        groups[i] = window < 0 || groups[i] < 0 ? -1 : group(k, {window, groups[i]});
        if (groups[i] >= 0) ++rows[k][static_cast<std::size_t>(groups[i])];
      }
    }
    std::size_t all = 0;
    for (std::size_t k = 0; k < members.size(); ++k) members[k].find_runs(), all += places[k].size();
    if (all > kMostGroups)
      return fail(Code::kUsage,
                  fmt::format("more than {} windows and segments; choose larger windows or fewer segments",
                              with_commas(static_cast<long long>(kMostGroups))));
    return {};
  }

  Windower windower;
  std::vector<Segmenter> segmenters;
  std::vector<Membership> members;              ///< of the batch, a segmentation each, the first being the whole
  std::vector<std::vector<Place>> places;       ///< likewise, of each group so far
  std::vector<std::vector<std::int64_t>> rows;  ///< of each group of a segmentation; those of the whole stay empty
  std::int64_t without_time = 0;

 private:
  const ScoreOptions& options_;
  std::vector<double> time_buffer_;
  std::vector<std::unordered_map<std::uint64_t, std::int32_t>> index_;

  std::int32_t group(std::size_t k, Place place) {
    const auto key = static_cast<std::uint64_t>(place.window) << 32 | static_cast<std::uint32_t>(place.segment);
    const auto [it, fresh] = index_[k].try_emplace(key, static_cast<std::int32_t>(places[k].size()));
    if (fresh) places[k].push_back(place), rows[k].push_back(0);
    return it->second;
  }
};

void put(ScoreWindow& window, Finished finished, const std::optional<std::string>& segment) {
  for (auto& entry : finished.entries) {
    auto& r = window.metrics.emplace_back();
    r.metric = entry.metric, r.part = std::move(entry.part), r.value = std::move(entry.value), r.segment = segment;
  }
  if (segment) return;
  window.rows = finished.rows;
  window.confusion = std::move(finished.confusion);
}

/// One state for each group.
class Merging {
 public:
  Merging(const Scorer& scorer, std::vector<Lane>& lanes, std::size_t limit)
      : scorer_(scorer), lanes_(lanes), limit_(limit) {}

  /// Takes the group's states out of the lanes.
  void take(std::size_t k, std::size_t group, std::unique_ptr<GroupState>& into) {
    for (auto& lane : lanes_) {
      if (group >= lane.states[k].size() || !lane.states[k][group]) continue;
      auto state = std::move(lane.states[k][group]);
      if (!into) into = scorer_.make(limit_);
      // States of one scorer always merge.
      static_cast<void>(into->merge(*state));
    }
  }

 private:
  const Scorer& scorer_;
  std::vector<Lane>& lanes_;
  std::size_t limit_;
};

/// Which segments keep their names: those with the most rows.
std::vector<bool> most_rows(std::size_t segments, const std::vector<Grouping::Place>& places,
                            const std::vector<std::int64_t>& rows_of_group, const std::vector<std::string>& names) {
  std::vector<std::int64_t> rows(segments);
  for (std::size_t g = 0; g < places.size(); ++g) rows[static_cast<std::size_t>(places[g].segment)] += rows_of_group[g];
  std::vector<std::size_t> by_rows(segments);
  std::iota(by_rows.begin(), by_rows.end(), 0);
  std::sort(by_rows.begin(), by_rows.end(),
            [&](auto a, auto b) { return rows[a] != rows[b] ? rows[a] > rows[b] : names[a] < names[b]; });
  std::vector<bool> kept(segments);
  for (std::size_t i = 0; i < std::min(kSegments, segments); ++i) kept[by_rows[i]] = true;
  return kept;
}

void join(std::unique_ptr<GroupState>& into, std::unique_ptr<GroupState> state) {
  if (into)
    static_cast<void>(into->merge(*state));
  else
    into = std::move(state);
}

void join(std::unique_ptr<GroupState>& into, const GroupState& state, const Scorer& scorer, std::size_t limit) {
  if (!into) into = scorer.make(limit);
  static_cast<void>(into->merge(state));
}

/// What windows are joined into: all of them, or longer ones.
struct Joined {
  std::vector<std::size_t> place;  ///< of each window
  std::vector<ScoreWindow> windows;
  std::vector<CutWindow> parts;  ///< one a window, of longer ones
};

Result<Joined> join_into(WindowSpec::Kind kind, const Windower& windows, WindowSpec spec) {
  spec.kind = kind;
  VIGIE_ASSIGN(auto longer, Windower::make(spec));
  std::vector<double> first, last;
  for (std::size_t w = 0; w < windows.size(); ++w) first.push_back(windows[w].first), last.push_back(windows[w].last);
  std::vector<std::int32_t> of;
  const auto count = static_cast<std::int64_t>(windows.size());
  longer.assign(0, count, first, of);
  longer.assign(0, count, last, of);
  Joined out;
  out.windows.resize(longer.size());
  std::vector<std::size_t> rank(longer.size());
  const auto order = longer.order();
  const auto cut = longer.cut_off();
  out.parts.resize(longer.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    rank[order[i]] = i;
    out.parts[i].key = longer[order[i]].key;
    out.parts[i].first = std::numeric_limits<std::int64_t>::max(), out.parts[i].last = -out.parts[i].first;
  }
  for (const auto w : of) out.place.push_back(rank[static_cast<std::size_t>(w)]);
  for (std::size_t w = 0; w < windows.size(); ++w) {
    auto& part = out.parts[out.place[w]];
    part.first = std::min(part.first, windows[w].key), part.last = std::max(part.last, windows[w].key);
  }
  if (order.empty()) return out;
  // Two or one say little of the margins that are usual: there a missing day is taken for one that another profile has.
  const bool few = order.size() < 3;
  auto &from = out.parts.front(), &to = out.parts.back();
  from.starts_cut = few ? windows.start(from.first) > longer.start(from.key) : cut.front();
  to.ends_cut = few ? windows.start(to.last + 1) < longer.start(to.key + 1) : cut.back();
  for (std::size_t i = 0; i < out.parts.size(); ++i)
    out.windows[i].partial = out.parts[i].starts_cut || out.parts[i].ends_cut;
  return out;
}

}  // namespace

Result<ScorePass> score_pass(table::Input& data, Scorer& scorer, const ScoreOptions& options, bool& misfits) {
  misfits = false;
  Columns columns;
  for (const auto& wanted : scorer.wanted()) VIGIE_TRY(columns.want(wanted.column, wanted.type, wanted.classes));
  {
    VIGIE_ASSIGN(auto guess, data.open());
    const auto type_of = [&](const std::string& name) {
      const auto i = find_column(guess->schema(), name);
      return i == std::string::npos ? Type::kString : guess->schema()[i].type;
    };
    if (options.window.calendar()) {
      VIGIE_TRY(columns.want(options.timestamp, type_of(options.timestamp), false));
      VIGIE_TRY(check_time({options.timestamp, type_of(options.timestamp)}, data.name()));
    }
    for (const auto& by : options.segments)
      for (const auto& name : by) VIGIE_TRY(columns.want(name, type_of(name), true));
  }
  VIGIE_TRY(columns.open(data));
  VIGIE_ASSIGN(auto windower, Windower::make(options.window));
  Grouping grouping(options, std::move(windower));
  for (const auto& by : options.segments) grouping.by(by, columns);

  const bool many = options.window.kind != WindowSpec::Kind::kNone || !options.segments.empty();
  const auto limit = many ? kWindowLimit : metric::SortedValues::kLimit;
  std::vector<Lane> lanes(kLanes);
  for (auto& lane : lanes) lane.states.resize(options.segments.size() + 1);
  ScorePass pass;
  std::vector<table::Column> given;
  std::vector<std::int64_t> misread(scorer.wanted().size()), read(misread.size()), infinite(misread.size());
  while (true) {
    VIGIE_ASSIGN(auto batch, columns.reader->next());
    if (!batch) break;
    const auto rows = static_cast<std::size_t>(batch->rows());
    VIGIE_TRY(columns.decode(*batch, options.threads));
    given.clear();
    for (std::size_t i = 0; i < scorer.wanted().size(); ++i) {
      given.push_back(columns[scorer.wanted()[i].column]);
      misread[i] += given.back().mismatches();
      if (given.back().type != Type::kFloat) continue;
      for (const double v : given.back().numbers) infinite[i] += std::isinf(v);
      if (misread[i] == 0) continue;
      for (const double v : given.back().numbers) read[i] += !std::isnan(v);
    }
    VIGIE_TRY(scorer.read(given, rows));
    VIGIE_TRY(grouping.assign(*batch, columns, pass.rows));
    parallel_for(kLanes, options.threads, [&](std::size_t l) {
      for (std::size_t k = 0; k < grouping.members.size(); ++k)
        lanes[l].add(scorer, many ? limit : limit / 4, k, grouping.places[k].size(), grouping.members[k],
                     rows * l / kLanes, rows * (l + 1) / kLanes);
    });
    pass.rows += static_cast<std::int64_t>(rows);
    if (options.progress)
      options.progress(static_cast<double>(columns.reader->consumed()) /
                       std::max(1.0, static_cast<double>(data.bytes())));
  }
  pass.problems = columns.reader->problems();
  pass.without_time = grouping.without_time;
  if (pass.rows == 0) return no_rows(data.name(), pass.problems);
  if (grouping.windower.size() == 0)
    return fail(Code::kInput, fmt::format("{}: no row has a time in column \"{}\"", data.name(), options.timestamp));
  for (std::size_t i = 0; i < misread.size(); ++i) {
    const auto& wanted = scorer.wanted()[i];
    if (infinite[i] > 0)
      pass.notes.push_back(fmt::format("{}: {} of column {}, infinite or beyond 1.8e308, {}", data.name(),
                                       plural(infinite[i], "number"), vigie::quoted(wanted.column),
                                       infinite[i] == 1 ? "is not scored" : "are not scored"));
    if (misread[i] == 0) continue;
    misfits = misfits || wanted.classes;
    if (wanted.type != Type::kFloat) continue;
    if (read[i] == 0)
      return fail(Code::kUsage, fmt::format("column {} of {} holds text, and numbers are needed",
                                            vigie::quoted(wanted.column), data.name()));
    pass.notes.push_back(fmt::format("{}: {} of column {} are no numbers and count as missing", data.name(),
                                     plural(misread[i], "cell"), vigie::quoted(wanted.column)));
  }
  if (misfits) return pass;

  const auto order = grouping.windower.order();
  const auto cut = grouping.windower.cut_off();
  std::vector<std::size_t> rank(order.size());
  pass.windows.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    rank[order[i]] = i;
    auto& window = pass.windows[i];
    window.index = static_cast<std::int64_t>(i);
    if (!options.window.calendar()) continue;
    const auto key = grouping.windower[order[i]].key;
    window.start = grouping.windower.start_text(key), window.end = grouping.windower.start_text(key + 1);
    window.partial = options.cut_off.value_or(cut[i]);
  }

  Merging merging(scorer, lanes, limit);
  const bool several = order.size() > 1;
  const auto saved = [&](GroupState& state) {
    ByteWriter out;
    if (options.keep_state && (pass.rows <= kStoredRows || options.task == metric::Task::kText)) state.save(out);
    return out.take();
  };
  std::vector<std::unique_ptr<GroupState>> whole(order.size());
  for (std::size_t w = 0; w < whole.size(); ++w) merging.take(0, w, whole[w]);
  std::vector<Joined> joined;
  if (several) joined.push_back({std::vector<std::size_t>(order.size()), std::vector<ScoreWindow>(1), {}});
  if (options.keep_state)
    for (const auto kind : coarser_than(options.window.kind)) {
      VIGIE_ASSIGN(auto longer, join_into(kind, grouping.windower, options.window));
      joined.push_back(std::move(longer));
    }
  for (auto& into : joined) {
    const bool all = several && &into == joined.data();
    std::vector<std::unique_ptr<GroupState>> states(into.windows.size());
    // In the order of time, so that sums do not depend on which window's rows came first.
    for (const auto w : order)
      join(states[into.place[w]], *whole[w], scorer, all ? metric::SortedValues::kLimit : limit);
    if (all) pass.state = saved(*states[0]);
    for (std::size_t i = 0; i < states.size(); ++i) {
      if (into.windows[i].partial) into.parts[i].state = saved(*states[i]);
      auto finished = states[i]->finish(all && options.pictures);
      if (all) pass.pictures = std::move(finished.pictures);
      put(into.windows[i], std::move(finished), std::nullopt);
    }
  }
  if (!several) pass.state = saved(*whole[0]);
  std::vector<Finished> finished(whole.size());
  parallel_for(whole.size(), options.threads, [&](std::size_t w) {
    finished[w] = whole[w]->finish(options.pictures && !several);
    whole[w].reset();
  });
  if (!several) pass.pictures = std::move(finished[0].pictures);
  for (std::size_t w = 0; w < finished.size(); ++w) put(pass.windows[rank[w]], std::move(finished[w]), std::nullopt);
  if (options.window.kind == WindowSpec::Kind::kRows)
    for (auto& w : pass.windows) w.partial = w.rows.rows < options.window.rows;

  for (std::size_t k = 1; k < grouping.members.size(); ++k) {
    const auto& names = grouping.segmenters[k - 1].names();
    const auto& places = grouping.places[k];
    std::vector<std::unique_ptr<GroupState>> states(places.size());
    for (std::size_t g = 0; g < places.size(); ++g) merging.take(k, g, states[g]);
    const auto kept = most_rows(names.size(), places, grouping.rows[k], names);
    // By window, then name; the segments that are not kept are one, the last.
    std::map<std::pair<std::size_t, std::string>, std::unique_ptr<GroupState>> segments;
    std::vector<decltype(segments)> of_joined(joined.size());
    const auto other = to_string(options.segments[k - 1]) + "=(other)";
    std::vector<std::size_t> in_order(places.size());
    std::iota(in_order.begin(), in_order.end(), 0);
    const auto order_of = [&](std::size_t g) {
      return std::pair(rank[static_cast<std::size_t>(places[g].window)],
                       names[static_cast<std::size_t>(places[g].segment)]);
    };
    std::sort(in_order.begin(), in_order.end(), [&](auto a, auto b) { return order_of(a) < order_of(b); });
    for (const auto g : in_order) {
      const auto window = static_cast<std::size_t>(places[g].window);
      const auto segment = static_cast<std::size_t>(places[g].segment);
      const auto& name = kept[segment] ? names[segment] : other;
      for (std::size_t j = 0; j < joined.size(); ++j)
        join(of_joined[j][{joined[j].place[window], name}], *states[g], scorer, limit);
      join(segments[{rank[window], name}], std::move(states[g]));
    }
    const auto finish = [&](auto& groups, auto window_of) {
      std::vector<std::pair<const std::pair<std::size_t, std::string>, std::unique_ptr<GroupState>>*> all;
      for (auto& group : groups) all.push_back(&group);
      std::vector<Finished> done(all.size());
      parallel_for(all.size(), options.threads, [&](std::size_t i) { done[i] = all[i]->second->finish(false); });
      for (std::size_t i = 0; i < all.size(); ++i)
        put(window_of(all[i]->first.first), std::move(done[i]), all[i]->first.second);
    };
    for (std::size_t j = 0; j < joined.size(); ++j)
      finish(of_joined[j], [&](std::size_t w) -> ScoreWindow& { return joined[j].windows[w]; });
    finish(segments, [&](std::size_t w) -> ScoreWindow& { return pass.windows[w]; });
  }
  for (auto& into : joined) {
    if (several && &into == joined.data()) {
      pass.whole = std::move(into.windows[0]);
      continue;
    }
    std::erase_if(into.parts, [](const CutWindow& part) { return !part.starts_cut && !part.ends_cut; });
    pass.cut.push_back(std::move(into.parts)), pass.coarser.push_back(std::move(into.windows));
  }
  // A matrix grows with the square of the classes, and there is one a window.
  constexpr std::size_t kMostCells = 1'000'000;
  const auto& confusion = pass.windows.front().confusion;
  if (several && confusion && confusion->matrix.size() > kMostCells / pass.windows.size()) {
    pass.notes.push_back(fmt::format("{}: of {} classes the confusion matrix is given once, for all windows together",
                                     data.name(), confusion->labels.size()));
    for (auto& w : pass.windows) w.confusion.reset();
  }
  double rounding = 0;
  const auto see = [&](const ScoreWindow& window) {
    for (const auto& r : window.metrics) rounding = std::max(rounding, r.value.rounding);
  };
  std::for_each(pass.windows.begin(), pass.windows.end(), see);
  if (pass.whole) see(*pass.whole);
  if (rounding > 0)
    pass.notes.push_back(fmt::format(
        "{}: more different numbers than are kept; metrics that are not \"exact\" read them to {} of their size, or of "
        "their distance from 1",
        data.name(), human(rounding, 2)));
  return pass;
}

}  // namespace vigie::engine
