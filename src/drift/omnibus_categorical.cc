// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "drift/omnibus_internal.h"
#include "stats/distributions.h"
#include "stats/hypergeometric.h"

namespace vigie::drift::omnibus_detail {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kFewestExpected = 5;
constexpr double kPearsonWeight = .7, kSingleWeight = .3;

struct Category {
  std::int64_t x, y;  ///< reference and current rows
  std::int64_t pooled() const { return x + y; }
};

struct Pearson {
  double statistic, p_value;
};

/// Pearson's X² on the categories that expect enough rows in the smaller sample and one cell for the rest; law: gamma
/// with the exact mean and variance on fixed margins (Haldane 1940; in the form of Kazi-Aoual et al. 1995, which unlike
/// sums of factorial moments does not cancel in large tables).
Pearson pearson(std::span<const Category> categories, double n, double m) {
  const double total = n + m, share = std::min(n, m) / total;
  double sum = 0, reciprocals = 0, cells = 0, rest_x = 0, rest_pooled = 0;
  const auto add = [&](double x, double pooled) {
    const double excess = x - pooled * (n / total);
    sum += excess * excess / pooled;
    reciprocals += 1 / pooled;
    ++cells;
  };
  for (const Category& c : categories) {
    const double x = static_cast<double>(c.x), pooled = static_cast<double>(c.pooled());
    if (pooled * share < kFewestExpected) {
      rest_x += x;
      rest_pooled += pooled;
    } else {
      add(x, pooled);
    }
  }
  if (rest_pooled > 0) add(rest_x, rest_pooled);
  const double statistic = sum * (total / n) * (total / m);
  if (cells < 2 || total < 4) return {statistic, 1};
  const double mean = total * (cells - 1) / (total - 1);
  // N times the trace of a product of two projections of rank 1 and d, one of them permuted.
  const double d = cells - 1, rows_excess = total * (total + 1) * (1 / n + 1 / m - 3 / total) - 3 * (total - 1),
               cells_excess = total * (total + 1) * (reciprocals - (2 * cells - 1) / total) - (total - 1) * d * (d + 2);
  const double variance =
      total * (2 * total * d * (total - 1 - d) / ((total - 1) * (total - 1) * (total + 1)) +
               rows_excess * cells_excess / ((total + 1) * (total - 1) * (total - 2) * (total - 3)));
  if (!(variance > 1e-12)) return {statistic, 1};
  return {statistic, stats::gamma_sf(statistic, mean * mean / variance, variance / mean)};
}

/// The smallest two-sided hypergeometric p of one category, times the number of categories that could have reached it
/// (Tarone 1990).
double single_category(std::span<const Category> categories, std::int64_t n, std::int64_t m) {
  const double total = static_cast<double>(n + m);
  const auto law = [&](const Category& c) { return stats::Hypergeometric{n + m, c.pooled(), m}; };
  // In the order of a normal score, so that most categories are ruled out by twice their point probability.
  std::vector<std::pair<double, std::size_t>> order(categories.size());
  for (std::size_t i = 0; i < categories.size(); ++i) {
    const double pooled = static_cast<double>(categories[i].pooled());
    const double excess = static_cast<double>(categories[i].y) - pooled * (static_cast<double>(m) / total);
    order[i] = {-excess * excess / (pooled * (1 - pooled / total) + 1e-9), i};
  }
  std::sort(order.begin(), order.end());
  double least = 1;
  for (const auto& [score, i] : order) {
    const stats::Hypergeometric h = law(categories[i]);
    const std::int64_t y = categories[i].y;
    if (2 * h.pmf(y) >= least) continue;
    least = std::min(least, h.two_sided(y));
  }
  double attainable = 0;
  for (const Category& c : categories) {
    const stats::Hypergeometric h = law(c);
    const double smallest = std::min(1.0, 2 * std::min(h.pmf(h.highest()), h.pmf(h.lowest())));
    attainable += smallest <= least * (1 + 1e-9);
  }
  return std::min(1.0, least * std::max(1.0, attainable));
}

}  // namespace

Score categorical(const Sample& reference, const Sample& current) {
  Score score{.statistic = kNan, .p_value = kNan, .components = {}, .note = {}};
  const std::int64_t n = reference.rows(), m = current.rows();
  if (n == 0 || m == 0) return score;
  const std::size_t cells = std::min(reference.counts.size(), current.counts.size());
  std::vector<Category> categories;
  categories.reserve(cells);
  for (std::size_t j = 0; j < cells; ++j) {
    const Category c{reference.counts[j], current.counts[j]};
    if (c.pooled() > 0) categories.push_back(c);
  }
  // A canonical order: sums, and so the last digit, must not depend on how the categories came.
  std::sort(categories.begin(), categories.end(), [](const Category& a, const Category& b) {
    return a.pooled() != b.pooled() ? a.pooled() > b.pooled() : a.x > b.x;
  });
  if (categories.size() == 1) {
    score.status = Status::kConstant;
    score.statistic = 0;
    score.p_value = 1;
    score.null = Null::kExact;
    return score;
  }
  const Pearson x2 = pearson(categories, static_cast<double>(n), static_cast<double>(m));
  const double single = single_category(categories, n, m);
  score.components = {{"pearson", x2.p_value}, {"single_category", single}};
  score.statistic = x2.statistic;
  const bool by_single = single / kSingleWeight < x2.p_value / kPearsonWeight;
  score.p_value = std::min(1.0, by_single ? single / kSingleWeight : x2.p_value / kPearsonWeight);
  score.null = by_single ? Null::kExact : Null::kAsymptotic;
  if (score.p_value < .05) score.note = by_single ? "decided by one category" : "decided by many categories together";
  return score;
}

}  // namespace vigie::drift::omnibus_detail
