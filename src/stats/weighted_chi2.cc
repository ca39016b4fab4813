// SPDX-License-Identifier: Apache-2.0
#include "stats/weighted_chi2.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

#include "stats/distributions.h"

namespace vigie::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

double QuadraticForm::tail(double x) {
  if (std::isnan(x)) return x;
  if (x <= 0) return 1;
  const double first = zero(0, kInfinity);
  double sum = 0, sign = 1;
  for (std::size_t j = 0; j < 60; j += 2, sign = -sign) {
    // Every pair of zeros weighs about exp(−Ux); what lies 23/x behind the first pair is below 1e-10 of it.
    const double a = j == 0 ? first : zero(j, first + 23 / x);
    if (std::isinf(a)) break;
    const double b = zero(j + 1, a + 40 / x);
    const double term = std::isinf(b) ? beyond(a, x) : between(a, b, x);
    sum += sign * term;
    if (term <= 1e-7 * sum) break;
  }
  return std::clamp(sum, 0.0, 1.0);
}

/// Gauss–Chebyshev on [a, b]: the weight 1/√((u−a)(b−u)) of the two zeros is that of the rule.
double QuadraticForm::between(double a, double b, double x) const {
  static const Nodes cosines = [] {
    Nodes c{};
    for (std::size_t i = 0; i < kNodes; ++i) c[i] = std::cos((static_cast<double>(i) + .5) * std::numbers::pi / kNodes);
    return c;
  }();
  // Two zeros that nearly coincide leave no digits of D between them; the rest of D varies slowly there.
  const double width = std::max(b - a, 1e-5 * a);
  Nodes u, d;
  for (std::size_t i = 0; i < kNodes; ++i) u[i] = (a + b) / 2 + width / 2 * cosines[i];
  determinant(u, d);
  double sum = 0;
  for (std::size_t i = 0; i < kNodes; ++i) {
    const double rest = d[i] / (std::abs(1 - u[i] / a) * std::abs(1 - u[i] / b));
    sum += std::exp(-(u[i] - a) * x) / (u[i] * std::sqrt(rest));
  }
  return std::exp(-a * x) * std::sqrt(a * b) * sum / kNodes;
}

/// u = a + t²/x on [a, ∞) where the next zero is too far to be seen: a smooth function times exp(−t²), trapezoid.
double QuadraticForm::beyond(double a, double x) const {
  constexpr double kStep = 6.0 / (2 * kNodes);
  double sum = 0;
  for (std::size_t half = 0; half < 2; ++half) {
    Nodes u, d, t;
    for (std::size_t i = 0; i < kNodes; ++i) {
      t[i] = (static_cast<double>(half * kNodes + i) + .5) * kStep;
      u[i] = a + t[i] * t[i] / x;
    }
    determinant(u, d);
    for (std::size_t i = 0; i < kNodes; ++i) {
      sum += std::exp(-t[i] * t[i]) / (u[i] * std::sqrt(d[i] / (u[i] / a - 1)));
    }
  }
  return std::exp(-a * x) * 2 / std::numbers::pi * std::sqrt(a / x) * sum * kStep;
}

WeightedChi2::WeightedChi2(std::span<const double> weights) : weights_(weights.begin(), weights.end()) {
  std::sort(weights_.begin(), weights_.end(), std::greater<>());
  while (!weights_.empty() && !(weights_.back() > 1e-9 * weights_.front())) weights_.pop_back();
}

void WeightedChi2::determinant(const Nodes& u, Nodes& out) const {
  out.fill(1);
  for (const double w : weights_) {
    for (std::size_t i = 0; i < kNodes; ++i) out[i] *= 1 - 2 * w * u[i];
  }
  for (double& d : out) d = std::abs(d);
}

double WeightedChi2::zero(std::size_t j, double limit) {
  if (j >= weights_.size()) return kInfinity;
  const double u = .5 / weights_[j];
  return u > limit ? kInfinity : u;
}

double weighted_chi2_screen(double x, double sum1, double sum2, double sum3) {
  const double shape = sum2 * sum2 * sum2 / (2 * sum3 * sum3);
  const double z = (x - sum1) / std::sqrt(2 * sum2);
  const double g = shape + z * std::sqrt(shape);
  return g <= 0 ? 1 : gamma_sf(g, shape, 1);
}

}  // namespace vigie::stats
