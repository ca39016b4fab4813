// SPDX-License-Identifier: Apache-2.0
#include "stats/hypergeometric.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "stats/distributions.h"

namespace vigie::stats {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t kGuides = 4096;

/// ln n! − ln(√(2πn) (n/e)ⁿ).
double stirling_error(std::int64_t n) {
  static const std::array<double, 16> table = [] {
    std::array<double, 16> t{};
    for (int i = 1; i < 16; ++i) {
      const double x = i;
      t[static_cast<std::size_t>(i)] =
          log_factorial(i) - ((x + .5) * std::log(x) - x + std::log(2 * std::numbers::pi) / 2);
    }
    return t;
  }();
  if (n < 16) return table[static_cast<std::size_t>(n)];
  const double i = 1 / static_cast<double>(n), s = i * i;
  return i * (1.0 / 12 - s * (1.0 / 360 - s * (1.0 / 1260 - s * (1.0 / 1680 - s / 1188))));
}

/// x ln(x/m) + m − x without cancellation for x near m.
double deviance(double x, double m) {
  const double d = x - m;
  if (std::abs(d) < .1 * (x + m)) {
    const double v = d / (x + m), vv = v * v;
    double sum = d * v, power = 2 * x * v;
    for (int j = 1; j < 1000; ++j) {
      power *= vv;
      const double next = sum + power / (2 * j + 1);
      if (next == sum) break;
      sum = next;
    }
    return sum;
  }
  return x * std::log(x / m) + m - x;
}

/// ln of the binomial probability of k in n, where p + q = 1.
double log_binomial(std::int64_t k, std::int64_t n, double p, double q) {
  const double kn = static_cast<double>(k), nn = static_cast<double>(n);
  if (k == 0) return n == 0 ? 0 : (p < .1 ? -deviance(nn, nn * q) - nn * p : nn * std::log(q));
  if (k == n) return q < .1 ? -deviance(nn, nn * p) - nn * q : nn * std::log(p);
  const double c =
      stirling_error(n) - stirling_error(k) - stirling_error(n - k) - deviance(kn, nn * p) - deviance(nn - kn, nn * q);
  return c - (std::log(2 * std::numbers::pi) + std::log(kn) + std::log1p(-kn / nn)) / 2;
}

bool valid(const Hypergeometric& h) {
  return h.total >= 0 && h.marked >= 0 && h.drawn >= 0 && h.marked <= h.total && h.drawn <= h.total;
}

}  // namespace

std::int64_t Hypergeometric::lowest() const {
  return std::max<std::int64_t>(0, drawn - (total - marked));
}
std::int64_t Hypergeometric::highest() const {
  return std::min(marked, drawn);
}

double Hypergeometric::mean() const {
  return total == 0 ? 0 : static_cast<double>(marked) * (static_cast<double>(drawn) / static_cast<double>(total));
}

double Hypergeometric::variance() const {
  if (total < 2) return 0;
  const double t = static_cast<double>(total);
  return mean() * (static_cast<double>(total - marked) / t) * (static_cast<double>(total - drawn) / (t - 1));
}

double Hypergeometric::log_pmf(std::int64_t k) const {
  if (!valid(*this)) return kNan;
  if (k < lowest() || k > highest()) return -kInfinity;
  if (drawn == 0 || drawn == total || marked == 0 || marked == total) return 0;
  const double p = static_cast<double>(drawn) / static_cast<double>(total);
  const double q = static_cast<double>(total - drawn) / static_cast<double>(total);
  return log_binomial(k, marked, p, q) + log_binomial(drawn - k, total - marked, p, q) -
         log_binomial(drawn, total, p, q);
}

double Hypergeometric::pmf(std::int64_t k) const {
  return std::exp(log_pmf(k));
}

double Hypergeometric::upper(std::int64_t k) const {
  if (!valid(*this)) return kNan;
  if (k <= lowest()) return 1;
  if (k > highest()) return 0;
  if (static_cast<double>(k) < mean()) return 1 - lower(k - 1);
  double sum = 1, term = 1;
  for (std::int64_t i = k; i < highest() && term > 1e-17 * sum; ++i) {
    term *= static_cast<double>(marked - i) / static_cast<double>(i + 1) *
            (static_cast<double>(drawn - i) / static_cast<double>(total - marked - drawn + i + 1));
    sum += term;
  }
  return std::min(1.0, std::exp(log_pmf(k)) * sum);
}

double Hypergeometric::lower(std::int64_t k) const {
  if (!valid(*this)) return kNan;
  if (k < lowest()) return 0;
  if (k >= highest()) return 1;
  if (static_cast<double>(k) > mean()) return 1 - upper(k + 1);
  double sum = 1, term = 1;
  for (std::int64_t i = k; i > lowest() && term > 1e-17 * sum; --i) {
    term *= static_cast<double>(i) / static_cast<double>(marked - i + 1) *
            (static_cast<double>(total - marked - drawn + i) / static_cast<double>(drawn - i + 1));
    sum += term;
  }
  return std::min(1.0, std::exp(log_pmf(k)) * sum);
}

double Hypergeometric::two_sided(std::int64_t k) const {
  return std::min(1.0, 2 * std::min(upper(k), lower(k)));
}

double Hypergeometric::two_sided_mid(std::int64_t k) const {
  return std::min(1.0, std::max(0.0, 2 * std::min(upper(k), lower(k)) - pmf(k)));
}

MultivariateHypergeometric::MultivariateHypergeometric(std::span<const std::int64_t> cells, std::int64_t drawn)
    : cells_(cells), drawn_(drawn) {
  std::int64_t total = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    total += cells[i];
    if (cells[i] > cells[largest_]) largest_ = i;
  }
  cumulative_.reserve(cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i != largest_) rest_ += cells[i];
    cumulative_.push_back(rest_);
  }
  while (rest_ >> shift_ >= kGuides) ++shift_;
  for (std::size_t cell = 0; std::ssize(guide_) << shift_ < rest_;) {
    if (cumulative_[cell] <= std::ssize(guide_) << shift_)
      ++cell;
    else
      guide_.push_back(static_cast<std::uint32_t>(cell));
  }
  const Hypergeometric outside{total, rest_, drawn};
  const double spread = 10 * std::sqrt(outside.variance()) + 30;
  first_ = std::max(outside.lowest(), static_cast<std::int64_t>(outside.mean() - spread));
  const std::int64_t last = std::min(outside.highest(), static_cast<std::int64_t>(outside.mean() + spread));
  double sum = 0;
  for (std::int64_t k = first_; k <= last; ++k) cdf_.push_back(sum += outside.pmf(k));
}

void MultivariateHypergeometric::operator()(Rng& rng, std::span<std::int64_t> out) const {
  std::fill(out.begin(), out.end(), 0);
  if (cells_.empty()) return;
  const auto at = std::upper_bound(cdf_.begin(), cdf_.end() - 1, rng.uniform() * cdf_.back());
  const std::int64_t outside = first_ + (at - cdf_.begin());
  out[largest_] = drawn_ - outside;
  // Rows one by one: a cell in proportion to its size, kept in proportion to what is left of it. Of a large share the
  // rows that stay behind are drawn instead, so that at least half of all tries are kept.
  const bool inverted = outside > rest_ - outside;
  for (std::int64_t left = inverted ? rest_ - outside : outside; left > 0;) {
    const auto row = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(rest_)));
    std::size_t cell = guide_[static_cast<std::size_t>(row >> shift_)];
    while (cumulative_[cell] <= row) ++cell;
    // `row` is uniform within its cell: one that ranks below the number already taken stands for a taken row.
    if (cumulative_[cell] - row <= out[cell]) continue;
    ++out[cell];
    --left;
  }
  if (inverted) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (i != largest_) out[i] = cells_[i] - out[i];
    }
  }
}

}  // namespace vigie::stats
