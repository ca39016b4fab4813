// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/help_internal.h"
#include "cli/list_internal.h"
#include "detect/detect.h"
#include "drift/drift.h"
#include "metric/metric.h"

namespace vigie::cli {
namespace {

using Json = nlohmann::ordered_json;
using view::Align;

Json methods_json() {
  auto all = Json::array();
  for (const auto* m : drift::methods()) {
    auto accepts = Json::array();
    if (m->accepts & drift::kNumeric) accepts.push_back("numeric");
    if (m->accepts & drift::kCategorical) accepts.push_back("categorical");
    all.push_back({{"name", m->name},
                   {"summary", m->summary},
                   {"reference", m->reference},
                   {"accepts", accepts},
                   {"statistic", m->statistic}});
  }
  return all;
}

std::string methods_table() {
  std::vector<std::vector<std::string>> rows;
  for (const auto* m : drift::methods()) {
    std::string accepts = m->accepts & drift::kNumeric ? "numeric" : "";
    if (m->accepts & drift::kCategorical) accepts += accepts.empty() ? "categorical" : ", categorical";
    rows.push_back({std::string(m->name), accepts, std::string(m->summary)});
  }
  return view::table({"method", "columns", "what it is"}, rows, {Align::kLeft, Align::kLeft, Align::kLeft}, terminal());
}

Json metrics_json() {
  const auto bound = [](double value) { return std::isfinite(value) ? Json(value) : Json(); };
  auto all = Json::array();
  for (const auto* m : metric::metrics())
    all.push_back({{"name", m->name},
                   {"task", to_string(m->task())},
                   {"key", m->key().empty() ? Json() : Json(m->key())},
                   {"summary", m->summary},
                   {"reference", m->reference},
                   {"better", m->better == metric::Better::kHigher  ? "higher"
                              : m->better == metric::Better::kLower ? "lower"
                                                                    : "neither"},
                   {"least", bound(m->least)},
                   {"most", bound(m->most)}});
  return all;
}

std::string metrics_table() {
  std::vector<std::vector<std::string>> rows;
  for (const auto* m : metric::metrics())
    rows.push_back(
        {std::string(m->name), std::string(to_string(m->task())), std::string(m->key()), std::string(m->summary)});
  return view::table({"metric", "task", "per", "what it is"}, rows, {}, terminal());
}

std::string_view takes(const detect::Detector& d) {
  if (!d.make && !d.segment) return "as its members";
  if (d.segment) return "a stored series";
  return d.stream == detect::Stream::kErrors     ? "errors, 0 to 1"
         : d.stream == detect::Stream::kOutcomes ? "outcomes, 0 to 3"
                                                 : "numbers";
}

std::vector<std::string> words(std::string_view choices) {
  return split(std::string(choices), '|');
}

std::string fallback(const detect::Param& p) {
  return p.choices.empty() ? fmt::format("{}", p.fallback) : words(p.choices)[static_cast<std::size_t>(p.fallback)];
}

std::string range(const detect::Param& p) {
  return p.choices.empty() ? fmt::format("{}{}..{}", p.whole ? "whole, " : "", p.min, p.max)
                           : fmt::format("{}", fmt::join(words(p.choices), ", "));
}

Json params_json(std::span<const detect::Param> params) {
  auto all = Json::array();
  for (const auto& p : params) {
    Json j{{"name", p.name}, {"doc", p.doc}};
    if (p.choices.empty())
      j.update({{"default", p.fallback}, {"min", p.min}, {"max", p.max}, {"whole", p.whole}});
    else
      j.update({{"default", fallback(p)}, {"choices", words(p.choices)}});
    all.push_back(j);
  }
  return all;
}

Json detectors_json(std::span<const detect::Detector* const> of) {
  auto all = Json::array();
  for (const auto* d : of) {
    Json j{{"name", d->name},
           {"summary", d->summary},
           {"reference", d->paper},
           {"takes", takes(*d)},
           {"offline", d->segment != nullptr},
           {"target_arl", detect::least_target(*d) > 0},
           {"params", params_json(d->params)},
           {"parity", Json::object()}};
    if (!d->river.empty()) j["parity"]["river"] = params_json(d->river);
    if (!d->moa.empty()) j["parity"]["moa"] = params_json(d->moa);
    all.push_back(j);
  }
  return all;
}

std::string detectors_table() {
  std::vector<std::vector<std::string>> rows;
  for (const auto& of : {detect::detectors(), detect::ensembles()})
    for (const auto* d : of) rows.push_back({std::string(d->name), std::string(takes(*d)), std::string(d->summary)});
  return view::table({"detector", "takes", "what it is"}, rows, {Align::kLeft, Align::kLeft, Align::kLeft}, terminal());
}

bool same(std::span<const detect::Param> a, std::span<const detect::Param> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.name == y.name && x.fallback == y.fallback; });
}

}  // namespace

std::string about_detector(const std::string& spec) {
  const auto parsed = detect::parse_spec(spec);
  if (!parsed) return parsed.error().message + "\n";
  const auto& d = *parsed->detector;
  auto out = fmt::format("About {}:\n", d.name) +
             help_row(std::string(d.name), fmt::format("{}; {}", d.summary, d.paper)) +
             help_row("FILE", fmt::format("{}", takes(d)));
  for (const auto& p : d.params)
    out += help_row(fmt::format("--param {}={}", p.name, fallback(p)), fmt::format("{} ({})", p.doc, range(p)));
  if (const double least = detect::least_target(d); least > 0)
    out += help_row("--target-arl N", fmt::format("sets {} ({}..100000)", d.tuned, least));
  for (const auto& [name, params] : {std::pair{"river", d.river}, std::pair{"moa", d.moa}}) {
    if (params.empty()) continue;
    std::vector<std::string> given;
    for (const auto& p : params) given.push_back(fmt::format("{}={}", p.name, fallback(p)));
    out += help_row(fmt::format("--parity {}", name),
                    same(params, d.params) ? "the same parameters" : fmt::format("{}", fmt::join(given, " ")));
  }
  return out;
}

Command add_list(CLI::App& program) {
  struct Options {
    std::string what;
    bool json = false;
  };
  auto o = std::make_shared<Options>();
  auto* app = program.add_subcommand("list", "what this program knows: methods of compare, metrics of score, detectors of detect");
  app->footer("Examples:\n  vigie list methods\n  vigie list metrics\n  vigie list detectors --json");
  app->add_option("WHAT", o->what, "methods, metrics or detectors; default: all");
  app->add_flag("--json", o->json, "one JSON document");
  return {app, [o]() -> Result<int> {
            const std::vector<std::string> known = {"methods", "metrics", "detectors"};
            if (!o->what.empty() && std::find(known.begin(), known.end(), o->what) == known.end())
              return fail(Code::kUsage,
                          fmt::format("list: {} ({})", unknown_name("kind", o->what, known), fmt::join(known, ", ")));
            const auto wanted = [&](std::string_view kind) { return o->what.empty() || o->what == kind; };
            const bool methods = wanted("methods"), metrics = wanted("metrics"), detectors = wanted("detectors");
            if (o->json) {
              Json all;
              if (methods) all["methods"] = methods_json();
              if (metrics) all["metrics"] = metrics_json();
              if (detectors) all["detectors"] = detectors_json(detect::detectors());
              if (detectors) all["ensembles"] = detectors_json(detect::ensembles());
              print(all.dump(1));
              return 0;
            }
            if (methods) print(methods_table());
            if (methods && metrics) print("\n");
            if (metrics) print(metrics_table());
            if (metrics && detectors) print("\n");
            if (detectors) print(detectors_table());
            return 0;
          }};
}

}  // namespace vigie::cli
