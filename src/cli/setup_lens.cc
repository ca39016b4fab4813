// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/setup_internal.h"
#include "event/audit.h"

namespace vigie::cli {
namespace {

using Json = nlohmann::ordered_json;

// One column of a Lens table of data, by its id.
using Column = std::pair<const char*, Json>;

Column over_time(const char* id) {
  return {id,
          {{"label", "@timestamp"},
           {"dataType", "date"},
           {"operationType", "date_histogram"},
           {"sourceField", "@timestamp"},
           {"isBucketed", true},
           {"scale", "interval"},
           {"params", {{"interval", "auto"}, {"includeEmptyRows", false}, {"dropPartials", false}}}}};
}
Column figure(const char* id, const char* how, const char* field, const char* label) {
  return {id,
          {{"label", label},
           {"dataType", "number"},
           {"operationType", how},
           {"sourceField", field},
           {"isBucketed", false},
           {"scale", "ratio"},
           {"params", {{"emptyAsNull", true}}},
           {"customLabel", true}}};
}
Column count(const char* id, const char* label) {
  auto out = figure(id, "count", "___records___", label);
  return out;
}
Column by(const char* id, const char* field, const char* label, const char* order, int size) {
  return {id,
          {{"label", label},
           {"dataType", "string"},
           {"operationType", "terms"},
           {"scale", "ordinal"},
           {"sourceField", field},
           {"isBucketed", true},
           {"customLabel", true},
           {"params",
            {{"size", size},
             {"orderBy", {{"type", "column"}, {"columnId", order}}},
             {"orderDirection", "desc"},
             {"otherBucket", false},
             {"missingBucket", false},
             {"parentFormat", {{"id", "terms"}}}}}}};
}

// A group for each two that come together.
Column by_both(const char* id, const char* field, const char* second, const char* label, const char* order, int size) {
  auto out = by(id, field, label, order, size);
  out.second["params"]["secondaryFields"] = Json::array({second});
  out.second["params"]["parentFormat"] = {{"id", "multi_terms"}};
  return out;
}

Json lines_by(const char* group) {
  return {{"legend", {{"isVisible", true}, {"position", "right"}}},
          {"valueLabels", "hide"},
          {"preferredSeriesType", "line"},
          {"layers", Json::array({{{"layerId", "l1"},
                                   {"layerType", "data"},
                                   {"seriesType", "line"},
                                   {"xAccessor", "time"},
                                   {"accessors", Json::array({"value"})},
                                   {"splitAccessor", group}}})}};
}

class Lens {
 public:
  explicit Lens(std::string prefix) : prefix_(std::move(prefix)) {}

  void add(const char* what, const char* title, const char* type, const char* of, const std::string& query,
           const std::vector<Column>& columns, Json visualization) {
    Json order = Json::array(), all = Json::object();
    for (const auto& [id, column] : columns) order.push_back(id), all[id] = column;
    const Json layer{{"columnOrder", std::move(order)},
                     {"incompleteColumns", Json::object()},
                     {"sampling", 1},
                     {"columns", std::move(all)}};
    visualization["layerId"] = "l1";
    if (visualization.contains("layers"))
      visualization.erase("layerId");
    else
      visualization["layerType"] = "data";
    const Json state{{"datasourceStates", {{"formBased", {{"layers", {{"l1", layer}}}}}}},
                     {"visualization", std::move(visualization)},
                     {"query", {{"query", query}, {"language", "kuery"}}},
                     {"filters", Json::array()},
                     {"internalReferences", Json::array()},
                     {"adHocDataViews", Json::object()}};
    put("lens", what, {{"title", title}, {"description", ""}, {"visualizationType", type}, {"state", state}},
        Json::array({{{"type", "index-pattern"}, {"id", id(of)}, {"name", "indexpattern-datasource-layer-l1"}}}));
    panels_.push_back(id(what));
  }

  // All that was added, two in a row.
  std::string dashboard(const char* what, const char* title) {
    constexpr int kWidth = 24, kHeight = 14;
    Json list = Json::array(), references = Json::array();
    for (std::size_t i = 0; i < panels_.size(); ++i) {
      const auto number = std::to_string(i + 1);
      list.push_back(
          {{"type", "lens"},
           {"gridData", {{"x", i % 2 * kWidth}, {"y", i / 2 * kHeight}, {"w", kWidth}, {"h", kHeight}, {"i", number}}},
           {"panelIndex", number},
           {"embeddableConfig", {{"enhancements", Json::object()}}},
           {"panelRefName", "panel_" + number}});
      references.push_back({{"name", number + ":panel_" + number}, {"type", "lens"}, {"id", panels_[i]}});
    }
    const Json nothing{{"query", {{"query", ""}, {"language", "kuery"}}}, {"filter", Json::array()}};
    put("dashboard", what,
        {{"title", title},
         {"description", ""},
         {"hits", 0},
         {"version", 1},
         {"timeRestore", true},
         {"timeFrom", "now-7d"},
         {"timeTo", "now"},
         {"refreshInterval", {{"pause", true}, {"value", 0}}},
         {"optionsJSON", Json{{"useMargins", true}, {"hidePanelTitles", false}}.dump()},
         {"panelsJSON", list.dump()},
         {"kibanaSavedObjectMeta", {{"searchSourceJSON", nothing.dump()}}}},
        std::move(references));
    return std::move(text_);
  }

 private:
  std::string id(std::string_view what) const { return fmt::format("{}-{}", prefix_, what); }
  void put(const char* type, const char* what, Json attributes, Json references) {
    Json out{{"type", type}, {"id", id(what)}};
    // The versions that its shape is of; what is newer brings it up to its own.
    if (std::string_view(type) == "lens") out["coreMigrationVersion"] = "8.8.0", out["typeMigrationVersion"] = "8.9.0";
    out["attributes"] = std::move(attributes), out["references"] = std::move(references);
    text_ += out.dump() + "\n";
  }
  std::string prefix_, text_;
  std::vector<std::string> panels_;
};

// The same each time for the same name, in the shape of a UUID.
std::string uuid_of(const std::string& name) {
  auto digits = event::sha256(name).substr(0, 32);
  digits[12] = '5', digits[16] = '8';
  return fmt::format("{}-{}-{}-{}-{}", digits.substr(0, 8), digits.substr(8, 4), digits.substr(12, 4),
                     digits.substr(16, 4), digits.substr(20));
}

Json counted(const std::string& index, const char* time, const Json& query, const char* comparison, int minutes) {
  return {{"searchType", "esQuery"},
          {"index", Json::array({index})},
          {"timeField", time},
          {"esQuery", Json{{"query", query}}.dump()},
          {"size", 10},
          {"timeWindowSize", minutes},
          {"timeWindowUnit", "m"},
          {"thresholdComparator", comparison},
          {"threshold", Json::array({comparison[0] == '<' ? 1 : 0})},
          {"aggType", "count"},
          {"groupBy", "all"},
          {"excludeHitsFromPreviousRun", true}};
}

}  // namespace

std::string lens_objects(const std::string& prefix) {
  Lens all(prefix);
  all.add("lens-verdicts", "Windows by verdict", "lnsXY", "window", "",
          {by("group", "vigie.window.verdict", "Verdict", "value", 5), over_time("time"), count("value", "Windows")},
          lines_by("group"));
  all.add("lens-incidents", "Incidents that are not resolved", "lnsMetric", "incident",
          "not vigie.incident.state : resolved", {count("value", "Incidents")}, {{"metricAccessor", "value"}});
  all.add("lens-drift", "How far features moved", "lnsXY", "finding", "vigie.drift.all_rows : true",
          {by("group", "vigie.feature.name", "Feature", "value", 10), over_time("time"),
           figure("value", "max", "vigie.drift.effect", "Effect")},
          lines_by("group"));
  all.add("lens-performance", "Performance by metric", "lnsXY", "finding", "vigie.performance.all_rows : true",
          {by_both("group", "vigie.model.id", "vigie.performance.metric", "Model and metric", "value", 10),
           over_time("time"), figure("value", "average", "vigie.performance.value", "Value")},
          lines_by("group"));
  Json columns = Json::array();
  for (const auto* id : {"group", "value", "p", "level"}) columns.push_back({{"columnId", id}});
  all.add(
      "lens-features", "Features", "lnsDatatable", "finding", "vigie.drift.all_rows : true",
      {by("group", "vigie.feature.name", "Feature", "value", 50),
       figure("value", "max", "vigie.drift.effect", "Largest effect"),
       figure("p", "min", "vigie.drift.p_value", "Smallest p"), figure("level", "max", "vigie.level", "Worst level")},
      {{"columns", std::move(columns)}});
  all.add("lens-checks", "Checks that did not pass", "lnsXY", "finding", "vigie.kind : quality",
          {by("group", "vigie.quality.check", "Check", "value", 10), over_time("time"), count("value", "Checks")},
          lines_by("group"));
  return all.dashboard("lens", "vigie: at a glance");
}

std::vector<KibanaRule> kibana_rules(const std::string& prefix, const std::string& space) {
  const auto term = [](const char* field, const char* value) { return Json{{"term", {{field, value}}}}; };
  const Json open{
      {"bool",
       {{"filter", Json::array({term("vigie.incident.state", "open"), term("vigie.incident.severity", "critical")})}}}};
  std::vector<KibanaRule> out;
  const auto add = [&](const char* name, const char* every, Json params) {
    out.push_back({uuid_of(fmt::format("{}/{}/{}", space, prefix, name)), name,
                   Json{{"name", name},
                        {"rule_type_id", ".es-query"},
                        {"consumer", "alerts"},
                        {"schedule", {{"interval", every}}},
                        {"enabled", true},
                        {"tags", Json::array({"vigie"})},
                        {"actions", Json::array()},
                        {"params", std::move(params)}}
                       .dump()});
  };
  add("vigie: a critical incident", "1m", counted(prefix + "-incident", "vigie.incident.opened", open, ">", 10));
  add("vigie: no predictions for an hour", "10m",
      counted(prefix + "-prediction-*", "@timestamp", {{"match_all", Json::object()}}, "<", 60));
  return out;
}

std::vector<KibanaRule> opensearch_monitors(const std::string& prefix) {
  std::vector<KibanaRule> out;
  // Of what came within so many minutes before it looks.
  const auto add = [&](std::string name, int every, const std::string& index, const char* time, int minutes,
                       Json filters, const char* condition) {
    filters.push_back({{"range",
                        {{time,
                          {{"gt", fmt::format("{{{{period_end}}}}||-{}m", minutes)},
                           {"lte", "{{period_end}}"},
                           {"format", "epoch_millis"}}}}}});
    const Json query{{"size", 0}, {"query", {{"bool", {{"filter", std::move(filters)}}}}}};
    const Json script{{"source", fmt::format("ctx.results[0].hits.total.value {}", condition)}, {"lang", "painless"}};
    const Json trigger{
        {"name", name}, {"severity", "1"}, {"condition", {{"script", script}}}, {"actions", Json::array()}};
    out.push_back({"", name,
                   Json{{"type", "monitor"},
                        {"monitor_type", "query_level_monitor"},
                        {"name", name},
                        {"enabled", true},
                        {"schedule", {{"period", {{"interval", every}, {"unit", "MINUTES"}}}}},
                        {"inputs", Json::array({{{"search", {{"indices", Json::array({index})}, {"query", query}}}}})},
                        {"triggers", Json::array({{{"query_level_trigger", trigger}}})}}
                       .dump()});
  };
  const auto term = [](const char* field, const char* value) { return Json{{"term", {{field, value}}}}; };
  add(prefix + ": a critical incident", 1, prefix + "-incident", "vigie.incident.opened", 10,
      Json::array({term("vigie.incident.state", "open"), term("vigie.incident.severity", "critical")}), "> 0");
  add(prefix + ": no predictions for an hour", 10, prefix + "-prediction-*", "@timestamp", 60, Json::array(), "< 1");
  return out;
}

}  // namespace vigie::cli
