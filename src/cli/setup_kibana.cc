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
Json over_time() {
  return {{"id", "2"},
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

  void pattern(const char* what) {
    add("index-pattern", what,
        {{"title", fmt::format("{}-{}-*", prefix_, what)}, {"timeFieldName", "@timestamp"}, {"fields", "[]"}},
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

  void markdown(const char* what, const char* title, const std::string& text) {
    visualization(what, title, "markdown", "", {{"fontSize", 12}, {"openLinksInNewTab", false}, {"markdown", text}},
                  Json::array());
  }

  void search(const char* what, const char* title, const char* of, std::vector<std::string> columns) {
    add("search", what,
        {{"title", title},
         {"description", ""},
         {"hits", 0},
         {"columns", std::move(columns)},
         {"sort", Json::array({Json::array({"@timestamp", "desc"})})},
         {"version", 1},
         {"kibanaSavedObjectMeta", source_of("", true)}},
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

}  // namespace

std::string kibana_objects(const std::string& prefix, const std::string& page) {
  Objects all(prefix);
  for (const auto* what : {"prediction", "label", "explanation"}) all.pattern(what);
  const auto view = [&](const char* what, const char* title) {
    return fmt::format("[{}](#/view/{})", title, all.id(what));
  };
  all.markdown("about", "About",
               fmt::format("**{}** · **{}** · **{}** · [vigie]({})\n\nPredictions and labels as models were asked and "
                           "answered. Click on a model to look at it alone.",
                           view("overview", "Models"), view("model", "One model"), view("logs", "Logs"), page));
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
  all.search("label-log", "Labels", "label", {"vigie.model.id", "id", "label"});
  all.dashboard("overview", "vigie: models",
                {{"about", 0, 0, 48, 5},
                 {"predictions-by-model", 0, 5, 24, 14},
                 {"labels-by-model", 24, 5, 24, 14},
                 {"models", 0, 19, 48, 14}});
  all.dashboard("model", "vigie: one model",
                {{"about", 0, 0, 48, 5},
                 {"answers", 0, 5, 24, 13},
                 {"labels", 24, 5, 24, 13},
                 {"score-over-time", 0, 18, 24, 13},
                 {"scores", 24, 18, 24, 13},
                 {"latency", 0, 31, 16, 13},
                 {"errors", 16, 31, 16, 13},
                 {"versions", 32, 31, 16, 13}});
  all.dashboard(
      "logs", "vigie: logs",
      {{"about", 0, 0, 48, 5}, {"prediction-log", 0, 5, 48, 22, "search"}, {"label-log", 0, 27, 48, 16, "search"}});
  return all.take();
}

}  // namespace vigie::cli
