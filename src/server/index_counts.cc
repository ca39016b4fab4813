// SPDX-License-Identifier: Apache-2.0
#include "server/index_counts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

#include "base/text.h"
#include "elastic/target.h"
#include "engine/kept_counts.h"
#include "engine/windows.h"
#include "table/json_rows.h"

namespace vigie::server {
namespace {

using elastic::array_of;
using elastic::member;
using elastic::text_of;
using elastic::whole_of;
using Json = nlohmann::json;
using engine::ColumnType;

constexpr std::size_t kMostBuckets = 4'000;  // of a request; a cluster's search.max_buckets is 65,535 unless it is told
constexpr std::size_t kMostWindows = 100'000;
constexpr std::int64_t kMilli = 1'000;
constexpr double kFar = static_cast<double>(engine::kFarthest) / 1e6;  // sd
constexpr std::string_view kMissing = "(missing)", kOther = "(other)";

constexpr Param kOwn[] = {
    {.name = "index", .doc = "where the rows are: an index or several, as logs-*", .required = true},
    {.name = "time", .fallback = "@timestamp", .doc = "their time, a field of dates"},
    {.name = "query", .doc = "which rows count, as Lucene has it: status:200 AND region:eu"},
    {.name = "fields", .doc = "columns that are called otherwise there: \"age=customer.age plan=tier\""},
    {.name = "from", .doc = "the first time that counts, ISO 8601"},
    {.name = "until", .doc = "from when on rows count no more"},
};

Error wrong(std::string_view param, std::string what) {
  return fail(Code::kUsage, fmt::format("elastic.{}: {}", param, what));
}

bool is_number(const std::string& type) {
  static const std::set<std::string> kinds{"long",  "integer",    "short",        "byte",         "double",
                                           "float", "half_float", "scaled_float", "unsigned_long"};
  return kinds.contains(type);
}

bool is_whole(const std::string& type) {
  static const std::set<std::string> kinds{"long", "integer", "short", "byte", "unsigned_long"};
  return kinds.contains(type);
}

// Of a time in µs the first millisecond at or behind it, as a cluster's dates have them.
std::int64_t milli_of(std::int64_t micros) {
  return micros >= 0 ? (micros + kMilli - 1) / kMilli : -(-micros / kMilli);
}

std::int64_t count_of(const Json& bucket) {
  return whole_of(bucket, "doc_count");
}

double figure_of(const Json& json, std::string_view path) {
  const auto& found = member(json, path);
  return found.is_number() ? found.get<double>() : 0;
}

std::string name_of(const Json& bucket) {
  if (auto text = text_of(bucket, "key_as_string"); !text.empty()) return text;
  const auto& key = member(bucket, "key");
  // A whole number is written as one, whatever the field's type is.
  return key.is_string() ? key.get<std::string>() : key.is_number() ? fmt::format("{}", key.get<double>()) : key.dump();
}

}  // namespace

std::span<const Param> indexed_rows_params() {
  static const auto all = [] {
    std::vector<Param> out;
    for (const auto& param : elastic::access_params()) out.push_back(param);
    out.insert(out.end(), std::begin(kOwn), std::end(kOwn));
    return out;
  }();
  return all;
}

bool is_indexed_rows(std::string_view text) {
  return text.starts_with("elastic(");
}

Result<IndexedRows> make_indexed_rows(std::string_view text, const Environment& environment) {
  const auto call = parse_call(text);
  if (!call) return fail(Code::kUsage, fmt::format("elastic: {}", call.error().message));
  VIGIE_ASSIGN(const auto settings, read_settings(*call, indexed_rows_params(), environment));
  return make_indexed_rows(settings);
}

Result<IndexedRows> make_indexed_rows(const Settings& settings) {
  IndexedRows out;
  VIGIE_ASSIGN(auto target, elastic::read_access(settings));
  out.nodes = std::move(target.nodes), out.access = std::move(target.access);
  out.index = settings["index"], out.time = settings["time"], out.query = settings["query"];
  if (out.index.empty() || out.index.find_first_of("/?# ") != std::string::npos)
    return wrong("index", fmt::format("{} cannot be a name there", vigie::quoted(out.index)));
  std::istringstream pairs(settings["fields"]);
  for (std::string pair; pairs >> pair;) {
    const auto equal = pair.find('=');
    if (equal == std::string::npos || equal == 0 || equal + 1 == pair.size())
      return wrong("fields", fmt::format("expected column=field, got {}", vigie::quoted(pair)));
    out.fields[pair.substr(0, equal)] = pair.substr(equal + 1);
  }
  for (const auto& [name, to] : {std::pair{"from", &out.from}, {"until", &out.to}}) {
    if (settings[name].empty()) continue;
    const auto time = table::parse_time(settings[name]);
    if (!time) return wrong(name, fmt::format("expected a time as 2026-03-01, got {}", vigie::quoted(settings[name])));
    *to = static_cast<std::int64_t>(*time);
  }
  if (out.from >= out.to) return wrong("until", "is not behind from");
  return out;
}

IndexCounts::IndexCounts(IndexedRows rows, const engine::Profile& reference)
    : rows_(std::move(rows)), session_(rows_.nodes, rows_.access), reference_(reference) {
  left_out_ = reference.quality || reference.scores || !reference.quality_windows.empty();
  reference_.quality = nullptr, reference_.scores = nullptr, reference_.quality_windows.clear();
}

Result<std::unique_ptr<IndexCounts>> IndexCounts::make(IndexedRows rows, const engine::Profile& reference,
                                                       const std::vector<engine::SegmentBy>& segments) {
  for (const auto& by : segments)
    if (std::find(reference.segmentations.begin(), reference.segmentations.end(), by) == reference.segmentations.end())
      return fail(Code::kUsage, fmt::format("the reference has no segments by {}", engine::to_string(by)));
  std::unique_ptr<IndexCounts> out(new IndexCounts(std::move(rows), reference));
  VIGIE_TRY(out->session_.reach());
  VIGIE_ASSIGN(const auto said, out->session_.ask("GET", fmt::format("/{}/_field_caps?fields=*&ignore_unavailable=true",
                                                                     out->rows_.index)));
  // What indexes do not agree on is of several types.
  Types types;
  for (const auto& [name, kinds] : member(said, "fields").items()) {
    std::string type;
    for (const auto& [kind, about] : kinds.items()) {
      if (kind == "unmapped") continue;
      type = type.empty() && (member(about, "aggregatable") == true || kind == "text") ? kind : "several types";
    }
    types[name] = type;
  }
  VIGIE_TRY(out->find_columns(types));
  out->find_segments(types, segments);
  return out;
}

Status IndexCounts::find_columns(const Types& types) {
  if (types.empty()) return fail(Code::kUsage, fmt::format("{}: there is no such index, or it is empty", rows_.index));
  if (const auto time = types.find(rows_.time); time == types.end() || !time->second.starts_with("date")) {
    std::string dates;
    for (const auto& [name, type] : types)
      if (type.starts_with("date")) dates += (dates.empty() ? "" : ", ") + name;
    return fail(
        Code::kUsage,
        fmt::format("{}: {} is no field of dates there{}; those are: {}", rows_.index, vigie::quoted(rows_.time),
                    time == types.end() ? "" : ", but of " + time->second, dates.empty() ? "none" : dates));
  }
  for (const auto& [column, field] : rows_.fields)
    if (std::none_of(reference_.columns.begin(), reference_.columns.end(),
                     [&](const auto& known) { return known.name == column; }))
      return wrong("fields", fmt::format("{} is no column of the reference", vigie::quoted(column)));

  std::vector<std::string> gone;
  const auto leave_out = [&](const std::string& column, std::string_view why) {
    gone.push_back(column);
    notes_.push_back(fmt::format("{}: {} is not compared: {}", rows_.index, vigie::quoted(column), why));
  };
  for (const auto& column : reference_.columns) {
    const auto& name = column.name;
    std::string field;
    if (const auto given = rows_.fields.find(name); given != rows_.fields.end()) {
      field = given->second;
    } else {
      for (const auto* before : {"features.", "", "tags."})
        if (const auto at = before + name; types.contains(at)) {
          if (field.empty())
            field = at;
          else
            notes_.push_back(fmt::format("{}: {} is there as {} and as {}: only the former is counted", rows_.index,
                                         vigie::quoted(name), field, at));
        }
    }
    auto type = types.contains(field) ? types.at(field) : "";
    if (type == "text" && types.contains(field + ".keyword")) field += ".keyword", type = "keyword";
    const bool numeric = column.type == ColumnType::kNumeric, categorical = column.categorical();
    if (column.role == engine::Role::kLabel) {
      gone.push_back(name);
    } else if (!numeric && !categorical) {
      leave_out(name, fmt::format("a cluster cannot count a column of {}", engine::to_string(column.type)));
    } else if (type.empty()) {
      leave_out(name, field.empty() ? "no field is called so" : fmt::format("there is no field {}", field));
    } else if (numeric && !is_number(type)) {
      leave_out(name, fmt::format("the field {} holds no numbers, but {}", field, type));
    } else if (categorical && type != "keyword" && type != "boolean" && !is_number(type)) {
      leave_out(name, fmt::format("the field {} holds {}", field, type));
    } else if (numeric && column.bins.cuts.empty()) {
      leave_out(name, "the reference has no value of it");
    } else {
      if (type == "float" || type == "half_float" || type == "scaled_float")
        notes_.push_back(
            fmt::format("{}: {} is kept there as {}, so that a value may be counted in the cell beside its own",
                        rows_.index, vigie::quoted(name), type));
      columns_.push_back({name, column.source});
      fields_.push_back({std::move(field), type == "keyword", is_whole(type)});
    }
  }
  const auto is_gone = [&](const std::string& name) { return std::find(gone.begin(), gone.end(), name) != gone.end(); };
  left_out_ = left_out_ || !gone.empty();
  std::erase_if(reference_.aspects, [&](const auto& aspect) { return is_gone(aspect.profile.name); });
  std::erase_if(reference_.columns, [&](const auto& column) { return is_gone(column.name); });
  if (reference_.columns.empty())
    return fail(Code::kUsage, fmt::format("{}: no field there is a column of the reference{}", rows_.index,
                                          notes_.empty() ? "" : "; " + notes_.front()));

  return {};
}

void IndexCounts::find_segments(const Types& types, const std::vector<engine::SegmentBy>& segments) {
  by_.emplace_back();
  for (std::size_t k = 1; k < reference_.segmentations.size();) {
    const auto& by = reference_.segmentations[k];
    const bool wanted = std::find(segments.begin(), segments.end(), by) != segments.end();
    std::string field;
    if (wanted && by.size() == 1) {
      if (const auto given = rows_.fields.find(by[0]); given != rows_.fields.end()) field = given->second;
      for (const auto* before : {"features.", "tags.", ""})
        for (const auto* behind : {"", ".keyword"})
          if (const auto at = types.find(before + by[0] + behind);
              field.empty() && at != types.end() && at->second == "keyword")
            field = at->first;
    }
    if (!field.empty()) {
      by_.push_back(std::move(field)), ++k;
      continue;
    }
    if (wanted)
      notes_.push_back(fmt::format("{}: no segments by {}: a cluster has them by one field of keywords", rows_.index,
                                   engine::to_string(by)));
    left_out_ = true;
    const auto at = static_cast<std::ptrdiff_t>(k);
    reference_.segmentations.erase(reference_.segmentations.begin() + at);
    reference_.segments.erase(reference_.segments.begin() + at);
    for (std::size_t c = 0; c < reference_.counted(); ++c)
      reference_.counted(c).parts.erase(reference_.counted(c).parts.begin() + at);
  }
}

Json IndexCounts::filter(std::int64_t from, std::int64_t to, std::size_t k, std::size_t s) const {
  Json range{{"format", "epoch_millis"}};
  from = std::max(from, rows_.from), to = std::min(to, rows_.to);
  if (from > std::numeric_limits<std::int64_t>::min()) range["gte"] = milli_of(from);
  if (to < std::numeric_limits<std::int64_t>::max()) range["lt"] = milli_of(to);
  Json bounded{{"range", {{rows_.time, std::move(range)}}}};
  Json out{{"bool", {{"filter", Json::array({std::move(bounded)})}}}};
  auto& filters = out["bool"]["filter"];
  if (!rows_.query.empty()) filters.push_back({{"query_string", {{"query", rows_.query}}}});
  if (k == 0) return out;
  // As "region=eu", "region=(missing)", and "region=(other)" for all that have none of their own.
  const auto value_of = [&](const std::string& segment) {
    return segment.substr(reference_.segmentations[k][0].size() + 1);
  };
  const Json there{{"exists", {{"field", by_[k]}}}};
  const auto value = value_of(reference_.segments[k][s]);
  auto& without = out["bool"]["must_not"] = Json::array();
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

Result<Json> IndexCounts::ask(const Json& body) {
  return session_.ask(
      "POST", fmt::format("/{}/_search?ignore_unavailable=true&allow_partial_search_results=false", rows_.index), body);
}

Result<IndexCounts::Times> IndexCounts::times(std::int64_t from, std::int64_t to) {
  const Json body{{"size", 0},
                  {"track_total_hits", true},
                  {"query", filter(from, to, 0, 0)},
                  {"aggs", {{"t", {{"stats", {{"field", rows_.time}}}}}}}};
  VIGIE_ASSIGN(const auto said, ask(body));
  Times out;
  const auto& stats = member(said, "aggregations.t");
  out.rows = whole_of(stats, "count");
  if (out.rows == 0) return out;
  const auto micros = [](double millis) { return std::llround(millis) * kMilli; };
  out.first = micros(figure_of(stats, "min")), out.last = micros(figure_of(stats, "max"));
  return out;
}

Result<engine::Tally> IndexCounts::count(const engine::WindowSpec& windows, const engine::Progress& progress) {
  if (windows.kind == engine::WindowSpec::Kind::kRows)
    return fail(
        Code::kUsage,
        fmt::format("{}: an index has no order: no windows by rows, but by hour, day, week or month", rows_.index));
  VIGIE_ASSIGN(const auto all, times(rows_.from, rows_.to));
  if (all.rows == 0)
    return fail(Code::kInput, fmt::format("{}: no rows there have a time in {}", rows_.index, rows_.time));
  VIGIE_ASSIGN(auto windower, engine::Windower::make(windows));
  auto tally = engine::empty_counts(reference_, 0);
  const auto first = all.first, last = all.last;
  if (!windows.calendar()) {
    windower.met(0, static_cast<double>(first), static_cast<double>(last));
    VIGIE_TRY(add(tally, 0, first, last + kMilli));
  } else {
    std::vector<std::int32_t> at;
    auto keys = windower;
    keys.assign(0, 1, std::vector{static_cast<double>(first)}, at);
    for (auto key = keys[static_cast<std::size_t>(at[0])].key; windower.start(key) <= static_cast<double>(last);
         ++key) {
      const auto from = std::llround(windower.start(key)), to = std::llround(windower.start(key + 1));
      if (windower.size() >= kMostWindows)
        return fail(Code::kUsage, "more windows than 100,000: from and until have less");
      VIGIE_ASSIGN(const auto some, times(from, to));
      if (progress) progress(static_cast<double>(from - first) / static_cast<double>(last - first + 1));
      if (some.rows == 0) continue;
      const auto window = windower.met(key, static_cast<double>(some.first), static_cast<double>(some.last));
      VIGIE_TRY(add(tally, window, from, to));
    }
  }
  tally.windower = std::move(windower);
  return tally;
}

Result<engine::Tally> IndexCounts::count(const engine::WindowSpec& windows, std::int64_t key, std::int64_t from,
                                         std::int64_t to) {
  VIGIE_ASSIGN(auto windower, engine::Windower::make(windows));
  auto tally = engine::empty_counts(reference_, 0);
  windower.met(key, static_cast<double>(from), static_cast<double>(to - 1));
  VIGIE_TRY(add(tally, 0, from, to));
  tally.windower = std::move(windower);
  return tally;
}

Status IndexCounts::add(engine::Tally& tally, std::size_t window, std::int64_t from, std::int64_t to) {
  engine::add_window(tally, reference_);
  for (std::size_t k = 0; k < tally.widths.size(); ++k) {
    for (std::size_t s = 0; s < tally.widths[k]; ++s) {
      const auto rows = filter(from, to, k, s);
      for (std::size_t c = 0, last = 0; c < reference_.columns.size(); c = last) {
        for (std::size_t buckets = 0; last < reference_.columns.size(); ++last) {
          const auto& column = reference_.columns[last];
          buckets += column.cells() + (column.categorical() ? engine::kFresh : 8);
          if (buckets > kMostBuckets && last > c) break;
        }
        VIGIE_TRY(add_columns(tally, c, last, window, k, s, rows));
      }
    }
  }
  return {};
}

double IndexCounts::bound(std::size_t column, double cut) const {
  return fields_[column].whole ? std::ceil(cut) : cut;
}

std::vector<std::size_t> IndexCounts::cells_of(std::size_t column) const {
  const auto& cuts = reference_.columns[column].bins.cuts;
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i <= cuts.size(); ++i)
    if (i == 0 || i == cuts.size() || bound(column, cuts[i - 1]) < bound(column, cuts[i])) out.push_back(i);
  return out;
}

Status IndexCounts::add_columns(engine::Tally& tally, std::size_t first, std::size_t last, std::size_t window,
                                std::size_t k, std::size_t s, const Json& filter) {
  Json aggs = Json::object();
  for (auto c = first; c < last; ++c) {
    const auto& column = reference_.columns[c];
    const auto& [field, text, whole] = fields_[c];
    const auto id = std::to_string(c);
    aggs["missing" + id] = {{"missing", {{"field", field}}}};
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
    auto ranges = Json::array();
    for (const auto cell : cells_of(c)) {
      Json range = Json::object();
      if (cell > 0) range["from"] = bound(c, cuts[cell - 1]);
      if (cell < cuts.size()) range["to"] = bound(c, cuts[cell]);
      ranges.push_back(std::move(range));
    }
    aggs["cells" + id] = {{"range", {{"field", field}, {"keyed", false}, {"ranges", std::move(ranges)}}}};
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
  }
  const Json body{{"size", 0}, {"track_total_hits", true}, {"query", filter}, {"aggs", aggs}};
  auto answer = ask(body);
  if (!answer) {
    // A cluster may grant less than most do.
    if (answer.error().message.find("too_many_buckets") == std::string::npos || last - first < 2) return answer.error();
    const auto middle = first + (last - first) / 2;
    VIGIE_TRY(add_columns(tally, first, middle, window, k, s, filter));
    return add_columns(tally, middle, last, window, k, s, filter);
  }
  const auto rows = whole_of(*answer, "hits.total.value");
  if (first == 0 && k == 0) tally.rows += rows, tally.window_rows[window] += rows;
  const auto& found = member(*answer, "aggregations");
  if (!found.is_object()) return fail(Code::kCorrupt, fmt::format("{}: the cluster counts nothing", rows_.index));
  for (auto c = first; c < last; ++c) {
    const auto& column = reference_.columns[c];
    const auto id = std::to_string(c);
    auto& counts = tally.cells[c][k][window * tally.widths[k] + s];
    counts.missing = count_of(member(found, "missing" + id));
    if (column.categorical()) {
      const auto base = column.categories.size();
      std::map<std::string, std::size_t, std::less<>> cells;
      for (std::size_t i = 0; i < base; ++i) cells[column.categories[i].name] = i;
      for (std::size_t i = 0; i < tally.fresh[c].size(); ++i) cells[tally.fresh[c][i]] = base + 1 + i;
      const auto put = [&](const Json& buckets) {
        for (const auto& bucket : buckets) {
          const auto name = name_of(bucket);
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
      if (others > 0 && column.other == 0 && !column.halved && !std::exchange(guessed_, true))
        notes_.push_back(fmt::format("{}: of new categories of {} the {} most frequent are told apart", rows_.index,
                                     vigie::quoted(column.name), engine::kFresh));
      continue;
    }
    const auto& buckets = array_of(found, "cells" + id + ".buckets");
    counts.cells.resize(column.cells());
    const auto cells = cells_of(c);
    for (std::size_t i = 0; i < std::min<std::size_t>(buckets.size(), cells.size()); ++i)
      counts.cells[cells[i]] = count_of(buckets[i]);
    const auto& stats = member(found, "stats" + id);
    if (whole_of(stats, "count") == 0) continue;
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
