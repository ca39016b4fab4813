// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "engine/aspects.h"
#include "engine/choice_internal.h"

namespace vigie::engine {
namespace {

constexpr std::size_t kNowhere = std::string::npos;

bool is_default(const drift::Method& method) {
  return method.name == kDefaultMethod || aspect_of(method);
}

bool wants(const MethodChoice& choice, const drift::Method& method) {
  return choice.method == "all" || choice.method == method.name || (choice.method == "auto" && is_default(method));
}

// Where among all that is counted a method finds what it looks at of column `c`.
std::size_t place_of(const Profile& profile, std::size_t c, const drift::Method& method) {
  const auto& column = profile.columns[c];
  if (const auto* aspect = aspect_of(method)) {
    const auto it = std::find_if(profile.aspects.begin(), profile.aspects.end(), [&](const auto& a) {
      return a.aspect == aspect->aspect && a.profile.name == column.name;
    });
    if (it == profile.aspects.end()) return kNowhere;
    return profile.columns.size() + static_cast<std::size_t>(it - profile.aspects.begin());
  }
  if (method.view == drift::View::kLength && column.type != ColumnType::kText) return kNowhere;
  if (method.view == drift::View::kRow && !has_vectors(column.type)) return kNowhere;
  return (method.accepts & column.axis().kind) || method.view == drift::View::kRow ? c : kNowhere;
}

std::string refusal(const ColumnProfile& column, const drift::Method& method) {
  const auto* aspect = aspect_of(method);
  if (aspect && aspect->of == column.type)
    return fmt::format("--method {}={}: the reference has no {} of that column", column.name, method.name,
                       aspect->noun);
  return fmt::format("--method {}={}: {} does not take {} columns", column.name, method.name, method.name,
                     to_string(column.type));
}

}  // namespace

Result<Chosen> choose(const Profile& profile, std::span<const MethodChoice> choices) {
  for (const auto& choice : choices) {
    const auto* method = drift::find_method(choice.method);
    if (!method && choice.method != "all" && choice.method != "auto")
      return fail(Code::kUsage, fmt::format("--method: no method {}", vigie::quoted(choice.method)));
    if (choice.column.empty()) continue;
    const auto it = std::find_if(profile.columns.begin(), profile.columns.end(),
                                 [&](const auto& column) { return column.name == choice.column; });
    if (it == profile.columns.end())
      return fail(Code::kUsage,
                  fmt::format("--method: no column {} in {}", vigie::quoted(choice.column), profile.source));
    if (method && place_of(profile, static_cast<std::size_t>(it - profile.columns.begin()), *method) == kNowhere)
      return fail(Code::kUsage, refusal(*it, *method));
  }
  const MethodChoice usual{.column = {}, .method = "auto"};
  Chosen chosen{std::vector<std::vector<const drift::Method*>>(profile.counted()),
                std::vector<bool>(profile.counted())};
  for (std::size_t c = 0; c < profile.columns.size(); ++c) {
    // Its own choices, else those for all, else the default.
    std::vector<const MethodChoice*> ranks[] = {{}, {}, {&usual}};
    for (const auto& choice : choices)
      if (choice.column == profile.columns[c].name || choice.column.empty())
        ranks[choice.column.empty()].push_back(&choice);
    bool any = false;
    for (const auto& rank : ranks) {
      if (any) break;
      const bool asked = std::any_of(rank.begin(), rank.end(), [](auto* by) { return by->method != "auto"; });
      for (const auto* method : drift::methods()) {
        const auto at = place_of(profile, c, *method);
        if (at == kNowhere || std::none_of(rank.begin(), rank.end(), [&](auto* by) { return wants(*by, *method); }))
          continue;
        chosen.methods[at].push_back(method);
        chosen.asked[at] = asked;
        any = true;
      }
    }
  }
  return chosen;
}

}  // namespace vigie::engine
