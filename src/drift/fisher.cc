// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "drift/contingency_internal.h"
#include "stats/hypergeometric.h"

namespace vigie::drift {
namespace {

/// P of all tables that are no more likely than the one with k rows (Irwin 1935). Each tail is one sum, and where the
/// other one begins is found by bisection: the law has a single mode.
double exact_p(const stats::Hypergeometric& law, std::int64_t k) {
  const double most = law.log_pmf(k) + 1e-7;
  const auto mode = std::clamp(static_cast<std::int64_t>(law.mean()), law.lowest(), law.highest());
  const auto beyond = [&](std::int64_t i) { return law.log_pmf(i) <= most; };
  std::int64_t low = law.lowest() - 1, high = mode + 1;  // the last that counts lies in [low, high)
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (beyond(middle) ? low : high) = middle;
  }
  const std::int64_t lower = low;
  low = std::max(mode, lower);
  high = law.highest() + 1;  // the first that counts lies in (low, high]
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (beyond(middle) ? high : low) = middle;
  }
  return std::min(1.0, law.lower(lower) + law.upper(high));
}

Score run(const Axis&, const Sample& reference, const Sample& current, const Args&) {
  const Cells cells = category_cells(reference, current);
  Score score = blank_score(cells);
  if (is_done(score)) return score;
  const TwoByTwo t = most_frequent(cells);
  const double across = static_cast<double>(t.reference_rest) * static_cast<double>(t.current);
  const double along = static_cast<double>(t.reference) * static_cast<double>(t.current_rest);
  score.statistic = across > 0 ? along / across : std::numeric_limits<double>::infinity();
  score.p_value = exact_p({cells.n + cells.m, t.reference + t.current, cells.n}, t.reference);
  score.null = Null::kExact;
  if (cells.size() > 2) score.note = kOnlyLargest;
  return score;
}

}  // namespace

constinit const Method fisher{
    .name = "fisher",
    .summary = "Fisher's exact test of two categories; of more: the most frequent one against all others",
    .reference = "Fisher 1935; Irwin 1935",
    .accepts = kCategorical,
    .statistic = "odds ratio of the most frequent category, reference to current",
    .params = {},
    .run = run};

}  // namespace vigie::drift
