// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/contingency_internal.h"
#include "stats/distributions.h"

namespace vigie::drift {

double pearson(std::span<const std::int64_t> x, std::span<const std::int64_t> y) {
  double n = 0, m = 0, sum = 0;
  for (std::size_t j = 0; j < x.size(); ++j) {
    n += static_cast<double>(x[j]);
    m += static_cast<double>(y[j]);
  }
  // O − E is the same in both rows but for its sign, so that one row gives both.
  for (std::size_t j = 0; j < x.size(); ++j) {
    const double l = static_cast<double>(x[j] + y[j]);
    if (l == 0) continue;
    const double excess = static_cast<double>(x[j]) - l * (n / (n + m));
    sum += excess * excess / l;
  }
  return sum * ((n + m) / n) * ((n + m) / m);
}

void set_table_p(Score& score, const Cells& cells, const Args& args, double observed, double enough,
                 const Statistic& statistic) {
  const double share = static_cast<double>(std::min(cells.n, cells.m)) / static_cast<double>(cells.n + cells.m);
  std::int64_t rarest = cells.n + cells.m;
  for (std::size_t j = 0; j < cells.size(); ++j) rarest = std::min(rarest, cells.pooled(j));
  score.p_value = stats::chi2_sf(observed, static_cast<double>(cells.size()) - 1);
  score.null = Null::kAsymptotic;
  if (static_cast<double>(rarest) * share < enough) simulate(score, cells, args, statistic);
}

TwoByTwo most_frequent(const Cells& cells) {
  std::size_t best = 0;
  const double n = static_cast<double>(cells.n), m = static_cast<double>(cells.m);
  const auto apart = [&](std::size_t j) {
    return std::abs(static_cast<double>(cells.x[j]) * m - static_cast<double>(cells.y[j]) * n);
  };
  for (std::size_t j = 1; j < cells.size() && cells.pooled(j) == cells.pooled(0); ++j) {
    if (apart(j) < apart(best)) best = j;
  }
  return {cells.x[best], cells.n - cells.x[best], cells.y[best], cells.m - cells.y[best]};
}

}  // namespace vigie::drift
