// SPDX-License-Identifier: Apache-2.0
#include "elastic/documents.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace vigie::elastic {
namespace {

constexpr double kTime = 1'772'323'200e6;  // 2026-03-01T00:00:00Z
constexpr const char* kStamp = R"("@timestamp":"2026-03-01T00:00:00Z")";
constexpr const char* kModel = R"("vigie":{"model":{"id":"m"}})";

// The members that are put in front, and the record behind them.
std::string sent(const char* json, double time = kTime, bool stamped = false) {
  Documents documents({Place::Kind::kMonths, "logs"}, "m");
  const auto document = documents.of("id", json, time, stamped);
  return std::string(document.first) + "|" + std::string(document.source);
}

std::string both() {
  return std::string(kStamp) + "," + kModel + "|";
}

TEST(Documents, OnlyTheTopOfARecordCounts) {
  for (const char* json : {R"({"a":1})", R"({"vendor":"vigie"})", R"({"note":"@timestamp","b":["vigie","@timestamp"]})",
                           R"({"a":{"@timestamp":null,"vigie":2}})", R"({"a":[{"vigie":1}], "b":"\"vigie\":1"})"})
    EXPECT_EQ(sent(json), both() + json) << json;
  EXPECT_EQ(sent(R"({"vigie" : "mine"})"), std::string(kStamp) + R"(|{"vigie" : "mine"})");
  EXPECT_EQ(sent(R"({"a":"}","@timestamp":"2026-02-01"})", kTime, true),
            std::string(kModel) + R"(|{"a":"}","@timestamp":"2026-02-01"})");
  EXPECT_EQ(sent(R"({"a":1})", NAN), std::string(kModel) + R"(|{"a":1})");
}

TEST(Documents, ATimeThatIsNullIsNone) {
  const auto model = std::string(kModel) + "|";
  EXPECT_EQ(sent(R"({"@timestamp":null,"a":1})"), model + "{" + kStamp + R"(,"a":1})");
  EXPECT_EQ(sent(R"({"a":1, "@timestamp" : null })"), model + R"({"a":1, "@timestamp" : "2026-03-01T00:00:00Z" })");
  EXPECT_EQ(sent(R"({"@timestamp":NaN})"), model + "{" + kStamp + "}");
  EXPECT_EQ(sent(R"({"@timestamp":null})", NAN), model + R"({"@timestamp":null})");
}

// The server reads any number as milliseconds.
TEST(Documents, ATimeThatIsANumberIsWrittenAsOne) {
  const auto model = std::string(kModel) + "|";
  EXPECT_EQ(sent(R"({"@timestamp":1772323200,"a":1})", kTime, true), model + "{" + kStamp + R"(,"a":1})");
  EXPECT_EQ(sent(R"({"@timestamp":1772323200})"), model + R"({"@timestamp":1772323200})");  // the time is another one's
}

TEST(Documents, NumbersThatAreNoneAreNull) {
  EXPECT_EQ(sent(R"({"a":NaN,"b":[1,Infinity,-Infinity,-1],"c":{"d": NaN},"e":"NaN","f":"\"Infinity"})"),
            both() + R"({"a":null,"b":[1,null,null,-1],"c":{"d": null},"e":"NaN","f":"\"Infinity"})");
  EXPECT_EQ(sent(R"({"vigie":NaN,"@timestamp":-Infinity})"), std::string("|") + R"({"vigie":null,"@timestamp":null})");
}

TEST(Documents, OneLeavesNothingToTheNext) {
  Documents documents({Place::Kind::kIndex, "logs"}, "");
  EXPECT_EQ(documents.of("1", R"({"a":NaN})", NAN, false).source, R"({"a":null})");
  EXPECT_EQ(documents.of("2", R"({"a":1})", NAN, false).source, R"({"a":1})");
}

}  // namespace
}  // namespace vigie::elastic
