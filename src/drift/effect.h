// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drift/drift.h"

namespace vigie::drift {

/// The effect of a column that has an axis. Numeric: W = Σ |F_ref − F_cur|(cut)·(gap of centers)/sd, rows outside the
/// axis by how far they are outside; a reference with sd 0 is measured as a share of rows. Categorical: TVD. NaN where
/// either side is empty. O(cells).
Effect effect(const Axis& axis, const Sample& reference, const Sample& current);

/// The difference of two shares on the same terms (missing values): raw = |k/n − l/m|.
Effect share_effect(std::int64_t k, std::int64_t n, std::int64_t l, std::int64_t m);

/// The smallest effect that these sizes show with probability 0.8 at `level` (recipe section 7), on the scale of
/// effect(): a location shift in sd, or the TVD of one category (the largest). NaN below kFewestRows.
double detectable_effect(const Axis& axis, const Sample& reference, const Sample& current, double level);
/// The same for a share of `k` in `n` reference rows.
double detectable_share(std::int64_t k, std::int64_t n, std::int64_t m, double level);

/// Two-sided hypergeometric mid-p of k of n against l of m (recipe section 4): method `missing_share`.
/// statistic = l/m − k/n. kEmpty when a side has no rows; p 1 when k = l = 0.
Score missing_share(std::int64_t k, std::int64_t n, std::int64_t l, std::int64_t m);

}  // namespace vigie::drift
