// SPDX-License-Identifier: Apache-2.0
#include "stats/distributions.h"

#include <array>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <limits>
#include <numbers>

namespace vigie::stats {
namespace {

namespace bp = boost::math::policies;
using Quiet = bp::policy<bp::domain_error<bp::ignore_error>, bp::pole_error<bp::ignore_error>,
                         bp::overflow_error<bp::ignore_error>, bp::underflow_error<bp::ignore_error>,
                         bp::denorm_error<bp::ignore_error>, bp::rounding_error<bp::ignore_error>,
                         bp::evaluation_error<bp::ignore_error>, bp::indeterminate_result_error<bp::ignore_error>,
                         bp::promote_double<false>, bp::promote_float<false>>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

const std::array<double, 256>& small_log_factorials() {
  static const std::array<double, 256> table = [] {
    std::array<double, 256> t{};
    long double sum = 0;
    for (std::size_t i = 2; i < t.size(); ++i) {
      sum += std::log(static_cast<long double>(i));
      t[i] = static_cast<double>(sum);
    }
    return t;
  }();
  return table;
}

}  // namespace

double normal_pdf(double x) {
  return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
}
double normal_cdf(double x) {
  return std::erfc(-x / std::numbers::sqrt2) / 2;
}
double normal_sf(double x) {
  return std::erfc(x / std::numbers::sqrt2) / 2;
}

double normal_quantile(double p) {
  if (!(p >= 0 && p <= 1)) return kNan;
  if (p == 0) return -kInfinity;
  if (p == 1) return kInfinity;
  return -std::numbers::sqrt2 * boost::math::erfc_inv(2 * p, Quiet());
}

double gamma_sf(double x, double shape, double scale) {
  if (std::isnan(x) || !(shape > 0 && scale > 0) || std::isinf(shape) || std::isinf(scale)) return kNan;
  if (x <= 0) return 1;
  if (std::isinf(x)) return 0;
  return boost::math::gamma_q(shape, x / scale, Quiet());
}

double chi2_sf(double x, double df) {
  return gamma_sf(x, df / 2, 2);
}

double chi2_isf(double p, double df) {
  if (!(p >= 0 && p <= 1 && df > 0) || std::isinf(df)) return kNan;
  if (p == 0) return kInfinity;
  if (p == 1) return 0;
  return 2 * boost::math::gamma_q_inv(df / 2, p, Quiet());
}

double chi2_noncentrality(double critical, double df, double power) {
  if (!(critical >= 0 && df > 0 && power > 0 && power < 1)) return kNan;
  const auto attained = [&](double lambda) {
    const double a = df + lambda, b = df + 2 * lambda, c = df + 3 * lambda;
    const double h = 1 - 2 * a * c / (3 * b * b), p = b / (a * a), m = (h - 1) * (1 - 3 * h);
    const double mean = 1 + h * p * (h - 1 - (2 - h) * m * p / 2);
    const double sd = h * std::sqrt(2 * p) * (1 + m * p / 2);
    return normal_sf((std::pow(critical / a, h) - mean) / sd);
  };
  if (attained(0) >= power) return 0;
  double low = 0, high = critical + 10;
  while (attained(high) < power && high < 1e300) high *= 2;
  for (int i = 0; i < 60 && high - low > 1e-10 * high; ++i) {
    const double middle = (low + high) / 2;
    (attained(middle) < power ? low : high) = middle;
  }
  return (low + high) / 2;
}

double student_t_sf(double x, double nu) {
  if (std::isnan(x) || !(nu > 0)) return kNan;
  if (std::isinf(nu)) return normal_sf(x);
  if (std::isinf(x)) return x > 0 ? 0 : 1;
  return boost::math::cdf(boost::math::complement(boost::math::students_t_distribution<double, Quiet>(nu), x));
}

double student_t_quantile(double p, double nu) {
  if (!(p >= 0 && p <= 1 && nu > 0)) return kNan;
  if (p == 0) return -kInfinity;
  if (p == 1) return kInfinity;
  if (std::isinf(nu)) return normal_quantile(p);
  return boost::math::quantile(boost::math::students_t_distribution<double, Quiet>(nu), p);
}

double log_factorial(std::int64_t n) {
  if (n < 0) return kNan;
  const auto& table = small_log_factorials();
  if (n < static_cast<std::int64_t>(table.size())) return table[static_cast<std::size_t>(n)];
  const double x = static_cast<double>(n), i = 1 / x;
  const double series = i * (1.0 / 12 - i * i * (1.0 / 360 - i * i * (1.0 / 1260)));
  return (x + .5) * std::log(x) - x + std::log(2 * std::numbers::pi) / 2 + series;
}

}  // namespace vigie::stats
