// SPDX-License-Identifier: Apache-2.0
#include "server/index_query.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <sstream>

#include "base/iso_time.h"
#include "base/text.h"
#include "elastic/target.h"
#include "table/json_rows.h"

namespace vigie::server {
namespace {

using elastic::member;
using elastic::text_of;
using elastic::whole_of;
using Json = nlohmann::json;

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

// Of a time in µs the first millisecond at or behind it, as a cluster's dates have them.
std::int64_t milli_of(std::int64_t micros) {
  return micros >= 0 ? (micros + IndexQuery::kMilli - 1) / IndexQuery::kMilli : -(-micros / IndexQuery::kMilli);
}

// Numbers of fewer binary digits than a double has.
struct Rounded {
  int digits, least;  // least: exponent of the smallest normal one, as frexp() has it
  double most;

  // From one at or above `value`, which is no negative one, to the next.
  double step(double value) const {
    int exponent = least;
    if (value > 0) std::frexp(value, &exponent);
    return std::ldexp(1, std::max(exponent, least) - digits);
  }
  double nearest(double value) const {
    const auto to = step(std::fabs(value));
    const auto out = std::nearbyint(value / to) * to;  // to even, as IEEE 754 has it
    return std::fabs(out) <= most ? out : std::copysign(std::numeric_limits<double>::infinity(), out);
  }
  double after(double value) const {
    const auto out = value + step(value < 0 ? std::nextafter(-value, 0) : value);
    return out <= most ? out : std::numeric_limits<double>::infinity();
  }
};

std::optional<Rounded> rounded(std::string_view type) {
  if (type == "float") return Rounded{24, -125, std::numeric_limits<float>::max()};
  if (type == "half_float") return Rounded{11, -13, 65'504};
  return {};
}

std::vector<double> bounds_of(std::span<const double> cuts, std::string_view type) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<double> out(cuts.begin(), cuts.end());
  const auto few = rounded(type);
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    if (few) {
      // What ends a cell just behind a value that it has is just behind what that value is rounded to.
      const auto value = std::nextafter(cuts[i], -kInfinity);
      const bool behind = (i > 0 && cuts[i - 1] == value) || i + 1 == cuts.size() || few->nearest(value) == value;
      out[i] = behind ? few->after(few->nearest(value)) : few->nearest(cuts[i]);
      if (i > 0) out[i] = std::max(out[i], out[i - 1]);
    }
    if (is_whole(type)) out[i] = std::ceil(cuts[i]) + 0.0;
    // A cluster may have -0 before 0, which are one value.
    else if (out[i] == 0)
      out[i] = -0.0;
  }
  return out;
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
  if (out.index.empty()) return wrong("index", "is empty");
  if (const auto at = out.index.find_first_of("/?# "); at != std::string::npos)
    return wrong("index", fmt::format("{} cannot be a name there: it has {}", vigie::quoted(out.index),
                                      vigie::quoted(std::string(1, out.index[at]))));
  // Behind a comma a dash leaves out.
  if (std::string_view("-_+").find(out.index[0]) != std::string_view::npos && !out.index.starts_with("_all"))
    return wrong("index", fmt::format("{} cannot be a name there: none of - _ + in front", vigie::quoted(out.index)));
  if (out.time.empty()) return wrong("time", "is empty");
  std::istringstream pairs(settings["fields"]);
  for (std::string pair; pairs >> pair;) {
    const auto equal = pair.find('=');
    if (equal == std::string::npos || equal == 0 || equal + 1 == pair.size())
      return wrong("fields", fmt::format("expected column=field, got {}", vigie::quoted(pair)));
    if (!out.fields.emplace(pair.substr(0, equal), pair.substr(equal + 1)).second)
      return wrong("fields", fmt::format("names {} twice", vigie::quoted(pair.substr(0, equal))));
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

bool is_number(std::string_view type) {
  return is_whole(type) || is_rounded(type) || type == "double";
}

bool is_whole(std::string_view type) {
  static const std::set<std::string_view> kinds{"long", "integer", "short", "byte", "unsigned_long"};
  return kinds.contains(type);
}

bool is_rounded(std::string_view type) {
  return type == "float" || type == "half_float" || type == "scaled_float";
}

double kept(double value, std::string_view type) {
  const auto few = rounded(type);
  return few ? few->nearest(value) : value;
}

std::int64_t count_of(const Json& bucket) {
  return whole_of(bucket, "doc_count");
}

double figure_of(const Json& json, std::string_view path) {
  const auto& found = member(json, path);
  return found.is_number() ? found.get<double>() : 0;
}

std::string category_of(const Json& bucket) {
  if (auto text = text_of(bucket, "key_as_string"); !text.empty()) return text;
  const auto& key = member(bucket, "key");
  // A whole number is written as one, whatever the field's type is.
  return key.is_string() ? key.get<std::string>() : key.is_number() ? fmt::format("{}", key.get<double>()) : key.dump();
}

bool too_many_buckets(const Error& error) {
  return error.message.find("too_many_buckets") != std::string::npos;
}

Ranges ranges_of(std::span<const double> cuts, std::string_view type) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto bounds = bounds_of(cuts, type);
  Ranges out{Json::array(), {}};
  for (std::size_t cell = 0; cell <= bounds.size(); ++cell) {
    const auto from = cell > 0 ? bounds[cell - 1] : -kInfinity, to = cell < bounds.size() ? bounds[cell] : kInfinity;
    if (!(from < to)) continue;
    Json range = Json::object();
    if (from > -kInfinity) range["from"] = from;
    if (to < kInfinity) range["to"] = to;
    out.json.push_back(std::move(range));
    out.cells.push_back(cell);
  }
  return out;
}

Status IndexQuery::reach() {
  if (!types_.empty()) return {};
  VIGIE_TRY(session_.reach());
  VIGIE_ASSIGN(const auto said,
               session_.ask("GET", fmt::format("/{}/_field_caps?fields=*&ignore_unavailable=true", rows_.index)));
  std::map<std::string, std::string, std::less<>> types;
  for (const auto& [name, kinds] : member(said, "fields").items()) {
    if (name.ends_with('.')) continue;  // the insides of a flattened object
    std::vector<std::string> all;
    for (const auto& [kind, about] : kinds.items()) {
      if (kind == "unmapped") continue;
      const bool counts =
          member(about, "aggregatable") == true || kind == "text" || kind == "object" || kind == "nested";
      all.push_back(counts ? kind : kind + " that is only searched");
    }
    if (all.empty()) continue;
    types[name] = all.size() == 1 ? all[0] : fmt::format("several types: {}", fmt::join(all, ", "));
  }
  if (types.empty()) return fail(Code::kUsage, fmt::format("{}: there is no such index, or it is empty", rows_.index));
  const auto is_date = [](std::string_view type) { return type == "date" || type == "date_nanos"; };
  const auto time = types.find(rows_.time);
  if (time != types.end() && is_date(time->second)) {
    types_ = std::move(types);
    return {};
  }
  std::string dates;
  for (const auto& [name, type] : types)
    if (is_date(type)) dates += (dates.empty() ? "" : ", ") + name;
  return fail(Code::kUsage,
              fmt::format("{}: {} is no field of dates there{}; those are: {}", rows_.index, vigie::quoted(rows_.time),
                          time == types.end() ? "" : ", but " + time->second, dates.empty() ? "none" : dates));
}

IndexQuery::Field IndexQuery::field_of(std::string_view column) const {
  Field out;
  if (const auto given = rows_.fields.find(column); given != rows_.fields.end()) {
    out.name = given->second;
  } else {
    for (const auto* before : {"features.", "", "tags."})
      if (const auto at = fmt::format("{}{}", before, column); types_.contains(at))
        (out.name.empty() ? out.name : out.also) = at;
  }
  const auto type = types_.find(out.name);
  if (type == types_.end()) return out;
  out.type = type->second;
  if (out.type == "text" && types_.contains(out.name + ".keyword")) out.name += ".keyword", out.type = "keyword";
  return out;
}

std::string IndexQuery::keywords_of(const std::string& column) const {
  if (const auto given = rows_.fields.find(column); given != rows_.fields.end()) return given->second;
  for (const auto* before : {"features.", "tags.", ""})
    for (const auto* behind : {"", ".keyword"})
      if (const auto at = types_.find(before + column + behind); at != types_.end() && at->second == "keyword")
        return at->first;
  return {};
}

Json IndexQuery::ignored(const std::string& field) {
  return {{"filter", {{"term", {{"_ignored", field}}}}}};
}

Result<std::string> IndexQuery::said_of_missing(const std::string& column, const Field& field, std::int64_t ignored) {
  if (ignored > 0)
    return fmt::format(
        "{}: some values of {} count as missing: the field {} does not keep them (ignore_above, "
        "ignore_malformed)",
        rows_.index, vigie::quoted(column), field.name);
  if (field.type != "keyword") return std::string();
  const auto said =
      session_.ask("GET", fmt::format("/{}/_mapping/field/{}?ignore_unavailable=true", rows_.index, field.name));
  // Who may search need not be allowed to see that; a cluster that is away is away for the next question too.
  if (!said) return std::string();
  std::int64_t most = 0;
  for (const auto& index : *said)
    for (const auto& mapping : member(index, "mappings"))
      for (const auto& one : member(mapping, "mapping"))
        if (const auto kept = whole_of(one, "ignore_above"); kept > 0) most = most > 0 ? std::min(most, kept) : kept;
  if (most == 0) return std::string();
  return fmt::format("{}: values of {} above {} characters count as missing: the field {} does not keep them",
                     rows_.index, vigie::quoted(column), most, field.name);
}

Json IndexQuery::filter(std::int64_t from, std::int64_t to) const {
  const auto between = [&](std::int64_t first, std::int64_t end) -> Json {
    Json range{{"format", "epoch_millis"}};
    if (first > std::numeric_limits<std::int64_t>::min()) range["gte"] = milli_of(first);
    if (end < std::numeric_limits<std::int64_t>::max()) range["lt"] = milli_of(end);
    return {{"range", {{rows_.time, std::move(range)}}}};
  };
  from = std::max(from, rows_.from), to = std::min({to, rows_.to, kLatest});
  Json out{{"bool", {{"filter", Json::array({between(from, to)})}, {"must_not", Json::array()}}}};
  for (const auto& [first, end] : rows_.without)
    if (first < to && end > from) out["bool"]["must_not"].push_back(between(first, end));
  if (!rows_.query.empty()) out["bool"]["filter"].push_back({{"query_string", {{"query", rows_.query}}}});
  return out;
}

Result<Json> IndexQuery::ask(Json filter, Json aggs) {
  // Two aggregations by ranges beside each other count wrong in OpenSearch 2.19.1, or fail, where their fields have
  // different widths and no aggregation is above them: its issue 20473; not so in 3.8.0.
  VIGIE_ASSIGN(auto said,
               ask_alone(filter, {{"all", {{"filter", {{"match_all", Json::object()}}}, {"aggs", std::move(aggs)}}}}));
  said["aggregations"] = Json(member(said, "aggregations.all"));
  return said;
}

Result<Json> IndexQuery::ask_alone(const Json& filter, Json aggs) {
  if (stop_ && stop_()) return fail(Code::kUnavailable, "the service ends");
  const auto path = fmt::format("/{}/_search?ignore_unavailable=true&allow_partial_search_results=false", rows_.index);
  return session_.ask("POST", path,
                      {{"size", 0}, {"track_total_hits", true}, {"query", filter}, {"aggs", std::move(aggs)}});
}

Result<IndexQuery::Times> IndexQuery::times(std::int64_t from, std::int64_t to) {
  VIGIE_ASSIGN(const auto said, ask(filter(from, to), {{"t", {{"stats", {{"field", rows_.time}}}}}}));
  Times out;
  const auto& stats = member(said, "aggregations.t");
  out.rows = whole_of(stats, "count");
  if (out.rows == 0) return out;
  static constexpr double kEarliest = -62'135'596'800e3, kEnd = static_cast<double>(kLatest) / kMilli;
  const auto micros = [](double millis) { return std::llround(std::clamp(millis, kEarliest, kEnd)) * kMilli; };
  out.first = micros(figure_of(stats, "min")), out.last = micros(figure_of(stats, "max"));
  return out;
}

// As "from 2026-03-01T00:00:00Z on"; empty: all.
std::string IndexQuery::range() const {
  const auto said = [](const char* word, std::int64_t time) {
    return fmt::format(" {} {}", word, iso_time(static_cast<double>(time)));
  };
  using Time = std::numeric_limits<std::int64_t>;
  return (rows_.from > Time::min() ? said("from", rows_.from) : "") +
         (rows_.to < Time::max() ? said("until", rows_.to) : "");
}

Result<IndexQuery::Times> IndexQuery::times() {
  VIGIE_ASSIGN(const auto all, times(rows_.from, rows_.to));
  if (all.rows == 0)
    return fail(Code::kInput,
                fmt::format("{}: no rows there have a time in {}{}{}", rows_.index, rows_.time, range(),
                            rows_.query.empty() ? "" : fmt::format(", of those that query chooses: {}", rows_.query)));
  return all;
}

}  // namespace vigie::server
