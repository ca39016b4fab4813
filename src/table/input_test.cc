// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cerrno>

#include "table/text_test_internal.h"

namespace vigie::table {
namespace {

using test::Folder;
using test::gz;
using test::Scan;
using test::zst;

// What open_input or a pass says, the folder cut away; or the rows.
std::string told(const Folder& folder, const std::string& data, const ReadOptions& options = {},
                 const std::optional<Schema>& types = std::nullopt) {
  auto input = open_input(data, options);
  std::string text;
  if (!input) {
    text = "error: " + input.error().message;
  } else {
    auto scan = test::drain((*input)->open(types));
    if (!types && !scan.settled) scan = test::drain((*input)->open(scan.types));
    text = scan.error.empty() ? fmt::format("{}\n{}", scan.schema, fmt::join(scan.rows, "\n")) : "error: " + scan.error;
  }
  for (std::size_t at; (at = text.find(folder.path() + "/")) != text.npos;) text.erase(at, folder.path().size() + 1);
  return text;
}

TEST(Input, Kinds) {
  Folder f;
  EXPECT_EQ(told(f, f.write("a.csv", "a,b\n1,2\n")), "a:integer b:integer\n1|2");
  EXPECT_EQ(told(f, f.write("a.tsv", "a,b\tc\n1\t2\n")), "a,b:integer c:integer\n1|2");
  EXPECT_EQ(told(f, f.write("a.txt", "{\"a\":1}\n")), "a:integer\n1");
  EXPECT_EQ(told(f, f.write("b.csv", " \n{ \"a\":1}\n")), "a:integer\n1");
  EXPECT_EQ(told(f, f.write("c.csv", "[\n {\"a\":1}]\n")), "a:integer\n1");
  EXPECT_EQ(told(f, f.write("d.csv", "{x,[y\n1,2\n")), "{x:integer [y:integer\n1|2");
  EXPECT_EQ(told(f, f.write("e.json", "a,b\n1,2\n")), "a:integer b:integer\n1|2");
  EXPECT_EQ(told(f, f.path() + "/a.csv", {.format = "tsv"}), "a,b:string\n1,2");
  EXPECT_EQ(told(f, f.path() + "/a.csv", {.format = "cvs"}),
            "error: --format: unknown format \"cvs\"; did you mean \"csv\"?");
  auto none = told(f, f.path() + "/a.csv", {.format = "ndjson"});
  EXPECT_TRUE(none.starts_with("error: a.csv:1: not ")) << none;
  EXPECT_NE(none.find("; no record of "), std::string::npos) << none;
}

TEST(Input, NotWhatItShouldBe) {
  Folder f;
  using namespace std::string_view_literals;
  EXPECT_EQ(told(f, f.write("a.csv", "")), "error: a.csv: the file is empty");
  EXPECT_EQ(told(f, f.write("b.csv", " \n\t\r\n")), "error: b.csv: the file is empty");
  EXPECT_EQ(told(f, f.write("c.gz", gz(""))), "error: c.gz: the file is empty");
  EXPECT_EQ(told(f, f.write("d.xlsx", "PK\x03\x04....")),
            "error: d.xlsx: is a zip archive (or a spreadsheet); vigie reads CSV, TSV, NDJSON, Parquet and Arrow");
  EXPECT_EQ(told(f, f.write("e.parquet", "a,b\n1,2\n")),
            "error: e.parquet: is named .parquet but does not begin as Parquet does; torn? (--format says otherwise)");
  EXPECT_EQ(told(f, f.write("f.csv", "a,b\n1,\0\n"sv)),
            "error: f.csv:2: NUL byte at offset 6: not a text file, or UTF-16 without a mark");
  EXPECT_EQ(told(f, f.path() + "/none.csv").substr(0, 29), "error: none.csv: cannot open:");
  EXPECT_EQ(told(f, f.path() + "/none*.csv"), "error: none*.csv: no file matches");
  EXPECT_NE(told(f, f.path()).find("is a folder, not a file"), std::string::npos);
}

TEST(Input, Compressed) {
  Folder f;
  std::string text = "a,b\n";
  for (int i = 0; i < 50000; ++i) text += fmt::format("{},v{}\n", i, i % 7);
  auto plain = told(f, f.write("p.csv", text));
  EXPECT_EQ(told(f, f.write("a.csv.gz", gz(text))), plain);
  EXPECT_EQ(told(f, f.write("a.csv.zst", zst(text))), plain);
  EXPECT_EQ(told(f, f.write("m.gz", gz(text.substr(0, 10000)) + gz(text.substr(10000)) + std::string(512, '\0'))),
            plain);
  EXPECT_EQ(told(f, f.write("m.zst", zst(text.substr(0, 10000)) + zst("") + zst(text.substr(10000)))), plain);
  EXPECT_EQ(told(f, f.write("j.gz", gz("{\"a\":1}\n"))), "a:integer\n1");
  EXPECT_EQ(told(f, f.write("t.tsv.zst", zst("a,b\tc\n1\t2\n"))), "a,b:integer c:integer\n1|2");
  EXPECT_EQ(told(f, f.write("x.gz", gz("PAR1 and so on"))),
            "error: x.gz: a compressed Parquet or Arrow file; decompress it first");
  for (std::size_t cut : {std::size_t{5}, std::size_t{30}, gz(text).size() / 2, gz(text).size() - 1})
    EXPECT_EQ(told(f, f.write("t.gz", gz(text).substr(0, cut))).substr(0, 40),
              "error: t.gz: gzip stream ends early at b")
        << cut;
  for (std::size_t cut : {std::size_t{6}, zst(text).size() / 2, zst(text).size() - 1})
    EXPECT_EQ(told(f, f.write("t.zst", zst(text).substr(0, cut))).substr(0, 41),
              "error: t.zst: zstd stream ends early at b")
        << cut;
  auto flipped = gz(text);
  flipped[flipped.size() / 2] = static_cast<char>(~flipped[flipped.size() / 2]);
  EXPECT_EQ(told(f, f.write("d.gz", flipped)).substr(0, 32), "error: d.gz: gzip stream is dama");
}

TEST(Input, Globs) {
  Folder f;
  f.write("g1.csv", "a,b\n1,x\n");
  f.write("g2.csv", "b,c\ny,2.5\n");
  f.write("g3.csv", "c,a,d\n,2,\n");
  f.write("g4.csv", "d,l\ntrue,[1]\n");
  EXPECT_EQ(told(f, f.path() + "/g?.csv"),
            "a:integer b:string c:float d:boolean l:list\n1|x|-|-|-\n-|y|2.5|-|-\n2|-|-|-|-\n-|-|-|1|[1]");
  EXPECT_EQ(told(f, f.path() + "/g[12].csv", {}, Schema{{"c", Type::kFloat}, {"q", Type::kFloat}}),
            "a:skip b:skip c:float\nskip|skip|-\nskip|skip|2.5");
  f.write("h1.csv", "a\n1\n");
  f.write("h2.csv", "a\nx\n");
  EXPECT_EQ(told(f, f.path() + "/h*.csv"), "a:string\n1\nx");
  f.write("k1.ndjson", "{\"a\":1}\n");
  f.write("k2.ndjson", "{\"b\":{\"c\":\"x\"}}\n");
  EXPECT_EQ(told(f, f.path() + "/k*"), "a:integer b.c:string\n1|-\n-|x");
  EXPECT_EQ(told(f, f.path() + "/[hk]1.*"), "error: k1.ndjson: is NDJSON, but h1.csv is CSV; one kind at a time");
  f.write("odd[1].csv", "a\n7\n");
  EXPECT_EQ(told(f, f.path() + "/odd[1].csv"), "a:integer\n7");
  auto input = open_input(f.path() + "/g?.csv", {});
  ASSERT_TRUE(input);
  EXPECT_EQ((*input)->bytes(), 8U + 10U + 10U + 13U);
}

TEST(Input, GlobCountsProblemsOfAll) {
  Folder f;
  f.write("r1.csv", "a,b\n1,2\n3\n");
  f.write("r2.csv", "a,b\n1,2\n3\n4\n5\n");
  auto input = open_input(f.path() + "/r?.csv", {});
  ASSERT_TRUE(input);
  auto scan = test::drain((*input)->open());
  EXPECT_EQ(scan.problems.rejected, 4);
  EXPECT_EQ(scan.problems.messages.size(), 3U);
  EXPECT_EQ(scan.rows.size(), 2U);
}

// Every call to the system fails once: an Error each time, and a whole scan at last.
TEST(Input, Faults) {
  Folder f;
  std::string text = "a,b\n";
  for (int i = 0; i < 3000; ++i) text += fmt::format("{},v{}\n", i, i % 7);
  std::string lines;
  for (int i = 0; i < 3000; ++i) lines += fmt::format("{{\"a\": {}, \"b\": \"v\"}}\n", i);
  f.write("f1.csv", text);
  f.write("f2.csv", text);
  for (const auto& data :
       {f.path() + "/f?.csv", f.write("f.csv.gz", gz(text)), f.write("f.zst", zst(text)), f.write("f.ndjson", lines)}) {
    bool failed = true;
    int at = 0;
    for (; failed && at < 200; ++at) {
      int calls = 0;
      set_io_fault([&](std::string_view) { return calls++ == at ? EIO : 0; });
      auto input = open_input(data, {});
      Scan scan;
      if (input) scan = test::drain((*input)->open());
      set_io_fault(nullptr);
      failed = calls > at;
      auto error = input ? scan.error : input.error().message;
      EXPECT_EQ(failed, !error.empty()) << data << " " << at;
      if (failed) {
        EXPECT_EQ(error.substr(0, f.path().size() + 2), f.path() + "/f") << at;
      }
      if (!failed) {
        EXPECT_GE(scan.rows.size(), 3000U);
      }
    }
    EXPECT_GT(at, 3);
    EXPECT_FALSE(failed);
  }
}

}  // namespace
}  // namespace vigie::table
