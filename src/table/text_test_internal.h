// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cmath>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "table/format_internal.h"

namespace vigie::table::test {

/// A folder of the test's own, gone with it.
class Folder {
 public:
  Folder() {
    const char* tmp = std::getenv("TMPDIR");
    path_ = fmt::format("{}/vigie-table-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(path_.data())) std::abort();
  }
  ~Folder() {
    for (const auto& file : files_) ::unlink(file.c_str());
    ::rmdir(path_.c_str());
  }
  std::string write(const std::string& name, std::string_view bytes) {
    auto file = path_ + "/" + name;
    FILE* f = std::fopen(file.c_str(), "wb");
    if (!f || std::fwrite(bytes.data(), 1, bytes.size(), f) != bytes.size()) std::abort();
    std::fclose(f);
    files_.push_back(file);
    return file;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::vector<std::string> files_;
};

/// One gzip member, one zstd frame.
inline std::string gz(std::string_view text) {
  std::string out(text.size() + 100, '\0');
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) std::abort();
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline std::string zst(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

/// One row as text, cells joined by `|`: numbers as fmt writes them, strings as they are, `-` where missing.
inline std::string row_text(Batch& batch, const Schema& schema, std::size_t row) {
  std::string out;
  for (std::size_t i = 0; i < schema.size(); ++i) {
    auto column = batch.column(i);
    if (!column) return column.error().message;
    if (i) out += '|';
    switch (column->type) {
      case Type::kSkip:
        out += "skip";
        break;
      case Type::kString:
        out += column->codes[row] < 0 ? "-"
                                      : std::string(column->dictionary[static_cast<std::size_t>(column->codes[row])]);
        break;
      case Type::kList:
        if (!column->missing.empty() && column->missing[row]) {
          out += '-';
        } else {
          auto from = static_cast<std::size_t>(column->offsets[row]),
               to = static_cast<std::size_t>(column->offsets[row + 1]);
          out += fmt::format("{}", std::vector<double>(column->values.begin() + static_cast<std::ptrdiff_t>(from),
                                                       column->values.begin() + static_cast<std::ptrdiff_t>(to)));
        }
        break;
      default:
        out += std::isnan(column->numbers[row]) ? "-" : fmt::format("{}", column->numbers[row]);
    }
  }
  return out;
}

/// What a whole scan gave.
struct Scan {
  std::string error;
  std::string schema;  ///< "a:integer b:string"
  std::vector<std::string> rows;
  bool settled = true;
  std::int64_t mismatches = 0;
  Problems problems;
  std::vector<std::int64_t> batches;
  Schema types;
};

inline std::string schema_text(const Schema& schema) {
  std::string out;
  for (const auto& field : schema)
    out += fmt::format("{}{}:{}", out.empty() ? "" : " ", field.name, to_string(field.type));
  return out;
}

inline Scan drain(Result<std::unique_ptr<Reader>> reader) {
  Scan scan;
  if (!reader) {
    scan.error = reader.error().message;
    return scan;
  }
  auto schema = (*reader)->schema();
  while (true) {
    auto batch = (*reader)->next();
    if (!batch) {
      scan.error = batch.error().message;
      break;
    }
    if (!*batch) break;
    scan.batches.push_back((*batch)->rows());
    for (std::size_t i = 0; i < schema.size(); ++i)
      if (auto column = (*batch)->column(i)) scan.mismatches += column->mismatches();
    for (std::int64_t r = 0; r < (*batch)->rows(); ++r)
      scan.rows.push_back(row_text(**batch, schema, static_cast<std::size_t>(r)));
  }
  scan.types = (*reader)->schema();
  scan.schema = schema_text(scan.types);
  scan.settled = (*reader)->settled();
  scan.problems = (*reader)->problems();
  return scan;
}

using Open = Result<std::unique_ptr<TextReader>> (*)(std::shared_ptr<InputFile>, const ReadOptions&,
                                                     const std::optional<Schema>&, const TextStart&);

/// One pass of a text reader over a file.
inline Scan pass(Open open, const std::string& path, const ReadOptions& options = {},
                 const std::optional<Schema>& types = std::nullopt, std::size_t block_size = kTextBlock) {
  auto file = InputFile::open(path);
  Scan scan;
  if (!file) {
    scan.error = file.error().message;
    return scan;
  }
  TextStart start;
  start.block_size = block_size;
  auto reader = open(std::make_shared<InputFile>(std::move(*file)), options, types, start);
  if (!reader) {
    scan.error = reader.error().message;
    return scan;
  }
  return drain(std::unique_ptr<Reader>(std::move(*reader)));
}

}  // namespace vigie::table::test
