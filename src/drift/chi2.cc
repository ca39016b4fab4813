// SPDX-License-Identifier: Apache-2.0
#include "drift/contingency_internal.h"

namespace vigie::drift {
namespace {

Score run(const Axis&, const Sample& reference, const Sample& current, const Args& args) {
  const Cells cells = category_cells(reference, current);
  Score score = blank_score(cells);
  if (is_done(score)) return score;
  score.statistic = pearson(cells.x, cells.y);
  set_table_p(score, cells, args, score.statistic, kPearsonExpects, pearson);
  return score;
}

}  // namespace

constinit const Method chi2{.name = "chi2",
                            .summary = "Pearson's test of the table of both samples, every category by itself",
                            .reference = "Pearson 1900; Besag & Clifford 1991",
                            .accepts = kCategorical,
                            .statistic = "X² of the 2×k table without continuity correction, mean k − 1 without drift",
                            .params = {},
                            .run = run};

}  // namespace vigie::drift
