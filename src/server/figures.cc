// SPDX-License-Identifier: Apache-2.0
#include "server/figures.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace vigie::server {

namespace {

std::vector<Figures::Column> columns_of(const std::vector<engine::ColumnResult>& results) {
  std::vector<Figures::Column> out;
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const auto& c : results) {
    if (c.segment || !seen.emplace(c.column, c.method).second) continue;
    const auto rows = static_cast<double>(c.n_current + c.missing_current);
    out.push_back(
        {c.column, c.method, c.effect, c.p_adjusted, static_cast<double>(c.missing_current) / rows, c.verdict});
  }
  return out;
}

}  // namespace

void Figures::take(const engine::WindowResult& window) {
  columns = columns_of(window.columns);
}

void Figures::take(const engine::ScoreWindow* score, const std::vector<engine::ColumnResult>& of_labels) {
  labels = columns_of(of_labels);
  metrics.clear();
  if (!score) return;
  for (const auto& m : score->metrics)
    if (!m.segment && std::isfinite(m.value.value))
      metrics.push_back({std::string(m.metric->name), m.part, m.value.value});
}

}  // namespace vigie::server
