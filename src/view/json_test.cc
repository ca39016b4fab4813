// SPDX-License-Identifier: Apache-2.0
#include "view/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>

#include "view/make_comparison_internal.h"

namespace vigie::view {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> keys(const Json& object) {
  std::vector<std::string> out;
  for (const auto& [key, value] : object.items()) out.push_back(key);
  return out;
}
using Keys = std::vector<std::string>;

TEST(Json, KeysAndTheirOrder) {
  auto doc = Json::parse(to_json(make_comparison(3, 2)));
  EXPECT_EQ(keys(doc),
            (Keys{"command", "version", "reference", "current", "options", "windows", "rejected", "notes", "summary"}));
  EXPECT_EQ(keys(doc["reference"]), (Keys{"source", "rows"}));
  EXPECT_EQ(keys(doc["windows"][0]), (Keys{"index", "start", "end", "rows", "verdict", "columns", "quality"}));
  EXPECT_EQ(keys(doc["windows"][1]),
            (Keys{"index", "start", "end", "rows", "partial", "verdict", "columns", "quality"}));
  EXPECT_EQ(doc["windows"][1]["partial"], true);
  EXPECT_EQ(keys(doc["windows"][0]["columns"][0]), (Keys{"column",
                                                         "role",
                                                         "type",
                                                         "segment",
                                                         "method",
                                                         "statistic",
                                                         "p_value",
                                                         "p_adjusted",
                                                         "effect",
                                                         "effect_scale",
                                                         "watch",
                                                         "major",
                                                         "detectable_effect",
                                                         "verdict",
                                                         "reason",
                                                         "n_reference",
                                                         "n_current",
                                                         "missing_reference",
                                                         "missing_current",
                                                         "exact",
                                                         "error_bound",
                                                         "null",
                                                         "components"}));
  EXPECT_EQ(keys(doc["windows"][0]["quality"][0]), (Keys{"check", "column", "value", "expected", "verdict", "reason"}));
  EXPECT_EQ(keys(doc["summary"]), (Keys{"verdict", "windows", "windows_with_drift", "columns", "drift", "warning", "ok",
                                        "no_data", "expected_false_windows", "quality"}));
}

TEST(Json, ValuesComeBack) {
  auto c = make_comparison(12, 3);
  auto& r = c.windows[0].columns[0];
  r.p_value = 1.0 / 3;
  r.statistic = 5e-324;
  r.effect = -INFINITY;
  r.error_bound = NAN;
  r.segment = "origin=JFK,carrier=\"A\\B\"\n\x01";
  auto doc = Json::parse(to_json(c));
  auto& d = doc["windows"][0]["columns"][0];
  EXPECT_EQ(d["p_value"].get<double>(), 1.0 / 3);
  EXPECT_EQ(d["statistic"].get<double>(), 5e-324);
  EXPECT_TRUE(d["effect"].is_null());
  EXPECT_TRUE(d["error_bound"].is_null());
  EXPECT_EQ(d["segment"], *r.segment);
  EXPECT_TRUE(d["components"]["range"].is_null());
  EXPECT_EQ(d["components"].begin().key(), "anderson_darling");
  EXPECT_EQ(doc["options"]["segment"][0], "origin");
  EXPECT_EQ(doc["windows"][0]["start"], "2013-05-31T00:00:00-05:00");
  EXPECT_EQ(doc["summary"]["verdict"], "drift");
}

TEST(Json, NullsOfRowWindowsAndSegments) {
  auto doc = Json::parse(to_json(make_comparison(1, 1)));
  EXPECT_TRUE(doc["windows"][0]["start"].is_null());
  EXPECT_TRUE(doc["windows"][0]["end"].is_null());
  EXPECT_FALSE(doc["windows"][0].contains("partial"));
  EXPECT_TRUE(doc["windows"][0]["columns"][0]["segment"].is_null());
}

TEST(Json, RepairsUtf8AndOddOptions) {
  auto c = make_comparison(1, 1);
  c.windows[0].columns[0].column = "caf\xe9 \xed\xa0\x80";
  c.current.source = "\xf0\x9f\x98";
  c.options = {{"method", "auto"}, {"seed", "NaN"}, {"deep", "{\"a\":[1,null]}"}};
  auto doc = Json::parse(to_json(c));
  EXPECT_EQ(doc["windows"][0]["columns"][0]["column"], "caf\uFFFD \uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(doc["current"]["source"], "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(doc["options"]["method"], "auto");
  EXPECT_EQ(doc["options"]["seed"], "NaN");
  EXPECT_TRUE(doc["options"]["deep"]["a"][1].is_null());
}

TEST(Json, QualityIsCountedByItsWorstVerdict) {
  auto c = make_comparison(2, 3);
  c.windows[0].quality = {{"schema", "age", 0, "", "pass", ""}, {"missing", "age", 0, "", "warn", ""}};
  c.windows[1].quality = {{"schema", "age", 0, "", "fail", ""}, {"missing", "age", 0, "", "no_data", ""}};
  c.windows[2].quality = {{"volume", {}, 0, "", "no_data", ""}, {"rows", {}, 0, "", "pass", ""}};
  EXPECT_EQ(Json::parse(to_json(c))["summary"]["quality"].dump(), R"({"pass":1,"warn":1,"fail":1,"no_data":1})");
}

TEST(Json, NothingToSay) {
  auto doc = Json::parse(to_json(engine::Comparison{}));
  EXPECT_TRUE(doc["windows"].is_array());
  EXPECT_TRUE(doc["windows"].empty());
  EXPECT_EQ(doc["summary"]["verdict"], "no_data");
}

TEST(Json, OneLineAColumn) {
  auto text = to_json(make_comparison(5, 3));
  std::size_t lines = 0;
  for (std::size_t from = 0, to; (to = text.find('\n', from)) != std::string::npos; from = to + 1)
    lines += text.substr(from, to - from).find("{\"column\": ") != std::string::npos;
  std::size_t results = 0;
  for (const auto& w : make_comparison(5, 3).windows) results += w.columns.size();
  EXPECT_EQ(lines, results);
  EXPECT_EQ(text.back(), '\n');
}

// 0.05 s here; the bound leaves room for slow machines and sanitizers.
TEST(Json, WideResultIsFast) {
  auto c = make_comparison(200, 100);
  auto start = std::clock();
  auto text = to_json(c);
  EXPECT_GT(text.size(), 10'000'000U);
  EXPECT_LT(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC, 2.0);
}

}  // namespace
}  // namespace vigie::view
