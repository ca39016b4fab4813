// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vigie::engine {

/// In ascending order of gravity.
enum class Verdict : std::uint8_t { kNoData, kOk, kWarning, kDrift };
std::string_view to_string(Verdict verdict);  ///< "no_data", "ok", "warning", "drift"

/// What a column is to the engine. Text is compared by its length in characters, embeddings by their Euclidean norm,
/// besides their aspects.
enum class ColumnType : std::uint8_t { kNumeric, kBoolean, kCategorical, kTimestamp, kText, kEmbedding };
std::string_view to_string(ColumnType type);  ///< "numeric", "boolean", …

enum class Role : std::uint8_t { kFeature, kPrediction, kScore, kLabel, kTimestamp, kId, kWeight };
std::string_view to_string(Role role);  ///< "feature", "prediction", …

/// One test of one column in one window (and segment). NaN where a number does not exist. Field names are those of the
/// JSON contract; what each number means: the reference page of the methods.
struct ColumnResult {
  std::string column;
  Role role = Role::kFeature;
  ColumnType type = ColumnType::kNumeric;
  std::optional<std::string> segment;  ///< "origin=JFK", "origin=JFK,carrier=UA", "origin=(other)"
  std::string method;                  ///< "omnibus", "missing_share", …
  double statistic = 0, p_value = 0, p_adjusted = 0;
  double effect = 0;         ///< debiased
  std::string effect_scale;  ///< "reference sd" or "share of rows"
  double watch = 0, major = 0, detectable_effect = 0;
  Verdict verdict = Verdict::kNoData;
  std::string reason;  ///< one sentence for people, never empty
  std::string guess;   ///< "looks like × 1000: a unit changed?", which the reason of a change ends with; else empty
  bool held = false;   ///< a warning that would be a drift, were there healthy windows enough to tell
  /// What the statistic or p-value is held against where another program's rules are followed; else NaN.
  double threshold = std::numeric_limits<double>::quiet_NaN();
  std::int64_t n_reference = 0, n_current = 0, missing_reference = 0, missing_current = 0;
  /// Reference rows that chose the categories and are not in the test; part of n_reference. 0 up to 1,000 categories.
  std::int64_t untested_reference = 0;
  bool exact = true;
  double error_bound = 0;  ///< on shares, when not exact
  std::string null;        ///< "exact", "asymptotic", "simulated", "between-window"
  std::vector<std::pair<std::string, double>> components;
};

/// One data-quality finding.
struct QualityResult {
  std::string check;
  std::optional<std::string> column;
  double value = 0;
  std::string expected;
  std::string verdict;  ///< "pass", "warn", "fail", "no_data"
  std::string reason;
  /// How far the value is from what is expected; NaN: the larger the value, the worse.
  double distance = std::numeric_limits<double>::quiet_NaN();
};

/// Another program's word on all columns together: drifted from a share of drifted ones on.
struct DatasetDrift {
  std::int64_t drifted = 0, columns = 0;
  double threshold = 0;
  double share() const { return columns ? static_cast<double>(drifted) / static_cast<double>(columns) : 0; }
  bool drift() const { return columns > 0 && share() >= threshold; }
};

struct WindowResult {
  std::int64_t index = 0;
  std::optional<std::string> start, end;  ///< ISO 8601 with zone; only calendar windows
  std::int64_t rows = 0;
  bool partial = false;  ///< cut off by the start or the end of the data
  Verdict verdict = Verdict::kNoData;
  std::vector<ColumnResult> columns;  ///< in the reference's column order, within a column by segment, then method
  std::vector<QualityResult> quality;
  std::optional<DatasetDrift> dataset;
};

/// What is drawn of one column in one window (whole window, no segment).
struct ColumnPoint {
  double p10 = 0, p50 = 0, p90 = 0;  ///< numeric kinds, interpolated inside bins; NaN when empty
  double missing_share = 0;
  std::vector<float> shares;  ///< categorical kinds: of Picture::categories
};

/// What is drawn of one column over all of the current data. Summaries only, never rows.
struct Picture {
  std::string column;
  Role role = Role::kFeature;
  ColumnType type = ColumnType::kNumeric;
  std::vector<double> cuts;             ///< numeric kinds: ascending; shares have cuts.size() + 1 cells
  double minimum = 0, maximum = 0;      ///< of reference and current together; NaN when none
  std::vector<std::string> categories;  ///< categorical kinds: the most frequent of either side, then "(other)" if any
  std::vector<double> reference_shares, current_shares;  ///< per cell; sum 1 (0 when empty)
  ColumnPoint reference;                                 ///< the same numbers of the whole reference
  std::vector<ColumnPoint> points;                       ///< one a window, parallel to Comparison::windows
};

struct Side {
  std::string source;  ///< as given on the command line
  std::int64_t rows = 0;
  std::int64_t windows = 0;  ///< reference: healthy windows used for between-window variation; 0 when it has none
};

/// Everything that `compare` found. The views (JSON, terminal, report) draw this and nothing else.
struct Comparison {
  std::string version;
  Side reference, current;
  std::vector<std::pair<std::string, std::string>> options;  ///< effective ones, in a fixed order; values as JSON text
  double alpha = 0.05;
  std::string compat;  ///< "evidently 0.7.23" where its rules are followed instead of vigie's; else empty
  std::vector<WindowResult> windows;
  std::vector<Picture> pictures;      ///< in the reference's column order
  std::int64_t rejected = 0;          ///< records of either side that could not be read
  std::vector<std::string> problems;  ///< the first of them: "rides.csv:1042: 7 fields where the header has 8"
  std::vector<std::string> notes;     ///< remarks for people: "assumes independent rows: …", late type changes, …
  struct Summary {
    Verdict verdict = Verdict::kNoData;
    std::int64_t windows = 0, windows_with_drift = 0, columns = 0, drift = 0, warning = 0, ok = 0, no_data = 0;
    std::int64_t held = 0;              ///< of the warnings, columns with a result that is `held`
    double expected_false_windows = 0;  ///< NaN where nobody knows
  } summary;
};

}  // namespace vigie::engine
