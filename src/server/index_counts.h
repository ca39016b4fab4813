// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/profile.h"
#include "engine/tally.h"
#include "engine/windows.h"
#include "server/index_quality.h"
#include "server/index_query.h"
#include "server/index_scores.h"

namespace vigie::server {

/// Checks of data quality that say nothing of rows without an order.
inline constexpr std::string_view kWithoutOrder[] = {"time_gaps", "order_violations"};

/// Code::kUsage: windows by rows, as an index has no order.
Status check_order(const std::string& index, const engine::WindowSpec& windows);

/// Goes through the windows of the calendar that have rows, and passes over times without any: a request a window, and
/// two a time without. `use` says whether to go on.
Status each_window(IndexQuery& query, const engine::Windower& windows, const IndexQuery::Times& all,
                   const std::function<Result<bool>(std::int64_t key, const IndexQuery::Times& rows)>& use);

/// Counts rows that lie in indexes on the axes of a reference, by aggregations there: not a row comes here. What is
/// counted is what rows in a file would be, cell by cell; the distance of numbers beyond all that the reference has is
/// a sum, and not rounded row by row. Where the reference has what checks of data quality need, that is counted too, of
/// whole windows; but an index has no order, and what kWithoutOrder names says nothing there. Cost of a window and
/// segment: a request for each 4,000 cells, to the cluster what its aggregations take. One thread at a time.
class IndexCounts {
 public:
  /// `segments`: those of the reference that count. Code::kUsage: nothing of the reference is there, or it has no such
  /// segments.
  static Result<std::unique_ptr<IndexCounts>> make(std::shared_ptr<IndexQuery> query, const engine::Profile& reference,
                                                   const std::vector<engine::SegmentBy>& segments);

  /// The reference without what cannot be counted there: texts, embeddings and times, segments by two columns, and what
  /// no field has. Whoever judges what is counted judges by it.
  const engine::Profile& reference() const { return reference_; }
  /// Whether that is less than the reference it was made of.
  bool left_out() const { return left_out_; }
  /// What was left out and why, and what is not exact, a sentence each.
  const std::vector<std::string>& notes() const { return notes_; }
  /// Of what was left out, what rows have not, or otherwise than the reference.
  struct Unlike {
    std::string column, expected, why;
  };
  const std::vector<Unlike>& unlike() const { return unlike_; }
  /// The fields as columns.
  const table::Schema& columns() const { return columns_; }
  /// How good predictions were, where the reference says it and a row has its label; null: that is not counted.
  IndexAnswers* answers() { return answers_.get(); }

  /// Of what a cluster counts by shards, and of what is pooled: how far off a column of categories may be.
  struct Bound {
    std::string column;
    std::int64_t error = 0;   ///< doc_count_error_upper_bound: so many rows of a category may be missing in its count
    std::int64_t others = 0;  ///< sum_other_doc_count of new categories: rows of such as are not told apart
    std::int64_t rows = 0;    ///< of the window
  };
  /// Of the window that was counted last, of columns of which it is not 0.
  const std::vector<Bound>& bounds() const { return bounds_; }

  IndexQuery& query() { return *query_; }
  /// All windows with rows; times without any are passed over. Code::kUsage: windows by rows, as an index has no order;
  /// more windows and segments than 2 GiB of counts, or 1,000,000 together.
  Result<engine::Tally> count(const engine::WindowSpec& windows, const engine::Progress& progress);
  /// One window's as of the only window: key, and [from, to) in µs; `rows`: of it.
  Result<engine::Tally> count(const engine::WindowSpec& windows, std::int64_t key, std::int64_t from, std::int64_t to,
                              const IndexQuery::Times& rows);

 private:
  struct Column {
    std::string field;
    std::string type;
  };
  IndexCounts(std::shared_ptr<IndexQuery> query, const engine::Profile& reference);
  Status find_columns();
  void find_segments(const std::vector<engine::SegmentBy>& segments);
  nlohmann::json filter(std::int64_t from, std::int64_t to, std::size_t segmentation, std::size_t segment) const;
  Status check_room(const engine::Tally& tally, std::size_t windows) const;
  void find_quality(bool calendar);
  Status add(engine::Tally& tally, std::size_t window, std::int64_t from, std::int64_t to,
             const IndexQuery::Times& rows);
  void add_quality(engine::Tally& tally, std::size_t window, const IndexQuery::Times& rows);
  void note_bounds(const std::string& column, std::int64_t rows, const nlohmann::json& cells,
                   const nlohmann::json& fresh, std::int64_t others);
  Status add_columns(engine::Tally& tally, std::size_t first, std::size_t last, std::size_t window, std::size_t k,
                     std::size_t s, const nlohmann::json& filter);

  std::shared_ptr<IndexQuery> query_;
  engine::Profile reference_;
  std::vector<Column> fields_;   // of the reference's columns
  std::vector<std::string> by_;  // of the segmentations
  std::vector<std::string> notes_;
  std::vector<Unlike> unlike_;
  std::set<std::string> lacking_;               // columns of which values were missing
  std::unique_ptr<quality::TableState> fresh_;  // null: nothing is checked
  std::vector<std::size_t> slot_;               // of the reference's columns: where they are in it; npos: nowhere
  std::size_t time_slot_ = std::string::npos;
  std::vector<CountedValues> values_;  // of its columns, in the window that is counted
  std::vector<Bound> bounds_;
  std::set<std::string> bounded_;  // columns of which that was said
  std::unique_ptr<IndexAnswers> answers_;
  table::Schema columns_;
  bool left_out_ = false;
  bool guessed_ = false;  // names of new categories were cut off
};

}  // namespace vigie::server
