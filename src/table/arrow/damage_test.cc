// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <fstream>

#include "table/arrow/columnar_test_internal.h"

namespace vigie::table {
namespace {

std::shared_ptr<arrow::Table> sample() {
  arrow::DoubleBuilder numbers;
  arrow::StringBuilder words;
  arrow::ListBuilder lists(arrow::default_memory_pool(), std::make_shared<arrow::Int32Builder>());
  for (int i = 0; i < 600; ++i) {
    must(i % 9 ? numbers.Append(i / 4.0) : numbers.AppendNull());
    must(words.Append(fmt::format("w{}", i % 13)));
    must(lists.Append());
    for (int k = 0; k < i % 3; ++k) must(static_cast<arrow::Int32Builder&>(*lists.value_builder()).Append(k));
  }
  return arrow::Table::Make(arrow::schema({arrow::field("n", arrow::float64()), arrow::field("w", arrow::utf8()),
                                           arrow::field("l", arrow::list(arrow::int32()))}),
                            {value(numbers.Finish()), value(words.Finish()), value(lists.Finish())});
}

std::vector<std::string> files() {
  auto table = sample();
  Properties checked;
  checked.enable_page_checksum();
  return {write_parquet(*table, 250), write_parquet(*table, 250, checked), write_ipc(*table, false, 250),
          write_ipc(*table, true, 250)};
}

// Without the syncing of write_file: there are thousands.
void put(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

bool names_file(const std::string& error, const std::string& path) {
  return error.starts_with(path + ": ") && error.find('\n') == std::string::npos;
}

TEST(Damage, WrongMagicAndEmpty) {
  auto path = folder() + "/odd.parquet";
  put(path, "PAR1 and then nothing of the kind");
  EXPECT_TRUE(names_file(read_all(path).error, path)) << read_all(path).error;
  put(path, "PAR1");
  EXPECT_TRUE(names_file(read_all(path).error, path));
  put(path, "ARROW1");
  EXPECT_TRUE(names_file(read_all(path).error, path));
  put(path, "hello world, this is no data");
  EXPECT_TRUE(names_file(read_all(path).error, path)) << read_all(path).error;
}

TEST(Damage, TornAnywhere) {
  for (const auto& path : files()) {
    auto whole = *read_file(path);
    auto torn = path + ".torn";
    bool stream = path.ends_with(".arrows");
    for (std::size_t size = 1; size < whole.size(); size += 97) {
      put(torn, std::string_view(whole).substr(0, size));
      auto got = read_all(torn);
      // A stream may end after any message; all else must be noticed.
      if (!stream || !got.error.empty()) {
        EXPECT_TRUE(names_file(got.error, torn)) << size << " of " << whole.size() << ": " << got.error;
      }
    }
  }
}

TEST(Damage, FlippedBytes) {
  for (const auto& path : files()) {
    auto whole = *read_file(path);
    auto flipped = path + ".flipped";
    int noticed = 0;
    for (std::size_t at = 0; at < whole.size(); at += 29) {
      auto bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at / 29 % 8)));
      put(flipped, bytes);
      auto got = read_all(flipped);
      if (got.error.empty()) continue;
      EXPECT_TRUE(names_file(got.error, flipped)) << at << ": " << got.error;
      ++noticed;
    }
    EXPECT_GT(noticed, 0) << path;
  }
}

// With checksums every flip inside a page is an error: the data come whole or not at all.
TEST(Damage, ChecksumsOfPages) {
  auto path = files()[1];
  auto whole = *read_file(path);
  auto good = read_all(path).lines;
  auto flipped = path + ".flipped";
  for (std::size_t at = 40; at < whole.size(); at += 13) {
    auto bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 16);
    put(flipped, bytes);
    auto got = read_all(flipped);
    if (!got.error.empty() || got.lines.size() != good.size()) continue;
    for (std::size_t i = 0; i < good.size(); ++i) {
      auto cells = [](const std::string& line) { return line.substr(line.find(':')); };
      EXPECT_EQ(cells(got.lines[i]), cells(good[i])) << at;
    }
  }
}

TEST(Damage, EveryReadMayFail) {
  for (const auto& path : files()) {
    auto good = read_all(path).lines;
    for (int n = 0;; ++n) {
      int calls = 0;
      set_io_fault([&](std::string_view name) { return name == "read" && calls++ == n ? EIO : 0; });
      auto got = read_all(path);
      set_io_fault(nullptr);
      if (calls <= n) {
        EXPECT_EQ(got.lines, good);
        EXPECT_GT(n, 3);
        break;
      }
      EXPECT_EQ(got.error, path + ": cannot read: Input/output error");
    }
  }
}

}  // namespace
}  // namespace vigie::table
