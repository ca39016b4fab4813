// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "base/rng.h"
#include "drift/kernel_internal.h"
#include "drift/vectors_internal.h"
#include "stats/sampling.h"

namespace vigie::drift {
namespace {

/// Rows of both samples up to which every pair is looked at; of more, random Fourier features are.
constexpr std::size_t kEveryPair = 1000;
constexpr std::size_t kFrequencies = 128;
constexpr std::size_t kBandwidthRows = 500;

/// The median squared distance of two reference rows, else (half of them are equal) twice the variance of all rows.
double bandwidth(const Rows& rows) {
  std::vector<double> distances;
  for (std::size_t i = 0; i < std::min(rows.n, kBandwidthRows); ++i)
    for (std::size_t j = 0; j < i; ++j) distances.push_back(squared_distance(rows[i], rows[j]));
  const auto middle = distances.begin() + static_cast<std::ptrdiff_t>((distances.size() - 1) / 2);
  std::nth_element(distances.begin(), middle, distances.end());
  if (*middle > 0) return *middle;
  const double all = static_cast<double>(rows.size());
  std::vector<double> mean(rows.width);
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < rows.width; ++j) mean[j] += double{rows[i][j]} / all;
  const std::vector<float> center(mean.begin(), mean.end());
  double squares = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) squares += squared_distance(rows[i], center);
  return 2 * squares / all;
}

Rows gram(const Rows& rows, double width) {
  Rows out{.values = std::vector<float>(rows.size() * rows.size(), 1), .width = rows.size(), .n = rows.n, .m = rows.m};
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      out[i][j] = out[j][i] = static_cast<float>(std::exp(-squared_distance(rows[i], rows[j]) / width));
  return out;
}

/// Row by row vectors whose products are the kernel, on average over frequencies (Rahimi & Recht 2007).
Rows features(const Rows& rows, double width, std::uint64_t seed) {
  Rng rng(seed + 0xf0);
  std::vector<double> frequencies(kFrequencies * rows.width);
  for (double& f : frequencies) f = stats::draw_normal(rng) * std::sqrt(2 / width);
  Rows out{.values = std::vector<float>(rows.size() * 2 * kFrequencies),
           .width = 2 * kFrequencies,
           .n = rows.n,
           .m = rows.m};
  const double size = 1 / std::sqrt(static_cast<double>(kFrequencies));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = rows[i];
    const auto to = out[i];
    for (std::size_t k = 0; k < kFrequencies; ++k) {
      const std::span frequency = std::span(frequencies).subspan(k * row.size(), row.size());
      const double angle = sum_of(row.size(), [&](std::size_t j) { return double{row[j]} * frequency[j]; });
      to[2 * k] = static_cast<float>(size * std::cos(angle));
      to[2 * k + 1] = static_cast<float>(size * std::sin(angle));
    }
  }
  return out;
}

}  // namespace

Score mmd_of_vectors(const Sample& reference, const Sample& current, const Args& args) {
  const Rows rows = rows_of(reference, current);
  Score score = blank_score(rows, reference, current);
  if (score.status == Status::kEmpty || score.null != Null::kNone || std::min(rows.n, rows.m) < 2) return score;
  const double width = bandwidth(rows), n = static_cast<double>(rows.n), m = static_cast<double>(rows.m);
  if (!(width > 0)) return score;
  const bool pairs = rows.size() <= kEveryPair;
  if (!pairs) score.exact = false, score.error = std::nan("");
  const Rows kernel = pairs ? gram(rows, width) : features(rows, width, args.seed);
  std::vector<double> total(kernel.width);
  for (std::size_t i = 0; i < kernel.size(); ++i)
    for (std::size_t j = 0; j < kernel.width; ++j) total[j] += double{kernel[i][j]};
  double all = 0;
  for (double t : total) all += pairs ? t : t * t;
  const double a = std::min(n, m), b = std::max(n, m);
  Spread spread;
  double within = 0, of_reference = 0;  // the latter: of the rows at hand, the first that are seen
  permute(score, kernel, args, [&](std::span<const double> sum, std::span<const std::uint32_t> chosen) {
    double own = 0, with_all = 0;
    if (pairs) {
      for (const auto i : chosen) own += sum[i];
      for (double s : sum) with_all += s;
    } else {
      for (std::size_t j = 0; j < sum.size(); ++j) own += sum[j] * sum[j], with_all += sum[j] * total[j];
    }
    const double others = all - 2 * with_all + own;
    const double value = unbiased_mmd2(own, others, with_all - own, a, b);
    if (spread.draws < 0) {
      score.statistic = value;
      within = rows.n <= rows.m ? own : others;
      of_reference = (within - n) / (n * (n - 1));
    }
    return spread.see(value);
  });
  // A share s of the rows that goes far away, and is as dense there, has MMD² = 2 s² times the mean kernel.
  const double unit = 2 * std::max(of_reference, 1e-3), noise = std::sqrt(spread.sd() / unit),
               moved = std::min(1.0, std::sqrt(std::max(0.0, score.statistic) / unit));
  score.moved = Effect{std::hypot(moved, noise), noise, moved, true};
  score.detectable = std::sqrt(seen_from(args.level) * spread.sd() / unit);
  score.note = pairs ? "densities of whole rows, every pair" : "densities of whole rows, random Fourier features";
  return score;
}

}  // namespace vigie::drift
