// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "drift/between_terms_internal.h"

namespace vigie::drift {
namespace {

constexpr double kCommon = .8, kOneSided = .9;

// Sampling variance, times rows, of the four moments: the mean square of their influence functions. For a continuous
// column 1, 1/2, 6 and 24/9.
Moments sampling_noise(const Shape& shape, std::span<const double> scores, std::span<const double> shares) {
  Moments noise{};
  if (!(shape.variance > 0)) return noise;
  const double g = shape.skew, k = shape.kurtosis, sd = std::sqrt(shape.variance);
  for (std::size_t j = 0; j < scores.size(); ++j) {
    const double u = (scores[j] - shape.location) / sd, w = u * u - 1;
    const double influence[kMoments] = {u * sd, w / 2, u * u * u - g - 3 * u - 1.5 * g * w,
                                        (u * u * u * u - k - 4 * g * u - 2 * k * w) / k};
    for (std::size_t c = 0; c < kMoments; ++c) noise[c] += shares[j] * influence[c] * influence[c];
  }
  return noise;
}

}  // namespace

double arcsine(double count, double rows) {
  return std::asin(std::sqrt((count + .375) / (rows + .75)));
}
double count_of(double arcsine, double rows) {
  const double root = std::sin(arcsine);
  return root * root * (rows + .75) - .375;
}

Shape shape_of(std::span<const double> scores, std::span<const double> shares) {
  Shape shape;
  for (std::size_t j = 0; j < scores.size(); ++j) shape.location += shares[j] * scores[j];
  double third = 0, fourth = 0;
  for (std::size_t j = 0; j < scores.size(); ++j) {
    const double d = scores[j] - shape.location, f = shares[j] * d * d;
    shape.variance += f;
    third += f * d;
    fourth += f * d * d;
  }
  if (shape.variance > 0) {
    shape.skew = third / std::pow(shape.variance, 1.5);
    shape.kurtosis = fourth / (shape.variance * shape.variance);
  }
  return shape;
}

Terms::Terms(std::span<const double> scores, std::span<const double> shares) {
  const Shape shape = shape_of(scores, shares);
  noise_ = sampling_noise(shape, scores, shares);
  const auto most = static_cast<std::size_t>(std::ranges::max_element(shares) - shares.begin());
  if (!(shape.variance > 0) || shares[most] < kCommon) return;
  common_ = scores[most];
  mean_ = std::abs(shape.location - common_);
  double distances = 0;
  for (std::size_t j = 0; j < scores.size(); ++j) distances += shares[j] * std::abs(scores[j] - common_);
  if (mean_ < kOneSided * distances) return;
  rare_ = true;
  const double g = shape.skew * shape.skew;
  noise_[0] /= 4 * mean_;
  noise_[2] *= g / std::pow(g + 4, 3);
}

Moments Terms::of(const WindowSummary& w) const {
  if (!rare_) return {w.location, w.log_scale, w.skew, w.log_kurtosis};
  const double distance = w.location - common_;
  return {std::copysign(std::sqrt(std::abs(distance)), distance), w.log_scale, 1 / std::sqrt(w.skew * w.skew + 4),
          w.log_kurtosis};
}

double Terms::shift(double step) const {
  return rare_ ? step * (step + 2 * std::sqrt(mean_)) : step;
}

}  // namespace vigie::drift
