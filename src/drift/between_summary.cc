// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "drift/between.h"
#include "drift/between_terms_internal.h"
#include "stats/distributions.h"

namespace vigie::drift {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double sum_of(std::span<const std::int64_t> counts) {
  return static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
}

// Normal scores of the cells: the mean of a standard normal variable within each cell's stretch of probability.
std::vector<double> normal_scores(std::span<const double> shares) {
  std::vector<double> scores(shares.size());
  double below = 0, quantile = -std::numeric_limits<double>::infinity(), density = 0;
  for (std::size_t j = 0; j < shares.size(); ++j) {
    if (shares[j] > 0) {
      const double end = j + 1 == shares.size() ? 1 : std::min(1., below + shares[j]);
      const double next = stats::normal_quantile(end), next_density = stats::normal_pdf(next);
      scores[j] = (density - next_density) / shares[j];
      below = end;
      quantile = next;
      density = next_density;
    } else {
      scores[j] = quantile;
    }
  }
  // Without reference rows above, a cell has no stretch of its own and the quantile before it may be infinite.
  for (auto& score : scores) score = std::clamp(score, -40., 40.);
  return scores;
}

}  // namespace

Summarizer::Summarizer(const Axis& axis, const Sample& reference) : kind_(axis.kind), rows_(sum_of(reference.counts)) {
  const auto counts = reference.counts;
  const std::size_t cells = counts.size();
  if (kind_ == kCategorical) {
    category_.resize(cells);
    std::iota(category_.begin(), category_.end(), std::size_t{0});
    std::ranges::stable_sort(category_, std::ranges::greater{}, [&](std::size_t i) { return counts[i]; });
    while (!category_.empty() && (category_.size() > kArcsine || counts[category_.back()] == 0)) category_.pop_back();
    for (const auto i : category_) category_share_.push_back(static_cast<double>(counts[i]) / rows_);
    return;
  }
  shares_.resize(cells);
  for (std::size_t j = 0; j < cells; ++j) {
    const bool outside = j == 0 || j + 1 == cells;
    shares_[j] = outside && counts[j] == 0 ? .5 : static_cast<double>(counts[j]);
  }
  const double total = std::accumulate(shares_.begin(), shares_.end(), 0.);
  for (auto& share : shares_) share /= total;
  scores_ = normal_scores(shares_);
  group_.resize(cells);
  group_rows_.resize(kWindowGroups);
  double below = 0;
  for (std::size_t j = 0; j < cells; ++j) {
    const double middle = rows_ > 0 ? (below + static_cast<double>(counts[j]) / 2) / rows_ : 0;
    group_[j] = static_cast<std::uint8_t>(std::clamp(middle * kWindowGroups, 0., kWindowGroups - 1.));
    below += static_cast<double>(counts[j]);
    group_rows_[group_[j]] += static_cast<double>(counts[j]);
  }
}

WindowSummary Summarizer::operator()(const Sample& window, bool held_out) const {
  WindowSummary summary;
  const auto counts = window.counts;
  summary.rows = sum_of(counts);
  const bool enough = summary.rows >= static_cast<double>(kFewestRows);
  if (kind_ == kCategorical) {
    for (const auto i : category_) {
      summary.arcsine.push_back(enough ? arcsine(static_cast<double>(counts[i]), summary.rows) : kNan);
    }
    return summary;
  }
  if (!enough || counts.size() != scores_.size()) return summary;
  std::vector<double> shares(counts.begin(), counts.end());
  for (double& share : shares) share /= summary.rows;
  const Shape shape = shape_of(scores_, shares);
  summary.location = shape.location;
  if (std::ranges::count_if(counts, [](std::int64_t n) { return n > 0; }) > 1 && shape.variance > 0) {
    summary.log_scale = std::log(shape.variance) / 2;
    summary.skew = shape.skew;
    summary.log_kurtosis = std::log(shape.kurtosis);
  } else {
    // All rows in one cell, as of a frozen sensor: no scale at all, told as half a row one sd away.
    summary.log_scale = std::log(.5 / summary.rows) / 2;
  }
  std::array<double, kWindowGroups> current{};
  for (std::size_t j = 0; j < counts.size(); ++j) current[group_[j]] += static_cast<double>(counts[j]);
  const double m = summary.rows, n = held_out ? rows_ - m : rows_;
  if (!(n > 0)) return summary;
  double sum = 0;
  for (std::size_t g = 0; g < kWindowGroups; ++g) {
    const double x = std::max(0., held_out ? group_rows_[g] - current[g] : group_rows_[g]), pooled = x + current[g];
    if (!(pooled > 0)) continue;
    const double expected = pooled * m / (n + m);
    sum += (current[g] - expected) * (current[g] - expected) / (expected * n / (n + m));
  }
  summary.chi2 = sum;
  return summary;
}

WindowSummary merge(std::span<const WindowSummary> windows) {
  WindowSummary out;
  if (windows.empty()) return out;
  for (const auto& w : windows) out.rows += w.rows;
  std::size_t shares = windows.front().arcsine.size();
  for (const auto& w : windows) shares = std::min(shares, w.arcsine.size());
  for (std::size_t i = 0; i < shares; ++i) {
    double count = 0;
    for (const auto& w : windows) count += count_of(w.arcsine[i], w.rows);
    out.arcsine.push_back(arcsine(std::max(0., count), out.rows));
  }
  if (shares > 0) return out;
  double mean = 0;
  for (const auto& w : windows) mean += w.location * w.rows / out.rows;
  double second = 0, third = 0, fourth = 0;
  for (const auto& w : windows) {
    const double d = w.location - mean, v = std::exp(2 * w.log_scale);
    const double v3 = std::isfinite(w.skew) ? w.skew * std::pow(v, 1.5) : 0,
                 v4 = std::isfinite(w.log_kurtosis) ? std::exp(w.log_kurtosis) * v * v : v * v;
    const double share = w.rows / out.rows;
    second += share * (v + d * d);
    third += share * (v3 + 3 * d * v + d * d * d);
    fourth += share * (v4 + 4 * d * v3 + 6 * d * d * v + d * d * d * d);
  }
  out.location = mean;
  out.log_scale = std::log(second) / 2;
  out.skew = third / std::pow(second, 1.5);
  out.log_kurtosis = std::log(fourth / (second * second));
  return out;
}

}  // namespace vigie::drift
