// SPDX-License-Identifier: Apache-2.0
#include "server/index_counts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/text.h"
#include "elastic/target.h"
#include "engine/kept_counts.h"
#include "engine/score_reference.h"
#include "engine/windows.h"

namespace vigie::server {
namespace {

using elastic::array_of;
using elastic::member;
using elastic::whole_of;
using Json = nlohmann::json;
using engine::ColumnType;

constexpr std::size_t kMostParts = 1'000'000, kMostBytes = std::size_t{2} << 30;
constexpr double kFar = static_cast<double>(engine::kFarthest) / 1e6;  // sd
constexpr std::string_view kMissing = "(missing)", kOther = "(other)";

}  // namespace

IndexCounts::IndexCounts(std::shared_ptr<IndexQuery> query, const engine::Profile& reference)
    : query_(std::move(query)), reference_(reference) {}

Result<std::unique_ptr<IndexCounts>> IndexCounts::make(std::shared_ptr<IndexQuery> query,
                                                       const engine::Profile& reference,
                                                       const std::vector<engine::SegmentBy>& segments) {
  for (const auto& by : segments)
    if (std::find(reference.segmentations.begin(), reference.segmentations.end(), by) == reference.segmentations.end())
      return fail(Code::kUsage, fmt::format("the reference has no segments by {}", engine::to_string(by)));
  std::unique_ptr<IndexCounts> out(new IndexCounts(std::move(query), reference));
  VIGIE_TRY(out->query_->reach());
  VIGIE_TRY(out->find_columns());
  out->find_segments(segments);
  if (out->reference_.scores) {
    auto scoring = out->reference_.scores->options;
    scoring.timestamp = out->reference_.timestamp;
    out->answers_ = IndexAnswers::make(out->query_, scoring, out->reference_, out->notes_);
    if (!out->answers_) out->reference_.scores = nullptr, out->left_out_ = true;
  }
  return out;
}

// Columns that are counted, and the time of windows: what is not read is not judged.
void IndexCounts::find_quality(bool calendar) {
  if (fresh_ || !reference_.quality) return;
  std::vector<quality::ColumnSpec> columns;
  for (const auto& column : reference_.columns) {
    const auto* known = reference_.quality->find(column.name);
    const bool counted = known && (known->spec().kind == quality::Kind::kNumber ||
                                   (known->spec().kind == quality::Kind::kString && column.categorical()));
    slot_.push_back(counted ? columns.size() : std::string::npos);
    if (counted) columns.push_back(known->spec());
  }
  if (const auto* time = calendar ? reference_.quality->find(reference_.timestamp) : nullptr;
      time && time->spec().kind == quality::Kind::kTime) {
    time_slot_ = columns.size();
    columns.push_back(time->spec());
  }
  fresh_ = std::make_unique<quality::TableState>(std::move(columns), reference_.quality.get(), quality::Depth::kCounts);
}

Status IndexCounts::find_columns() {
  const auto& rows = query_->rows();
  const auto knows = [&](const std::string& column) {
    const auto named = [&](const auto& known) { return known.name == column; };
    return std::any_of(reference_.columns.begin(), reference_.columns.end(), named) ||
           std::any_of(reference_.others.begin(), reference_.others.end(), named) ||
           std::find(reference_.segmentations.begin(), reference_.segmentations.end(), engine::SegmentBy{column}) !=
               reference_.segmentations.end();
  };
  for (const auto& [column, field] : rows.fields)
    if (!knows(column))
      return fail(Code::kUsage, fmt::format("elastic.fields: {} is no column of the reference", vigie::quoted(column)));

  std::vector<std::string> gone;
  std::string rounded;
  const auto leave_out = [&](const std::string& column, std::string_view why) {
    gone.push_back(column);
    notes_.push_back(fmt::format("{}: {} is not compared: {}", rows.index, vigie::quoted(column), why));
  };
  for (const auto& column : reference_.columns) {
    const auto& name = column.name;
    auto [field, type, also] = query_->field_of(name);
    if (!also.empty())
      notes_.push_back(fmt::format("{}: {} is there as {} and as {}: only the former is counted", rows.index,
                                   vigie::quoted(name), field, also));
    const bool numeric = column.type == ColumnType::kNumeric, categorical = column.categorical();
    const auto other = fmt::format("the field {} is of {}", field, type);
    const auto unlike = [&](std::string why) {
      leave_out(name, why);
      unlike_.push_back({name, numeric ? "number" : "category", std::move(why)});
    };
    if (column.role == engine::Role::kLabel) {
      gone.push_back(name);
    } else if (!numeric && !categorical) {
      leave_out(name, fmt::format("a cluster cannot count a column of {}", engine::to_string(column.type)));
    } else if (type.empty()) {
      unlike(field.empty() ? "no field is called so" : fmt::format("there is no field {}", field));
    } else if (numeric && !is_number(type)) {
      unlike(other);
    } else if (categorical && type != "keyword" && type != "boolean" && !is_number(type)) {
      unlike(other);
    } else if (numeric && column.bins.cuts.empty()) {
      leave_out(name, "the reference has no value of it");
    } else {
      if (type == "scaled_float") {
        notes_.push_back(
            fmt::format("{}: {} is kept there as scaled_float: a value may be counted in the cell beside its "
                        "own",
                        rows.index, vigie::quoted(name)));
      } else if (is_rounded(type)) {
        // Rows of cells that are one there would be found to have moved.
        const auto ranges = ranges_of(column.bins.cuts, type);
        std::int64_t there = 0;
        for (const auto cell : ranges.cells) there += column.bins.counts[cell];
        if (there < std::accumulate(column.bins.counts.begin(), column.bins.counts.end(), std::int64_t{0})) {
          leave_out(name, fmt::format("the field {} keeps fewer digits than its values differ by", field));
          continue;
        }
        rounded += (rounded.empty() ? "" : ", ") + vigie::quoted(name);
      }
      columns_.push_back({name, column.source});
      fields_.push_back({std::move(field), std::move(type)});
    }
  }
  if (!rounded.empty())
    notes_.push_back(
        fmt::format("{}: of {} fewer digits are kept there: values that are the same with those are counted "
                    "in the same cell",
                    rows.index, rounded));
  const auto is_gone = [&](const std::string& name) { return std::find(gone.begin(), gone.end(), name) != gone.end(); };
  left_out_ = left_out_ || !gone.empty();
  std::erase_if(reference_.aspects, [&](const auto& aspect) { return is_gone(aspect.profile.name); });
  for (const auto& column : reference_.columns)
    if (is_gone(column.name)) reference_.others.push_back({column.name, column.source});
  std::erase_if(reference_.columns, [&](const auto& column) { return is_gone(column.name); });
  if (reference_.columns.empty())
    return fail(Code::kUsage, fmt::format("{}: no field there is a column of the reference{}", rows.index,
                                          notes_.empty() ? "" : "; " + notes_.front()));

  return {};
}

void IndexCounts::find_segments(const std::vector<engine::SegmentBy>& segments) {
  by_.emplace_back();
  for (std::size_t k = 1; k < reference_.segmentations.size();) {
    const auto& by = reference_.segmentations[k];
    const bool wanted = std::find(segments.begin(), segments.end(), by) != segments.end();
    auto field = wanted && by.size() == 1 ? query_->keywords_of(by[0]) : std::string();
    if (!field.empty()) {
      by_.push_back(std::move(field)), ++k;
      continue;
    }
    if (wanted)
      notes_.push_back(fmt::format("{}: no segments by {}: a cluster has them by one field of keywords",
                                   query_->rows().index, engine::to_string(by)));
    left_out_ = true;
    const auto at = static_cast<std::ptrdiff_t>(k);
    reference_.segmentations.erase(reference_.segmentations.begin() + at);
    reference_.segments.erase(reference_.segments.begin() + at);
    for (std::size_t c = 0; c < reference_.counted(); ++c)
      reference_.counted(c).parts.erase(reference_.counted(c).parts.begin() + at);
  }
}

Json IndexCounts::filter(std::int64_t from, std::int64_t to, std::size_t k, std::size_t s) const {
  auto out = query_->filter(from, to);
  auto& filters = out["bool"]["filter"];
  if (k == 0) return out;
  // As "region=eu", "region=(missing)", and "region=(other)" for all that have none of their own.
  const auto value_of = [&](const std::string& segment) {
    return segment.substr(reference_.segmentations[k][0].size() + 1);
  };
  const Json there{{"exists", {{"field", by_[k]}}}};
  const auto value = value_of(reference_.segments[k][s]);
  auto& without = out["bool"]["must_not"];
  if (value == kMissing) {
    without.push_back(there);
  } else if (value == kOther) {
    auto named = Json::array();
    for (const auto& segment : reference_.segments[k]) {
      const auto name = value_of(segment);
      if (name == kMissing) filters.push_back(there);
      if (name != kMissing && name != kOther) named.push_back(name);
    }
    without.push_back({{"terms", {{by_[k], std::move(named)}}}});
  } else {
    filters.push_back({{"term", {{by_[k], value}}}});
  }
  return out;
}

Status check_order(const std::string& index, const engine::WindowSpec& windows) {
  if (windows.kind != engine::WindowSpec::Kind::kRows) return {};
  return fail(
      Code::kUsage,
      fmt::format("{}: an index has no order: no windows by rows, but by minutes, hour, day, week or month", index));
}

Status each_window(IndexQuery& query, const engine::Windower& windows, const IndexQuery::Times& all,
                   const std::function<Result<bool>(std::int64_t key, const IndexQuery::Times& rows)>& use) {
  for (auto key = windows.key_of(static_cast<double>(all.first));
       windows.start(key) <= static_cast<double>(all.last);) {
    const auto to = std::llround(windows.start(key + 1));
    VIGIE_ASSIGN(const auto some, query.times(std::llround(windows.start(key)), to));
    if (some.rows > 0) {
      VIGIE_ASSIGN(const bool more, use(key++, some));
      if (!more) return {};
      continue;
    }
    VIGIE_ASSIGN(const auto next, query.times(to, all.last + IndexQuery::kMilli));
    if (next.rows == 0) return {};
    key = windows.key_of(static_cast<double>(next.first));
  }
  return {};
}

Result<engine::Tally> IndexCounts::count(const engine::WindowSpec& windows, const engine::Progress& progress) {
  VIGIE_TRY(check_order(query_->rows().index, windows));
  VIGIE_ASSIGN(const auto all, query_->times());
  VIGIE_ASSIGN(auto windower, engine::Windower::make(windows));
  find_quality(windows.calendar());
  auto tally = engine::empty_counts(reference_, 0);
  const auto first = all.first, last = all.last;
  if (!windows.calendar()) {
    windower.met(0, static_cast<double>(first), static_cast<double>(last));
    VIGIE_TRY(add(tally, 0, first, last + IndexQuery::kMilli, all));
  } else {
    const auto use = [&](auto key, const auto& some) -> Result<bool> {
      const auto from = std::llround(windower.start(key)), to = std::llround(windower.start(key + 1));
      VIGIE_TRY(check_room(tally, windower.size() + 1));
      if (progress) progress(static_cast<double>(from - first) / static_cast<double>(last - first + 1));
      const auto window = windower.met(key, static_cast<double>(some.first), static_cast<double>(some.last));
      VIGIE_TRY(add(tally, window, from, to, some));
      return true;
    };
    VIGIE_TRY(each_window(*query_, windower, all, use));
  }
  tally.windower = std::move(windower);
  return tally;
}

Result<engine::Tally> IndexCounts::count(const engine::WindowSpec& windows, std::int64_t key, std::int64_t from,
                                         std::int64_t to, const IndexQuery::Times& rows) {
  VIGIE_ASSIGN(auto windower, engine::Windower::make(windows));
  find_quality(windows.calendar());
  auto tally = engine::empty_counts(reference_, 0);
  windower.met(key, static_cast<double>(from), static_cast<double>(to - 1));
  VIGIE_TRY(add(tally, 0, from, to, rows));
  tally.windower = std::move(windower);
  return tally;
}

Status IndexCounts::check_room(const engine::Tally& tally, std::size_t windows) const {
  const auto segments = std::accumulate(tally.widths.begin(), tally.widths.end(), std::size_t{0});
  std::size_t bytes = 0;
  for (const auto& column : reference_.columns) bytes += sizeof(engine::Counts) + column.cells() * sizeof(std::int64_t);
  if (windows * segments <= std::min(kMostParts, kMostBytes / bytes)) return {};
  return fail(
      Code::kUsage,
      fmt::format("{}: more than {} windows of {} segments and {} columns each, too much to be counted at once: "
                  "have fewer segments, longer windows, or less time between from and until",
                  query_->rows().index, windows - 1, segments, reference_.columns.size()));
}

Status IndexCounts::add(engine::Tally& tally, std::size_t window, std::int64_t from, std::int64_t to,
                        const IndexQuery::Times& times) {
  engine::add_window(tally, reference_);
  bounds_.clear();
  if (fresh_) values_.assign(fresh_->columns().size(), {});
  for (std::size_t k = 0; k < tally.widths.size(); ++k) {
    for (std::size_t s = 0; s < tally.widths[k]; ++s) {
      const auto rows = filter(from, to, k, s);
      for (std::size_t c = 0, last = 0; c < reference_.columns.size(); c = last) {
        for (std::size_t buckets = 0; last < reference_.columns.size(); ++last) {
          const auto& column = reference_.columns[last];
          buckets += column.cells() + (column.categorical() ? engine::kFresh : 12);
          if (buckets > IndexQuery::kMostBuckets && last > c) break;
        }
        VIGIE_TRY(in_parts(c, last,
                           [&](auto begin, auto end) { return add_columns(tally, begin, end, window, k, s, rows); }));
      }
    }
  }
  if (fresh_) add_quality(tally, window, times);
  return {};
}

void IndexCounts::add_quality(engine::Tally& tally, std::size_t window, const IndexQuery::Times& times) {
  const auto rows = tally.window_rows[window];
  auto state = fresh_->copy();
  if (time_slot_ != std::string::npos && rows > 0) {
    auto& values = values_[time_slot_].numbers;
    values.emplace_back(static_cast<double>(times.first), rows - (rows > 1));
    if (rows > 1) values.emplace_back(static_cast<double>(times.last), 1);
  }
  add_counted(state, rows, values_);
  tally.quality.push_back(std::move(state));
}

// How far off what shards count apart may be, and how much of it has no name.
void IndexCounts::note_bounds(const std::string& column, std::int64_t rows, const Json& cells, const Json& fresh,
                              std::int64_t others) {
  Bound bound{column, 0, std::max<std::int64_t>(0, others), rows};
  for (const auto* terms : {&cells, &fresh})
    bound.error = std::max(bound.error, whole_of(*terms, "doc_count_error_upper_bound"));
  if (bound.error == 0 && bound.others == 0) return;
  bounds_.push_back(bound);
  if (bound.error == 0 || !bounded_.insert(column).second) return;
  notes_.push_back(
      fmt::format("{}: new categories of {} are counted shard by shard: in the count of one up to {} may be missing",
                  query_->rows().index, vigie::quoted(column), plural(bound.error, "row")));
}

Status IndexCounts::add_columns(engine::Tally& tally, std::size_t first, std::size_t last, std::size_t window,
                                std::size_t k, std::size_t s, const Json& filter) {
  Json aggs = Json::object();
  std::vector<std::vector<std::size_t>> cells_of(last - first);  // of numbers those that are asked about
  for (auto c = first; c < last; ++c) {
    const auto& column = reference_.columns[c];
    const auto& field = fields_[c].field;
    const bool text = fields_[c].type == "keyword";
    const auto id = std::to_string(c);
    aggs["missing" + id] = {{"missing", {{"field", field}}}};
    aggs["ignored" + id] = query_->ignored(field);
    if (column.categorical()) {
      auto names = Json::array();
      for (const auto& category : column.categories) names.push_back(category.name);
      Json known{{"field", field}, {"size", std::max<std::size_t>(1, names.size())}};
      if (text) known["include"] = names;
      if (!text) known["size"] = engine::kCategories + engine::kFresh;
      aggs["cells" + id] = {{"terms", std::move(known)}};
      // Where the reference's own names were cut short, a new one cannot be told from a rare one.
      if (text && column.other == 0 && !column.halved)
        aggs["fresh" + id] = {{"terms", {{"field", field}, {"size", engine::kFresh}, {"exclude", names}}}};
      continue;
    }
    const auto& cuts = column.bins.cuts;
    auto ranges = ranges_of(cuts, fields_[c].type);
    cells_of[c - first] = std::move(ranges.cells);
    aggs["cells" + id] = {{"range", {{"field", field}, {"keyed", false}, {"ranges", std::move(ranges.json)}}}};
    aggs["stats" + id] = {{"stats", {{"field", field}}}};
    const Json sum{{"sum", {{"sum", {{"field", field}}}}}};
    const auto outside = [&](const char* which, Json range) {
      aggs[which + id] = {{"filter", {{"range", {{field, std::move(range)}}}}}, {"aggs", sum}};
    };
    const auto low = cuts.front(), high = column.bins.centers.back(), far = kFar * column.bins.sd;
    outside("below", {{"lt", low}, {"gte", low - far}});
    outside("above", {{"gt", high}, {"lte", high + far}});
    outside("farbelow", {{"lt", low - far}});
    outside("farabove", {{"gt", high + far}});
    if (k > 0 || !fresh_ || slot_[c] == std::string::npos) continue;
    const auto& fences = fresh_->columns()[slot_[c]].fences();
    const auto beyond = [&](const char* which, const char* side, double fence) {
      if (!std::isnan(fence)) aggs[which + id] = {{"filter", {{"range", {{field, {{side, fence}}}}}}}};
    };
    beyond("low", "lt", fences.low), beyond("high", "gt", fences.high);
    beyond("outlow", "lt", fences.outlier_low), beyond("outhigh", "gt", fences.outlier_high);
  }
  VIGIE_ASSIGN(const auto answer, query_->ask(filter, aggs));
  const auto rows = whole_of(answer, "hits.total.value");
  if (first == 0 && k == 0) tally.rows += rows, tally.window_rows[window] += rows;
  const auto& found = member(answer, "aggregations");
  if (!found.is_object())
    return fail(Code::kCorrupt, fmt::format("{}: the cluster counts nothing", query_->rows().index));
  for (auto c = first; c < last; ++c) {
    const auto& column = reference_.columns[c];
    const auto id = std::to_string(c);
    const auto& field = fields_[c].field;
    auto& counts = tally.cells[c][k][window * tally.widths[k] + s];
    counts.missing = count_of(member(found, "missing" + id));
    if (counts.missing > 0 && lacking_.insert(column.name).second) {
      VIGIE_ASSIGN(auto said, query_->said_of_missing(column.name, {field, fields_[c].type, {}},
                                                      count_of(member(found, "ignored" + id))));
      if (!said.empty()) notes_.push_back(std::move(said));
    }
    const bool checked = k == 0 && fresh_ && slot_[c] != std::string::npos;
    const auto ignored = fields_[c].type == "keyword" ? 0 : count_of(member(found, "ignored" + id));
    if (column.categorical()) {
      const auto base = column.categories.size();
      std::vector<std::pair<std::string, std::int64_t>> named;
      std::map<std::string, std::size_t, std::less<>> cells;
      for (std::size_t i = 0; i < base; ++i) cells[column.categories[i].name] = i;
      for (std::size_t i = 0; i < tally.fresh[c].size(); ++i) cells[tally.fresh[c][i]] = base + 1 + i;
      const auto put = [&](const Json& buckets) {
        for (const auto& bucket : buckets) {
          const auto name = category_of(bucket);
          named.emplace_back(name, count_of(bucket));
          auto at = cells.find(name);
          if (at == cells.end()) {
            const bool pooled = column.other > 0 || column.halved || tally.fresh[c].size() >= engine::kFresh;
            if (pooled) continue;  // it is counted with the others below
            tally.fresh[c].push_back(name);
            at = cells.emplace(name, base + tally.fresh[c].size()).first;
          }
          if (counts.cells.size() <= at->second) counts.cells.resize(at->second + 1);
          counts.cells[at->second] += count_of(bucket);
        }
      };
      put(array_of(found, "cells" + id + ".buckets"));
      put(array_of(found, "fresh" + id + ".buckets"));
      if (counts.cells.size() <= base) counts.cells.resize(base + 1);
      const auto others = rows - counts.missing - counts.rows();
      counts.cells[base] += std::max<std::int64_t>(0, others);
      if (k == 0) note_bounds(column.name, rows, member(found, "cells" + id), member(found, "fresh" + id), others);
      if (checked) {
        const auto told = std::accumulate(named.begin(), named.end(), std::int64_t{0},
                                          [](auto sum, const auto& one) { return sum + one.second; });
        auto& values = values_[slot_[c]];
        values = counted_categories(named, rows - counts.missing - told, fresh_->columns()[slot_[c]].spec().kind);
        values.mismatches = ignored;
      }
      if (others > 0 && column.other == 0 && !column.halved && !std::exchange(guessed_, true))
        notes_.push_back(fmt::format("{}: of new categories of {} the {} most frequent are told apart",
                                     query_->rows().index, vigie::quoted(column.name), engine::kFresh));
      continue;
    }
    const auto& buckets = array_of(found, "cells" + id + ".buckets");
    counts.cells.resize(column.cells());
    const auto& cells = cells_of[c - first];
    for (std::size_t i = 0; i < std::min<std::size_t>(buckets.size(), cells.size()); ++i)
      counts.cells[cells[i]] = count_of(buckets[i]);
    const auto& stats = member(found, "stats" + id);
    if (checked) values_[slot_[c]].mismatches = ignored;
    if (whole_of(stats, "count") == 0) continue;
    if (checked) {
      const auto beyond = [&](const char* which) { return count_of(member(found, which + id)); };
      auto& values = values_[slot_[c]];
      values = counted_numbers(rows - counts.missing, figure_of(stats, "min"), figure_of(stats, "max"),
                               {beyond("low"), beyond("high"), beyond("outlow"), beyond("outhigh")},
                               fresh_->columns()[slot_[c]].fences());
      values.mismatches = ignored;
    }
    tally.minimum[c] = std::min(tally.minimum[c], figure_of(stats, "min"));
    tally.maximum[c] = std::max(tally.maximum[c], figure_of(stats, "max"));
    if (!(column.bins.sd > 0)) continue;
    double beyond = 0;
    for (const auto& [side, sign, edge] :
         {std::tuple{"below", -1., column.bins.cuts.front()}, std::tuple{"above", 1., column.bins.centers.back()}}) {
      const auto& outside = member(found, side + id);
      const auto n = static_cast<double>(count_of(outside));
      if (n > 0) beyond += sign * (figure_of(outside, "sum.value") - n * edge) / column.bins.sd * 1e6;
      beyond += static_cast<double>(count_of(member(found, "far" + (side + id))) * engine::kFarthest);
    }
    counts.beyond = static_cast<std::int64_t>(std::clamp(beyond, 0., 9e18));
  }
  return {};
}

}  // namespace vigie::server
