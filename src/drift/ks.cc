// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/cells_internal.h"
#include "stats/empirical_laws.h"

namespace vigie::drift {
namespace {

constexpr std::int64_t kMostExact = 10000;

Score run(const Axis& axis, const Sample& reference, const Sample& current, const Args&) {
  const Cells cells = numeric_cells(axis, reference, current);
  Score score = blank_score(cells);
  if (is_done(score)) return score;
  // In units of 1/(nm), where D is a whole number. Within a cell either function may rise before the other.
  __int128 most = 0, within = 0, apart = 0;
  for (std::size_t j = 0; j < cells.size(); ++j) {
    const __int128 up = static_cast<__int128>(cells.x[j]) * cells.m, down = static_cast<__int128>(cells.y[j]) * cells.n;
    within = std::max({within, apart + up, down - apart});
    apart += up - down;
    most = std::max(most, apart < 0 ? -apart : apart);
  }
  const double n = static_cast<double>(cells.n), m = static_cast<double>(cells.m);
  score.statistic = static_cast<double>(most) / (n * m);
  if (!cells.exact) score.error = std::max(0.0, std::min(1.0, static_cast<double>(within) / (n * m)) - score.statistic);
  if (std::max(cells.n, cells.m) <= kMostExact) {
    score.p_value = stats::smirnov_sf(cells.n, cells.m, static_cast<std::int64_t>(most));
    score.null = Null::kExact;
  } else {
    score.p_value = stats::kolmogorov_sf(score.statistic / std::sqrt(1 / n + 1 / m));
    score.null = Null::kAsymptotic;
  }
  return score;
}

}  // namespace

constinit const Method ks{.name = "ks",
                          .summary = "Largest distance of the two distribution functions",
                          .reference = "Kolmogorov 1933; Smirnov 1939; Hodges 1958",
                          .accepts = kNumeric,
                          .statistic = "D = max |F − G|, 0..1; the p-value is timid where there are ties",
                          .params = {},
                          .run = run};

}  // namespace vigie::drift
