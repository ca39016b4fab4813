// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vigie::table {

/// What the values of a column are. Whether strings are categories or free text is decided by the reference profile,
/// not here.
enum class Type : std::uint8_t {
  kSkip,       ///< not wanted: not parsed
  kBoolean,    ///< true/false, any of the two in upper, lower or title case
  kInteger,    ///< any integer or a decimal without fraction
  kFloat,      ///< also decimals
  kTimestamp,  ///< ISO 8601 with or without zone (without: UTC); in numbers only by --schema or a typed file
  kString,
  kList,  ///< list of numbers
};
std::string_view to_string(Type type);

struct Field {
  std::string name;
  Type type = Type::kString;
  bool operator==(const Field&) const = default;
};
using Schema = std::vector<Field>;

/// One column of one batch. The memory belongs to the batch.
/// Numbers (boolean 0/1, integer, float, timestamp in microseconds since 1970 UTC): `numbers`, one a row, NaN where
/// missing; integers beyond 2^53 are rounded to the nearest double.
/// Strings: `codes`, one a row, an index into `dictionary` or −1 where missing. Dictionary entries are distinct UTF-8,
/// their order has no meaning, and not every one need be used.
/// Lists: row i has values[offsets[i], offsets[i+1]); a missing row is marked by missing[i] (empty when none is).
struct Column {
  Type type = Type::kString;
  std::span<const double> numbers;
  std::span<const std::int32_t> codes;
  std::span<const std::string_view> dictionary;
  std::span<const std::int64_t> offsets;
  std::span<const double> values;
  std::span<const std::uint8_t> missing;
  std::span<const std::uint32_t> misfits;  ///< rising: rows whose cell is no `type`; they are delivered as missing

  std::int64_t mismatches() const { return static_cast<std::int64_t>(misfits.size()); }
};

/// A run of consecutive rows. Columns are decoded when asked for.
class Batch {
 public:
  virtual ~Batch() = default;
  virtual std::int64_t rows() const = 0;
  /// Column i of the reader's schema. Safe to call from several threads for different i; a second call for the same i
  /// may give the first one's memory again. A column of type kSkip gives an empty Column.
  virtual Result<Column> column(std::size_t i) = 0;
  /// Says that the Column last given for i is no longer looked at, so that its memory can serve another one: a batch of
  /// a thousand columns then needs one column's memory a thread. As safe as column().
  virtual void release(std::size_t) {}
};

/// How a DATA argument is to be read.
struct ReadOptions {
  std::string format{};      ///< "csv", "tsv", "ndjson", "parquet", "arrow"; empty: told by content, then name
  char decimal = '.';        ///< decimal mark of CSV numbers
  char delimiter = 0;        ///< 0: told from the first line among , ; tab |
  bool keep_ragged = false;  ///< short rows filled with missing, long ones cut; else left out and counted
  bool strict = false;       ///< the first unreadable record is an error
  unsigned threads = 0;      ///< 0: one per core
  std::map<std::string, Type> schema{};  ///< types that are not to be inferred, by column name
};

/// What was wrong with the records of a scan. Same whatever the number of threads.
struct Problems {
  std::int64_t rejected = 0;          ///< records left out
  std::vector<std::string> messages;  ///< the first three: "rides.csv:1042: 7 fields where the header has 8"
  std::vector<std::string> notes;     ///< remarks that cost no record: late type changes, latin-1 read as such …
};

/// One pass over the data.
class Reader {
 public:
  virtual ~Reader() = default;
  /// Names and types of this pass. Types of text formats are a guess from the first block until the pass has ended.
  virtual const Schema& schema() const = 0;
  /// The next batch, or nullptr at the end. Batches come in the order of the rows, and their boundaries do not depend
  /// on the number of threads. Batches of one reader must be used up before the next is asked for.
  virtual Result<std::unique_ptr<Batch>> next() = 0;
  /// After the last batch: whether every cell fitted the types of this pass. When not, schema() has the wider types,
  /// and the data must be scanned again with them. Always true for types given in open().
  virtual bool settled() const = 0;
  virtual const Problems& problems() const = 0;
  /// Bytes of the input consumed so far, for a progress bar.
  virtual std::uint64_t consumed() const = 0;
};

/// A DATA argument: one file, a glob of files in name order, or "-". Can be opened any number of times (standard input
/// is first copied to an unlinked temporary file).
class Input {
 public:
  virtual ~Input() = default;
  /// For messages and the result: the argument as given.
  virtual const std::string& name() const = 0;
  virtual std::uint64_t bytes() const = 0;  ///< size of all files as they lie on disk
  /// "CSV", "TSV", "NDJSON", "Parquet" or "Arrow"; empty for what is no file.
  virtual std::string_view kind() const { return {}; }
  /// Starts a pass. `types`: nothing, to infer every type (except those fixed by ReadOptions::schema); or the types
  /// by name: then columns not named are skipped, and cells that do not fit are counted as mismatches. Names that the
  /// data lacks are simply absent from the reader's schema.
  virtual Result<std::unique_ptr<Reader>> open(const std::optional<Schema>& types = std::nullopt) = 0;
  /// The types that the data themselves declare, whatever ReadOptions say of them: those of Parquet and Arrow, of a
  /// glob its first file's; nothing where types are inferred.
  virtual Result<Schema> declared() { return Schema{}; }
};

/// Finds the files of a DATA argument and what kind they are. Errors: nothing matches, cannot be opened, empty, NUL
/// bytes in text, an unknown or unsupported kind, two kinds in one glob.
Result<std::unique_ptr<Input>> open_input(const std::string& data, const ReadOptions& options);

}  // namespace vigie::table
