// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cmath>

#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/list_internal.h"
#include "drift/drift.h"
#include "engine/aspects.h"
#include "metric/aliases.h"
#include "metric/metric.h"
#include "quality/quality.h"

namespace vigie::cli {
namespace {

using Json = nlohmann::ordered_json;

Listing list_methods() {
  Listing out{{}, {"method", "columns", "what it is"}, {}};
  auto& all = out.document["methods"] = Json::array();
  for (const auto* m : drift::methods()) {
    all.push_back({{"name", m->name},
                   {"summary", m->summary},
                   {"reference", m->reference},
                   {"accepts", engine::columns_of(*m)},
                   {"statistic", m->statistic}});
    out.rows.push_back(
        {std::string(m->name), fmt::format("{}", fmt::join(engine::columns_of(*m), ", ")), std::string(m->summary)});
  }
  return out;
}

std::string_view better(const metric::Metric& m) {
  return m.better == metric::Better::kHigher ? "higher" : m.better == metric::Better::kLower ? "lower" : "neither";
}

Json bound(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

Listing list_metrics() {
  Listing out{{}, {"metric", "task", "per", "what it is"}, {}};
  auto& all = out.document["metrics"] = Json::array();
  for (const auto* m : metric::metrics()) {
    all.push_back({{"name", m->name},
                   {"task", to_string(m->task())},
                   {"key", m->key().empty() ? Json() : Json(m->key())},
                   {"summary", m->summary},
                   {"reference", m->reference},
                   {"better", better(*m)},
                   {"least", bound(m->least)},
                   {"most", bound(m->most)}});
    const auto aliases = metric::aliases_of(m->name);
    all.back()["aliases"] = aliases;
    out.rows.push_back(
        {std::string(m->name), std::string(to_string(m->task())), std::string(m->key()),
         fmt::format("{}{}", m->summary, aliases.empty() ? "" : fmt::format(" (also {})", fmt::join(aliases, ", ")))});
  }
  return out;
}

std::vector<std::string> looks_at(const quality::Check& check) {
  constexpr std::pair<unsigned, const char*> kNames[] = {{quality::kNumbers, "numbers"},
                                                         {quality::kStrings, "texts"},
                                                         {quality::kTimes, "times"},
                                                         {quality::kPairs, "pairs"},
                                                         {quality::kTable, "the table"}};
  std::vector<std::string> out;
  for (const auto& [bit, name] : kNames)
    if (check.takes & bit) out.emplace_back(name);
  return out;
}

Listing list_checks() {
  Listing out{{}, {"check", "looks at", "what it is"}, {}};
  auto& all = out.document["checks"] = Json::array();
  for (const auto* c : quality::checks()) {
    auto params = Json::array();
    for (const auto& p : c->params)
      params.push_back({{"name", p.name}, {"doc", p.doc}, {"default", p.fallback}, {"min", p.min}, {"max", p.max}});
    all.push_back({{"name", c->name},
                   {"summary", c->summary},
                   {"reference", c->source},
                   {"takes", looks_at(*c)},
                   {"needs_reference", (c->takes & quality::kNeedsReference) != 0},
                   {"in_compare", (c->takes & quality::kNeedsRows) == 0},
                   {"in_partial_windows", (c->takes & quality::kOfRowsAlone) != 0},
                   {"params", params}});
    out.rows.push_back(
        {std::string(c->name), fmt::format("{}", fmt::join(looks_at(*c), ", ")), std::string(c->summary)});
  }
  return out;
}

struct Kind {
  std::string_view name;
  Listing (*list)();
};
constexpr Kind kKinds[] = {
    {"methods", list_methods},     {"metrics", list_metrics},     {"checks", list_checks},
    {"detectors", list_detectors}, {"notifiers", list_notifiers}, {"sources", list_sources},
};

}  // namespace

Command add_list(CLI::App& program) {
  struct Options {
    std::string what;
    bool json = false;
    std::string compat;
  };
  auto o = std::make_shared<Options>();
  std::vector<std::string> known;
  for (const auto& kind : kKinds) known.emplace_back(kind.name);
  const auto names = fmt::format("{}", fmt::join(known, ", "));
  auto* app = program.add_subcommand("list", "what this program knows: " + names);
  app->footer("Examples:\n  vigie list methods\n  vigie list metrics --json\n  vigie list methods --compat nannyml");
  app->add_option("WHAT", o->what, names + "; default all");
  app->add_flag("--json", o->json, "one JSON document");
  app->add_option("--compat", o->compat, "the methods that compare --compat knows of another program")
      ->type_name("NAME");
  return {app, [o, known, names]() -> Result<int> {
            if (!o->what.empty() && std::find(known.begin(), known.end(), o->what) == known.end())
              return fail(Code::kUsage, fmt::format("list: {} ({})", unknown_name("kind", o->what, known), names));
            if (!o->compat.empty()) {
              if (!o->what.empty() && o->what != "methods")
                return fail(Code::kUsage, fmt::format("list {}: --compat is of methods", o->what));
              VIGIE_ASSIGN(const auto listing, list_compat(o->compat));
              print(o->json ? listing.document.dump(1) : view::table(listing.header, listing.rows, {}, terminal()));
              return 0;
            }
            auto document = Json::object();
            std::string_view gap;
            for (const auto& kind : kKinds) {
              if (!o->what.empty() && o->what != kind.name) continue;
              const auto listing = kind.list();
              document.update(listing.document);
              if (o->json) continue;
              print(fmt::format("{}{}", gap, view::table(listing.header, listing.rows, {}, terminal())));
              gap = "\n";
            }
            if (o->json) print(document.dump(1));
            return 0;
          }};
}

}  // namespace vigie::cli
