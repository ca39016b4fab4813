// SPDX-License-Identifier: Apache-2.0
#include <arrow/array/builder_dict.h>
#include <parquet/column_writer.h>
#include <parquet/file_writer.h>

#include "table/arrow/columnar_test_internal.h"

namespace vigie::table {
namespace {

using Lines = std::vector<std::string>;
using std::string;

struct Case {
  std::shared_ptr<arrow::DataType> type;
  string json, want;
};

std::vector<Case> cases() {
  using namespace arrow;
  auto unit = [](TimeUnit::type u, const char* zone = "") { return timestamp(u, zone); };
  return {
      {boolean(), "[true, null, false]", "boolean: 1 - 0"},
      {int8(), "[-128, null, 127]", "integer: -128 - 127"},
      {int16(), "[-32768, null, 32767]", "integer: -32768 - 32767"},
      {int32(), "[-2147483648, null, 2147483647]", "integer: -2147483648 - 2147483647"},
      {int64(), "[-9007199254740992, null, 7]", "integer: -9007199254740992 - 7"},
      {uint8(), "[255, null, 0]", "integer: 255 - 0"},
      {uint16(), "[65535, null, 0]", "integer: 65535 - 0"},
      {uint32(), "[4294967295, null, 0]", "integer: 4294967295 - 0"},
      {uint64(), "[18446744073709551615, null, 0]", "integer: 1.8446744073709552e+19 - 0"},
      {float16(), "[0.5, null, -65504]", "float: 0.5 - -65504"},
      {float32(), "[0.5, null, NaN, Inf]", "float: 0.5 - - inf"},
      {float64(), "[0.1, null, NaN, -Inf]", "float: 0.1 - - -inf"},
      {decimal32(7, 2), R"(["-12345.67", null])", "float: -12345.67 -"},
      {decimal64(15, 3), R"(["-123456789012.345", null])", "float: -123456789012.345 -"},
      {decimal128(30, 4), R"(["-12345678901234567890.1234", null, "0.0001"])",
       "float: -1.2345678901234567e+19 - 0.0001"},
      {decimal256(60, 1), R"(["1000000000000000000000000000000000000000000.5", null, "-1.5"])", "float: 1e+42 - -1.5"},
      {decimal128(9, 0), R"(["12", null])", "integer: 12 -"},
      {date32(), "[1, null, -1]", "timestamp: 86400000000 - -86400000000"},
      {date64(), "[86400000, null]", "timestamp: 86400000000 -"},
      {unit(TimeUnit::MILLI), "[1, null, -1]", "timestamp: 1000 - -1000"},
      {unit(TimeUnit::MICRO, "Europe/Berlin"), "[1, null]", "timestamp: 1 -"},
      {unit(TimeUnit::NANO, "UTC"), "[1700000000123456789, null, -1]", "timestamp: 1700000000123456 - -1"},
      {time32(TimeUnit::MILLI), "[5, null]", "integer: 5 -"},
      {time64(TimeUnit::NANO), "[5, null]", "integer: 5 -"},
      {duration(TimeUnit::MICRO), "[5, null]", "integer: 5 -"},
      {utf8(), R"(["a", null, "", "é", "a"])", "string: a -  é a"},
      {large_utf8(), R"(["a", null, "b"])", "string: a - b"},
      {binary(), R"(["a", null, "b"])", "string: a - b"},
      {large_binary(), R"(["a", null, "b"])", "string: a - b"},
      {fixed_size_binary(2), R"(["ab", null, "cd"])", "string: ab - cd"},
      {dictionary(int8(), utf8()), R"(["p", null, "q", "p"])", "string: p - q p"},
      {dictionary(int32(), float64()), "[2.5, null, 1, 2.5]", "float: 2.5 - 1 2.5"},
      {dictionary(int32(), int64()), "[2, null, 1]", "integer: 2 - 1"},
      {list(float32()), "[[1, null, 2.5], null, [], [3]]", "list: [1,nan,2.5] - [] [3]"},
      {large_list(int64()), "[[1, 2], null, []]", "list: [1,2] - []"},
      {fixed_size_list(float64(), 2), "[[1, 2], [3, 4]]", "list: [1,2] [3,4]"},
      {null(), "[null, null]", "float: - -"},
  };
}

TEST(Columnar, EveryTypeInEveryFormat) {
  for (const auto& c : cases()) {
    auto table = one_column(c.type, c.json);
    for (const auto& path : {write_parquet(*table), write_parquet(*table, 2, {}, false), write_ipc(*table, false),
                             write_ipc(*table, true), write_ipc(*table, true, 2)}) {
      SCOPED_TRACE(path + " " + c.type->ToString());
      auto got = read_all(path);
      EXPECT_EQ(got.error, "");
      EXPECT_EQ(got.lines, Lines{"x " + c.want});
      EXPECT_EQ(got.notes, Lines{});
    }
  }
}

TEST(Columnar, ColumnsWithoutNullsAndBothPageVersions) {
  auto table = one_column(arrow::int16(), "[1, 2, 3]", false);
  for (auto version : {parquet::ParquetDataPageVersion::V1, parquet::ParquetDataPageVersion::V2}) {
    Properties p;
    p.data_page_version(version)->disable_dictionary()->enable_page_checksum();
    EXPECT_EQ(read_all(write_parquet(*table, 2, p)).lines, Lines{"x integer: 1 2 3"});
  }
}

TEST(Columnar, EveryCodecAndEncoding) {
  auto table = one_column(arrow::int64(), "[1, null, 3, 3, 3]");
  for (auto codec : {parquet::Compression::UNCOMPRESSED, parquet::Compression::SNAPPY, parquet::Compression::GZIP,
                     parquet::Compression::BROTLI, parquet::Compression::ZSTD, parquet::Compression::LZ4}) {
    Properties p;
    p.compression(codec);
    EXPECT_EQ(read_all(write_parquet(*table, 4, p)).lines, Lines{"x integer: 1 - 3 3 3"});
  }
  Properties delta;
  delta.disable_dictionary()->encoding(parquet::Encoding::DELTA_BINARY_PACKED);
  EXPECT_EQ(read_all(write_parquet(*table, 4, delta)).lines, Lines{"x integer: 1 - 3 3 3"});
}

TEST(Columnar, Int96AndSeconds) {
  auto table = one_column(arrow::timestamp(arrow::TimeUnit::NANO), "[1700000000123456789, null]");
  EXPECT_EQ(read_all(write_parquet(*table, 9, {}, true, true)).lines, Lines{"x timestamp: 1700000000123456 -"});
  auto seconds = one_column(arrow::timestamp(arrow::TimeUnit::SECOND), "[-2, null]");
  for (const auto& path : {write_parquet(*seconds), write_ipc(*seconds, false)})
    EXPECT_EQ(read_all(path).lines, Lines{"x timestamp: -2000000 -"});
}

TEST(Columnar, StructsBecomeDottedColumns) {
  using namespace arrow;
  auto type = struct_({field("a", int32()), field("b", struct_({field("c", utf8()), field("v", list(float64()))}))});
  auto table = one_column(
      type,
      R"([{"a": 1, "b": {"c": "s", "v": [1]}}, null, {"a": null, "b": null}, {"a": 4, "b": {"c": null, "v": null}}])");
  for (const auto& path : {write_parquet(*table), write_ipc(*table, false), write_ipc(*table, true, 3)})
    EXPECT_EQ(read_all(path).lines, (Lines{"x.a integer: 1 - - 4", "x.b.c string: s - - -", "x.b.v list: [1] - - -"}));
}

TEST(Columnar, WhatCannotBeComparedIsSaid) {
  using namespace arrow;
  auto part = [](const std::shared_ptr<DataType>& t, const char* json) {
    return value(arrow::json::ArrayFromJSONString(t, json));
  };
  auto structs = list(struct_({field("p", int8()), field("q", int8())}));
  auto mapped = map(utf8(), int32());
  auto table =
      Table::Make(schema({field("s", structs), field("n", int32()), field("m", mapped), field("w", list(utf8())),
                          field("ll", list(list(int8())))}),
                  {part(structs, R"([[{"p": 1, "q": 2}]])"), part(int32(), "[7]"), part(mapped, R"([[["k", 1]]])"),
                   part(list(utf8()), R"([["t"]])"), part(list(list(int8())), "[[[1]]]")});
  auto parquet = read_all(write_parquet(*table));
  EXPECT_EQ(parquet.lines, Lines{"n integer: 7"});
  EXPECT_EQ(parquet.notes,
            (Lines{"column \"s\" (list of structs) is not compared", "column \"m\" (map) is not compared",
                   "column \"w\" (list of strings) is not compared", "column \"ll\" (list of lists) is not compared"}));
  auto ipc = read_all(write_ipc(*table, false));
  EXPECT_EQ(ipc.lines, parquet.lines);
  EXPECT_EQ(ipc.notes, parquet.notes);
}

TEST(Columnar, BytesThatAreNoTextAreHexadecimalAndSaid) {
  arrow::BinaryBuilder builder;
  must(builder.Append("ok"));
  must(builder.Append("\xff\x01"));
  must(builder.Append("0xff01"));
  must(builder.AppendNull());
  auto array = value(builder.Finish());
  for (const auto& type : {arrow::binary(), arrow::utf8()}) {
    auto table = arrow::Table::Make(arrow::schema({arrow::field("x", type)}), {value(array->View(type))});
    for (const auto& path : {write_parquet(*table), write_parquet(*table, 9, *Properties().disable_dictionary()),
                             write_ipc(*table, false)}) {
      auto got = read_all(path);
      EXPECT_EQ(got.lines, Lines{"x string: ok 0xff01 0xff01 -"});
      EXPECT_EQ(got.notes, Lines{"column \"x\": bytes that are not UTF-8 are shown as 0x…"});
    }
  }
}

TEST(Columnar, ColumnsOfOneName) {
  auto a = value(arrow::json::ArrayFromJSONString(arrow::int8(), "[1]"));
  auto f = arrow::field("a", arrow::int8());
  auto table = arrow::Table::Make(arrow::schema({f, f, arrow::field("a (2)", arrow::int8())}), {a, a, a});
  for (const auto& path : {write_parquet(*table), write_ipc(*table, true)}) {
    auto got = read_all(path);
    EXPECT_EQ(got.lines, (Lines{"a integer: 1", "a (3) integer: 1", "a (2) integer: 1"}));
    EXPECT_EQ(got.notes, Lines{"column \"a\" occurs more than once; a later one is called \"a (3)\""});
  }
}

TEST(Columnar, NoRowsAndNoColumns) {
  auto empty = one_column(arrow::int8(), "[]");
  for (const auto& path : {write_parquet(*empty), write_ipc(*empty, false), write_ipc(*empty, true)})
    EXPECT_EQ(read_all(path).error, path + ": no rows");
  auto bare = arrow::Table::Make(arrow::schema(arrow::FieldVector{}), arrow::ArrayVector{}, 3);
  for (const auto& path : {write_parquet(*bare), write_ipc(*bare, false), write_ipc(*bare, true)})
    EXPECT_EQ(read_all(path).error, path + ": no columns");
}

TEST(Columnar, AskedTypes) {
  using namespace arrow;
  struct Ask {
    std::shared_ptr<DataType> type;
    string json;
    Type asked;
    string want;
    std::int64_t mismatches;
  };
  const std::vector<Ask> asks = {
      {float64(), "[1.5, null]", Type::kInteger, "integer: 1.5 -", 0},
      {int32(), "[1, null]", Type::kFloat, "float: 1 -", 0},
      {boolean(), "[true, null, false]", Type::kFloat, "float: 1 - 0", 0},
      {int32(), "[1, 0, 2, null]", Type::kBoolean, "boolean: 1 0 - -", 1},
      {int64(), "[9007199254740993, null, -1]", Type::kString, "string: 9007199254740993 - -1", 0},
      {uint64(), "[18446744073709551615]", Type::kString, "string: 18446744073709551615", 0},
      {float32(), "[0.1, 2, null]", Type::kString, "string: 0.1 2 -", 0},
      {float64(), "[0.1, 1e300]", Type::kString, "string: 0.1 1e+300", 0},
      {boolean(), "[true, false]", Type::kString, "string: true false", 0},
      {timestamp(TimeUnit::MILLI), "[0, 1500]", Type::kString, "string: 1970-01-01 1970-01-01T00:00:01.500000", 0},
      {utf8(), R"(["1.5", "x", null, ""])", Type::kFloat, "float: 1.5 - - -", 1},
      {utf8(), R"(["True", "false", "maybe"])", Type::kBoolean, "boolean: 1 0 -", 1},
      {utf8(), R"(["1970-01-02", "1970-01-01T01:00:00+01:00", "x"])", Type::kTimestamp, "timestamp: 86400000000 0 -",
       1},
      {int64(), "[1700000000, 1700000000000]", Type::kTimestamp, "timestamp: 1700000000000000 1700000000000000", 0},
      {timestamp(TimeUnit::MICRO), "[5, null]", Type::kInteger, "integer: 5 -", 0},
      {list(int8()), "[[1], null]", Type::kFloat, "float: - -", 1},
      {int8(), "[1, null]", Type::kList, "list: - -", 1},
      {utf8(), R"(["a", null])", Type::kList, "list: - -", 1},
      {null(), "[null]", Type::kString, "string: -", 0},
  };
  for (const auto& a : asks) {
    auto table = one_column(a.type, a.json);
    for (const auto& path : {write_parquet(*table), write_ipc(*table, false)}) {
      SCOPED_TRACE(path + " " + a.type->ToString() + a.json);
      for (bool by_schema : {false, true}) {
        ReadOptions options;
        if (by_schema) options.schema["x"] = a.asked;
        auto got = read_all(path, by_schema ? std::nullopt : std::optional<Schema>{{{"x", a.asked}}}, 1, options);
        EXPECT_EQ(got.error, "");
        EXPECT_EQ(got.lines, Lines{"x " + a.want});
        EXPECT_EQ(got.mismatches, std::vector<std::int64_t>{a.mismatches});
      }
    }
  }
}

std::shared_ptr<arrow::Table> wide_table(int columns, int rows) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (int c = 0; c < columns; ++c) {
    std::unique_ptr<arrow::ArrayBuilder> builder;
    auto type = c % 4 == 3   ? arrow::utf8()
                : c % 4 == 2 ? arrow::list(arrow::int32())
                : c % 4 == 1 ? arrow::int64()
                             : arrow::float64();
    must(arrow::MakeBuilder(arrow::default_memory_pool(), type, &builder));
    for (int r = 0; r < rows; ++r) {
      auto k = static_cast<int>((std::int64_t{r} * 7919 + std::int64_t{c} * 104729) % 99991);
      if (k % 11 == 0)
        must(builder->AppendNull());
      else if (c % 4 == 3)
        must(static_cast<arrow::StringBuilder&>(*builder).Append(fmt::format("w{}", c % 8 == 3 ? k % 50 : k)));
      else if (c % 4 == 2) {
        auto& lists = static_cast<arrow::ListBuilder&>(*builder);
        must(lists.Append());
        for (int i = 0; i < k % 4; ++i) must(static_cast<arrow::Int32Builder&>(*lists.value_builder()).Append(k + i));
      } else if (c % 4 == 1)
        must(static_cast<arrow::Int64Builder&>(*builder).Append(k));
      else
        must(static_cast<arrow::DoubleBuilder&>(*builder).Append(k / 8.0));
    }
    fields.push_back(arrow::field(fmt::format("c{}", c), type));
    arrays.push_back(value(builder->Finish()));
  }
  return arrow::Table::Make(arrow::schema(fields), arrays);
}

TEST(Columnar, ColumnsByNameInTheOrderOfTheFile) {
  auto table = wide_table(6, 20);
  Schema types{{"c5", Type::kFloat}, {"zzz", Type::kFloat}, {"c1", Type::kInteger}, {"c0", Type::kSkip}};
  for (const auto& path : {write_parquet(*table), write_ipc(*table, false), write_ipc(*table, true)}) {
    auto some = read_all(path, types);
    auto all = read_all(path);
    ASSERT_EQ(some.lines.size(), 2U);
    EXPECT_EQ(some.lines[0], all.lines[1]);
    EXPECT_EQ(some.lines[1].substr(0, 9), "c5 float:");
  }
}

// Row groups longer than a batch, few columns (readers stay open) and many (they are parked), dictionaries that
// overflow, pages that end anywhere: always the same cells, whatever the threads and whether memory is given back.
TEST(Columnar, SlowLongRowGroupsWideTablesAndThreads) {
  auto wide = wide_table(80, 150'000 / 8);
  auto tall = wide_table(4, 300'000);
  Properties small;
  small.dictionary_pagesize_limit(20'000)->data_pagesize(30'000);
  for (const auto& table : {wide, tall}) {
    auto expected = read_all(write_ipc(*table, false, 10'000));
    ASSERT_EQ(expected.error, "");
    for (const auto& path :
         {write_parquet(*table), write_parquet(*table, 1 << 20, small),
          write_parquet(*table, 1 << 20, *Properties(small).data_page_version(parquet::ParquetDataPageVersion::V2)),
          write_parquet(*table, 12'345, small), write_ipc(*table, false), write_ipc(*table, true, 200'000)}) {
      for (unsigned threads : {1U, 2U}) {
        auto got = read_all(path, {}, threads, {}, threads == 2);
        EXPECT_EQ(got.error, "");
        EXPECT_TRUE(got.lines == expected.lines) << path;
        for (auto rows : got.batches) EXPECT_LE(rows, 131072);
      }
    }
  }
  EXPECT_GT(read_all(write_parquet(*tall)).batches.size(), 2U);
}

// Columns that are not asked for in some batches must not fall behind.
TEST(Columnar, SlowColumnsAskedForNowAndThen) {
  for (int columns : {4, 66}) {
    auto table = wide_table(columns, 300'000);
    auto path = write_parquet(*table);
    auto whole = open(path), some = open(path);
    ASSERT_TRUE(whole && some);
    int n = 0;
    while (true) {
      auto a = (*whole)->next(), b = (*some)->next();
      ASSERT_TRUE(a && b);
      if (!*a) break;
      for (std::size_t i = 0; i < 4; ++i) {
        auto x = (*a)->column(i);
        ASSERT_TRUE(x);
        if (n % 2 == 0) continue;
        auto y = (*b)->column(i);
        ASSERT_TRUE(y) << y.error().message;
        string left, right;
        append_cells(left, *x, (*a)->rows());
        append_cells(right, *y, (*b)->rows());
        EXPECT_TRUE(left == right) << columns << " columns, batch " << n << ", column " << i;
        (*b)->release(i);
        auto again = (*b)->column(i);
        ASSERT_TRUE(again);
        string third;
        append_cells(third, *again, (*b)->rows());
        EXPECT_TRUE(third == right);
      }
      ++n;
    }
    EXPECT_GT(n, 2);
  }
}

TEST(Columnar, LongListsMakeShortBatches) {
  arrow::ListBuilder builder(arrow::default_memory_pool(), std::make_shared<arrow::DoubleBuilder>());
  for (int r = 0; r < 3000; ++r) {
    must(builder.Append());
    for (int i = 0; i < 1500; ++i) must(static_cast<arrow::DoubleBuilder&>(*builder.value_builder()).Append(i));
  }
  auto table =
      arrow::Table::Make(arrow::schema({arrow::field("x", arrow::list(arrow::float64()))}), {value(builder.Finish())});
  for (const auto& path : {write_parquet(*table), write_ipc(*table, false)}) {
    auto got = read_all(path);
    EXPECT_EQ(got.error, "");
    ASSERT_GT(got.batches.size(), 1U);
    EXPECT_LE(got.batches[0], 1500);
    EXPECT_EQ(std::count(got.lines[0].begin(), got.lines[0].end(), '['), 3000);
  }
}

TEST(Columnar, CompressedBuffersAndDeltaDictionaries) {
  auto table = wide_table(4, 5000);
  auto want = read_all(write_ipc(*table, false)).lines;
  for (auto codec : {arrow::Compression::ZSTD, arrow::Compression::LZ4_FRAME})
    for (bool stream : {false, true}) {
      auto options = arrow::ipc::IpcWriteOptions::Defaults();
      options.codec = value(arrow::util::Codec::Create(codec));
      EXPECT_TRUE(read_all(write_ipc(*table, stream, 1000, options)).lines == want);
    }

  // The second batch's dictionary goes on where the first one's ends.
  auto type = arrow::dictionary(arrow::int8(), arrow::utf8());
  auto part = [&](const char* codes, const char* words) {
    return value(arrow::json::DictArrayFromJSONString(type, codes, words));
  };
  auto chunks = std::make_shared<arrow::ChunkedArray>(
      arrow::ArrayVector{part("[0, 1, null]", R"(["a", "b"])"), part("[2, 0]", R"(["a", "b", "c"])")}, type);
  auto deltas = arrow::Table::Make(arrow::schema({arrow::field("x", type)}), {chunks});
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.emit_dictionary_deltas = true;
  for (bool stream : {false, true})
    EXPECT_EQ(read_all(write_ipc(*deltas, stream, 100, options)).lines, Lines{"x string: a b - c a"});
  auto replaced = std::make_shared<arrow::ChunkedArray>(
      arrow::ArrayVector{part("[0, 1]", R"(["a", "b"])"), part("[0, 1]", R"(["z", "a"])")}, type);
  EXPECT_EQ(read_all(write_ipc(*arrow::Table::Make(deltas->schema(), {replaced}), true)).lines,
            Lines{"x string: a b z a"});
}

TEST(Columnar, LegacyLists) {
  auto table = one_column(arrow::list(arrow::int32()), "[[1, 2], null, []]");
  EXPECT_EQ(read_all(write_parquet(*table, 9, {}, true, false, false)).lines, Lines{"x list: [1,2] - []"});

  // A repeated field without any list around it.
  using parquet::schema::GroupNode;
  using parquet::schema::PrimitiveNode;
  auto path = folder() + "/repeated.parquet";
  auto out = value(arrow::io::FileOutputStream::Open(path));
  auto root = GroupNode::Make("schema", parquet::Repetition::REQUIRED,
                              {PrimitiveNode::Make("r", parquet::Repetition::REPEATED, parquet::Type::INT32)});
  auto writer = parquet::ParquetFileWriter::Open(out, std::static_pointer_cast<GroupNode>(root));
  auto* column = static_cast<parquet::Int32Writer*>(writer->AppendRowGroup()->NextColumn());
  const std::int16_t def[] = {1, 1, 0, 1}, rep[] = {0, 1, 0, 0};
  const std::int32_t values[] = {4, 5, 6};
  column->WriteBatch(4, def, rep, values);
  writer->Close();
  must(out->Close());
  EXPECT_EQ(read_all(path).lines, Lines{"r list: [4,5] [] [6]"});
}

}  // namespace
}  // namespace vigie::table
