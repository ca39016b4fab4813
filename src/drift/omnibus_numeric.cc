// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/hash.h"
#include "base/rng.h"
#include "drift/omnibus_internal.h"
#include "stats/distributions.h"
#include "stats/hypergeometric.h"
#include "stats/weighted_chi2.h"

namespace vigie::drift::omnibus_detail {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
/// Rows outside the largest cell that the smaller sample must expect for the asymptotic laws to hold.
constexpr double kSparse = 50;
constexpr double kMostlyConstant = .5;
/// Above this the asymptotic p of a sparse column is good enough: nothing is decided there.
constexpr double kNothing = .25;
constexpr std::int64_t kExceedances = 20;
/// Cells that are where the reference's rows happened to be make fixed margins too loud: .062 at .05 for 30 and 300
/// rows with 60 % zeros, .058 for 100 and 100 with 80 %.
constexpr double kLoud = 1.3;
constexpr double kMostDraws = 1e6;

constexpr std::array<std::string_view, 4> kNames = {"anderson_darling", "polynomial", "pearson", "range"};
constexpr std::array<std::string_view, 4> kNotes = {
    "decided by the shift of the whole distribution", "decided by scale and shape",
    "decided by single bins (spikes or holes)", "decided by rows outside the reference's range"};
constexpr std::array<double, 4> kWeights = {.5, .3, .15, .05};
constexpr std::array<double, 3> kLatticeWeights = {.5, .35, .15};

/// Two-sided p of at least k of m current rows beyond one extreme of the n reference rows; valid with ties.
double range_p(std::int64_t n, std::int64_t m, std::int64_t k) {
  return std::min(1.0, 2 * stats::Hypergeometric{n + m, k, m}.pmf(k));
}

/// The test of one table: components, their minimum, and the Monte Carlo of that minimum.
struct Test {
  std::int64_t n, m;
  std::vector<std::int64_t> pooled, reference;
  /// Cells outside the reference's range that count for the range component, as places in `pooled`; −1 for none.
  std::ptrdiff_t below = -1, above = -1;
  std::span<const double> weights;

  std::int64_t outside(std::span<const std::int64_t> x) const {
    std::int64_t k = 0;
    for (const std::ptrdiff_t cell : {below, above}) {
      if (cell < 0) continue;
      const auto at = static_cast<std::size_t>(cell);
      if (x[at] == 0) k = std::max(k, pooled[at]);
    }
    return k;
  }
};

/// Smallest number of rows outside whose p is at most `p`; m + 1 when there is none.
std::int64_t range_critical(const Test& test, double p) {
  std::int64_t low = 0, high = test.m + 1;
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (range_p(test.n, test.m, middle) <= p ? high : low) = middle;
  }
  return high;
}

/// p of `least`, the smallest weighted component p, on fixed margins. A table exceeds when one of its statistics
/// reaches the value at which that component alone would be as small as `least`.
double simulate(const Test& test, const NumericLayout& layout, stats::AndersonDarlingLaw& law,
                const NumericLayout::Statistics& observed, std::span<const double> p, double least, const Args& args) {
  const auto critical = [&](std::size_t i, double seen, auto&& quantile) {
    const double c = p[i] / test.weights[i] <= least ? seen : quantile(std::min(1.0, test.weights[i] * least));
    return c * (1 - 1e-9);
  };
  constexpr double kNever = std::numeric_limits<double>::infinity();
  const double ad = critical(0, observed.anderson_darling, [&](double q) { return law.quantile(q); });
  const double poly =
      layout.polynomial_df() < 1
          ? kNever
          : critical(1, observed.polynomial, [&](double q) { return stats::chi2_isf(q, layout.polynomial_df()); });
  const double pearson =
      layout.pearson_df() < 1
          ? kNever
          : critical(2, observed.pearson, [&](double q) { return stats::chi2_isf(q, layout.pearson_df()); });
  const std::int64_t range =
      test.weights.size() < 4 ? test.m + 1 : range_critical(test, test.weights[3] * least * (1 + 1e-9));

  std::uint64_t seed = mix64(args.seed + 0x5eed);
  for (std::size_t j = 0; j < test.pooled.size(); ++j) {
    seed = mix64(seed ^ static_cast<std::uint64_t>(test.pooled[j]));
    seed = mix64(seed ^ static_cast<std::uint64_t>(test.reference[j]));
  }
  Rng rng(seed);
  const bool draws_reference = test.n <= test.m;
  const stats::MultivariateHypergeometric draw(test.pooled, std::min(test.n, test.m));
  std::vector<std::int64_t> x(test.pooled.size());
  const double wanted = std::ceil(static_cast<double>(kExceedances) / args.level);
  const auto draws = static_cast<std::int64_t>(wanted >= 1 && wanted < kMostDraws ? wanted : kMostDraws);
  std::int64_t exceeded = 0;
  for (std::int64_t b = 1; b <= draws; ++b) {
    draw(rng, x);
    if (!draws_reference) {
      for (std::size_t j = 0; j < x.size(); ++j) x[j] = test.pooled[j] - x[j];
    }
    const NumericLayout::Statistics s = layout(x);
    const bool exceeds = s.anderson_darling >= ad || s.polynomial >= poly || s.pearson >= pearson ||
                         (test.weights.size() == 4 && test.outside(x) >= range);
    // Besag & Clifford 1991: stopped at the h-th exceedance the p-value is h over the number of draws.
    if (exceeds && ++exceeded == kExceedances) return static_cast<double>(exceeded) / static_cast<double>(b);
  }
  return static_cast<double>(exceeded + 1) / static_cast<double>(draws + 1);
}

bool mostly_single(std::span<const std::int64_t> reference) {
  std::int64_t single = 0, used = 0;
  for (const std::int64_t rows : reference) single += rows == 1, used += rows > 0;
  return 2 * single > used;
}

Test collect(const Axis& axis, const Sample& reference, const Sample& current) {
  Test test;
  test.n = reference.rows();
  test.m = current.rows();
  const std::size_t cells = std::min(reference.counts.size(), current.counts.size());
  test.pooled.reserve(cells);
  test.reference.reserve(cells);
  for (std::size_t j = 0; j < cells; ++j) {
    const std::int64_t x = reference.counts[j], l = x + current.counts[j];
    if (l == 0) continue;
    // A merged reference may have rows beyond the outermost cuts: these are then not its extremes.
    if (!axis.lattice && x == 0) {
      if (j == 0) test.below = static_cast<std::ptrdiff_t>(test.pooled.size());
      if (j + 1 == cells) test.above = static_cast<std::ptrdiff_t>(test.pooled.size());
    }
    test.pooled.push_back(l);
    test.reference.push_back(x);
  }
  test.weights = axis.lattice ? std::span<const double>(kLatticeWeights) : std::span<const double>(kWeights);
  return test;
}

}  // namespace

Score numeric(const Axis& axis, const Sample& reference, const Sample& current, const Args& args) {
  const Test test = collect(axis, reference, current);
  Score score{.statistic = kNan, .p_value = kNan, .components = {}, .note = {}};
  if (test.n == 0 || test.m == 0) return score;
  if (test.pooled.size() == 1) {
    score.status = Status::kConstant;
    score.statistic = 0;
    score.p_value = 1;
    score.null = Null::kExact;
    return score;
  }
  stats::AndersonDarlingLaw law(test.pooled);
  const NumericLayout layout(test.pooled, test.n, test.m, law.weights());
  const NumericLayout::Statistics s = layout(test.reference);
  std::array<double, 4> p = {law.sf(s.anderson_darling), 1, 1, 1};
  if (layout.polynomial_df() > 0) p[1] = stats::chi2_sf(s.polynomial, layout.polynomial_df());
  if (layout.pearson_df() > 0) p[2] = stats::chi2_sf(s.pearson, layout.pearson_df());
  if (const std::int64_t k = test.outside(test.reference); k > 0) p[3] = range_p(test.n, test.m, k);

  double least = std::numeric_limits<double>::infinity();
  std::size_t decisive = 0;
  score.components.reserve(test.weights.size());
  for (std::size_t i = 0; i < test.weights.size(); ++i) {
    score.components.push_back({kNames[i], p[i]});
    if (p[i] / test.weights[i] < least) {
      least = p[i] / test.weights[i];
      decisive = i;
    }
  }
  score.statistic = s.anderson_darling;
  score.p_value = std::min(1.0, least);
  score.null = decisive == 3 ? Null::kExact : Null::kAsymptotic;
  const std::int64_t largest = *std::max_element(test.pooled.begin(), test.pooled.end());
  const double outside = 1 - static_cast<double>(largest) / static_cast<double>(test.n + test.m);
  // Fixed margins are the null of a column of atoms. Of quantile bins the reference's counts are no accident: permuting
  // them is too loud (.059 at .05 for 1,000 and 30 continuous rows), and the asymptotic law holds there anyway.
  const bool atoms = axis.lattice || outside < kMostlyConstant;
  if (atoms && static_cast<double>(std::min(test.n, test.m)) * outside < kSparse && least < kNothing) {
    score.p_value = simulate(test, layout, law, s, p, least, args);
    if (!axis.lattice || mostly_single(test.reference)) score.p_value = std::min(1.0, kLoud * score.p_value);
    score.null = Null::kSimulated;
  }
  if (score.p_value < .05) score.note = kNotes[decisive];
  return score;
}

}  // namespace vigie::drift::omnibus_detail
