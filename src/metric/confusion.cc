// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <string>
#include <vector>

#include "metric/confusion_internal.h"

namespace vigie::metric {
namespace {

struct Margins {
  std::vector<double> truth, predicted;  // shares
  double n = 0, agreement = 0, chance = 0;
};

Margins margins(std::span<const std::int64_t> matrix, std::size_t k) {
  Margins m{std::vector<double>(k), std::vector<double>(k)};
  for (const std::int64_t rows : matrix) m.n += static_cast<double>(rows);
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t j = 0; j < k; ++j) {
      const double share = static_cast<double>(matrix[i * k + j]) / m.n;
      m.truth[i] += share;
      m.predicted[j] += share;
      if (i == j) m.agreement += share;
    }
  }
  for (std::size_t i = 0; i < k; ++i) m.chance += m.truth[i] * m.predicted[i];
  return m;
}

/// Variance of an estimate that a row of cell (i, j) moves by influence(i, j) / n.
template <class F>
double variance_of(std::span<const std::int64_t> matrix, std::size_t k, double n, F influence) {
  double sum = 0;
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t j = 0; j < k; ++j) {
      const auto rows = static_cast<double>(matrix[i * k + j]);
      if (rows > 0) sum += rows * std::pow(influence(i, j), 2);
    }
  }
  return sum / (n * n);
}

}  // namespace

Estimate kappa_of(std::span<const std::int64_t> matrix, std::size_t k) {
  const Margins m = margins(matrix, k);
  const double room = 1 - m.chance;
  if (!(m.n > 0) || room <= 1e-12) return {};
  const auto influence = [&](std::size_t i, std::size_t j) {
    const double chance = m.predicted[i] + m.truth[j] - 2 * m.chance, agreement = (i == j) - m.agreement;
    return (agreement * room - (1 - m.agreement) * chance) / (room * room);
  };
  return {(m.agreement - m.chance) / room, variance_of(matrix, k, m.n, influence)};
}

Estimate mcc_of(std::span<const std::int64_t> matrix, std::size_t k) {
  const Margins m = margins(matrix, k);
  double truth = 0, predicted = 0;
  for (std::size_t i = 0; i < k; ++i) truth += m.truth[i] * m.truth[i], predicted += m.predicted[i] * m.predicted[i];
  const double a = 1 - truth, b = 1 - predicted;
  if (!(m.n > 0) || a <= 1e-12 || b <= 1e-12) return {};
  const double value = (m.agreement - m.chance) / std::sqrt(a * b);
  const auto influence = [&](std::size_t i, std::size_t j) {
    const double over = (i == j) - m.agreement - (m.predicted[i] + m.truth[j] - 2 * m.chance);
    const double da = -2 * (m.truth[i] - truth), db = -2 * (m.predicted[j] - predicted);
    return over / std::sqrt(a * b) - value / 2 * (da / a + db / b);
  };
  return {value, variance_of(matrix, k, m.n, influence)};
}

Value coefficient(Estimate estimate, std::int64_t n, std::string_view reason) {
  if (std::isnan(estimate.value)) return none(std::string(reason), n);
  // A coefficient can be known better than a share of as many rows; where no variance shows, n rows stand behind it.
  const bool inside = std::abs(estimate.value) < 1 && estimate.variance > 0;
  const double rows = static_cast<double>(n) * (inside ? 4 : 1);
  const Interval unit = share_interval((estimate.value + 1) / 2, estimate.variance / 4, rows);
  return some(estimate.value, affine(unit, 2, -1), 0, n);
}

}  // namespace vigie::metric
