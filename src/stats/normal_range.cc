// SPDX-License-Identifier: Apache-2.0
#include "stats/normal_range.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "stats/distributions.h"

namespace vigie::stats {

double normal_range_quantile(double p, std::int64_t k) {
  if (!(p > 0 && p < 1 && k >= 2)) return std::numeric_limits<double>::quiet_NaN();
  const auto n = static_cast<double>(k);
  // From Bonferroni's bound Newton's steps come down, and then stay below the root, for the law is concave there.
  double q = std::numbers::sqrt2 * normal_quantile(1 - (1 - p) / (n * (n - 1)));
  for (int i = 0; i < 20; ++i) {
    constexpr double kStep = .125, kEnd = 7;  // the trapezoidal rule is nearly exact for such integrands
    double below = 0, density = 0;
    for (double z = -kEnd; z <= kEnd + q; z += kStep) {
      const double within = std::max(0., normal_cdf(z) - normal_cdf(z - q)), others = std::pow(within, n - 2);
      below += normal_pdf(z) * others * within;
      density += normal_pdf(z) * normal_pdf(z - q) * others;
    }
    const double by = (n * kStep * below - p) / (n * (n - 1) * kStep * density);
    q -= by;
    if (std::abs(by) < 1e-9) break;
  }
  return q;
}

double normal_range_mean(std::span<const double> sds) {
  if (sds.size() < 2) return 0;
  const double widest = *std::max_element(sds.begin(), sds.end());
  if (!(widest > 0)) return widest;
  // E range = ∫ P(some are below x and some above) dx, which is even in x.
  constexpr int kPoints = 100;
  const double step = 7 * widest / kPoints;
  double sum = 0;
  for (int i = 0; i < kPoints; ++i) {
    const double x = (i + .5) * step;
    double below = 1, above = 1;
    for (const double sd : sds) {
      const double one = sd > 0 ? normal_cdf(x / sd) : 1;
      below *= one, above *= 1 - one;
    }
    sum += 1 - below - above;
  }
  return 2 * step * sum;
}

}  // namespace vigie::stats
