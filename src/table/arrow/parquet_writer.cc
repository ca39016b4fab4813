// SPDX-License-Identifier: Apache-2.0
#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <parquet/arrow/writer.h>

#include "table/arrow/reader_internal.h"

namespace vigie::table {
namespace {

template <class Builder, class Values>
arrow::Result<std::shared_ptr<arrow::Array>> array_of(Builder builder, const Values& values) {
  ARROW_RETURN_NOT_OK(builder.Reserve(static_cast<std::int64_t>(values.size())));
  for (const auto& value : values) {
    if (value)
      ARROW_RETURN_NOT_OK(builder.Append(*value));
    else
      ARROW_RETURN_NOT_OK(builder.AppendNull());
  }
  return builder.Finish();
}

arrow::Result<std::string> written(std::span<const OutColumn> columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& column : columns) {
    const auto time = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    auto made = column.kind == OutColumn::Kind::kText ? array_of(arrow::StringBuilder(), column.texts)
                : column.kind == OutColumn::Kind::kTime
                    ? array_of(arrow::TimestampBuilder(time, arrow::default_memory_pool()), column.numbers)
                    : array_of(arrow::Int64Builder(), column.numbers);
    ARROW_RETURN_NOT_OK(made.status());
    arrays.push_back(std::move(made).ValueUnsafe());
    fields.push_back(arrow::field(column.name, arrays.back()->type()));
  }
  const auto table = arrow::Table::Make(arrow::schema(std::move(fields)), arrays);
  ARROW_ASSIGN_OR_RAISE(auto out, arrow::io::BufferOutputStream::Create());
  parquet::WriterProperties::Builder properties;
  properties.compression(parquet::Compression::ZSTD);
  ARROW_RETURN_NOT_OK(
      parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), out, 1 << 16, properties.build()));
  ARROW_ASSIGN_OR_RAISE(const auto bytes, out->Finish());
  return bytes->ToString();
}

}  // namespace

Result<std::string> write_parquet_file(std::span<const OutColumn> columns) {
  try {
    auto bytes = written(columns);
    if (bytes.ok()) return std::move(bytes).ValueUnsafe();
    return fail(Code::kInternal, "Parquet could not be written: " + bytes.status().ToString());
  } catch (const std::exception& e) {
    return fail(Code::kInternal, std::string("Parquet could not be written: ") + e.what());
  }
}

}  // namespace vigie::table
