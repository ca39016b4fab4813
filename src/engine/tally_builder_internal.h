// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "engine/aspect_values_internal.h"
#include "engine/column_counter_internal.h"
#include "engine/quality_counter_internal.h"
#include "engine/segmenter.h"
#include "engine/tally.h"
#include "quality/rules.h"

namespace vigie::engine {

/// Makes a Tally batch by batch, of rows that lie in a file or come in as they happen. `profile` and what the options
/// point to must outlive it. What is counted does not depend on the batches' size. Movable; one thread at a time.
class TallyBuilder {
 public:
  /// The columns that are counted, or tell of windows and segments, with the types that they are to be read as.
  static table::Schema wanted(const Profile& profile, const TallyOptions& options);
  /// For batches of that schema; `source` names the data in messages. Code::kUsage: it lacks the times or a segment.
  static Result<TallyBuilder> make(const Profile& profile, const table::Schema& schema, std::string source,
                                   TallyOptions options);
  TallyBuilder(TallyBuilder&&) noexcept;
  TallyBuilder& operator=(TallyBuilder&&) noexcept;
  ~TallyBuilder();

  /// Windows that are met from now on are judged by rules too, on what TallyOptions::quality counts. Code::kUsage: a
  /// regex that is none.
  Status demand(std::vector<Expectation> rules);
  /// Whether any window of it is.
  bool demands() const;
  /// As RuleStates::unfit() of what demand() was told.
  std::vector<std::string> unfit() const { return fresh_rules_.unfit(); }

  /// Code::kUsage: more windows and segments than memory is granted for; what the batch says of itself. `numbers`: of
  /// its rows, where a broken rule tells of them, rising; empty: as they are counted here.
  Status add(table::Batch& batch, std::span<const std::int64_t> numbers = {});
  std::int64_t rows() const { return tally_.rows; }
  const Windower& windows() const { return *tally_.windower; }
  /// What was counted, once, at the end. Code::kInput: rows, but none with a time.
  Result<Tally> finish(table::Problems problems);
  /// What finish() would give now; more rows may come. Cost: a copy of all counts.
  Result<Tally> so_far() const;

  /// What another one counted, made alike, of other rows; nobody knows which of both came first. Code::kInput: it was
  /// not made alike. Cost: that of a copy.
  Status merge(const TallyBuilder& other);

  /// What was counted so far, and, in one that was just made alike, to go on from there as if nothing had happened.
  /// Code::kCorrupt. Cost: about 1 kB a column, window and segment, and the values and rows that are kept.
  void save(ByteWriter& out) const;
  Status load(ByteReader& in);
  /// The same of rules by which demands() says that windows are judged, behind the rest.
  void save_rules(ByteWriter& out) const;
  Status load_rules(ByteReader& in);

 private:
  TallyBuilder(const Profile& profile, std::string source, TallyOptions options);
  Status start(const table::Schema& schema);
  Status find_groups(table::Batch& batch);
  Result<Tally> complete(Tally t, std::vector<ColumnCounter> counters) const;
  void check(std::size_t i, const table::Column& column);
  Status judge_rules(table::Batch& batch, std::span<const std::int64_t> numbers);
  bool keeps_rows(std::size_t i) const { return i < options_.keep_rows.size() && options_.keep_rows[i]; }

  const Profile* profile_;
  std::string source_;
  TallyOptions options_;
  Tally tally_;
  std::vector<Segmenter> segmenters_;
  std::vector<ColumnCounter> counters_;
  std::vector<AspectValues> derived_;
  std::vector<std::vector<std::size_t>> beside_;  // per column the counters of its aspects
  std::vector<std::size_t> where_;                // per counter the column in the schema
  std::size_t time_column_ = 0;

  std::vector<quality::ColumnSpec> checked_;
  std::vector<std::size_t> slot_;               // per column of the schema in checked_
  std::unique_ptr<quality::TableState> fresh_;  // knows the reference's fences, which take a while to find
  Pieces pieces_;
  std::vector<QualityBuffer> buffers_;
  quality::RuleStates fresh_rules_;
  std::vector<quality::RuleStates> rules_;  // by window; where any was ever demanded

  // Bytes of one window or segment over all columns, and of all that were met, with what the checks hold.
  std::int64_t each_ = 0, held_ = 0, row_bytes_ = 0, groups_met_ = 0;
  std::vector<std::vector<bool>> met_;
  struct Weighed {
    std::int64_t rows = 0, bytes = 0;
  };
  std::vector<Weighed> weighed_;  // what the checks hold of a window, weighed again whenever its rows have doubled

  std::vector<Membership> groups_;
  std::vector<std::size_t> sizes_;
  std::vector<std::int32_t> windows_;
  std::vector<double> time_buffer_;
  std::vector<std::vector<std::int32_t>> segment_of_;
};

}  // namespace vigie::engine
