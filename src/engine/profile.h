// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "drift/between.h"
#include "drift/drift.h"
#include "engine/aspects.h"
#include "engine/bins.h"
#include "engine/comparison.h"
#include "engine/vocabulary.h"
#include "quality/quality.h"
#include "sketch/hyperloglog.h"
#include "sketch/kll.h"
#include "sketch/moments.h"
#include "sketch/relative.h"
#include "table/table.h"

namespace vigie::engine {

/// Categories kept by name in a profile; rarer ones share the cell "(other)".
inline constexpr std::size_t kCategories = 1000;
inline constexpr std::size_t kCategoryBytes = 12'000;
/// Records that were left out of which a profile keeps the message: the first ones.
inline constexpr std::size_t kProblems = 3;
/// Healthy windows kept in a profile: the latest ones.
inline constexpr std::size_t kWindows = 1000;
/// Rows that a segment must have in the reference to be watched on its own; the rest is pooled as "(other)".
inline constexpr std::int64_t kSegmentFloor = 300;
inline constexpr std::size_t kSegments = 50;

/// How rows are cut into windows.
struct WindowSpec {
  enum class Kind : std::uint8_t { kNone, kRows, kHour, kDay, kWeek, kMonth, kMinutes };  // numbered as in profiles
  Kind kind = Kind::kNone;
  std::int64_t rows = 0;     ///< of kRows; of a calendar's those that end a live one before its time, 0: none do
  std::string zone;          ///< IANA name in which calendar windows begin; empty: UTC
  std::int64_t minutes = 0;  ///< of kMinutes: how many of an hour's, which they divide
  std::int64_t every = 0;    ///< minutes after which another live calendar window ends that overlaps; 0: none overlap
  bool calendar() const { return kind >= Kind::kHour; }
  /// Whether rows of a file are cut in the same way.
  bool operator==(const WindowSpec& o) const {
    return kind == o.kind && zone == o.zone && minutes == o.minutes && (calendar() || rows == o.rows);
  }
};
std::string to_string(
    const WindowSpec& spec);  ///< "none", "500 rows", "15m or 500 rows", "day (Europe/Paris)", "hour each 5m"
/// "hours", "windows of 15m": of calendar windows, for a sentence that counts them; `one`: "hour", "window of 15m".
std::string units_of(const WindowSpec& spec, bool one);
/// The calendar windows that people call "hour", "day", "week" or "month", or "15m", in UTC. Code::kUsage.
Result<WindowSpec> calendar_windows(std::string_view unit);

/// One segmentation: a column, or two whose values are joined.
using SegmentBy = std::vector<std::string>;
std::string to_string(const SegmentBy& by);  ///< "origin", "origin,carrier"

/// The farthest that a row is taken to be from the bins, in millionths of the reference sd: a thousand sd.
inline constexpr std::int64_t kFarthest = 1'000'000'000;
/// a + b, or the largest int64 where that is more. Neither may be negative.
inline std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  return a > kMost - b ? kMost : a + b;
}

/// What a set of rows leaves behind of one column: counts on the column's axis, and what is not on it.
struct Counts {
  std::vector<std::int64_t> cells;  ///< numeric kinds: Bins' cells; categorical: categories, then other
  std::int64_t missing = 0;         ///< null, NaN, infinite or unreadable
  /// Rows with and without a value that are left out of the counts above: those of the half that chose the categories,
  /// where a column is `halved`; else 0.
  std::int64_t uncounted = 0, uncounted_missing = 0;
  /// Numeric kinds: summed distance from the bins of the rows outside them, in millionths of the reference sd; whole
  /// numbers, so that the sum does not depend on the order of the rows. A row is taken for no more than kFarthest, and
  /// the sum for no more than an int64 holds, which no data below nine billion rows come to.
  std::int64_t beyond = 0;
  std::int64_t rows() const;           ///< sum of cells: what a test may say that it has
  std::int64_t total_rows() const;     ///< rows with a value, counted or not: what to tell people there was
  std::int64_t total_missing() const;  ///< the same of those without
  void merge(const Counts& other);     ///< same axis; `beyond` saturates
};

/// Halves of the reference's rows: bit r of half_bits(b) says whether row 64 b + r is in the second.
inline std::uint64_t half_bits(std::int64_t block) {
  return mix64(static_cast<std::uint64_t>(block) + 1);
}
/// Which half of the reference a row is in. Where a column has more categories than are kept by name, one half of the
/// rows chooses them and the other half is counted: categories chosen because they are frequent in the very rows that
/// are counted would look frequent by chance, and every current window rare. Current data of as many rows may be the
/// reference itself: then they are counted by halves too.
inline bool in_second_half(std::int64_t row) {
  return (half_bits(row / 64) >> (row % 64)) & 1;
}

/// A part of the reference, the whole or one segment of it: its counts and the traces of its healthy windows.
struct Part {
  Counts counts;
  std::vector<drift::WindowSummary> windows;          ///< in time order; empty when the reference has no windows
  std::vector<drift::WindowSummary> missing_windows;  ///< of missing against present; empty when nothing is missing
};

struct Category {
  std::string name;
  std::int64_t count;
};

struct ColumnProfile {
  std::string name;
  Role role = Role::kFeature;
  ColumnType type = ColumnType::kNumeric;
  table::Type source = table::Type::kFloat;   ///< as it is read
  std::int64_t infinite = 0, mismatches = 0;  ///< both are in Part::counts.missing too
  Bins bins;                                  ///< numeric kinds
  std::vector<Category> categories;           ///< categorical kinds: by falling count, then name
  std::int64_t other = 0;                     ///< rows in categories beyond the cap
  bool halved = false;                        ///< counts are of those rows that in_second_half() names
  /// Kind text: that texts look like numbers is no sign of a wrong decimal mark, as --schema says text, or the data are
  /// of a format that tells numbers from texts and have such texts nevertheless.
  bool texts_as_meant = false;
  double distinct = 0;  ///< exact while few, else estimated
  bool exact = true;
  /// Share of the rows that a merge may have put into another cell than theirs: numbers of a bin that had to be
  /// divided, categories that one side tells apart and the other does not, pooled as other. Else 0.
  double error_bound = 0;
  std::vector<std::vector<Part>> parts;  ///< [0][0] the whole; [k][s] segment s of segmentation k ≥ 1
  // Sketches of the values: for people and for methods that need more than bins; not used by the default verdict.
  sketch::Moments moments;
  std::optional<sketch::Kll> quantiles;
  std::optional<sketch::RelativeQuantiles> tails;
  std::optional<sketch::HyperLogLog> cardinality;

  bool categorical() const { return type == ColumnType::kCategorical || type == ColumnType::kBoolean; }
  std::size_t cells() const { return categorical() ? categories.size() + 1 : bins.cuts.size() + 1; }
  const Counts& whole() const { return parts[0][0].counts; }
  drift::Axis axis() const;  ///< views into this profile
  /// Whole numbers without a gap or a repeat, as ids and row numbers are, as far as counts in bins can tell.
  bool counts_up() const;
};

/// What is counted of a column besides its values, on an axis of its own; `profile.name` is the column's.
struct AspectProfile {
  Aspect aspect;
  ColumnProfile profile;
  Learnt known{};  ///< of aspects that are `halved`
};

struct StoredScores;  // score_reference.h

/// A reference, reduced to what later commands need of it.
struct Profile {
  std::string version;  ///< of the program that made it
  std::string source;
  std::int64_t rows = 0, rejected = 0;
  WindowSpec window;
  std::int64_t window_count = 0;  ///< healthy windows; 0 without windows
  bool has_time = false;          ///< a timestamp column was named
  std::vector<SegmentBy> segmentations;
  std::vector<std::vector<std::string>> segments;  ///< per segmentation its values, "(other)" last when pooled
  std::vector<ColumnProfile> columns;
  std::vector<AspectProfile> aspects;  ///< in the columns' order
  std::string timestamp;               ///< column that orders the windows; empty when not named
  std::string weight;                  ///< column of row weights, which is not compared; empty when not named
  table::Schema others;                ///< columns of the reference that are not compared, as they were read
  std::vector<std::string> problems;   ///< the first records that were left out, at most kProblems
  std::vector<std::string> notes;
  /// What the checks of data quality need; nothing in a profile that an older vigie made.
  std::shared_ptr<const quality::TableState> quality;
  std::vector<quality::Window> quality_windows;  ///< the whole ones; of those with few rows nothing but how many
  /// How good predictions were; null where no label and prediction or score were named, and of an older vigie.
  std::shared_ptr<const StoredScores> scores;

  /// All that is counted on an axis: the columns, then their aspects.
  std::size_t counted() const { return columns.size() + aspects.size(); }
  const ColumnProfile& counted(std::size_t i) const {
    return i < columns.size() ? columns[i] : aspects[i - columns.size()].profile;
  }
  /// The column of one of them: itself, or the one that an aspect is of.
  std::size_t column_of(std::size_t counted) const;
  ColumnProfile& counted(std::size_t i) { return const_cast<ColumnProfile&>(std::as_const(*this).counted(i)); }
};

/// What the caller says of the columns.
struct Roles {
  std::string timestamp, prediction, label, id, weight;
  std::vector<std::string> scores;
  std::vector<std::string> features;  ///< only these; empty: all others
  std::vector<std::string> ignore;
};

/// Forced kinds of columns, from --schema.
struct ForcedType {
  std::string column;
  table::Type read;
  std::optional<ColumnType> as;  ///< category or text; else by `read`
};

/// Called now and then with a share of the work done, 0..1.
using Progress = std::function<void(double)>;

struct ProfileOptions {
  Roles roles;
  WindowSpec window;
  std::vector<SegmentBy> segments;
  std::vector<ForcedType> schema;
  /// False leaves out what only people and other methods read, and counts for those checks of data quality alone that
  /// compare() makes.
  bool sketches = true;
  unsigned threads = 0;
  Progress progress;
  std::string version;
};

/// Reads the reference: once for types, bins and categories, again where those could not be known in one pass, and
/// once more for the windows and segments. Memory: O(columns × (bins + categories)) plus windows × segments.
Result<Profile> make_profile(table::Input& input, const ProfileOptions& options);

/// What the caller says of the columns of a profile that is made already: gives roles, leaves out --ignore, id, weight
/// and timestamp, and keeps of the features only those asked for. Code::kUsage for names that the profile does not
/// have.
Status apply_roles(Profile& profile, const Roles& roles);

/// The profile of the union of two references. Where their bins differ the counts are shared out. A category stays by
/// name if both sides know it or the other side has none but those it knows. Where one side's column is `halved`, half
/// of the other's rows are left uncounted too: a row of either weighs the same, and no more rows are claimed than were
/// counted. What that costs is told in `notes` and bounded by `error_bound`. Segments are kept when both
/// have the same ones, windows when the numeric columns have the same bins as well, which references of their own
/// seldom do. Columns are those of both. The order of the two changes neither counts nor shares.
Result<Profile> merge_profiles(const Profile& a, const Profile& b);

/// What counting rows on a profile's axes needs of it, and what people call them: its columns with the counts of all
/// rows, without those of segments, sketches, windows and the state of quality. A tenth of the memory, and less.
Profile axes_of(const Profile& profile);

/// Bytes of a profile file (magic VPF1), and back. One of format version 2 has no aspects, before version 4 no scores.
/// A torn or altered file is Code::kCorrupt, and so is one of format version 1, which was written in several layouts
/// before the first release.
std::string save_profile(const Profile& profile);
Result<Profile> load_profile(std::string_view bytes, std::string_view name);
/// Whether the bytes at the start of a file say that it is a profile.
bool is_profile(std::string_view head);

}  // namespace vigie::engine
