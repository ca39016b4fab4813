// SPDX-License-Identifier: Apache-2.0
#include "drift/effect.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "stats/distributions.h"
#include "stats/hypergeometric.h"

namespace vigie::drift {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kPower = .8, kPowerQuantile = .8416212335729143;
constexpr double kAndersonDarlingShare = .5, kPearsonShare = .7, kFewestExpected = 5;
/// Simulated over formula for a location shift (recipe section 7).
constexpr double kLocationLoss = 1.02;

struct Sizes {
  double n, m;
  double noise() const { return 1 / n + 1 / m; }
};

Effect corrected(double raw, double noise, bool share) {
  return {raw, noise, std::sqrt(std::max(0.0, raw * raw - noise * noise)), share};
}

/// Mean distance of two shares of size p that differ by sampling only.
double share_noise(double p, const Sizes& s) {
  return std::sqrt(2 / std::numbers::pi * std::max(0.0, p * (1 - p)) * s.noise());
}

Effect total_variation(const Sample& reference, const Sample& current, const Sizes& s) {
  const std::size_t cells = std::min(reference.counts.size(), current.counts.size());
  double raw = 0, noise = 0;
  for (std::size_t j = 0; j < cells; ++j) {
    const double x = static_cast<double>(reference.counts[j]), y = static_cast<double>(current.counts[j]);
    raw += std::abs(x / s.n - y / s.m) / 2;
    noise += share_noise((x + y) / (s.n + s.m), s) / 2;
  }
  return corrected(raw, noise, true);
}

/// The smallest Δ with Δ² = strength·q(1−q)(1/n+1/m), where q is the pooled share once the share p of the current
/// sample has moved by Δ in the given direction; NaN when even `most` is too little.
double smallest_move(double p, double strength, double direction, double most, const Sizes& s) {
  const double carried = direction * s.m / (s.n + s.m);
  const auto short_of = [&](double move) {
    const double q = std::clamp(p + carried * move, 0.0, 1.0);
    return move * move < strength * q * (1 - q) * s.noise();
  };
  if (!(most > 0) || short_of(most)) return kNan;
  double low = 0, high = most;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (short_of(middle) ? low : high) = middle;
  }
  return high;
}

/// In either direction, the upward one first; 1 when no move of this share is enough.
double detectable_move(double p, double strength, const Sizes& s) {
  const double up = smallest_move(p, strength, 1, 1 - p, s);
  if (!std::isnan(up)) return up;
  const double down = smallest_move(p, strength, -1, p, s);
  return std::isnan(down) ? 1 : down;
}

}  // namespace

Effect effect(const Axis& axis, const Sample& reference, const Sample& current) {
  const Sizes s{static_cast<double>(reference.rows()), static_cast<double>(current.rows())};
  const bool share = axis.kind == kCategorical || !(axis.sd > 0);
  if (s.n == 0 || s.m == 0) return {kNan, kNan, kNan, share};
  if (share) return total_variation(reference, current, s);
  const std::size_t cells = std::min({reference.counts.size(), current.counts.size(), axis.centers.size()});
  std::int64_t x = 0, y = 0;
  double raw = 0, noise = 0;
  for (std::size_t j = 0; j + 1 < cells; ++j) {
    x += reference.counts[j];
    y += current.counts[j];
    const double gap = (axis.centers[j + 1] - axis.centers[j]) / axis.sd;
    raw += std::abs(static_cast<double>(x) / s.n - static_cast<double>(y) / s.m) * gap;
    noise += share_noise(static_cast<double>(x + y) / (s.n + s.m), s) * gap;
  }
  raw += current.beyond / s.m;
  return corrected(raw, noise, false);
}

Effect share_effect(std::int64_t k, std::int64_t n, std::int64_t l, std::int64_t m) {
  if (n <= 0 || m <= 0) return {kNan, kNan, kNan, true};
  const Sizes s{static_cast<double>(n), static_cast<double>(m)};
  const double raw = std::abs(static_cast<double>(k) / s.n - static_cast<double>(l) / s.m);
  return corrected(raw, share_noise(static_cast<double>(k + l) / (s.n + s.m), s), true);
}

double detectable_effect(const Axis& axis, const Sample& reference, const Sample& current, double level) {
  const std::int64_t rows = reference.rows(), current_rows = current.rows();
  if (std::min(rows, current_rows) < kFewestRows || !(level > 0 && level < 1)) return kNan;
  const Sizes s{static_cast<double>(rows), static_cast<double>(current_rows)};
  if (axis.kind == kNumeric) {
    if (!(axis.sd > 0)) return detectable_share(0, rows, current_rows, level);
    const double z = -stats::normal_quantile(level * kAndersonDarlingShare / 2);
    return kLocationLoss * std::sqrt(s.noise()) * (z + kPowerQuantile);
  }
  const std::size_t cells = std::min(reference.counts.size(), current.counts.size());
  const double share = std::min(s.n, s.m) / (s.n + s.m);
  std::int64_t largest = 0;
  double kept = 0;
  bool rest = false;
  for (std::size_t j = 0; j < cells; ++j) {
    const std::int64_t pooled = reference.counts[j] + current.counts[j];
    largest = std::max(largest, reference.counts[j]);
    const bool keep = static_cast<double>(pooled) * share >= kFewestExpected;
    kept += keep;
    rest = rest || (!keep && pooled > 0);
  }
  const double df = std::max(1.0, kept + (rest ? 1 : 0) - 1);
  const double strength = stats::chi2_noncentrality(stats::chi2_isf(kPearsonShare * level, df), df, kPower);
  return detectable_move(static_cast<double>(largest) / s.n, strength, s);
}

double detectable_share(std::int64_t k, std::int64_t n, std::int64_t m, double level) {
  if (std::min(n, m) < kFewestRows || !(level > 0 && level < 1)) return kNan;
  const Sizes s{static_cast<double>(n), static_cast<double>(m)};
  const double z = kPowerQuantile - stats::normal_quantile(level / 2);
  return detectable_move(static_cast<double>(k) / s.n, z * z, s);
}

Score missing_share(std::int64_t k, std::int64_t n, std::int64_t l, std::int64_t m) {
  Score score{.statistic = kNan, .p_value = kNan, .components = {}, .note = {}};
  if (n <= 0 || m <= 0) {
    score.status = Status::kEmpty;
    return score;
  }
  if (std::min(n, m) < kFewestRows) score.status = Status::kTooFewRows;
  score.statistic = static_cast<double>(l) / static_cast<double>(m) - static_cast<double>(k) / static_cast<double>(n);
  score.p_value = stats::Hypergeometric{n + m, k + l, m}.two_sided_mid(l);
  score.null = Null::kExact;
  return score;
}

}  // namespace vigie::drift
