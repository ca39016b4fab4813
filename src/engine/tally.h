// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/profile.h"
#include "engine/quality_reference.h"
#include "engine/row_sample_internal.h"
#include "engine/windows.h"

namespace vigie::engine {

/// Where in the reader's schema the column of that name is; npos when it is not there.
std::size_t find_column(const table::Schema& schema, std::string_view name);
/// Code::kUsage unless the column can hold times: timestamps or epoch numbers.
Status check_time(const table::Field& column, const std::string& source);
/// Times in µs: numbers are taken as epoch s, ms, µs or ns by their size. Points into `column` or `buffer`.
std::span<const double> as_times(const table::Column& column, std::vector<double>& buffer);
/// The same of the timestamp column of a batch.
Result<std::span<const double>> read_times(table::Batch& batch, std::size_t column, std::vector<double>& buffer);

/// The error for data of which no record could be read: the first bad record, where there is one.
Error no_rows(const std::string& name, const table::Problems& problems);

/// Categories that the profile does not have, and that are told apart by name.
inline constexpr std::size_t kFresh = 1000;

struct Span {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
};

/// Everything counted of one data set on a profile's axes: by window, segmentation, segment and column, as `counted()`
/// of the profile has them: what is told per column here is told per aspect too, behind the columns.
struct Tally {
  std::optional<Windower> windower;
  std::vector<std::int64_t> window_rows;
  std::int64_t rows = 0, without_time = 0;
  std::vector<std::string> strays;  ///< per segmentation that leaves rows out: how many, and of what segment
  table::Problems problems;
  std::vector<bool> present;                       ///< per profile column: the data has it
  std::vector<std::int64_t> mismatches, infinite;  ///< per column
  std::vector<bool> only_numbers;               ///< per text column: all are numbers, some with a decimal mark, where
                                                ///< ColumnProfile::texts_as_meant does not say that they would be
  std::vector<double> minimum, maximum;         ///< per numeric column, finite values; ±infinity when none
  std::vector<std::vector<std::string>> fresh;  ///< per categorical column: names the profile does not have

  /// Counts of one column; nullptr when no row fell there. Cells of categorical columns: the profile's categories,
  /// other, then `fresh` ones (the vector may be shorter than that: the rest is zero).
  const Counts* at(std::size_t column, std::size_t segmentation, std::size_t window, std::size_t segment) const;

  /// The earliest and latest time of one group of rows of a timestamp column; low > high where it has none.
  Span span_at(std::size_t column, std::size_t segmentation, std::size_t window, std::size_t segment) const;

  /// The values of one group of rows in rising order, where TallyOptions::most_values let them be kept; else empty.
  std::span<const double> values_at(std::size_t column, std::size_t segmentation, std::size_t window,
                                    std::size_t segment) const;

  /// A sample of the rows of one group as vectors, where TallyOptions::keep_rows asked for it; else empty.
  drift::Vectors vectors_at(std::size_t column, std::size_t segmentation, std::size_t window,
                            std::size_t segment) const;

  std::vector<std::vector<std::vector<Counts>>> cells;  ///< [column][segmentation][window · segments + segment]
  std::vector<std::vector<std::vector<std::vector<double>>>> values;  ///< likewise
  std::vector<std::vector<std::vector<RowSample>>> vectors;           ///< likewise
  std::vector<std::vector<std::vector<Span>>> spans;                  ///< likewise; timestamps only
  std::vector<std::size_t> widths;                                    ///< segments per segmentation; [0] = 1
  std::vector<quality::TableState> quality;          ///< per window, where TallyOptions::quality asks for it
  std::vector<std::vector<quality::Finding>> rules;  ///< likewise: of each rule, where TallyBuilder::demand() was asked
};

struct TallyOptions {
  WindowSpec window;
  std::string timestamp;
  bool check_times = false;                ///< times are read and checked where windows are none, too
  std::vector<std::size_t> segmentations;  ///< which of the profile's to count besides the whole
  std::int64_t group_bytes = 0;            ///< what the caller will need per column, window and segment, besides counts
  std::int64_t most_bytes = 3LL << 30;     ///< of all groups; more is an error
  unsigned threads = 0;
  Progress progress;
  bool reference = false;  ///< the data are those that the profile was made of
  /// Per column how many values may be kept beside the counts; a column with more keeps none. Empty: none of any.
  std::vector<std::int64_t> most_values;
  /// Per column whether a sample of its rows is kept as vectors: texts and embeddings. Empty: of none.
  std::vector<bool> keep_rows;
  const QualityReference* quality = nullptr;  ///< counts for checks against it too, as far as Depth::kCounts goes
  bool reads_times() const { return check_times || window.calendar(); }
};

/// One pass over `input` on the axes of `profile`. Errors: unreadable data, no column in common, no time, more windows
/// and segments than memory is granted for.
Result<Tally> tally(table::Input& input, const Profile& profile, const TallyOptions& options);

/// Fills the parts of a profile's columns from a tally of the reference itself: counts of each segment and, when the
/// tally has windows, the traces of the healthy ones. Windows cut off by the ends of the data leave none, nor those in
/// which the part has less than drift::kFewestRows values.
void keep_windows(Profile& profile, const Tally& counted);

}  // namespace vigie::engine
