// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/distance_internal.h"

namespace vigie::drift {
namespace {

Score run(const Axis& axis, const Sample& reference, const Sample& current, const Args& args) {
  const Cells cells = numeric_cells(axis, reference, current);
  Score score = gaps_score(
      cells, args, [](double apart) { return apart * apart; }, [](double sum) { return std::sqrt(2 * sum); });
  // The distance is a metric: displaced rows add at most √(2·displacement).
  if (!cells.exact && cells.placed) score.error = std::sqrt(2 * most_displaced(axis, reference, current));
  return score;
}

}  // namespace

constinit const Method energy{
    .name = "energy",
    .summary = "Energy distance: like wasserstein, but many rows a little count more than few rows far",
    .reference = "Székely & Rizzo 2013; Besag & Clifford 1991",
    .accepts = kNumeric,
    .statistic = "√(2E|X − Y| − E|X − X′| − E|Y − Y′|), in the square root of the column's unit",
    .params = {},
    .run = run};

}  // namespace vigie::drift
