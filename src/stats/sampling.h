// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/rng.h"

namespace vigie::stats {

/// Random numbers that are the same on every machine and in every standard library. Not thread safe where they share a
/// generator. Parameters outside their domain give 0.

/// Standard normal, by Marsaglia's polar method. 30 ns.
double draw_normal(Rng& rng);
/// Gamma with scale 1 and any shape ≥ 0 (Marsaglia & Tsang 2000). 40 ns.
double draw_gamma(Rng& rng, double shape);
/// Successes among n ≥ 0 trials of probability p. By inversion from the mode: 0.1 µs + 3 ns for each standard deviation
/// up to 100 of them; above, where the skewness is below 0.01, a rounded normal.
std::int64_t draw_binomial(Rng& rng, std::int64_t n, double p);
/// Marked rows among `drawn` taken without replacement from `total`. Method and cost as of draw_binomial.
std::int64_t draw_hypergeometric(Rng& rng, std::int64_t total, std::int64_t marked, std::int64_t drawn);

/// Rows drawn without replacement from cells of given sizes: the null law of one row of a 2×k table on fixed margins.
/// Unlike MultivariateHypergeometric its cost does not grow with the rows: large cells take 0.3 µs each, and the rows
/// that fall into small ones 20 ns each.
class FixedMargins {
 public:
  /// `cells` ≥ 0, must outlive the object; 0 ≤ drawn ≤ sum of cells.
  FixedMargins(std::span<const std::int64_t> cells, std::int64_t drawn);
  /// Fills out[i] with the rows drawn from cell i. out.size() == cells.size().
  void operator()(Rng& rng, std::span<std::int64_t> out) const;

 private:
  std::span<const std::int64_t> cells_;
  std::int64_t drawn_, total_ = 0, small_rows_ = 0;
  std::vector<std::size_t> large_, small_;
  std::vector<std::int64_t> cumulative_;  ///< rows of small_ up to each
};

/// Rows of a sample that falls into the gaps between the order statistics of another one of the same continuous law:
/// Dirichlet–multinomial, whatever the law. `gaps` are the numbers of gaps in each cell, ≥ 0, not all 0.
class Gaps {
 public:
  /// `gaps` must outlive the object.
  Gaps(std::span<const double> gaps, std::int64_t drawn);
  /// Fills out[i] with the rows that fall into cell i. O(cells) times 0.2 µs.
  void operator()(Rng& rng, std::span<std::int64_t> out) const;

 private:
  std::span<const double> gaps_;
  std::int64_t drawn_;
};

}  // namespace vigie::stats
