// SPDX-License-Identifier: Apache-2.0
#include "event/incident.h"

#include <gtest/gtest.h>

namespace vigie::event {
namespace {

Incident example() {
  Incident out;
  out.id = "credit-20261127T020000Z", out.model = "credit";
  out.state = Incident::State::kSnoozed, out.severity = Severity::kCritical;
  out.since = 1'795'744'800'000'000, out.until = out.since + 3'600'000'000, out.opened = out.until + 1;
  out.snoozed_until = out.until + 5, out.windows = 2, out.notices = 3, out.summary = "\"age\" moved";
  out.causes = {{"age", "country=FR", "omnibus", Severity::kCritical, 1.5, "moved by 0.4 sd", out.since, 2},
                {"", "", "volume", Severity::kWarning, 0, "half the rows", out.since, 1}};
  out.owner = "ana", out.note = "looking";
  out.context = {"feature-store has failed its probe since 01:58 UTC: it answers 503"};
  return out;
}

TEST(Incident, IsReadAsItWasWritten) {
  const auto incident = example();
  const auto read = incident_of_json(to_json(incident));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, incident);
}

TEST(Incident, WhatIsNotThereIsNull) {
  const auto json = to_json(example());
  EXPECT_NE(json.find("\"resolved\":null"), std::string::npos) << json;
  EXPECT_NE(json.find("\"runbook\":null"), std::string::npos) << json;
  EXPECT_NE(json.find("\"since\":\"2026-11-27T02:00:00Z\""), std::string::npos) << json;
}

TEST(Incident, OfAnOlderFileIsRead) {
  auto json = to_json(example());
  const auto at = json.find("\"context\"");
  json.erase(at, json.find("\"owner\"") - at);
  const auto read = incident_of_json(json);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->context, std::vector<std::string>());
}

TEST(Incident, AnythingElseIsAnError) {
  for (auto bytes : {"", "{}", "[]", "{\"id\": 1}", "nothing"}) {
    const auto read = incident_of_json(bytes);
    ASSERT_FALSE(read) << bytes;
    EXPECT_EQ(read.error().code, Code::kCorrupt);
  }
}

}  // namespace
}  // namespace vigie::event
