// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/shares_internal.h"

namespace vigie::drift {
namespace {

double distance(std::span<const std::int64_t> x, std::span<const std::int64_t> y) {
  return sum_of_shares(x, y, 0, [](double p, double q) { return std::abs(p - q); }) / 2;
}

Score run(const Axis& axis, const Sample& reference, const Sample& current, const Args& args) {
  return shares_score(axis, reference, current, args, {}, distance);
}

}  // namespace

constinit const Method tvd{.name = "tvd",
                           .summary = "Total variation distance: the share of rows that moved",
                           .reference = "Levin, Peres & Wilmer 2009",
                           .accepts = kNumeric | kCategorical,
                           .statistic = "½ Σ |p − q|, 0..1",
                           .params = kBinsParams,
                           .run = run};

}  // namespace vigie::drift
