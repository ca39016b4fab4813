// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "base/file.h"
#include "table/out_table.h"
#include "table/table.h"

namespace vigie::table {

/// What the module vigie_arrow borrows from the program: it has its own copy of the code of `base`, but file reads go
/// through the program's, where the fault points are set.
struct ModuleHost {
  Result<std::size_t> (*read)(const InputFile& file, std::uint64_t offset, char* out, std::size_t size);
};

struct ModuleRequest {
  ModuleHost host;
  std::shared_ptr<InputFile> file;
  const ReadOptions* options;
  const std::optional<Schema>* types;
};

/// The functions that the module exports, under the names below. `stamp` is a digest of the headers that both
/// sides were built with: a module of another build returns false and touches nothing else.
using ModuleOpen = bool(const char* stamp, const ModuleRequest* request, Result<std::unique_ptr<Reader>>* out);
using ModuleWrite = bool(const char* stamp, std::span<const OutColumn> columns, Result<std::string>* out);
inline constexpr const char* kModuleSymbol = "vigie_arrow_open";
inline constexpr const char* kModuleWriteSymbol = "vigie_arrow_write";
inline constexpr const char* kModuleFile = "libvigie_arrow.so";

}  // namespace vigie::table
