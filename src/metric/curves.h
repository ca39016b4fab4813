// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "metric/binary.h"
#include "metric/regression.h"

namespace vigie::metric {

/// What the pictures of a model's quality are drawn from: plain points, few whatever the number of rows. All are empty
/// where there are no scores, and the first two also where there is one class only. Each sorts the state where it is
/// not, and then costs about 10 ns a row.

struct RocPoint {
  double threshold;  ///< predictions are scores at or above it; ∞ at the first point
  double false_positive_rate, true_positive_rate;
};
/// From (0, 0) to (1, 1), thinned to steps of 2/`most` along both axes together.
std::vector<RocPoint> roc_curve(BinaryState& state, int most = 200);

struct PrecisionRecallPoint {
  double threshold, recall, precision;
};
/// From the highest threshold to the lowest, where recall is 1; thinned to steps of 1/`most` in recall.
std::vector<PrecisionRecallPoint> precision_recall_curve(BinaryState& state, int most = 200);

struct ReliabilityBin {
  double rows;  ///< a fraction where rows of one score were shared out
  double mean_score;
  double positive_share, low, high;  ///< with its 95 % interval
};
/// The bins of `ece`: 15 of equal counts. Empty unless all scores are within 0..1.
std::vector<ReliabilityBin> reliability_curve(BinaryState& state);

struct GainPoint {
  double rows;  ///< share of rows taken, those with the highest scores first
  double gain;  ///< share of the positives that are among them
  double lift;  ///< gain / rows; 1 is what random order gives
};
/// At 1/`steps`, 2/`steps`, … 1 of the rows. Empty without positive rows.
std::vector<GainPoint> gain_curve(BinaryState& state, int steps = 20);

struct ResidualPoint {
  double share;     ///< of residuals (prediction − label) at or below
  double residual;  ///< their quantile
  double normal;    ///< that of the normal distribution with the same mean and standard deviation
};
/// At the middles of `steps` equal shares.
std::vector<ResidualPoint> residual_curve(RegressionState& state, int steps = 99);

}  // namespace vigie::metric
