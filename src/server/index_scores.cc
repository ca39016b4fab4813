// SPDX-License-Identifier: Apache-2.0
#include "server/index_scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "base/text.h"
#include "metric/metric.h"
#include "server/index_counts.h"

namespace vigie::server {
namespace {

using elastic::array_of;
using elastic::member;
using Json = nlohmann::json;
using metric::Task;
using table::Type;

constexpr std::uint8_t kVersion = 1;
constexpr int kEvenCells = 256;  // of scores of which the reference has no cells
// Of two classes what is read of scores one by one; roc_auc and gini are known within a bound.
constexpr std::array<std::string_view, 6> kOfScores{"pr_auc", "log_loss", "brier", "ece", "ks", "lift_10"};

Type type_of(std::string_view type) {
  if (type == "boolean") return Type::kBoolean;
  return is_whole(type) ? Type::kInteger : is_number(type) ? Type::kFloat : Type::kString;
}

// Where rows come to a metric one by one, how many columns there are does not matter; here they multiply.
bool counts(Task task) {
  return task == Task::kBinary || task == Task::kMulticlass || task == Task::kRegression;
}

// A page of so many buckets at most, or of as many as the cluster bears.
template <class Page>
Status by_fewer(std::size_t& size, const Page& page) {
  auto done = page();
  while (!done && too_many_buckets(done.error()) && size > 1) size /= 2, done = page();
  return done;
}

}  // namespace

std::vector<std::string> not_of_cells() {
  return {kOfScores.begin(), kOfScores.end()};
}

std::string CountedAnswers::save() const {
  ByteWriter out;
  out.fixed(kVersion);
  out.fixed(std::uint8_t{exact});
  out.varint(cells);
  out.fixed(roc_auc_bound);
  rows.save(out);
  return out.take();
}

Result<CountedAnswers> CountedAnswers::load(std::string_view bytes) {
  ByteReader in(bytes);
  const bool known = in.fixed<std::uint8_t>() == kVersion;
  const bool exact = in.fixed<std::uint8_t>() != 0;
  const auto cells = static_cast<std::size_t>(in.varint());
  const auto bound = in.fixed<double>();
  if (!known || !in.ok()) return fail(Code::kCorrupt, "answers that were counted cannot be read");
  VIGIE_ASSIGN(auto rows, CountedRows::load(in, "the window"));
  return CountedAnswers{std::move(rows), exact, cells, bound};
}

engine::ScoreOptions options_for(const CountedAnswers& answers, engine::ScoreOptions options) {
  const auto has = [&](const std::string& name) {
    return std::ranges::any_of(answers.rows.columns(), [&](const auto& column) { return column.name == name; });
  };
  std::erase_if(options.segments, [&](const auto& by) { return !std::ranges::all_of(by, has); });
  if (!answers.exact) {
    std::vector<std::string> told;
    const auto is_told = [&](std::string_view name) { return std::ranges::find(kOfScores, name) == kOfScores.end(); };
    for (const auto* metric : metric::metrics())
      if (metric->task() == options.task || (metric->task() == Task::kFairness && !options.sensitive.empty()))
        if (is_told(metric->name)) told.emplace_back(metric->name);
    if (!options.metrics.empty()) std::erase_if(options.metrics, [&](const auto& name) { return !is_told(name); });
    if (options.metrics.empty()) options.metrics = std::move(told);
  }
  return options;
}

std::unique_ptr<IndexAnswers> IndexAnswers::make(std::shared_ptr<IndexQuery> query, const engine::ScoreOptions& options,
                                                 const engine::Profile& reference, std::vector<std::string>& notes) {
  const auto index = query->rows().index;
  const auto no = [&](const std::string& why) {
    notes.push_back(fmt::format("{}: how good predictions were is not counted: {}", index, why));
    return nullptr;
  };
  if (!counts(options.task))
    return no(fmt::format("a cluster cannot count what {} needs", metric::to_string(options.task)));
  std::unique_ptr<IndexAnswers> out(new IndexAnswers(std::move(query), options));
  const auto find = [&](const std::string& column) -> std::optional<Source> {
    auto [field, type, also] = out->query_->field_of(column);
    if (type != "keyword" && type != "boolean" && !is_number(type)) return {};
    return Source{column, std::move(field), std::move(type)};
  };
  std::string lacks;
  const auto want = [&](const std::string& column) {
    if (column.empty() || std::ranges::find(out->sources_, column, &Source::column) != out->sources_.end()) return;
    if (auto source = find(column))
      out->sources_.push_back(std::move(*source));
    else if (lacks.empty())
      lacks = column;
  };
  want(options.label), want(options.prediction), want(options.sensitive);
  for (const auto& score : options.scores) want(score);
  if (!lacks.empty()) return no(fmt::format("no field there can be counted as {}", vigie::quoted(lacks)));
  for (const auto& by : options.segments) {
    for (const auto& column : by) want(column);
    if (!lacks.empty())
      notes.push_back(
          fmt::format("{}: how good predictions were is not told of segments by {}: a cluster has them by "
                      "fields of keywords",
                      index, engine::to_string(by)));
    lacks.clear();
  }
  if (options.task == Task::kBinary && options.scores.size() == 1) {
    for (const auto& column : reference.columns)
      if (column.name == options.scores[0]) out->cuts_ = column.bins.cuts;
    for (int i = 0; out->cuts_.empty() && i <= kEvenCells; ++i)
      out->cuts_.push_back(static_cast<double>(i) / kEvenCells);
    out->cuts_.push_back(options.threshold);
    std::ranges::sort(out->cuts_);
    out->cuts_.erase(std::unique(out->cuts_.begin(), out->cuts_.end()), out->cuts_.end());
  }
  return out;
}

bool IndexAnswers::is_score(const Source& source) const {
  return std::ranges::find(options_.scores, source.column) != options_.scores.end();
}

CountedAnswers IndexAnswers::empty() const {
  table::Schema columns;
  for (const auto& source : sources_) columns.push_back({source.column, type_of(source.type)});
  if (!options_.timestamp.empty()) columns.push_back({options_.timestamp, Type::kTimestamp});
  return {CountedRows("the window", std::move(columns))};
}

Json IndexAnswers::sources(bool scores) const {
  auto out = Json::array();
  for (std::size_t i = 0; i < sources_.size(); ++i)
    if (scores || !is_score(sources_[i]))
      out.push_back({{fmt::format("c{}", i), {{"terms", {{"field", sources_[i].field}, {"missing_bucket", true}}}}}});
  return out;
}

std::vector<std::uint32_t> IndexAnswers::values_of(CountedRows& rows, const Json& key, bool scores) const {
  std::vector<std::uint32_t> out(rows.columns().size(), CountedRows::kMissing);
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (!scores && is_score(sources_[i])) continue;
    const auto& value = member(key, fmt::format("c{}", i));
    if (value.is_null()) continue;
    const auto type = rows.columns()[i].type;
    if (type == Type::kString)
      out[i] = rows.text(i, value.is_string() ? value.get<std::string>() : value.dump());
    else if (value.is_boolean() || value.is_string())
      out[i] = rows.number(i, value == true || value == "true" ? 1 : 0);
    else if (value.is_number())
      out[i] = rows.number(i, value.get<double>());
  }
  if (out.size() > sources_.size()) out.back() = rows.number(sources_.size(), time_);
  return out;
}

// False: more differ than are asked for.
Result<bool> IndexAnswers::count_all(const Json& filter, CountedAnswers& out) {
  for (Json after;;) {
    std::size_t size = IndexQuery::kMostBuckets, found = 0;
    const auto page = [&]() -> Status {
      Json composite{{"size", size}, {"sources", sources(true)}};
      if (!after.is_null()) composite["after"] = after;
      VIGIE_ASSIGN(const auto said, query_->ask_alone(filter, {{"c", {{"composite", std::move(composite)}}}}));
      const auto& buckets = array_of(said, "aggregations.c.buckets");
      for (const auto& bucket : buckets)
        out.rows.add(values_of(out.rows, member(bucket, "key"), true), count_of(bucket));
      found = buckets.size();
      after = found > 0 ? member(buckets.back(), "key") : Json();
      return {};
    };
    VIGIE_TRY(by_fewer(size, page));
    if (found < size) return true;
    if (out.rows.different() > kMostDifferent) return false;
  }
}

// Of every label and answer how many scores are in which cell. One score stands for all of a cell, their mean, so that
// they tie: roc_auc is then off by half of the pairs that tie at most.
Status IndexAnswers::count_cells(const Json& filter, CountedAnswers& out) {
  const auto at = static_cast<std::size_t>(std::ranges::find_if(sources_, [&](const auto& s) { return is_score(s); }) -
                                           sources_.begin());
  const auto& score = sources_[at];
  const auto ranges = ranges_of(cuts_, score.type);
  const auto cells = ranges.cells.size();
  struct Group {
    std::vector<std::uint32_t> values;
    std::vector<std::int64_t> rows;
    std::int64_t without = 0;
  };
  struct Cell {
    double sum = 0, low = std::numeric_limits<double>::infinity(), high = -low;
    std::int64_t rows = 0;
  };
  std::vector<Group> groups;
  std::vector<Cell> all(cells);
  for (Json after;;) {
    std::size_t size = std::max<std::size_t>(1, IndexQuery::kMostBuckets / (cells + 1)), found = 0;
    const auto page = [&]() -> Status {
      Json composite{{"size", size}, {"sources", sources(false)}};
      if (!after.is_null()) composite["after"] = after;
      const Json stats{{"s", {{"stats", {{"field", score.field}}}}}};
      const Json range{{"range", {{"field", score.field}, {"keyed", false}, {"ranges", ranges.json}}}, {"aggs", stats}};
      VIGIE_ASSIGN(const auto said,
                   query_->ask_alone(filter, {{"c", {{"composite", std::move(composite)}, {"aggs", {{"r", range}}}}}}));
      const auto& buckets = array_of(said, "aggregations.c.buckets");
      for (const auto& bucket : buckets) {
        Group group{values_of(out.rows, member(bucket, "key"), false), {}, count_of(bucket)};
        const auto& there = array_of(bucket, "r.buckets");
        if (there.size() != cells)
          return fail(Code::kCorrupt,
                      fmt::format("{}: the cluster counts other ranges than were asked for", query_->rows().index));
        for (std::size_t cell = 0; cell < cells; ++cell) {
          const auto& one = member(there[cell], "s");
          const auto n = count_of(there[cell]);
          group.rows.push_back(n), group.without -= n;
          if (n == 0) continue;
          auto& to = all[cell];
          to.rows += n, to.sum += figure_of(one, "sum");
          to.low = std::min(to.low, figure_of(one, "min")), to.high = std::max(to.high, figure_of(one, "max"));
        }
        groups.push_back(std::move(group));
      }
      found = buckets.size();
      after = found > 0 ? member(buckets.back(), "key") : Json();
      return {};
    };
    VIGIE_TRY(by_fewer(size, page));
    if (found < size) break;
  }
  std::map<std::uint32_t, std::vector<double>> by_label;  // cells of each class
  for (auto& group : groups) {
    out.rows.add(group.values, group.without);
    for (std::size_t cell = 0; cell < cells; ++cell) {
      if (group.rows[cell] == 0) continue;
      const auto& of = all[cell];
      group.values[at] = out.rows.number(at, std::clamp(of.sum / static_cast<double>(of.rows), of.low, of.high));
      out.rows.add(group.values, group.rows[cell]);
      if (group.values[0] == CountedRows::kMissing) continue;
      auto& of_class = by_label[group.values[0]];
      of_class.resize(cells);
      of_class[cell] += static_cast<double>(group.rows[cell]);
    }
  }
  out.exact = false, out.cells = cells;
  if (by_label.size() != 2) return {};
  double ties = 0, first = 0, second = 0;
  const auto &a = by_label.begin()->second, &b = by_label.rbegin()->second;
  for (std::size_t cell = 0; cell < cells; ++cell) {
    first += a[cell], second += b[cell];
    if (all[cell].low < all[cell].high) ties += a[cell] * b[cell];
  }
  out.roc_auc_bound = ties / (2 * first * second);
  return {};
}

Result<std::optional<CountedAnswers>> IndexAnswers::count(std::int64_t from, std::int64_t to,
                                                          const IndexQuery::Times& rows,
                                                          std::vector<std::string>& notes) {
  const auto filter = query_->filter(from, to);
  const auto note = [&](std::string text) {
    if (std::ranges::find(notes, text) == notes.end()) notes.push_back(std::move(text));
  };
  const auto& index = query_->rows().index;
  time_ = static_cast<double>(rows.first);
  auto out = empty();
  VIGIE_ASSIGN(const bool all, count_all(filter, out));
  if (!all) {
    out = empty();
    if (cuts_.empty()) {
      note(
          fmt::format("{}: of windows of more than {} different answers and labels it is not counted how good they "
                      "were: have shorter windows, or fields of fewer digits",
                      index, with_commas(static_cast<std::int64_t>(kMostDifferent))));
      return std::optional<CountedAnswers>();
    }
    VIGIE_TRY(count_cells(filter, out));
    note(fmt::format(
        "{}: of windows of more than {} different answers and labels scores are counted in {} cells: "
        "roc_auc and gini are known within a bound, {} not",
        index, with_commas(static_cast<std::int64_t>(kMostDifferent)), out.cells, fmt::join(kOfScores, ", ")));
  }
  if (out.rows.rows() != rows.rows) {
    note(
        fmt::format("{}: some rows have several answers or labels, or came while they were counted: how good they "
                    "were is not counted of their windows",
                    index));
    return std::optional<CountedAnswers>();
  }
  if (out.rows.columns().size() > sources_.size())
    out.rows.end_with(sources_.size(), out.rows.number(sources_.size(), static_cast<double>(rows.last)));
  return std::optional(std::move(out));
}

Result<std::optional<CountedAnswers>> IndexAnswers::count(const engine::WindowSpec& windows,
                                                          std::vector<std::string>& notes) {
  VIGIE_ASSIGN(const auto all, query_->times());
  if (!windows.calendar()) return count(all.first, all.last + IndexQuery::kMilli, all, notes);
  VIGIE_ASSIGN(const auto windower, engine::Windower::make(windows));
  std::optional<CountedAnswers> out(empty());
  const auto use = [&](std::int64_t key, const IndexQuery::Times& some) -> Result<bool> {
    const auto from = std::llround(windower.start(key)), to = std::llround(windower.start(key + 1));
    VIGIE_ASSIGN(const auto one, count(from, to, some, notes));
    if (!one) return out.reset(), false;
    out->rows.append(one->rows);
    if (!one->exact) out->exact = false, out->cells = one->cells;
    return true;
  };
  VIGIE_TRY(each_window(*query_, windower, all, use));
  return out;
}

}  // namespace vigie::server
