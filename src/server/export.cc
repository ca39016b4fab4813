// SPDX-License-Identifier: Apache-2.0
#include "server/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <variant>

#include "base/iso_time.h"
#include "base/text.h"
#include "server/answers.h"
#include "server/watch.h"
#include "table/out_table.h"

namespace vigie::server {
namespace {

using Json = nlohmann::ordered_json;
using Kind = table::OutColumn::Kind;
using Cell = std::variant<std::optional<std::string>, std::optional<std::int64_t>>;

constexpr std::string_view kParquet = "application/vnd.apache.parquet";

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}
std::optional<std::string> text_of(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}
std::optional<std::int64_t> time_of(std::int64_t micros) {
  return micros == 0 ? std::nullopt : std::optional(micros);
}

/// Rows of one page, in either form.
class Page {
 public:
  Page(bool parquet, std::size_t most, std::vector<std::pair<std::string, Kind>> columns)
      : parquet_(parquet), most_(most) {
    for (auto& [name, kind] : columns) columns_.push_back({.name = std::move(name), .kind = kind});
  }
  std::size_t left() const { return full() ? 0 : most_ - rows_; }
  bool full() const { return rows_ >= most_ || bytes_ >= kPageBytes; }
  void add(const std::string& line, const std::vector<Cell>& cells, std::string after) {
    ++rows_, bytes_ += line.size();
    last_ = std::move(after);
    if (!parquet_) return void(lines_.append(line) += '\n');
    for (std::size_t i = 0; i < columns_.size(); ++i)
      if (const auto* number = std::get_if<std::optional<std::int64_t>>(&cells[i]))
        columns_[i].numbers.push_back(*number);
      else
        columns_[i].texts.push_back(std::get<std::optional<std::string>>(cells[i]));
  }
  Reply reply(const Parameters& asked) {
    Reply out{200, std::move(lines_), "application/x-ndjson"};
    if (parquet_) {
      auto bytes = table::to_parquet(columns_);
      if (!bytes) return refuse(bytes.error().code == Code::kUsage ? 406 : 503, bytes.error().message, "format");
      out.body = std::move(*bytes), out.type = kParquet;
    }
    if (full()) asked.link_next(out, last_);
    return out;
  }

 private:
  bool parquet_;
  std::size_t most_, rows_ = 0, bytes_ = 0;
  std::vector<table::OutColumn> columns_;
  std::string lines_, last_;
};

std::string on_one_line(std::string_view json) {
  std::string out(json);
  std::replace(out.begin(), out.end(), '\n', ' ');
  return out;
}

// One object of what is said of a window and what it holds.
std::string window_line(std::string_view model, const store::Window& w, std::string_view body) {
  auto line = dumped({{"model", model},
                      {"key", w.key},
                      {"began", iso_time(static_cast<double>(w.start))},
                      {"ended", iso_time(static_cast<double>(w.end))}});
  if (body.size() <= 2) return line;
  line.back() = ',';
  return line + on_one_line(body).substr(1);
}

// Of windows: model by model, "credit/1764000000-1764003600"; no name of a model has a slash.
Status add_windows(Page& page, std::string_view what, const Parameters& asked, const store::Store& store,
                   const Models& models) {
  const bool scores = what == "scores", merged = what == "merged";
  const auto& after = asked["after"];
  const auto slash = after.find('/');
  constexpr std::size_t kAtOnce = 50;
  for (const auto& model : models.all()) {
    if (asked.has("model") && model.name != asked["model"]) continue;
    if (slash != after.npos && model.name < after.substr(0, slash)) continue;
    store::WindowQuery query{merged ? merged_of(model.name) : model.name, asked.from, asked.to, kAtOnce};
    if (slash != after.npos && model.name == after.substr(0, slash)) query.after = after.substr(slash + 1);
    while (!page.full()) {
      query.most = std::min(kAtOnce, page.left());
      VIGIE_ASSIGN(const auto found, store.windows(query));
      for (const auto& w : found) {
        if (page.full()) break;
        query.after = w.key;
        if (scores && w.score.empty()) continue;
        const auto& body = scores ? w.score : w.body;
        auto line = window_line(model.name, w, body);
        // Of a window that was scored one object of both, as GET /v1/models/{model}/windows has it.
        if (!scores && !w.score.empty()) line.back() = ',', line.append(on_one_line(w.score).substr(1));
        page.add(line,
                 {text_of(model.name), text_of(w.key), std::optional(w.start), std::optional(w.end),
                  text_of(scores ? w.score_verdict : w.verdict), text_of(body)},
                 model.name + "/" + w.key);
      }
      if (found.size() < query.most) break;
    }
  }
  return {};
}

Status add_incidents(Page& page, const Parameters& asked, const store::Store& store) {
  store::IncidentQuery query{.model = asked["model"], .most = page.left(), .after = asked["after"]};
  query.from = asked.from, query.to = asked.to;
  VIGIE_ASSIGN(const auto found, store.incidents(query));
  for (const auto& i : found) {
    if (page.full()) break;
    const auto line = to_json(i);
    page.add(line,
             {text_of(i.id), text_of(i.model), text_of(std::string(to_string(i.state))),
              text_of(std::string(to_string(i.severity))), time_of(i.since), time_of(i.until), time_of(i.opened),
              time_of(i.resolved), text_of(i.summary), text_of(i.owner), text_of(i.answered_by), text_of(line)},
             i.id);
  }
  return {};
}

Status add_audit(Page& page, const Parameters& asked, const store::Store& store) {
  store::AuditQuery query{.model = asked["model"], .from = asked.from, .to = asked.to, .most = page.left()};
  if (asked.has("after")) {
    VIGIE_ASSIGN(query.after, whole_number("after", asked["after"]));
  }
  VIGIE_ASSIGN(const auto found, store.audit(query));
  for (const auto& e : found) {
    if (page.full()) break;
    page.add(to_json(e),
             {std::optional(e.number), time_of(e.time), text_of(std::string(to_string(e.happened))), text_of(e.model),
              text_of(e.by), text_of(e.details), text_of(e.key), text_of(e.previous), text_of(e.hash)},
             std::to_string(e.number));
  }
  return {};
}

Status add_models(Page& page, const Parameters& asked, const Models& models) {
  for (const auto& m : models.all()) {
    if (m.name <= asked["after"] || (asked.has("model") && m.name != asked["model"])) continue;
    if (page.full()) break;
    const auto seen = std::isfinite(m.last_seen) ? std::optional(static_cast<std::int64_t>(m.last_seen)) : std::nullopt;
    auto line = json_of(m);
    line["config"] = Json::parse(m.config, nullptr, false);
    page.add(dumped(line),
             {text_of(m.name), text_of(m.state), std::optional(static_cast<std::int64_t>(m.predictions)),
              std::optional(static_cast<std::int64_t>(m.labels)), seen, text_of(m.config)},
             m.name);
  }
  return {};
}

// As windows are, "credit/5f0c…". Without the bytes, which are had one by one.
Status add_references(Page& page, const Parameters& asked, const store::Store& store, const Models& models) {
  const auto& after = asked["after"];
  const auto slash = after.find('/');
  for (const auto& model : models.all()) {
    if (asked.has("model") && model.name != asked["model"]) continue;
    if (slash != after.npos && model.name < after.substr(0, slash)) continue;
    if (page.full()) break;
    store::ProfileQuery query{model.name, asked.from, asked.to, page.left()};
    if (slash != after.npos && model.name == after.substr(0, slash)) query.after = after.substr(slash + 1);
    VIGIE_ASSIGN(const auto found, store.profiles(query));
    for (const auto& p : found)
      page.add(p.body,
               {text_of(p.model), text_of(p.id), text_of(p.kind), time_of(p.made), time_of(p.from), time_of(p.to),
                std::optional(p.rows), std::optional(p.size), text_of(p.body)},
               model.name + "/" + p.id);
  }
  return {};
}

std::vector<std::pair<std::string, Kind>> columns_of(std::string_view what) {
  using enum Kind;
  if (what == "incidents")
    return {{"id", kText},      {"model", kText}, {"state", kText},       {"severity", kText},
            {"since", kTime},   {"until", kTime}, {"opened", kTime},      {"resolved", kTime},
            {"summary", kText}, {"owner", kText}, {"answered_by", kText}, {"body", kText}};
  if (what == "audit")
    return {{"number", kInteger}, {"time", kTime}, {"event", kText},    {"model", kText}, {"by", kText},
            {"details", kText},   {"key", kText},  {"previous", kText}, {"hash", kText}};
  if (what == "models")
    return {{"model", kText},     {"state", kText},     {"predictions", kInteger},
            {"labels", kInteger}, {"last_seen", kTime}, {"config", kText}};
  if (what == "references")
    return {{"model", kText}, {"id", kText},      {"kind", kText},     {"made", kTime}, {"from", kTime},
            {"to", kTime},    {"rows", kInteger}, {"bytes", kInteger}, {"body", kText}};
  return {{"model", kText}, {"key", kText}, {"start", kTime}, {"end", kTime}, {"verdict", kText}, {"body", kText}};
}

}  // namespace

Reply export_page(const Request& request, const store::Store& store, const Models& models) {
  const auto& what = request.path.back();
  const std::vector<std::string> kinds{"windows", "merged", "scores", "incidents", "audit", "models", "references"};
  if (std::find(kinds.begin(), kinds.end(), what) == kinds.end())
    return refuse(404, unknown_name("export", what, kinds), "path");
  const auto asked = Parameters::read(request, {"model", "from", "to", "limit", "after", "format"}, 1000);
  if (!asked) return refuse(asked.error(), "query");
  const auto& format = (*asked)["format"];
  const std::vector<std::string> formats{"ndjson", "parquet"};
  if (asked->has("format") && std::find(formats.begin(), formats.end(), format) == formats.end())
    return refuse(400, "format: " + unknown_name("format", format, formats), "query");
  const bool parquet = format == "parquet" || (format.empty() && request.accept.find(kParquet) != std::string::npos);
  Page page(parquet, asked->most, columns_of(what));
  const auto done = what == "incidents"    ? add_incidents(page, *asked, store)
                    : what == "audit"      ? add_audit(page, *asked, store)
                    : what == "models"     ? add_models(page, *asked, models)
                    : what == "references" ? add_references(page, *asked, store, models)
                                           : add_windows(page, what, *asked, store, models);
  if (!done) return refuse(done.error(), done.error().code == Code::kInput ? "query" : "store");
  return page.reply(*asked);
}

Reply sampled_rows(const Request& request, const store::Store& store) {
  const auto asked = Parameters::read(request, {"window", "segment"}, 1);
  if (!asked) return refuse(asked.error(), "query");
  const auto &model = request.path[2], &window = (*asked)["window"];
  if (window.empty()) return refuse(400, "window: expected the \"key\" of one of the model's windows", "query");
  const auto found = store.samples(model, window);
  if (!found) return refuse(found.error(), "store");
  Json samples = Json::array();
  for (const auto& sample : *found)
    if (!asked->has("segment") || sample.segment == (*asked)["segment"])
      samples.push_back({{"segment", sample.segment.empty() ? Json() : Json(sample.segment)},
                         {"rows", Json::parse(sample.body, nullptr, false)}});
  if (samples.empty())
    return refuse(404, fmt::format("no rows are kept of window {} of {}", vigie::quoted(window), vigie::quoted(model)),
                  "query");
  return reply_of(200, {{"model", model}, {"window", window}, {"samples", std::move(samples)}});
}

}  // namespace vigie::server
