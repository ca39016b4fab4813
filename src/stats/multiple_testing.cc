// SPDX-License-Identifier: Apache-2.0
#include "stats/multiple_testing.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace vigie::stats {

std::vector<double> benjamini_hochberg(std::span<const double> p) {
  std::vector<double> adjusted(p.begin(), p.end());
  std::vector<std::size_t> order;
  order.reserve(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!std::isnan(p[i])) order.push_back(i);
  }
  std::ranges::sort(order, {}, [&](std::size_t i) { return p[i]; });
  const double family = static_cast<double>(order.size());
  double least = 1;
  for (std::size_t rank = order.size(); rank > 0; --rank) {
    const std::size_t i = order[rank - 1];
    // The factor is at least 1, but its product may round to just below p.
    least = std::min(least, std::max(p[i], p[i] * (family / static_cast<double>(rank))));
    adjusted[i] = least;
  }
  return adjusted;
}

}  // namespace vigie::stats
