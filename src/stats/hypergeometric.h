// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/rng.h"

namespace vigie::stats {

/// The number of marked rows among `drawn` rows taken without replacement from `total` rows of which `marked` are
/// marked. 0 ≤ marked, drawn ≤ total; other parameters give NaN. Sizes up to 10¹² rows lose no accuracy (Loader 2000).
struct Hypergeometric {
  std::int64_t total, marked, drawn;

  std::int64_t lowest() const;   ///< smallest possible value
  std::int64_t highest() const;  ///< largest possible value
  double mean() const;
  double variance() const;

  /// ln P(X = k); −∞ outside the support. About 0.1 µs.
  double log_pmf(std::int64_t k) const;
  double pmf(std::int64_t k) const;

  /// P(X ≥ k) and P(X ≤ k), each accurate relative to itself. O(standard deviation).
  double upper(std::int64_t k) const;
  double lower(std::int64_t k) const;

  /// min(1, 2·min(upper, lower)): never below the nominal level, timid for few marked rows.
  double two_sided(std::int64_t k) const;
  /// The same with half of P(X = k) left out of each tail (Lancaster 1961).
  double two_sided_mid(std::int64_t k) const;
};

/// Draws samples of `drawn` rows without replacement from cells of given sizes: the null law of one row of a 2×k table
/// whose margins are fixed. Made for tables with most rows in one cell: a draw costs O(cells + rows outside the
/// largest cell) times 5 ns.
class MultivariateHypergeometric {
 public:
  /// `cells` must outlive the object and hold no negative number; 0 ≤ drawn ≤ sum of cells.
  MultivariateHypergeometric(std::span<const std::int64_t> cells, std::int64_t drawn);
  /// Fills out[i] with the rows drawn from cell i. out.size() == cells.size().
  void operator()(Rng& rng, std::span<std::int64_t> out) const;

 private:
  std::span<const std::int64_t> cells_;
  std::int64_t drawn_, rest_ = 0;  ///< rest_: rows outside the largest cell
  std::size_t largest_ = 0;
  std::vector<std::int64_t> cumulative_;  ///< of the cells other than the largest, which counts 0
  std::vector<std::uint32_t> guide_;      ///< the cell of each 2^shift_-th row, from which its neighbours' is near
  unsigned shift_ = 0;
  std::int64_t first_ = 0;   ///< value that cdf_[0] belongs to
  std::vector<double> cdf_;  ///< of the number of rows drawn outside the largest cell
};

}  // namespace vigie::stats
