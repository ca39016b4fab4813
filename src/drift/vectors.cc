// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/hash.h"
#include "drift/null_internal.h"
#include "drift/vectors_internal.h"
#include "stats/distributions.h"

namespace vigie::drift {
namespace {

constexpr double kMostNumbers = 1e10;

void add(std::span<const float> row, std::span<double> sum) {
  for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += double{row[j]};
}

}  // namespace

Rows rows_of(const Sample& reference, const Sample& current) {
  const auto &x = reference.vectors, &y = current.vectors;
  Rows rows;
  if (x.width == 0 || x.width != y.width) return rows;
  rows.width = x.width;
  rows.n = static_cast<std::size_t>(x.rows()), rows.m = static_cast<std::size_t>(y.rows());
  rows.values.reserve(x.values.size() + y.values.size());
  rows.values.assign(x.values.begin(), x.values.end());
  rows.values.insert(rows.values.end(), y.values.begin(), y.values.end());
  return rows;
}

Score blank_score(const Rows& rows, const Sample& reference, const Sample& current) {
  Score score{.statistic = std::nan(""), .p_value = std::nan(""), .components = {}, .note = {}};
  score.exact = reference.vectors.rows() == reference.vectors.of && current.vectors.rows() == current.vectors.of;
  if (score.exact) score.error = 0;
  if (rows.n == 0 || rows.m == 0) return score.status = Status::kEmpty, score;
  bool constant = true;
  for (std::size_t i = 1; i < rows.size() && constant; ++i)
    constant = std::equal(rows[i].begin(), rows[i].end(), rows[0].begin());
  if (constant) {
    score.status = Status::kConstant;
    score.statistic = 0;
    score.p_value = 1;
    score.null = Null::kExact;
  }
  if (static_cast<std::int64_t>(std::min(rows.n, rows.m)) < kFewestRows) score.status = Status::kTooFewRows;
  return score;
}

double squared_distance(std::span<const float> a, std::span<const float> b) {
  // In doubles, which hold the squares of all floats.
  return sum_of(a.size(), [&](std::size_t j) {
    const double d = double{a[j]} - double{b[j]};
    return d * d;
  });
}

void permute(Score& score, const Rows& rows, const Args& args, const OfSum& of_smaller) {
  const std::size_t drawn = std::min(rows.n, rows.m), first = rows.n <= rows.m ? 0 : rows.n;
  std::vector<std::uint32_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0U);
  std::rotate(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(first), order.end());
  std::vector<double> sum(rows.width);
  const auto statistic = [&] {
    std::fill(sum.begin(), sum.end(), 0.0);
    const std::span chosen(order.data(), drawn);
    for (const auto i : chosen) add(rows[i], sum);
    return of_smaller(sum, chosen);
  };
  const double observed = statistic();
  if (!std::isfinite(observed)) return;
  Rng rng(mix64(args.seed + 0x5eed) ^ mix64(rows.n) ^ mix64(rows.m + 1));
  score.p_value = besag_clifford(observed, args, kMostNumbers / static_cast<double>(drawn * rows.width + 1), [&] {
    for (std::size_t i = 0; i < drawn; ++i) std::swap(order[i], order[i + rng.below(order.size() - i)]);
    return statistic();
  });
  score.null = Null::kSimulated;
}

double Spread::mean() const {
  return sum / static_cast<double>(draws);
}

double Spread::sd() const {
  return std::sqrt(std::max(0.0, squares / static_cast<double>(draws) - mean() * mean()));
}

double seen_from(double level) {
  return stats::normal_quantile(1 - level) + stats::normal_quantile(.8);
}

}  // namespace vigie::drift
