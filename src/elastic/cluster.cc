// SPDX-License-Identifier: Apache-2.0
#include "elastic/cluster.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "elastic/bulk.h"

namespace vigie::elastic {
namespace {

using Json = nlohmann::ordered_json;
using Kind = Place::Kind;

constexpr std::size_t kPriority = 250;  // above the templates that Elasticsearch brings along
constexpr int kMonth = 31;              // days that the index of a month may be older than its youngest document

std::string string_of(const Json& json, const char* key) {
  return json.is_object() && json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : "";
}

// A record's own "timestamp" may be a number of seconds, which a date would take for milliseconds. Of objects in an
// image the category may be a number here and a name there, and the mask run lengths or polygons: they are kept, not
// indexed.
Json mappings() {
  return Json::parse(R"({
    "date_detection": false,
    "dynamic_templates": [
      {"whole_numbers": {"match_mapping_type": "long", "mapping": {"type": "double"}}},
      {"numbers": {"match_mapping_type": "double", "mapping": {"type": "double"}}},
      {"times": {"match_mapping_type": "string", "path_match": "timestamp",
                 "mapping": {"type": "date", "ignore_malformed": true}}},
      {"texts": {"match_mapping_type": "string", "mapping": {"type": "keyword", "ignore_above": 1024}}}],
    "properties": {
      "@timestamp": {"type": "date", "ignore_malformed": false},
      "boxes": {"type": "object", "enabled": false},
      "vigie": {"properties": {"model": {"properties": {"id": {"type": "keyword"}}}}}}})");
}

SetupStep component(const char* name, Json body) {
  return {fmt::format("the component template {}", name), "PUT", fmt::format("/_component_template/{}", name),
          Json{{"template", std::move(body)}}.dump()};
}

// Of two patterns that fit an index, the longer one's template holds; of one priority the server refuses them.
std::size_t priority_of(const Place& place) {
  return kPriority + place.name.size();
}

std::string own_name(const std::string& name) {
  return name.starts_with("vigie") ? name : "vigie-" + name;
}

// The policy of OpenSearch, under which indexes come by their name, and those behind a data stream by the stream's.
void add_ism(std::vector<SetupStep>& out, const Place& place, const std::string& name, const std::string& age,
             const std::string& rollover) {
  using When = SetupStep::When;
  const bool stream = place.kind == Kind::kStream;
  const Json transition{{{"state_name", "delete"}, {"conditions", {{"min_index_age", age}}}}};
  Json keep{{"name", "keep"}, {"actions", Json::array()}, {"transitions", transition}};
  if (stream) keep["actions"].push_back({{"rollover", {{"min_index_age", rollover}}}});
  const Json gone{
      {"name", "delete"}, {"actions", Json::array({{{"delete", Json::object()}}})}, {"transitions", Json::array()}};
  out.push_back({.what = "the policy " + name,
                 .path = "/_plugins/_ism/policies/" + name,
                 .body = Json{{"policy",
                               {{"description", fmt::format("vigie: goes after {}", age)},
                                {"default_state", "keep"},
                                {"states", Json::array({keep, gone})},
                                {"ism_template", Json::array({{{"index_patterns", Json::array({place.pattern()})},
                                                               {"priority", priority_of(place)}}})}}}}
                             .dump(),
                 .when = When::kChanged,
                 .lifecycle = true});
  // An index stays under a policy as that was when it came under it.
  out.push_back({.what = "the policy of what is there",
                 .method = "POST",
                 .path = "/_plugins/_ism/change_policy/" + (stream ? ".ds-" + place.name + "-*" : place.pattern()),
                 .body = Json{{"policy_id", name}}.dump(),
                 .when = When::kReplaced});
}

}  // namespace

std::string Cluster::name() const {
  return fmt::format("{} {}", opensearch ? "OpenSearch" : "Elasticsearch", version);
}

Result<Cluster> read_cluster(const http::Answer& answer) {
  const auto json = Json::parse(answer.body, nullptr, false);
  if (answer.status != 200) {
    const auto why = why_of(answer.body);
    return fail(Code::kUnavailable, fmt::format("answers {}{}{}", answer.status, why.empty() ? "" : ": ", why));
  }
  const auto version = json.is_object() && json.contains("version") ? json["version"] : Json();
  Cluster out;
  out.version = string_of(version, "number");
  const auto* const end = out.version.data() + out.version.size();
  const auto dot = std::from_chars(out.version.data(), end, out.major);
  if (dot.ec != std::errc() || dot.ptr == end)
    return fail(Code::kUsage, "is neither Elasticsearch nor OpenSearch: GET / says no version");
  std::from_chars(dot.ptr + 1, end, out.minor);
  out.opensearch = string_of(version, "distribution") == "opensearch" ||
                   string_of(json, "tagline").find("OpenSearch") != std::string::npos;
  out.serverless = string_of(version, "build_flavor") == "serverless";
  return out;
}

std::string Place::index(double time) const {
  if (kind == Kind::kIndex || kind == Kind::kStream) return name;
  constexpr double kFarthest = 253'402'300'799e6;  // µs: the end of the year 9999
  if (!(time >= -62'135'596'800e6 && time <= kFarthest)) return name + "-undated";
  const auto seconds = static_cast<std::time_t>(std::floor(time / 1e6));
  return fmt::format(fmt::runtime(kind == Kind::kMonths ? "{}-{:%Y.%m}" : "{}-{:%Y.%m.%d}"), name,
                     fmt::gmtime(seconds));
}

std::string Place::pattern() const {
  return kind == Kind::kIndex || kind == Kind::kStream ? name : name + "-*";
}

std::string wrong_name(std::string_view name) {
  constexpr std::size_t kLongest = 200;  // of 255, as a date follows
  if (name.empty() || name.size() > kLongest) return fmt::format("1 to {} bytes", kLongest);
  if (std::string_view("-_+.").find(name[0]) != std::string_view::npos) return "none of - _ + . in front";
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') return "lower case";
    if (static_cast<unsigned char>(c) < 0x21 || c == 0x7f ||
        std::string_view("\\/*?\"<>|,#:").find(c) != std::string_view::npos)
      return "no blanks and none of \\ / * ? \" < > | , # :";
  }
  return {};
}

std::string name_of(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    out += plain ? c : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : '-';
  }
  return out.substr(0, 100);
}

std::string differs(std::string_view there, std::string_view wanted) {
  const auto old = Json::parse(there, nullptr, false), fresh = Json::parse(wanted, nullptr, false);
  const auto number = [&](const char* key) {
    return old.is_object() && old.contains(key) && old[key].is_number_integer() ? old[key].get<std::int64_t>() : 0;
  };
  const auto description = [](const Json& json) {
    return json.is_object() && json.contains("policy") ? string_of(json["policy"], "description") : "";
  };
  if (description(old) == description(fresh)) return {};
  return fmt::format("?if_seq_no={}&if_primary_term={}", number("_seq_no"), number("_primary_term"));
}

std::vector<SetupStep> setup_of(const Cluster& cluster, const SetupOptions& options) {
  const auto& place = options.place;
  const bool stream = place.kind == Kind::kStream, es = !cluster.opensearch;
  std::vector<SetupStep> out;
  Json index{{"mapping", {{"ignore_malformed", true}, {"total_fields", {{"limit", 2000}}}}}};
  if (es && cluster.at_least(8, 14)) index["mapping"]["total_fields"]["ignore_dynamic_beyond_limit"] = true;
  Json lifecycle;
  // One of a name, whatever the time, so that another time takes its place.
  const auto name = own_name(place.name);
  if (options.keep_days > 0) {
    const auto days = options.keep_days + (place.kind == Kind::kMonths ? kMonth : 0);
    const auto age = fmt::format("{}d", days),
               rollover = fmt::format("{}d", std::max<std::int64_t>(1, options.keep_days / 5));
    if (es && stream && cluster.at_least(8, 11)) {
      lifecycle = {{"data_retention", age}};
    } else if (es) {
      Json hot{{"actions", Json::object()}};
      if (stream) hot["actions"]["rollover"] = {{"max_age", rollover}, {"max_size", "50gb"}};
      const Json gone{{"min_age", age}, {"actions", {{"delete", Json::object()}}}};
      out.push_back({.what = "the lifecycle " + name,
                     .path = "/_ilm/policy/" + name,
                     .body = Json{{"policy", {{"phases", {{"hot", hot}, {"delete", gone}}}}}}.dump(),
                     .lifecycle = true});
      index["lifecycle"] = {{"name", name}};
    } else {
      add_ism(out, place, name, age, rollover);
    }
  }
  out.push_back(component("vigie@mappings", {{"mappings", mappings()}}));
  if (!cluster.serverless)
    out.push_back(component("vigie@settings", {{"settings", {{"index", Json{{"mapping", index["mapping"]}}}}}}));
  auto custom = component("vigie@custom", Json::object());
  custom.when = SetupStep::When::kAbsent;
  out.push_back(std::move(custom));

  Json parts = Json::array({"vigie@mappings"});
  if (!cluster.serverless) parts.push_back("vigie@settings");
  parts.push_back("vigie@custom");
  Json body{
      {"index_patterns", Json::array({place.pattern()})}, {"priority", priority_of(place)}, {"composed_of", parts}};
  if (stream) body["data_stream"] = Json::object();
  Json own = Json::object();
  if (index.contains("lifecycle")) own["settings"] = {{"index", {{"lifecycle", index["lifecycle"]}}}};
  if (!lifecycle.is_null()) own["lifecycle"] = lifecycle;
  if (!own.empty()) body["template"] = own;
  body["_meta"] = {{"made_by", "vigie ship"}};
  out.push_back({"the index template " + name, "PUT", "/_index_template/" + name, body.dump(), stream});
  // Of a template a data stream hears when it is made.
  if (!lifecycle.is_null())
    out.push_back({.what = "the lifecycle of the data stream " + place.name,
                   .path = fmt::format("/_data_stream/{}/_lifecycle", place.name),
                   .body = lifecycle.dump(),
                   .when = SetupStep::When::kThere});
  return out;
}

}  // namespace vigie::elastic
