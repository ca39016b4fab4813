// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>

#include "drift/omnibus_internal.h"

namespace vigie::drift::omnibus_detail {
namespace {

constexpr std::int64_t kFineGroups = 64, kCoarseGroups = 20;
constexpr double kFewestExpected = 5;
constexpr int kDegrees = 4;

}  // namespace

NumericLayout::NumericLayout(std::span<const std::int64_t> pooled, std::int64_t n, std::int64_t m,
                             std::span<const double> anderson_darling_weights)
    : pooled_(pooled),
      n_(static_cast<double>(n)),
      m_(static_cast<double>(m)),
      ad_weights_(anderson_darling_weights),
      fine_(merge(pooled, std::min(n, m), kFineGroups)),
      coarse_(merge(pooled, std::min(n, m), kCoarseGroups)) {
  const double total = n_ + m_;
  scale_ = (total - 1) / total * (n_ * m_ / total);
  const std::size_t groups = fine_.size();
  degrees_ = static_cast<int>(std::min<std::size_t>(kDegrees, groups - 1));
  if (degrees_ == 0) return;
  // Three-term recurrence (Stieltjes) for polynomials in the mid-ranks, orthonormal under the pooled shares.
  const auto degrees = static_cast<std::size_t>(degrees_);
  polynomials_.resize(groups * degrees);
  std::vector<double> scratch(4 * groups);
  const std::span<double> share(scratch.data(), groups), t(&scratch[groups], groups), a(&scratch[2 * groups], groups),
      before(&scratch[3 * groups], groups);
  double below = 0;
  for (std::size_t g = 0; g < groups; ++g) {
    share[g] = fine_[g].pooled / total;
    t[g] = (2 * below + fine_[g].pooled) / total - 1;
    below += fine_[g].pooled;
    a[g] = 1;
    before[g] = 0;
  }
  double beta = 0;
  for (std::size_t d = 0; d < degrees; ++d) {
    double alpha = 0;
    for (std::size_t g = 0; g < groups; ++g) alpha += share[g] * t[g] * a[g] * a[g];
    double norm = 0;
    for (std::size_t g = 0; g < groups; ++g) {
      const double next = (t[g] - alpha) * a[g] - beta * before[g];
      before[g] = a[g];
      a[g] = next;
      norm += share[g] * next * next;
    }
    beta = std::sqrt(norm);
    for (std::size_t g = 0; g < groups; ++g) polynomials_[g * degrees + d] = a[g] /= beta;
  }
}

std::vector<NumericLayout::Group> NumericLayout::merge(std::span<const std::int64_t> pooled, std::int64_t smaller,
                                                       std::int64_t groups) {
  std::int64_t total = 0;
  for (const std::int64_t l : pooled) total += l;
  const double share = static_cast<double>(smaller) / static_cast<double>(total);
  const double enough = static_cast<double>(total) / static_cast<double>(groups);
  const auto expected = [&](double rows) { return rows * share >= kFewestExpected; };
  std::vector<Group> out;
  out.reserve(static_cast<std::size_t>(groups) + 4);
  double open = 0;
  for (std::size_t j = 0; j < pooled.size(); ++j) {
    const double l = static_cast<double>(pooled[j]);
    if (l >= enough && expected(l) && expected(open)) {
      out.push_back({j, open});
      open = 0;
    }
    open += l;
    if (open >= enough && expected(open)) {
      out.push_back({j + 1, open});
      open = 0;
    }
  }
  if (open > 0) {
    if (expected(open) || out.empty()) {
      out.push_back({pooled.size(), open});
    } else {
      out.back().end = pooled.size();
      out.back().pooled += open;
    }
  }
  return out;
}

NumericLayout::Statistics NumericLayout::operator()(std::span<const std::int64_t> reference) const {
  const double inv_n = 1 / n_, inv_m = 1 / m_, total = n_ + m_;
  Statistics s{0, 0, 0};
  std::array<double, kDegrees> z{};
  const auto degrees = static_cast<std::size_t>(degrees_);
  std::int64_t x_below = 0, y_below = 0;
  std::int64_t x_fine = 0, y_fine = 0, x_coarse = 0;
  std::size_t f = 0, c = 0;
  for (std::size_t j = 0; j < reference.size(); ++j) {
    const std::int64_t x = reference[j], y = pooled_[j] - x;
    const double apart = (static_cast<double>(x_below) + static_cast<double>(x) / 2) * inv_n -
                         (static_cast<double>(y_below) + static_cast<double>(y) / 2) * inv_m;
    s.anderson_darling += ad_weights_[j] * apart * apart;
    x_below += x;
    y_below += y;
    if (j + 1 == fine_[f].end) {
      const double d = static_cast<double>(y_below - y_fine) * inv_m - static_cast<double>(x_below - x_fine) * inv_n;
      for (std::size_t i = 0; i < degrees; ++i) z[i] += polynomials_[f * degrees + i] * d;
      x_fine = x_below;
      y_fine = y_below;
      ++f;
    }
    if (j + 1 == coarse_[c].end) {
      const double l = coarse_[c].pooled, excess = static_cast<double>(x_below - x_coarse) - l * (n_ / total);
      s.pearson += excess * excess / l;
      x_coarse = x_below;
      ++c;
    }
  }
  s.anderson_darling *= scale_;
  s.pearson *= (total / n_) * (total / m_);
  for (const double v : z) s.polynomial += v * v * scale_;
  return s;
}

}  // namespace vigie::drift::omnibus_detail
