// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "base/settings.h"
#include "base/text.h"
#include "notify/notify.h"
#include "notify/text_internal.h"

namespace vigie::notify {
namespace {

Status check_common(const Notifier& notifier, Settings& settings) {
  const auto wrong = [&](std::string_view name, std::string_view expected) {
    return fail(Code::kUsage, fmt::format("{}.{}: expected {}, got {}", notifier.name, name, expected,
                                          vigie::quoted(settings[name])));
  };
  auto& name = settings.values["name"];
  if (name.empty()) name = notifier.name;
  if (name.size() > 64 || std::any_of(name.begin(), name.end(), [](char c) {
        return !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
               std::string_view("-_.").find(c) == std::string_view::npos;
      }))
    return wrong("name", "letters, digits, - _ and .");
  auto& severity = settings.values["severity"];
  if (severity.empty()) severity = notifier.trigger ? "critical" : "warning";
  if (severity != "warning" && severity != "critical") return wrong("severity", "warning or critical");
  const auto& rate = settings["per_minute"];
  double value = 0;
  const auto [end, error] = std::from_chars(rate.data(), rate.data() + rate.size(), value);
  if (error != std::errc() || end != rate.data() + rate.size() || !(value >= 0.1 && value <= 6000))
    return wrong("per_minute", "0.1..6000");
  return {};
}

}  // namespace

Result<std::unique_ptr<Target>> make_target(std::string_view spec, const Environment& environment) {
  std::vector<std::string> names;
  for (const auto* n : notifiers()) names.emplace_back(n->name);
  const auto named = trim(spec.substr(0, spec.find('(')));
  const auto* notifier = find_notifier(named);
  if (!notifier) return fail(Code::kUsage, unknown_of("notifier", named.substr(0, named.find(':')), names));
  const auto call = parse_call(spec);
  if (!call) return fail(Code::kUsage, fmt::format("{}: {}", named, call.error().message));

  std::vector<Param> params(notifier->params.begin(), notifier->params.end());
  params.insert(params.end(), common_params().begin(), common_params().end());
  VIGIE_ASSIGN(auto settings, read_settings(*call, params, environment));
  VIGIE_TRY(check_common(*notifier, settings));
  if (notifier->check) VIGIE_TRY(notifier->check(settings));
  return std::make_unique<Target>(*notifier, std::move(settings));
}

}  // namespace vigie::notify
