// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "metric/metric.h"
#include "metric/sorted_values.h"
#include "sketch/moments.h"

namespace vigie::metric {

/// A number predicted. Moments of the losses, and the labels and residuals in order (16 bytes a row up to the limit).
class RegressionState {
 public:
  enum Loss {
    kError,
    kAbsolute,
    kSquared,
    kRelative,
    kSymmetric,
    kSquaredLog,
    kPinball10,
    kPinball50,
    kPinball90,
    kLosses
  };

  /// `limit`: rows whose labels and residuals are kept exactly; see SortedValues.
  explicit RegressionState(std::size_t limit = SortedValues::kLimit) : labels_(limit), residuals_(limit) {}

  /// A label that is NaN or infinite is missing; a prediction that is leaves its row out. The spans have one length.
  /// About 60 ns a row.
  void update(std::span<const double> predictions, std::span<const double> labels);
  /// As if this had seen the other's rows too.
  void merge(const RegressionState& other);

  std::int64_t rows() const { return rows_; }
  std::int64_t unlabelled() const { return unlabelled_; }
  std::int64_t unscored() const { return unscored_; }  ///< labelled, without a predicted number

  void save(ByteWriter& out);
  /// Code::kCorrupt for bytes that no save() wrote.
  static Result<RegressionState> load(ByteReader& in);

  void sort();
  const SortedValues& labels() const { return labels_; }
  const SortedValues& residuals() const { return residuals_; }  ///< prediction − label
  const sketch::Moments& residual_moments() const { return losses_[kError]; }

  /// Sorts, and finds what constant predictions would have got: about 100 ns a row.
  RegressionSummary summarize();

 private:
  std::int64_t rows_ = 0, unlabelled_ = 0, unscored_ = 0;
  std::int64_t zero_labels_ = 0, no_logarithm_ = 0;
  std::array<sketch::Moments, kLosses> losses_;
  sketch::Moments label_;
  // Σ e²(y − shift) and Σ e²(y − shift)²: how squared residuals go with labels, for the variance of R².
  double shift_ = 0, linear_ = 0, quadratic_ = 0;
  SortedValues labels_, residuals_;
};

/// What the metrics of a predicted number read.
struct RegressionSummary {
  std::array<sketch::Moments, RegressionState::kLosses> losses;
  std::array<double, RegressionState::kLosses> baselines;  ///< mean loss of the best constant (smape: of the median)
  std::int64_t n = 0;
  std::int64_t zero_labels = 0;   ///< rows with label 0 and another prediction, which have no relative error
  std::int64_t no_logarithm = 0;  ///< rows with a label or prediction of −1 or less
  double rounding = 0;            ///< of labels and residuals; see SortedValues
  double label_squares = 0;       ///< Σ (label − mean)²
  double r2_variance = 0;
  double largest = kNaN, largest_baseline = kNaN;  ///< absolute residual, and that of the middle of the range
  double median = kNaN, median_low = kNaN, median_high = kNaN, median_baseline = kNaN;  ///< likewise, of the median
};

}  // namespace vigie::metric
