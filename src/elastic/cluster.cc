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

// A record's own "timestamp" may be a number of seconds, which a date would take for milliseconds.
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

std::string policy_of(const SetupOptions& options) {
  return fmt::format("{}-{}d", own_name(options.place.name), options.keep_days);
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

std::vector<SetupStep> setup_of(const Cluster& cluster, const SetupOptions& options) {
  const auto& place = options.place;
  const bool stream = place.kind == Kind::kStream, es = !cluster.opensearch;
  std::vector<SetupStep> out;
  Json index{{"mapping", {{"ignore_malformed", true}, {"total_fields", {{"limit", 2000}}}}}};
  if (es && cluster.at_least(8, 14)) index["mapping"]["total_fields"]["ignore_dynamic_beyond_limit"] = true;
  Json lifecycle;
  if (options.keep_days > 0) {
    const auto days = options.keep_days + (place.kind == Kind::kMonths ? kMonth : 0);
    const auto age = fmt::format("{}d", days);
    if (es && stream && cluster.at_least(8, 11)) {
      lifecycle = {{"data_retention", age}};
    } else if (es) {
      Json hot{{"actions", Json::object()}};
      if (stream)
        hot["actions"]["rollover"] = {{"max_age", fmt::format("{}d", std::max<std::int64_t>(1, options.keep_days / 5))},
                                      {"max_size", "50gb"}};
      out.push_back(
          {fmt::format("the lifecycle {}", policy_of(options)), "PUT", "/_ilm/policy/" + policy_of(options),
           Json{{"policy",
                 {{"phases",
                   {{"hot", hot}, {"delete", {{"min_age", age}, {"actions", {{"delete", Json::object()}}}}}}}}}}
               .dump()});
      index["lifecycle"] = {{"name", policy_of(options)}};
    } else {
      const Json transition{{{"state_name", "delete"}, {"conditions", {{"min_index_age", age}}}}};
      Json keep{{"name", "keep"}, {"actions", Json::array()}, {"transitions", transition}};
      if (stream)
        keep["actions"].push_back(
            {{"rollover", {{"min_index_age", fmt::format("{}d", std::max<std::int64_t>(1, options.keep_days / 5))}}}});
      const Json gone{
          {"name", "delete"}, {"actions", Json::array({{{"delete", Json::object()}}})}, {"transitions", Json::array()}};
      const auto pattern = stream ? ".ds-" + place.name + "-*" : place.pattern();
      out.push_back(
          {fmt::format("the policy {}", policy_of(options)), "PUT", "/_plugins/_ism/policies/" + policy_of(options),
           Json{{"policy",
                 {{"description", fmt::format("vigie: goes after {}", age)},
                  {"default_state", "keep"},
                  {"states", Json::array({keep, gone})},
                  {"ism_template",
                   Json::array({{{"index_patterns", Json::array({pattern})}, {"priority", priority_of(place)}}})}}}}
               .dump(),
           false, true});
    }
  }
  out.push_back(component("vigie@mappings", {{"mappings", mappings()}}));
  if (!cluster.serverless)
    out.push_back(component("vigie@settings", {{"settings", {{"index", Json{{"mapping", index["mapping"]}}}}}}));
  auto custom = component("vigie@custom", Json::object());
  custom.absent = true;
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
  const auto name = own_name(place.name);
  out.push_back({"the index template " + name, "PUT", "/_index_template/" + name, body.dump(), stream});
  return out;
}

}  // namespace vigie::elastic
