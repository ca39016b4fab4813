// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/text.h"
#include "quality/categories_internal.h"

namespace vigie::quality {

std::optional<Alone> categories_alone(const ColumnState& column, const ColumnState& before, bool current,
                                      Finding& finding, std::span<const std::string> usual) {
  const auto reference = before.categories(), now = column.categories();
  if (too_few(finding, column.present(), before.present())) return std::nullopt;
  if (!reference || !now) {
    finding.reason = !reference && before.distinct() <= ColumnState::kCategories
                         ? "the profile had no room for the reference's texts: compare with its rows"
                         : fmt::format("more than {} different texts{}", with_commas(ColumnState::kCategories),
                                       reference ? "" : " in the reference");
    return std::nullopt;
  }
  const auto& mine = current ? *now : *reference;
  const auto& others = current ? *reference : *now;
  std::unordered_map<std::string_view, std::int64_t> held;
  for (const auto& item : others) held.emplace(item.name, item.count);
  Alone alone;
  const auto add = [&](std::int64_t here, std::int64_t there) {
    current ? alone.pooled.emplace_back(there, here) : alone.pooled.emplace_back(here, there);
  };
  for (const auto& item : mine) {
    const auto at = held.find(item.name);
    if (at == held.end() && std::find(usual.begin(), usual.end(), item.name) != usual.end()) continue;
    add(item.count, at == held.end() ? 0 : at->second);
    if (at != held.end()) {
      held.erase(at);
      continue;
    }
    alone.names.push_back(item.name);
    alone.rows += item.count;
  }
  for (const auto& [name, count] : held) add(0, count);
  return alone;
}

}  // namespace vigie::quality
