// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "metric/interval_internal.h"
#include "stats/distributions.h"

namespace vigie::metric {

Interval wilson(double k, double n, double z) {
  if (!(n > 0)) return {};
  const double p = k / n, z2 = z * z / n;
  const double middle = (p + z2 / 2) / (1 + z2), half = z / (1 + z2) * std::sqrt(p * (1 - p) / n + z2 / (4 * n));
  // Rounding must not put the value itself outside.
  return {std::clamp(middle - half, 0.0, p), std::clamp(middle + half, p, 1.0)};
}

Interval share_interval(double value, double variance, double rows) {
  const double spread = value * (1 - value);
  const double n = spread > 0 && variance > 0 ? std::min(spread / variance, rows) : rows;
  return wilson(std::clamp(value, 0.0, 1.0) * n, n);
}

Interval mean_interval(double mean, double variance, std::int64_t n) {
  if (n < 2) return {};
  const double half = stats::student_t_quantile(.975, static_cast<double>(n - 1)) * std::sqrt(std::max(0.0, variance));
  return {mean - half, mean + half};
}

Interval bounded_interval(double mean, double variance, std::int64_t n) {
  if (n < 2) return {};
  return variance > 0 ? mean_interval(mean, variance, n) : share_interval(mean, 0, static_cast<double>(n));
}

Interval affine(Interval interval, double a, double b) {
  return {a * interval.low + b, a * interval.high + b};
}

Interval root(Interval interval) {
  return {std::sqrt(interval.low < 0 ? 0 : interval.low), std::sqrt(interval.high)};
}

Value none(std::string reason, std::int64_t n) {
  Value v;
  v.n = n;
  v.reason = std::move(reason);
  return v;
}

Value some(double value, Interval interval, double baseline, std::int64_t n) {
  constexpr std::int64_t kFew = 30;
  const bool wide = interval.low < interval.high;
  if (wide || (n >= kFew && interval.low == interval.high))
    return {value, interval.low, interval.high, baseline, n, {}};
  return {value,
          kNaN,
          kNaN,
          baseline,
          n,
          n < 2 ? "a single one says nothing of how they vary"
                : "all " + std::to_string(n) + " are alike, which says nothing of how others vary"};
}

Value share(double k, double n, double baseline, std::int64_t rows, std::string_view reason) {
  if (!(n > 0)) return none(std::string(reason), rows);
  return some(k / n, wilson(k, n), baseline, rows);
}

}  // namespace vigie::metric
