// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/list_internal.h"
#include "notify/notify.h"
#include "server/index_watch.h"
#include "source/feed.h"
#include "source/source.h"

namespace vigie::cli {
namespace {

using Json = nlohmann::ordered_json;

Json params_json(std::span<const Param> params) {
  auto all = Json::array();
  for (const auto& p : params)
    all.push_back({{"name", p.name},
                   {"doc", p.doc},
                   {"default", p.fallback.empty() ? Json() : Json(p.fallback)},
                   {"required", p.required},
                   {"secret", p.secret}});
  return all;
}

std::string names_of(std::span<const Param> params) {
  std::vector<std::string> names;
  for (const auto& p : params) names.push_back(p.required ? std::string(p.name) : fmt::format("[{}]", p.name));
  return fmt::format("{}", fmt::join(names, " "));
}

}  // namespace

Listing list_notifiers() {
  Listing out{{}, {"notifier", "parameters", "what it is"}, {}};
  out.document = {{"notifiers", Json::array()}, {"notifiers_params", params_json(notify::common_params())}};
  auto& all = out.document["notifiers"];
  for (const auto* n : notify::notifiers()) {
    all.push_back({{"name", n->name},
                   {"summary", n->summary},
                   {"reference", n->reference},
                   {"trigger", n->trigger},
                   {"params", params_json(n->params)}});
    out.rows.push_back({std::string(n->name), names_of(n->params), std::string(n->summary)});
  }
  return out;
}

Listing list_sources() {
  Listing out{{}, {"source", "parameters", "what it is"}, {}};
  out.document = {{"sources", Json::array()}, {"sources_params", params_json(source::common_params())}};
  auto& all = out.document["sources"];
  for (const auto* s : source::sources()) {
    all.push_back({{"name", s->name},
                   {"summary", s->summary},
                   {"reference", s->reference},
                   {"gives", "samples"},
                   {"figures", s->figures},
                   {"params", params_json(s->params)}});
    out.rows.push_back({std::string(s->name), names_of(s->params), std::string(s->summary)});
  }
  for (const auto& kind : source::feed_kinds()) {
    all.push_back(
        {{"name", kind.name}, {"summary", kind.summary}, {"gives", "records"}, {"params", params_json(kind.params)}});
    out.rows.push_back({std::string(kind.name), names_of(kind.params), fmt::format("{} (--source)", kind.summary)});
  }
  constexpr std::string_view kIndexed =
      "predictions in indexes of Elasticsearch or OpenSearch, counted there window by window";
  const auto indexed = server::indexed_model_params();
  all.push_back({{"name", "elastic"}, {"summary", kIndexed}, {"gives", "counts"}, {"params", params_json(indexed)}});
  out.rows.push_back({"elastic", names_of(indexed), fmt::format("{} (--source)", kIndexed)});
  return out;
}

}  // namespace vigie::cli
