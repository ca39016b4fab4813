// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/hash.h"
#include "base/rng.h"
#include "drift/vectors_internal.h"
#include "stats/distributions.h"

namespace vigie::drift {
namespace {

constexpr int kEpochs = 10;
constexpr double kRate = .5;

/// Columns on one scale, that of all rows together, so that nothing of it tells the samples apart; their length beside
/// them.
Rows standardised(const Rows& rows) {
  Rows out{
      .values = std::vector<float>(rows.size() * (rows.width + 1)), .width = rows.width + 1, .n = rows.n, .m = rows.m};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    double square = 0;
    for (std::size_t j = 0; j < rows.width; ++j) {
      out[i][j] = rows[i][j];
      square += double{rows[i][j]} * double{rows[i][j]};
    }
    constexpr double kMost = std::numeric_limits<float>::max();
    out[i][rows.width] = static_cast<float>(std::min(kMost, std::sqrt(square)));
  }
  std::vector<double> mean(out.width), variance(out.width);
  const double all = static_cast<double>(out.size());
  for (std::size_t i = 0; i < out.size(); ++i)
    for (std::size_t j = 0; j < out.width; ++j) mean[j] += double{out[i][j]} / all;
  for (std::size_t i = 0; i < out.size(); ++i)
    for (std::size_t j = 0; j < out.width; ++j) variance[j] += std::pow(double{out[i][j]} - mean[j], 2) / all;
  // A word that few texts have is not blown up to the size of the others.
  const double usual = std::accumulate(variance.begin(), variance.end(), 0.0) / static_cast<double>(out.width);
  for (std::size_t i = 0; i < out.size(); ++i)
    for (std::size_t j = 0; j < out.width; ++j)
      out[i][j] = static_cast<float>((double{out[i][j]} - mean[j]) / std::sqrt(variance[j] + usual + 1e-300));
  return out;
}

double product(std::span<const float> a, std::span<const float> b) {
  float sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
  return double{sum};
}

/// Rows alternate between the halves, each sample for itself.
bool in_half(const Rows& rows, std::size_t i, std::size_t half) {
  return (i < rows.n ? i : i - rows.n) % 2 == half;
}

/// Logistic regression by averaged stochastic gradients, both samples of one weight.
std::vector<float> trained(const Rows& rows, std::size_t half, Rng& rng) {
  std::vector<std::size_t> order;
  double sizes[2] = {}, square = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!in_half(rows, i, half)) continue;
    order.push_back(i);
    ++sizes[i >= rows.n];
    square += product(rows[i], rows[i]);
  }
  const double count = static_cast<double>(order.size()), step = kRate / (1 + square / count);
  std::vector<float> weights(rows.width);
  std::vector<double> mean(rows.width);
  double bias = 0, averaged = 0;
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[rng.below(i)]);
    for (const auto i : order) {
      const bool is_current = i >= rows.n;
      const double p = 1 / (1 + std::exp(-product(weights, rows[i]) - bias));
      const double gain = step * std::min(2.0, count / 2 / sizes[is_current]) * ((is_current ? 1 : 0) - p);
      bias += gain;
      const auto row = rows[i];
      for (std::size_t j = 0; j < row.size(); ++j) weights[j] += static_cast<float>(gain) * row[j];
    }
    if (2 * epoch < kEpochs) continue;
    ++averaged;
    for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += double{weights[j]};
  }
  for (std::size_t j = 0; j < mean.size(); ++j) weights[j] = static_cast<float>(mean[j] / averaged);
  return weights;
}

struct Ranks {
  double auc = .5, z = 0;
};

/// How the scores of one half rank its current rows above its reference rows: Mann & Whitney with ties.
Ranks ranked(const Rows& rows, std::size_t half, std::span<const float> weights) {
  std::vector<std::pair<double, bool>> scores;
  double n = 0, m = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!in_half(rows, i, half)) continue;
    scores.emplace_back(product(weights, rows[i]), i >= rows.n);
    ++(i >= rows.n ? m : n);
  }
  std::sort(scores.begin(), scores.end());
  double u = 0, below = 0, ties = 0;
  for (std::size_t i = 0, to = 0; i < scores.size(); i = to) {
    double x = 0, y = 0;
    for (; to < scores.size() && scores[to].first == scores[i].first; ++to) ++(scores[to].second ? y : x);
    u += y * (below + x / 2);
    below += x;
    ties += std::pow(x + y, 3) - (x + y);
  }
  const double all = n + m, sd = std::sqrt(n * m / 12 * (all + 1 - ties / (all * (all - 1))));
  if (!(sd > 0)) return {};
  return {u / (n * m), (u - n * m / 2 - .5) / sd};
}

Score run(const Axis&, const Sample& reference, const Sample& current, const Args& args) {
  const Rows raw = rows_of(reference, current);
  Score score = blank_score(raw, reference, current);
  if (score.null != Null::kNone) score.statistic = .5;
  if (score.status == Status::kEmpty || score.null != Null::kNone || std::min(raw.n, raw.m) < 4) return score;
  const Rows rows = standardised(raw);
  Rng rng(mix64(args.seed + 0xc1a55));
  double auc = 0, z = 0;
  for (const std::size_t half : {0, 1}) {
    const Ranks held_out = ranked(rows, half, trained(rows, 1 - half, rng));
    auc += held_out.auc / 2, z += held_out.z / 2;
  }
  score.statistic = auc;
  score.p_value = stats::normal_sf(z);
  score.null = Null::kAsymptotic;
  // The halves depend on each other, entirely so for a linear classifier: their mean has the spread of either.
  const double n = static_cast<double>(rows.n) / 2, m = static_cast<double>(rows.m) / 2,
               sd = 2 * std::sqrt((n + m + 1) / (12 * n * m)), noise = sd * std::sqrt(2 / M_PI),
               moved = std::max(0.0, 2 * auc - 1);
  score.moved = Effect{moved, noise, std::sqrt(std::max(0.0, moved * moved - noise * noise)), true};
  score.detectable = seen_from(args.level) * sd;
  score.note = "a classifier told held-out rows apart";
  return score;
}

}  // namespace

constinit const Method domain_classifier{
    .name = "domain_classifier",
    .summary =
        "How well logistic regression, on 512 hashed words of a text or on an embedding, tells current rows from the "
        "reference's: trained on either half of the rows, it ranks the other one",
    .reference = "Lopez-Paz & Oquab 2017; Weinberger et al. 2009; Mann & Whitney 1947",
    .accepts = kVectors,
    .view = View::kRow,
    .statistic =
        "AUC of held-out rows, 0.5 without drift; one-sided rank test of both halves, taken to depend on each "
        "other entirely",
    .params = {},
    .run = run};

}  // namespace vigie::drift
