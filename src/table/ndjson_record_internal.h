// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "table/ndjson_block_internal.h"

namespace vigie::table {

/// One value of a record that a column of the plan takes.
struct JsonCell {
  enum class Kind : std::uint8_t { kNull, kBoolean, kNumber, kString, kList, kOther };
  std::int32_t column;
  Kind kind;
  bool copy;     ///< the text does not outlive the record
  bool integer;  ///< of a number
  double number;
  std::string_view text;     ///< content of a string, else as it stands
  std::size_t first, count;  ///< of a list, in JsonRecord::numbers()
};

/// What the value says of its column's type.
Seen seen_of(const JsonCell& cell);
/// "NaN", "Infinity" and "-Infinity", which JSON writes as strings; false (and NaN) for any other text.
bool is_special(std::string_view text, double& number);

/// Reads records, one at a time, into cells: all of a record is checked, also what no column takes. Its memory is kept
/// between records. NaN and Infinity without quotes, as Python writes them, are read too.
class JsonRecord {
 public:
  JsonRecord();
  ~JsonRecord();
  struct Found {
    JsonFind find;
    std::string key;  ///< the path in one piece
  };

  /// Before the first record of a block; texts of the block before are gone.
  void start(const JsonPlan& plan);
  /// Reads `length` bytes, behind which `capacity` − `length` more can be touched. Gives what is wrong with them, or
  /// nullptr.
  const char* read(const char* from, std::size_t length, std::size_t capacity);

  // Of the record last read without error.
  const std::vector<JsonCell>& cells() const;
  const std::vector<double>& numbers() const;
  std::vector<Found>& finds();  ///< keys that the plan does not know

 private:
  class Reader;
  std::unique_ptr<Reader> reader_;
};

}  // namespace vigie::table
