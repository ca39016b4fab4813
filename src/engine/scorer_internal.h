// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "engine/score_reference.h"
#include "engine/scorecard.h"
#include "engine/scoring.h"
#include "table/table.h"

namespace vigie::engine {

/// Rows of one batch: [begin, end), or those that `picked` names.
struct RowSet {
  std::size_t begin = 0, end = 0;
  std::span<const std::uint32_t> picked;
  bool whole() const { return picked.empty(); }
  std::size_t size() const { return whole() ? end - begin : picked.size(); }
};

/// The values of those rows, in `buffer` where they do not lie side by side.
template <class T>
std::span<const T> take(std::span<const T> all, const RowSet& rows, std::vector<T>& buffer) {
  if (rows.whole()) return all.subspan(rows.begin, rows.end - rows.begin);
  buffer.clear();
  for (const auto i : rows.picked) buffer.push_back(all[i]);
  return buffer;
}
template <class T>
std::span<const T> take(const std::vector<T>& all, const RowSet& rows, std::vector<T>& buffer) {
  return take(std::span<const T>(all), rows, buffer);
}

/// What the state of a group of rows comes to.
struct Finished {
  std::vector<metric::Entry> entries;
  RowCounts rows;
  std::optional<Confusion> confusion;
  ScorePictures pictures;
};

/// The mergeable state of a group of rows, whatever the task.
class GroupState {
 public:
  virtual ~GroupState() = default;
  virtual Status merge(const GroupState& other) = 0;  ///< of the same Scorer
  virtual Finished finish(bool pictures) = 0;
  virtual void save(ByteWriter& out) = 0;  ///< for merge_scores()
};

/// Turns the columns of a task into states, batch by batch.
class Scorer {
 public:
  struct Wanted {
    std::string column;
    table::Type type;
    bool classes = false;  ///< names of classes: a cell that does not fit `type` asks for another pass with text
  };
  virtual ~Scorer() = default;
  virtual const std::vector<Wanted>& wanted() const = 0;
  /// The columns of the next batch, parallel to wanted(). One thread.
  virtual Status read(std::span<const table::Column> columns, std::size_t rows) = 0;
  virtual std::unique_ptr<GroupState> make(std::size_t limit) const = 0;
  /// Adds rows of the batch last read; several threads, each with states of its own.
  virtual void update(GroupState& state, const RowSet& rows) const = 0;
  /// After the last batch. Code::kUsage for a column that held nothing that the task can use.
  virtual Status check() const { return {}; }
  /// What people should know of how columns were taken: effective options, and remarks. The windows are there.
  virtual void describe(Scorecard&) const {}
};

using MakeScorer = std::function<Result<std::unique_ptr<Scorer>>(table::Input&, ScoreOptions&, bool text)>;
/// What score() does once its options are known to be sound, with scorers of the caller's.
Result<Scorecard> score_with(const MakeScorer& make, table::Input& data, const ScoreAgainst& reference,
                             const ScoreOptions& options);

/// Code::kUsage for a role or a segment whose column is not there.
Status check_columns(table::Input& data, const ScoreOptions& options);

/// The scorer of a task. `data` for the passes that find classes. `text`: classes are read as text, since the types
/// that the beginning of the data suggested did not hold. A positive class that was not given is written into
/// `options`.
Result<std::unique_ptr<Scorer>> make_scorer(table::Input& data, ScoreOptions& options, bool text);

// One a task.
Result<std::unique_ptr<Scorer>> make_binary_scorer(table::Input& data, ScoreOptions& options, bool text);
Result<std::unique_ptr<Scorer>> make_multiclass_scorer(table::Input& data, ScoreOptions& options, bool text);
Result<std::unique_ptr<Scorer>> make_segmentation_scorer(table::Input& data, ScoreOptions& options, bool text);
/// Of images whose objects are listed in the cells: detection, and segmentation where holds_objects() says so.
Result<std::unique_ptr<Scorer>> make_object_scorer(table::Input& data, ScoreOptions& options);
Result<bool> holds_objects(table::Input& data, const ScoreOptions& options);
std::unique_ptr<Scorer> make_regression_scorer(const ScoreOptions& options);
std::unique_ptr<Scorer> make_ranking_scorer(const ScoreOptions& options);
Result<std::unique_ptr<Scorer>> make_text_scorer(table::Input& data, const ScoreOptions& options);

/// The values of a reference's metrics in its whole windows with rows enough; parallel to `metrics`.
std::vector<HealthyWindows> healthy_of(std::span<const MetricResult> metrics, std::span<const ScoreWindow> windows);
/// Compares the metrics of a window with the same of the reference and writes verdicts. With fewer than kFewestWindows
/// healthy windows the rows are taken for independent.
void judge_metrics(ScoreWindow& window, const ScoreReference& reference, const ScoreOptions& options);
/// Verdicts where there is no reference: a warning for what is worse than its baseline, where most metrics are.
void judge_metrics_alone(ScoreWindow& window);
/// Code::kUsage for a name that is no metric of the task, or, with a sensitive column, of fairness.
Status check_metrics(const std::vector<std::string>& names, metric::Task task, bool fairness);
/// Leaves out what was not asked for; with no names nothing.
void keep_metrics(ScoreWindow& window, const std::vector<std::string>& names);
/// Fills the summary from the windows.
void summarise(Scorecard& card, double alpha);

}  // namespace vigie::engine
