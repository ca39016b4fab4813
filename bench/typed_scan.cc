// SPDX-License-Identifier: Apache-2.0
// typed_scan FILE: the floor for a profile of a Parquet file. Reads every column with the typed low-level readers of
// Parquet C++, one after the other, and counts: numbers in 20 cells of equal width, texts by their dictionary code.
#include <parquet/column_reader.h>
#include <parquet/file_reader.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <vector>

namespace {

constexpr std::int64_t kBatch = 16384;
using Cells = std::array<std::int64_t, 20>;

template <class Type>
std::int64_t numbers(parquet::ColumnReader& column, Cells& cells) {
  auto& reader = static_cast<parquet::TypedColumnReader<Type>&>(column);
  std::vector<typename Type::c_type> values(kBatch);
  std::vector<std::int16_t> defined(kBatch);
  std::int64_t rows = 0;
  while (reader.HasNext()) {
    std::int64_t present = 0;
    rows += reader.ReadBatch(kBatch, defined.data(), nullptr, values.data(), &present);
    for (std::int64_t i = 0; i < present; ++i) {
      double place = (static_cast<double>(values[static_cast<std::size_t>(i)]) + 100) / 10;
      ++cells[static_cast<std::size_t>(std::clamp(place, 0.0, 19.0))];
    }
  }
  return rows;
}

std::int64_t texts(parquet::ColumnReader& column, std::vector<std::int64_t>& counts) {
  auto& reader = static_cast<parquet::ByteArrayReader&>(column);
  std::vector<std::int32_t> codes(kBatch);
  std::vector<parquet::ByteArray> values(kBatch);
  std::vector<std::int16_t> defined(kBatch);
  std::int64_t rows = 0;
  while (reader.HasNext()) {
    std::int64_t present = 0;
    if (reader.GetExposedEncoding() == parquet::ExposedEncoding::DICTIONARY) {
      const parquet::ByteArray* dictionary = nullptr;
      std::int32_t size = 0;
      rows +=
          reader.ReadBatchWithDictionary(kBatch, defined.data(), nullptr, codes.data(), &present, &dictionary, &size);
      if (counts.size() < static_cast<std::size_t>(size)) counts.resize(static_cast<std::size_t>(size));
      for (std::int64_t i = 0; i < present; ++i) ++counts[static_cast<std::size_t>(codes[static_cast<std::size_t>(i)])];
    } else {
      rows += reader.ReadBatch(kBatch, defined.data(), nullptr, values.data(), &present);
      if (counts.empty()) counts.resize(1);
      counts[0] += present;
    }
  }
  return rows;
}

void scan(const char* path) {
  parquet::ReaderProperties properties;
  properties.enable_buffered_stream();
  auto file = parquet::ParquetFileReader::OpenFile(path, false, properties);
  auto meta = file->metadata();
  std::int64_t rows = 0, counted = 0;
  std::vector<std::int64_t> counts;
  for (int g = 0; g < meta->num_row_groups(); ++g) {
    auto group = file->RowGroup(g);
    for (int c = 0; c < meta->num_columns(); ++c) {
      Cells cells{};
      counts.clear();
      switch (meta->schema()->Column(c)->physical_type()) {
        case parquet::Type::DOUBLE:
          rows += numbers<parquet::DoubleType>(*group->Column(c), cells);
          break;
        case parquet::Type::INT64:
          rows += numbers<parquet::Int64Type>(*group->Column(c), cells);
          break;
        case parquet::Type::BYTE_ARRAY:
          rows += texts(*group->ColumnWithExposeEncoding(c, parquet::ExposedEncoding::DICTIONARY), counts);
          break;
        default:
          throw parquet::ParquetException("a column of another type");
      }
      for (auto n : cells) counted += n;
      for (auto n : counts) counted += n;
    }
  }
  std::printf("{\"rows\": %lld, \"counted\": %lld}\n", static_cast<long long>(rows / meta->num_columns()),
              static_cast<long long>(counted));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    scan(argv[1]);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s: %s\n", argv[1], e.what());
    return 1;
  }
}
