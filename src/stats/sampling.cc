// SPDX-License-Identifier: Apache-2.0
#include "stats/sampling.h"

#include <algorithm>
#include <cmath>

#include "stats/distributions.h"
#include "stats/hypergeometric.h"

namespace vigie::stats {
namespace {

constexpr double kNormalAbove = 1e4;  ///< variance
/// Cells that expect fewer rows than this are filled row by row.
constexpr double kLarge = 16;

/// Inversion that walks outwards from the mode. `up(k)` is P(k+1)/P(k), `down(k)` is P(k−1)/P(k).
template <class Up, class Down>
std::int64_t invert(Rng& rng, std::int64_t mode, double pmf, const Up& up, const Down& down) {
  double u = rng.uniform() - pmf, above = pmf, below = pmf;
  for (std::int64_t high = mode, low = mode; u >= 0 && above + below > 1e-18;) {
    above *= up(high++);
    if ((u -= above) < 0) return high;
    below *= down(low--);
    if ((u -= below) < 0) return low;
  }
  return mode;
}

std::int64_t rounded_normal(Rng& rng, double mean, double variance, std::int64_t low, std::int64_t high) {
  return std::clamp(static_cast<std::int64_t>(std::llround(mean + std::sqrt(variance) * draw_normal(rng))), low, high);
}

}  // namespace

double draw_normal(Rng& rng) {
  for (;;) {
    const double x = 2 * rng.uniform() - 1, y = 2 * rng.uniform() - 1, s = x * x + y * y;
    if (s < 1 && s > 0) return x * std::sqrt(-2 * std::log(s) / s);
  }
}

double draw_gamma(Rng& rng, double shape) {
  if (!(shape > 0)) return 0;
  if (shape < 1) return draw_gamma(rng, shape + 1) * std::pow(1 - rng.uniform(), 1 / shape);
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double z = draw_normal(rng), t = 1 + c * z, v = t * t * t;
    if (v > 0 && std::log(1 - rng.uniform()) < z * z / 2 + d * (1 - v + std::log(v))) return d * v;
  }
}

std::int64_t draw_binomial(Rng& rng, std::int64_t n, double p) {
  if (n <= 0 || !(p > 0)) return 0;
  if (p >= 1) return n;
  if (p > .5) return n - draw_binomial(rng, n, 1 - p);
  const double rows = static_cast<double>(n), mean = rows * p, odds = p / (1 - p);
  if (mean * (1 - p) > kNormalAbove) return rounded_normal(rng, mean, mean * (1 - p), 0, n);
  const auto up = [&](std::int64_t k) { return (rows - static_cast<double>(k)) / static_cast<double>(k + 1) * odds; };
  const auto down = [&](std::int64_t k) { return static_cast<double>(k) / (rows - static_cast<double>(k) + 1) / odds; };
  if (mean < 10) return invert(rng, 0, std::exp(rows * std::log1p(-p)), up, down);
  const auto mode = static_cast<std::int64_t>((rows + 1) * p);
  const double k = static_cast<double>(mode);
  const double pmf = std::exp(log_factorial(n) - log_factorial(mode) - log_factorial(n - mode) + k * std::log(p) +
                              (rows - k) * std::log1p(-p));
  return invert(rng, mode, pmf, up, down);
}

std::int64_t draw_hypergeometric(Rng& rng, std::int64_t total, std::int64_t marked, std::int64_t drawn) {
  const Hypergeometric law{total, marked, drawn};
  const std::int64_t low = law.lowest(), high = law.highest();
  if (low >= high) return std::max<std::int64_t>(low, 0);
  if (const double variance = law.variance(); variance > kNormalAbove) {
    return rounded_normal(rng, law.mean(), variance, low, high);
  }
  const double all = static_cast<double>(total), k1 = static_cast<double>(marked), n = static_cast<double>(drawn);
  const std::int64_t mode = std::clamp(static_cast<std::int64_t>((k1 + 1) * ((n + 1) / (all + 2))), low, high);
  const double rest = all - k1 - n;
  const auto up = [&](std::int64_t k) {
    const double x = static_cast<double>(k);
    return (k1 - x) * (n - x) / ((x + 1) * (rest + x + 1));
  };
  const auto down = [&](std::int64_t k) {
    const double x = static_cast<double>(k);
    return x * (rest + x) / ((k1 - x + 1) * (n - x + 1));
  };
  return invert(rng, mode, law.pmf(mode), up, down);
}

FixedMargins::FixedMargins(std::span<const std::int64_t> cells, std::int64_t drawn) : cells_(cells), drawn_(drawn) {
  for (const std::int64_t rows : cells) total_ += rows;
  const double share = static_cast<double>(drawn) / static_cast<double>(std::max<std::int64_t>(total_, 1));
  for (std::size_t i = 0; i < cells.size(); ++i) {
    (static_cast<double>(cells[i]) * share >= kLarge ? large_ : small_).push_back(i);
  }
  for (const std::size_t i : small_) cumulative_.push_back(small_rows_ += cells[i]);
}

void FixedMargins::operator()(Rng& rng, std::span<std::int64_t> out) const {
  std::fill(out.begin(), out.end(), 0);
  std::int64_t total = total_, left = drawn_;
  for (const std::size_t i : large_) {
    out[i] = draw_hypergeometric(rng, total, cells_[i], left);
    total -= cells_[i];
    left -= out[i];
  }
  const bool inverted = left > small_rows_ - left;
  for (std::int64_t rows = inverted ? small_rows_ - left : left; rows > 0;) {
    const auto row = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(small_rows_)));
    const auto at = std::upper_bound(cumulative_.begin(), cumulative_.end(), row) - cumulative_.begin();
    const std::size_t i = small_[static_cast<std::size_t>(at)];
    // `row` is uniform within its cell: one that ranks below the number already taken stands for a taken row.
    if (cumulative_[static_cast<std::size_t>(at)] - row <= out[i]) continue;
    ++out[i];
    --rows;
  }
  if (!inverted) return;
  for (const std::size_t i : small_) out[i] = cells_[i] - out[i];
}

Gaps::Gaps(std::span<const double> gaps, std::int64_t drawn) : gaps_(gaps), drawn_(drawn) {}

void Gaps::operator()(Rng& rng, std::span<std::int64_t> out) const {
  // From the last cell back: a gamma and the sum of those before it are all that the next binomial needs.
  double before = 0;
  std::int64_t left = drawn_;
  std::vector<double> share(gaps_.size());
  for (std::size_t i = 0; i < gaps_.size(); ++i) before += share[i] = draw_gamma(rng, gaps_[i]);
  for (std::size_t i = gaps_.size(); i-- > 0;) {
    const double p = i == 0 || before <= share[i] ? (share[i] > 0 || i == 0 ? 1 : 0) : share[i] / before;
    out[i] = left > 0 ? draw_binomial(rng, left, std::clamp(p, 0.0, 1.0)) : 0;
    left -= out[i];
    before = std::max(0.0, before - share[i]);
  }
}

}  // namespace vigie::stats
