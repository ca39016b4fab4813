// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drift/null_internal.h"

/// Divergences between the shares of bins or categories. For this room only.
namespace vigie::drift {

/// Bins of a numeric column, and all its methods' only parameter.
inline constexpr Param kBinsParam = {
    .name = "bins", .fallback = 10, .min = 2, .max = 100, .doc = "numeric columns: bins at quantiles of the reference"};
inline constexpr Param kBinsParams[] = {kBinsParam};

/// Cells joined to bins between quantiles of the reference alone, so that scores of different windows are on one scale:
/// a bin ends where a multiple of 1/bins of the reference is passed, and a cell with more than 1/bins of it is a bin.
/// Rows outside the reference join the first or the last bin, but where that would be one single heavy cell.
Cells share_bins(const Axis& axis, const Sample& reference, const Sample& current, std::size_t bins);

/// How the limit law of a statistic follows from χ² with k − 1 degrees, times 1/n + 1/m: from `scale`·statistic^power.
/// scale 0: it does not, always simulated.
struct Limit {
  double scale = 0;
  double power = 1;
  double enough = 0;  ///< rows that the rarest bin must expect in the smaller sample
};

/// The Score of a statistic of the counts of bins or categories. Null law at these n, m and shares: χ² where every
/// count is large, else simulated, into the gaps of the reference for bins at quantiles, on fixed margins for atoms and
/// categories; beside ties in up to 1,000 reference rows by permuting the rows and choosing the bins anew.
Score shares_score(const Axis& axis, const Sample& reference, const Sample& current, const Args& args, Limit limit,
                   const Statistic& statistic);

/// The sum of term(p, q) over the shares; `smoothing` rows are added to every count.
template <class Term>
double sum_of_shares(std::span<const std::int64_t> x, std::span<const std::int64_t> y, double smoothing, Term&& term) {
  double n = 0, m = 0, sum = 0;
  for (std::size_t j = 0; j < x.size(); ++j) {
    n += static_cast<double>(x[j]) + smoothing;
    m += static_cast<double>(y[j]) + smoothing;
  }
  for (std::size_t j = 0; j < x.size(); ++j) {
    sum += term((static_cast<double>(x[j]) + smoothing) / n, (static_cast<double>(y[j]) + smoothing) / m);
  }
  return sum;
}

}  // namespace vigie::drift
