// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace vigie::stats {

/// Null laws of statistics of two samples of n and m rows of one continuous law: ties make the two-sample ones timid,
/// never loud. Each is an upper tail, accurate relative to itself unless said otherwise; NaN in gives NaN.

/// P(sup|B| ≥ x) of the Brownian bridge (Kolmogorov 1933), the limit of √(nm/(n+m))·D.
double kolmogorov_sf(double x);
/// P(sup B − inf B ≥ x) (Kuiper 1960), the limit of √(nm/(n+m))·V.
double kuiper_sf(double x);
/// P(∫B² ≥ x) (Anderson & Darling 1952), the limit of the Cramér–von Mises statistic. 2 to 5 µs.
double cramer_von_mises_sf(double x);

/// P(max |i·m − j·n| ≥ steps), where i and j count the rows of either sample up to a value: that is P(D ≥ steps/(nm)),
/// exact. Cost: the points of the n × m grid inside the band, 2·steps·(n + m)/max(n, m) at most, 2 ns each; above nm =
/// 10⁶ a result below 10⁻³⁰ is the limit's, which is larger. nm < 2⁶².
double smirnov_sf(std::int64_t n, std::int64_t m, std::int64_t steps);

/// P(S ≥ s) of S = Σ (i·m − j·n)² over the n + m rows of the pooled sample, that is T·nm(n + m)² of Cramér–von Mises;
/// exact (Burr 1963). For n, m ≤ 20; up to 0.3 s there.
double cramer_von_mises_exact(std::int64_t n, std::int64_t m, std::int64_t s);

/// P(U ≤ u) of Mann & Whitney, exact. O(min(n, m)·u).
double mann_whitney_cdf(std::int64_t n, std::int64_t m, std::int64_t u);

}  // namespace vigie::stats
