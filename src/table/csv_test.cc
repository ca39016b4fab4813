// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/rng.h"
#include "table/cell_internal.h"
#include "table/csv_head_internal.h"
#include "table/text_test_internal.h"

namespace vigie::table {
namespace {

using test::Scan;

// A pass over a file of that text, its path cut from what is said.
Scan csv(std::string_view text, const ReadOptions& options = {}, const std::optional<Schema>& types = std::nullopt,
         std::size_t block_size = kTextBlock) {
  test::Folder folder;
  auto path = folder.write("f.csv", text);
  auto scan = test::pass(open_csv, path, options, types, block_size);
  auto cut = [&](std::string& s) {
    for (std::size_t at; (at = s.find(folder.path() + "/")) != s.npos;) s.erase(at, folder.path().size() + 1);
  };
  cut(scan.error);
  for (auto& m : scan.problems.messages) cut(m);
  for (auto& m : scan.problems.notes) cut(m);
  return scan;
}

std::string rows(const Scan& scan) {
  return scan.error.empty() ? fmt::format("{}", fmt::join(scan.rows, "\n")) : "error: " + scan.error;
}
std::string rows(std::string_view text, const ReadOptions& options = {}) {
  return rows(csv(text, options));
}
std::string schema(std::string_view text, const ReadOptions& options = {}) {
  return csv(text, options).schema;
}
std::string error(std::string_view text, const ReadOptions& options = {}) {
  return csv(text, options).error;
}
std::string notes(std::string_view text, const ReadOptions& options = {}) {
  return fmt::format("{}", fmt::join(csv(text, options).problems.notes, "\n"));
}
std::string messages(const Scan& scan) {
  return fmt::format("{}: {}", scan.problems.rejected, fmt::join(scan.problems.messages, "; "));
}
std::string messages(std::string_view text) {
  return messages(csv(text));
}

TEST(Csv, Quoting) {
  EXPECT_EQ(rows("a,b\n1,x\n"), "1|x");
  EXPECT_EQ(rows("a,b\n1,x"), "1|x");
  EXPECT_EQ(rows("a,b\r\n1,x\r\n2,y\r\n"), "1|x\n2|y");
  EXPECT_EQ(rows("a,b\n1,\"x,y\"\n"), "1|x,y");
  EXPECT_EQ(rows("a,b\n1,\"x\ny\"\n2,z\n"), "1|x\ny\n2|z");
  EXPECT_EQ(rows("a,b\n1,\"say \"\"hi\"\"\"\n"), "1|say \"hi\"");
  EXPECT_EQ(rows("a,b\n1,\"\"\"\"\n"), "1|\"");
  EXPECT_EQ(rows("a,b\n1,5\" pipe\n2,6\"\" x\n"), "1|5\" pipe\n2|6\"\" x");
  EXPECT_EQ(rows("a,b,c\n1,5\",q\"\n"), "1|5\"|q\"");
  EXPECT_EQ(rows("a,b\n1,\"ab\"cd\n"), "1|abcd");
  EXPECT_EQ(rows("a,b,c\n1,\"ab\"c\"d,e\n"), "1|abc\"d|e");
  EXPECT_EQ(rows("a,b\n1,\"x\r\ny\"\r\n"), "1|x\r\ny");
  EXPECT_EQ(rows("a,b\n1, \"x\"\n"), "1| \"x\"");
  EXPECT_EQ(rows("a,b\n1,\"x\r\"\r\n"), "1|x\r");
}

TEST(Csv, Lines) {
  EXPECT_EQ(rows("a,b\n\n1,x\n\n\n2,y\n\n"), "1|x\n2|y");
  EXPECT_EQ(rows("\n\r\na,b\n1,x\n"), "1|x");
  EXPECT_EQ(rows("a\n1\n\n2\n"), "1\n2");
  EXPECT_EQ(rows("a\nx\n\"\"\n"), "x\n-");
  EXPECT_EQ(rows("\xef\xbb\xbf"
                 "a,b\n1,x\n"),
            "1|x");
  EXPECT_EQ(schema("\xef\xbb\xbf\"a\",b\n1,x\n"), "a:integer b:string");
  EXPECT_EQ(error("a,b\r1,2\r3,4\r"), "f.csv:1: lines end in a lone CR; convert it first (tr '\\r' '\\n')");
}

TEST(Csv, Delimiters) {
  EXPECT_EQ(rows("a;b\n1;x,y\n"), "1|x,y");
  EXPECT_EQ(rows("a\tb\n1\tx y\n"), "1|x y");
  EXPECT_EQ(rows("a|b\n1|x\n"), "1|x");
  EXPECT_EQ(rows("\"a,b,c\";d\n1;2\n"), "1|2");
  EXPECT_EQ(rows("sep=;\na;b\n1;2\n"), "1|2");
  EXPECT_NE(error(std::string_view("sep=\0\na;b\n1;2\n", 13)).find("NUL byte at offset 4"), std::string::npos);
  EXPECT_EQ(rows("a b\n1\n"), "1");
  EXPECT_EQ(rows("a;b,c\n1;2,3\n", {.delimiter = ','}), "1;2|3");
  EXPECT_EQ(rows("a,b\tc\n1,2\t3\n", {.format = "tsv"}), "1,2|3");
}

TEST(Csv, Types) {
  EXPECT_EQ(schema("a,b,c,d,e,f\n1,1.5,true,2026-01-31,x,\"[1, 2]\"\n"),
            "a:integer b:float c:boolean d:timestamp e:string f:list");
  EXPECT_EQ(schema("a\n1\n2.5\n"), "a:float");
  EXPECT_EQ(schema("a\n1\ntrue\n"), "a:string");
  EXPECT_EQ(schema("a\n20260131\n"), "a:integer");
  EXPECT_EQ(schema("a\n1e5\n"), "a:float");
  EXPECT_EQ(schema("a\n0x10\n"), "a:string");
  EXPECT_EQ(schema("a,b\n\"1,000\",1\n"), "a:string b:integer");
  EXPECT_EQ(schema("a\nNA\n\"\"\n"), "a:float");
  EXPECT_EQ(schema("a\n\"NA\"\n"), "a:string");
  EXPECT_EQ(schema("a\n\"1\"\n\"2\"\n"), "a:integer");
  EXPECT_EQ(schema("a\n2026-02-30\n"), "a:string");
  EXPECT_EQ(schema("a\n[1]\n\"[1,x]\"\n"), "a:string");
  EXPECT_EQ(schema("a\n1\n", {.schema = {{"a", Type::kString}}}), "a:string");
}

TEST(Csv, Cells) {
  EXPECT_EQ(rows("a,b\n 3 ,1\n+3,1\n-0.5,1\n.5,1\n5.,1\n1e-3,1\n"), "3|1\n3|1\n-0.5|1\n0.5|1\n5|1\n0.001|1");
  EXPECT_EQ(rows("a,b\ninf,1\n-inf,1\nInfinity,1\n-INFINITY,1\n"), "inf|1\n-inf|1\ninf|1\n-inf|1");
  EXPECT_EQ(rows("a,b\n1,1\n,1\nNA,1\nN/A,1\n#N/A,1\nNaN,1\nnan,1\nnull,1\nNULL,1\nNone,1\nnil,1\n\\N,1\n"),
            "1|1\n-|1\n-|1\n-|1\n-|1\n-|1\n-|1\n-|1\n-|1\n-|1\n-|1\n-|1");
  EXPECT_EQ(rows("a,b\nx,1\nNA,1\n\"NA\",1\n\"\",1\n,1\n  ,1\nNAN,1\n"), "x|1\n-|1\nNA|1\n-|1\n-|1\n-|1\nNAN|1");
  EXPECT_EQ(rows("a,b\ntrue,1\nFALSE,1\nTrue,1\nNA,1\n"), "1|1\n0|1\n1|1\n-|1");
  EXPECT_EQ(rows("a;b\n1,5;1\n-2;1\n", {.decimal = ','}), "1.5|1\n-2|1");
  EXPECT_EQ(rows("a,b\n\"[1, 2.5, null]\",1\n[],1\n,1\n[1 2\t3],1\n"), "[1, 2.5, nan]|1\n[]|1\n-|1\n[1, 2, 3]|1");
  EXPECT_EQ(rows("a\n12345678901234567890\n9007199254740993\n123456789012345678901234567890\n"),
            "1.2345678901234567e+19\n9007199254740992\n1.2345678901234568e+29");
}

TEST(Csv, Moments) {
  auto moment = [](std::string_view text) { return parse_timestamp(text).value_or(-1); };
  EXPECT_EQ(moment("1970-01-02"), 86400e6);
  EXPECT_EQ(moment("1970-01-01T00:00:01.5Z"), 1.5e6);
  EXPECT_EQ(moment("1970-01-01 00:00:01.123456789"), 1123456);
  EXPECT_EQ(moment("1970-01-01T01:00:00+01:00"), 0);
  EXPECT_EQ(moment("1970-01-01T01:00:00+0100"), 0);
  EXPECT_EQ(moment("1970-01-01 01:30:00 UTC"), 5400e6);
  EXPECT_EQ(moment("1970-01-01T01:30"), 5400e6);
  EXPECT_EQ(moment("2026-11-23T07:00:00Z"), 1795417200e6);
  EXPECT_EQ(moment("1969-12-31T23:59:59"), -1e6);
  EXPECT_EQ(moment("1970-01-01T24:00:00"), 86400e6);
  for (auto bad : {"", "1970", "1970-13-01", "1970-01-32", "1970-01-01T", "1970-01-01T25:00", "1970-01-01T10:60",
                   "1970-01-01T10:00:00+1", "1970-01-01T10:00:00x", "1970-1-1", "1970-01-01T24:00:01", "01/02/1970"})
    EXPECT_FALSE(parse_timestamp(bad)) << bad;
  EXPECT_EQ(parse_epoch(1.7e9).value_or(0), 1.7e15);
  EXPECT_EQ(parse_epoch(1.7e12).value_or(0), 1.7e15);
  EXPECT_EQ(parse_epoch(1.7e15).value_or(0), 1.7e15);
  EXPECT_EQ(parse_epoch(1.7e18).value_or(0), 1.7e15);
  EXPECT_FALSE(parse_epoch(20260131));
}

TEST(Csv, QuickNumbersAreTheNearestDoubles) {
  Rng rng(1);
  for (int i = 0; i < 200000; ++i) {
    std::string text = rng.below(2) ? "-" : "";
    auto whole = 1 + rng.below(i % 3 ? 3 : 18), part = rng.below(19);
    for (std::uint64_t k = 0; k < whole; ++k) text += static_cast<char>('0' + rng.below(10));
    if (part) text += '.';
    for (std::uint64_t k = 0; k < part; ++k) text += static_cast<char>('0' + rng.below(10));
    auto size = text.size();
    double expected = std::strtod(text.c_str(), nullptr), got = 0;
    text += "12345678";
    auto kind = cell::quick_number(text.data(), text.data() + size, '.', got);
    if (kind != cell::Quick::kNo) {
      ASSERT_EQ(got, expected) << text.substr(0, size);
    }
    ASSERT_TRUE(kind != cell::Quick::kNo || whole + part > 19) << text.substr(0, size);
  }
  double value;
  for (std::string_view bad :
       {"-", "1.", ".5", "1.2.3", "1x", "1.2345678x", "1,5", "12e3", "1.5e3", "--1", "1.:", "1./"}) {
    std::string text = std::string(bad) + "00000000";
    EXPECT_EQ(cell::quick_number(text.data(), text.data() + bad.size(), '.', value), cell::Quick::kNo) << bad;
  }
}

TEST(Csv, Ragged) {
  std::string_view text = "a,b\n1,x\n2\n3,y,z\n\"4\n4\",u\n5\n6\n7,v\n";
  EXPECT_EQ(rows("a,b\n1,x\n2\n3,y,z\n7,v\n"), "1|x\n7|v");
  EXPECT_EQ(messages(text),
            "4: f.csv:3: 1 field where the header has 2; f.csv:4: 3 fields where the header has 2; "
            "f.csv:7: 1 field where the header has 2");
  auto kept = csv("a,b,c\r\n1,x,2\r\n2\r\n3,y,4,z\r\n7,v,8\r\n", {.keep_ragged = true});
  EXPECT_EQ(rows(kept), "1|x|2\n2|-|-\n3|y|4\n7|v|8");
  EXPECT_EQ(kept.problems.rejected, 0);
  EXPECT_EQ(fmt::format("{}", fmt::join(kept.problems.notes, "; ")),
            "f.csv:3: 1 field where the header has 3; filled; f.csv:4: 4 fields where the header has 3; cut");
  EXPECT_EQ(error(text, {.strict = true}), "f.csv:3: 1 field where the header has 2");
}

TEST(Csv, Header) {
  EXPECT_EQ(schema(",a,\n1,2,3\n"), "column_1:integer a:integer column_3:integer");
  EXPECT_EQ(notes(",a\n1,2\n"), "f.csv:1: field 1 of the header has no name and is called \"column_1\"");
  EXPECT_EQ(error("x,a,b,a\n1,2,3,4\n"), "f.csv:1: fields 2 and 4 of the header are both named \"a\"; rename one");
  EXPECT_EQ(error("a,b\n"), "f.csv: no rows after the header");
  EXPECT_EQ(error("a,b"), "f.csv: no rows after the header");
  EXPECT_EQ(notes("1,2\n3,4\n"), "f.csv:1: the header holds only numbers; a file without header needs one");
  EXPECT_EQ(schema(" a ,\"b \"\n1,2\n"), "a:integer b:integer");
}

TEST(Csv, Torn) {
  EXPECT_EQ(error(""), "f.csv: the file is empty");
  EXPECT_EQ(error(" \n\r\n\n"), "f.csv: the file is empty");
  EXPECT_EQ(messages("a,b\n1,x\n2,\"y\n"), "1: f.csv:3: the quote opened in this record is never closed");
  EXPECT_EQ(
      error("a,b\n1,x\n2,\"y\n3,z\n"),
      "f.csv:3: the quote opened in this record is never closed, and 1 line after it cannot be read: a torn file");
  EXPECT_EQ(
      error("\"a,b\n1,x\n2,y\n"),
      "f.csv:1: the quote opened in this record is never closed, and 2 lines after it cannot be read: a torn file");
  EXPECT_EQ(error("a,b\n1,x\n2,\"y\n", {.strict = true}), "f.csv:3: the quote opened in this record is never closed");
  using namespace std::string_view_literals;
  EXPECT_EQ(error("a,b\n1,x\n2,\0y\n"sv), "f.csv:3: NUL byte at offset 10: not a text file, or UTF-16 without a mark");
  EXPECT_EQ(error("\xff\xfe"
                  "a\0,\0b\0\n\0"sv),
            "f.csv: UTF-16 text; convert it first (iconv -f UTF-16 -t UTF-8)");
}

TEST(Csv, Latin1) {
  EXPECT_EQ(rows("a,b\ncaf\xe9,1\ncaf\xc3\xa9,2\n\x80,3\n"), "café|1\ncafé|2\n€|3");
  EXPECT_EQ(notes("a,b\nx,1\ncaf\xe9,1\ncaf\xe9,1\n"), "f.csv:3: not UTF-8; such cells are read as Latin-1");
  EXPECT_EQ(notes("a,b\ncafé,1\n"), "");
  EXPECT_EQ(schema("caf\xe9,b\n1,1\n"), "café:integer b:integer");
}

TEST(Csv, LateContradictions) {
  std::string text = "a,b,c\n";
  for (int i = 0; i < 50; ++i) text += "1,2,2026-01-01\n";
  text += "1.5,\"x\ny\",n.d.\n1,z,2026-01-02\n";
  auto scan = csv(text, {}, std::nullopt, 64);
  EXPECT_FALSE(scan.settled);
  EXPECT_EQ(scan.schema, "a:float b:string c:string");
  EXPECT_EQ(scan.problems.notes,
            (std::vector<std::string>{"f.csv:52: column \"b\": \"x\\x0ay\" is not a number, as all before it",
                                      "f.csv:52: column \"c\": \"n.d.\" is not a timestamp, as all before it"}));
  auto again = csv(text, {}, scan.types, 64);
  EXPECT_TRUE(again.settled);
  EXPECT_EQ(again.rows.back(), "1|z|2026-01-02");
  EXPECT_TRUE(again.problems.notes.empty());
  auto wider =
      csv("a\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n1\n2.5\n", {},
          std::nullopt, 64);
  EXPECT_TRUE(wider.settled);
  EXPECT_EQ(wider.schema, "a:float");
}

TEST(Csv, GivenTypes) {
  Schema given{{"b", Type::kInteger}, {"zz", Type::kString}, {"c", Type::kBoolean}, {"d", Type::kTimestamp}};
  auto scan = csv("a,b,c,d\nq,1,1,1700000000\nr,x,maybe,20260131\ns,2.5,true,2026-01-01\nt,NA,,\n", {}, given);
  EXPECT_EQ(scan.schema, "a:skip b:integer c:boolean d:timestamp");
  EXPECT_EQ(rows(scan), "skip|1|1|1700000000000000\nskip|-|-|-\nskip|2.5|1|1767225600000000\nskip|-|-|-");
  EXPECT_TRUE(scan.settled);
  EXPECT_EQ(scan.problems.notes, (std::vector<std::string>{"f.csv:3: column \"b\": \"x\" is not a number",
                                                           "f.csv:3: column \"c\": \"maybe\" is not true or false",
                                                           "f.csv:3: column \"d\": \"20260131\" is not a timestamp"}));
  auto comma = csv("a;b\n1,5;2\n", {}, Schema{{"a", Type::kFloat}});
  EXPECT_EQ(comma.problems.notes,
            (std::vector<std::string>{"f.csv:2: column \"a\": \"1,5\" is not a number (use --decimal ',')"}));
  EXPECT_EQ(notes("a;b\n;1\n1,5;2\n"), "f.csv:3: column \"a\": \"1,5\" is not a number (use --decimal ',')");
}

TEST(Csv, ThousandsOfColumns) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += fmt::format("{}c{}", i ? "," : "", i);
  for (int r = 0; r < 3; ++r)
    for (int i = 0; i < 5000; ++i)
      text += fmt::format("{}{}", i ? "," : "\n", i % 2 ? fmt::format("v{}", r) : fmt::format("{}", i + r));
  auto scan = csv(text);
  EXPECT_EQ(scan.rows.size(), 3U);
  EXPECT_EQ(scan.types.size(), 5000U);
  EXPECT_TRUE(scan.rows[2].ends_with("|5000|v2")) << scan.rows[2].substr(scan.rows[2].size() - 20);
}

// A file of everything odd, of which some records end in no block of small size.
std::string odd(std::uint64_t seed) {
  Rng rng(seed);
  std::string text = "n,s,f,t\n";
  for (int i = 0; i < 400; ++i) {
    switch (rng.below(14)) {
      case 0:
        text += "\n";
        break;
      case 1:
        text += "1,2\n";
        break;
      case 2:
        text += fmt::format("{},\"{}\n{}\",NA,\r\n", i, std::string(rng.below(90), 'x'), i);
        break;
      case 3:
        text += fmt::format("{},\"a \"\"{}\"\", b\",1.5,2026-01-01\n", i, i);
        break;
      case 4:
        text += fmt::format(",5\" pipe,{},\n", rng.uniform());
        break;
      case 5:
        text += "1,2,3,4,5,6\n";
        break;
      default:
        text +=
            fmt::format("{},s{},{},2026-01-{:02} 10:00\r\n", i, rng.below(20), rng.uniform() * 1000, 1 + rng.below(28));
    }
  }
  return text;
}

TEST(Csv, ThreadsAndBlocksChangeNothing) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    auto text = odd(seed);
    auto whole = csv(text, {.threads = 1}).types;
    for (auto& field : whole)
      if (field.name == "s") field.type = Type::kString;
    auto expected = csv(text, {.threads = 1}, whole);
    ASSERT_GT(expected.rows.size(), 200U);
    for (std::size_t block : {64, 100, 1000, 5000}) {
      std::vector<std::int64_t> batches;
      for (unsigned threads : {1U, 2U, 3U}) {
        auto scan = csv(text, {.threads = threads}, whole, block);
        EXPECT_EQ(scan.rows, expected.rows) << seed << " " << block;
        EXPECT_EQ(messages(scan), messages(expected));
        if (batches.empty()) batches = scan.batches;
        EXPECT_EQ(scan.batches, batches);
        auto first = csv(text, {.threads = threads}, std::nullopt, block);
        EXPECT_EQ(first.schema, csv(text, {.threads = 1}, std::nullopt, block).schema);
        EXPECT_EQ(csv(text, {}, first.types, block).rows.size(), expected.rows.size());
      }
    }
  }
}

TEST(Csv, ErrorsComeAfterTheRowsBeforeThem) {
  std::string text = "a\n";
  for (int i = 0; i < 100; ++i) text += fmt::format("{}\n", 1000 + i);
  text += std::string("\0\n", 2);
  auto one = csv(text, {.threads = 1}, std::nullopt, 64), three = csv(text, {.threads = 3}, std::nullopt, 64);
  EXPECT_EQ(one.rows, three.rows);
  EXPECT_GT(one.rows.size(), 80U);
  EXPECT_EQ(one.error, "f.csv:102: NUL byte at offset 502: not a text file, or UTF-16 without a mark");
  EXPECT_EQ(three.error, one.error);
}

TEST(Csv, SlowRecordLimit) {
  EXPECT_EQ(error("a\n1\n\"" + std::string(65 << 20, 'x')),
            "f.csv:3: a record longer than 64 MB; is a quote never closed?");
}

}  // namespace
}  // namespace vigie::table
