// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/shares_internal.h"

namespace vigie::drift {
namespace {

double distance(std::span<const std::int64_t> x, std::span<const std::int64_t> y) {
  return std::sqrt(sum_of_shares(x, y, 0,
                                 [](double p, double q) {
                                   const double d = std::sqrt(p) - std::sqrt(q);
                                   return d * d;
                                 }) /
                   2);
}

Score run(const Axis& axis, const Sample& reference, const Sample& current, const Args& args) {
  return shares_score(axis, reference, current, args, {.scale = 8, .power = 2, .enough = 1000}, distance);
}

}  // namespace

constinit const Method hellinger{.name = "hellinger",
                                 .summary = "Hellinger distance of the shares",
                                 .reference = "Hellinger 1909",
                                 .accepts = kNumeric | kCategorical,
                                 .statistic = "√(1 − Σ √(pq)), 0..1",
                                 .params = kBinsParams,
                                 .run = run};

}  // namespace vigie::drift
