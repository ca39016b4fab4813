// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "drift/compat.h"

/// numpy's and scipy's pieces that several peers build on. For this room only.
namespace vigie::drift {

/// Shares of two samples on the same cells.
struct Shares {
  std::vector<double> p, q;  ///< reference, current
};

/// Rows of each distinct value or category that either side has, in ascending order.
struct Table {
  std::vector<std::int64_t> x, y;
  std::int64_t n = 0, m = 0;
};
Table table_of(const PeerColumn& column);
Shares shares_of(const Table& table);

/// numpy.linspace with `bins` steps; low = high is widened by ½ either way, as numpy.histogram does.
std::vector<double> equal_edges(double low, double high, std::size_t bins);
/// The number of bins of numpy.histogram_bin_edges for a width that a rule asks for.
std::size_t bins_of_width(double range, double width, bool whole);
double sturges_width(double range, std::size_t rows);
double doane_width(std::span<const double> sorted);
/// numpy.histogram: bins are half open, but the last.
std::vector<std::int64_t> histogram(std::span<const double> sorted, std::span<const double> edges);

/// scipy.spatial.distance.jensenshannon, in nats.
double jensen_shannon(Shares shares);
/// scipy.stats.wasserstein_distance.
double wasserstein_distance(const PeerColumn& column);
/// p-values from 1,000 and 100 permutations: of total variation, and of MMD² whose kernel has the median distance.
PeerScore shuffled_tvd(const PeerColumn& column);
PeerScore shuffled_mmd(const PeerColumn& column);
/// The two-sided p-value of scipy.stats.ks_2samp(method="asymp"), kstwo.sf(d, n).
double kolmogorov_exact_sf(std::int64_t n, double d);

}  // namespace vigie::drift
