// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/profile.h"
#include "engine/scoring.h"
#include "server/counted_rows.h"
#include "server/index_query.h"

namespace vigie::server {

/// Answers and labels of rows that lie in indexes, where a row has both, counted there: how many have which. What is
/// computed of them is computed by those who score rows.
struct CountedAnswers {
  CountedRows rows;
  bool exact = true;      ///< else a score stands for all in its cell: what is read of scores one by one cannot be told
  std::size_t cells = 0;  ///< of scores, where not exact
  double roc_auc_bound = std::numeric_limits<double>::quiet_NaN();  ///< then: how far off at most; NaN: no two classes

  std::string save() const;
  /// Code::kCorrupt.
  static Result<CountedAnswers> load(std::string_view bytes);
};

/// What of those can be told of such rows: `options` as they are for the rows themselves, with segments that `rows`
/// has, and of scores in cells only metrics that those give.
engine::ScoreOptions options_for(const CountedAnswers& answers, engine::ScoreOptions options);
/// The metrics that cells of scores do not give.
std::vector<std::string> not_of_cells();

/// Counts them. Rows that differ are asked for as they are up to kMostDifferent; of more, and of two classes with one
/// score each, scores are counted in the cells of the reference, with a cut at the threshold. One thread at a time.
class IndexAnswers {
 public:
  static constexpr std::size_t kMostDifferent = 50'000;  ///< rows that differ, of a window

  /// `notes`: why there is none, or what is left out of it, a sentence each. Null: nothing can be told.
  static std::unique_ptr<IndexAnswers> make(std::shared_ptr<IndexQuery> query, const engine::ScoreOptions& options,
                                            const engine::Profile& reference, std::vector<std::string>& notes);

  /// Of rows with a time in [from, to), all of one window; the last has the last time of `rows` and all others the
  /// first, where the options name a column of times. Nothing, and a note: too many differ, or rows have several
  /// values.
  Result<std::optional<CountedAnswers>> count(std::int64_t from, std::int64_t to, const IndexQuery::Times& rows,
                                              std::vector<std::string>& notes);

  /// Of all rows of the query, window by window, as of a file.
  Result<std::optional<CountedAnswers>> count(const engine::WindowSpec& windows, std::vector<std::string>& notes);

 private:
  struct Source {
    std::string column, field, type;
  };
  IndexAnswers(std::shared_ptr<IndexQuery> query, const engine::ScoreOptions& options)
      : query_(std::move(query)), options_(options) {}
  CountedAnswers empty() const;
  nlohmann::json sources(bool scores) const;
  std::vector<std::uint32_t> values_of(CountedRows& rows, const nlohmann::json& key, bool scores) const;
  Result<bool> count_all(const nlohmann::json& filter, CountedAnswers& out);
  Status count_cells(const nlohmann::json& filter, CountedAnswers& out);
  bool is_score(const Source& source) const;

  std::shared_ptr<IndexQuery> query_;
  engine::ScoreOptions options_;
  std::vector<Source> sources_;  // the label is the first
  std::vector<double> cuts_;     // of scores; empty: none
  double time_ = 0;
};

}  // namespace vigie::server
