// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/comparison.h"
#include "metric/curves.h"
#include "metric/metric.h"

namespace vigie::engine {

/// One metric of one window (and segment, class, k or group). NaN where a number does not exist. Field names are those
/// of the JSON contract.
struct MetricResult {
  const metric::Metric* metric = nullptr;
  std::string part;                    ///< of metrics with a key: the class, k or group
  std::optional<std::string> segment;  ///< "origin=JFK"
  metric::Value value;                 ///< its `reason` says why there is no number
  // Against a reference; NaN without one. `reference` is on the scale of `value`.
  double reference = metric::kNaN, p_value = metric::kNaN, p_adjusted = metric::kNaN;
  double effect =
      metric::kNaN;  ///< how far it moved, on `effect_scale`; above 0 is worse (of Better::kNeither: farther)
  std::string
      effect_scale;  ///< "lead over the baseline", "reference value", "range", "sd of a row", "sd of the labels"
  double watch = metric::kNaN, major = metric::kNaN;
  double detectable_effect = metric::kNaN;  ///< the smallest that this window would have shown with probability 0.8
  Verdict verdict = Verdict::kNoData;
  std::string reason;  ///< one sentence for people, never empty
  bool held = false;   ///< a warning that would be a drift, were there healthy windows enough to tell
};

/// How a value stands to its baseline: "better", "like" (its interval holds it), "worse"; empty where that says
/// nothing.
std::string_view beside_dummy(const MetricResult& result);

/// matrix[i · labels + j]: rows of label i that were predicted as j.
struct Confusion {
  std::vector<std::string> labels;
  std::vector<std::int64_t> matrix;
};

/// Plain points of what is drawn of all windows together; empty where the task has no such picture.
struct ScorePictures {
  std::vector<metric::RocPoint> roc;
  std::vector<metric::PrecisionRecallPoint> precision_recall;
  std::vector<metric::ReliabilityBin> reliability;
  std::vector<metric::GainPoint> gain;
  std::vector<metric::ResidualPoint> residuals;
};

/// `rows` = `labelled` + `unlabelled` + `unscored` (labelled, but without a prediction that can be read).
struct RowCounts {
  std::int64_t rows = 0, labelled = 0, unlabelled = 0, unscored = 0;
  std::optional<std::int64_t> without_relevant{};  ///< ranking: lists without a relevant item, which do not count

  RowCounts& operator+=(const RowCounts& o) {
    rows += o.rows, labelled += o.labelled, unlabelled += o.unlabelled, unscored += o.unscored;
    if (o.without_relevant) without_relevant = without_relevant.value_or(0) + *o.without_relevant;
    return *this;
  }
};

struct ScoreWindow {
  std::int64_t index = 0;
  std::optional<std::string> start, end;  ///< ISO 8601 with zone; only calendar windows
  bool partial = false;                   ///< cut off by the start or the end of the data
  RowCounts rows;
  Verdict verdict = Verdict::kNoData;
  std::vector<MetricResult> metrics;  ///< in the registry's order, those of the whole window first, then by segment
  std::optional<Confusion> confusion;
};

/// How the metrics of a window, or of one of its segments, stand to their baselines: those of the whole and of each k,
/// for of classes and groups there are too many.
struct BesideDummy {
  std::size_t known = 0, better = 0, worse = 0;
  /// Of a single metric that says nothing (recall, where few rows are taken for positive); of most, the model is no
  /// use.
  bool useless() const { return 2 * worse > known; }
};
BesideDummy beside_dummy(const ScoreWindow& window, const std::optional<std::string>& segment = std::nullopt);

using OptionValue = std::variant<double, std::string, std::vector<std::string>>;

/// Everything that `score` found. The views (JSON, terminal, report) draw this and nothing else.
struct Scorecard {
  std::string version;
  metric::Task task = metric::Task::kBinary;
  std::string source;                                        ///< as given on the command line
  std::optional<std::string> reference;                      ///< likewise
  std::vector<std::pair<std::string, OptionValue>> options;  ///< effective ones, in a fixed order
  double alpha = 0.05;
  std::string unit = "row";  ///< what is counted: "row", "image"
  std::vector<ScoreWindow> windows;
  std::optional<ScoreWindow> whole;  ///< all windows together, where there are several
  ScorePictures pictures;
  std::int64_t rejected = 0;            ///< records that could not be read, …
  std::int64_t rejected_reference = 0;  ///< … and how many of them are the reference's
  std::int64_t rows_reference = 0;      ///< that could be read
  std::vector<std::string> problems;    ///< the first of them
  std::vector<std::string> notes;       ///< remarks for people
  std::string wanted;  ///< where results are `held`, what the reference lacks: "five whole days of 30 labelled rows"
  struct Summary {
    Verdict verdict = Verdict::kNoData;
    RowCounts rows;
    std::int64_t windows = 0, windows_with_drift = 0, metrics = 0, drift = 0, warning = 0, ok = 0, no_data = 0;
    std::int64_t held = 0;              ///< of the warnings, metrics with a result that is `held`
    double expected_false_windows = 0;  ///< 0 without a reference
  } summary;

  const ScoreWindow& all() const { return whole ? *whole : windows.front(); }
};

}  // namespace vigie::engine
