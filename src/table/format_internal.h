// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "table/table.h"

namespace vigie::table {

/// What the cells of a column looked like so far: a set of bits. Missing cells leave no trace.
using Seen = std::uint8_t;
inline constexpr Seen kSawBoolean = 1, kSawInteger = 2, kSawFloat = 4, kSawTimestamp = 8, kSawList = 16,
                      kSawString = 32;

inline constexpr std::size_t kTextBlock = 1 << 20;     ///< bytes of text decoded into one batch
inline constexpr std::size_t kRecordLimit = 64 << 20;  ///< bytes of the longest record

/// A reader of one text file. Each delivers the columns of its own file; input.cc maps those of a glob by name onto the
/// union.
class TextReader : public Reader {
 public:
  /// What the cells of each column of the schema looked like so far; 0 for types that were given.
  virtual const std::vector<Seen>& seen() const = 0;
};

/// How a pass over one text file starts.
struct TextStart {
  std::map<std::string, Seen> seen;     ///< what columns of that name look like in other files of the glob
  std::size_t block_size = kTextBlock;  ///< smaller in tests; results do not depend on it, first guesses may
};

/// Readers of text formats take a file already open, with the compression told by content.
Result<std::unique_ptr<TextReader>> open_csv(std::shared_ptr<InputFile> file, const ReadOptions& options,
                                             const std::optional<Schema>& types, const TextStart& start = {});
Result<std::unique_ptr<TextReader>> open_ndjson(std::shared_ptr<InputFile> file, const ReadOptions& options,
                                                const std::optional<Schema>& types, const TextStart& start = {});
/// Parquet and Arrow IPC live in the module vigie_arrow (src/table/arrow), loaded at the first need from beside the
/// program or ../lib/vigie; without it an error that says how to get it.
Result<std::unique_ptr<Reader>> open_columnar(const std::shared_ptr<InputFile>& file, const ReadOptions& options,
                                              const std::optional<Schema>& types);

}  // namespace vigie::table
