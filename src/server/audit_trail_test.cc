// SPDX-License-Identifier: Apache-2.0
#include "server/audit_trail.h"

#include <gtest/gtest.h>

#include "server/back_internal.h"

namespace vigie::server {
namespace {

void append(Back& back, event::Kind kind, std::string_view body, std::string_view model = "m") {
  journal::Records records;
  records.add(event::encode({kind, model, body}));
  ASSERT_TRUE(back.journal->append(std::move(records)));
}

Lines told(const Back& back) {
  Lines out;
  const auto found = back.store->audit({}).value();
  for (const auto& e : found)
    out.push_back(fmt::format("{} {} {} {}", to_string(e.happened), e.model, e.by, e.details));
  return out;
}

TEST(AuditTrail, TellsWhatThePeopleDidOverACrashOnce) {
  Folder folder;
  const std::string first = R"({"owner":"ana"})", second = R"({"owner":"bob","false_alarms":0.1})";
  const std::string answer = R"({"id":"m-1","action":"ack","by":"ana","note":"a \"campaign\"","until":0})";
  const Lines wanted{
      R"(model_created m  {"by":"a configuration"})",
      R"(model_changed m  {"changed":{"owner":{"from":null,"to":"ana"}}})",
      R"(model_changed m  {"changed":{"owner":{"from":"ana","to":"bob"},"false_alarms":{"from":null,"to":0.1}}})",
      R"(answered m ana {"incident":"m-1","action":"ack","note":"a \"campaign\"","until":null,"applied":false})",
      R"(model_created n  {"by":"predictions"})",
      R"(model_created o  {"by":"explanations"})"};
  {
    Back back(folder.path);
    append(back, event::Kind::kModel, first);
    append(back, event::Kind::kModel, second);
    append(back, event::Kind::kAnswer, answer);
    back.add(R"({"id":"a"})", event::Kind::kPredictions, "n");
    back.add(R"({"id":"a","attributions":{"x":1}})", event::Kind::kExplanations, "o");
    ASSERT_TRUE(back.follower->catch_up());
    EXPECT_EQ(told(back), wanted);
  }
  // As if what was committed were lost, and what is in the store were not: all is read again.
  std::filesystem::remove_all(folder.path + "/state");
  Back back(folder.path);
  ASSERT_TRUE(back.follower->catch_up());
  EXPECT_EQ(told(back), wanted);
  EXPECT_EQ(back.store->check_audit().value().broken, 0);
}

TEST(AuditTrail, AReferenceIsKnownByItsHash) {
  Folder folder;
  Back back(folder.path);
  std::string rows;
  for (int i = 0; i < 300; ++i) rows += fmt::format(R"({{"id":"{0}","features":{{"x":{0}}}}})", i) + "\n";
  const auto profile = engine::save_profile(reference_of_rows(rows, "body", "0", {}).value());
  append(back, event::Kind::kReference, profile);
  append(back, event::Kind::kReference, "no profile");
  ASSERT_TRUE(back.follower->catch_up());
  const auto found = back.store->audit({.happened = event::Happened::kReferenceSet}).value();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].details.substr(0, 76), "{\"sha256\":\"" + event::sha256(profile) + "\"");
  EXPECT_NE(found[0].details.find("\"rows\":300"), std::string::npos) << found[0].details;
}

TEST(AuditTrail, SaysHowTheLastRunEnded) {
  Folder folder;
  Back back(folder.path);
  const auto put = [&](const event::AuditEntry& entry) { ASSERT_TRUE(back.store->put(std::span(&entry, 1))); };
  EXPECT_EQ(head_of_audit(*back.store), "");
  put(service_started(*back.store, "1", 10).value());
  put(service_started(*back.store, "1", 20).value());
  put(service_stopped("1", 30));
  put(service_started(*back.store, "2", 40).value());
  EXPECT_EQ(told(back),
            (Lines{R"(service_started   {"version":"1","last_run":null})",
                   R"(service_started   {"version":"1","last_run":"cut off"})", R"(service_stopped   {"version":"1"})",
                   R"(service_started   {"version":"2","last_run":"stopped"})"}));
  EXPECT_EQ(head_of_audit(*back.store).substr(0, 16), "entry 4, sha256 ");
}

}  // namespace
}  // namespace vigie::server
