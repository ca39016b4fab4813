// SPDX-License-Identifier: Apache-2.0
#include "drift/contingency_internal.h"
#include "stats/association.h"

namespace vigie::drift {
namespace {

Score run(const Axis&, const Sample& reference, const Sample& current, const Args& args) {
  const Cells cells = category_cells(reference, current);
  Score score = blank_score(cells);
  if (is_done(score)) return score;
  const double x2 = pearson(cells.x, cells.y), rows = static_cast<double>(cells.n + cells.m);
  score.statistic = stats::cramers_v(x2 / rows, rows, 2, static_cast<double>(cells.size()));
  set_table_p(score, cells, args, x2, kPearsonExpects, pearson);
  return score;
}

}  // namespace

constinit const Method cramers_v{.name = "cramers_v",
                                 .summary = "Association of category and sample, corrected for what noise alone gives",
                                 .reference = "Bergsma 2013",
                                 .accepts = kCategorical,
                                 .statistic = "bias-corrected Cramér's V, 0..1; its p-value is that of chi2",
                                 .params = {},
                                 .run = run};

}  // namespace vigie::drift
