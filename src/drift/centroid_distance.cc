// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/omnibus_internal.h"
#include "drift/vectors_internal.h"

namespace vigie::drift {
namespace {

/// The reference's standard deviation along a direction of length 1.
double sd_along(const Rows& rows, std::span<const double> direction) {
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < rows.n; ++i) {
    double at = 0;
    for (std::size_t j = 0; j < direction.size(); ++j) at += double{rows[i][j]} * direction[j];
    sum += at, squares += at * at;
  }
  const double n = static_cast<double>(rows.n);
  return std::sqrt(std::max(0.0, squares / n - sum / n * (sum / n)));
}

Score of_vectors(const Sample& reference, const Sample& current, const Args& args) {
  const Rows rows = rows_of(reference, current);
  Score score = blank_score(rows, reference, current);
  if (score.status == Status::kEmpty || score.null != Null::kNone) return score;
  const double a = static_cast<double>(std::min(rows.n, rows.m)), b = static_cast<double>(std::max(rows.n, rows.m));
  std::vector<double> total(rows.width), apart;
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < rows.width; ++j) total[j] += double{rows[i][j]};
  Spread spread;
  permute(score, rows, args, [&](std::span<const double> sum, std::span<const std::uint32_t>) {
    double square = 0;
    for (std::size_t j = 0; j < sum.size(); ++j) {
      const double d = sum[j] / a - (total[j] - sum[j]) / b;
      square += d * d;
      if (spread.draws < 0) apart.push_back(d);
    }
    if (spread.draws < 0) score.statistic = std::sqrt(square);
    return spread.see(square);
  });
  score.note = "centroids of both samples";
  const double distance = score.statistic, noise2 = spread.mean();
  if (distance > 0)
    for (double& d : apart) d /= distance;
  const double sd = sd_along(rows, apart);
  if (!(sd > 0)) return score.moved = Effect{1, 0, 1, true}, score;
  score.moved =
      Effect{distance / sd, std::sqrt(noise2) / sd, std::sqrt(std::max(0.0, distance * distance - noise2)) / sd, false};
  score.detectable = std::sqrt(seen_from(args.level) * spread.sd()) / sd;
  return score;
}

Score run(const Axis& axis, const Sample& reference, const Sample& current, const Args& args) {
  return axis.kind == kVectors ? of_vectors(reference, current, args)
                               : omnibus_detail::run(axis, reference, current, args);
}

}  // namespace

constinit const Method centroid_distance{
    .name = "centroid_distance",
    .summary =
        "Distance of embeddings from the centroid of half of the reference, beside those of its other half; where it "
        "is "
        "asked for and the reference's rows are at hand, the distance between the centroids of both samples",
    .reference = "as omnibus; Székely & Rizzo 2013",
    .accepts = kNumeric | kVectors,
    .view = View::kCentroidDistance,
    .statistic = "A² of omnibus; of rows the Euclidean distance between the centroids, p by permutation",
    .params = {},
    .run = run};

}  // namespace vigie::drift
