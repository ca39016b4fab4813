// SPDX-License-Identifier: Apache-2.0
#include "server/index_reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "base/text.h"
#include "engine/quality_reference.h"
#include "engine/roles.h"
#include "engine/score_reference.h"
#include "engine/segmenter.h"
#include "engine/tally.h"
#include "engine/windows.h"
#include "server/index_counts.h"
#include "server/outside_work.h"

namespace vigie::server {
namespace {

using elastic::array_of;
using elastic::member;
using elastic::whole_of;
using engine::ColumnProfile;
using engine::ColumnType;
using Json = nlohmann::json;

constexpr std::int64_t kExactRows = engine::BinBuilder::kBuffer;  // of which bins are those of all values
constexpr double kFewValues = 2'000;                              // different ones, that are asked for one by one
constexpr double kPart = 2'000;                                   // of those in a request
constexpr int kMostParts = 256;
constexpr int kQuantiles = 2'048;
constexpr int kCompression = 1'000;    // of t-digests: a quantile is off by a thousandth of the rows at most
constexpr std::size_t kTogether = 50;  // columns that are asked about in a request
constexpr double kTextDistinct = 50, kTextShare = 0.5;  // as engine::ColumnBuilder tells texts
constexpr std::size_t kMostSegments = 1'000;            // that are looked at
constexpr std::size_t kMostTimes = 1'000;               // of work, that are left out; a query has at most 1,024 clauses
// Of a record, besides its features, prediction and scores.
constexpr std::string_view kOthers[] = {"id",     "timestamp", "label",      "model",        "version",
                                        "status", "trace_id",  "latency_ms", "attributions", "timeline"};
constexpr int kDistinct = 40'000;   // different values that a cluster counts nearly exactly
constexpr int kMostLabels = 1'000;  // of classes; more are texts
constexpr double kExactWhole = 9'007'199'254'740'992;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Column {
  ColumnProfile profile;
  std::string field, type;
  std::int64_t rows = 0, missing = 0;  // with a value, and without
  std::int64_t ignored = 0;            // of those without: with one that the field does not keep
  bool several = false;                // values of a row
  double distinct = 0, low = 0, high = 0;
};

class Maker {
 public:
  Maker(std::shared_ptr<IndexQuery> query, const IndexReferenceOptions& options)
      : options_(options), query_(std::move(query)) {}

  Result<engine::Profile> make() {
    VIGIE_TRY(engine::check_segments(options_.segments));
    VIGIE_TRY(query_->reach());
    VIGIE_TRY(find_columns());
    VIGIE_ASSIGN(const auto all, query_->times());
    query_->end_at(all.last + IndexQuery::kMilli);  // what comes meanwhile is in none of the counts
    profile_.version = options_.version, profile_.source = rows().index, profile_.rows = all.rows;
    profile_.window = options_.window, profile_.has_time = true, profile_.timestamp = rows().time;
    profile_.segmentations.emplace_back(), profile_.segments.emplace_back();
    for (std::size_t i = 0; i < columns_.size(); i += kTogether)
      VIGIE_TRY(look_at(std::span(columns_).subspan(i, std::min(kTogether, columns_.size() - i))));
    const bool parts = options_.window.kind != engine::WindowSpec::Kind::kNone || !options_.segments.empty();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (options_.progress)
        options_.progress((parts ? .5 : 1) * static_cast<double>(i) / static_cast<double>(columns_.size()));
      VIGIE_TRY(learn(columns_[i]));
    }
    if (profile_.columns.empty())
      return fail(Code::kInput, fmt::format("{}: nothing there can be compared{}", rows().index,
                                            profile_.notes.empty() ? "" : "; " + profile_.notes.front()));
    for (const auto& by : options_.segments) VIGIE_TRY(find_segments(by));
    keep_quality(all);
    if (parts) VIGIE_TRY(count_parts());
    return std::move(profile_);
  }

 private:
  const IndexedRows& rows() const { return query_->rows(); }

  Result<Json> ask(Json aggs) {
    VIGIE_ASSIGN(const auto said, query_->ask(query_->filter(rows().from, rows().to), std::move(aggs)));
    const auto& found = member(said, "aggregations");
    if (!found.is_object()) return fail(Code::kCorrupt, fmt::format("{}: the cluster counts nothing", rows().index));
    return found;
  }

  void leave_out(const ColumnProfile& of, std::string_view why) {
    const auto& column = of.name;
    profile_.others.push_back({column, of.source});
    profile_.notes.push_back(fmt::format("{}: {} is not compared: {}", rows().index, vigie::quoted(column), why));
  }

  // What a field is as a column; empty: nothing that is compared.
  std::string column_of(const std::string& field, const std::string& type) const {
    for (const auto& [column, named] : rows().fields)
      if (named == field) return column;
    for (const auto* own : {"vigie.", "agent.", "ecs.", "data_stream."})
      if (field.starts_with(own)) return {};
    if (type == "object" || type == "nested" || field.starts_with("_")) return {};
    if (field == rows().time || field == "@timestamp") return {};
    // Beside a text, for those who count.
    constexpr std::string_view kKeyword = ".keyword";
    if (field.ends_with(kKeyword) && query_->types().contains(field.substr(0, field.size() - kKeyword.size())))
      return {};
    for (const std::string_view before : {"features.", "tags."})
      if (field.starts_with(before)) return field.substr(before.size());
    return field;
  }

  Status find_columns() {
    for (const auto& [column, field] : rows().fields)
      if (!query_->types().contains(field))
        return fail(Code::kUsage,
                    fmt::format("elastic.fields: {} has no field {}", rows().index, vigie::quoted(field)));
    // Of indexes that vigie fills it is known what is what.
    const bool own = query_->types().contains("vigie.model.id");
    std::vector<std::string> names;
    for (const auto& [field, type] : query_->types())
      if (auto name = column_of(field, type);
          !name.empty() && std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(std::move(name));
    auto roles = options_.roles;
    roles.timestamp.clear();
    if (own) {
      for (const auto& name : names) {
        if (name == "prediction" && roles.prediction.empty()) roles.prediction = name;
        const bool score = name == "score" || name.starts_with("scores.");
        if (score && options_.roles.scores.empty()) roles.scores.push_back(name);
        const auto first = name.substr(0, name.find('.'));
        const bool feature = query_->types().contains("features." + name);
        if (!feature && std::ranges::find(kOthers, first) != std::end(kOthers)) roles.ignore.push_back(name);
        if (!feature && query_->types().contains("tags." + name) && !query_->types().contains(name))
          roles.ignore.push_back(name);
      }
    }
    VIGIE_TRY(engine::check_roles(names, roles, rows().index));
    for (const auto& forced : options_.schema)
      if (std::find(names.begin(), names.end(), forced.column) == names.end())
        return fail(Code::kUsage,
                    fmt::format("--schema: {}", unknown_name("column", forced.column, names, " in " + rows().index)));
    for (const auto& name : names) {
      const auto role = engine::compared_as(name, roles);
      if (role && *role != engine::Role::kLabel)
        add_column(name, *role);
      else
        profile_.others.push_back({name, kind_of(query_->field_of(name).type)});
    }
    return {};
  }

  static table::Type kind_of(std::string_view type) {
    using enum table::Type;
    if (type.starts_with("date")) return kTimestamp;
    return type == "boolean" ? kBoolean : is_whole(type) ? kInteger : is_number(type) ? kFloat : kString;
  }

  bool in_nested(const std::string& field) const {
    for (auto dot = field.find('.'); dot != std::string::npos; dot = field.find('.', dot + 1))
      if (const auto above = query_->types().find(field.substr(0, dot));
          above != query_->types().end() && above->second == "nested")
        return true;
    return false;
  }

  void add_column(const std::string& name, engine::Role role) {
    Column column;
    auto& profile = column.profile;
    auto [field, type, also] = query_->field_of(name);
    profile.name = name, profile.role = role, profile.source = table::Type::kString;
    const bool category = std::any_of(options_.schema.begin(), options_.schema.end(), [&](const auto& forced) {
      return forced.column == name && forced.as == ColumnType::kCategorical;
    });
    if (in_nested(field)) return leave_out(profile, "it is in a nested object, of which a row may have several");
    if (type == "boolean") {
      profile.type = ColumnType::kBoolean, profile.source = kind_of(type);
    } else if (type == "keyword" || (is_number(type) && category)) {
      profile.type = ColumnType::kCategorical;
    } else if (is_number(type)) {
      profile.type = ColumnType::kNumeric;
      profile.source = kind_of(type);
    } else {
      return leave_out(profile, fmt::format("a cluster cannot count a field of {}", type));
    }
    column.field = std::move(field), column.type = std::move(type);
    columns_.push_back(std::move(column));
  }

  // What decides how each is counted.
  Status look_at(std::span<Column> columns) {
    Json aggs{{"all", {{"filter", {{"match_all", Json::object()}}}}}};
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto id = std::to_string(i);
      const Json field{{"field", columns[i].field}};
      aggs["missing" + id] = {{"missing", field}}, aggs["values" + id] = {{"value_count", field}};
      aggs["ignored" + id] = IndexQuery::ignored(columns[i].field);
      aggs["distinct" + id] = {{"cardinality", {{"field", columns[i].field}, {"precision_threshold", kDistinct}}}};
      if (columns[i].profile.type == ColumnType::kNumeric) aggs["stats" + id] = {{"stats", field}};
    }
    VIGIE_ASSIGN(const auto found, ask(std::move(aggs)));
    for (std::size_t i = 0; i < columns.size(); ++i) {
      auto& column = columns[i];
      const auto id = std::to_string(i);
      column.missing = count_of(member(found, "missing" + id));
      column.ignored = column.type == "keyword" ? 0 : count_of(member(found, "ignored" + id));
      column.rows = count_of(member(found, "all")) - column.missing;
      if (column.missing > 0 && column.rows > 0) {
        VIGIE_ASSIGN(auto said, query_->said_of_missing(column.profile.name, {column.field, column.type, {}},
                                                        count_of(member(found, "ignored" + id))));
        if (!said.empty()) profile_.notes.push_back(std::move(said));
      }
      column.several = whole_of(found, "values" + id + ".value") > column.rows;
      column.distinct = figure_of(found, "distinct" + id + ".value");
      column.low = figure_of(found, "stats" + id + ".min"), column.high = figure_of(found, "stats" + id + ".max");
    }
    return {};
  }

  Status learn(Column& column) {
    auto& profile = column.profile;
    const auto& name = profile.name;
    if (column.rows == 0) return leave_out(profile, "no row has a value of it"), Status();
    if (column.several) return leave_out(profile, "some rows have several values of it"), Status();
    if (is_whole(column.type) && std::max(-column.low, column.high) > kExactWhole)
      profile_.notes.push_back(fmt::format("{}: numbers of {} above 2^53 are counted as the nearest that a double has",
                                           rows().index, vigie::quoted(name)));
    if (profile.categorical()) {
      const bool all_different =
          column.distinct >= kTextDistinct && column.distinct > kTextShare * static_cast<double>(column.rows);
      if (all_different && profile.type != ColumnType::kBoolean && column.type == "keyword")
        return leave_out(
                   profile,
                   fmt::format("nearly every row has another value, as ids and texts do: about {} in {} (cardinality, "
                               "precision_threshold {})",
                               with_commas(std::llround(column.distinct)), plural(column.rows, "row"), kDistinct)),
               Status();
      VIGIE_ASSIGN(const bool whole, learn_categories(column));
      if (!whole)
        return leave_out(profile,
                         fmt::format("more than {} categories, or names too long to be kept", engine::kCategories)),
               Status();
    } else if (column.rows <= kExactRows || column.distinct <= kFewValues) {
      VIGIE_TRY(learn_values(column));
    } else {
      VIGIE_TRY(learn_quantiles(column));
      profile_.notes.push_back(fmt::format(
          "{}: cells of {} are chosen by approximate quantiles (t-digest of compression {}), and counted exactly",
          rows().index, vigie::quoted(name), kCompression));
    }
    profile.parts.assign(1, std::vector<engine::Part>(1));
    auto& counts = profile.parts[0][0].counts;
    counts.cells = profile.bins.counts;
    if (profile.categorical()) {
      for (const auto& category : profile.categories) counts.cells.push_back(category.count);
      counts.cells.push_back(0);
    }
    counts.missing = column.missing;
    profile.distinct = column.distinct;
    check(column);
    profile_.columns.push_back(std::move(profile));
    return {};
  }

  // What checks of data quality need of a column: no sample of it, and so nothing of outliers.
  void check(const Column& column) {
    const auto& profile = column.profile;
    const bool texts = profile.categorical() && profile.source == table::Type::kString;
    const auto role = profile.role == engine::Role::kFeature ? quality::Role::kFeature : quality::Role::kOther;
    checked_.push_back({profile.name, texts ? quality::Kind::kString : quality::Kind::kNumber, role});
    std::vector<std::pair<std::string, std::int64_t>> named;
    for (const auto& category : profile.categories) named.emplace_back(category.name, category.count);
    values_.push_back(profile.categorical() ? counted_categories(named, 0, checked_.back().kind)
                                            : counted_numbers(column.rows, column.low, column.high, {}, {}));
    values_.back().mismatches = column.ignored;
  }

  void keep_quality(const IndexQuery::Times& all) {
    checked_.push_back({rows().time, quality::Kind::kTime, quality::Role::kTime});
    auto& times = values_.emplace_back().numbers;
    times.emplace_back(static_cast<double>(all.first), profile_.rows - (profile_.rows > 1));
    if (profile_.rows > 1) times.emplace_back(static_cast<double>(all.last), 1);
    quality::TableState state(checked_, nullptr, quality::Depth::kCounts);
    add_counted(state, profile_.rows, values_);
    profile_.quality = engine::as_stored(state);
  }

  // Whether all of them can be kept by name.
  Result<bool> learn_categories(Column& column) {
    auto& profile = column.profile;
    VIGIE_ASSIGN(const auto found,
                 ask({{"t", {{"terms", {{"field", column.field}, {"size", engine::kCategories + 1}}}}}}));
    std::size_t bytes = 0;
    for (const auto& bucket : array_of(found, "t.buckets")) {
      profile.categories.push_back({category_of(bucket), count_of(bucket)});
      bytes += profile.categories.back().name.size();
    }
    if (profile.categories.size() > engine::kCategories || bytes > engine::kCategoryBytes) return false;
    std::sort(profile.categories.begin(), profile.categories.end(),
              [](const auto& a, const auto& b) { return a.count != b.count ? a.count > b.count : a.name < b.name; });
    column.distinct = static_cast<double>(profile.categories.size());
    return true;
  }

  // All values, part by part of them.
  Status learn_values(Column& column) {
    for (auto parts = std::max(1, static_cast<int>(std::ceil(column.distinct * 1.1 / kPart)));; parts *= 2) {
      if (parts > kMostParts)
        return fail(Code::kUnavailable, fmt::format("{}: {} has more values than the cluster tells", rows().index,
                                                    vigie::quoted(column.profile.name)));
      std::vector<engine::Tie> ties;
      bool all = true;
      for (int part = 0; part < parts && all; ++part) {
        Json terms{{"field", column.field}, {"size", kPart * 3 / 2}};
        if (parts > 1) terms["include"] = {{"partition", part}, {"num_partitions", parts}};
        const auto found = ask({{"t", {{"terms", std::move(terms)}}}});
        if (!found && !too_many_buckets(found.error())) return found.error();
        all = found && whole_of(*found, "t.sum_other_doc_count") == 0;
        if (!all) break;
        for (const auto& bucket : array_of(*found, "t.buckets"))
          ties.push_back({figure_of(bucket, "key") + 0.0, count_of(bucket)});
      }
      if (!all) continue;
      std::sort(ties.begin(), ties.end(), [](const auto& a, const auto& b) { return a.value < b.value; });
      // 0 and -0 are one value.
      for (std::size_t i = 1; i < ties.size(); ++i)
        if (ties[i].value == ties[i - 1].value) ties[i].count += std::exchange(ties[i - 1].count, 0);
      std::erase_if(ties, [](const auto& tie) { return tie.count == 0; });
      column.distinct = static_cast<double>(ties.size());
      column.profile.bins = engine::make_bins(ties);
      return {};
    }
  }

  // Cells sixteen times finer than needed, which are joined once it is known how many rows each has.
  Status learn_quantiles(Column& column) {
    auto percents = Json::array();
    for (int i = 1; i < kQuantiles; ++i) percents.push_back(100. * i / kQuantiles);
    VIGIE_ASSIGN(const auto found, ask({{"q",
                                         {{"percentiles",
                                           {{"field", column.field},
                                            {"percents", std::move(percents)},
                                            {"keyed", false},
                                            {"tdigest", {{"compression", kCompression}}}}}}}}));
    std::vector<double> values{column.low};
    for (const auto& one : array_of(found, "q.values"))
      // Between two values a quantile is any number: one that the field can have is a bound that counts are exact of.
      values.push_back(kept(std::clamp(figure_of(one, "value"), column.low, column.high), column.type));
    std::sort(values.begin(), values.end());
    engine::Bins fine;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!fine.cuts.empty() && values[i] < fine.cuts.back()) continue;
      if (fine.cuts.empty() || fine.cuts.back() < values[i]) fine.cuts.push_back(values[i]);
      // One that is several quantiles has many rows, and a cell of its own.
      if (i + 1 < values.size() && values[i + 1] == values[i])
        fine.cuts.push_back(std::nextafter(values[i], kInfinity));
    }
    const double end = std::nextafter(column.high, kInfinity);
    if (fine.cuts.back() < end) fine.cuts.push_back(end);
    fine.counts.resize(fine.cuts.size() + 1), fine.centers.resize(fine.counts.size());
    const auto ranges = ranges_of(fine.cuts, column.type);
    VIGIE_TRY(in_parts(0, ranges.cells.size(),
                       [&](auto first, auto last) { return count_cells(column, ranges, first, last, fine); }));
    column.profile.bins = engine::coarsen(fine);
    column.profile.exact = false;
    return {};
  }

  Status count_cells(const Column& column, const Ranges& ranges, std::size_t first, std::size_t last,
                     engine::Bins& fine) {
    const auto begin = ranges.json.begin();
    const Json some(
        std::vector<Json>(begin + static_cast<std::ptrdiff_t>(first), begin + static_cast<std::ptrdiff_t>(last)));
    VIGIE_ASSIGN(const auto found, ask({{"r",
                                         {{"range", {{"field", column.field}, {"keyed", false}, {"ranges", some}}},
                                          {"aggs", {{"mean", {{"avg", {{"field", column.field}}}}}}}}}}));
    const auto& buckets = array_of(found, "r.buckets");
    if (buckets.size() != last - first)
      return fail(Code::kCorrupt, fmt::format("{}: the cluster counts other ranges than were asked for", rows().index));
    for (auto i = first; i < last; ++i) {
      const auto cell = ranges.cells[i];
      const auto& bucket = buckets[i - first];
      fine.counts[cell] = count_of(bucket), fine.centers[cell] = figure_of(bucket, "mean.value");
    }
    return {};
  }

  Status find_segments(const engine::SegmentBy& by) {
    const auto name = engine::to_string(by);
    const auto field = by.size() == 1 ? query_->keywords_of(by[0]) : std::string();
    if (field.empty())
      return fail(Code::kUsage,
                  fmt::format("--segment {}: {} has segments by one field of keywords", name, rows().index));
    VIGIE_ASSIGN(const auto found, ask({{"t", {{"terms", {{"field", field}, {"size", kMostSegments}}}}},
                                        {"missing", {{"missing", {{"field", field}}}}}}));
    std::vector<std::string> names;
    std::vector<std::int64_t> counts;
    const auto add = [&](const std::string& value, std::int64_t n) {
      names.push_back(fmt::format("{}={}", name, value)), counts.push_back(n);
    };
    for (const auto& bucket : array_of(found, "t.buckets")) add(category_of(bucket), count_of(bucket));
    if (const auto none = count_of(member(found, "missing")); none > 0) add("(missing)", none);
    if (whole_of(found, "t.sum_other_doc_count") > 0) add("(rare)", 0);  // too few rows each to be watched
    profile_.segmentations.push_back(by);
    profile_.segments.push_back(engine::segments_to_watch(by, names, counts));
    return {};
  }

  // Counts of windows and segments on the axes that were found.
  Status count_parts() {
    VIGIE_ASSIGN(const auto counts, IndexCounts::make(query_, profile_, options_.segments));
    VIGIE_ASSIGN(const auto counted, counts->count(options_.window, [&](double share) {
      if (options_.progress) options_.progress(.5 + share / 2);
    }));
    engine::keep_windows(profile_, counted);
    return {};
  }

  const IndexReferenceOptions& options_;
  std::shared_ptr<IndexQuery> query_;
  std::vector<Column> columns_;
  engine::Profile profile_;
  std::vector<quality::ColumnSpec> checked_;  // columns of the state of quality, and their values
  std::vector<CountedValues> values_;
};

Result<engine::Profile> make(std::shared_ptr<IndexQuery> query, const IndexReferenceOptions& options) {
  VIGIE_TRY(check_order(query->rows().index, options.window));
  return Maker(std::move(query), options).make();
}

// Without the windows that have an instant in common with a time of work, which are in the order of their begin.
Status leave_out(IndexQuery& query, const std::vector<Maintenance::Time>& works, const engine::WindowSpec& spec) {
  VIGIE_ASSIGN(const auto windows, engine::Windower::make(spec));
  const auto start = [&](std::int64_t key) -> std::int64_t { return std::llround(windows.start(key)); };
  std::vector<std::pair<std::int64_t, std::int64_t>> out;
  for (const auto& work : works) {
    const auto from = start(windows.key_of(static_cast<double>(work.from)));
    const auto to = start(windows.key_of(static_cast<double>(work.to - 1)) + 1);
    if (!out.empty() && from <= out.back().second)
      out.back().second = std::max(out.back().second, to);
    else
      out.emplace_back(from, to);
  }
  if (out.size() > kMostTimes)
    return fail(Code::kInput, fmt::format("{}: more than {} times of planned maintenance in it: have less time between "
                                          "from and to",
                                          query.rows().index, kMostTimes));
  query.leave_out(std::move(out));
  return {};
}

// The task that the fields speak of.
Result<std::optional<metric::Task>> task_of(IndexQuery& query, const engine::Profile& profile,
                                            const engine::ScoreOptions& scoring) {
  const auto field = query.field_of(scoring.label);
  Json distinct{{"n", {{"cardinality", {{"field", field.name}, {"precision_threshold", kMostLabels}}}}}};
  VIGIE_ASSIGN(const auto said, query.ask(query.filter(query.rows().from, query.rows().to), std::move(distinct)));
  engine::Profile told;
  auto& label = told.columns.emplace_back();
  label.name = scoring.label, label.role = engine::Role::kLabel;
  label.distinct = figure_of(said, "aggregations.n.value");
  label.type = is_number(field.type)          ? ColumnType::kNumeric
               : field.type == "boolean"      ? ColumnType::kBoolean
               : label.distinct > kMostLabels ? ColumnType::kText
                                              : ColumnType::kCategorical;
  for (const auto& column : profile.columns) {
    const bool answer = column.name == scoring.prediction || std::ranges::count(scoring.scores, column.name) > 0;
    if (!answer) continue;
    auto& of = told.columns.emplace_back();
    of.name = column.name, of.type = column.type;
    of.role = column.name == scoring.prediction ? engine::Role::kPrediction : engine::Role::kScore;
  }
  return engine::likely_task(told);
}

}  // namespace

Status keep_index_scores(engine::Profile& profile, const std::shared_ptr<IndexQuery>& query,
                         engine::ScoreOptions scoring, bool guessed) {
  VIGIE_TRY(query->reach());
  const auto& index = query->rows().index;
  const bool own = query->types().contains("vigie.model.id") && !query->field_of("label").type.empty();
  if (scoring.label.empty() && own) scoring.label = "label";
  if (scoring.prediction.empty() && scoring.scores.empty())
    for (const auto& column : profile.columns) {
      if (column.role == engine::Role::kPrediction) scoring.prediction = column.name;
      if (column.role == engine::Role::kScore) scoring.scores.push_back(column.name);
    }
  if (scoring.label.empty() || (scoring.prediction.empty() && scoring.scores.empty()))
    return guessed ? Status() : fail(Code::kUsage, index + ": no label, or no prediction and score, are named");
  scoring.window = profile.window, scoring.timestamp = query->rows().time, scoring.threads = 1;
  const auto no = [&](std::string why) -> Status {
    if (!guessed) return fail(Code::kUsage, std::move(why));
    profile.notes.push_back(std::move(why));
    return {};
  };
  if (query->field_of(scoring.label).type.empty())
    return no(fmt::format("{}: how good predictions were is not counted: there is no field {}", index,
                          vigie::quoted(scoring.label)));
  if (guessed) {
    VIGIE_ASSIGN(const auto task, task_of(*query, profile, scoring));
    if (!task)
      return no(fmt::format("{}: how good predictions were is not counted: the fields do not tell the task", index));
    scoring.task = *task;
  }
  std::vector<std::string> notes;
  const auto answers = IndexAnswers::make(query, scoring, profile, notes);
  std::optional<CountedAnswers> counted;
  if (answers) {
    VIGIE_ASSIGN(counted, answers->count(scoring.window, notes));
  }
  if (!counted && !guessed) return fail(Code::kUsage, notes.empty() ? index : notes.back());
  profile.notes.insert(profile.notes.end(), notes.begin(), notes.end());
  if (!counted) return {};
  auto scores = engine::store_scores(counted->rows, options_for(*counted, scoring));
  if (!scores && !guessed) return std::move(scores.error());
  if (!scores)
    return no(fmt::format("{}: how good predictions were is not kept: taken for --task {}, but {}", index,
                          metric::to_string(scoring.task), scores.error().message));
  profile.scores = std::move(*scores);
  return {};
}

Result<engine::Profile> make_index_reference(const IndexedRows& rows, const IndexReferenceOptions& options) {
  auto query = std::make_shared<IndexQuery>(rows);
  query->stop_when(options.stop);
  return make(std::move(query), options);
}

Result<WatchedReference> make_index_reference(IndexedRows rows, const ModelConfig& model, const TimesOfWork& works,
                                              IndexReferenceOptions options) {
  const auto index = rows.index;
  auto query = std::make_shared<IndexQuery>(std::move(rows));
  query->stop_when(options.stop);
  VIGIE_TRY(query->reach());
  VIGIE_ASSIGN(const auto all, query->times());
  query->end_at(all.last + IndexQuery::kMilli);
  options.roles.features = model.features, options.roles.ignore = model.ignore, options.segments = model.segments;
  options.window = model.window;
  // As records have them.
  const auto number = [&](std::string_view name) { return is_number(query->field_of(name).type); };
  if (!query->field_of("prediction").type.empty()) options.roles.prediction = "prediction";
  if (number("score")) options.roles.scores = {"score"};
  if (!query->field_of("label").type.empty()) options.roles.label = "label";
  const bool chosen = options.window.kind != engine::WindowSpec::Kind::kNone;
  std::int64_t in_maintenance = 0;
  if (!chosen || options.window.calendar()) {
    engine::WindowSpec by_day = options.window;
    by_day.kind = engine::WindowSpec::Kind::kDay;
    VIGIE_ASSIGN(const auto days, engine::Windower::make(by_day));
    std::vector<Maintenance::Time> times;
    std::size_t without = 0;
    const auto look = [&](std::int64_t key, const auto&) -> Result<bool> {
      const auto some = works(std::llround(days.start(key)), std::llround(days.start(key + 1)), kMostTimes);
      without += some.empty();
      times.insert(times.end(), some.begin(), some.end());
      return true;
    };
    VIGIE_TRY(each_window(*query, days, all, look));
    if (!chosen) options.window.kind = without < kTellingWindows ? engine::WindowSpec::Kind::kHour : by_day.kind;
    VIGIE_TRY(leave_out(*query, times, options.window));
    if (!times.empty()) {
      VIGIE_ASSIGN(const auto rest, query->times(all.first, all.last + IndexQuery::kMilli));
      if (rest.rows == 0) return fail(Code::kInput, index + ": all rows are in windows of planned maintenance");
      in_maintenance = all.rows - rest.rows;
    }
  }
  WatchedReference out;
  VIGIE_ASSIGN(out.profile, make(query, options));
  engine::ScoreOptions scoring;
  scoring.label = options.roles.label, scoring.segments = options.segments, scoring.positive = model.positive;
  if (model.task) scoring.task = *model.task;
  VIGIE_TRY(keep_index_scores(out.profile, query, std::move(scoring), !model.task));
  out.in_maintenance = std::max<std::int64_t>(0, in_maintenance);
  return out;
}

}  // namespace vigie::server
