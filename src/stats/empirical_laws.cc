// SPDX-License-Identifier: Apache-2.0
#include "stats/empirical_laws.h"

#include <algorithm>
#include <boost/math/special_functions/bessel.hpp>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>
#include <vector>

#include "stats/weighted_chi2.h"

namespace vigie::stats {
namespace {

constexpr double kPi = std::numbers::pi;

/// ∫B² = Σ Z_j²/(jπ)², so that the determinant is that of a vibrating string.
class BridgeSquared final : public QuadraticForm {
 protected:
  void determinant(const Nodes& u, Nodes& out) const override {
    for (std::size_t i = 0; i < kNodes; ++i) {
      const double r = std::sqrt(2 * u[i]);
      out[i] = std::abs(std::sin(r) / r);
    }
  }
  double zero(std::size_t j, double limit) override {
    const double r = kPi * static_cast<double>(j + 1), u = r * r / 2;
    return u > limit ? std::numeric_limits<double>::infinity() : u;
  }
};

}  // namespace

double kolmogorov_sf(double x) {
  if (std::isnan(x)) return x;
  if (x < .2) return 1;
  if (x < 1.18) {
    double sum = 0;
    for (int j = 1; j <= 9; j += 2) sum += std::exp(-j * j * kPi * kPi / (8 * x * x));
    return 1 - std::sqrt(2 * kPi) / x * sum;
  }
  double sum = 0;
  for (int j = 1; j <= 5; ++j) sum += (j % 2 == 1 ? 2 : -2) * std::exp(-2 * j * j * x * x);
  return sum;
}

double kuiper_sf(double x) {
  if (std::isnan(x)) return x;
  if (x < .4) return 1;
  double sum = 0;
  for (int j = 1; j <= 20; ++j) {
    const double a = 2 * j * j * x * x, term = 2 * (2 * a - 1) * std::exp(-a);
    sum += term;
    if (std::abs(term) < 1e-17 * std::abs(sum)) break;
  }
  return std::clamp(sum, 0.0, 1.0);
}

double cramer_von_mises_sf(double x) {
  if (std::isnan(x)) return x;
  if (x < .003) return 1;
  if (x > .25) return BridgeSquared().tail(x);
  double sum = 0, coefficient = 1;  // Γ(k+½)/(Γ(½) k!)
  for (int k = 0; k < 20; ++k) {
    const double q = 4 * k + 1, u = q * q / (16 * x);
    const double term = u > 300 ? 0 : coefficient * std::sqrt(q) * std::exp(-u) * boost::math::cyl_bessel_k(.25, u);
    sum += term;
    if (term < 1e-17 * sum || term == 0) break;
    coefficient *= (k + .5) / (k + 1);
  }
  return std::clamp(1 - sum / (kPi * std::sqrt(x)), 0.0, 1.0);
}

double smirnov_sf(std::int64_t n, std::int64_t m, std::int64_t steps) {
  if (n <= 0 || m <= 0) return std::nan("");
  if (steps <= 0) return 1;
  if (n < m) std::swap(n, m);
  const double nn = static_cast<double>(n), mm = static_cast<double>(m);
  const double x = static_cast<double>(steps) / std::sqrt(nn * mm * (nn + mm));
  if (nn * mm > 1e6 && x > 6) return kolmogorov_sf(x);
  // Forward along the grid: v[j] is the chance to come to (i, j) inside the band; what steps out is summed as it goes,
  // so that nothing cancels.
  std::vector<double> v(static_cast<std::size_t>(m) + 1, 0), inverse(static_cast<std::size_t>(n + m) + 1, 0);
  for (std::size_t r = 1; r < inverse.size(); ++r) inverse[r] = 1 / static_cast<double>(r);
  const auto at = [](std::int64_t j) { return static_cast<std::size_t>(j); };
  double outside = 0;
  std::int64_t low = 0, high = -1;
  for (std::int64_t i = 0; i <= n; ++i) {
    const std::int64_t centre = i * m;
    const std::int64_t first = centre < steps ? 0 : (centre - steps) / n + 1;
    const std::int64_t last = std::min(m, (centre + steps - 1) / n);
    const double stay = static_cast<double>(n - i + 1);
    for (std::int64_t j = low; j < std::min(first, high + 1); ++j) {
      outside += v[at(j)] * stay * inverse[at(n + m - i + 1 - j)];
    }
    for (std::int64_t j = high + 1; j <= last; ++j) v[at(j)] = 0;
    double before = 0;
    for (std::int64_t j = first; j <= last; ++j) {
      double here = i == 0 ? (j == 0 ? 1 : 0) : v[at(j)] * stay * inverse[at(n + m - i + 1 - j)];
      here += before;
      v[at(j)] = here;
      before = here * static_cast<double>(m - j) * inverse[at(n + m - i - j)];
    }
    if (last >= first && last < m) outside += before;
    low = first;
    high = last;
  }
  return std::min(1.0, outside);
}

double cramer_von_mises_exact(std::int64_t n, std::int64_t m, std::int64_t s) {
  if (n <= 0 || m <= 0) return std::nan("");
  if (s <= 0) return 1;
  const std::int64_t g = std::gcd(n, m), dn = n / g, dm = m / g;
  const std::int64_t enough = (s + g * g - 1) / (g * g);
  using List = std::vector<std::pair<std::int64_t, double>>;  // sum so far, chance; ascending
  std::vector<List> lists(static_cast<std::size_t>(m) + 1);
  double reached = 0;
  for (std::int64_t i = 0; i <= n; ++i) {
    for (std::int64_t j = 0; j <= m; ++j) {
      List& from_left = lists[static_cast<std::size_t>(j)];  // holds (i−1, j)
      List here;
      const double left = static_cast<double>(n + m - i - j + 1);
      const double px = i == 0 ? 0 : static_cast<double>(n - i + 1) / left, py = static_cast<double>(m - j + 1) / left;
      const std::int64_t apart = i * dm - j * dn, square = apart * apart;
      if (i == 0 && j == 0) {
        here.push_back({0, 1});
      } else {
        static const List kNothing;
        const List& a = i == 0 ? kNothing : from_left;
        const List& b = j == 0 ? kNothing : lists[static_cast<std::size_t>(j - 1)];
        here.reserve(a.size() + b.size());
        for (std::size_t p = 0, q = 0; p < a.size() || q < b.size();) {
          std::int64_t sum = 0;
          double chance = 0;
          const bool take_a = q == b.size() || (p < a.size() && a[p].first <= b[q].first);
          const bool take_b = p == a.size() || (q < b.size() && b[q].first <= a[p].first);
          if (take_b) sum = b[q].first, chance += b[q++].second * py;
          if (take_a) sum = a[p].first, chance += a[p++].second * px;
          if (sum + square >= enough) {
            reached += chance;
          } else {
            here.push_back({sum + square, chance});
          }
        }
      }
      from_left = std::move(here);
    }
  }
  return std::min(1.0, reached);
}

double mann_whitney_cdf(std::int64_t n, std::int64_t m, std::int64_t u) {
  if (n <= 0 || m <= 0) return std::nan("");
  if (u < 0) return 0;
  if (n < m) std::swap(n, m);
  if (2 * u >= n * m) return u >= n * m ? 1 : 1 - mann_whitney_cdf(n, m, n * m - u - 1);
  // Coefficients of the Gaussian binomial Π (1 − q^(n+i))/(1 − q^i), each divided by its sum on the way.
  std::vector<double> ways(static_cast<std::size_t>(u) + 1, 0);
  ways[0] = 1;
  for (std::int64_t i = 1; i <= m; ++i) {
    const auto rise = static_cast<std::size_t>(n + i), period = static_cast<std::size_t>(i);
    const double scale = static_cast<double>(i) / static_cast<double>(n + i);
    for (std::size_t k = ways.size(); k-- > rise;) ways[k] -= ways[k - rise];
    for (std::size_t k = period; k < ways.size(); ++k) ways[k] += ways[k - period];
    for (double& w : ways) w *= scale;
  }
  double sum = 0;
  for (const double w : ways) sum += w;
  return std::min(1.0, sum);
}

}  // namespace vigie::stats
