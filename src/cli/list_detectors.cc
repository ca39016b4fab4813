// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/help_internal.h"
#include "cli/list_internal.h"
#include "detect/detect.h"

namespace vigie::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string_view takes(const detect::Detector& d) {
  if (!d.make && !d.segment) return "as its members";
  if (d.segment) return "a stored series";
  return d.stream == detect::Stream::kErrors     ? "errors, 0 to 1"
         : d.stream == detect::Stream::kOutcomes ? "outcomes, 0 to 3"
                                                 : "numbers";
}

// The mean run lengths that can be asked for; the others have a level of their own, or work on what is stored.
std::string targets(const detect::Detector& d) {
  const double least = detect::least_target(d);
  return least > 0 ? fmt::format("{} to 100,000", with_commas(static_cast<long long>(least))) : std::string();
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
           {"least_target_arl", detect::least_target(*d) > 0 ? Json(detect::least_target(*d)) : Json()},
           {"params", params_json(d->params)},
           {"parity", Json::object()}};
    if (!d->river.empty()) j["parity"]["river"] = params_json(d->river);
    if (!d->moa.empty()) j["parity"]["moa"] = params_json(d->moa);
    all.push_back(j);
  }
  return all;
}

bool same(std::span<const detect::Param> a, std::span<const detect::Param> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.name == y.name && x.fallback == y.fallback; });
}

}  // namespace

Listing list_detectors() {
  Listing out{{{"detectors", detectors_json(detect::detectors())}, {"ensembles", detectors_json(detect::ensembles())}},
              {"detector", "takes", "--target-arl", "what it is"},
              {}};
  for (const auto& of : {detect::detectors(), detect::ensembles()})
    for (const auto* d : of)
      out.rows.push_back({std::string(d->name), std::string(takes(*d)), targets(*d), std::string(d->summary)});
  return out;
}

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

}  // namespace vigie::cli
