// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <arrow/json/from_string.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "table/format_internal.h"

namespace vigie::table {

template <class T>
T value(arrow::Result<T> r) {
  if (!r.ok()) throw std::runtime_error(r.status().ToString());
  return std::move(r).ValueUnsafe();
}
inline void must(const arrow::Status& s) {
  if (!s.ok()) throw std::runtime_error(s.ToString());
}

/// A folder of its own for each test program, gone at its end.
inline const std::string& folder() {
  struct Folder {
    std::string path = std::filesystem::temp_directory_path() / fmt::format("vigie-columnar-{}", ::getpid());
    Folder() { std::filesystem::create_directories(path); }
    ~Folder() { std::filesystem::remove_all(path); }
  };
  static Folder f;
  return f.path;
}

using Properties = parquet::WriterProperties::Builder;

inline std::string write_parquet(const arrow::Table& table, std::int64_t group_rows = 1 << 20, Properties builder = {},
                                 bool store_schema = true, bool int96 = false, bool spec_lists = true) {
  static int count = 0;
  auto path = fmt::format("{}/{}.parquet", folder(), ++count);
  auto out = value(arrow::io::FileOutputStream::Open(path));
  parquet::ArrowWriterProperties::Builder arrow_properties;
  if (store_schema) arrow_properties.store_schema();
  if (int96) arrow_properties.enable_deprecated_int96_timestamps();
  if (!spec_lists) arrow_properties.disable_compliant_nested_types();
  must(parquet::arrow::WriteTable(table, arrow::default_memory_pool(), out, group_rows, builder.build(),
                                  arrow_properties.build()));
  must(out->Close());
  return path;
}

inline std::string write_ipc(const arrow::Table& table, bool stream, std::int64_t batch_rows = 1 << 20,
                             arrow::ipc::IpcWriteOptions options = arrow::ipc::IpcWriteOptions::Defaults()) {
  static int count = 0;
  auto path = fmt::format("{}/{}.{}", folder(), ++count, stream ? "arrows" : "arrow");
  auto out = value(arrow::io::FileOutputStream::Open(path));
  options.unify_dictionaries = !stream;
  auto writer = value(stream ? arrow::ipc::MakeStreamWriter(out, table.schema(), options)
                             : arrow::ipc::MakeFileWriter(out, table.schema(), options));
  must(writer->WriteTable(table, batch_rows));
  must(writer->Close());
  must(out->Close());
  return path;
}

/// Everything a file gave, as text: one line a column, "name type: cells", "-" for a missing one.
struct Content {
  std::vector<std::string> lines;
  std::vector<std::int64_t> mismatches;
  std::vector<std::string> notes;
  std::vector<std::int64_t> batches;
  std::string error;
};

inline void append_cells(std::string& line, const Column& c, std::int64_t rows) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows); ++i) {
    line += ' ';
    if (c.type == Type::kString) {
      auto code = c.codes[i];
      if (code < 0)
        line += '-';
      else
        line += c.dictionary[static_cast<std::size_t>(code)];
    } else if (c.type == Type::kList) {
      if (!c.missing.empty() && c.missing[i]) {
        line += '-';
        continue;
      }
      line += '[';
      for (auto k = c.offsets[i]; k < c.offsets[i + 1]; ++k)
        line += fmt::format("{}{}", k > c.offsets[i] ? "," : "", c.values[static_cast<std::size_t>(k)]);
      line += ']';
    } else {
      line += std::isnan(c.numbers[i]) ? "-" : fmt::format("{}", c.numbers[i]);
    }
  }
}

inline Result<std::unique_ptr<Reader>> open(const std::string& path, const std::optional<Schema>& types = {},
                                            const ReadOptions& options = {}) {
  VIGIE_ASSIGN(auto file, InputFile::open(path));
  return open_columnar(std::make_shared<InputFile>(std::move(file)), options, types);
}

inline Content read_all(const std::string& path, const std::optional<Schema>& types = {}, unsigned threads = 1,
                        const ReadOptions& options = {}, bool release = false) {
  static constexpr const char* kNames[] = {"skip", "boolean", "integer", "float", "timestamp", "string", "list"};
  Content content;
  auto reader = open(path, types, options);
  if (!reader) {
    content.error = reader.error().message;
    return content;
  }
  const auto& schema = (*reader)->schema();
  for (const auto& f : schema) content.lines.push_back(fmt::format("{} {}:", f.name, kNames[static_cast<int>(f.type)]));
  content.mismatches.assign(schema.size(), 0);
  while (true) {
    auto batch = (*reader)->next();
    if (!batch) {
      content.error = batch.error().message;
      return content;
    }
    if (!*batch) break;
    content.batches.push_back((*batch)->rows());
    std::vector<std::string> errors(schema.size());
    parallel_for(schema.size(), threads, [&](std::size_t i) {
      auto column = (*batch)->column(i);
      if (!column) {
        errors[i] = column.error().message;
        return;
      }
      append_cells(content.lines[i], *column, (*batch)->rows());
      content.mismatches[i] += column->mismatches();
      if (release) (*batch)->release(i);
    });
    for (const auto& e : errors)
      if (!e.empty()) {
        content.error = e;
        return content;
      }
  }
  content.notes = (*reader)->problems().notes;
  return content;
}

inline std::shared_ptr<arrow::Table> one_column(const std::shared_ptr<arrow::DataType>& type, const std::string& json,
                                                bool nullable = true) {
  auto array = value(arrow::json::ArrayFromJSONString(type, json));
  return arrow::Table::Make(arrow::schema({arrow::field("x", type, nullable)}), {array});
}

}  // namespace vigie::table
