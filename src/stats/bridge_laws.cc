// SPDX-License-Identifier: Apache-2.0
#include "stats/weighted_chi2.h"

namespace vigie::stats {

// M = W^½ (G − P/4) W^½ with W = diag(p/v), P = diag(p), G_ij = H_i (1 − H_j) for i ≤ j: G is the covariance of a
// Brownian bridge at times H, its inverse is tridiagonal. det(I − 2uM) = Π(1 + u w p/2) · det G · det(G⁻¹ − C) with
// C = diag(2uw / (1 + u w p/2)), and det G · det(G⁻¹ − C) is the height at time 1 of the polygon that starts at 0 with
// slope 1 and bends by −C_j y at time H_j. Its sign changes count the zeros below u (Sturm).
AndersonDarlingLaw::AndersonDarlingLaw(std::span<const std::int64_t> pooled) {
  const std::size_t k = pooled.size();
  std::int64_t total = 0;
  for (const std::int64_t l : pooled) total += l;
  const double n = static_cast<double>(total), half = .5 / n;
  weight_.resize(k);
  damping_.resize(k);
  gap_.resize(k + 1);
  std::int64_t below = 0;
  double previous = 0, gg = 0, pgg = 0, paths = 0;
  for (std::size_t j = 0; j < k; ++j) {
    const double p = static_cast<double>(pooled[j]) / n;
    const double h = static_cast<double>(2 * below + pooled[j]) * half;
    below += pooled[j];
    const double rest = static_cast<double>(2 * (total - below) + pooled[j]) * half;
    const double w = p / (h * rest - p / 4);
    weight_[j] = w;
    damping_[j] = w * p / 2;
    gap_[j] = (previous + p) / 2;
    previous = p;
    // Sums over i < j of M_ij² and of the closed walks i → j → k → i, from running sums.
    const double g2 = w * h * h, h2 = w * rest * rest;
    sum2_ += p * p + 2 * h2 * gg;
    sum3_ += p * p * p + 3 * h2 * (pgg + p * gg) + 6 * h2 * paths;
    paths += gg * w * h * rest;
    gg += g2;
    pgg += p * g2;
  }
  gap_[k] = previous / 2;
  order_ = k - 1;
}

// As above without the diagonal: the bridge itself is weighed, at the ends between the cells.
CramerVonMisesLaw::CramerVonMisesLaw(std::span<const std::int64_t> pooled) {
  const std::size_t k = pooled.size();
  std::int64_t total = 0;
  for (const std::int64_t l : pooled) total += l;
  const double n = static_cast<double>(total);
  const auto share = [&](std::size_t j) { return static_cast<double>(pooled[j]) / n; };
  order_ = k - 1;
  weight_.resize(k - 1);
  damping_.assign(k - 1, 0);
  gap_.resize(k);
  std::int64_t below = 0;
  double gg = 0, pgg = 0, paths = 0;
  for (std::size_t j = 0; j < k; ++j) {
    gap_[j] = share(j);
    below += pooled[j];
    if (j + 1 == k) break;
    const double h = static_cast<double>(below) / n, rest = static_cast<double>(total - below) / n;
    const double w = (share(j) + share(j + 1)) / 2, p = w * h * rest, h2 = w * rest * rest;
    weight_[j] = w;
    mean_ += p;
    sum2_ += p * p + 2 * h2 * gg;
    sum3_ += p * p * p + 3 * h2 * (pgg + p * gg) + 6 * h2 * paths;
    paths += gg * p;
    gg += w * h * h;
    pgg += p * w * h * h;
  }
  for (double& w : weight_) w /= mean_;
  sum2_ /= mean_ * mean_;
  sum3_ /= mean_ * mean_ * mean_;
}

}  // namespace vigie::stats
