// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/comparison.h"
#include "view/course_internal.h"

namespace vigie::view {

/// One column over all windows, segments and methods: what the terminal and the report both say of it. Points into
/// the Comparison. Of its course, verdicts are the worst of a window; undecided: no worse than ok, and a test of the
/// whole window is undecided.
struct Finding : Course {
  std::string_view column;
  engine::Role role = engine::Role::kFeature;
  engine::ColumnType type = engine::ColumnType::kNumeric;
  engine::Verdict verdict = engine::Verdict::kNoData;  ///< the worst there is
  /// The result to speak of: of the worst verdict, whole windows before segments (of what did not
  /// change: values before the missing share), then of segments the least p-value, then the greatest effect by its
  /// level; never null.
  const engine::ColumnResult* gravest = nullptr;
  std::size_t window = 0;  ///< position of its window
  double gravity = -1;     ///< its effect / its major level; −1 where there is no effect
  /// Per window, of the whole window: the result of the values (of several methods the gravest), of the missing share;
  /// null where there is none.
  std::vector<const engine::ColumnResult*> values, missing;
  std::string guess;  ///< "window 3 (2013-06-03) looks like …": of another window than that of `gravest`
  const engine::Picture* picture = nullptr;  ///< null where there is none

  bool changed() const { return verdict >= engine::Verdict::kWarning; }
  bool output() const;  ///< prediction, score or label
};

/// In the order of the reference's columns. A column without any value on either side is without verdict here.
std::vector<Finding> find(const engine::Comparison& comparison);
/// Gravest first: by verdict, then effect relative to its level. Those that did not change come last.
std::vector<const Finding*> ranked(const std::vector<Finding>& findings);

/// effect / major of a result; −1 where either does not exist.
double gravity(const engine::ColumnResult& result);

/// "0.42 sd", "18 % of rows"; with a sign where `way` is not 0; "–" where there is none.
std::string effect_text(double effect, std::string_view scale, int way = 0);
std::string share_text(double share);  ///< "0.3 %"
/// The kind of a column and, of a text or an embedding, what of it is compared: "text, by its length".
std::string type_text(engine::ColumnType type);
/// "<1e-15", "0.0021"
std::string p_text(double p);

/// Which way a numeric column moved in a window: +1 when its 10th, 50th and 90th percentile all went up, −1 down, else
/// 0. Of a missing share: its sign.
int direction(const Finding& finding, const engine::ColumnResult& result, std::size_t window);

/// The smallest effect that the window best placed to see one could have seen; NaN where unknown.
double best_power(const Finding& finding);

/// Missing shares of reference and current that go with a result.
struct Shares {
  double reference, current;
  /// Whether the difference is worth a word beside a change of values: from half a percent of rows.
  bool differ() const { return current - reference >= 0.005 || reference - current >= 0.005; }
};
Shares missing_shares(const Finding& finding, const engine::ColumnResult& result, std::size_t window);
bool is_missing_share(const engine::ColumnResult& result);

std::string window_text(const engine::Comparison& comparison, std::size_t window);
/// The date of a window's start, else its number.
std::string window_label(const engine::Comparison& comparison, std::size_t window);

/// Whether a result has an effect worth a look and no verdict, in a window that is whole.
bool undecided(const engine::ColumnResult& result, const engine::WindowResult& window);

/// All columns together: the verdicts of the windows; undecided where a window has none and a column of it is.
Finding all_together(const engine::Comparison& comparison, const std::vector<Finding>& findings);

/// when() with the comparison's windows by name.
std::string when(const engine::Comparison& comparison, const Course& course, engine::Verdict verdict);
/// Whether a change is lasting().
bool stays(const Finding& finding);
/// The finding to speak of first: of changes those that stayed, then by verdict and effect; nullptr where there is
/// none.
const Finding* foremost(const std::vector<Finding>& findings);
/// When the changes that stayed were, or all of them where none did: as the headline says.
std::string overall(const engine::Comparison& comparison, const std::vector<Finding>& findings);

/// "the last window is cut off by the end of the data"; empty where none is, or where it is judged all the same.
std::string cut_off(const std::vector<engine::WindowResult>& windows);

/// The reason of `gravest`; where another window alone has a guess of what is behind the change, with that.
std::string reason_text(const Finding& finding);

/// "worst in window 14 (2013-07-08)": the window the numbers of `gravest` are from; empty where that is the first
/// window of the worst verdict, or the only one.
std::string worst_in(const engine::Comparison& comparison, const Finding& finding);

/// The verdict in one sentence, without the word itself: "3 of 20 columns changed; age moved most, +0.42 sd;
/// drift since window 7 (2013-06-03); besides 2 columns on 3 single days". Where an "ok" needs a word of caution it
/// begins with "but ": "but no change of the size that matters could have been seen: …", "but 13 of 16 columns could
/// not have shown a change of the size that matters: …" (where they are more than half of those judged), "but 1 check
/// of data quality failed: …".
std::string sentence(const engine::Comparison& comparison, const std::vector<Finding>& findings);
/// "; 3 would be drifts, had the reference five windows to tell by": a half sentence on verdicts that are held to a
/// warning for want of healthy windows; empty for 0.
std::string held_back(std::int64_t held);
/// Whether the sentence begins so.
bool cautious(std::string_view sentence);
/// Whether a column is ok and no window of it could have shown even a major change.
bool blind(const Finding& finding);

/// Columns that share a reason for having no verdict.
struct Group {
  std::string reason;
  std::vector<std::string_view> columns;
};
std::vector<Group> without_data(const std::vector<Finding>& findings);

/// Results in segments with at least kWarning, gravest first, one a segment.
std::vector<const engine::ColumnResult*> segments(const engine::Comparison& comparison, std::string_view column);

}  // namespace vigie::view
