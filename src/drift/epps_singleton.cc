// SPDX-License-Identifier: Apache-2.0
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <array>
#include <cmath>

#include "drift/null_internal.h"
#include "stats/distributions.h"

namespace vigie::drift {
namespace {

constexpr std::array kFrequencies = {.4, .8};
constexpr std::size_t kMostPoints = 512;
/// Fewer rows in the smaller sample than this make χ² too loud at small levels: measured.
constexpr std::int64_t kFewestAsymptotic = 1000;
constexpr double kCorrectedBelow = 25;
/// Directions of the covariance that vary less than this, relative to the most varying, do not vary.
constexpr double kFlat = 1e-9;
/// The semi-interquartile range of a normal law in its standard deviation.
constexpr double kNormalQuartile = .6744897501960817;

struct W {
  double w;
  int degrees;
};

/// The real and imaginary parts of the characteristic function at both frequencies, for each point.
class Transform {
 public:
  Transform(std::span<const double> at, double scale) : points_(at.size()) {
    for (std::size_t j = 0; j < at.size(); ++j) {
      for (std::size_t f = 0; f < kFrequencies.size(); ++f) {
        const double angle = kFrequencies[f] * (at[j] / scale);
        points_[j][static_cast<Eigen::Index>(f)] = std::cos(angle);
        points_[j][static_cast<Eigen::Index>(f + 2)] = std::sin(angle);
      }
    }
  }

  W operator()(std::span<const std::int64_t> x, std::span<const std::int64_t> y) const {
    Eigen::Vector4d mean_x, mean_y;
    Eigen::Matrix4d covariance = Eigen::Matrix4d::Zero();
    const double n = add(x, mean_x, covariance), m = add(y, mean_y, covariance), all = n + m;
    covariance *= all;
    const Eigen::SelfAdjointEigenSolver<Eigen::Matrix4d> solver(covariance);
    const Eigen::Vector4d turned = solver.eigenvectors().transpose() * (mean_x - mean_y);
    W out{0, 0};
    for (Eigen::Index i = 0; i < 4; ++i) {
      const double variance = solver.eigenvalues()[i];
      if (!(variance > kFlat * solver.eigenvalues()[3])) continue;
      out.w += turned[i] * turned[i] / variance;
      ++out.degrees;
    }
    if (out.degrees == 0 && mean_x != mean_y) out.w = HUGE_VAL;  // both are constant
    out.w *= all;
    if (std::max(n, m) < kCorrectedBelow) {
      out.w /= 1 + std::pow(all, -.45) + 10.1 * (std::pow(n, -1.7) + std::pow(m, -1.7));
    }
    return out;
  }

 private:
  /// Adds the covariance of one sample over its rows, and returns these.
  double add(std::span<const std::int64_t> rows, Eigen::Vector4d& mean, Eigen::Matrix4d& covariance) const {
    double n = 0;
    mean.setZero();
    Eigen::Matrix4d products = Eigen::Matrix4d::Zero();
    for (std::size_t j = 0; j < points_.size(); ++j) {
      if (rows[j] == 0) continue;
      const double r = static_cast<double>(rows[j]);
      n += r;
      mean += r * points_[j];
      products.noalias() += r * (points_[j] * points_[j].transpose());
    }
    mean /= n;
    covariance += (products / n - mean * mean.transpose()) / n;
    return n;
  }

  std::vector<Eigen::Vector4d> points_;
};

/// The pooled row at a share of the ranks, between two rows in proportion.
double quantile(const Cells& cells, double share) {
  const double rank = share * static_cast<double>(cells.n + cells.m - 1);
  const auto whole = static_cast<std::int64_t>(rank);
  const auto row = [&](std::int64_t i) {
    std::int64_t below = 0;
    for (std::size_t j = 0; j < cells.size(); ++j) {
      if ((below += cells.pooled(j)) > i) return cells.at[j];
    }
    return cells.at.back();
  };
  const double low = row(whole), high = row(whole + 1);
  return low + (rank - static_cast<double>(whole)) * (high - low);
}

double pooled_sd(const Cells& cells) {
  const double all = static_cast<double>(cells.n + cells.m);
  double mean = 0, squares = 0;
  for (std::size_t j = 0; j < cells.size(); ++j) mean += static_cast<double>(cells.pooled(j)) / all * cells.at[j];
  for (std::size_t j = 0; j < cells.size(); ++j) {
    squares += static_cast<double>(cells.pooled(j)) / all * (cells.at[j] - mean) * (cells.at[j] - mean);
  }
  return std::sqrt(squares);
}

Score run(const Axis& axis, const Sample& reference, const Sample& current, const Args& args) {
  Cells cells = numeric_cells(axis, reference, current);
  Score score = blank_score(cells);
  if (is_done(score)) return score;
  // The statistic does not change when all rows are moved; near zero the angles keep their digits.
  const double middle = quantile(cells, .5);
  for (double& v : cells.at) v -= middle;
  double scale = (quantile(cells, .75) - quantile(cells, .25)) / 2;
  if (!(scale > 0)) {
    scale = kNormalQuartile * pooled_sd(cells);
    score.note = "most rows are equal: frequencies are scaled by the standard deviation";
  }
  const W seen = Transform(cells.at, scale)(cells.x, cells.y);
  score.statistic = seen.w;
  if (std::isinf(seen.w)) {
    set_apart(score, cells);
    return score;
  }
  score.p_value = seen.degrees > 0 ? stats::chi2_sf(seen.w, seen.degrees) : 1;
  score.null = Null::kAsymptotic;
  const bool few = std::min(cells.n, cells.m) < kFewestAsymptotic;
  if (score.status == Status::kOk && score.p_value < kUndecided && (few || is_sparse(cells))) {
    const Cells points = grouped(cells, kMostPoints);
    const Transform transform(points.at, scale);
    simulate(score, points, args,
             [&](std::span<const std::int64_t> x, std::span<const std::int64_t> y) { return transform(x, y).w; });
  }
  return score;
}

}  // namespace

constinit const Method epps_singleton{
    .name = "epps_singleton",
    .summary = "Distance of the two characteristic functions: sees shape, also of columns with ties",
    .reference = "Epps & Singleton 1986; Goerg & Kaiser 2009",
    .accepts = kNumeric,
    .statistic = "W at the frequencies 0.4 and 0.8, mean 4 without drift",
    .params = {},
    .run = run};

}  // namespace vigie::drift
