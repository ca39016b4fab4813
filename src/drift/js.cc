// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/shares_internal.h"

namespace vigie::drift {
namespace {

double to_middle(double p, double middle) {
  return p > 0 ? p * std::log(p / middle) : 0;
}

double distance(std::span<const std::int64_t> x, std::span<const std::int64_t> y) {
  return std::sqrt(std::max(0.0, sum_of_shares(x, y, 0, [](double p, double q) {
                                   return to_middle(p, (p + q) / 2) + to_middle(q, (p + q) / 2);
                                 }) / 2));
}

Score run(const Axis& axis, const Sample& reference, const Sample& current, const Args& args) {
  return shares_score(axis, reference, current, args, {.scale = 8, .power = 2, .enough = 1000}, distance);
}

}  // namespace

constinit const Method js{.name = "js",
                          .summary = "Jensen–Shannon distance of the shares",
                          .reference = "Lin 1991; Endres & Schindelin 2003",
                          .accepts = kNumeric | kCategorical,
                          .statistic = "square root of the divergence in nats, 0..0.83",
                          .params = kBinsParams,
                          .run = run};

}  // namespace vigie::drift
