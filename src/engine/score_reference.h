// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "engine/scorecard.h"
#include "engine/scoring.h"

namespace vigie::engine {

/// Values of a metric in healthy windows, of totals per row: what says whether one more is such a window's.
struct HealthyWindows {
  double count = 0, sum = 0, squares = 0;

  HealthyWindows& operator+=(const HealthyWindows& o) {
    count += o.count, sum += o.sum, squares += o.squares;
    return *this;
  }
};

/// How good predictions were in a reference: all that verdicts on later ones need of it.
struct ScoreReference {
  std::vector<MetricResult> metrics;    ///< of the whole, then by segment
  std::vector<HealthyWindows> healthy;  ///< parallel
  /// The same of longer windows, which those are parts of: one for each of coarser_than() their kind, or empty.
  std::vector<std::vector<HealthyWindows>> coarser;
  bool cut = false;  ///< there were more than a profile has room for
};

/// The rows of a longer window that the beginning or the end of the data cut off. The others may be in a profile that
/// this one is merged with.
struct CutWindow {
  std::int64_t key = 0;              ///< which of its kind
  std::int64_t first = 0, last = 0;  ///< which of the shorter windows have rows of it, by their keys: from, to
  bool starts_cut = false, ends_cut = false;
  std::string state;  ///< as StoredScores::state

  /// Whether the rows of `next`, which does not begin before, are the same window's and follow without a gap.
  bool meets(const CutWindow& next) const { return key == next.key && next.first <= last + 1; }
};

/// The same in a profile, and of which columns and options it is.
struct StoredScores {
  ScoreOptions options;  ///< those that change values; what else it holds is not kept
  ScoreReference reference;
  std::string state;  ///< bytes of the metric room's state of all rows; empty where there were too many for a profile
  std::vector<std::vector<CutWindow>> cut;  ///< parallel to ScoreReference::coarser
};

/// The calendar windows that windows of a kind make up: a day's make up weeks and months, a week's no months.
/// Those of minutes make up hours and all that hours do.
std::span<const WindowSpec::Kind> coarser_than(WindowSpec::Kind kind);

/// The task that the roles of a profile's columns speak of; nothing where they name no label and prediction or score.
std::optional<metric::Task> likely_task(const Profile& profile);

/// Scores the reference of a profile. Errors as of score().
Result<std::shared_ptr<const StoredScores>> store_scores(table::Input& data, const ScoreOptions& options);

/// Puts into the profile of `rows` how good predictions were in them. `guessed`: nobody named the task, which the roles
/// speak of or not; what the columns lack for it is a note of the profile then, and no error.
Status keep_scores(Profile& profile, table::Input& rows, ScoreOptions options, bool guessed);

/// Whether a label is one of the classes that were stored; of tasks without classes every one is.
std::function<bool(std::string_view)> known_labels(const StoredScores& scores);

/// Code::kUsage where the metrics that `options` ask for are not those that were stored. `name` is the profile's.
Status check_stored(const StoredScores& stored, const ScoreOptions& options, std::string_view name);

/// Of the rows of both and the classes of both, without segments; with healthy windows where both have the same kind,
/// among them longer ones that each has a part of. `lost`: how many of those there would be, had the profiles had room
/// for their rows. Code::kUsage says why merging is not possible: they are of other columns or options, or a state is
/// missing.
Result<std::shared_ptr<const StoredScores>> merge_scores(const StoredScores& a, const StoredScores& b,
                                                         std::size_t& lost);

/// A part of a profile file, in about `room` bytes: what finds none is left out, segments before the state, and with
/// names of classes that are too long for it the state too; all where the names of columns are. Rows of windows that
/// are cut off are left out first of all. Null is an empty one.
void save_scores(ByteWriter& out, const StoredScores* scores, std::size_t room);
/// False when the bytes are damaged. `coarser`: whether the format version knows longer windows.
bool load_scores(ByteReader& in, bool coarser, std::shared_ptr<const StoredScores>& out);

}  // namespace vigie::engine
