// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <parquet/column_reader.h>
#include <parquet/file_reader.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "table/arrow/file_internal.h"
#include "table/arrow/held_internal.h"
#include "table/arrow/reader_internal.h"

namespace vigie::table {

/// How the stored values of a Parquet leaf become numbers or words.
enum class Form {
  kBool,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kInt96,
  kFloat,
  kDouble,
  kHalf,
  kDecimal,
  kWord,
  kUuid,
  kNull
};

/// One column that is delivered, made of one leaf of the file.
struct Plan {
  std::string name;
  Type native = Type::kString;
  Type asked = Type::kString;
  Form form = Form::kWord;
  int leaf = 0;           ///< index of the Parquet column
  int width = 0;          ///< bytes of a fixed-length value
  int present_level = 0;  ///< definition level of a value that is there
  int list_level = -1;    ///< definition level from which a list has an element; −1: not a list
  int scale = 0;          ///< decimals: digits behind the mark
  double multiply = 1;    ///< of a moment, to get microseconds
  bool nanos = false;     ///< a moment in nanoseconds
};

/// The columns of a file in its order, and a note for each that cannot be delivered.
std::vector<Plan> plan_columns(const parquet::SchemaDescriptor& schema, std::vector<std::string>& notes);

/// What all columns of a file read from.
struct ParquetFile {
  std::shared_ptr<HostFile> file;
  std::shared_ptr<parquet::FileMetaData> metadata;
  parquet::ReaderProperties properties;
};

/// Where a column chunk is taken up again.
struct Resume {
  std::int64_t dictionary_end = -1;  ///< position in the file behind the dictionary page; −1: there is none
  std::int64_t page = -1;            ///< position of the page where the next row lies; −1: from the beginning
  std::int64_t row = 0;              ///< first row of that page
};

/// Where the pages of a column chunk lie, as far as they were read.
struct Track {
  std::shared_ptr<ChunkStream> stream;
  std::int64_t dictionary_end = -1;  ///< position behind the dictionary page; −1: none was met
  std::int64_t page = 0;             ///< position of the page now in use
  std::int64_t page_row = 0;         ///< its first row
  std::int64_t next_row = 0;         ///< the first row of the page after it
};

/// A row group of which one column is read, page by page, from where `resume` says; `track` follows it. Throws
/// parquet::ParquetException, also while it is read.
std::unique_ptr<parquet::RowGroupReader> open_row_group(const ParquetFile& file, int group,
                                                        std::shared_ptr<Track> track, const Resume& resume);

/// The place in the chunk of a row group where a column stands, one for each delivered column. Rows must be asked for
/// in rising order. Not thread safe; different leaves may be used at once.
class Leaf {
 public:
  Leaf(const ParquetFile& file, const Plan& plan);
  Leaf(const Leaf&) = delete;
  ~Leaf();

  /// Fills `held` with rows [begin, begin + rows) of a row group. Throws parquet::ParquetException. `last`: nothing
  /// after them will be asked of this row group, and pages and decoders are let go. `park`: they are let go in any
  /// case, and the page is read again at the next call.
  void read(int group, std::int64_t begin, std::int64_t rows, bool last, bool park, Held& held);
  /// Whether bytes that are not UTF-8 were met.
  bool foreign() const { return foreign_; }

 private:
  struct Open;
  void open(int group, std::int64_t row);
  void skip(std::int64_t rows);
  void flat_numbers(std::int64_t rows, Held& held);
  void flat_words(std::int64_t rows, Held& held);
  void lists(std::int64_t rows, Held& held);
  std::int64_t dense(std::int64_t want, std::int16_t* def, std::int16_t* rep, double* out, std::int64_t* values,
                     std::int64_t* exact);

  const ParquetFile& file_;
  const Plan& plan_;
  std::unique_ptr<Open> open_;
  int parked_group_ = -1;
  Resume parked_;
  std::atomic<bool> foreign_ = false;
};

}  // namespace vigie::table
