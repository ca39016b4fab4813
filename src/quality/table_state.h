// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "quality/column_state.h"
#include "quality/repeats.h"

namespace vigie::quality {

/// Rows drawn at random, the same ones for every column, in an order that has nothing to do with the data.
struct RowSample {
  std::vector<std::vector<std::uint64_t>> columns;  ///< parallel to the table's; words as ColumnState::sample() says
  std::size_t rows = 0;
};

/// The mergeable state of a table: its columns, its rows as wholes, and a sample of kSampleRows / 2 to kSampleRows rows
/// (all of them while fewer), chosen by a hash of the row's number and so the same whatever the order of batches.
///
/// Use: for each batch begin(), then column(i) for every i, from several threads for different i if wanted, then end().
/// Or one state a thread, merged at the end. Row numbers must be different in all that is merged.
/// The rows' hashes leave out columns of Role::kId and kTime: a row sent twice has often a new one of both.
///
/// Memory: about 150 kB a column; and 8 to 32 bytes a different row up to a quarter of a million of them, different ids
/// up to a million. With Depth::kCounts about 1 kB a column, and its categories.
class TableState {
 public:
  static constexpr std::size_t kSampleRows = 4096;
  static constexpr std::size_t kExactRows = std::size_t{1} << 18;  ///< different rows until repeats are estimated

  /// `reference`: gives the columns of the same name and kind their Fences, of one without rows those that it was
  /// given; not kept.
  explicit TableState(std::vector<ColumnSpec> columns, const TableState* reference = nullptr,
                      Depth depth = Depth::kAll);
  TableState(TableState&& other) noexcept;
  TableState& operator=(TableState&& other) noexcept;

  TableState copy() const;

  void begin(std::int64_t first_row, std::size_t rows);
  void column(std::size_t i, const Values& values);
  void end();
  /// All three.
  void update(std::int64_t first_row, std::size_t rows, std::span<const Values> columns);
  /// As if this had seen the other's rows too. Other columns, or another reference: Code::kInput, and nothing changes.
  Status merge(const TableState& other);
  /// The same of rows that come after these ones and have the same numbers as some of them.
  Status append(const TableState& other);
  /// The same of rows of which nobody knows where among these they came.
  Status join(const TableState& other);
  /// Goes on at a lower depth, as if it had been the depth from the first row on.
  void lower(Depth depth);

  Depth depth() const { return depth_; }
  std::int64_t rows() const { return rows_; }
  const std::vector<ColumnState>& columns() const { return columns_; }
  /// The column of that name, or nullptr.
  const ColumnState* find(std::string_view name) const;
  const Repeats& row_repeats() const { return row_repeats_; }
  /// Of the column of Role::kId, missing ones left out; no rows where there is none.
  const Repeats& id_repeats() const { return id_repeats_; }
  RowSample sample() const;
  std::size_t size_bytes() const;  ///< of what the columns hold in memory, about

  /// `budget`: of each column; checks then see a little less.
  void save(ByteWriter& out, const Budget& budget = {}) const;
  /// Code::kCorrupt for bytes that no save() wrote.
  static Result<TableState> load(ByteReader& in);

 private:
  Status merge_from(const TableState& other, std::int64_t first_row);
  struct Lane {
    std::vector<std::uint64_t> hashes;
    bool used = false, taken = false;
  };
  Lane& take_lane();
  void raise(unsigned level);
  void thin(std::size_t most);
  void keep_ids(const Values& values, Kind kind);

  Depth depth_ = Depth::kAll;
  std::vector<ColumnState> columns_;
  std::int64_t rows_ = 0;
  Repeats row_repeats_{kExactRows}, id_repeats_;
  unsigned level_ = 0;                     // sampled rows have this many leading zeros in their priority
  std::vector<std::uint64_t> priorities_;  // of the sampled rows, parallel to every column's sample()
  // The batch between begin() and end().
  std::int64_t first_ = 0;
  std::vector<std::uint64_t> weights_, ids_;
  std::vector<std::uint32_t> picks_;
  std::mutex lanes_mutex_;
  std::vector<std::unique_ptr<Lane>> lanes_;  // sums of row hashes, one a thread that is at work
};

}  // namespace vigie::quality
