// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "table/format_internal.h"
#include "table/out_table.h"

#ifdef VIGIE_ARROW_STAMP
#include <dlfcn.h>
#include <unistd.h>

#include <filesystem>
#include <mutex>

#include "table/arrow/module_internal.h"
#endif

namespace vigie::table {

#ifdef VIGIE_ARROW_STAMP
namespace {

// Loaded once and never unloaded: its readers' code must outlive every reader.
struct Module {
  ModuleOpen* open = nullptr;
  ModuleWrite* write = nullptr;
  std::string problem;
};

Module load() {
  std::error_code ignored;
  auto folder = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  std::string tried;
  for (const auto& place : {folder / kModuleFile, folder / VIGIE_ARROW_LIBDIR / kModuleFile}) {
    auto path = place.lexically_normal().string();
    if (::access(path.c_str(), F_OK) != 0) {
      tried += (tried.empty() ? "" : " and ") + path;
      continue;
    }
    void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) return {.problem = fmt::format("the reader for such files could not be loaded: {}", ::dlerror())};
    auto* open = reinterpret_cast<ModuleOpen*>(::dlsym(handle, kModuleSymbol));
    auto* write = reinterpret_cast<ModuleWrite*>(::dlsym(handle, kModuleWriteSymbol));
    if (!open || !write) return {.problem = fmt::format("{} is not a part of vigie", path)};
    return {open, write, {}};
  }
  return {.problem = fmt::format("Parquet and Arrow need {}, looked for as {}", kModuleFile, tried)};
}

const Module& module() {
  static const Module loaded = load();
  return loaded;
}

}  // namespace
#endif

Result<std::unique_ptr<Reader>> open_columnar(const std::shared_ptr<InputFile>& file, const ReadOptions& options,
                                              const std::optional<Schema>& types) {
#ifdef VIGIE_ARROW_STAMP
  if (!module().open) return fail(Code::kInput, fmt::format("{}: {}", file->path(), module().problem));
  ModuleRequest request{.host = {.read = [](const InputFile& f, std::uint64_t offset, char* out,
                                            std::size_t size) { return f.read(offset, out, size); }},
                        .file = file,
                        .options = &options,
                        .types = &types};
  Result<std::unique_ptr<Reader>> reader = fail(Code::kInternal, "no answer");
  if (!module().open(VIGIE_ARROW_STAMP, &request, &reader))
    return fail(Code::kInternal,
                fmt::format("{}: {} is of another build than this program", file->path(), kModuleFile));
  return reader;
#else
  (void)options, (void)types;
  char magic[3] = {};
  VIGIE_ASSIGN(auto got, file->read(0, magic, 3));
  bool parquet = got == 3 && std::string_view(magic, 3) == "PAR";
  return fail(Code::kInput, fmt::format("{}: this build cannot read {} (built with -DVIGIE_ARROW=OFF)", file->path(),
                                        parquet ? "Parquet" : "Arrow IPC"));
#endif
}

Result<std::string> to_parquet(std::span<const OutColumn> columns) {
#ifdef VIGIE_ARROW_STAMP
  if (!module().write) return fail(Code::kUsage, fmt::format("Parquet cannot be written: {}", module().problem));
  Result<std::string> bytes = fail(Code::kInternal, "no answer");
  if (!module().write(VIGIE_ARROW_STAMP, columns, &bytes))
    return fail(Code::kInternal, fmt::format("{} is of another build than this program", kModuleFile));
  return bytes;
#else
  (void)columns;
  return fail(Code::kUsage, "this build cannot write Parquet (built with -DVIGIE_ARROW=OFF); NDJSON it can");
#endif
}

}  // namespace vigie::table
