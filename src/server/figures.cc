// SPDX-License-Identifier: Apache-2.0
#include "server/figures.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace vigie::server {

void Figures::take(const engine::WindowResult& window) {
  columns.clear();
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const auto& c : window.columns) {
    if (c.segment || !seen.emplace(c.column, c.method).second) continue;
    const auto rows = static_cast<double>(c.n_current + c.missing_current);
    columns.push_back(
        {c.column, c.method, c.effect, c.p_adjusted, static_cast<double>(c.missing_current) / rows, c.verdict});
  }
}

void Figures::take(const engine::ScoreWindow& window) {
  metrics.clear();
  for (const auto& m : window.metrics)
    if (!m.segment && std::isfinite(m.value.value))
      metrics.push_back({std::string(m.metric->name), m.part, m.value.value});
}

}  // namespace vigie::server
