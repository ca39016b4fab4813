// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "table/format_internal.h"

namespace vigie::table {

enum class Kind : std::uint8_t { kCsv, kTsv, kNdjson, kParquet, kArrow };
std::string_view kind_name(Kind kind);  ///< as Input::kind()

/// The kind of a file by its first bytes (uncompressed), then by its name. Errors: empty, something else by its mark,
/// a name that promises Parquet or Arrow over other content.
Result<Kind> tell_kind(const std::shared_ptr<InputFile>& file, const ReadOptions& options);

/// One file of an Input. Files of a big glob are closed between passes.
struct Part {
  std::string path;
  Kind kind = Kind::kCsv;
  std::uint64_t bytes = 0;
  std::shared_ptr<InputFile> file;  ///< empty: opened when needed
};
Result<std::unique_ptr<Reader>> open_part(const Part& part, const ReadOptions& options,
                                          const std::optional<Schema>& types, const TextStart& start = {});

/// The files of a DATA argument, all of one kind. As open_input().
Result<std::vector<Part>> parts_of(const std::string& data, const ReadOptions& options);
/// Opens one, if it is not.
Result<std::shared_ptr<InputFile>> file_of(const Part& part);
/// Of them as one.
std::unique_ptr<Input> input_of(const std::string& data, const ReadOptions& options, std::vector<Part> parts);

/// What is known of the columns of several files before a pass: all names in order of first appearance.
struct Union {
  Schema schema;
  std::vector<Seen> seen;  ///< as TextReader::seen()
};
Result<Union> unite(const std::vector<Part>& parts, const ReadOptions& options);

/// The files one after the other under the schema of all; columns that a file lacks are delivered as missing. `parts`
/// must outlive the reader.
std::unique_ptr<Reader> open_union(const std::vector<Part>& parts, const ReadOptions& options, const Union& all,
                                   const std::optional<Schema>& types);

}  // namespace vigie::table
