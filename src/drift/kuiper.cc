// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/cells_internal.h"
#include "stats/empirical_laws.h"

namespace vigie::drift {
namespace {

Score run(const Axis& axis, const Sample& reference, const Sample& current, const Args&) {
  const Cells cells = numeric_cells(axis, reference, current);
  Score score = blank_score(cells);
  if (is_done(score)) return score;
  __int128 above = 0, below = 0, apart = 0, above_within = 0, below_within = 0;
  for (std::size_t j = 0; j < cells.size(); ++j) {
    const __int128 up = static_cast<__int128>(cells.x[j]) * cells.m, down = static_cast<__int128>(cells.y[j]) * cells.n;
    above_within = std::max(above_within, apart + up);
    below_within = std::max(below_within, down - apart);
    apart += up - down;
    above = std::max(above, apart);
    below = std::max(below, -apart);
  }
  const double n = static_cast<double>(cells.n), m = static_cast<double>(cells.m), pairs = n * m;
  score.statistic = static_cast<double>(above + below) / pairs;
  if (!cells.exact) {
    const double most = std::min(1.0, static_cast<double>(above_within + below_within) / pairs);
    score.error = std::max(0.0, most - score.statistic);
  }
  // Stephens' (1970) correction for the size brings the limit law within 1 % for 20 rows and more.
  const double root = std::sqrt(pairs / (n + m));
  score.p_value = stats::kuiper_sf((root + .155 + .24 / root) * score.statistic);
  score.null = Null::kAsymptotic;
  return score;
}

}  // namespace

constinit const Method kuiper{
    .name = "kuiper",
    .summary = "Largest distances of the two distribution functions upwards and downwards, added: sees scale as well",
    .reference = "Kuiper 1960; Stephens 1970",
    .accepts = kNumeric,
    .statistic = "V = max (F − G) + max (G − F), 0..1; the p-value is timid where there are ties",
    .params = {},
    .run = run};

}  // namespace vigie::drift
