// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/profile.h"
#include "engine/scoring.h"
#include "server/index_query.h"
#include "server/maintenance.h"
#include "server/model_config.h"

namespace vigie::server {

struct IndexReferenceOptions {
  engine::Roles roles;  ///< of `timestamp` it is the rows' own that counts
  engine::WindowSpec window;
  std::vector<engine::SegmentBy> segments;  ///< each by one column
  std::vector<engine::ForcedType> schema;   ///< numbers as categories
  std::function<bool()> stop;               ///< asked between two requests
  engine::Progress progress;
  std::string version;
};

/// A reference of rows that lie in indexes, counted there: not a row comes here. Columns are the fields that a cluster
/// can count, "features." and "tags." before their names left out; of indexes that vigie fills, what is no feature is
/// left out too. Of numbers of which no more than 32,768 rows have any, or that have few different ones, bins are those
/// of the same rows in a file; of others cells are chosen by the cluster's approximate quantiles, and counted exactly.
/// Of data quality it knows what counts say: missing values, ends, categories, rows of windows. What cannot be counted
/// is said in `notes`: texts, times, and categories that are too many to be kept by name. Code::kInput: no rows;
/// Code::kUsage: no such column, windows by rows, segments by two columns; Code::kUnavailable: `stop` said so. Cost:
/// two requests a column, and a window's and segment's as IndexCounts has them.
Result<engine::Profile> make_index_reference(const IndexedRows& rows, const IndexReferenceOptions& options);

/// Puts into a profile of such rows how good predictions were in them, where a row has its label too. `scoring`: label,
/// prediction and scores, which are those of the profile where it names none; `guessed`: nobody named the task, which
/// the fields speak of or not; what they lack for it is a note of the profile then, and no error. Cost: a request for
/// each 4,000 answers of a window that differ.
Status keep_index_scores(engine::Profile& profile, const std::shared_ptr<IndexQuery>& query,
                         engine::ScoreOptions scoring, bool guessed);

/// The same as a service makes it: windows as the model was said to have, else days where 15 or more have rows, else
/// hours; its features and segments; without windows in which it is worked on; with keep_index_scores(). Code::kInput:
/// those are all, or more than 1,000 times of them.
struct WatchedReference {
  engine::Profile profile;
  std::int64_t in_maintenance = 0;  ///< rows that were left out
};
using TimesOfWork = std::function<std::vector<Maintenance::Time>(std::int64_t from, std::int64_t to, std::size_t most)>;
Result<WatchedReference> make_index_reference(IndexedRows rows, const ModelConfig& model, const TimesOfWork& works,
                                              IndexReferenceOptions options);

}  // namespace vigie::server
