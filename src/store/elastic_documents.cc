// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <map>

#include "base/iso_time.h"
#include "store/elastic_internal.h"

namespace vigie::store {
namespace {

using Json = nlohmann::json;

// Every member that is searched, sorted or drawn by; what else a document has is kept and not looked into.
constexpr const char* kMapping = R"({
  "window": {"@timestamp": "date", "vigie.model.id": "keyword", "vigie.window.key": "keyword",
    "vigie.window.start": "long", "vigie.window.end": "long", "vigie.window.until": "date", "vigie.window.rows": "long",
    "vigie.window.verdict": "keyword", "vigie.window.level": "byte", "vigie.requests": "long", "vigie.errors": "long",
    "vigie.error_rate": "double", "vigie.latency_ms.p50": "double", "vigie.latency_ms.p95": "double",
    "vigie.latency_ms.p99": "double", "vigie.latency_ms.max": "double", "kept": "long", "condensed": "boolean"},
  "score": {"@timestamp": "date", "vigie.model.id": "keyword", "vigie.window.key": "keyword",
    "vigie.score.verdict": "keyword", "vigie.score.level": "byte", "vigie.score.coverage": "double",
    "vigie.score.labelled": "long", "vigie.score.preliminary": "boolean", "kept": "long", "condensed": "boolean"},
  "finding": {"@timestamp": "date", "vigie.model.id": "keyword", "vigie.window.key": "keyword", "vigie.kind": "keyword",
    "vigie.feature.name": "keyword", "vigie.feature.role": "keyword", "vigie.segment": "keyword",
    "vigie.class": "keyword", "vigie.group": "keyword", "vigie.verdict": "keyword", "vigie.level": "byte", "vigie.reason": "text",
    "vigie.rows": "long", "vigie.drift.method": "keyword", "vigie.drift.statistic": "double",
    "vigie.drift.p_value": "double", "vigie.drift.effect": "double", "vigie.drift.effect_scale": "keyword",
    "vigie.drift.watch": "double", "vigie.drift.major": "double", "vigie.drift.missing": "long",
    "vigie.drift.drawn": "keyword", "vigie.drift.all_rows": "boolean",
    "vigie.quality.check": "keyword", "vigie.quality.value": "double", "vigie.performance.metric": "keyword",
    "vigie.performance.all_rows": "boolean", "vigie.performance.value": "double", "vigie.performance.low": "double", "vigie.performance.high": "double",
    "vigie.performance.reference": "double", "kept": "long"},
  "incident": {"@timestamp": "date", "vigie.model.id": "keyword", "vigie.incident.id": "keyword",
    "vigie.incident.state": "keyword", "vigie.incident.severity": "keyword", "vigie.incident.level": "byte",
    "vigie.incident.summary": "text", "vigie.incident.owner": "keyword", "vigie.incident.windows": "long",
    "vigie.incident.until": "date", "vigie.incident.opened": "date", "vigie.incident.resolved": "date",
    "vigie.incident.false_alarm": "boolean", "vigie.incident.columns": "keyword", "since": "long", "over": "long"},
  "notice": {"@timestamp": "date", "vigie.model.id": "keyword", "number": "long", "target": "keyword",
    "incident": "keyword", "node": "keyword", "fate": "byte", "why": "text", "due": "long", "attempts": "long", "alive": "keyword",
    "seen": "long"},
  "ops": {"@timestamp": "date", "source": "keyword", "start": "long", "part": "long", "node": "keyword",
    "vigie.model.id": "keyword", "vigie.ops.requests": "long", "vigie.ops.errors": "long",
    "vigie.ops.error_rate": "double", "vigie.ops.latency_p50_ms": "double", "vigie.ops.latency_p95_ms": "double",
    "vigie.ops.latency_p99_ms": "double", "vigie.ops.latency_max_ms": "double", "vigie.ops.cpu_cores": "double",
    "vigie.ops.cpu_share": "double", "vigie.ops.gpu_share": "double", "vigie.ops.load_1m": "double",
    "vigie.ops.memory_share": "double", "vigie.ops.memory_used_bytes": "double", "vigie.ops.latency_ms": "double"},
  "sample": {"@timestamp": "date", "vigie.model.id": "keyword", "vigie.window.key": "keyword", "kept": "long",
    "id": "keyword"},
  "audit": {"@timestamp": "date", "vigie.model.id": "keyword", "number": "long", "time": "long",
    "vigie.audit.event": "keyword", "key": "keyword"},
  "profile": {"@timestamp": "date", "vigie.model.id": "keyword", "vigie.profile.id": "keyword",
    "vigie.profile.kind": "keyword", "vigie.profile.rows": "long", "vigie.profile.bytes": "long",
    "vigie.profile.from": "date", "vigie.profile.until": "date", "made": "long", "kept": "long",
    "current": "boolean", "packed": "binary"},
  "shared": {"kind": "keyword", "node": "keyword", "number": "long", "at": "long",
    "lasts": "boolean"}
})";

// Where a dotted name leads.
Json& at(Json& json, std::string_view name) {
  Json* out = &json;
  while (true) {
    const auto dot = name.find('.');
    out = &(*out)[std::string(name.substr(0, dot))];
    if (dot == std::string_view::npos) return *out;
    name.remove_prefix(dot + 1);
  }
}

Json mapping_of(const Json& fields) {
  Json out{{"dynamic", false}};
  for (const auto& [name, type] : fields.items()) {
    std::string path = "properties." + name;
    for (std::size_t i = sizeof "properties."; (i = path.find('.', i)) != std::string::npos; i += 12)
      path.replace(i, 1, ".properties.");
    auto& field = name == "@timestamp" ? out["properties"][name] : at(out, path);
    field["type"] = type;
    if (type == "keyword") field["ignore_above"] = 8'000;
  }
  return out;
}

// Members of one that are there and plain.
void take(Json& to, const Json& from, std::initializer_list<std::pair<const char*, const char*>> names) {
  for (const auto& [name, path] : names)
    if (const auto found = from.find(name); found != from.end() && found->is_primitive() && !found->is_null())
      at(to, path) = *found;
}

Json finding_of(const Window& window, const char* kind, const Json& found) {
  Json out{{"@timestamp", iso_time(static_cast<double>(window.start))}};
  at(out, "vigie.model.id") = window.model, at(out, "vigie.window.key") = window.key, at(out, "vigie.kind") = kind;
  take(out, found,
       {{"column", "vigie.feature.name"},
        {"role", "vigie.feature.role"},
        {"segment", "vigie.segment"},
        {"class", "vigie.class"},
        {"verdict", "vigie.verdict"},
        {"reason", "vigie.reason"}});
  at(out, "vigie.level") = level_of(found.value("verdict", ""));
  return out;
}

Json drift_of(const Window& window, const Json& column) {
  auto out = finding_of(window, "drift", column);
  take(out, column,
       {{"method", "vigie.drift.method"},
        {"statistic", "vigie.drift.statistic"},
        {"p_adjusted", "vigie.drift.p_value"},
        {"effect", "vigie.drift.effect"},
        {"effect_scale", "vigie.drift.effect_scale"},
        {"watch", "vigie.drift.watch"},
        {"major", "vigie.drift.major"}});
  // Rows are counted once, by what is found of all values, and effects are not those of the smallest segment.
  at(out, "vigie.drift.all_rows") = column.value("segment", Json()) == nullptr && !window.model.ends_with("/merged");
  if (column.value("method", "") != "missing_share")
    take(out, column, {{"missing_current", "vigie.drift.missing"}, {"n_current", "vigie.rows"}});
  return out;
}

// The objects of an array that is a member of text.
template <class F>
void each(const Json& json, const char* name, F use) {
  if (!json.is_object()) return;
  if (const auto found = json.find(name); found != json.end() && found->is_array())
    for (const auto& one : *found)
      if (one.is_object()) use(one);
}

}  // namespace

std::vector<std::pair<std::string, Json>> templates_of(const elastic::Cluster& cluster, const std::string& prefix) {
  std::vector<std::pair<std::string, Json>> out;
  const auto all = Json::parse(kMapping);
  for (const auto& [what, fields] : all.items()) {
    const auto name = fmt::format("{}-{}", prefix, what);
    Json part{{"mappings", mapping_of(fields)}};
    if (!cluster.serverless) part["settings"] = {{"index", {{"number_of_shards", 1}, {"auto_expand_replicas", "0-1"}}}};
    constexpr int kPriority = 500;
    out.emplace_back(name, Json{{"index_patterns", {name}},
                                {"priority", kPriority},
                                {"template", std::move(part)},
                                {"_meta", {{"made_by", "vigie serve"}}}});
  }
  return out;
}

int level_of(std::string_view verdict) {
  return verdict == "drift" || verdict == "fail" ? 2 : verdict == "warning" || verdict == "warn" ? 1 : 0;
}

void add_window(const Window& window, Json& vigie) {
  auto& out = vigie["window"] = {{"key", window.key},
                                 {"start", window.start},
                                 {"end", window.end},
                                 {"verdict", window.verdict},
                                 {"level", level_of(window.verdict)}};
  if (auto until = iso_time(static_cast<double>(window.end)); !until.empty()) out["until"] = std::move(until);
  const auto body = Json::parse(window.body, nullptr, false);
  if (!body.is_object()) return;
  take(out, body, {{"rows", "rows"}});
  const auto ops = body.value("ops", Json::object());
  if (!ops.is_object()) return;
  take(vigie, ops, {{"requests", "requests"}, {"errors", "errors"}, {"error_rate", "error_rate"}});
  if (const auto latency = ops.find("latency_ms"); latency != ops.end() && latency->is_object())
    for (const auto* figure : {"p50", "p95", "p99", "max"}) take(vigie["latency_ms"], *latency, {{figure, figure}});
}

std::vector<Json> findings_of(const Window& window) {
  std::vector<Json> out;
  const auto body = Json::parse(window.body, nullptr, false);
  std::map<std::string, Json> drawn;
  each(body, "distributions", [&](const Json& one) { drawn[one.value("column", "")] = one; });
  each(body, "columns", [&](const Json& column) {
    auto& found = out.emplace_back(drift_of(window, column));
    const bool all = column.value("segment", Json()) == nullptr;
    const bool of_missing = column.value("method", "") == "missing_share";
    // For pictures, and not to be searched. Times of maintenance are looked at by themselves.
    const auto name = column.value("column", "");
    const auto picture = drawn.find(name);
    if (picture == drawn.end() || !all || of_missing || window.verdict == "maintenance") return;
    at(found, "vigie.drift.drawn") = fmt::format("{}/{}", window.model, name);
    for (const auto* list : {"cells", "reference", "current"})
      at(found, fmt::format("vigie.drift.distribution.{}", list)) = picture->second.value(list, Json::array());
  });
  each(body, "quality", [&](const Json& check) {
    if (check.value("verdict", "pass") == "pass") return;
    auto& found = out.emplace_back(finding_of(window, "quality", check));
    take(found, check, {{"check", "vigie.quality.check"}});
    if (const auto value = check.find("value"); value != check.end() && value->is_number())
      at(found, "vigie.quality.value") = *value;
  });
  return out;
}

std::vector<Json> findings_of(const Window& window, const Score& score) {
  std::vector<Json> out;
  const auto body = Json::parse(score.body, nullptr, false);
  each(body, "label_drift", [&](const Json& column) { out.push_back(drift_of(window, column)); });
  each(body, "metrics", [&](const Json& metric) {
    if (const auto value = metric.find("value"); value == metric.end() || !value->is_number()) return;
    auto& found = out.emplace_back(finding_of(window, "performance", metric));
    // Of "ndcg_at_k" each k is a metric of its own: "ndcg_at_5".
    auto name = metric.value("metric", "");
    const auto k = metric.find("k");
    if (k != metric.end() && k->is_number() && name.ends_with("_k")) name.replace(name.size() - 1, 1, k->dump());
    at(found, "vigie.performance.metric") = std::move(name);
    // Means of these are means of windows, and not of segments, groups and classes among them.
    at(found, "vigie.performance.all_rows") = metric.value("segment", Json()) == nullptr && !metric.contains("class") &&
                                              !metric.contains("group") && !window.model.ends_with("/merged");
    take(found, metric,
         {{"group", "vigie.group"},
          {"value", "vigie.performance.value"},
          {"low", "vigie.performance.low"},
          {"high", "vigie.performance.high"},
          {"reference", "vigie.performance.reference"},
          {"n", "vigie.rows"}});
  });
  return out;
}

}  // namespace vigie::store
