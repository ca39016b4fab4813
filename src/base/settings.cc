// SPDX-License-Identifier: Apache-2.0
#include "base/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/secret.h"
#include "base/text.h"

namespace vigie {
namespace {

// What is no name=value is mostly the rest of a value with a comma in it, which is shown where it is no secret.
Error no_pair(const Call& call, std::string_view part, const Param* before, std::string_view first) {
  if (!before) return fail(Code::kUsage, fmt::format("{0}: expected {0}({1}=…)", call.name, first));
  const bool hidden =
      before->secret || before->referred || part.find('@') != part.npos || part.find("://") != part.npos;
  return fail(Code::kUsage, fmt::format("{}.{}: a list needs quotes, {}=\"a,b\"; {} is no name=value", call.name,
                                        before->name, before->name, hidden ? "what stands behind it" : quoted(part)));
}

}  // namespace

Result<Settings> read_settings(const Call& call, std::span<const Param> params, const Environment& environment) {
  Settings settings;
  const Param* before = nullptr;
  for (const auto& part : call.parts) {
    const auto sign = part.find('=');
    if (sign == part.npos) return no_pair(call, part, before, params.front().name);
    const auto name = trim(std::string_view(part).substr(0, sign));
    auto value = trim(std::string_view(part).substr(sign + 1));
    const auto known = std::find_if(params.begin(), params.end(), [&](const Param& p) { return p.name == name; });
    if (known == params.end()) {
      std::vector<std::string> names;
      for (const auto& p : params) names.emplace_back(p.name);
      return fail(Code::kUsage, fmt::format("{}: {}", call.name, unknown_of("parameter", name, names)));
    }
    before = &*known;
    const auto where = fmt::format("{}.{}", call.name, name);
    if (value.size() > 1 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    if (known->referred && !value.empty() && !refers(value))
      return fail(Code::kUsage, where + ": a secret itself does not belong here: ${NAME} or file:PATH");
    VIGIE_ASSIGN(auto full, reveal(value, where, environment));
    if (!is_utf8(full) || std::any_of(full.begin(), full.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
      return fail(Code::kUsage, where + ": holds a control character, or is no UTF-8");
    if (!settings.values.emplace(name, std::move(full)).second) return fail(Code::kUsage, where + ": given twice");
  }
  for (const auto& param : params) {
    auto& value = settings.values.try_emplace(std::string(param.name), param.fallback).first->second;
    if (param.required && value.empty())
      return fail(Code::kUsage, fmt::format("{}: {} is missing: {}", call.name, param.name, param.doc));
  }
  return settings;
}

}  // namespace vigie
