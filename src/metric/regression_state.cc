// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "metric/counts_internal.h"
#include "metric/regression.h"

namespace vigie::metric {
namespace {

constexpr std::array kQuantiles = {.1, .5, .9};

double pinball(double label, double prediction, double quantile) {
  return label >= prediction ? quantile * (label - prediction) : (1 - quantile) * (prediction - label);
}

double symmetric(double label, double prediction) {
  const double size = std::abs(label) + std::abs(prediction);
  return size > 0 ? 2 * std::abs(prediction - label) / size : 0;
}

/// Mean of loss(label) over all labels.
template <class F>
double mean_over(const SortedValues& labels, F loss) {
  double sum = 0;
  for (Runs runs(labels); !runs.done();) {
    const double label = runs.value();
    sum += static_cast<double>(runs.next()) * loss(label);
  }
  return sum / static_cast<double>(labels.count());
}

/// The constant with the smallest mean relative error: the median with weights 1/|label|.
double relative_median(const SortedValues& labels) {
  const auto weight = [](double label) { return label != 0 ? 1 / std::abs(label) : 0; };
  const double half = mean_over(labels, weight) * static_cast<double>(labels.count()) / 2;
  double sum = 0, label = 0;
  for (Runs runs(labels); !runs.done() && sum < half;) {
    label = runs.value();
    sum += static_cast<double>(runs.next()) * weight(label);
  }
  return label;
}

}  // namespace

void RegressionState::update(std::span<const double> predictions, std::span<const double> labels) {
  constexpr std::size_t kBlock = 1024;  // that of Moments
  std::array<std::array<double, kBlock>, kLosses> losses;
  std::array<double, kBlock> kept;
  for (std::size_t from = 0; from < labels.size(); from += kBlock) {
    std::size_t held = 0, relative = 0, logarithms = 0;
    for (std::size_t i = from; i < std::min(from + kBlock, labels.size()); ++i) {
      const double y = labels[i], p = predictions[i], e = p - y;
      if (!std::isfinite(y)) {
        ++unlabelled_;
        continue;
      }
      if (!std::isfinite(e)) {
        ++unscored_;
        continue;
      }
      losses[kError][held] = e;
      losses[kAbsolute][held] = std::abs(e);
      losses[kSquared][held] = e * e;
      losses[kSymmetric][held] = symmetric(y, p);
      for (std::size_t q = 0; q < kQuantiles.size(); ++q) losses[kPinball10 + q][held] = pinball(y, p, kQuantiles[q]);
      if (y != 0 || e == 0) {
        losses[kRelative][relative++] = e == 0 ? 0 : std::abs(e / y);
      } else {
        ++zero_labels_;
      }
      if (y > -1 && p > -1) {
        const double log_error = std::log1p(p) - std::log1p(y);
        losses[kSquaredLog][logarithms++] = log_error * log_error;
      } else {
        ++no_logarithm_;
      }
      if (labels_.count() == 0 && held == 0) shift_ = y;
      linear_ += e * e * (y - shift_);
      quadratic_ += e * e * (y - shift_) * (y - shift_);
      kept[held++] = y;
    }
    for (std::size_t l = 0; l < kLosses; ++l) {
      losses_[l].update(std::span(losses[l]).first(l == kRelative ? relative : l == kSquaredLog ? logarithms : held));
    }
    label_.update(std::span(kept).first(held));
    labels_.update(std::span(kept).first(held));
    residuals_.update(std::span(losses[kError]).first(held));
  }
  rows_ += static_cast<std::int64_t>(labels.size());
}

void RegressionState::merge(const RegressionState& other) {
  if (&other == this) return merge(RegressionState(other));
  rows_ += other.rows_;
  unlabelled_ += other.unlabelled_;
  unscored_ += other.unscored_;
  zero_labels_ += other.zero_labels_;
  no_logarithm_ += other.no_logarithm_;
  if (labels_.count() == 0) shift_ = other.shift_;
  const double squares = other.losses_[kSquared].count()
                             ? other.losses_[kSquared].mean() * static_cast<double>(other.losses_[kSquared].count())
                             : 0;
  const double by = other.shift_ - shift_;
  quadratic_ += other.quadratic_ + 2 * by * other.linear_ + by * by * squares;
  linear_ += other.linear_ + by * squares;
  for (std::size_t l = 0; l < kLosses; ++l) losses_[l].merge(other.losses_[l]);
  label_.merge(other.label_);
  labels_.merge(other.labels_);
  residuals_.merge(other.residuals_);
}

void RegressionState::sort() {
  labels_.sort();
  residuals_.sort();
}

void RegressionState::save(ByteWriter& out) {
  for (const std::int64_t count : {rows_, unlabelled_, unscored_, zero_labels_, no_logarithm_}) {
    out.varint(static_cast<std::uint64_t>(count));
  }
  for (const sketch::Moments& loss : losses_) loss.save(out);
  label_.save(out);
  for (const double sum : {shift_, linear_, quadratic_}) out.fixed(sum);
  labels_.save(out);
  residuals_.save(out);
}

Result<RegressionState> RegressionState::load(ByteReader& in) {
  RegressionState state;
  for (std::int64_t* count :
       {&state.rows_, &state.unlabelled_, &state.unscored_, &state.zero_labels_, &state.no_logarithm_}) {
    *count = CountReader(in)();
  }
  for (sketch::Moments& loss : state.losses_) {
    VIGIE_ASSIGN(loss, sketch::Moments::load(in));
  }
  VIGIE_ASSIGN(state.label_, sketch::Moments::load(in));
  for (double* sum : {&state.shift_, &state.linear_, &state.quadratic_}) *sum = in.fixed<double>();
  VIGIE_ASSIGN(state.labels_, SortedValues::load(in));
  VIGIE_ASSIGN(state.residuals_, SortedValues::load(in));
  const std::int64_t n = state.labels_.count();
  bool good = state.rows_ == state.unlabelled_ + state.unscored_ + n && state.residuals_.count() == n &&
              state.label_.count() == n;
  for (std::size_t l = 0; l < kLosses; ++l) {
    const std::int64_t left_out = l == kRelative ? state.zero_labels_ : l == kSquaredLog ? state.no_logarithm_ : 0;
    good = good && state.losses_[l].count() == n - left_out;
  }
  if (!good) return fail(Code::kCorrupt, "counts of a regression state are damaged");
  return state;
}

RegressionSummary RegressionState::summarize() {
  RegressionSummary out;
  out.losses = losses_;
  out.baselines.fill(kNaN);
  out.n = labels_.count();
  out.zero_labels = zero_labels_;
  out.no_logarithm = no_logarithm_;
  if (out.n == 0) return out;
  sort();
  const auto n = static_cast<double>(out.n);
  out.rounding = std::max(labels_.rounding(), residuals_.rounding());

  const double mean = label_.mean(), median = labels_.median(), relative = relative_median(labels_);
  out.baselines[kError] = 0;
  out.baselines[kSquared] = label_.m2() / n;
  out.baselines[kAbsolute] = mean_over(labels_, [&](double y) { return std::abs(y - median); });
  out.baselines[kSymmetric] = mean_over(labels_, [&](double y) { return symmetric(y, median); });
  out.baselines[kRelative] = mean_over(labels_, [&](double y) { return y == 0 ? 0 : std::abs((y - relative) / y); });
  for (std::size_t q = 0; q < kQuantiles.size(); ++q) {
    const double quantile = labels_.at(static_cast<std::int64_t>(kQuantiles[q] * n));
    out.baselines[kPinball10 + q] = mean_over(labels_, [&](double y) { return pinball(y, quantile, kQuantiles[q]); });
  }
  if (no_logarithm_ == 0) {
    const double log_mean = mean_over(labels_, [](double y) { return std::log1p(y); });
    out.baselines[kSquaredLog] = mean_over(labels_, [&](double y) { return std::pow(std::log1p(y) - log_mean, 2); });
  }

  const SortedValues absolute = residuals_.distances(0);
  out.largest = absolute.at(out.n);
  out.largest_baseline = (labels_.at(out.n) - labels_.at(0)) / 2;
  out.median = absolute.median();
  out.median_baseline = labels_.distances(median).median();
  // Ranks that enclose the median of the population with 95 % (David & Nagaraja 2003).
  const double half = .979981992270027 * std::sqrt(n);
  if (out.n > 1) {
    out.median_low = absolute.at(static_cast<std::int64_t>(std::floor(n / 2 - half)));
    out.median_high = absolute.at(static_cast<std::int64_t>(std::ceil(n / 2 + half)));
  }

  out.label_squares = label_.m2();
  const sketch::Moments& squared = losses_[kSquared];
  const double sum = squared.mean() * n, fourth = squared.m2() + squared.mean() * sum, by = mean - shift_;
  const double left = sum / out.label_squares, crossed = quadratic_ - 2 * by * linear_ + by * by * sum;
  // Row i moves R² by −(e² − left·(y − mean)²) / Σ(y − mean)².
  out.r2_variance =
      std::max(0.0, fourth - 2 * left * crossed + left * left * label_.m4()) / (out.label_squares * out.label_squares);
  return out;
}

}  // namespace vigie::metric
