// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/setup_internal.h"

namespace vigie::cli {
namespace {

using Json = nlohmann::ordered_json;

// Of Vega-Lite 4, which Kibana from 7.10 on and OpenSearch Dashboards have.
// What Vega asks for: of the dashboard's time and filters, and of `what` besides.
Json chosen(Json what) {
  return {{"bool",
           {{"must",
             Json::array({"%dashboard_context-must_clause%", {{"range", {{"@timestamp", {{"%timefilter%", true}}}}}}})},
            {"filter", Json::array({"%dashboard_context-filter_clause%", std::move(what)})},
            {"must_not", Json::array({"%dashboard_context-must_not_clause%"})}}}};
}

// Each metric of each model by the time of its windows, as it was: nothing is averaged.
Json performance(const std::string& index) {
  const Json body{{"size", 5000},
                  {"_source", Json::array({"@timestamp", "vigie.model.id", "vigie.performance"})},
                  {"query", chosen({{"term", {{"vigie.performance.all_rows", true}}}})},
                  {"sort", Json::array({{{"@timestamp", {{"order", "desc"}, {"unmapped_type", "date"}}}}})}};
  const auto of = [](const char* field) { return Json{{"field", field}, {"type", "quantitative"}}; };
  Json value = of("value");
  value["title"] = nullptr, value["scale"] = {{"zero", false}};
  const Json time{{"field", "time"}, {"type", "temporal"}, {"title", nullptr}};
  const auto layer = [&](Json mark, Json y, const char* upper) {
    Json encoding{{"x", time}, {"y", std::move(y)}};
    if (upper) encoding["y2"] = {{"field", upper}};
    return Json{{"mark", std::move(mark)}, {"encoding", std::move(encoding)}};
  };
  Json low = of("low"), reference = of("reference");
  for (auto* y : {&low, &reference}) (*y)["title"] = nullptr, (*y)["scale"] = {{"zero", false}};
  return {
      {"$schema", "https://vega.github.io/schema/vega-lite/v4.json"},
      {"config", {{"kibana", {{"hideWarnings", true}}}}},
      {"autosize", "pad"},
      {"data", {{"url", {{"index", index}, {"body", body}}}, {"format", {{"property", "hits.hits"}}}}},
      {"transform",
       Json::array(
           {{{"calculate", "datum._source.vigie.performance"}, {"as", "p"}},
            {{"calculate", "toDate(datum._source['@timestamp'])"}, {"as", "time"}},
            {{"calculate", "datum.p.metric + ' · ' + datum._source.vigie.model.id"}, {"as", "metric"}},
            {{"calculate", "datum.p.value"}, {"as", "value"}},
            {{"calculate", "isValid(datum.p.low) ? datum.p.low : datum.p.value"}, {"as", "low"}},
            {{"calculate", "isValid(datum.p.high) ? datum.p.high : datum.p.value"}, {"as", "high"}},
            {{"calculate", "isValid(datum.p.reference) ? datum.p.reference : datum.p.value"}, {"as", "reference"}}})},
      {"facet", {{"field", "metric"}, {"type", "nominal"}, {"title", nullptr}}},
      {"columns", 3},
      {"spec",
       {{"width", 330},
        {"height", 110},
        {"layer",
         Json::array(
             {layer({{"type", "area"}, {"color", "#006BB4"}, {"opacity", 0.2}}, low, "high"),
              layer({{"type", "line"}, {"color", "#98A2B3"}, {"strokeDash", Json::array({4, 3})}}, reference, nullptr),
              layer({{"type", "line"}, {"color", "#006BB4"}, {"point", true}, {"tooltip", true}}, value, nullptr)})}}},
      {"resolve", {{"scale", {{"y", "independent"}}}}}};
}

// Of each feature of a model the window of the chosen time in which it had moved most, of those that are drawn: what it
// was and what it is.
Json distributions(const std::string& index) {
  const auto falling = [](const char* field) {
    return Json{{field, {{"order", "desc"}, {"unmapped_type", "double"}}}};
  };
  const Json body{
      {"size", 12},
      {"_source", Json::array({"@timestamp", "vigie"})},
      {"query", chosen({{"exists", {{"field", "vigie.drift.drawn"}}}})},
      {"collapse", {{"field", "vigie.drift.drawn"}}},
      {"sort", Json::array({falling("vigie.level"), falling("vigie.drift.effect"), falling("@timestamp")})}};
  const Json share{{"field", "share"},
                   {"type", "quantitative"},
                   {"stack", nullptr},
                   {"title", nullptr},
                   {"axis", {{"format", "%"}}}};
  return {{"$schema", "https://vega.github.io/schema/vega-lite/v4.json"},
          {"config", {{"kibana", {{"hideWarnings", true}}}}},
          {"autosize", "pad"},
          {"data", {{"url", {{"index", index}, {"body", body}}}, {"format", {{"property", "hits.hits"}}}}},
          {"transform",
           Json::array({{{"calculate", "datum._source.vigie"}, {"as", "v"}},
                        {{"calculate",
                          "datum.v.feature.name + ' · ' + datum.v.model.id + ' · ' + "
                          "slice(datum._source['@timestamp'], 0, 16)"},
                         {"as", "feature"}},
                        {{"calculate", "datum.v.drift.distribution.cells"}, {"as", "cell"}},
                        {{"calculate", "datum.v.drift.distribution.reference"}, {"as", "reference"}},
                        {{"calculate", "datum.v.drift.distribution.current"}, {"as", "current"}},
                        {{"flatten", Json::array({"cell", "reference", "current"})}},
                        {{"fold", Json::array({"reference", "current"})}, {"as", Json::array({"of", "share"})}}})},
          {"facet", {{"field", "feature"}, {"type", "nominal"}, {"title", nullptr}, {"sort", nullptr}}},
          {"columns", 4},
          {"spec",
           {{"width", 230},
            {"height", 110},
            {"mark", {{"type", "bar"}, {"tooltip", true}}},
            {"encoding",
             {{"x",
               {{"field", "cell"},
                {"type", "ordinal"},
                {"sort", nullptr},
                {"title", nullptr},
                {"axis", {{"labelOverlap", true}, {"labelAngle", 0}, {"labelLimit", 60}}}}},
              {"y", share},
              {"opacity", {{"value", 0.55}}},
              {"color",
               {{"field", "of"},
                {"type", "nominal"},
                {"scale",
                 {{"domain", Json::array({"reference", "current"})}, {"range", Json::array({"#98A2B3", "#006BB4"})}}},
                {"legend", {{"title", nullptr}, {"orient", "top"}}}}}}}}},
          {"resolve", {{"scale", {{"x", "independent"}, {"y", "independent"}}}}}};
}

// How many models there are of each verdict, each by its latest window of the chosen time.
Json states(const std::string& index) {
  const Json latest{{"size", 1},
                    {"sort", Json::array({{{"@timestamp", {{"order", "desc"}}}}})},
                    {"_source", Json::array({"vigie.window.verdict", "vigie.window.level"})}};
  const Json of_each{{"terms", {{"field", "vigie.model.id"}, {"size", 1000}}},
                     {"aggs", {{"latest", {{"top_hits", latest}}}}}};
  // Several windows together are no model of their own.
  const Json body{{"size", 0},
                  {"query", chosen({{"bool", {{"must_not", {{"wildcard", {{"vigie.model.id", "*/merged"}}}}}}}})},
                  {"aggs", {{"models", of_each}}}};
  const Json verdicts{{"domain", Json::array({"drift", "warning", "ok"})},
                      {"range", Json::array({"#CC5642", "#D6BF57", "#209280"})}};
  const Json y{{"field", "verdict"},
               {"type", "nominal"},
               {"title", nullptr},
               {"sort", {{"field", "level"}, {"order", "descending"}}}};
  const Json x{{"field", "models"}, {"type", "quantitative"}, {"title", "Models"}, {"axis", {{"tickMinStep", 1}}}};
  const Json color{{"field", "verdict"}, {"type", "nominal"}, {"scale", verdicts}, {"legend", nullptr}};
  return {{"$schema", "https://vega.github.io/schema/vega-lite/v4.json"},
          {"config", {{"kibana", {{"hideWarnings", true}}}}},
          {"data",
           {{"url", {{"index", index}, {"body", body}}}, {"format", {{"property", "aggregations.models.buckets"}}}}},
          {"transform",
           Json::array({{{"calculate", "datum.latest.hits.hits[0]._source.vigie.window.verdict"}, {"as", "verdict"}},
                        {{"calculate", "datum.latest.hits.hits[0]._source.vigie.window.level"}, {"as", "level"}},
                        {{"aggregate", Json::array({{{"op", "count"}, {"as", "models"}},
                                                    {{"op", "max"}, {"field", "level"}, {"as", "level"}}})},
                         {"groupby", Json::array({"verdict"})}}})},
          {"encoding", {{"y", y}}},
          {"layer",
           Json::array({{{"mark", {{"type", "bar"}, {"tooltip", true}}}, {"encoding", {{"x", x}, {"color", color}}}},
                        {{"mark", {{"type", "text"}, {"align", "left"}, {"dx", 4}, {"fontSize", 16}}},
                         {"encoding", {{"x", x}, {"text", {{"field", "models"}, {"type", "quantitative"}}}}}}})}};
}

// The machines that models run on, by the time alone: they are of no model, so a filter for one would leave nothing.
Json machine(const std::string& index) {
  const std::pair<const char*, const char*> all[] = {{"cpu_cores", "CPU, cores in use"},
                                                     {"memory_used_bytes", "memory in use, bytes"},
                                                     {"gpu_share", "GPU, share in use"},
                                                     {"latency_ms", "answer of a probe, ms"}};
  Json means = Json::object(), names = Json::array(), any = Json::array(), out_of = Json::array();
  out_of.push_back({{"flatten", Json::array({"times"})}});
  for (const auto& [field, name] : all) {
    const auto whole = fmt::format("vigie.ops.{}", field);
    means[field] = {{"avg", {{"field", whole}}}};
    any.push_back({{"exists", {{"field", whole}}}});
    out_of.push_back({{"calculate", fmt::format("datum.times.{}.value", field)}, {"as", name}});
    names.push_back(name);
  }
  out_of.insert(out_of.begin(), Json{{"calculate", "datum.over_time.buckets"}, {"as", "times"}});
  out_of.push_back({{"calculate", "toDate(datum.times.key)"}, {"as", "time"}});
  out_of.push_back({{"fold", names}, {"as", Json::array({"series", "mean"})}});
  out_of.push_back({{"filter", "isValid(datum.mean)"}});
  const Json over_time{{"auto_date_histogram", {{"field", "@timestamp"}, {"buckets", 60}}}, {"aggs", std::move(means)}};
  const Json filters{
      {"bool",
       {{"filter", Json::array({{{"range", {{"@timestamp", {{"%timefilter%", true}}}}}},
                                {{"bool", {{"should", std::move(any)}, {"minimum_should_match", 1}}}}})}}}};
  const Json body{
      {"size", 0},
      {"query", filters},
      {"aggs", {{"sources", {{"terms", {{"field", "source"}, {"size", 10}}}, {"aggs", {{"over_time", over_time}}}}}}}};
  return {{"$schema", "https://vega.github.io/schema/vega-lite/v4.json"},
          {"config", {{"kibana", {{"hideWarnings", true}}}}},
          {"autosize", "pad"},
          {"data",
           {{"url", {{"index", index}, {"body", body}}}, {"format", {{"property", "aggregations.sources.buckets"}}}}},
          {"transform", std::move(out_of)},
          {"facet", {{"field", "series"}, {"type", "nominal"}, {"title", nullptr}}},
          {"columns", 2},
          {"spec",
           {{"width", 500},
            {"height", 110},
            {"mark", {{"type", "line"}, {"point", true}, {"tooltip", true}}},
            {"encoding",
             {{"x", {{"field", "time"}, {"type", "temporal"}, {"title", nullptr}}},
              {"y", {{"field", "mean"}, {"type", "quantitative"}, {"title", nullptr}, {"axis", {{"format", "~s"}}}}},
              {"color", {{"field", "key"}, {"type", "nominal"}, {"title", nullptr}}}}}}},
          {"resolve", {{"scale", {{"y", "independent"}}}}}};
}

}  // namespace

std::string vega_performance(const std::string& index) {
  return performance(index).dump(1);
}
std::string vega_distributions(const std::string& index) {
  return distributions(index).dump(1);
}
std::string vega_states(const std::string& index) {
  return states(index).dump(1);
}
std::string vega_machine(const std::string& index) {
  return machine(index).dump(1);
}

}  // namespace vigie::cli
