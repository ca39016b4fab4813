// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/file.h"
#include "table/table.h"

namespace vigie::table {

/// One file of an Input in one format. input.cc joins the files of a glob: each reader delivers the columns of its own
/// file; input.cc maps them by name onto the union.
using OpenFile = Result<std::unique_ptr<Reader>> (*)(const std::string& path, const ReadOptions& options,
                                                     const std::optional<Schema>& types);

/// Readers of text formats take a file already open, with the compression told by content.
Result<std::unique_ptr<Reader>> open_csv(std::shared_ptr<InputFile> file, const ReadOptions& options,
                                         const std::optional<Schema>& types);
Result<std::unique_ptr<Reader>> open_ndjson(std::shared_ptr<InputFile> file, const ReadOptions& options,
                                            const std::optional<Schema>& types);
/// Parquet and Arrow IPC live in the module vigie_arrow (src/table/arrow), loaded at the first need from beside the
/// program or ../lib/vigie; without it an error that says how to get it.
Result<std::unique_ptr<Reader>> open_columnar(std::shared_ptr<InputFile> file, const ReadOptions& options,
                                              const std::optional<Schema>& types);

}  // namespace vigie::table
