// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "metric/binary.h"
#include "metric/metric.h"
#include "sketch/moments.h"

namespace vigie::metric {

struct MulticlassOptions {
  std::vector<std::string> classes;          ///< names, in the order of the scores and of the confusion matrix
  std::uint32_t top_k = 2;                   ///< of top_k_accuracy
  std::size_t limit = SortedValues::kLimit;  ///< scores of one class kept exactly; see SortedValues
};

/// Two or more classes, each row of one. The k × k counts and, where scores are given, for each class the scores of its
/// rows and of the others (8·k bytes a row up to the limit), and sums of the losses.
class MulticlassState {
 public:
  static constexpr std::uint32_t kUnlabelled = ~std::uint32_t{0};
  explicit MulticlassState(MulticlassOptions options = {});

  /// One span of scores per class, all of the length of `labels`; labels are indices of classes, anything above is
  /// unlabelled. The prediction is the class of the highest score, the first of equals. A row with a score that is NaN
  /// or infinite is left out. log_loss, brier and ece need scores within 0..1 that sum to 1 (within 0.05; they are not
  /// brought to 1). Where there are `predictions`, the classes that were decided on, these count in place of the
  /// highest scores, but for ece, and a row whose prediction is no class is left out.
  void update(std::span<const std::span<const double>> scores, std::span<const std::uint32_t> labels,
              std::span<const std::uint32_t> predictions = {});
  /// Predicted classes in place of scores; what needs scores will not exist.
  void update_predictions(std::span<const std::uint32_t> predictions, std::span<const std::uint32_t> labels);
  /// The same rows among other classes: the class that was at i is at place[i] of `classes`, each at a place of its
  /// own; else Code::kInput, and nothing changes, as where there are scores and more classes than have such.
  Status move_to(std::vector<std::string> classes, std::span<const std::uint32_t> place);
  /// As if this had seen the other's rows too. Other classes or another top_k: Code::kInput, and nothing changes.
  Status merge(const MulticlassState& other);

  std::int64_t rows() const { return rows_; }
  std::int64_t unlabelled() const { return unlabelled_; }
  std::int64_t unscored() const { return unscored_; }

  void save(ByteWriter& out);
  /// Code::kCorrupt for bytes that no save() wrote.
  static Result<MulticlassState> load(ByteReader& in);

  /// About 100 ns a row and class where there are scores.
  MulticlassSummary summarize();

 private:
  MulticlassOptions options_;
  std::int64_t rows_ = 0, unlabelled_ = 0, unscored_ = 0, improper_ = 0, top_hits_ = 0;
  std::vector<std::int64_t> matrix_;  // row = truth
  std::vector<BinaryState> against_rest_;
  BinaryState confidence_;  // highest score, and whether its class is right
  sketch::Moments log_loss_, brier_;
};

/// What the metrics of many classes read.
struct MulticlassSummary {
  std::vector<std::string> parts;    ///< classes
  std::vector<std::int64_t> matrix;  ///< k × k, row = truth, column = prediction
  std::vector<BinarySummary> one;    ///< each class against the rest; counts are of the predicted classes
  BinarySummary pooled, confidence;  ///< all classes' scores together; highest score against being right
  std::int64_t n = 0, top_hits = 0;
  std::uint32_t top_k = 2;
  bool has_scores = false, probabilities = true;
  sketch::Moments log_loss, brier;

  double share(std::size_t c) const { return static_cast<double>(one[c].counts.positives()) / static_cast<double>(n); }
  /// Whether any row is of the class or predicted so.
  bool present(std::size_t c) const { return one[c].counts.positives() + one[c].counts.selected() > 0; }
};

}  // namespace vigie::metric
