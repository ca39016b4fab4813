// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/rng.h"
#include "table/text_test_internal.h"

namespace vigie::table {
namespace {

using test::Scan;

Scan json(std::string_view text, const ReadOptions& options = {}, const std::optional<Schema>& types = std::nullopt,
          std::size_t block_size = kTextBlock) {
  test::Folder folder;
  auto path = folder.write("f.ndjson", text);
  auto scan = test::pass(open_ndjson, path, options, types, block_size);
  auto cut = [&](std::string& s) {
    for (std::size_t at; (at = s.find(folder.path() + "/")) != s.npos;) s.erase(at, folder.path().size() + 1);
  };
  cut(scan.error);
  for (auto& m : scan.problems.messages) cut(m);
  for (auto& m : scan.problems.notes) cut(m);
  return scan;
}

// Rows under the types of a first pass.
std::string rows(std::string_view text) {
  auto scan = json(text);
  if (!scan.settled) scan = json(text, {}, scan.types);
  return scan.error.empty() ? fmt::format("{}", fmt::join(scan.rows, "\n")) : "error: " + scan.error;
}
std::string schema(std::string_view text) {
  return json(text).schema;
}
std::string error(std::string_view text) {
  return json(text).error;
}
std::string messages(const Scan& scan) {
  return fmt::format("{}: {}", scan.problems.rejected, fmt::join(scan.problems.messages, "; "));
}
std::string messages(std::string_view text) {
  return messages(json(text));
}

// A pass with given types whose first block has none of those keys.
TEST(Ndjson, GivenKeysThatComeLate) {
  auto scan = json("{}\n{\"b\":1}\n{\"a\":2}\n", {}, Schema{{"a", Type::kInteger}}, 4);
  EXPECT_EQ(scan.schema, "a:integer");
  EXPECT_EQ(fmt::format("{}", fmt::join(scan.rows, " ")), "- - 2");
}

TEST(Ndjson, StraysAndRejectsOfOneLineInOrder) {
  for (std::size_t block : {std::size_t{4}, kTextBlock})
    EXPECT_EQ(messages(json("[{\"a\":\xff},{\"a\":1},7,{\"a\":\xff}]", {}, std::nullopt, block)),
              "3: f.ndjson:1: not UTF-8; f.ndjson:1: not an object; f.ndjson:1: not UTF-8");
}

TEST(Ndjson, NumbersByTheirGrammar) {
  EXPECT_EQ(rows("{\"a\":-0,\"b\":0.5,\"c\":-0.25,\"d\":0}"), "-0|0.5|-0.25|0");
  EXPECT_EQ(rows("{\"a\": 1 ,\"b\": 2\t}"), "1|2");
  for (auto bad : {"01", "-01", "00.5", "1.", ".5", "-", "+1", "1x", "1.5.2", "1\x01", "0x1", "1e", "1 2"})
    EXPECT_EQ(json(fmt::format("{{\"a\":{}}}\n{{\"a\":7}}\n", bad)).problems.rejected, 1) << bad;
}

TEST(Ndjson, Values) {
  EXPECT_EQ(rows(R"({"a": 1, "b": "x"})"), "1|x");
  EXPECT_EQ(rows("{\"a\":1}\r\n\r\n{\"a\":2}\r\n"), "1\n2");
  EXPECT_EQ(rows(R"({"a": null, "b": true}
{"b": false})"),
            "-|1\n-|0");
  EXPECT_EQ(rows(R"({"a": -1.5e3, "b": 12345678901234567890123})"), "-1500|1.2345678901234568e+22");
  EXPECT_EQ(rows(R"({"a": "q\"\\\n\u00e9\ud83d\ude00"})"), "q\"\\\né😀");
  EXPECT_EQ(rows(R"({"a": "", "b": "NA"})"), "-|NA");
  EXPECT_EQ(rows("\xef\xbb\xbf{\"a\": 1}\n"), "1");
  EXPECT_EQ(rows(R"({"a": 1, "a": 2})"), "2");
  EXPECT_EQ(rows(R"({ "a" : 1 , "b" : "x" } )"), "1|x");
  EXPECT_EQ(rows(R"({"a": NaN, "b": "NaN x", "c": [1, NaN, -Infinity]}
{"a": -Infinity, "b": "y", "c": [2]})"),
            "-|NaN x|[1, nan, -inf]\n-inf|y|[2]");
  EXPECT_EQ(rows(R"({"a": "Infinity"}
{"a": 1})"),
            "inf\n1");
}

TEST(Ndjson, Types) {
  EXPECT_EQ(schema(R"({"a":1,"b":1.0,"c":true,"d":"2026-01-31T10:00:00Z","e":"x","f":[1,2.5],"g":null})"),
            "a:integer b:float c:boolean d:timestamp e:string f:list g:float");
  EXPECT_EQ(schema("{\"a\":1}\n{\"a\":1e3}"), "a:float");
  EXPECT_EQ(schema("{\"a\":1}\n{\"a\":\"x\"}"), "a:string");
  EXPECT_EQ(rows("{\"a\":1.50 }\n{\"a\":\"x\"}\n{\"a\":true}\n{\"a\":[1, 2]}"), "1.50\nx\ntrue\n[1, 2]");
  EXPECT_EQ(schema("{\"a\":\"2026-01-31\"}\n{\"a\":\"x\"}"), "a:string");
  EXPECT_EQ(json("{\"a\":1}", {.schema = {{"a", Type::kString}}}).schema, "a:string");
}

TEST(Ndjson, Nested) {
  EXPECT_EQ(schema(R"({"a":{"b":1,"c":{"d":"x"}},"e":{}})"), "a.b:integer a.c.d:string");
  EXPECT_EQ(rows(R"({"a":{"b":1,"c":{"d":"x"}}}
{"a":{"c":{"d":"y"}}}
{"a":null}
{"a":{"b":2}})"),
            "1|x\n-|y\n-|-\n2|-");
  EXPECT_EQ(rows(R"({"a":[{"b": 1}, "x"]})"), R"([{"b": 1}, "x"])");
  EXPECT_EQ(rows(R"({"a":["x", "]\""], "b":[[1],[2]]})"), R"(["x", "]\""]|[[1],[2]])");
  EXPECT_EQ(rows(R"({"a":[]}
{"a":[1,null]}
{})"),
            "[]\n[1, nan]\n-");
  EXPECT_EQ(rows(R"({"a":{"b":1}}
{"a.b":2})"),
            "1\n2");
  EXPECT_EQ(rows(R"({"k\"1":1,"é":2,"\u00e9":3})"), "1|3");
  EXPECT_EQ(schema(R"({"k\"1":1,"é":2,"\u00e9":3})"), "k\"1:integer é:integer");
}

TEST(Ndjson, Arrays) {
  EXPECT_EQ(rows("[{\"a\":1},{\"a\":2}]"), "1\n2");
  EXPECT_EQ(rows("  [\n  {\n    \"a\": 1,\n    \"b\": \"}]\\\"\"\n  },\n  {\"a\": 2}\n]\n"), "1|}]\"\n2|-");
  EXPECT_EQ(messages("[\n{\"a\":1},\n3,\n{\"a\":},\n[4],{\"a\":2}]\nx"),
            "4: f.ndjson:3: not an object; f.ndjson:4: not JSON; f.ndjson:5: not an object");
  EXPECT_EQ(rows("[\n{\"a\":1},\n3,\n{\"a\":},\n[4],{\"a\":2}]\nx"), "1\n2");
  EXPECT_EQ(error("[]"), "f.ndjson: no rows");
  EXPECT_EQ(error("[{\"a\":1},\n{\"a\":"), "f.ndjson:2: the array is never closed: a torn file");
  EXPECT_EQ(json("[{\"a\":1},\n{\"a\":").rows.size(), 1U);
  EXPECT_EQ(error("[{\"a\":1}"), "f.ndjson:1: the array is never closed: a torn file");
}

TEST(Ndjson, BadLines) {
  auto bad = [](std::string_view line) { return messages("{\"a\":1}\n" + std::string(line) + "\n{\"a\":2}\n"); };
  EXPECT_EQ(bad("{\"a\":"), "1: f.ndjson:2: not JSON: cut off");
  EXPECT_EQ(bad("{\"a\":\"x"), "1: f.ndjson:2: not JSON: a string is never closed");
  EXPECT_EQ(bad("{\"a\":01}"), "1: f.ndjson:2: not JSON: a wrong number, or one out of range");
  EXPECT_EQ(bad("{\"a\":1e999}"), "1: f.ndjson:2: not JSON: a wrong number, or one out of range");
  EXPECT_EQ(bad("[1]"), "1: f.ndjson:2: not an object");
  EXPECT_EQ(bad("7"), "1: f.ndjson:2: not an object");
  EXPECT_EQ(bad("{\"a\":1} {\"a\":2}"), "1: f.ndjson:2: not JSON: text after the object");
  EXPECT_EQ(bad("{\"a\":1}}"), "1: f.ndjson:2: not JSON: text after the object");
  EXPECT_EQ(bad("{\"a\":\"\xff\"}"), "1: f.ndjson:2: not UTF-8");
  EXPECT_EQ(bad("{\"a\":\"\\ud800\"}"), "1: f.ndjson:2: not JSON: a wrong escape in a string");
  EXPECT_EQ(bad("{\"a\":\"\\udc00\"}"), "1: f.ndjson:2: not JSON: a wrong escape in a string");
  EXPECT_EQ(bad("{\"a\":\"\\q\"}"), "1: f.ndjson:2: not JSON: a wrong escape in a string");
  EXPECT_EQ(bad("{\"a\":\"\t\"}"), "1: f.ndjson:2: not JSON: a control character in a string");
  EXPECT_EQ(bad("{\"a\":tru}").substr(0, 14), "1: f.ndjson:2:");
  EXPECT_EQ(bad("{\"a\":nul}").substr(0, 14), "1: f.ndjson:2:");
  EXPECT_EQ(bad("{\"a\" 1}").substr(0, 14), "1: f.ndjson:2:");
  EXPECT_EQ(bad("{\"a\":1,}").substr(0, 14), "1: f.ndjson:2:");
  EXPECT_EQ(bad("{a:1}").substr(0, 14), "1: f.ndjson:2:");
  EXPECT_EQ(bad("{\"a\":[1 2]}").substr(0, 14), "1: f.ndjson:2:");
  EXPECT_EQ(bad("{\"a\":[1,]}").substr(0, 14), "1: f.ndjson:2:");
  EXPECT_EQ(bad("{\"a\":" + std::string(200, '[') + std::string(200, ']') + "}"), "1: f.ndjson:2: nested too deep");
  EXPECT_EQ(bad(""), "0: ");
  EXPECT_EQ(json("{\"a\":1}\n{\n", {.strict = true}).error, "f.ndjson:2: not JSON: cut off");
}

// What a rejected record held must not show in the columns or their types.
TEST(Ndjson, RejectedRecordsLeaveNoTrace) {
  EXPECT_EQ(schema("{\"a\":1}\n{\"a\":\"x\",\"b\":1,\"c\":}\n"), "a:integer");
  EXPECT_EQ(rows("{\"a\":1,\"l\":[1]}\n{\"a\":2,\"l\":[2],\"z\"}\n{\"a\":3,\"l\":[3]}\n"), "1|[1]\n3|[3]");
}

TEST(Ndjson, Torn) {
  using namespace std::string_view_literals;
  EXPECT_EQ(error(""), "f.ndjson: the file is empty");
  EXPECT_EQ(error(" \n\n"), "f.ndjson: the file is empty");
  EXPECT_EQ(error("{\"a\":1}\n{\"a\":\0}\n"sv), "f.ndjson:2: NUL byte at offset 13: not a text file");
  EXPECT_EQ(messages("x\ny\nz\nw\n"),
            "4: f.ndjson:1: not an object; f.ndjson:2: not an object; f.ndjson:3: not an object");
}

TEST(Ndjson, LateKeysAndContradictions) {
  std::string text;
  for (int i = 0; i < 50; ++i) text += "{\"a\":1,\"b\":\"2026-01-01\"}\n";
  text += "{\"a\":\"x\",\"n\":{\"k\":1},\"b\":\"n.d.\"}\n{\"a\":1,\"n\":{\"k\":2.5}}\n";
  auto scan = json(text, {}, std::nullopt, 64);
  EXPECT_FALSE(scan.settled);
  EXPECT_EQ(scan.schema, "a:string b:string n.k:float");
  EXPECT_EQ(scan.problems.notes,
            (std::vector<std::string>{"f.ndjson:51: column \"a\": \"x\" is not a number, as all before it",
                                      "f.ndjson:51: column \"b\": \"n.d.\" is not a timestamp, as all before it"}));
  auto again = json(text, {}, scan.types, 64);
  EXPECT_TRUE(again.settled);
  EXPECT_EQ(again.schema, scan.schema);
  EXPECT_EQ(again.rows[50], "x|n.d.|1");
  EXPECT_EQ(again.rows[51], "1|-|2.5");
}

TEST(Ndjson, TextsThatAreNumbersHaveNoDecimalMarkToChoose) {
  std::string text;
  for (int i = 0; i < 50; ++i) text += "{\"zip\":13001,\"x\":1.5}\n";
  EXPECT_EQ(json(text + "{\"zip\":\"13001\",\"x\":\"1,5\"}\n", {}, std::nullopt, 64).problems.notes,
            (std::vector<std::string>{"f.ndjson:51: column \"zip\": \"13001\" is not a number, as all before it",
                                      "f.ndjson:51: column \"x\": \"1,5\" is not a number, as all before it"}));
}

TEST(Ndjson, GivenTypes) {
  Schema given{{"a", Type::kFloat}, {"b", Type::kBoolean}, {"t", Type::kTimestamp}, {"rare", Type::kInteger}};
  auto scan = json("{\"a\":\"1.5\",\"b\":0,\"x\":1,\"t\":1700000000}\n{\"a\":\"q\",\"b\":true,\"t\":\"2026-01-01\"}\n",
                   {}, given);
  EXPECT_EQ(scan.schema, "a:float b:boolean t:timestamp rare:integer");
  EXPECT_EQ(fmt::format("{}", fmt::join(scan.rows, "\n")), "1.5|0|1700000000000000|-\n-|1|1767225600000000|-");
  EXPECT_EQ(scan.problems.notes, (std::vector<std::string>{"f.ndjson:2: column \"a\": \"q\" is not a number"}));
  EXPECT_EQ(json("{\"q\":1}", {}, given).schema, "");
}

std::string odd(std::uint64_t seed, bool array) {
  Rng rng(seed);
  std::string text = array ? "[\n" : "";
  const int n = 300;
  for (int i = 0; i < n; ++i) {
    switch (rng.below(10)) {
      case 0:
        text += "{\"n\": }";
        break;
      case 1:
        text += fmt::format("{{\"n\": {}, \"s\": \"{}\\n\\\"}}]\"}}", i, std::string(rng.below(150), 'x'));
        break;
      case 2:
        text += fmt::format("{{\"n\": {}, \"extra{}\": {{\"deep\": [1, 2]}}}}", i, rng.below(3));
        break;
      case 3:
        text +=
            array ? fmt::format("{{\n  \"n\": {},\n  \"f\": NaN\n}}", i) : fmt::format("{{\"n\": {}, \"f\": NaN}}", i);
        break;
      default:
        text += fmt::format("{{\"n\": {}, \"s\": \"v{}\", \"f\": {}}}", i, rng.below(9), rng.uniform());
    }
    if (array && i + 1 < n) text += ',';
    text += rng.below(20) ? "\n" : "\r\n\n";
  }
  return text + (array ? "]\n" : "");
}

TEST(Ndjson, ThreadsAndBlocksChangeNothing) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    auto text = odd(seed, seed % 2);
    auto whole = json(text, {.threads = 1}).types;
    auto expected = json(text, {.threads = 1}, whole);
    ASSERT_EQ(expected.error, "");
    ASSERT_GT(expected.rows.size(), 200U);
    for (std::size_t block : {64, 1000, 5000}) {
      std::vector<std::int64_t> batches;
      for (unsigned threads : {1U, 2U, 3U}) {
        auto scan = json(text, {.threads = threads}, whole, block);
        EXPECT_EQ(messages(scan), messages(expected));
        EXPECT_EQ(scan.rows.size(), expected.rows.size());
        if (scan.schema == expected.schema) {
          EXPECT_EQ(scan.rows, expected.rows) << seed << " " << block;
        }
        if (batches.empty()) batches = scan.batches;
        EXPECT_EQ(scan.batches, batches);
        auto first = json(text, {.threads = threads}, std::nullopt, block);
        EXPECT_EQ(first.schema, json(text, {.threads = 1}, std::nullopt, block).schema);
        EXPECT_EQ(first.types.size(), whole.size());
      }
    }
  }
}

}  // namespace
}  // namespace vigie::table
