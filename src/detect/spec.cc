// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/call.h"
#include "base/text.h"
#include "detect/detect.h"
#include "detect/ensemble_internal.h"

namespace vigie::detect {
namespace {

constexpr double kMostTarget = 100000;

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(at, begin);
    parts.emplace_back(text.substr(begin, end - begin));
    if (end == text.npos) return parts;
    begin = end + 1;
  }
}

Result<double> number(std::string_view where, std::string_view text) {
  double value = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (wrong != std::errc{} || end != text.data() + text.size() || std::isnan(value))
    return fail(Code::kUsage, fmt::format("{}: {} is not a number", where, quoted(text)));
  return value;
}

Result<double> choice(std::string_view where, std::string_view choices, std::string_view text) {
  const std::vector<std::string> words = split(choices, '|');
  for (std::size_t i = 0; i < words.size(); ++i)
    if (words[i] == text) return static_cast<double>(i);
  return fail(Code::kUsage, fmt::format("{}: expected {}, got {}", where, choices, quoted(text)));
}

Result<double> value_of(const Detector& detector, const Param& param, std::string_view text) {
  const std::string where = fmt::format("{}.{}", detector.name, param.name);
  if (!param.choices.empty()) return choice(where, param.choices, text);
  VIGIE_ASSIGN(const double value, number(where, text));
  if (!(value >= param.min && value <= param.max) || (param.whole && value != std::floor(value)))
    return fail(Code::kUsage, fmt::format("{}: expected {}{}..{}, got {}", where, param.whole ? "a whole number " : "",
                                          param.min, param.max, quoted(text)));
  return value;
}

bool is_warning(std::string_view name) {
  return name.find("warning") != name.npos;
}

Result<double> target_of(const Detector& detector, std::string_view text, Parity parity) {
  const std::string where = fmt::format("{}.target_arl", detector.name);
  VIGIE_ASSIGN(const double target, number(where, text));
  if (parity != Parity::kNone) return fail(Code::kUsage, where + ": goes with no parity");
  const double least = least_target(detector);
  if (least == 0) return fail(Code::kUsage, where + ": this detector has no table of run lengths");
  if (!(target >= least && target <= kMostTarget))
    return fail(Code::kUsage, fmt::format("{}: expected {}..{}, got {}", where, least, kMostTarget, quoted(text)));
  return target;
}

struct Settled {
  Args args;
  std::vector<double> params;
};

Result<Settled> settle(const Detector& detector, std::span<const Setting> settings) {
  Settled out;
  for (const auto& [name, text] : settings) {
    const std::string where = fmt::format("{}.{}", detector.name, name);
    if (name == "parity") {
      VIGIE_ASSIGN(const double parity, choice(where, "none|river|moa", text));
      out.args.parity = static_cast<Parity>(parity);
    } else if (name == "on_drift") {
      VIGIE_ASSIGN(const double policy, choice(where, "usual|restart|keep_recent|hold", text));
      out.args.on_drift = static_cast<OnDrift>(policy);
    } else if (name == "seed") {
      const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), out.args.seed);
      if (wrong != std::errc{} || end != text.data() + text.size())
        return fail(Code::kUsage, fmt::format("{}: expected a whole number, got {}", where, quoted(text)));
    }
  }
  const auto table = detector.params_of(out.args.parity);
  double target = 0;
  bool fixed = false;
  if (out.args.parity != Parity::kNone && table.empty())
    return fail(Code::kUsage, fmt::format("{}: has no parity with that program", detector.name));
  for (const Param& param : table) out.params.push_back(param.fallback);
  for (const auto& [name, text] : settings) {
    if (name == "parity" || name == "on_drift" || name == "seed") continue;
    if (name == "target_arl") {
      VIGIE_ASSIGN(target, target_of(detector, text, out.args.parity));
      continue;
    }
    std::vector<std::string> names;
    std::size_t at = table.size();
    for (std::size_t i = 0; i < table.size(); ++i) {
      names.emplace_back(table[i].name);
      if (table[i].name == name) at = i;
    }
    if (at == table.size()) {
      for (const char* common : {"parity", "on_drift", "seed", "target_arl"}) names.emplace_back(common);
      return fail(Code::kUsage, fmt::format("{}: {}", detector.name, unknown_of("parameter", name, names)));
    }
    VIGIE_ASSIGN(out.params[at], value_of(detector, table[at], text));
    fixed |= name != "mode" && !is_warning(name);
  }
  if (target > 0) {
    if (fixed)
      return fail(Code::kUsage,
                  fmt::format("{}: target_arl holds for the defaults of the other parameters", detector.name));
    tune(detector, calibrated(detector, target), out.params);
  }
  return out;
}

Error no_such(std::string_view name) {
  std::vector<std::string> names;
  for (const Detector* detector : detectors()) names.emplace_back(detector->name);
  for (const Detector* ensemble : ensembles()) names.emplace_back(ensemble->name);
  return fail(Code::kUsage, unknown_of("detector", name, names));
}

}  // namespace

void tune(const Detector& detector, double value, std::span<double> params) {
  std::size_t tuned = 0;
  while (detector.params[tuned].name != detector.tuned) ++tuned;
  const Param& of_drift = detector.params[tuned];
  params[tuned] = value;
  for (std::size_t i = 0; i < params.size(); ++i)
    if (detector.params[i].name == detector.freed_by) params[i] = 1;
  for (std::size_t i = 0; i < params.size(); ++i) {
    const Param& param = detector.params[i];
    if (!is_warning(param.name)) continue;
    if (of_drift.max <= 1)
      params[i] = std::max(params[i], value);
    else if (param.max == of_drift.max)  // on one scale
      params[i] = std::min(params[i] == param.fallback ? param.fallback / of_drift.fallback * value : params[i], value);
  }
}

Result<std::unique_ptr<Monitor>> make_monitor(const Detector& detector, std::span<const Setting> settings) {
  VIGIE_ASSIGN(Settled settled, settle(detector, settings));
  settled.args.params = settled.params;
  if (!detector.make)
    return fail(Code::kUsage, fmt::format("{}: works on a whole series, not on a stream", detector.name));
  return detector.make(detector, settled.args);
}

Result<std::vector<Alarm>> segment(const Detector& detector, std::span<const double> series,
                                   std::span<const Setting> settings) {
  VIGIE_ASSIGN(Settled settled, settle(detector, settings));
  settled.args.params = settled.params;
  if (!detector.segment) return fail(Code::kUsage, fmt::format("{}: works on a stream", detector.name));
  return detector.segment(series, settled.args);
}

Result<Spec> parse_spec(std::string_view text) {
  const auto call = parse_call(text);
  if (!call) return fail(Code::kUsage, fmt::format("{}: {}", quoted(text), call.error().message));
  const auto& [name, parts] = *call;
  Spec spec{.detector = find_detector(name), .settings = {}, .members = {}};
  const bool holds = !spec.detector;
  if (holds) spec.detector = find_ensemble(name);
  if (!spec.detector) return no_such(name);
  for (const std::string& part : parts) {
    const std::size_t sign = part.find('='), inner = part.find('(');
    if (sign < inner) {
      spec.settings.emplace_back(trim(std::string_view(part).substr(0, sign)),
                                 trim(std::string_view(part).substr(sign + 1)));
    } else if (!holds) {
      return fail(Code::kUsage, fmt::format("{}: expected parameter=value, got {}", name, quoted(part)));
    } else if (&part == &parts[0] && !spec.detector->params.empty() &&
               part.find_first_not_of("0123456789") == part.npos) {
      spec.settings.emplace_back(spec.detector->params[0].name, part);
    } else {
      VIGIE_ASSIGN(auto member, parse_spec(part));
      spec.members.push_back(std::move(member));
    }
  }
  return spec;
}

Result<std::unique_ptr<Monitor>> make_monitor(const Spec& spec) {
  if (!find_ensemble(spec.detector->name)) return make_monitor(*spec.detector, spec.settings);
  std::vector<std::unique_ptr<Monitor>> members;
  for (const Spec& each : spec.members) {
    VIGIE_ASSIGN(auto member, make_monitor(each));
    members.push_back(std::move(member));
  }
  VIGIE_ASSIGN(Settled settled, settle(*spec.detector, spec.settings));
  settled.args.params = settled.params;
  return make_ensemble(*spec.detector, settled.args, std::move(members));
}

Result<std::unique_ptr<Monitor>> make_monitor(std::string_view text) {
  VIGIE_ASSIGN(const Spec spec, parse_spec(text));
  return make_monitor(spec);
}

}  // namespace vigie::detect
