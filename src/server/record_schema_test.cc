// SPDX-License-Identifier: Apache-2.0
#include "server/record_schema.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>

#include "server/back_internal.h"

namespace vigie::server {
namespace {

using Json = nlohmann::json;
using Kind = RecordSchema::Kind;
constexpr std::int64_t kSecond = 1'000'000, kStart = 1'767'225'600 * kSecond;

Json plain(int i) {
  return {{"id", std::to_string(i)},
          {"features", {{"x", i * 0.5}, {"z", "a"}, {"at", "2026-01-01T00:00:00Z"}, {"deep", {{"on", true}}}}},
          {"tags", {{"shop", "north"}}},
          {"scores", {{"a", 0.5}}},
          {"prediction", "yes"},
          {"latency_ms", 3}};
}
Json other(int i) {
  auto row = plain(i);
  row["features"].erase("z"), row["features"]["zz"] = 1, row["features"]["x"] = std::to_string(i);
  return row;
}

// Looks at so many rows that came at once.
std::optional<RecordSchema::Change> look(RecordSchema& schema, int rows, std::int64_t arrived,
                                         const std::function<Json(int)>& make) {
  std::string body;
  for (int i = 0; i < rows; ++i) body += make(i).dump() + "\n";
  static const table::JsonShape ids({{{"id", table::Type::kString}, {}}}, table::OtherKeys::kSkipped);
  table::JsonRows read, scratch;
  read.read(body, ids);
  std::vector<std::size_t> which(static_cast<std::size_t>(rows));
  std::iota(which.begin(), which.end(), std::size_t{0});
  return schema.look(read, which, arrived, scratch);
}

TEST(RecordSchema, IsLearntAndChanges) {
  RecordSchema schema;
  EXPECT_FALSE(look(schema, 999, kStart, plain));
  EXPECT_EQ(schema.version(), 0);
  EXPECT_EQ(schema.to_json(), "");
  EXPECT_FALSE(look(schema, 1, kStart, plain));
  EXPECT_EQ(schema.version(), 1);
  const RecordSchema::Columns first{
      {"x", Kind::kNumber},       {"z", Kind::kText},          {"at", Kind::kTime},        {"deep.on", Kind::kBoolean},
      {"tags.shop", Kind::kText}, {"scores.a", Kind::kNumber}, {"prediction", Kind::kText}};
  EXPECT_EQ(schema.columns(), first);
  EXPECT_FALSE(look(schema, 500, kStart + 100 * kSecond, plain));

  RecordSchema again;
  ASSERT_TRUE(again.load(schema.save()));
  for (auto* one : {&schema, &again}) {
    const auto change = look(*one, 1'000, kStart + 300 * kSecond, other);
    ASSERT_TRUE(change);
    EXPECT_EQ(in_words(*change), "\"zz\" is new (number); \"z\" comes no more; \"x\" is text, was number");
    EXPECT_EQ(change->from, 1);
    EXPECT_EQ(change->to, 2);
    EXPECT_FALSE(look(*one, 500, kStart + 600 * kSecond, other));
    const auto json = Json::parse(one->to_json());
    EXPECT_EQ(json.at("version"), 2);
    EXPECT_EQ(json.at("since"), "2026-01-01T00:05:00Z");
    EXPECT_EQ(json.at("said"), false);
    EXPECT_EQ(json.at("columns").at("x"), "text");
    EXPECT_FALSE(json.at("columns").contains("z"));
  }
  EXPECT_EQ(schema.save(), again.save());
}

TEST(RecordSchema, IsOfFewRowsAfterAnHour) {
  RecordSchema schema;
  look(schema, 99, kStart, plain);
  look(schema, 1, kStart + 1'800 * kSecond, plain);
  EXPECT_EQ(schema.version(), 0);
  look(schema, 1, kStart + 3'600 * kSecond, plain);
  EXPECT_EQ(schema.version(), 1);
}

// What a few rows have, what is rare, and what is null.
TEST(RecordSchema, PassesOverWhatIsRare) {
  RecordSchema schema;
  const auto sparse = [](int i) {
    auto row = plain(i);
    if (i % 200 != 0) row["features"].erase("z");
    return row;
  };
  look(schema, 1'000, kStart, sparse);
  EXPECT_TRUE(schema.columns().contains("z"));
  const auto odd = [](int i) {
    auto row = plain(i);
    if (i < 9) row["features"]["typo"] = 1;
    row["features"].erase("z");
    return row;
  };
  EXPECT_FALSE(look(schema, 1'000, kStart + 100 * kSecond, odd));
  EXPECT_FALSE(look(schema, 1'000, kStart + 200 * kSecond, [](int i) {
    auto row = plain(i);
    row["features"]["z"] = nullptr;
    return row;
  }));
  std::optional<RecordSchema::Change> change;
  for (int i = 3; i < 10 && !change; ++i)
    change = look(schema, 1'000, kStart + i * 100 * kSecond, [](int k) {
      auto row = plain(k);
      row["features"].erase("z");
      return row;
    });
  ASSERT_TRUE(change);
  EXPECT_EQ(in_words(*change), "\"z\" comes no more");
}

// Many rows cost no more than few.
TEST(RecordSchema, LooksAtSomeOfMany) {
  RecordSchema schema;
  look(schema, 5'000, kStart, plain);
  EXPECT_EQ(schema.version(), 1);
  int made = 0;
  for (int i = 0; i < 10; ++i) look(schema, 1'000, kStart, plain);
  const auto late = look(schema, 1'000, kStart, other);  // there is no room left
  EXPECT_FALSE(late);
  std::optional<RecordSchema::Change> change;
  for (; made < 100 && !change; ++made) change = look(schema, 1'000, kStart + (1 + made) * kSecond, other);
  ASSERT_TRUE(change);
  EXPECT_EQ(in_words(*change), "\"zz\" is new (number)");
  EXPECT_LT(made, 3);
}

TEST(RecordSchema, HoldsABoundedNumberOfNames) {
  RecordSchema schema;
  int next = 0;
  const auto random = [&](int i) {
    auto row = plain(i);
    for (int k = 0; k < 10; ++k) row["features"][fmt::format("user {}", next++)] = 1;
    return row;
  };
  const auto change = look(schema, 1'000, kStart, random);
  ASSERT_TRUE(change);
  EXPECT_TRUE(change->left_out);
  EXPECT_EQ(in_words(*change), "names beyond the first 2,000 are left out");
  EXPECT_EQ(schema.columns().size(), RecordSchema::kMost);
  EXPECT_EQ(Json::parse(schema.to_json()).at("left_out"), true);
  const auto later = look(schema, 1'000, kStart + kSecond, random);
  EXPECT_FALSE(later && later->left_out);
}

TEST(RecordSchema, IsWhatPeopleSay) {
  RecordSchema schema;
  look(schema, 1'000, kStart, plain);
  const RecordSchema::Columns said{
      {"x", Kind::kNumber}, {"at", Kind::kTime}, {"deep.on", Kind::kBoolean}, {"y", Kind::kText}};
  const auto change = schema.say(said, kStart + kSecond);
  ASSERT_TRUE(change);
  EXPECT_TRUE(change->said);
  EXPECT_EQ(in_words(*change), "\"y\" is new (text); \"z\" comes no more");
  EXPECT_EQ(change->to, 2);
  EXPECT_FALSE(schema.say(said, kStart + 2 * kSecond));
  auto json = Json::parse(schema.to_json());
  EXPECT_EQ(json.at("departs"), (Json{{"y", "not there"}, {"z", "new: text"}}));
  EXPECT_EQ(json.at("columns").at("tags.shop"), "text");  // nothing was said of tags
  const auto departs = look(schema, 1'000, kStart + 100 * kSecond, other);
  ASSERT_TRUE(departs);
  EXPECT_EQ(departs->from, 2);
  EXPECT_EQ(departs->to, 2);
  json = Json::parse(schema.to_json());
  EXPECT_EQ(json.at("columns").at("x"), "number");
  EXPECT_EQ(json.at("departs"), (Json{{"x", "text"}, {"y", "not there"}, {"zz", "new: number"}}));
  const auto back = schema.say({}, kStart + 200 * kSecond);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->to, 3);
  EXPECT_EQ(schema.columns().at("x"), Kind::kText);
  RecordSchema fresh;
  EXPECT_FALSE(fresh.say(said, kStart));
  EXPECT_EQ(fresh.version(), 1);
  EXPECT_EQ(fresh.columns(), said);
}

TEST(RecordSchema, ReadsNoOtherBytes) {
  RecordSchema schema;
  look(schema, 1'000, kStart, plain);
  const auto bytes = schema.save();
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(RecordSchema().load(bytes.substr(0, size)));
}

// Over a crash that forgets what was not committed: the audit log has it once.
TEST(RecordSchema, IsAnEntryOfTheAuditLog) {
  Folder folder;
  const auto body = [](int from, const std::function<Json(int)>& make) {
    std::string out;
    for (int i = 0; i < 1'000; ++i) out += make(from + i).dump() + "\n";
    return out;
  };
  {
    Back back(folder.path);
    back.add(body(0, plain)), back.add(body(1'000, other));
    ASSERT_TRUE(back.follower->catch_up());
  }
  Back back(folder.path);
  ASSERT_TRUE(back.follower->catch_up());
  std::vector<event::AuditEntry> found = back.store->audit({.happened = event::Happened::kSchemaChanged}).value();
  ASSERT_EQ(found.size(), 1U);
  const auto details = Json::parse(found[0].details);
  EXPECT_EQ(details.at("from"), 1);
  EXPECT_EQ(details.at("to"), 2);
  EXPECT_EQ(details.at("added"), (Json{{"zz", "number"}}));
  EXPECT_EQ(details.at("gone"), Json::array({"z"}));
  EXPECT_EQ(details.at("changed"), (Json{{"x", {{"from", "number"}, {"to", "text"}}}}));
  EXPECT_TRUE(details.at("summary").get<std::string>().starts_with("schema version 1 → 2: \"zz\" is new"));
}

}  // namespace
}  // namespace vigie::server
