// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "table/bytes_source_internal.h"
#include "table/text_test_internal.h"

namespace vigie::table {
namespace {

std::string as_it_is(std::string_view text) {
  return std::string(text);
}

void append(const std::string& path, std::string_view bytes) {
  FILE* f = std::fopen(path.c_str(), "ab");
  if (!f || std::fwrite(bytes.data(), 1, bytes.size(), f) != bytes.size()) std::abort();
  std::fclose(f);
}

// All that one pass gives, or its error.
std::string pass(const std::shared_ptr<InputFile>& file) {
  auto source = open_bytes(file);
  if (!source) return source.error().message;
  std::string all, part(1000, '\0');
  while (true) {
    auto n = (*source)->read(part.data(), part.size());
    if (!n) return n.error().message;
    if (*n == 0) return all;
    all.append(part, 0, *n);
  }
}

class Growing : public testing::TestWithParam<std::string (*)(std::string_view)> {};
INSTANTIATE_TEST_SUITE_P(BytesSource, Growing, testing::Values(as_it_is, test::gz, test::zst));

TEST_P(Growing, EveryPassEndsWhereTheFileEndedAtItsOpening) {
  test::Folder folder;
  std::string text;
  for (int i = 0; i < 5000; ++i) text += std::to_string(i * i % 7919) + "\n";
  auto path = folder.write("log", GetParam()(text));
  auto file = InputFile::open(path);
  ASSERT_TRUE(file) << file.error().message;
  auto shared = std::make_shared<InputFile>(std::move(*file));
  EXPECT_EQ(pass(shared), text);
  append(path, GetParam()("another member\n"));
  EXPECT_EQ(pass(shared), text);
  auto again = InputFile::open(path);
  ASSERT_TRUE(again);
  EXPECT_EQ(pass(std::make_shared<InputFile>(std::move(*again))), text + "another member\n");
}

TEST_P(Growing, AFileThatBecameShorterIsAnError) {
  test::Folder folder;
  std::string text;
  for (int i = 0; i < 5000; ++i) text += std::to_string(i * i % 7919) + "\n";
  auto whole = GetParam()(text);
  auto path = folder.write("log", whole + GetParam()("another member\n"));
  auto file = InputFile::open(path);
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_EQ(::truncate(path.c_str(), static_cast<off_t>(whole.size())), 0);
  auto told = pass(std::make_shared<InputFile>(std::move(*file)));
  EXPECT_NE(told.find("became shorter while it was read"), std::string::npos) << told.substr(0, 100);
}

// The files of a big glob are not kept open, and a pass over one that changed would not give what the last one did.
TEST(ManyFiles, OneThatGrowsBetweenPassesIsAnError) {
  test::Folder folder;
  std::string path;
  for (int i = 0; i < 150; ++i) path = folder.write("f" + std::to_string(1000 + i) + ".csv.gz", test::gz("x\n1\n2\n"));
  auto input = open_input(folder.path() + "/f*.gz", {});
  ASSERT_TRUE(input) << input.error().message;
  auto rows = [&]() -> std::string {
    auto reader = (*input)->open();
    if (!reader) return reader.error().message;
    std::int64_t n = 0;
    while (true) {
      auto batch = (*reader)->next();
      if (!batch) return batch.error().message;
      if (!*batch) return std::to_string(n);
      n += (*batch)->rows();
    }
  };
  EXPECT_EQ(rows(), "300");
  append(path, test::gz("3\n"));
  EXPECT_NE(rows().find("f1149.csv.gz: changed while it was read: "), std::string::npos);
}

}  // namespace
}  // namespace vigie::table
