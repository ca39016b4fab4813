// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "drift/between.h"
#include "drift/drift.h"
#include "engine/compare.h"

namespace vigie::engine {

/// Below so many healthy windows the variation between them is learnt badly: notes say it, and a large change that
/// they could not have told from a usual one is left undecided.
inline constexpr std::int64_t kAdvisedWindows = 15;
/// What lies this far outside all of so many healthy windows, in units of the range that they span, is not said to be
/// usual, and so far is warned of, even where they change too slowly for a p-value. Simulated: of a million normal
/// windows none is far outside fifteen whose neighbours correlate by .7, one of 1,500 where they do by .9 (of twenty
/// one of 9,000); with tails of Student's t of four degrees one of 1,800 and of 300.
inline constexpr double kOutside = 1;
inline constexpr double kFarOutside = 3;

/// Why there is no verdict.
inline constexpr const char* kCutOff = quality::kCutOff;
std::string too_few(std::int64_t reference, std::int64_t current);

/// One test before its family is known.
struct Draft {
  ColumnResult result;
  std::size_t segmentation = 0, segment = 0;  ///< of those asked for, and in it
  std::size_t methods = 1;  ///< that look at the same rows of the same column: together they are one of the family
  bool tested = false;      ///< a member of the family
  double noise = 0;         ///< of the effect
  std::string movement;     ///< what changed, for people
  bool usual = false;       ///< sampling noise is exceeded, the variation between healthy windows is not
  bool unsure = false;      ///< usual, but for healthy windows too few or too small to have shown otherwise
  double outside = 0;       ///< of drift::Between, among kAdvisedWindows or more
  bool aspect = false;      ///< of an aspect of the column, not of its values
  bool alone = false;       ///< judged as independent rows, since of this part too few healthy windows have the rows
};

/// Scores the columns of a tally against the reference, part by part.
class Judge {
 public:
  /// `segmentations`: of the reference, those that are asked for. All arguments must outlive the judge.
  /// `methods`: of all that is counted, as choose() has them. `rows`: the reference's own, or nullptr.
  Judge(const Profile& reference, const Tally& tally, const CompareOptions& options,
        std::vector<std::size_t> segmentations, std::vector<std::vector<const drift::Method*>> methods,
        const Tally* rows);

  /// Whether the reference has healthy windows enough to compare with.
  bool between() const { return between_; }
  /// Whether time is known and the reference has too few windows: no verdict above a warning.
  bool warn_at_most() const { return warn_at_most_; }

  /// The tests of one column in one window, by segment; thread-safe. `partial`: the window is cut off.
  std::vector<Draft> column(std::size_t column, std::size_t window, bool partial, std::size_t family) const;

  /// Why a column cannot be compared with the reference's, or empty.
  std::string incomparable(std::size_t column) const;

 private:
  // The healthy windows of one part of a column, and what turns a window into their terms.
  struct Among {
    drift::Summarizer summarize;
    drift::HealthyWindows healthy;
    static std::optional<Among> of(const drift::Axis& axis, std::span<const std::int64_t> cells,
                                   std::span<const drift::WindowSummary> windows);
  };
  struct AmongPair {
    std::optional<Among> values, missing;
  };
  // Where a test is: the part of the reference, its healthy windows, the segment's name and the window.
  struct Place {
    // column: of those counted; segmentation: of those asked for; index: of the segment in it
    std::size_t column, window, segmentation, index;
    const Part& part;
    const AmongPair* among;
    const Counts& current;
    std::optional<std::string> segment;
    bool partial;
    double level;
  };

  const drift::Method& first_method(std::size_t column) const;
  Draft blank(const ColumnProfile& column) const;
  std::vector<Draft> values(const Place& place) const;
  /// Whether the method sees whole rows here; then the draft says what it found.
  bool judge_vectors(Draft& draft, const drift::Method& method, const Place& place, const drift::Args& args) const;
  Draft missing(const Place& place) const;
  void add_parts(std::vector<Draft>& drafts, std::size_t counted, std::size_t window, bool partial,
                 std::size_t family) const;
  std::string uncovered(const Place& place, Aspect aspect) const;  // why hours or days cannot be compared, or empty
  void judge_among(Draft& draft, const Among& among, std::span<const std::int64_t> cells, const Place& place) const;
  std::string no_value(std::size_t column, const Counts& current) const;

  const Profile& reference_;
  const Tally& tally_;
  const CompareOptions& options_;
  std::vector<std::size_t> segmentations_;
  std::vector<std::vector<const drift::Method*>> methods_;  // parallel to Profile::counted()
  const Tally* rows_;
  bool between_, warn_at_most_;
  std::vector<std::vector<std::vector<AmongPair>>> among_;  // [column][segmentation asked for][segment]
};

/// Corrects the p-values of a window's tests over their family (Benjamini & Hochberg 1995). The methods of one column
/// are one member by their smallest p-value, Bonferroni-corrected for their number; within it each keeps its own.
void correct(std::span<Draft* const> drafts);

/// The one place where a score, adjusted over its family, becomes a verdict (alarms: "From p-values to a verdict").
void decide(Draft& draft, double alpha, bool warn_at_most);

}  // namespace vigie::engine
