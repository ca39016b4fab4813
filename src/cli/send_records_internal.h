// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/profile.h"
#include "table/json_cells.h"
#include "table/table.h"

namespace vigie::cli {

struct RecordOptions {
  engine::Roles roles;
  std::vector<std::string> tags;  ///< columns that go under `tags`; those that are compared are features as well
  std::string ids;                ///< where no column has them: this, a dash and the row's number
  /// Whether numbers, times and truths can go as they are written in the data: text with a decimal point.
  bool as_written = false;
  double shift = 0;  ///< µs that are added to each time
  /// What else is said of the row of that number, as `,"version":"3"`.
  std::function<void(std::int64_t row, std::string& out)> more{};
};

/// Rows of a table as the records that `vigie serve` takes, a line of JSON each: a server that has a reference reads of
/// them what compare() reads of the table. What is missing is absent. Numbers as they are written that JSON does not
/// know, as 007, go as strings, which are read as the numbers that they are.
class Records {
 public:
  /// `schema`: of the table. Code::kUsage: names that it does not have, and a time that is none.
  static Result<Records> make(const table::Schema& schema, RecordOptions options, const std::string& source);

  /// The columns that records have, as batches must be read.
  const table::Schema& types() const { return types_; }

  /// Turns to a batch of a reader of types(), whose first row has that number; it must live until the next.
  Status load(table::Batch& batch, const table::Schema& schema, std::int64_t first);

  /// µs since 1970, NaN where it is missing.
  double time(std::size_t row) const { return times_.empty() ? kNone : times_[row]; }
  /// Appends the prediction of a row.
  void prediction(std::size_t row, std::string& out) const;
  /// Appends its label, given at that time if any; false where the row has no label or no id.
  bool label(std::size_t row, double given, std::string& out) const;

 private:
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);
  struct Member {
    std::string key;  ///< `"age":`
    std::size_t column;
  };
  std::size_t column(const table::Field& field, bool word);
  bool append(std::size_t column, std::size_t row, std::string& out) const {
    return column != kNowhere && cells_->append(column, row, out);
  }
  bool append_id(std::size_t row, std::string& out) const;
  void append_object(std::string_view key, const std::vector<Member>& members, std::size_t row, std::string& out) const;

  RecordOptions options_;
  table::Schema types_;
  std::vector<bool> bare_;  // of columns read as strings: whether numbers, true and false go without quotes
  std::size_t id_ = kNowhere, time_ = kNowhere, prediction_ = kNowhere, score_ = kNowhere, label_ = kNowhere;
  std::vector<Member> features_, scores_, tags_;
  std::optional<table::JsonCells> cells_;
  std::vector<double> times_;
  std::int64_t first_ = 1;
};

}  // namespace vigie::cli
