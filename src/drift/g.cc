// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/contingency_internal.h"

namespace vigie::drift {
namespace {

/// G is above its law by about 1/6 of the sum of 1/expected rows: 1 % where these are 25 and k is small.
constexpr double kExpects = 25;

double g(std::span<const std::int64_t> x, std::span<const std::int64_t> y) {
  double n = 0, m = 0, sum = 0;
  for (std::size_t j = 0; j < x.size(); ++j) {
    n += static_cast<double>(x[j]);
    m += static_cast<double>(y[j]);
  }
  const auto term = [](double observed, double expected) {
    return observed == 0 ? 0 : observed * std::log(observed / expected);
  };
  for (std::size_t j = 0; j < x.size(); ++j) {
    const double l = static_cast<double>(x[j] + y[j]);
    sum += term(static_cast<double>(x[j]), l * (n / (n + m))) + term(static_cast<double>(y[j]), l * (m / (n + m)));
  }
  return 2 * std::max(0.0, sum);
}

Score run(const Axis&, const Sample& reference, const Sample& current, const Args& args) {
  const Cells cells = category_cells(reference, current);
  Score score = blank_score(cells);
  if (is_done(score)) return score;
  score.statistic = g(cells.x, cells.y);
  set_table_p(score, cells, args, score.statistic, kExpects, g);
  return score;
}

}  // namespace

constinit const Method g_test{.name = "g_test",
                              .summary = "Likelihood ratio test of the table of both samples",
                              .reference = "Wilks 1938; Besag & Clifford 1991",
                              .accepts = kCategorical,
                              .statistic = "G = 2 Σ O ln(O/E) of the 2×k table, mean k − 1 without drift",
                              .params = {},
                              .run = run};

}  // namespace vigie::drift
