// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/contingency_internal.h"
#include "stats/distributions.h"

namespace vigie::drift {
namespace {

Score run(const Axis&, const Sample& reference, const Sample& current, const Args& args) {
  const Cells cells = category_cells(reference, current);
  Score score = blank_score(cells);
  if (is_done(score)) return score;
  const TwoByTwo t = most_frequent(cells);
  Cells two = cells;
  two.x = {t.reference, t.reference_rest};
  two.y = {t.current, t.current_rest};
  const double n = static_cast<double>(cells.n), m = static_cast<double>(cells.m);
  const double apart = static_cast<double>(t.reference) / n - static_cast<double>(t.current) / m;
  const double z2 = pearson(two.x, two.y);
  score.statistic = std::copysign(std::sqrt(z2), apart);
  score.p_value = 2 * stats::normal_sf(std::sqrt(z2));
  score.null = Null::kAsymptotic;
  if (is_sparse(two) && score.p_value < kUndecided) simulate(score, two, args, pearson);
  if (cells.size() > 2) score.note = kOnlyLargest;
  return score;
}

}  // namespace

constinit const Method z_test{
    .name = "z",
    .summary = "Difference of two shares; of more than two categories: the most frequent one against all others",
    .reference = "Pearson 1900; Besag & Clifford 1991",
    .accepts = kCategorical,
    .statistic =
        "share of the most frequent category in the reference minus in the current sample, in its standard "
        "error under a common share",
    .params = {},
    .run = run};

}  // namespace vigie::drift
