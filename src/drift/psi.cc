// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/shares_internal.h"

namespace vigie::drift {
namespace {

double distance(std::span<const std::int64_t> x, std::span<const std::int64_t> y) {
  return sum_of_shares(x, y, .5, [](double p, double q) { return (p - q) * std::log(p / q); });
}

Score run(const Axis& axis, const Sample& reference, const Sample& current, const Args& args) {
  return shares_score(axis, reference, current, args, {.scale = 1, .enough = 1000}, distance);
}

}  // namespace

constinit const Method psi{
    .name = "psi",
    .summary = "Population stability index: how far the shares have moved, either way",
    .reference = "Jeffreys 1946; Siddiqi 2006",
    .accepts = kNumeric | kCategorical,
    .statistic =
        "Σ (p − q) ln(p/q) of the shares, each count raised by ½; its size without drift is (k − 1)(1/n + 1/m)",
    .params = kBinsParams,
    .run = run};

}  // namespace vigie::drift
