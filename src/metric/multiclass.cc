// SPDX-License-Identifier: Apache-2.0
#include "metric/multiclass.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "metric/confusion_internal.h"

namespace vigie::metric {
namespace {

constexpr std::string_view kNoRows = "no labelled rows";

/// Why a metric of scores does not exist; empty when it does.
std::string obstacle(const MulticlassSummary& s, bool needs_probabilities) {
  if (s.n == 0) return std::string(kNoRows);
  if (!s.has_scores) return "no scores were given";
  if (needs_probabilities && !s.probabilities) return "scores of a row are not within 0..1 or do not sum to 1";
  return {};
}

double sum_of_squares(const MulticlassSummary& s) {
  double sum = 0;
  for (std::size_t c = 0; c < s.parts.size(); ++c) sum += s.share(c) * s.share(c);
  return sum;
}

double largest_share(const MulticlassSummary& s) {
  double largest = 0;
  for (std::size_t c = 0; c < s.parts.size(); ++c) largest = std::max(largest, s.share(c));
  return largest;
}

std::int64_t right(const MulticlassSummary& s) {
  std::int64_t sum = 0;
  for (const BinarySummary& one : s.one) sum += one.counts.tp;
  return sum;
}

Value accuracy(const MulticlassSummary& s) {
  return share(static_cast<double>(right(s)), static_cast<double>(s.n), largest_share(s), s.n, kNoRows);
}

Value kappa(const MulticlassSummary& s) {
  return coefficient(kappa_of(s.matrix, s.parts.size()), s.n,
                     s.n ? "all rows are of one class, and predicted so" : kNoRows);
}

Value mcc(const MulticlassSummary& s) {
  return coefficient(mcc_of(s.matrix, s.parts.size()), s.n,
                     s.n ? "all rows are of one class, or predicted so" : kNoRows);
}

enum class Kind { kPrecision, kRecall, kF1 };
enum class Average { kMacro, kWeighted, kBalanced };

/// The number of one class, 0 where its denominator is, and the two parts of that denominator that rows of the class
/// (by truth, by prediction) add to.
struct OfClass {
  double value = 0, by_truth = 0, by_prediction = 0, denominator = 0;
};

OfClass of_class(Kind kind, const BinaryCounts& c) {
  OfClass out;
  out.by_truth = kind == Kind::kPrecision ? 0 : 1;
  out.by_prediction = kind == Kind::kRecall ? 0 : 1;
  out.denominator =
      out.by_truth * static_cast<double>(c.positives()) + out.by_prediction * static_cast<double>(c.selected());
  const double numerator = static_cast<double>(c.tp) * (kind == Kind::kF1 ? 2 : 1);
  if (out.denominator > 0) out.value = numerator / out.denominator;
  return out;
}

/// An average over classes with its interval by the delta method. Macro: over the classes that occur in truth or
/// prediction; balanced: in truth; weighted: by their rows.
Value average(const MulticlassSummary& s, Kind kind, Average how) {
  if (s.n == 0) return none(std::string(kNoRows), 0);
  const std::size_t k = s.parts.size();
  const auto n = static_cast<double>(s.n);
  std::vector<OfClass> classes(k);
  std::vector<double> weights(k);
  double counted = 0, value = 0;
  for (std::size_t c = 0; c < k; ++c) {
    counted += how == Average::kBalanced ? s.one[c].counts.positives() > 0 : s.present(c);
  }
  for (std::size_t c = 0; c < k; ++c) {
    const bool counts = how == Average::kBalanced ? s.one[c].counts.positives() > 0 : s.present(c);
    classes[c] = of_class(kind, s.one[c].counts);
    weights[c] = how == Average::kWeighted ? s.share(c) : counts ? 1 / counted : 0;
    value += weights[c] * classes[c].value;
  }
  // What a row of truth i and prediction j moves class c by, times the weight of the class.
  const auto moves = [&](std::size_t c, std::size_t i, std::size_t j) {
    const OfClass& one = classes[c];
    if (one.denominator == 0) return 0.0;
    const double truth = c == i ? one.by_truth : 0, prediction = c == j ? one.by_prediction : 0;
    const double numerator = c == i && c == j ? one.by_truth + one.by_prediction : 0;
    return weights[c] * (numerator - one.value * (truth + prediction)) / one.denominator;
  };
  double variance = 0;
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t j = 0; j < k; ++j) {
      double influence = moves(i, i, j) + (i == j ? 0 : moves(j, i, j));
      if (how == Average::kWeighted) influence += (classes[i].value - value) / n;
      variance += static_cast<double>(s.matrix[i * k + j]) * influence * influence;
    }
  }
  // Recall by the rows of the classes is the accuracy, and so is its dummy's.
  const double baseline = how != Average::kWeighted ? 1 / counted
                          : kind == Kind::kRecall   ? largest_share(s)
                                                    : sum_of_squares(s);
  return some(value, share_interval(value, variance, n), baseline, s.n);
}

Value balanced_accuracy(const MulticlassSummary& s) {
  return average(s, Kind::kRecall, Average::kBalanced);
}

template <Kind kind, Average how>
Value averaged(const MulticlassSummary& s) {
  return average(s, kind, how);
}

/// Precision, recall and F1 over all rows together: each row is one hit or one miss of both kinds.
Value micro(const MulticlassSummary& s) {
  return accuracy(s);
}

template <const Metric& metric>
Value one_against_rest(const MulticlassSummary& s, std::size_t c) {
  return std::get<Whole<BinarySummary>>(metric.run)(s.one[c]);
}

/// The standard errors of the classes are averaged: never too small, however the classes' scores depend on each other.
Value roc_auc(const MulticlassSummary& s, bool weighted) {
  if (const std::string why = obstacle(s, false); !why.empty()) return none(why, s.n);
  double value = 0, error = 0, rounding = 0;
  for (std::size_t c = 0; c < s.parts.size(); ++c) {
    const BinarySummary& one = s.one[c];
    rounding = std::max(rounding, one.rounding);
    if (std::isnan(one.roc_auc)) {
      return none(one.counts.positives() ? "all rows are of one class" : "class \"" + s.parts[c] + "\" has no rows",
                  s.n);
    }
    const double weight = weighted ? s.share(c) : 1 / static_cast<double>(s.parts.size());
    value += weight * one.roc_auc;
    error += weight * std::sqrt(one.roc_auc_positive + one.roc_auc_negative);
  }
  Value v = some(value, share_interval(value, error * error, static_cast<double>(s.n)), .5, s.n);
  v.rounding = rounding;
  return v;
}

Value roc_auc_macro(const MulticlassSummary& s) {
  return roc_auc(s, false);
}

Value roc_auc_weighted(const MulticlassSummary& s) {
  return roc_auc(s, true);
}

Value roc_auc_micro(const MulticlassSummary& s) {
  if (const std::string why = obstacle(s, false); !why.empty()) return none(why, s.n);
  if (std::isnan(s.pooled.roc_auc)) return none("there is one class only", s.n);
  // The k − 1 negative scores of a row count as one.
  const double others = static_cast<double>(s.parts.size() - 1);
  const double variance = s.pooled.roc_auc_positive + s.pooled.roc_auc_negative * others;
  Value v = some(s.pooled.roc_auc, share_interval(s.pooled.roc_auc, variance, static_cast<double>(s.n)), .5, s.n);
  v.rounding = s.pooled.rounding;
  return v;
}

/// A mean loss of at most `most`.
Value loss(const MulticlassSummary& s, const sketch::Moments& moments, double baseline, double most) {
  if (const std::string why = obstacle(s, true); !why.empty()) return none(why, s.n);
  const double mean = moments.mean(), variance = moments.variance() / static_cast<double>(s.n);
  const Interval interval = std::isinf(most)
                                ? mean_interval(mean, variance, s.n)
                                : affine(bounded_interval(mean / most, variance / (most * most), s.n), most, 0);
  return some(mean, interval, baseline, s.n);
}

Value log_loss(const MulticlassSummary& s) {
  double entropy = 0;
  for (std::size_t c = 0; c < s.parts.size(); ++c) entropy -= s.share(c) > 0 ? s.share(c) * std::log(s.share(c)) : 0;
  return loss(s, s.log_loss, entropy, kInfinity);
}

Value brier(const MulticlassSummary& s) {
  return loss(s, s.brier, 1 - sum_of_squares(s), 2);
}

Value ece(const MulticlassSummary& s) {
  if (const std::string why = obstacle(s, true); !why.empty()) return none(why, s.n);
  return std::get<Whole<BinarySummary>>(binary_ece.run)(s.confidence);
}

Value top_k_accuracy(const MulticlassSummary& s) {
  if (const std::string why = obstacle(s, false); !why.empty()) return none(why, s.n);
  std::vector<double> shares;
  for (std::size_t c = 0; c < s.parts.size(); ++c) shares.push_back(s.share(c));
  std::sort(shares.begin(), shares.end(), std::greater<>());
  double baseline = 0;
  for (std::size_t c = 0; c < shares.size() && c < s.top_k; ++c) baseline += shares[c];
  return share(static_cast<double>(s.top_hits), static_cast<double>(s.n), baseline, s.n, kNoRows);
}

constexpr Metric metric(std::string_view name, std::string_view summary, std::string_view reference,
                        Whole<MulticlassSummary> run, double least = 0, double most = 1,
                        Better better = Better::kHigher) {
  return {name, summary, reference, better, least, most, run};
}

constexpr Metric class_metric(std::string_view name, std::string_view summary, Part<MulticlassSummary> run) {
  return {name, summary, "one class against the rest", Better::kHigher, 0, 1, run};
}

}  // namespace

constinit const Metric multiclass_accuracy = metric(
    "accuracy", "share of rows predicted right; baseline: always the largest class", "interval: Wilson 1927", accuracy);
constinit const Metric multiclass_balanced_accuracy =
    metric("balanced_accuracy", "mean recall of the classes that occur; baseline: random", "interval: delta method",
           balanced_accuracy);
constinit const Metric multiclass_kappa =
    metric("kappa", "agreement of truth and prediction beyond chance; baseline: random",
           "Cohen 1960; interval: Fleiss, Cohen & Everitt 1969", kappa, -1);
constinit const Metric multiclass_mcc = metric("mcc", "correlation of truth and prediction; baseline: random",
                                               "Gorodkin 2004; interval: delta method", mcc, -1);
constinit const Metric multiclass_log_loss =
    metric("log_loss", "mean of -ln of the probability given to the truth; baseline: always the shares of the classes",
           "Good 1952", log_loss, 0, kInfinity, Better::kLower);
constinit const Metric multiclass_brier =
    metric("brier", "mean over rows of the summed squares; baseline: always the shares of the classes", "Brier 1950",
           brier, 0, 2, Better::kLower);
constinit const Metric multiclass_ece =
    metric("ece", "mean distance of highest score and accuracy in 15 bins of equal counts; baseline: always the shares",
           "Guo et al. 2017", ece, 0, 1, Better::kLower);
constinit const Metric multiclass_top_k_accuracy = metric(
    "top_k_accuracy", "share of rows whose class is among the k highest scores (default 2); baseline: the k largest",
    "interval: Wilson 1927", top_k_accuracy);

constinit const Metric multiclass_precision_macro =
    metric("precision_macro", "mean precision of the classes; baseline: random by the shares of the classes",
           "interval: delta method", averaged<Kind::kPrecision, Average::kMacro>);
constinit const Metric multiclass_precision_micro =
    metric("precision_micro", "precision of all classes together: the accuracy; baseline: always the largest class",
           "interval: Wilson 1927", micro);
constinit const Metric multiclass_precision_weighted = metric(
    "precision_weighted", "mean precision of the classes by their rows; baseline: random by the shares of the classes",
    "interval: delta method", averaged<Kind::kPrecision, Average::kWeighted>);
constinit const Metric multiclass_recall_macro =
    metric("recall_macro", "mean recall of the classes; baseline: random by the shares of the classes",
           "interval: delta method", averaged<Kind::kRecall, Average::kMacro>);
constinit const Metric multiclass_recall_micro =
    metric("recall_micro", "recall of all classes together: the accuracy; baseline: always the largest class",
           "interval: Wilson 1927", micro);
constinit const Metric multiclass_recall_weighted = metric(
    "recall_weighted", "mean recall of the classes by their rows: the accuracy; baseline: always the largest class",
    "interval: delta method", averaged<Kind::kRecall, Average::kWeighted>);
constinit const Metric multiclass_f1_macro =
    metric("f1_macro", "mean F1 of the classes; baseline: random by the shares of the classes",
           "interval: delta method", averaged<Kind::kF1, Average::kMacro>);
constinit const Metric multiclass_f1_micro =
    metric("f1_micro", "F1 of all classes together: the accuracy; baseline: always the largest class",
           "interval: Wilson 1927", micro);
constinit const Metric multiclass_f1_weighted =
    metric("f1_weighted", "mean F1 of the classes by their rows; baseline: random by the shares of the classes",
           "interval: delta method", averaged<Kind::kF1, Average::kWeighted>);
constinit const Metric multiclass_roc_auc_macro =
    metric("roc_auc_macro", "mean ROC AUC of each class against the rest; baseline: random",
           "interval: DeLong et al. 1988, standard errors averaged", roc_auc_macro);
constinit const Metric multiclass_roc_auc_micro =
    metric("roc_auc_micro", "ROC AUC of all classes' scores together; baseline: random",
           "interval: DeLong et al. 1988, the scores of a row taken as one", roc_auc_micro);
constinit const Metric multiclass_roc_auc_weighted =
    metric("roc_auc_weighted", "mean ROC AUC of each class against the rest, by their rows; baseline: random",
           "interval: DeLong et al. 1988, standard errors averaged", roc_auc_weighted);

constinit const Metric multiclass_precision = class_metric(
    "precision", "share of the class among rows predicted so; baseline: random by the shares of the classes",
    one_against_rest<binary_precision>);
constinit const Metric multiclass_recall =
    class_metric("recall", "share of the class that was predicted so; baseline: random by the shares of the classes",
                 one_against_rest<binary_recall>);
constinit const Metric multiclass_f1 = class_metric(
    "f1", "harmonic mean of precision and recall of the class; baseline: random by the shares of the classes",
    one_against_rest<binary_f1>);
constinit const Metric multiclass_roc_auc = class_metric(
    "roc_auc", "ROC AUC of the class against the rest; baseline: random", one_against_rest<binary_roc_auc>);

}  // namespace vigie::metric
