// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "engine/choice_internal.h"

namespace vigie::engine {
namespace {

bool wants(const MethodChoice& choice, const drift::Method& method) {
  return choice.method == "all" || choice.method == method.name ||
         (choice.method == "auto" && method.name == kDefaultMethod);
}

}  // namespace

Result<std::vector<std::vector<const drift::Method*>>> choose(const Profile& profile,
                                                              std::span<const MethodChoice> choices) {
  for (const auto& choice : choices) {
    if (!drift::find_method(choice.method) && choice.method != "all" && choice.method != "auto")
      return fail(Code::kUsage, fmt::format("--method: no method {}", vigie::quoted(choice.method)));
    if (!choice.column.empty() && std::none_of(profile.columns.begin(), profile.columns.end(),
                                               [&](const auto& c) { return c.name == choice.column; }))
      return fail(Code::kUsage,
                  fmt::format("--method: no column {} in {}", vigie::quoted(choice.column), profile.source));
  }
  std::vector<std::vector<const drift::Method*>> chosen;
  for (const auto& column : profile.columns) {
    auto& methods = chosen.emplace_back();
    const auto kind = column.axis().kind;
    for (bool own : {true, false}) {
      if (!methods.empty()) break;
      for (const auto* method : drift::methods()) {
        const bool wanted = std::any_of(choices.begin(), choices.end(), [&](const auto& choice) {
          return wants(choice, *method) && (own ? choice.column == column.name : choice.column.empty());
        });
        if (!wanted || !(method->accepts & kind)) continue;
        methods.push_back(method);
      }
    }
    for (const auto& choice : choices) {
      const auto* method = drift::find_method(choice.method);
      if (choice.column == column.name && method && !(method->accepts & kind))
        return fail(Code::kUsage, fmt::format("--method {}={}: {} does not take {} columns", column.name, method->name,
                                              method->name, to_string(column.type)));
    }
    if (methods.empty()) methods.push_back(drift::find_method(kDefaultMethod));
  }
  return chosen;
}

}  // namespace vigie::engine
