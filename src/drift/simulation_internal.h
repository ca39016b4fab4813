// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <vector>

#include "base/rng.h"
#include "drift/drift.h"

/// Pairs of samples as the tests of the drift methods need them: with and without drift, counted on cells that only
/// the reference has chosen. Seeded; for tests and benches only.
namespace vigie::drift::simulation {

using Counts = std::vector<std::int64_t>;

struct Pair {
  Kind kind = kNumeric;
  bool lattice = false;
  std::vector<double> cuts, centers;
  double sd = 1;
  Counts reference, current;
  std::vector<double> reference_values, current_values;  ///< sorted, where they are kept
  double beyond = 0;                                     ///< of the current rows, as in Sample
  std::vector<float> reference_rows, current_rows;       ///< of vectors
  std::size_t width = 0;

  Axis axis() const { return {kind, cuts, centers, sd, lattice}; }
  Sample reference_sample() const { return {reference, reference_values, 0, vectors(reference_rows)}; }
  Sample current_sample() const { return {current, current_values, beyond, vectors(current_rows)}; }
  Vectors vectors(std::span<const float> rows) const {
    return {rows, width, width == 0 ? 0 : static_cast<std::int64_t>(rows.size() / width)};
  }
};

/// Rows of vectors, filled one by one.
inline Pair vectors(std::int64_t n, std::int64_t m, std::size_t width,
                    const std::function<void(std::span<float> row, bool current)>& draw) {
  Pair pair;
  pair.kind = kVectors;
  pair.width = width;
  pair.reference_rows.resize(static_cast<std::size_t>(n) * width);
  pair.current_rows.resize(static_cast<std::size_t>(m) * width);
  for (auto* rows : {&pair.reference_rows, &pair.current_rows})
    for (std::size_t at = 0; at < rows->size(); at += width)
      draw(std::span(*rows).subspan(at, width), rows == &pair.current_rows);
  return pair;
}

/// Rows of a multinomial, by conditional binomials or, when few, one by one.
inline Counts multinomial(Rng& rng, std::span<const double> shares, std::int64_t rows) {
  Counts out(shares.size(), 0);
  if (rows < static_cast<std::int64_t>(4 * shares.size())) {
    std::vector<double> cumulative(shares.size());
    double sum = 0;
    for (std::size_t i = 0; i < shares.size(); ++i) cumulative[i] = sum += shares[i];
    for (std::int64_t r = 0; r < rows; ++r) {
      const auto at = std::upper_bound(cumulative.begin(), cumulative.end() - 1, rng.uniform() * sum);
      ++out[static_cast<std::size_t>(at - cumulative.begin())];
    }
    return out;
  }
  double left = 0;
  for (const double p : shares) left += p;
  for (std::size_t i = 0; i < shares.size() && rows > 0; ++i) {
    const double p = i + 1 == shares.size() ? 1 : std::clamp(shares[i] / left, 0.0, 1.0);
    out[i] = p >= 1 ? rows : std::binomial_distribution<std::int64_t>(rows, p)(rng);
    rows -= out[i];
    left = std::max(left - shares[i], 1e-300);
  }
  return out;
}

/// Dirichlet shares; alpha 0 gives share 0.
inline std::vector<double> dirichlet(Rng& rng, std::span<const double> alpha) {
  std::vector<double> out(alpha.size());
  double sum = 0;
  for (std::size_t i = 0; i < alpha.size(); ++i) {
    out[i] = alpha[i] > 0 ? std::gamma_distribution<double>(alpha[i])(rng) : 0;
    sum += out[i];
  }
  for (double& p : out) p /= sum;
  return out;
}

/// Cuts and centers for `cells` cells without meaning of their own.
inline void plain_axis(Pair& pair, std::size_t cells) {
  for (std::size_t j = 0; j + 1 < cells; ++j) pair.cuts.push_back(static_cast<double>(j));
  for (std::size_t j = 0; j < cells; ++j) {
    pair.centers.push_back(std::clamp(static_cast<double>(j) - .5, 0.0, static_cast<double>(cells) - 2));
  }
}

/// Reference counts of n rows of any continuous law on 128 quantile cells, and the Dirichlet parameters of the true
/// shares of those cells: exact for every continuous law, because the cells begin at order statistics.
struct ContinuousCells {
  Counts counts;
  std::vector<double> alpha;
};
inline ContinuousCells continuous_cells(std::int64_t n, std::int64_t cells) {
  cells = std::min(cells, n);
  ContinuousCells out{{0}, {1}};
  for (std::int64_t j = 0; j < cells; ++j) {
    const std::int64_t rows = (j + 1) * n / cells - j * n / cells;
    out.counts.push_back(rows);
    out.alpha.push_back(static_cast<double>(j == 0 ? rows - 1 : rows));
  }
  out.counts.push_back(0);
  out.alpha.push_back(1);
  return out;
}

/// A continuous column. `moved` maps the reference's cumulative share at a cut to the current law's; empty: no drift.
inline Pair continuous(Rng& rng, std::int64_t n, std::int64_t m, const std::function<double(double)>& moved = {}) {
  ContinuousCells cells = continuous_cells(n, 128);
  std::vector<double> shares = dirichlet(rng, cells.alpha);
  if (moved) {
    double below = 0, before = 0;
    for (std::size_t j = 0; j < shares.size(); ++j) {
      below += shares[j];
      const double to = j + 1 == shares.size() ? 1 : moved(std::clamp(below, 1e-15, 1 - 1e-15));
      shares[j] = std::max(0.0, to - before);
      before = to;
    }
  }
  Pair pair;
  pair.reference = std::move(cells.counts);
  pair.current = multinomial(rng, shares, m);
  plain_axis(pair, pair.reference.size());
  return pair;
}

/// A share of zeros, the rest positive and continuous.
inline Pair zero_inflated(Rng& rng, std::int64_t n, std::int64_t m, double zeros) {
  std::int64_t n0 = std::binomial_distribution<std::int64_t>(n, zeros)(rng);
  n0 = std::clamp<std::int64_t>(n0, 1, n - 1);
  const std::int64_t m0 = std::binomial_distribution<std::int64_t>(m, zeros)(rng);
  const std::int64_t quota = std::max<std::int64_t>(1, n / 128);
  ContinuousCells rest = continuous_cells(n - n0, std::clamp<std::int64_t>((n - n0) / quota, 1, 127));
  const Counts y = multinomial(rng, dirichlet(rng, rest.alpha), m - m0);
  Pair pair;
  pair.reference = {0, n0};
  pair.reference.insert(pair.reference.end(), rest.counts.begin(), rest.counts.end());
  pair.current = {0, m0};
  pair.current.insert(pair.current.end(), y.begin(), y.end());
  plain_axis(pair, pair.reference.size());
  return pair;
}

/// Few values with rows to spare: each value of the reference is a cell, and so is each gap between them.
inline Pair lattice(Rng& rng, std::int64_t n, std::int64_t m, std::span<const double> shares) {
  const Counts x = multinomial(rng, shares, n), y = multinomial(rng, shares, m);
  Pair pair;
  pair.lattice = true;
  pair.reference = {0};
  pair.current = {0};
  for (std::size_t j = 0; j < x.size(); ++j) {
    if (x[j] > 0) {
      pair.reference.insert(pair.reference.end(), {x[j], 0});
      pair.current.insert(pair.current.end(), {y[j], 0});
    } else {
      pair.current.back() += y[j];
    }
  }
  plain_axis(pair, pair.reference.size());
  return pair;
}

inline Pair categories(Rng& rng, std::int64_t n, std::int64_t m, std::span<const double> before,
                       std::span<const double> after) {
  Pair pair;
  pair.kind = kCategorical;
  pair.reference = multinomial(rng, before, n);
  pair.current = multinomial(rng, after, m);
  return pair;
}

/// Rows drawn one by one, on cells as an engine makes them of the reference: a value that repeats and has 1/128 of the
/// rows, or any if there are no more than 128, stands alone with a gap behind it; the others share cells of as many.
inline Pair drawn_rows(std::int64_t n, std::int64_t m, const std::function<double()>& draw, bool keep_values = false) {
  std::vector<double> x(static_cast<std::size_t>(n)), y(static_cast<std::size_t>(m));
  for (double& v : x) v = draw();
  std::sort(x.begin(), x.end());
  Pair pair;
  std::int64_t distinct = 1;
  for (std::size_t i = 1; i < x.size(); ++i) distinct += x[i] != x[i - 1];
  pair.lattice = distinct <= 128 && 2 * distinct <= n;
  const double enough = static_cast<double>(n) / 128;
  pair.reference = {0};
  pair.centers = {x.front()};
  double squares = 0, sum = 0, moment = 0;
  std::int64_t rows = 0;
  bool open = false;
  const auto start = [&](double v) {
    if (!open) pair.cuts.push_back(v);
    open = true;
  };
  const auto close = [&] {
    if (rows == 0) return;
    const double mean = moment / static_cast<double>(rows);
    pair.reference.push_back(rows);
    pair.centers.push_back(mean);
    sum += moment;
    squares += mean * moment;
    rows = 0;
    moment = 0;
    open = false;
  };
  for (std::size_t i = 0, to = 0; i < x.size(); i = to) {
    while (to < x.size() && x[to] == x[i]) ++to;
    const auto ties = static_cast<std::int64_t>(to - i);
    const bool alone = pair.lattice || (ties > 1 && static_cast<double>(ties) >= enough);
    if (alone) close();
    start(x[i]);
    rows += ties;
    moment += static_cast<double>(ties) * x[i];
    if (!alone && static_cast<double>(rows) < enough) continue;
    close();
    if (!alone || to == x.size()) continue;
    pair.cuts.push_back(std::nextafter(x[i], 1e300));  // the gap behind it
    pair.reference.push_back(0);
    pair.centers.push_back(x[i]);
  }
  close();
  pair.cuts.push_back(std::nextafter(x.back(), 1e300));
  pair.reference.push_back(0);
  // Outside rows are measured at the extreme cell.
  pair.centers.front() = pair.centers[1];
  pair.centers.push_back(pair.centers.back());
  const double mean = sum / static_cast<double>(n);
  pair.sd = std::sqrt(squares / static_cast<double>(n) - mean * mean);
  pair.current.assign(pair.reference.size(), 0);
  for (double& v : y) {
    v = draw();
    const auto at = std::upper_bound(pair.cuts.begin(), pair.cuts.end(), v);
    ++pair.current[static_cast<std::size_t>(at - pair.cuts.begin())];
    const double outside = v < x.front() ? x.front() - v : v > x.back() ? v - x.back() : 0;
    if (pair.sd > 0) pair.beyond += outside / pair.sd;
  }
  if (keep_values) {
    std::sort(y.begin(), y.end());
    pair.reference_values = std::move(x);
    pair.current_values = std::move(y);
  }
  return pair;
}

inline Pair normal_rows(Rng& rng, std::int64_t n, std::int64_t m) {
  std::normal_distribution<double> normal;
  Pair pair = drawn_rows(n, m, [&] { return normal(rng); });
  pair.beyond = 0;
  return pair;
}

inline std::vector<double> zipf(std::size_t k) {
  std::vector<double> out(k);
  double sum = 0;
  for (std::size_t i = 0; i < k; ++i) sum += out[i] = 1 / static_cast<double>(i + 1);
  for (double& p : out) p /= sum;
  return out;
}

}  // namespace vigie::drift::simulation
