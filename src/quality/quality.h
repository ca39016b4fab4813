// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "quality/table_state.h"

namespace vigie::quality {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// In ascending order of gravity, as the JSON contract names them.
enum class Verdict : std::uint8_t { kNoData, kPass, kWarn, kFail };
std::string_view to_string(Verdict verdict);  ///< "no_data", "pass", "warn", "fail"

/// What one check says of one column, or of the whole table.
struct Finding {
  std::string check;                  ///< filled in by run_checks()
  std::optional<std::string> column;  ///< nothing: the table
  double value = kNaN;                ///< what was measured, in the check's unit; NaN where it does not exist
  std::string expected;               ///< "at most 1.5 %"
  Verdict verdict = Verdict::kNoData;
  std::string reason;  ///< one clause for people, never empty
  /// Chance of as much on healthy data of the reference's law; NaN where nothing is left to chance. A warning that
  /// stands on a p-value holds only after the correction for all checks and columns of the window.
  double p_value = kNaN;
  /// How far the value is from what is expected, by which findings of one check compare; NaN: the larger the value, the
  /// worse.
  double distance = kNaN;
  /// A failure too large to be a habit of the part of the day at hand: it holds in a window that is cut off, too.
  bool of_any_part = false;
};

/// A healthy window of the reference, as far as checks know it.
struct Window {
  std::int64_t rows = 0;
  std::vector<std::int64_t> missing;  ///< per column of the reference; empty: not known
};

/// What is nothing odd of a column in a healthy window, though it would be in the whole reference: a day has one
/// weekday.
struct Habit {
  std::string column;
  std::vector<std::string> texts;  ///< that windows lack now and then
  bool constant = false;           ///< windows have one value only, now and then
};

/// How much of its span the current window holds.
enum class Extent : std::uint8_t {
  kWhole,
  kFewerRows,  ///< all there is, or fewer rows than the other windows by rows: its volume says nothing
  kCutOff,     ///< a part of a day, say, where others are whole: only checks of kOfRowsAlone, and Finding::of_any_part,
               ///< stand
};

/// Why there is no verdict then.
inline constexpr const char* kCutOff = "the window is cut off by the start or the end of the data";

/// What is checked, against what. A current state below Depth::kAll gets the checks that need no more.
struct Context {
  const TableState& current;
  const TableState* reference = nullptr;  ///< nullptr: no reference; checks that need one say no_data
  std::span<const Window> windows{};      ///< healthy windows of the same length as the current one
  Extent extent = Extent::kWhole;
  double now = kNaN;  ///< microseconds since 1970; NaN: freshness is not judged
  std::span<const std::string>
      unread{};  ///< columns of the reference that the caller has not counted in the current data
  std::span<const ColumnSpec> added{};     ///< columns of the current data that the caller has not counted either
  std::span<const ColumnSpec> declared{};  ///< what the current data themselves say of their columns, however read
  std::string_view label{};                ///< a label besides the columns of Role::kLabel
  std::span<const Habit> habits{};         ///< of `windows`
};

/// A Context, and the samples of rows that checks of pairs and of whole rows look at, taken once for all checks; empty
/// for those that do not say kNeedsSample.
struct Subject : Context {
  RowSample sample, reference_sample;
  /// The reference's column of that name, or nullptr.
  const ColumnState* before(const ColumnState& column) const;
};

/// Parameter of a check, for help, configuration and the reference page.
struct Param {
  std::string_view name;
  double fallback, min, max;
  std::string_view doc;
};

/// What a check looks at, and what it needs; bits.
enum Takes : std::uint16_t {
  kNumbers = 1,
  kStrings = 2,
  kTimes = 4,
  kPairs = 8,
  kTable = 16,
  kNeedsReference = 32,
  kNeedsRows = 64,     ///< what Depth::kAll keeps
  kNeedsSample = 128,  ///< Subject's samples
  kOfRowsAlone = 256,  ///< holds of the rows at hand, however few of their window they are
};

using Args = std::span<const double>;  ///< parallel to Check::params

/// Descriptor of a check. `run` appends its findings: one for each column it applies to, or one for the table. It never
/// throws or prints, and takes any state: empty, one row, constant, all missing.
struct Check {
  std::string_view name;
  std::string_view summary;
  std::string_view source;  ///< paper or origin of the rule
  std::uint16_t takes;      ///< Takes bits
  std::span<const Param> params;
  void (*run)(const Subject&, Args, std::vector<Finding>&);
};

#define VIGIE_CHECK(name) extern const Check name;
#include "quality/checks.def"
#undef VIGIE_CHECK

/// All checks, in the order of checks.def.
std::span<const Check* const> checks();
/// The check of that name, or nullptr.
const Check* find_check(std::string_view name);

/// Rows below which no check decides what is a question of sampling.
inline constexpr std::int64_t kFewestRows = 30;

struct RunOptions {
  /// Chance of any false alarm among all checks and columns of one healthy window: Benjamini & Hochberg over all
  /// p-values.
  double alpha = 0.01;
  std::vector<std::string> only, skip;                          ///< names of checks; `only` empty: all
  std::map<std::string, std::map<std::string, double>> params;  ///< check → parameter → value
  unsigned threads = 1;                                         ///< 0: one per core; the findings are the same
};

/// Runs the checks in the order of checks.def and settles which warnings hold. Unknown check or parameter, a value
/// outside its bounds: Code::kUsage with the nearest name. Cost: about 10 ms in one thread for 20 columns,
/// whatever the rows, and for each pair of text columns whose association seems to have changed about 0.2 ms
/// more.
Result<std::vector<Finding>> run_checks(const Context& context, const RunOptions& options = {});

}  // namespace vigie::quality
