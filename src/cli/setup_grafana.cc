// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "cli/setup_internal.h"

namespace vigie::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Panel {
  std::string_view title, kind, expr, legend, unit;
};

constexpr Panel kPanels[] = {
    {"Open incidents", "stat", R"(sum(vigie_incidents_open{instance=~"$instance", model=~"$model"}) or vector(0))", "",
     "short"},
    {"Models that drift", "stat",
     R"(sum(vigie_model_state{instance=~"$instance", model=~"$model", state="drift"}) or vector(0))", "", "short"},
    {"Behind", "stat", R"(max(vigie_journal_lag_seconds{instance=~"$instance"}))", "", "s"},
    {"Healthy", "stat", R"(min(vigie_healthy{instance=~"$instance"}))", "", "short"},
    {"State of models", "table", R"(vigie_model_state{instance=~"$instance", model=~"$model"})", "", "short"},
    {"Open incidents by model", "timeseries", R"(vigie_incidents_open{instance=~"$instance", model=~"$model"})",
     "{{model}} {{severity}}", "short"},
    {"What moved most", "timeseries", R"(topk(10, vigie_drift_score{instance=~"$instance", model=~"$model"}))",
     "{{model}} {{feature}} {{test}}", "short"},
    {"Missing values", "timeseries", R"(topk(10, vigie_feature_missing_ratio{instance=~"$instance", model=~"$model"}))",
     "{{model}} {{feature}}", "percentunit"},
    {"Performance", "timeseries", R"(vigie_model_performance{instance=~"$instance", model=~"$model"})",
     "{{model}} {{metric}} {{part}}", "short"},
    {"Predictions a second", "timeseries",
     R"(rate(vigie_predictions_total{instance=~"$instance", model=~"$model"}[5m]))", "{{model}}", "cps"},
    {"Labels a second", "timeseries", R"(rate(vigie_labels_total{instance=~"$instance", model=~"$model"}[5m]))",
     "{{model}}", "cps"},
    {"Records by outcome", "timeseries",
     R"(sum by (kind, outcome) (rate(vigie_ingest_records_total{instance=~"$instance"}[5m])))", "{{kind}} {{outcome}}",
     "cps"},
    {"Requests by status", "timeseries",
     R"(sum by (class) (rate(vigie_http_requests_total{instance=~"$instance"}[5m])))", "{{class}}", "reqps"},
    {"Since the last prediction", "timeseries",
     R"(time() - vigie_last_record_timestamp_seconds{instance=~"$instance", model=~"$model"})", "{{model}}", "s"},
    {"Connections", "timeseries", R"(vigie_http_connections{instance=~"$instance"})", "{{instance}}", "short"},
    {"Notices waiting", "timeseries", R"(vigie_notices_waiting{instance=~"$instance"})", "{{target}}", "short"},
    {"Notices given up", "timeseries", R"(increase(vigie_notices_given_up_total{instance=~"$instance"}[1h]))",
     "{{target}}", "short"},
    {"Memory", "timeseries", R"(process_resident_memory_bytes{job="vigie", instance=~"$instance"})", "{{instance}}",
     "bytes"},
    {"CPU", "timeseries", R"(rate(process_cpu_seconds_total{job="vigie", instance=~"$instance"}[5m]))", "{{instance}}",
     "percentunit"},
    {"Journal on disk", "timeseries", R"(vigie_journal_bytes{instance=~"$instance"})", "{{instance}}", "bytes"},
    {"Room on disk", "timeseries", R"(vigie_data_free_bytes{instance=~"$instance"})", "{{instance}}", "bytes"}};

Json source() {
  return {{"type", "prometheus"}, {"uid", "${DS_PROMETHEUS}"}};
}

Json variable(const char* name, const char* label, const char* query) {
  return {{"name", name},
          {"label", label},
          {"type", "query"},
          {"datasource", source()},
          {"query", {{"query", query}, {"refId", name}}},
          {"refresh", 2},
          {"includeAll", true},
          {"multi", true},
          {"allValue", ".*"},
          {"current", {{"text", "All"}, {"value", "$__all"}}}};
}

std::string dashboard() {
  auto panels = Json::array();
  int x = 0, y = 0;
  for (const auto& panel : kPanels) {
    const int width = panel.kind == "stat" ? 6 : 12, height = panel.kind == "stat" ? 4 : 8;
    const bool table = panel.kind == "table";
    Json target{{"refId", "A"}, {"datasource", source()}, {"expr", panel.expr}};
    if (!panel.legend.empty()) target["legendFormat"] = panel.legend;
    if (table) target["format"] = "table", target["instant"] = true;
    panels.push_back({{"id", panels.size() + 1},
                      {"title", panel.title},
                      {"type", panel.kind},
                      {"datasource", source()},
                      {"gridPos", {{"x", x}, {"y", y}, {"w", width}, {"h", height}}},
                      {"fieldConfig", {{"defaults", {{"unit", panel.unit}}}, {"overrides", Json::array()}}},
                      {"targets", {target}}});
    x += width;
    if (x >= 24) x = 0, y += height;
  }
  const Json out{
      {"__inputs",
       {{{"name", "DS_PROMETHEUS"}, {"label", "Prometheus"}, {"type", "datasource"}, {"pluginId", "prometheus"}}}},
      {"uid", "vigie"},
      {"title", "vigie"},
      {"tags", {"vigie"}},
      {"schemaVersion", 39},
      {"editable", true},
      {"timezone", "browser"},
      {"refresh", "1m"},
      {"time", {{"from", "now-24h"}, {"to", "now"}}},
      {"templating",
       {{"list",
         {{{"name", "DS_PROMETHEUS"}, {"label", "Prometheus"}, {"type", "datasource"}, {"query", "prometheus"}},
          variable("instance", "vigie", "label_values(vigie_build_info, instance)"),
          variable("model", "Model", "label_values(vigie_model_state{instance=~\"$instance\"}, model)")}}}},
      {"panels", panels}};
  return out.dump(2) + "\n";
}

}  // namespace

std::vector<Written> grafana_files() {
  return {{"vigie.dashboard.json", "a dashboard: import it, or let it be provisioned", dashboard()},
          {"vigie.provisioning.yml", "for provisioning/dashboards of Grafana: where the dashboard lies",
           "apiVersion: 1\nproviders:\n  - name: vigie\n    type: file\n    allowUiUpdates: true\n"
           "    options:\n      path: /var/lib/grafana/dashboards/vigie\n"}};
}

}  // namespace vigie::cli
