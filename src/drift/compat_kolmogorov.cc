// SPDX-License-Identifier: Apache-2.0
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <numbers>

#include "drift/compat_internal.h"
#include "stats/distributions.h"

/// P(Dₙ ≥ d) of one sample as scipy has it: Marsaglia, Tsang & Wang 2003, Pelz & Good 1976, and Smirnov's one-sided law
/// twice, each where Simard & L'Ecuyer 2011 choose it.
namespace vigie::drift {
namespace {

constexpr double kPi = std::numbers::pi;

double twice_one_sided(std::int64_t n, double d) {
  const auto rows = static_cast<double>(n);
  const auto last = static_cast<std::int64_t>(std::floor(rows * (1 - d)));
  double sum = 0;
  for (std::int64_t j = 0; j <= last; ++j) {
    const double up = d + static_cast<double>(j) / rows, down = 1 - up;
    if (!(down > 0)) continue;
    sum += std::exp(stats::log_factorial(n) - stats::log_factorial(j) - stats::log_factorial(n - j) +
                    static_cast<double>(j - 1) * std::log(up) + static_cast<double>(n - j) * std::log(down));
  }
  return std::min(1.0, 2 * d * sum);
}

double matrix_cdf(std::int64_t n, double d) {
  const auto rows = static_cast<double>(n);
  const int k = static_cast<int>(std::ceil(rows * d)), m = 2 * k - 1;
  const double h = k - rows * d;
  Eigen::MatrixXd step = Eigen::MatrixXd::Zero(m, m), power = Eigen::MatrixXd::Identity(m, m);
  double factor = 1;
  for (int j = 1; j <= m; ++j) {
    for (int i = 1; i + j - 2 < m && i < m; ++i) step(i + j - 2, i) = factor;
    factor /= j;
    step(j - 1, 0) = (1 - std::pow(h, j)) * factor;
  }
  step(m - 1, 0) = (1 + std::pow(std::max(2 * h - 1, 0.0), m) - 2 * std::pow(h, m)) * factor;
  for (int j = 0; j < m; ++j) step(m - 1, j) = step(m - 1 - j, 0);
  int exponent = 0, of_step = 0;
  for (auto left = n; left > 0; left /= 2) {
    if (left % 2) power = power * step, exponent += of_step;
    step = step * step;
    of_step *= 2;
    if (std::abs(step(k - 1, k - 1)) > 0x1p128) step *= 0x1p-128, of_step += 128;
  }
  double p = power(k - 1, k - 1);
  for (std::int64_t i = 1; i <= n; ++i) {
    p = static_cast<double>(i) * p / rows;
    if (std::abs(p) < 0x1p-128) p *= 0x1p128, exponent -= 128;
  }
  return std::ldexp(p, exponent);
}

double pelz_good_cdf(std::int64_t n, double d) {
  const auto rows = static_cast<double>(n);
  const double z = std::sqrt(rows) * d, z2 = z * z, z4 = z2 * z2, z6 = z4 * z2, pi2 = kPi * kPi, pi4 = pi2 * pi2,
               pi6 = pi4 * pi2, root = std::sqrt(2 * kPi);
  if (-pi2 / 8 / z2 < -708) return 0;
  const double q = std::exp(-pi2 / 8 / z2), q2 = std::exp(-pi2 / 2 / z2);
  double k0 = 0, k1 = 0, k2 = 0, k3 = 0, extra2 = 0, extra3 = 0;
  for (int k = static_cast<int>(std::ceil(16 * z / kPi)); k > 0; --k) {
    const double m = 2 * k - 1, m2 = m * m, m4 = m2 * m2, m6 = m4 * m2, weight = std::pow(q, m2);
    k0 += weight;
    k1 += weight * (-z2 + pi2 / 4 * m2);
    k2 += weight * (6 * z6 + 2 * z4 + (2 * z4 - 5 * z2) * pi2 / 4 * m2 + pi4 * (1 - 2 * z2) / 16 * m4);
    k3 += weight * (-30 * z6 - 90 * z4 * z4 + pi2 * (135 * z4 - 96 * z6) / 4 * m2 +
                    pi4 * (-60 * z2 + 212 * z4) / 16 * m4 + pi6 * (5 - 30 * z2) / 64 * m6);
    const double kk = k, other = std::pow(q2, kk * kk);
    extra2 += kk * kk * other;
    extra3 += (3 * z2 - pi2 * kk * kk) * kk * kk * other;
  }
  k0 *= root / z;
  k1 *= root / (6 * z4);
  k2 = k2 * root / (72 * z6 * z) + extra2 * pi2 * root / (-36 * z2 * z);
  k3 = k3 * root / (6480 * z6 * z4) + extra3 * pi2 * root / (216 * z6);
  return k0 + k1 / std::sqrt(rows) + k2 / rows + k3 / std::pow(rows, 1.5);
}

}  // namespace

double kolmogorov_exact_sf(std::int64_t n, double d) {
  const auto rows = static_cast<double>(n);
  const double t = rows * d, square = t * d;
  if (n < 1 || std::isnan(d)) return std::nan("");
  if (d >= 1) return 0;
  if (t <= .5) return 1;
  if (d >= .5 || t >= rows - 1 || square > (n <= 140 ? 4 : 2.2))
    return square >= 370 && n > 140 ? 0 : twice_one_sided(n, d);
  const bool small = n <= 140 || (n <= 100'000 && rows * std::pow(d, 1.5) <= 1.4);
  return std::clamp(1 - (small ? matrix_cdf(n, d) : pelz_good_cdf(n, d)), 0.0, 1.0);
}

}  // namespace vigie::drift
