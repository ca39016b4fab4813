// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "table/table.h"

namespace vigie::table {

/// A time as cells of that type are read, ISO 8601 or an epoch number of s, ms, µs or ns: µs since 1970.
std::optional<double> parse_time(std::string_view text);

struct JsonPlan;
class JsonBlock;

/// What becomes of keys that no column has.
enum class OtherKeys : std::uint8_t {
  kTold,     ///< they are among JsonRows::unknown()
  kChecked,  ///< they are passed over, and must be JSON all the same
  kSkipped,  ///< passed over unread: of records that were checked before
};

/// How records stand in a body.
enum class JsonForm : std::uint8_t {
  kAny,    ///< one, an array of them, or one after the other
  kLines,  ///< one a line, whatever the first one looks like
};

/// The columns that JSON records are read into: `{"a": {"b": 1}}` is column `a.b`. Never altered: many threads may read
/// by the same.
class JsonShape {
 public:
  struct Key {
    Field field;  ///< its name is the column's, and may be another than the path's
    /// The keys that lead to it, plain or as JSON writes them; empty: the name, parted at its dots.
    std::vector<std::string> path{};
    /// Others that lead to it as well, where no column has them as its path: of a record that has both, the one that
    /// comes last counts.
    std::vector<std::vector<std::string>> also{};
  };
  explicit JsonShape(std::vector<Key> keys, OtherKeys others = OtherKeys::kTold);
  ~JsonShape();
  const Schema& schema() const { return schema_; }
  const std::vector<Key>& keys() const { return keys_; }

 private:
  friend class JsonRows;
  std::vector<Key> keys_;
  Schema schema_;
  std::unique_ptr<JsonPlan> plan_;
};

/// Reads JSON that lies in memory: one object, an array of objects, or objects one after the other, as NDJSON has them.
/// Its memory is kept from one body to the next; one thread uses it. Cost: about 1 µs a record of 20 keys.
class JsonRows final : public Batch {
 public:
  JsonRows();
  ~JsonRows() override;

  /// What read() found is there until it is called again; `shape` must live as long. A cell that does not fit its
  /// column is missing and one of its misfits; a record that is no JSON object is rejected.
  void read(std::string_view body, const JsonShape& shape, JsonForm form = JsonForm::kAny);

  std::int64_t rows() const override;
  Result<Column> column(std::size_t i) override;
  /// Which record of the body a row is, from 0: rejected ones count.
  std::size_t record_of(std::size_t row) const;
  /// The row as the body has it.
  std::string_view text_of(std::size_t row) const;

  struct Reject {
    std::size_t record;  ///< from 0
    std::uint64_t line;  ///< of the body, from 1
    std::string reason;
  };
  /// All of them, in their order.
  const std::vector<Reject>& rejected() const { return rejected_; }
  /// Keys that the shape does not have, with the type that their values ask for; those that only are null are none.
  const std::vector<JsonShape::Key>& unknown() const { return unknown_; }

 private:
  std::unique_ptr<JsonBlock> block_;
  const JsonShape* shape_ = nullptr;
  std::vector<Reject> rejected_;
  std::vector<JsonShape::Key> unknown_;
  std::vector<std::size_t> records_;
};

}  // namespace vigie::table
