// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "metric/metric.h"
#include "metric/sorted_values.h"

namespace vigie::metric {

/// Rows by truth and prediction.
struct BinaryCounts {
  std::int64_t tn = 0, fp = 0, fn = 0, tp = 0;
  std::int64_t rows() const { return tn + fp + fn + tp; }
  std::int64_t positives() const { return fn + tp; }
  std::int64_t negatives() const { return tn + fp; }
  std::int64_t selected() const { return fp + tp; }
  void add(bool positive, bool selected, std::int64_t rows = 1) {
    (positive ? selected ? tp : fn : selected ? fp : tn) += rows;
  }
  void add(const BinaryCounts& other) { tn += other.tn, fp += other.fp, fn += other.fn, tp += other.tp; }
};

struct BinaryOptions {
  double threshold = .5;                     ///< prediction = score ≥ threshold
  std::size_t limit = SortedValues::kLimit;  ///< scores of one class kept exactly; see SortedValues
};

/// Two classes. Scores of positive and negative rows, and the counts at the threshold, which stay exact beyond the
/// limit.
class BinaryState {
 public:
  static constexpr std::uint8_t kUnlabelled = 2;
  explicit BinaryState(BinaryOptions options = {});

  /// Labels: 1 positive, 0 negative, anything else unlabelled. A score that is NaN or infinite leaves its row out.
  /// Higher scores mean positive; log_loss, brier and ece need 0..1. The spans have one length. 3 ns a row.
  /// Where there are `predictions`, the classes that were decided on, these count in place of the threshold; one that
  /// is neither 0 nor 1 leaves its row out.
  void update(std::span<const double> scores, std::span<const std::uint8_t> labels,
              std::span<const std::uint8_t> predictions = {});
  /// Predicted classes in place of scores, 0 or 1 (anything else is missing); what needs scores will not exist. A state
  /// takes either rows with scores or rows without.
  void update_predictions(std::span<const std::uint8_t> predictions, std::span<const std::uint8_t> labels);
  /// As if this had seen the other's rows too. Another threshold: Code::kInput, and nothing changes.
  Status merge(const BinaryState& other);

  std::int64_t rows() const { return rows_; }  ///< all that came
  std::int64_t unlabelled() const { return unlabelled_; }
  std::int64_t unscored() const { return unscored_; }  ///< labelled, without a number or prediction
  const BinaryCounts& counts() const { return counts_; }

  void save(ByteWriter& out);  ///< the same rows give the same bytes
  /// Code::kCorrupt for bytes that no save() wrote.
  static Result<BinaryState> load(ByteReader& in);

  /// Sorts; afterwards the scores are read in order.
  void sort();
  const SortedValues& positive() const { return positive_; }
  const SortedValues& negative() const { return negative_; }

  /// Sorts and reads the scores once: about 30 ns a row, for all metrics together.
  BinarySummary summarize(double beta = 2, std::optional<std::array<double, 4>> costs = {});

 private:
  BinaryOptions options_;
  std::int64_t rows_ = 0, unlabelled_ = 0, unscored_ = 0;
  BinaryCounts counts_;
  SortedValues positive_, negative_;
};

/// What the metrics of two classes read. Variances are those of the estimate beside them, for independent rows.
struct BinarySummary {
  BinaryCounts counts;
  double beta = 2;                             ///< of f_beta: how many times as much as precision recall counts
  std::optional<std::array<double, 4>> costs;  ///< worth of a row of tn, fp, fn, tp
  bool has_scores = false;
  double rounding = 0;        ///< of the scores; see SortedValues
  bool probabilities = true;  ///< all scores within 0..1
  double roc_auc = kNaN;
  double roc_auc_positive = 0, roc_auc_negative = 0;  ///< its variance is the sum: what each class contributes
  double pr_auc = kNaN, pr_auc_variance = 0;
  double ks = kNaN, ks_true = 0, ks_false = 0;  ///< and the shares of positives and negatives below where it is found
  double top_positives = kNaN;                  ///< positives among the tenth of rows with the highest scores
  double edge_share = 0;  ///< share of positives among the tenth of rows around that tenth's bound
  double log_loss = kNaN, log_loss_variance = 0;
  double brier = kNaN, brier_variance = 0;
  double ece = kNaN, ece_variance = 0;

  double positive_share() const { return static_cast<double>(counts.positives()) / static_cast<double>(counts.rows()); }
};

}  // namespace vigie::metric
