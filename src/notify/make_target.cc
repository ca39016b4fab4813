// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "base/call.h"
#include "base/file.h"
#include "base/text.h"
#include "notify/notify.h"
#include "notify/text_internal.h"

namespace vigie::notify {
namespace {

// What ${NAME} and file: stand for. What a value holds is in no message.
Result<std::string> resolved(std::string_view value, const std::string& where, const Environment& environment) {
  if (value.starts_with("file:")) {
    const auto text = read_file(std::string(value.substr(5)), 1 << 16);
    if (!text) return fail(Code::kUsage, fmt::format("{}: {}", where, text.error().message));
    return text->substr(0, text->find_first_of("\r\n"));
  }
  std::string out;
  for (;;) {
    const auto begin = value.find("${");
    out += value.substr(0, begin);
    if (begin == value.npos) return out;
    const auto end = value.find('}', begin);
    if (end == value.npos) return fail(Code::kUsage, where + ": ${ without a }");
    const std::string name(value.substr(begin + 2, end - begin - 2));
    const auto found = environment ? environment(name) : std::nullopt;
    if (!found) return fail(Code::kUsage, fmt::format("{}: there is no variable {} in the environment", where, name));
    out += *found;
    value.remove_prefix(end + 1);
  }
}

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
  Settings settings;
  for (const auto& part : call->parts) {
    const auto sign = part.find('=');
    if (sign == part.npos)
      return fail(Code::kUsage, fmt::format("{0}: expected {0}({1}=…)", named, params.front().name));
    const auto name = trim(std::string_view(part).substr(0, sign));
    auto value = trim(std::string_view(part).substr(sign + 1));
    const auto known = std::find_if(params.begin(), params.end(), [&](const Param& p) { return p.name == name; });
    if (known == params.end()) {
      names.clear();
      for (const auto& p : params) names.emplace_back(p.name);
      return fail(Code::kUsage, fmt::format("{}: {}", named, unknown_of("parameter", name, names)));
    }
    const auto where = fmt::format("{}.{}", named, name);
    if (value.size() > 1 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    VIGIE_ASSIGN(auto full, resolved(value, where, environment));
    if (!is_utf8(full) || std::any_of(full.begin(), full.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
      return fail(Code::kUsage, where + ": holds a control character, or is no UTF-8");
    if (!settings.values.emplace(name, std::move(full)).second) return fail(Code::kUsage, where + ": given twice");
  }
  for (const auto& param : params) {
    auto& value = settings.values.try_emplace(std::string(param.name), param.fallback).first->second;
    if (param.required && value.empty())
      return fail(Code::kUsage, fmt::format("{}: {} is missing: {}", named, param.name, param.doc));
  }
  VIGIE_TRY(check_common(*notifier, settings));
  if (notifier->check) VIGIE_TRY(notifier->check(settings));
  return std::make_unique<Target>(*notifier, std::move(settings));
}

}  // namespace vigie::notify
