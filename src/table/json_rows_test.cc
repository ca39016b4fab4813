// SPDX-License-Identifier: Apache-2.0
#include "table/json_rows.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

namespace vigie::table {
namespace {

JsonShape shape() {
  return JsonShape({{{"id", Type::kString}}, {{"time", Type::kTimestamp}}, {{"features.age", Type::kInteger}}});
}

// One row as "id time age", and what was rejected as "record:line reason".
std::vector<std::string> read(std::string_view body, JsonRows& rows, const JsonShape& shape) {
  rows.read(body, shape);
  std::vector<std::string> out;
  auto id = rows.column(0).value(), time = rows.column(1).value(), age = rows.column(2).value();
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows.rows()); ++i)
    out.push_back(fmt::format("{} {} {} {}", rows.record_of(i),
                              id.codes[i] < 0 ? "-" : id.dictionary[static_cast<std::size_t>(id.codes[i])],
                              time.numbers[i], age.numbers[i]));
  for (const auto& reject : rows.rejected())
    out.push_back(fmt::format("{}:{} {}", reject.record, reject.line, reject.reason));
  return out;
}
std::vector<std::string> read(std::string_view body) {
  JsonRows rows;
  const auto s = shape();
  return read(body, rows, s);
}
using Lines = std::vector<std::string>;

TEST(JsonRows, ReadOneObjectAnArrayAndNdjson) {
  const Lines one{"0 a 1000000 41"};
  EXPECT_EQ(read(R"({"id":"a","time":"1970-01-01T00:00:01Z","features":{"age":41}})"), one);
  EXPECT_EQ(read("{\n  \"id\": \"a\", \"time\": 1700000000,\n  \"features\": {\"age\": 41}\n}\n"),
            Lines{"0 a 1700000000000000 41"});
  EXPECT_EQ(read("\xef\xbb\xbf [{\"id\":\"a\"},\n {\"id\":7}]"), (Lines{"0 a nan nan", "1 7 nan nan"}));
  EXPECT_EQ(read("{\"id\":\"a\"}\r\n\n{\"id\":\"b\"}"), (Lines{"0 a nan nan", "1 b nan nan"}));
  EXPECT_EQ(read("{\n\"id\":\"a\"}\n{\n\"id\":\"b\"}"), (Lines{"0 a nan nan", "1 b nan nan"}));
  EXPECT_EQ(read(""), Lines{});
  EXPECT_EQ(read(" \n "), Lines{});
  EXPECT_EQ(read("[]"), Lines{});
}

TEST(JsonRows, SayWhichRecordIsWrong) {
  EXPECT_EQ(read("{\"id\":\"a\"}\nnonsense\n{\"id\":\"b\"}\n{\"id\":\n"),
            (Lines{"0 a nan nan", "2 b nan nan", "1:2 not an object", "3:4 not JSON: cut off"}));
  EXPECT_EQ(read("[{\"id\":\"a\"},\n7,\n{\"id\":\"b\"},{\"id\":tru}]"),
            (Lines{"0 a nan nan", "2 b nan nan", "1:2 not an object", "3:3 not JSON"}));
  EXPECT_EQ(read("[{\"id\":\"a\"},\n{\"id\":"), (Lines{"0 a nan nan", "1:2 the array is never closed"}));
  EXPECT_EQ(read("[{\"id\":\"a\"}"), (Lines{"0 a nan nan", "1:1 the array is never closed"}));
  EXPECT_EQ(read("[{\"id\":\"a\"}] x"), (Lines{"0 a nan nan", "1:1 text after the end of the array"}));
  EXPECT_EQ(read("{\n\"id\":\"a\"}\n{\n\"id\":"), (Lines{"0 a nan nan", "1:3 not JSON: cut off"}));
  EXPECT_EQ(read("7"), (Lines{"0:1 not an object"}));
}

TEST(JsonRows, GatherKeysThatTheShapeLacks) {
  JsonRows rows;
  const auto s = shape();
  read(R"([{"features":{"x":1,"y.z":"u","n":null}},{"features":{"x":2.5,"age":"old"},"tags":{"t":true}}])", rows, s);
  std::vector<std::string> found;
  for (const auto& key : rows.unknown())
    found.push_back(fmt::format("{} {} {}", key.field.name, to_string(key.field.type), key.path.size()));
  EXPECT_EQ(found, (Lines{"features.x float 2", "features.y.z string 2", "tags.t boolean 2"}));
  EXPECT_EQ(rows.column(2).value().mismatches(), 1);

  auto keys = s.keys();
  for (const auto& key : rows.unknown()) keys.push_back(key);
  const JsonShape wider(std::move(keys));
  read(R"({"features":{"y.z":"w","x":3}})", rows, wider);
  EXPECT_TRUE(rows.unknown().empty());
  EXPECT_EQ(rows.column(3).value().numbers[0], 3);
  EXPECT_EQ(rows.column(4).value().dictionary[0], "w");
  // The path is not known any more, as when names alone were stored: found all the same.
  const JsonShape named(std::vector<JsonShape::Key>{{{"features.y.z", Type::kString}}});
  rows.read(R"({"features":{"y.z":"w"}})", named);
  EXPECT_EQ(rows.column(0).value().dictionary[0], "w");
  const JsonShape renamed(std::vector<JsonShape::Key>{{{"y.z", Type::kString}, {"features", "y.z"}}});
  rows.read(R"({"features":{"y.z":"w"}})", renamed);
  EXPECT_EQ(rows.column(0).value().dictionary[0], "w");
  rows.read(R"({"features":{"y":{"z":"v"}}})", renamed);
  EXPECT_EQ(rows.column(0).value().dictionary[0], "v");
  EXPECT_TRUE(rows.unknown().empty());
}

TEST(JsonRows, AClosedShapeFindsKeysUnderAnySpelling) {
  for (auto others : {OtherKeys::kChecked, OtherKeys::kSkipped}) {
    const JsonShape closed({{{"size", Type::kInteger}, {"features", "größe"}},
                            {{"quote", Type::kInteger}, {"features", "a\"b"}},
                            {{"slash", Type::kInteger}, {"features", "e\\f"}}},
                           others);
    JsonRows rows;
    rows.read(
        "{\"features\":{\"gr\\u00f6\\u00dfe\":1,\"a\\\"b\":2,\"e\\\\f\":3}}\n"
        "{\"featur\\u0065s\":{\"größe\":4,\"a\\u0022b\":5,\"\\u0065\\\\f\":6,\"e\\tf\":7}}\n",
        closed);
    ASSERT_EQ(rows.rows(), 2);
    for (std::size_t i = 0; i < 3; ++i) {
      const auto numbers = rows.column(i)->numbers;
      EXPECT_EQ(numbers[0], 1 + static_cast<double>(i));
      EXPECT_EQ(numbers[1], 4 + static_cast<double>(i));
    }
  }
}

TEST(JsonRows, AClosedShapePassesOverTheRest) {
  JsonRows rows;
  const JsonShape closed({{{"id", Type::kString}}}, OtherKeys::kChecked);
  rows.read(R"({"a":{"b":[1,{"c":"d"}]},"id":"x","e":null}
{"a":{"b":tru},"id":"y"}
{"a":01,"id":"y"}
{"a":-,"id":"y"}
{"a":1.,"id":"y"}
{"a":[1.5, -0.25, 0, 12 , 1e400],"id":"y"}
{"a":-0.50 ,"b":1e5,"c":0,"id":"z"})",
            closed);
  EXPECT_EQ(rows.rows(), 2);
  EXPECT_TRUE(rows.unknown().empty());
  EXPECT_EQ(rows.rejected().size(), 5U);
  EXPECT_EQ(rows.text_of(0).substr(0, 6), "{\"a\":{");
}

TEST(JsonRows, WhatWasCheckedIsReadAloneTheSecondTime) {
  JsonRows rows;
  const JsonShape skipping({{{"id", Type::kString}}, {{"f.x", Type::kFloat}}}, OtherKeys::kSkipped);
  rows.read(R"({"a":{"b":[1,{"c":"}{"}]},"id":"x","f":{"y":"\"x\":1","x":2},"e":null}
{"z":[[]],"f":{"x":3,"w":{"x":4}},"id":"y","f2":{"x":5}})",
            skipping);
  ASSERT_EQ(rows.rows(), 2);
  EXPECT_EQ(rows.column(0)->dictionary[1], "y");
  EXPECT_EQ(rows.column(1)->numbers[0], 2);
  EXPECT_EQ(rows.column(1)->numbers[1], 3);
}

}  // namespace
}  // namespace vigie::table
