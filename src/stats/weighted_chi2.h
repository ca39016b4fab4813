// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace vigie::stats {

/// The law of Q = Σ λ_j Z_j², Z_j independent standard normal, λ_j > 0, given by its determinant
/// D(u) = Π_j (1 − 2uλ_j) and the zeros of D in ascending order, U_j = 1/(2λ_j). Not thread safe: zeros are found when
/// they are asked for, and kept.
class QuadraticForm {
 public:
  virtual ~QuadraticForm() = default;

  /// P(Q > x) by Smirnov's (1937) formula: a sum of integrals between pairs of zeros, free of cancellation. Relative
  /// accuracy 1e-5 or better for x above the mean, down to the smallest doubles; for x below half the mean do not use
  /// it. NaN for NaN, 1 for x ≤ 0. Cost: two to six zeros and as many sets of 16 determinants.
  double tail(double x);

 protected:
  static constexpr std::size_t kNodes = 16;
  using Nodes = std::array<double, kNodes>;

  /// |D| at every u.
  virtual void determinant(const Nodes& u, Nodes& out) const = 0;
  /// The j-th zero (from 0), or +∞ when it lies above `limit` or does not exist.
  virtual double zero(std::size_t j, double limit) = 0;

 private:
  double between(double a, double b, double x) const;
  double beyond(double a, double x) const;
};

/// A form given by its weights.
class WeightedChi2 final : public QuadraticForm {
 public:
  /// Weights ≥ 0 in any order; those below 1e-9 of the largest are left out.
  explicit WeightedChi2(std::span<const double> weights);

 protected:
  void determinant(const Nodes& u, Nodes& out) const override;
  double zero(std::size_t j, double limit) override;

 private:
  std::vector<double> weights_;  ///< descending
};

/// P(Q > x) from the first three moments, Σλ, Σλ² and Σλ³, by a shifted gamma (Pearson's type III): within 7 % for
/// p above .05, too small far in the tail. About 0.5 µs. A form of one weight is exact.
double weighted_chi2_screen(double x, double sum1, double sum2, double sum3);

/// A form of a Brownian bridge seen at k − 1 to k points: its weights are the eigenvalues of a matrix that is diagonal
/// plus semiseparable; so its determinant is the end value of a linear recurrence along the cells, and neither matrix
/// nor eigensolver is needed: construction O(k), a determinant O(k). Scaled to Σλ = 1.
class BridgeForm : public QuadraticForm {
 public:
  /// P(Q > x): the screen where that is above kExactBelow, else the exact tail.
  double sf(double x);
  /// The smallest x, to 1e-9, with sf(x) ≤ p. About 1 ms.
  double quantile(double p);

  double sum2() const { return sum2_; }  ///< Σλ²
  double sum3() const { return sum3_; }  ///< Σλ³

  static constexpr double kExactBelow = .1;

  void determinant(const Nodes& u, Nodes& out) const override;
  double zero(std::size_t j, double limit) override;

 protected:
  std::vector<double> weight_, damping_, gap_;
  double sum2_ = 0, sum3_ = 0;
  std::size_t order_ = 0;  ///< number of weights

 private:
  struct Point {
    double value;       ///< D(u)
    std::size_t below;  ///< number of zeros below u
  };
  Point at(double u) const;
  double refine(std::size_t j, double low, double high) const;

  std::vector<double> zeros_;
  double searched_ = 0;  ///< zeros_ holds every zero up to here
};

/// The null law of the midrank Anderson–Darling statistic of two samples counted in k cells (alarms recipe, section
/// 2), given the cells' pooled counts.
class AndersonDarlingLaw final : public BridgeForm {
 public:
  /// Counts > 0, sum below 2⁶², k ≥ 2.
  explicit AndersonDarlingLaw(std::span<const std::int64_t> pooled);
  /// p_j/v_j, the weight of cell j's squared difference in the statistic.
  std::span<const double> weights() const { return weight_; }
};

/// The null law, divided by its mean, of Σ w_j D_j² over the k − 1 inner ends of k cells, D the difference of the two
/// distribution functions there, w_j = (p_j + p_{j+1})/2: Cramér–von Mises with ties.
class CramerVonMisesLaw final : public BridgeForm {
 public:
  /// As for Anderson–Darling.
  explicit CramerVonMisesLaw(std::span<const std::int64_t> pooled);
  /// Σ w_j H_j (1 − H_j): the mean of nm/(n+m)·Σ w_j D_j² but for the factor N/(N−1).
  double mean() const { return mean_; }

 private:
  double mean_ = 0;
};

}  // namespace vigie::stats
