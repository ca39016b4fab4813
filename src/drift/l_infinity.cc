// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/shares_internal.h"

namespace vigie::drift {
namespace {

double largest(std::span<const std::int64_t> x, std::span<const std::int64_t> y) {
  double most = 0;
  sum_of_shares(x, y, 0, [&](double p, double q) { return most = std::max(most, std::abs(p - q)); });
  return most;
}

Score run(const Axis& axis, const Sample& reference, const Sample& current, const Args& args) {
  return shares_score(axis, reference, current, args, {}, largest);
}

}  // namespace

constinit const Method l_infinity{.name = "l_infinity",
                                  .summary = "The largest change of the share of a single category",
                                  .reference = "Caveness et al. 2020",
                                  .accepts = kCategorical,
                                  .statistic = "max |p − q|, 0..1",
                                  .params = {},
                                  .run = run};

}  // namespace vigie::drift
