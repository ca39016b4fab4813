// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "engine/compare.h"
#include "engine/scorecard.h"
#include "metric/metric.h"

namespace vigie::engine {

/// A change of a metric against the reference is measured in shares of what the reference has above the baseline, at
/// these levels; where it has nothing above it, in shares of the metric's range (kShareLevels) or, without bounds, in
/// standard deviations of a row (kSdLevels). A loss is measured by what it was, at kGrowthLevels, where those are
/// reached first: a model far ahead of the baseline may lose little of its lead and be wrong twice as much.
inline constexpr Levels kLeadLevels{0.1, 0.25};
inline constexpr Levels kGrowthLevels{0.5, 1};
/// A loss whose baseline is perfect, as of calibration, counts as at least this share of its range: of less a doubling
/// does not matter.
inline constexpr double kLeastLoss = 0.05;

struct ScoreOptions {
  metric::Task task = metric::Task::kBinary;
  /// Of classes a prediction beside scores is what was decided on, in place of the threshold or the highest score.
  std::string label, prediction;
  std::vector<std::string> scores;      ///< one; of multiclass one a class
  double threshold = .5;                ///< binary: predicted positive at this score or above
  std::optional<std::string> positive;  ///< binary: the class; else 1, true, yes, or the later of two in sort order
  std::vector<std::string> classes;     ///< of many: all that there are; else, when scored, those of the data
  std::optional<std::array<double, 4>> costs;  ///< binary: worth of a row of tn, fp, fn, tp
  std::string group;                           ///< ranking: which list a row is of; segmentation: which image
  std::vector<std::uint32_t> ks = {5, 10};
  std::string token_logprob;  ///< text: logarithms of the tokens' probabilities, a list or one number a row
  std::string sensitive;      ///< binary: fairness between the values of this column

  std::vector<std::string> metrics;  ///< only these; empty: all of the task

  std::string timestamp;
  WindowSpec window;
  std::vector<SegmentBy> segments;
  std::optional<bool> cut_off{};  ///< whether calendar windows are; else it is told from their times
  bool pictures = false;          ///< whether Scorecard::pictures is wanted
  bool keep_state = false;        ///< whether StoredScores::state is
  double alpha = 0.05;            ///< false-discovery level of one window
  std::optional<Levels> levels;   ///< in place of those above, on whatever scale a metric's effect has
  unsigned threads = 0;
  Progress progress;
  std::string version;
};

/// What to compare with: labelled rows, or a profile that has StoredScores; or neither.
struct ScoreAgainst {
  table::Input* rows = nullptr;
  const Profile* profile = nullptr;
  std::string name{};  ///< of the profile's file
};

/// Scores the predictions of labelled data: one pass over `data` (two, where classes or types are known only after the
/// first), and the same over the rows of `reference`, where there are such, for verdicts. The only place where metrics
/// become verdicts. Memory: windows × segments × classes states, each of bounded size but for ranking, which keeps its
/// rows. Errors: unreadable data, columns that are not there or not what the task needs. A profile gives the verdicts
/// of the rows that it was made of, to the last digit. Code::kUsage for one that was made of other columns or with
/// other options.
Result<Scorecard> score(table::Input& data, const ScoreAgainst& reference, const ScoreOptions& options);

}  // namespace vigie::engine
