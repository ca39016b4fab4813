// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/profile.h"
#include "engine/windows.h"

namespace vigie::engine {

/// The rows of one batch that belong together, as runs or row by row.
struct Membership {
  struct Run {
    std::int64_t begin, end;
    std::int32_t group;
  };
  std::vector<std::int32_t> groups;  ///< one a row, −1 for none
  std::vector<Run> runs;             ///< the same, when there are few; else empty
  void find_runs();
};

/// Turns the values of one or two columns into segment names, batch by batch.
class Segmenter {
 public:
  /// `known`: the segments of the reference; others fall into "(other)" when it is among them, else into none (−1).
  /// Without `known` every new value gets a number of its own.
  Segmenter(SegmentBy by, std::vector<std::size_t> columns, const std::vector<std::string>* known);
  Status assign(table::Batch& batch, std::vector<std::int32_t>& out);
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::int32_t number(const std::string& name);
  SegmentBy by_;
  std::vector<std::size_t> columns_;
  bool fixed_;
  std::int32_t other_ = -1;
  std::vector<std::string> names_;
  std::map<std::string, std::int32_t, std::less<>> index_;
};

/// The values of a numeric kind as numbers, one a row, NaN where missing or infinite; text gives its length, a list
/// its norm. The result points into `column` or `buffer`.
std::span<const double> project(const table::Column& column, ColumnType type, std::vector<double>& buffer,
                                std::int64_t& infinite);
/// The values of a categorical kind as codes into a dictionary.
struct Coded {
  std::span<const std::int32_t> codes;
  std::span<const std::string_view> dictionary;
};
Coded encode(const table::Column& column, std::vector<std::int32_t>& buffer);

/// Length in characters of UTF-8 text.
std::int64_t characters(std::string_view text);

/// Where in the reader's schema the column of that name is; npos when it is not there.
std::size_t find_column(const table::Schema& schema, std::string_view name);
/// Code::kUsage unless the column can hold times: timestamps or epoch numbers.
Status check_time(const table::Field& column, const std::string& source);
/// Times in µs of the timestamp column: numbers are taken as epoch s, ms, µs or ns by their size.
Result<std::span<const double>> read_times(table::Batch& batch, std::size_t column, std::vector<double>& buffer);

/// The error for data of which no record could be read: the first bad record, where there is one.
Error no_rows(const std::string& name, const table::Problems& problems);

/// Everything counted of one data set on a profile's axes: by window, segmentation, segment and column.
struct Tally {
  std::optional<Windower> windower;
  std::vector<std::int64_t> window_rows;
  std::int64_t rows = 0, without_time = 0;
  table::Problems problems;
  std::vector<bool> present;                       ///< per profile column: the data has it
  std::vector<std::int64_t> mismatches, infinite;  ///< per column
  std::vector<bool> only_numbers;                  ///< per column: texts that are all numbers, some with a decimal mark
  std::vector<double> minimum, maximum;            ///< per numeric column, finite values; ±infinity when none
  std::vector<std::vector<std::string>> fresh;     ///< per categorical column: names the profile does not have

  /// Counts of one column; nullptr when no row fell there. Cells of categorical columns: the profile's categories,
  /// other, then `fresh` ones (the vector may be shorter than that: the rest is zero).
  const Counts* at(std::size_t column, std::size_t segmentation, std::size_t window, std::size_t segment) const;

  std::vector<std::vector<std::vector<Counts>>> cells;  ///< [column][segmentation][window · segments + segment]
  std::vector<std::size_t> widths;                      ///< segments per segmentation; [0] = 1
};

struct TallyOptions {
  WindowSpec window;
  std::string timestamp;
  std::vector<std::size_t> segmentations;  ///< which of the profile's to count besides the whole
  std::int64_t group_bytes = 0;            ///< what the caller will need per column, window and segment, besides counts
  std::int64_t most_bytes = 3LL << 30;     ///< of all groups; more is an error
  unsigned threads = 0;
  Progress progress;
  bool reference = false;  ///< the data are those that the profile was made of
};

/// One pass over `input` on the axes of `profile`. Errors: unreadable data, no column in common, no time, more windows
/// and segments than memory is granted for.
Result<Tally> tally(table::Input& input, const Profile& profile, const TallyOptions& options);

}  // namespace vigie::engine
