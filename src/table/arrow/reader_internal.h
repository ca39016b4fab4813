// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "table/arrow/file_internal.h"
#include "table/out_table.h"
#include "table/table.h"

namespace vigie::table {

inline constexpr std::int64_t kBatchRows = 131072;
/// Memory of one column of one batch, as far as averages tell: lists and long texts make shorter batches.
inline constexpr std::int64_t kColumnBytes = 16 << 20;

/// The rows of a batch whose widest column takes `widest` bytes a row.
std::int64_t batch_rows(double widest);

/// The type that each column is to be delivered as (kSkip: not at all). Columns of one name are given names of their
/// own.
std::vector<Type> asked_types(Schema& columns, const ReadOptions& options, const std::optional<Schema>& types,
                              std::vector<std::string>& notes);

/// The remark about a column that holds bytes that are no text.
std::string foreign_note(const std::string& name);

Result<std::unique_ptr<Reader>> open_parquet(const std::shared_ptr<HostFile>& file, const ReadOptions& options,
                                             const std::optional<Schema>& types);
/// `stream`: the IPC stream format, without the file format's index.
Result<std::unique_ptr<Reader>> open_arrow(const std::shared_ptr<HostFile>& file, bool stream,
                                           const ReadOptions& options, const std::optional<Schema>& types);

/// Of to_parquet().
Result<std::string> write_parquet_file(std::span<const OutColumn> columns);

}  // namespace vigie::table
