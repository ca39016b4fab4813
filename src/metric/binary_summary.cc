// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include "metric/binary.h"
#include "metric/binary_groups_internal.h"

namespace vigie::metric {
namespace {

/// Mean and its variance from sums.
std::pair<double, double> mean_of(double sum, double squares, double n) {
  return {sum / n, n > 1 ? std::max(0.0, squares - sum * sum / n) / (n * (n - 1)) : 0};
}

/// ROC AUC with the variance of DeLong et al. 1988, average precision with that of its influence function, the largest
/// distance of the two distribution functions: all from one walk up the scores.
class Ranking {
 public:
  Ranking(double positives, double negatives) : all_positive_(positives), all_negative_(negatives) {}
  void add(double p, double q) {
    const double above_positive = all_positive_ - below_positive_, above_negative = all_negative_ - below_negative_;
    if (p > 0) {
      const double wins = below_negative_ + q / 2;
      area_ += p * wins;
      area_squares_ += p * wins * wins;
      // A(s) positives and B(s) rows at or above s. AP = (1/P) Σ A/B over positives; a row x moves it by
      // (y (A/B + Σ 1/B − AP) − Σ A/B²) / P, the sums being over the positives at or below x.
      const double here = above_positive + above_negative, precision = above_positive / here;
      precision_ += p * precision;
      gain_ += p / here;
      loss_ += p * precision / here;
      const double moved = precision + gain_ - loss_;
      moved_ += p * moved;
      moved_squares_ += p * moved * moved;
    }
    if (q > 0) {
      const double beaten = above_positive - p / 2;
      beaten_squares_ += q * beaten * beaten;
      loss_squares_ += q * loss_ * loss_;
    }
    below_positive_ += p;
    below_negative_ += q;
    const double up = below_positive_ / all_positive_, down = below_negative_ / all_negative_;
    const double distance = std::abs(up - down);
    if (distance > ks_) ks_ = distance, ks_true_ = up, ks_false_ = down;
  }
  void finish(BinarySummary& out) const {
    const double p = all_positive_, n = all_negative_, auc = area_ / p / n, ap = precision_ / p;
    out.roc_auc = auc;
    const auto spread = [&](double squares, double rows, double scale) {
      return rows > 1 ? std::max(0.0, squares / (scale * scale) / rows - auc * auc) / (rows - 1) : 0;
    };
    out.roc_auc_positive = spread(area_squares_, p, n);
    out.roc_auc_negative = spread(beaten_squares_, n, p);
    out.pr_auc = ap;
    out.pr_auc_variance = (moved_squares_ - 2 * ap * moved_ + p * ap * ap + loss_squares_) / (p * p);
    out.ks = ks_;
    out.ks_true = ks_true_;
    out.ks_false = ks_false_;
  }

 private:
  double all_positive_, all_negative_;
  double below_positive_ = 0, below_negative_ = 0;
  double area_ = 0, area_squares_ = 0, beaten_squares_ = 0;
  double precision_ = 0, gain_ = 0, loss_ = 0, moved_ = 0, moved_squares_ = 0, loss_squares_ = 0;
  double ks_ = 0, ks_true_ = 0, ks_false_ = 0;
};

/// How many positives are among the rows below a rank; rows of one score are shared out in proportion.
class PositivesBelow {
 public:
  explicit PositivesBelow(double rank) : room_(rank) {}
  void add(double positives, double rows) {
    if (!(room_ > 0)) return;
    const double part = std::min(rows, room_);
    positives_ += positives * part / rows;
    room_ -= part;
  }
  double positives() const { return positives_; }

 private:
  double room_, positives_ = 0;
};

}  // namespace

BinarySummary BinaryState::summarize(double beta, std::optional<std::array<double, 4>> costs) {
  BinarySummary out;
  out.counts = counts_;
  out.beta = beta;
  out.costs = costs;
  const auto p = static_cast<double>(positive_.count()), q = static_cast<double>(negative_.count()), n = p + q;
  out.has_scores = n > 0;
  if (!out.has_scores) return out;
  sort();
  out.rounding = positive_.rounding();
  out.probabilities = (p == 0 || (positive_.at(0) >= 0 && positive_.at(positive_.count()) <= 1)) &&
                      (q == 0 || (negative_.at(0) >= 0 && negative_.at(negative_.count()) <= 1));

  constexpr double kLeast = std::numeric_limits<double>::epsilon();  // scikit-learn's bound for double
  Ranking ranking(p, q);
  CalibrationBins calibration(n);
  double loss = 0, loss_squares = 0, brier = 0, brier_squares = 0;
  PositivesBelow edge_from(n * .85), top_from(n - n / 10), edge_to(n * .95);
  each_score(*this, [&](double score, double ones, double zeros) {
    const double rows = ones + zeros;
    if (p > 0 && q > 0) ranking.add(ones, zeros);
    for (PositivesBelow* below : {&edge_from, &top_from, &edge_to}) below->add(ones, rows);
    if (!out.probabilities) return;
    const double clipped = std::clamp(score, kLeast, 1 - kLeast);
    if (ones > 0) {
      const double one = -std::log(clipped), error = (1 - score) * (1 - score);
      loss += ones * one;
      loss_squares += ones * one * one;
      brier += ones * error;
      brier_squares += ones * error * error;
    }
    if (zeros > 0) {
      const double one = -std::log(1 - clipped), error = score * score;
      loss += zeros * one;
      loss_squares += zeros * one * one;
      brier += zeros * error;
      brier_squares += zeros * error * error;
    }
    calibration.add(score, ones, rows);
  });
  if (p > 0 && q > 0) ranking.finish(out);
  out.top_positives = p - top_from.positives();
  out.edge_share = (edge_to.positives() - edge_from.positives()) / (n / 10);
  if (out.probabilities) {
    std::tie(out.log_loss, out.log_loss_variance) = mean_of(loss, loss_squares, n);
    std::tie(out.brier, out.brier_variance) = mean_of(brier, brier_squares, n);
    out.ece = 0;
    for (const CalibrationBins::Bin& bin : calibration.bins()) {
      const double gap = bin.positives - bin.scores;
      out.ece += std::abs(gap) / n;
      if (bin.rows > 1) out.ece_variance += (bin.squares - gap * gap / bin.rows) * bin.rows / (bin.rows - 1) / (n * n);
    }
  }
  return out;
}

}  // namespace vigie::metric
