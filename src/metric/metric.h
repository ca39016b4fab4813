// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vigie::metric {

/// Model quality. Each task has a state (binary.h, multiclass.h, …), which takes rows, merges with states of other rows
/// and saves itself, and a summary, made of a state once, which all metrics of the task read. Rows without a label, and
/// rows with a missing or infinite number, are left out and counted. Merging equals taking the rows of both, and the
/// order of rows does not matter, but for the rounding of sums (1e-12 of the value).
enum class Task : std::uint8_t {
  kBinary,
  kMulticlass,
  kRegression,
  kRanking,
  kText,
  kDetection,
  kSegmentation,
  kFairness,
};
std::string_view to_string(Task task);

struct BinarySummary;
struct MulticlassSummary;
struct RegressionSummary;
struct RankingSummary;
struct TextSummary;
struct DetectionSummary;
struct SegmentationSummary;
struct FairnessSummary;

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// What a metric says. NaN where a number does not exist.
struct Value {
  double value = kNaN;
  /// Bounds of the 95 % interval, for rows (queries, images) drawn independently. NaN for a maximum, for a single row,
  /// and where a few rows are all alike and nothing bounds what others would be.
  double low = kNaN, high = kNaN;
  /// What a model gets that knows the shares of the classes, or the distribution of the labels, and nothing of the row.
  double baseline = kNaN;
  std::int64_t n = 0;    ///< labelled rows (queries, images, words) that went in
  std::string reason{};  ///< why there is no value, or no interval; else empty
  /// Of what chance moves to one side only (a distance, which cannot be below 0): how far it does where there is none.
  double noise = 0;
  /// Of what is read from rounded scores or labels: by which part of their size; see SortedValues.
  double rounding = 0;
  double scale = 0;  ///< of a mean that has 0 for its best: the sd of the labels, in whose unit it is
};

/// Which direction is good.
enum class Better : std::uint8_t { kHigher, kLower, kNeither };

template <class Summary>
using Whole = Value (*)(const Summary&);
/// Of one class, one k, one group: an index into Summary::parts.
template <class Summary>
using Part = Value (*)(const Summary&, std::size_t part);

/// Descriptor of a metric: see conventions "A unit". `run` never throws; it accepts any summary, that of no rows as
/// well, and costs O(classes²) at most: what takes a pass over the rows was done by the summary.
struct Metric {
  std::string_view name;     ///< as definitions "Metric names of score" has it; unique within task and key
  std::string_view summary;  ///< what it is, and after "; baseline: " what its baseline is
  std::string_view reference;
  Better better;
  double least, most;  ///< bounds of the value
  std::variant<Whole<BinarySummary>, Whole<MulticlassSummary>, Part<MulticlassSummary>, Whole<RegressionSummary>,
               Part<RankingSummary>, Whole<TextSummary>, Whole<DetectionSummary>, Whole<SegmentationSummary>,
               Part<SegmentationSummary>, Whole<FairnessSummary>, Part<FairnessSummary>>
      run;
  bool total = false;  ///< a sum, which grows with the rows

  Task task() const;
  /// "class", "k" or "group" for what is given once per part; else empty.
  std::string_view key() const;
  /// What the baseline is, out of the summary; empty without one.
  std::string_view baseline() const;
};

#define VIGIE_METRIC(name) extern const Metric name;
#include "metric/metrics.def"
#undef VIGIE_METRIC

/// All metrics, in the order of metrics.def.
std::span<const Metric* const> metrics();
/// The first metric of that name and task, or nullptr.
const Metric* find_metric(Task task, std::string_view name);

/// A value with its place.
struct Entry {
  const Metric* metric;
  std::string part;  ///< name of the class, k or group; empty when the metric has no key
  Value value;
};

/// All metrics of a summary's task, in the order of metrics.def; those with a key once per part, in the order of parts.
template <class Summary>
std::vector<Entry> evaluate(const Summary& summary);

}  // namespace vigie::metric
