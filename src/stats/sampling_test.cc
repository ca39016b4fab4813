// SPDX-License-Identifier: Apache-2.0
#include "stats/sampling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "stats/distributions.h"
#include "stats/hypergeometric.h"

namespace vigie::stats {
namespace {

/// p-value of Pearson's test that `draw` has the given probabilities; what is left of them is one cell.
double fit(const std::function<std::int64_t()>& draw, std::int64_t low, std::int64_t high,
           const std::function<double(std::int64_t)>& pmf) {
  constexpr int kDraws = 200000;
  std::vector<double> seen(static_cast<std::size_t>(high - low) + 2, 0);
  for (int t = 0; t < kDraws; ++t) {
    const std::int64_t k = draw();
    ++seen[k < low || k > high ? seen.size() - 1 : static_cast<std::size_t>(k - low)];
  }
  double sum = 0, left = 1;
  for (std::int64_t k = low; k <= high; ++k) {
    const double expected = kDraws * pmf(k), excess = seen[static_cast<std::size_t>(k - low)] - expected;
    sum += excess * excess / expected;
    left -= pmf(k);
  }
  const double excess = seen.back() - kDraws * left;
  return chi2_sf(sum + excess * excess / (kDraws * left), static_cast<double>(seen.size()) - 1);
}

TEST(Sampling, HypergeometricFits) {
  Rng rng(1);
  for (const Hypergeometric h : {Hypergeometric{200, 100, 60}, Hypergeometric{1000, 970, 30},
                                 Hypergeometric{100000, 3000, 900}, Hypergeometric{50, 20, 45}}) {
    const auto low = static_cast<std::int64_t>(h.mean() - 2 * std::sqrt(h.variance()));
    const auto high = static_cast<std::int64_t>(h.mean() + 2 * std::sqrt(h.variance()));
    EXPECT_GT(fit([&] { return draw_hypergeometric(rng, h.total, h.marked, h.drawn); }, std::max(low, h.lowest()),
                  std::min(high, h.highest() - 1), [&](std::int64_t k) { return h.pmf(k); }),
              1e-4);
  }
}

TEST(Sampling, BinomialFits) {
  Rng rng(2);
  const auto pmf = [](std::int64_t n, double p, std::int64_t k) {
    return std::exp(log_factorial(n) - log_factorial(k) - log_factorial(n - k) + static_cast<double>(k) * std::log(p) +
                    static_cast<double>(n - k) * std::log1p(-p));
  };
  struct Case {
    std::int64_t n;
    double p;
    std::int64_t low, high;
  };
  for (const Case c : {Case{10, .3, 0, 7}, Case{1000, .002, 0, 6}, Case{1000, .3, 275, 325}, Case{400, .9, 350, 370}}) {
    EXPECT_GT(fit([&] { return draw_binomial(rng, c.n, c.p); }, c.low, c.high,
                  [&](std::int64_t k) { return pmf(c.n, c.p, k); }),
              1e-4)
        << c.n;
  }
}

TEST(Sampling, GammaHasItsMoments) {
  Rng rng(3);
  for (const double shape : {.3, 1.0, 2.5, 70.0}) {
    double sum = 0, squares = 0;
    constexpr int kDraws = 200000;
    for (int t = 0; t < kDraws; ++t) {
      const double g = draw_gamma(rng, shape);
      sum += g;
      squares += g * g;
    }
    const double mean = sum / kDraws;
    EXPECT_NEAR(mean, shape, 5 * std::sqrt(shape / kDraws));
    EXPECT_NEAR(squares / kDraws - mean * mean, shape, 5 * std::sqrt((2 * shape * shape + 6 * shape) / kDraws));
  }
}

TEST(Sampling, HugeNumbersAreRoundedNormal) {
  Rng rng(4);
  const Hypergeometric h{2000000000, 1000000000, 1000000000};
  double squares = 0;
  for (int t = 0; t < 20000; ++t) {
    const double d = static_cast<double>(draw_hypergeometric(rng, h.total, h.marked, h.drawn)) - h.mean();
    squares += d * d / h.variance() / 20000;
  }
  EXPECT_NEAR(squares, 1, .06);
  EXPECT_NEAR(static_cast<double>(draw_binomial(rng, 4000000000, .5)), 2e9, 2e5);
}

TEST(Sampling, FixedMarginsKeepThem) {
  Rng rng(5);
  const std::vector<std::int64_t> cells = {500, 3, 40, 0, 1, 1, 200, 2};
  const std::int64_t total = std::accumulate(cells.begin(), cells.end(), std::int64_t{0});
  for (const std::int64_t drawn : {std::int64_t{0}, std::int64_t{7}, std::int64_t{300}, total}) {
    const FixedMargins draw(cells, drawn);
    std::vector<std::int64_t> out(cells.size());
    std::vector<double> mean(cells.size(), 0), square(cells.size(), 0);
    constexpr int kDraws = 20000;
    for (int t = 0; t < kDraws; ++t) {
      draw(rng, out);
      ASSERT_EQ(std::accumulate(out.begin(), out.end(), std::int64_t{0}), drawn);
      for (std::size_t i = 0; i < out.size(); ++i) {
        ASSERT_LE(out[i], cells[i]);
        mean[i] += static_cast<double>(out[i]) / kDraws;
        square[i] += static_cast<double>(out[i] * out[i]) / kDraws;
      }
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
      const Hypergeometric h{total, cells[i], drawn};
      EXPECT_NEAR(mean[i], h.mean(), 5 * std::sqrt(h.variance() / kDraws) + 1e-9);
      EXPECT_NEAR(square[i] - mean[i] * mean[i], h.variance(), .06 * h.variance() + .002);
    }
  }
}

// n rows leave n + 1 gaps; a row falls into a given one with chance 1/(n+1), two into it with chance 2/((n+1)(n+2)).
TEST(Sampling, GapsAreDirichletMultinomial) {
  Rng rng(6);
  const std::vector<double> gaps = {1, 0, 4, 30, 1};
  const double sum = 36;
  const Gaps draw(gaps, 50);
  std::vector<std::int64_t> out(gaps.size());
  std::vector<double> mean(gaps.size(), 0), square(gaps.size(), 0);
  constexpr int kDraws = 40000;
  for (int t = 0; t < kDraws; ++t) {
    draw(rng, out);
    ASSERT_EQ(std::accumulate(out.begin(), out.end(), std::int64_t{0}), 50);
    for (std::size_t i = 0; i < out.size(); ++i) {
      mean[i] += static_cast<double>(out[i]) / kDraws;
      square[i] += static_cast<double>(out[i] * out[i]) / kDraws;
    }
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double p = gaps[i] / sum, variance = 50 * p * (1 - p) * (50 + sum) / (1 + sum);
    EXPECT_NEAR(mean[i], 50 * p, 5 * std::sqrt(variance / kDraws) + 1e-12);
    EXPECT_NEAR(square[i] - mean[i] * mean[i], variance, .07 * variance + 1e-12);
  }
}

}  // namespace
}  // namespace vigie::stats
