// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstring>

#include "table/arrow/reader_internal.h"

namespace vigie::table {

extern "C" [[gnu::visibility("default")]] ModuleOpen vigie_arrow_open;
extern "C" [[gnu::visibility("default")]] ModuleWrite vigie_arrow_write;

bool vigie_arrow_open(const char* stamp, const ModuleRequest* request, Result<std::unique_ptr<Reader>>* out) {
  if (std::strcmp(stamp, VIGIE_ARROW_STAMP) != 0) return false;
  auto file = std::make_shared<HostFile>(request->host, request->file);
  std::array<char, 4> magic{};
  auto got = request->host.read(*request->file, 0, magic.data(), magic.size());
  bool parquet = std::memcmp(magic.data(), "PAR", 3) == 0 || request->options->format == "parquet";
  if (!got)
    *out = got.error();
  else if (parquet)
    *out = open_parquet(file, *request->options, *request->types);
  else
    *out = open_arrow(file, std::memcmp(magic.data(), "ARRO", 4) != 0, *request->options, *request->types);
  return true;
}

bool vigie_arrow_write(const char* stamp, std::span<const OutColumn> columns, Result<std::string>* out) {
  if (std::strcmp(stamp, VIGIE_ARROW_STAMP) != 0) return false;
  *out = write_parquet_file(columns);
  return true;
}

}  // namespace vigie::table
