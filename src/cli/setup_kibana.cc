// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/setup_internal.h"

namespace vigie::cli {
namespace {

using Json = nlohmann::ordered_json;

// One NDJSON for Kibana from 7.10 on and OpenSearch Dashboards: aggregation-based visualizations, which all of them
// read, attributes that all of them know, and no version, so that each brings the objects up to its own.

Json metric(const char* id, const char* type, Json params) {
  return {{"id", id}, {"enabled", true}, {"type", type}, {"schema", "metric"}, {"params", std::move(params)}};
}
Json count() {
  return metric("1", "count", {{"customLabel", "Records"}});
}
Json percentiles(const char* field, std::vector<double> percents, const char* label) {
  return metric("1", "percentiles", {{"field", field}, {"percents", std::move(percents)}, {"customLabel", label}});
}
Json over_time(const char* id = "2") {
  return {{"id", id},
          {"enabled", true},
          {"type", "date_histogram"},
          {"schema", "segment"},
          {"params",
           {{"field", "@timestamp"},
            {"useNormalizedEsInterval", true},
            {"scaleMetricValues", false},
            {"interval", "auto"},
            {"drop_partials", false},
            {"min_doc_count", 1},
            {"extended_bounds", Json::object()}}}};
}
Json terms(const char* id, const char* schema, const char* field, const char* label, int size) {
  return {{"id", id},
          {"enabled", true},
          {"type", "terms"},
          {"schema", schema},
          {"params",
           {{"field", field},
            {"orderBy", "1"},
            {"order", "desc"},
            {"size", size},
            {"otherBucket", false},
            {"otherBucketLabel", "Other"},
            {"missingBucket", false},
            {"missingBucketLabel", "Missing"},
            {"customLabel", label}}}};
}

Json axis(const char* what, const char* position, const char* title) {
  const bool value = std::string_view(what) == "ValueAxis-1";
  Json out{{"id", what},
           {"type", value ? "value" : "category"},
           {"position", position},
           {"show", true},
           {"style", Json::object()},
           {"scale", {{"type", "linear"}}},
           {"labels", {{"show", true}, {"filter", !value}, {"truncate", 100}}},
           {"title", Json::object()}};
  if (value) out["name"] = "LeftAxis-1", out["scale"]["mode"] = "normal", out["title"] = {{"text", title}};
  return out;
}

// `kind`: "line", "area" or "histogram", which draws bars.
Json chart(const char* kind, const char* title, std::size_t metrics = 1) {
  Json series = Json::array();
  for (std::size_t i = 1; i <= metrics; ++i)
    series.push_back({{"show", true},
                      {"type", kind},
                      {"mode", std::string_view(kind) == "line" ? "normal" : "stacked"},
                      {"data", {{"label", title}, {"id", std::to_string(i)}}},
                      {"valueAxis", "ValueAxis-1"},
                      {"drawLinesBetweenPoints", true},
                      {"lineWidth", 2},
                      {"interpolate", "linear"},
                      {"showCircles", false}});
  return {{"type", kind},
          {"grid", {{"categoryLines", false}}},
          {"categoryAxes", Json::array({axis("CategoryAxis-1", "bottom", "")})},
          {"valueAxes", Json::array({axis("ValueAxis-1", "left", title)})},
          {"seriesParams", std::move(series)},
          {"addTooltip", true},
          {"addLegend", true},
          {"legendPosition", "right"},
          {"times", Json::array()},
          {"addTimeMarker", false},
          {"labels", Json::object()},
          {"thresholdLine", {{"show", false}, {"value", 10}, {"width", 1}, {"style", "full"}, {"color", "#E7664C"}}}};
}
// A cell for each group and time, coloured by levels: well, a warning, worse.
Json heat_map() {
  const auto range = [](double from, double to) { return Json{{"from", from}, {"to", to}}; };
  return {
      {"type", "heatmap"},
      {"addTooltip", true},
      {"addLegend", true},
      {"enableHover", false},
      {"legendPosition", "right"},
      {"times", Json::array()},
      {"colorsNumber", 3},
      {"colorSchema", "Green to Red"},
      {"setColorRange", true},
      {"colorsRange", Json::array({range(0, 1), range(1, 2), range(2, 3)})},
      {"invertColors", false},
      {"percentageMode", false},
      {"valueAxes",
       Json::array({{{"show", false},
                     {"id", "ValueAxis-1"},
                     {"type", "value"},
                     {"scale", {{"type", "linear"}, {"defaultYExtents", false}}},
                     {"labels", {{"show", false}, {"rotate", 0}, {"overwriteColor", false}, {"color", "black"}}}}})}};
}
Json table_of() {
  return {{"perPage", 20},
          {"showPartialRows", false},
          {"showMetricsAtAllLevels", false},
          {"sort", {{"columnIndex", nullptr}, {"direction", nullptr}}},
          {"showTotal", false},
          {"totalFunc", "sum"},
          {"percentageCol", ""}};
}

Json source_of(const std::string& query, bool indexed) {
  Json out{{"query", {{"query", query}, {"language", "kuery"}}}, {"filter", Json::array()}};
  if (indexed) out["indexRefName"] = "kibanaSavedObjectMeta.searchSourceJSON.index";
  return {{"searchSourceJSON", out.dump()}};
}
Json index_reference(const std::string& pattern) {
  return Json::array(
      {{{"name", "kibanaSavedObjectMeta.searchSourceJSON.index"}, {"type", "index-pattern"}, {"id", pattern}}});
}

class Objects {
 public:
  explicit Objects(std::string prefix) : prefix_(std::move(prefix)) {}

  std::string id(std::string_view what) const { return fmt::format("{}-{}", prefix_, what); }

  void pattern(const char* what, const char* behind) {
    add("index-pattern", what,
        {{"title", fmt::format("{}-{}{}", prefix_, what, behind)}, {"timeFieldName", "@timestamp"}, {"fields", "[]"}},
        Json::array());
  }

  void visualization(const char* what, const char* title, const char* type, const char* of, Json params, Json aggs,
                     const std::string& query = "") {
    const bool indexed = *of != '\0';
    const Json state{{"title", title}, {"type", type}, {"params", std::move(params)}, {"aggs", std::move(aggs)}};
    add("visualization", what,
        {{"title", title},
         {"description", ""},
         {"version", 1},
         {"uiStateJSON", "{}"},
         {"visState", state.dump()},
         {"kibanaSavedObjectMeta", source_of(query, indexed)}},
        indexed ? index_reference(id(of)) : Json::array());
  }

  // Drawn by Vega, of what a query of its own finds.
  void vega(const char* what, const char* title, const std::string& spec) {
    visualization(what, title, "vega", "", {{"spec", spec}}, Json::array());
  }

  void markdown(const char* what, const char* title, const std::string& text) {
    visualization(what, title, "markdown", "", {{"fontSize", 12}, {"openLinksInNewTab", false}, {"markdown", text}},
                  Json::array());
  }

  void search(const char* what, const char* title, const char* of, std::vector<std::string> columns,
              const std::string& query = "") {
    add("search", what,
        {{"title", title},
         {"description", ""},
         {"hits", 0},
         {"columns", std::move(columns)},
         {"sort", Json::array({Json::array({"@timestamp", "desc"})})},
         {"version", 1},
         {"kibanaSavedObjectMeta", source_of(query, true)}},
        index_reference(id(of)));
  }

  struct Panel {
    const char* what;
    int x, y, width, height;
    const char* type = "visualization";
  };
  void dashboard(const char* what, const char* title, const std::vector<Panel>& panels) {
    Json list = Json::array(), references = Json::array();
    for (const auto& panel : panels) {
      const auto number = std::to_string(list.size() + 1);
      list.push_back(
          {{"version", "7.10.2"},
           {"gridData", {{"x", panel.x}, {"y", panel.y}, {"w", panel.width}, {"h", panel.height}, {"i", number}}},
           {"panelIndex", number},
           {"embeddableConfig", Json::object()},
           {"panelRefName", "panel_" + number}});
      references.push_back({{"name", "panel_" + number}, {"type", panel.type}, {"id", id(panel.what)}});
    }
    add("dashboard", what,
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
         {"kibanaSavedObjectMeta", source_of("", false)}},
        std::move(references));
  }

  std::string take() { return std::move(text_); }

 private:
  void add(const char* type, const char* what, Json attributes, Json references) {
    text_ += Json{{"type", type},
                  {"id", id(what)},
                  {"attributes", std::move(attributes)},
                  {"references", std::move(references)}}
                 .dump() +
             "\n";
  }
  std::string prefix_, text_;
};

// What vigie found, where its store is a cluster: windows, what was found in them, incidents, what requests and the
// machine said, the audit log.
void add_findings(Objects& all) {
  for (const auto* what : {"window", "finding", "incident", "ops", "audit"}) all.pattern(what, "");
  const auto figure = [](const char* id, const char* how, const char* field, const char* label) {
    return metric(id, how, {{"field", field}, {"customLabel", label}});
  };
  all.visualization("verdicts", "Windows by verdict", "histogram", "window", chart("histogram", "Windows"),
                    Json::array({metric("1", "count", {{"customLabel", "Windows"}}), over_time(),
                                 terms("3", "group", "vigie.window.verdict", "Verdict", 5)}));
  all.visualization("worst", "Models: the worst verdict over time", "heatmap", "window", heat_map(),
                    Json::array({figure("1", "max", "vigie.window.level", "0 well, 1 warning, 2 drift"), over_time(),
                                 terms("3", "group", "vigie.model.id", "Model", 50)}));
  all.vega("states", "Models by state, each by its latest window", vega_states(all.id("window")));
  const auto latest = [](const char* id, const char* field, const char* how, const char* label) {
    return metric(id, "top_hits",
                  {{"field", field},
                   {"aggregate", how},
                   {"size", 1},
                   {"sortField", "@timestamp"},
                   {"sortOrder", "desc"},
                   {"customLabel", label}});
  };
  auto each_model = terms("2", "bucket", "vigie.model.id", "Model", 100);
  each_model["params"]["orderBy"] = "_key", each_model["params"]["order"] = "asc";
  all.visualization("latest", "Models and their latest window", "table", "window", table_of(),
                    Json::array({latest("1", "vigie.window.verdict", "concat", "Verdict"),
                                 latest("4", "vigie.window.rows", "max", "Rows"),
                                 figure("5", "max", "@timestamp", "Window"), std::move(each_model)}),
                    "not vigie.model.id : */merged");
  all.search("incidents", "Incidents", "incident",
             {"vigie.model.id", "vigie.incident.severity", "vigie.incident.state", "vigie.incident.summary",
              "vigie.incident.owner"});
  all.visualization("drift", "Drift by feature: 0 well, 1 warning, 2 drift", "heatmap", "finding", heat_map(),
                    Json::array({figure("1", "max", "vigie.level", "Level"), over_time(),
                                 terms("3", "group", "vigie.feature.name", "Feature", 50)}),
                    "vigie.kind : drift");
  // Of all rows alone: means over segments and classes are of nothing. By model, as several may be looked at.
  all.visualization("performance", "Performance by metric", "line", "finding", chart("line", "Value"),
                    Json::array({figure("1", "avg", "vigie.performance.value", "Value"), over_time(),
                                 terms("3", "group", "vigie.model.id", "Model", 10),
                                 terms("4", "group", "vigie.performance.metric", "Metric", 10)}),
                    "vigie.performance.all_rows : true");
  all.visualization("intervals", "Performance: 95 % intervals, and the reference", "table", "finding", table_of(),
                    Json::array({figure("1", "avg", "vigie.performance.value", "Value"),
                                 figure("4", "avg", "vigie.performance.low", "From"),
                                 figure("5", "avg", "vigie.performance.high", "To"),
                                 figure("6", "avg", "vigie.performance.reference", "Reference"),
                                 terms("2", "bucket", "vigie.model.id", "Model", 20),
                                 terms("3", "bucket", "vigie.performance.metric", "Metric", 30)}),
                    "vigie.performance.all_rows : true");
  all.vega("performance-bands", "Performance over time: the 95 % interval (blue), and the reference (grey)",
           vega_performance(all.id("finding")));
  all.visualization("quality", "Checks that did not pass", "histogram", "finding", chart("histogram", "Checks"),
                    Json::array({metric("1", "count", {{"customLabel", "Checks"}}), over_time(),
                                 terms("3", "group", "vigie.quality.check", "Check", 20)}),
                    "vigie.kind : quality");
  all.visualization("effects", "How far features moved", "line", "finding", chart("line", "Effect"),
                    Json::array({figure("1", "max", "vigie.drift.effect", "Effect"), over_time(),
                                 terms("3", "group", "vigie.feature.name", "Feature", 10)}),
                    "vigie.drift.all_rows : true");
  all.visualization(
      "features", "Features", "table", "finding", table_of(),
      Json::array({figure("1", "max", "vigie.drift.effect", "Largest effect"),
                   figure("4", "min", "vigie.drift.p_value", "Smallest p"),
                   figure("5", "max", "vigie.level", "Worst level"),
                   figure("6", "sum", "vigie.drift.missing", "Missing"), figure("7", "sum", "vigie.rows", "Rows"),
                   terms("2", "bucket", "vigie.feature.name", "Feature", 100),
                   terms("3", "bucket", "vigie.drift.effect_scale", "Effect in", 5)}),
      "vigie.drift.all_rows : true");
  all.vega("distributions", "Features that moved most: reference (grey) and their worst window (blue)",
           vega_distributions(all.id("finding")));
  all.search("changes", "What changed: reference → current", "finding",
             {"vigie.model.id", "vigie.feature.name", "vigie.segment", "vigie.verdict", "vigie.reason"},
             "vigie.level >= 1");
  all.vega("machine", "The machine, of all models: CPU, memory, GPU, answers of probes", vega_machine(all.id("ops")));
  all.visualization("answer-time", "Latency by the minute, ms: 95 %", "line", "ops", chart("line", "ms"),
                    Json::array({figure("1", "avg", "vigie.ops.latency_p95_ms", "ms"), over_time(),
                                 terms("3", "group", "vigie.model.id", "Model", 10)}),
                    "vigie.ops.latency_p95_ms : *");
  all.visualization("requests", "Requests and errors", "line", "ops", chart("line", "Requests", 2),
                    Json::array({figure("1", "sum", "vigie.ops.requests", "Requests"),
                                 figure("2", "sum", "vigie.ops.errors", "Errors"), over_time("4")}),
                    "vigie.ops.requests : *");
  all.search("audit", "Who did what", "audit", {"vigie.audit.event", "vigie.model.id"});
}

}  // namespace

std::string kibana_objects(const std::string& prefix, const std::string& page) {
  Objects all(prefix);
  for (const auto* what : {"prediction", "label", "explanation", "dead-letter"}) all.pattern(what, "-*");
  add_findings(all);
  const auto view = [&](const char* what, const char* title) {
    return fmt::format("[{}](#/view/{})", title, all.id(what));
  };
  all.markdown(
      "about", "About",
      fmt::format("**{}** · **{}** · **{}** · **{}** · [vigie]({})\n\nPredictions and labels as models were asked "
                  "and answered, and what vigie found. Click on a model to look at it alone.",
                  view("overview", "Models"), view("model", "One model"), view("feature", "Features"),
                  view("logs", "Logs"), page));
  const auto by_model = [] { return terms("3", "group", "vigie.model.id", "Model", 20); };
  all.visualization("predictions-by-model", "Predictions by model", "line", "prediction", chart("line", "Predictions"),
                    Json::array({count(), over_time(), by_model()}));
  all.visualization("labels-by-model", "Labels by model", "line", "label", chart("line", "Labels"),
                    Json::array({count(), over_time(), by_model()}));
  all.visualization(
      "models", "Models", "table", "prediction", table_of(),
      Json::array({count(), metric("4", "max", {{"field", "@timestamp"}, {"customLabel", "Latest"}}),
                   metric("5", "avg", {{"field", "score"}, {"customLabel", "Mean score"}}),
                   metric("6", "percentiles",
                          {{"field", "latency_ms"}, {"percents", Json::array({95})}, {"customLabel", "ms"}}),
                   terms("2", "bucket", "vigie.model.id", "Model", 100)}));
  all.visualization("answers", "Answers", "histogram", "prediction", chart("histogram", "Predictions"),
                    Json::array({count(), over_time(), terms("3", "group", "prediction", "Prediction", 10)}));
  all.visualization("score-over-time", "Score over time: 5, 50 and 95 %", "line", "prediction", chart("line", "Score"),
                    Json::array({percentiles("score", {5, 50, 95}, "Score"), over_time()}));
  all.visualization("scores", "Scores", "histogram", "prediction", chart("histogram", "Predictions"),
                    Json::array({count(),
                                 {{"id", "2"},
                                  {"enabled", true},
                                  {"type", "histogram"},
                                  {"schema", "segment"},
                                  {"params",
                                   {{"field", "score"},
                                    {"interval", 0.05},
                                    {"min_doc_count", false},
                                    {"extended_bounds", Json::object()}}}}}));
  all.visualization("latency", "Latency, ms: 50, 95 and 99 %", "line", "prediction", chart("line", "ms"),
                    Json::array({percentiles("latency_ms", {50, 95, 99}, "ms"), over_time()}));
  all.visualization("errors", "Errors: status 500 and above", "histogram", "prediction", chart("histogram", "Errors"),
                    Json::array({count(), over_time(), by_model()}), "status >= 500");
  all.visualization("versions", "Versions", "area", "prediction", chart("area", "Predictions"),
                    Json::array({count(), over_time(), terms("3", "group", "version", "Version", 10)}));
  all.visualization("labels", "Labels", "histogram", "label", chart("histogram", "Labels"),
                    Json::array({count(), over_time(), terms("3", "group", "label", "Label", 10)}));
  all.search("prediction-log", "Predictions", "prediction",
             {"vigie.model.id", "id", "prediction", "score", "latency_ms"});
  all.search("error-log", "Errors: status 500 and above", "prediction",
             {"vigie.model.id", "id", "status", "latency_ms"}, "status >= 500");
  all.search("dead-letters", "Dead letters: what the cluster did not take", "dead-letter",
             {"vigie.model.id", "vigie.dead_letter.record", "vigie.dead_letter.status", "vigie.dead_letter.type",
              "vigie.dead_letter.reason", "vigie.dead_letter.index"});
  all.search("label-log", "Labels", "label", {"vigie.model.id", "id", "label"});
  all.dashboard("overview", "vigie: models",
                {{"about", 0, 0, 48, 5},
                 {"states", 0, 5, 16, 10},
                 {"latest", 16, 5, 32, 10},
                 {"worst", 0, 15, 24, 13},
                 {"verdicts", 24, 15, 24, 13},
                 {"incidents", 0, 28, 48, 12, "search"},
                 {"predictions-by-model", 0, 40, 24, 13},
                 {"labels-by-model", 24, 40, 24, 13},
                 {"models", 0, 53, 48, 14}});
  all.dashboard("model", "vigie: one model",
                {{"about", 0, 0, 48, 5},
                 {"drift", 0, 5, 24, 15},
                 {"performance", 24, 5, 24, 15},
                 {"performance-bands", 0, 20, 48, 20},
                 {"quality", 0, 40, 24, 13},
                 {"intervals", 24, 40, 24, 13},
                 {"answers", 0, 53, 24, 13},
                 {"labels", 24, 53, 24, 13},
                 {"score-over-time", 0, 66, 24, 13},
                 {"scores", 24, 66, 24, 13},
                 {"latency", 0, 79, 16, 13},
                 {"errors", 16, 79, 16, 13},
                 {"versions", 32, 79, 16, 13},
                 {"requests", 0, 92, 24, 13},
                 {"answer-time", 24, 92, 24, 13},
                 {"machine", 0, 105, 48, 20}});
  all.dashboard("feature", "vigie: features",
                {{"about", 0, 0, 48, 5},
                 {"effects", 0, 5, 24, 15},
                 {"features", 24, 5, 24, 15},
                 {"distributions", 0, 20, 48, 28},
                 {"changes", 0, 48, 48, 20, "search"}});
  all.dashboard("logs", "vigie: logs",
                {{"about", 0, 0, 48, 5},
                 {"prediction-log", 0, 5, 48, 18, "search"},
                 {"error-log", 0, 23, 24, 14, "search"},
                 {"label-log", 24, 23, 24, 14, "search"},
                 {"dead-letters", 0, 37, 48, 14, "search"},
                 {"audit", 0, 51, 48, 14, "search"}});
  return all.take();
}

}  // namespace vigie::cli
