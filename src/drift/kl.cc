// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/shares_internal.h"

namespace vigie::drift {
namespace {

double distance(std::span<const std::int64_t> x, std::span<const std::int64_t> y) {
  return sum_of_shares(x, y, .5, [](double p, double q) { return q * std::log(q / p); });
}

Score run(const Axis& axis, const Sample& reference, const Sample& current, const Args& args) {
  return shares_score(axis, reference, current, args, {.scale = 2, .enough = 10000}, distance);
}

}  // namespace

constinit const Method kl{.name = "kl",
                          .summary = "Kullback–Leibler divergence of the current shares from the reference's",
                          .reference = "Kullback & Leibler 1951",
                          .accepts = kNumeric | kCategorical,
                          .statistic = "Σ q ln(q/p) in nats, current against reference, each count raised by ½",
                          .params = kBinsParams,
                          .run = run};

}  // namespace vigie::drift
