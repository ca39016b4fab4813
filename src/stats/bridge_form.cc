// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "stats/distributions.h"
#include "stats/weighted_chi2.h"

namespace vigie::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

BridgeForm::Point BridgeForm::at(double u) const {
  double y = gap_[0], slope = 1, product = 1;
  std::size_t changes = 0;
  for (std::size_t j = 0; j < weight_.size(); ++j) {
    const double damped = 1 + u * damping_[j];
    product *= damped;
    slope -= 2 * u * weight_[j] / damped * y;
    const double next = y + gap_[j + 1] * slope;
    changes += (next < 0) != (y < 0);
    y = next;
  }
  return {product * y, changes};
}

void BridgeForm::determinant(const Nodes& u, Nodes& out) const {
  Nodes y, slope, product;
  y.fill(gap_[0]);
  slope.fill(1);
  product.fill(1);
  for (std::size_t j = 0; j < weight_.size(); ++j) {
    const double w = 2 * weight_[j], q = damping_[j], gap = gap_[j + 1];
    for (std::size_t i = 0; i < kNodes; ++i) {
      const double damped = 1 + u[i] * q;
      product[i] *= damped;
      slope[i] -= w * u[i] / damped * y[i];
      y[i] += gap * slope[i];
    }
  }
  for (std::size_t i = 0; i < kNodes; ++i) out[i] = std::abs(product[i] * y[i]);
}

double BridgeForm::zero(std::size_t j, double limit) {
  if (j >= order_) return kInfinity;
  if (j < zeros_.size()) return zeros_[j] > limit ? kInfinity : zeros_[j];
  while (zeros_.size() <= j) {
    const std::size_t next = zeros_.size();
    if (searched_ >= limit) return kInfinity;
    // Σλ = 1 bounds the zero from below; on fine bins it is at (j+1)(j+2)/2.
    const double order = static_cast<double>(next + 1);
    double low = next == 0 ? 0 : zeros_.back(), high = std::max(order * (order + 1) / 2 * 1.1, low * 1.2);
    Point end = at(high);
    while (end.below <= next) {
      low = high;
      if (low >= limit) {
        searched_ = low;
        return kInfinity;
      }
      high *= 1.7;
      end = at(high);
    }
    zeros_.push_back(refine(next, low, high));
    searched_ = std::max(searched_, zeros_.back());
  }
  return zeros_[j] > limit ? kInfinity : zeros_[j];
}

/// The zero number j, known to lie in [low, high]: bisection on the count until it is alone between two points of
/// known sign, then regula falsi (Illinois).
double BridgeForm::refine(std::size_t j, double low, double high) const {
  double f_low = 0, f_high = 0;
  for (bool low_known = false, high_known = false; !low_known || !high_known;) {
    const double middle = low + (high - low) * (low_known ? .5 : .7);
    if (!(middle > low && middle < high)) return middle;
    const Point p = at(middle);
    if (p.below <= j) {
      low = middle;
      f_low = p.value;
      low_known = p.below == j;
    } else {
      high = middle;
      f_high = p.value;
      high_known = p.below == j + 1;
    }
  }
  double last = high;
  int side = 0;
  for (int i = 0; i < 100; ++i) {
    double u = (low * f_high - high * f_low) / (f_high - f_low);
    if (!(u > low && u < high)) u = (low + high) / 2;
    const Point p = at(u);
    if (p.value == 0 || std::abs(u - last) <= 1e-13 * u) return u;
    last = u;
    if (p.below <= j) {
      low = u;
      f_low = p.value;
      if (side == -1) f_high /= 2;
      side = -1;
    } else {
      high = u;
      f_high = p.value;
      if (side == 1) f_low /= 2;
      side = 1;
    }
  }
  return last;
}

double BridgeForm::sf(double x) {
  if (order_ == 1) return x <= 0 ? 1 : std::erfc(std::sqrt(x / 2));
  const double screen = weighted_chi2_screen(x, 1, sum2_, sum3_);
  return screen >= kExactBelow ? screen : tail(x);
}

double BridgeForm::quantile(double p) {
  double low = 0, high = 1;
  while (sf(high) > p && high < 1e4) {
    low = high;
    high *= 2;
  }
  while (high - low > 1e-9 * high) {
    const double middle = (low + high) / 2;
    (sf(middle) > p ? low : high) = middle;
  }
  return high;
}

}  // namespace vigie::stats
