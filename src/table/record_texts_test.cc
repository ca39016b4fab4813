// SPDX-License-Identifier: Apache-2.0
#include "table/record_texts.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

namespace vigie::table {
namespace {

class RecordTextsTest : public ::testing::Test {
 protected:
  RecordTextsTest() {
    std::string name = (std::filesystem::temp_directory_path() / "vigie-texts-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~RecordTextsTest() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name, const std::string& text) {
    const auto path = (folder_ / name).string();
    std::ofstream(path) << text;
    return path;
  }
  struct Read {
    std::vector<std::string> json, ids;
    std::vector<double> times;
    std::vector<std::uint64_t> numbers;
    std::vector<bool> stamped;
    std::vector<std::size_t> files;
    Problems problems;
    std::string error;
  };
  static Read read(const std::string& data, const RecordKeys& keys = {}, ReadOptions options = {}) {
    Read out;
    auto opened = RecordData::open(data, options);
    if (!opened) return out.error = opened.error().message, out;
    auto texts = opened->texts(keys);
    if (!texts) return out.error = texts.error().message, out;
    while (true) {
      auto records = (*texts)->next();
      if (!records) return out.error = records.error().message, out;
      if (records->empty()) break;
      for (const auto& r : *records) {
        out.json.emplace_back(r.json), out.ids.emplace_back(r.id), out.times.push_back(r.time);
        out.numbers.push_back(r.number), out.stamped.push_back(r.stamped), out.files.push_back(r.file);
      }
    }
    EXPECT_EQ((*texts)->consumed(), (*texts)->bytes());
    out.problems = (*texts)->problems();
    return out;
  }
  std::filesystem::path folder_;
};

TEST_F(RecordTextsTest, NdjsonPassesByteForByte) {
  const auto read_back = read(file("a.ndjson",
                                   "{\"b\": 12345678901234567890, \"a\":{\"x\":[1, {}]},  \"timestamp\": "
                                   "\"2026-03-01T00:00:01Z\", \"n\": {\"id\": \"k\"}}\r\n\n"
                                   "{\"@timestamp\":1772323200000}\nnot json\n{}\n{\"timestamp\": \"soon\"}"),
                              {.time = "", .id = "n.id"});
  EXPECT_EQ(read_back.error, "");
  EXPECT_EQ(read_back.json,
            (std::vector<std::string>{"{\"b\": 12345678901234567890, \"a\":{\"x\":[1, {}]},  \"timestamp\": "
                                      "\"2026-03-01T00:00:01Z\", \"n\": {\"id\": \"k\"}}",
                                      "{\"@timestamp\":1772323200000}", "{}", "{\"timestamp\": \"soon\"}"}));
  EXPECT_EQ(read_back.numbers, (std::vector<std::uint64_t>{1, 3, 5, 6}));
  EXPECT_EQ(read_back.ids, (std::vector<std::string>{"k", "", "", ""}));
  EXPECT_EQ(read_back.times[0], 1772323201e6);
  EXPECT_EQ(read_back.times[1], 1772323200e6);
  EXPECT_TRUE(std::isnan(read_back.times[2]) && std::isnan(read_back.times[3]));
  EXPECT_EQ(read_back.stamped, (std::vector<bool>{false, true, false, false}));
  EXPECT_EQ(read_back.problems.rejected, 1);
  ASSERT_EQ(read_back.problems.messages.size(), 1U);
  EXPECT_NE(read_back.problems.messages[0].find("a.ndjson:4: "), std::string::npos);
}

TEST_F(RecordTextsTest, RecordsAcrossBlocksAreWhole) {
  std::string text;
  std::vector<std::string> wanted;
  for (int i = 0; i < 5000; ++i) {
    const auto size = static_cast<std::size_t>(i % 997 == 0 ? 1'300'000 : 100 + i % 700);
    wanted.push_back("{\"i\":" + std::to_string(i) + ",\"t\":\"" + std::string(size, 'x') + "\"}");
    text += wanted.back() + "\n";
  }
  const auto read_back = read(file("big.ndjson", text));
  EXPECT_EQ(read_back.error, "");
  ASSERT_EQ(read_back.json.size(), wanted.size());
  EXPECT_TRUE(read_back.json == wanted);
  for (std::size_t i = 0; i < wanted.size(); ++i) ASSERT_EQ(read_back.numbers[i], i + 1);
}

TEST_F(RecordTextsTest, RowsOfATable) {
  const auto read_back = read(file("a.csv",
                                   "id,when,age,name,ok,weight\n7,2026-03-01T00:00:01Z,41,Ann,true,1.50\n8,,,"
                                   "\"a \"\"b\"\"\",false,\n9,2026-03-01T00:00:03Z,007,,true,1e3\n"),
                              {.time = "when", .id = "id"});
  EXPECT_EQ(read_back.error, "");
  EXPECT_EQ(read_back.json,
            (std::vector<std::string>{
                R"({"id":"7","when":"2026-03-01T00:00:01Z","age":41,"name":"Ann","ok":true,"weight":1.50})",
                R"({"id":"8","name":"a \"b\"","ok":false})",
                R"({"id":"9","when":"2026-03-01T00:00:03Z","age":"007","ok":true,"weight":1e3})"}));
  EXPECT_EQ(read_back.ids, (std::vector<std::string>{"7", "8", "9"}));
  EXPECT_EQ(read_back.times[2], 1772323203e6);
  EXPECT_TRUE(std::isnan(read_back.times[1]));
  EXPECT_EQ(read_back.numbers, (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST_F(RecordTextsTest, SeveralFiles) {
  file("1.ndjson", "{\"a\":1}\n"), file("2.ndjson", "{\"a\":2}"), file("3.ndjson", "\n{\"a\":3}\n");
  const auto read_back = read((folder_ / "*.ndjson").string());
  EXPECT_EQ(read_back.json, (std::vector<std::string>{"{\"a\":1}", "{\"a\":2}", "{\"a\":3}"}));
  EXPECT_EQ(read_back.files, (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(read_back.numbers, (std::vector<std::uint64_t>{1, 1, 2}));
}

TEST_F(RecordTextsTest, WhatIsWrongIsSaid) {
  const auto array = file("a.json", "[{\"a\":1}]");
  EXPECT_EQ(read(array).error, array + ": an array of JSON: one record a line is needed (jq -c '.[]')");
  const auto csv = file("a.csv", "x,name\n1,Ann\n");
  EXPECT_EQ(read(csv, {.time = "nam", .id = ""}).error,
            "--timestamp: unknown column \"nam\" in " + csv + "; did you mean \"name\"?");
  EXPECT_EQ(read(csv, {.time = "name", .id = ""}).error,
            "--timestamp: column \"name\" of " + csv + " is no time (ISO 8601 or epoch numbers)");
  ReadOptions strict;
  strict.strict = true;
  const auto bad = file("b.ndjson", "{\"a\":1}\n{\n");
  EXPECT_TRUE(read(bad, {}, strict).error.starts_with(bad + ":2: "));
  EXPECT_EQ(read(bad).json.size(), 1U);
}

TEST_F(RecordTextsTest, WhatTheBeginningShows) {
  const auto look = [](const std::string& data, const RecordKeys& keys = {}) {
    return RecordData::open(data, {}).value().look(keys).value();
  };
  const auto lines = file("a.ndjson",
                          "{\"torn\n{\"a\":{\"b\":1, \"c\":[{}]}, \"x.y\":null, \"\\u0064\":2}\n{\"when\":\"soon\"}\n"
                          "{\"e\":{}, \"when\":\"\"}\n");
  auto head = look(lines);
  EXPECT_EQ(head.name, lines);
  EXPECT_TRUE(head.lines && !head.timed && head.time);
  EXPECT_EQ(head.records, 3);
  EXPECT_EQ(head.columns, (std::vector<std::string>{"a.b", "a.c", "x.y", "d", "when"}));
  head = look(lines, {.time = "when", .id = ""});
  EXPECT_EQ(head.time ? "" : head.time.error().message,
            "--timestamp: column \"when\" of " + lines + " is no time (ISO 8601 or epoch numbers)");
  EXPECT_TRUE(look(lines, {.time = "a.b", .id = ""}).columns == head.columns);
  EXPECT_TRUE(look(file("t.ndjson", "{\"n\":1}\n{\"timestamp\":1772323200}\n")).timed);
  EXPECT_TRUE(look(file("s.ndjson", "{\"@timestamp\":\"soon\"}\n")).timed);  // for the server to judge
  head = look(file("none.ndjson", "{\"a\n\n{\"b\n"));
  EXPECT_TRUE(head.lines && head.records == 0 && head.columns.empty());
  file("g1.ndjson", "{\n"), file("g2.ndjson", "{\"k\":1}\n{\n"), file("g3.ndjson", "{\"other\":1}\n");
  head = look((folder_ / "g?.ndjson").string());
  EXPECT_EQ(head.name, (folder_ / "g2.ndjson").string());
  EXPECT_EQ(head.columns, std::vector<std::string>{"k"});
  const auto csv = file("a.csv", "id,when,timestamp\n1,soon,\n");
  head = look(csv);
  EXPECT_TRUE(!head.lines && head.timed && head.time);
  EXPECT_EQ(head.columns, (std::vector<std::string>{"id", "when", "timestamp"}));
  head = look(csv, {.time = "when", .id = ""});
  EXPECT_FALSE(head.timed || head.time);
  EXPECT_FALSE(look(file("b.csv", "id\n1\n")).timed);
  EXPECT_EQ(RecordData::open(csv, {}).value().kind(), "CSV");
  EXPECT_FALSE(RecordData::open(file("a.json", "[{\"a\":1}]"), {}).value().look({}));
}

TEST_F(RecordTextsTest, DataAreReadAnyNumberOfTimes) {
  const auto data = RecordData::open(file("a.ndjson", "{\"a\":1}\n{\"a\":2}\n"), {}).value();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(data.look({}).value().records, 2);
    EXPECT_EQ(data.texts({}).value()->next().value().size(), 2U);
  }
}

}  // namespace
}  // namespace vigie::table
