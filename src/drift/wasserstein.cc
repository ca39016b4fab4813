// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/distance_internal.h"

namespace vigie::drift {

double most_displaced(const Axis& axis, const Sample& reference, const Sample& current) {
  const std::size_t cells = std::min({reference.counts.size(), current.counts.size(), axis.centers.size()});
  const double n = static_cast<double>(reference.rows()), m = static_cast<double>(current.rows());
  double sum = 0;
  for (std::size_t j = 1; j + 1 < cells && j < axis.cuts.size(); ++j) {
    const double share = static_cast<double>(reference.counts[j]) / n + static_cast<double>(current.counts[j]) / m;
    sum += share * std::max(axis.centers[j] - axis.cuts[j - 1], axis.cuts[j] - axis.centers[j]);
  }
  return sum;
}

namespace {

Score run(const Axis& axis, const Sample& reference, const Sample& current, const Args& args) {
  const Cells cells = numeric_cells(axis, reference, current);
  Score score = gaps_score(cells, args, [](double apart) { return std::abs(apart); }, [](double sum) { return sum; });
  if (!cells.exact && cells.placed) score.error = most_displaced(axis, reference, current);
  return score;
}

}  // namespace

constinit const Method wasserstein{
    .name = "wasserstein",
    .summary = "How far rows have to be moved, in mean, to turn one distribution into the other",
    .reference = "Vallender 1974; Besag & Clifford 1991",
    .accepts = kNumeric,
    .statistic = "W₁ = ∫ |F − G|, in the unit of the column",
    .params = {},
    .run = run};

}  // namespace vigie::drift
