// SPDX-License-Identifier: Apache-2.0
#include "event/audit.h"

#include <gtest/gtest.h>

namespace vigie::event {
namespace {

AuditEntry example() {
  AuditEntry out;
  out.time = 1'795'744'800'123'457, out.happened = Happened::kAnswered, out.model = "credit", out.by = "ana";
  out.details = R"({"action":"ack","share":0.1,"note":"a \"campaign\""})", out.key = "answered 7";
  return out;
}

TEST(Audit, AHashIsThatOfAllThatTheEntrySays) {
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-2
  auto entry = example();
  seal(entry, 3, sha256("before"));
  const auto json = to_json(entry);
  EXPECT_EQ(audit_of_json(json).value(), entry);
  std::string hash;
  EXPECT_EQ(flaw_of(json, 3, sha256("before"), hash), std::nullopt);
  EXPECT_EQ(hash, entry.hash);
  // As somebody without this program would do it.
  const auto at = json.find(",\"hash\":");
  EXPECT_EQ(sha256(json.substr(0, at) + "}"), entry.hash) << json;
}

TEST(Audit, WhateverIsAlteredIsSeen) {
  auto entry = example();
  seal(entry, 3, sha256("before"));
  const auto json = to_json(entry);
  std::string hash;
  for (std::size_t i = 0; i < json.size(); ++i) {
    auto other = json;
    other[i] = other[i] == 'x' ? 'y' : 'x';
    EXPECT_NE(flaw_of(other, 3, sha256("before"), hash), std::nullopt) << other;
  }
  EXPECT_NE(flaw_of(json + " ", 3, sha256("before"), hash), std::nullopt);
  EXPECT_EQ(flaw_of(json, 4, sha256("before"), hash), "it says that it is entry 3");
  EXPECT_EQ(flaw_of(json, 3, no_hash(), hash), "what it holds of the entry before it is not that entry's hash");
}

TEST(Audit, EveryMicrosecondIsReadAsItWasWritten) {
  auto entry = example();
  for (std::int64_t i = 0; i < 20'000; ++i) {
    entry.time = 1'764'000'000'000'000 + i * 7'919'000'123 + i;
    ASSERT_EQ(audit_of_json(to_json(entry)).value().time, entry.time);
  }
}

TEST(Audit, NamesAreThoseOfTheEvents) {
  for (auto name : all_happened()) EXPECT_EQ(to_string(happened_of(name).value()), name);
  EXPECT_FALSE(happened_of("opened"));
}

}  // namespace
}  // namespace vigie::event
