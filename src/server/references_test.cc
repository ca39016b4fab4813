// SPDX-License-Identifier: Apache-2.0
#include "server/references.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "server/back_internal.h"

namespace vigie::server {
namespace {

using Json = nlohmann::json;

std::string reference(int from) {
  std::string rows;
  for (int i = from; i < from + 300; ++i) rows += fmt::format(R"({{"id":"{0}","features":{{"x":{0}}}}})", i) + "\n";
  return engine::save_profile(reference_of_rows(rows, "body", "0", {}).value());
}

Json listed(const Back& back, std::vector<std::pair<std::string, std::string>> query = {}) {
  Request request;
  request.method = "GET", request.path = {"v1", "models", "m", "references"}, request.query = std::move(query);
  return Json::parse(list_references(request, *back.store, *back.state).body);
}

TEST(References, AreInTheStoreOnceEach) {
  Folder folder;
  const auto a = reference(0), b = reference(1000);
  const auto post = [](Back& back, const std::string& profile, ReferenceOrigin origin, const std::string& of) {
    journal::Records records;
    records.add(event::encode({event::Kind::kReference, "m", profile}));
    records.add(event::encode({event::Kind::kOrigin, "m", to_record(origin, of)}));
    ASSERT_TRUE(back.journal->append(std::move(records)));
  };
  {
    Back back(folder.path);
    using enum ReferenceOrigin::Kind;
    post(back, a, {}, a);
    post(back, b, {kFirst, 1'700'000'000'000'000, 1'700'000'060'000'000}, b);
    post(back, a, {kPast}, a);
    post(back, a, {kFirst}, b);            // of another one
    post(back, "none", {kFirst}, "none");  // of what was not taken
    ASSERT_TRUE(back.follower->catch_up());
  }
  // All is read again.
  std::filesystem::remove_all(folder.path + "/state");
  Back back(folder.path);
  ASSERT_TRUE(back.follower->catch_up());
  const auto found = listed(back);
  ASSERT_EQ(found.size(), 2U) << found.dump();
  EXPECT_EQ(found[0]["id"], event::sha256(a));
  EXPECT_EQ(found[0]["kind"], "past");
  EXPECT_EQ(found[0]["in_use"], true);
  EXPECT_EQ(found[0]["from"], nullptr);
  EXPECT_EQ(found[1]["id"], event::sha256(b));
  EXPECT_EQ(found[1]["kind"], "first");
  EXPECT_EQ(found[1]["in_use"], false);
  EXPECT_EQ(found[1]["from"], "2023-11-14T22:13:20Z");
  EXPECT_EQ(found[1]["to"], "2023-11-14T22:14:20Z");
  EXPECT_EQ(found[1]["rows"], 300);
  EXPECT_EQ(found[1]["bytes"], b.size());
  EXPECT_EQ(listed(back, {{"limit", "1"}, {"after", event::sha256(a)}})[0]["id"], event::sha256(b));
  EXPECT_EQ(listed(back, {{"order", "up"}})["where"], "query");

  Request request;
  request.path = {"v1", "models", "m", "references", event::sha256(b)};
  EXPECT_EQ(reference_file(request, *back.store).body, b);
  request.path[4] = "5f";
  EXPECT_EQ(reference_file(request, *back.store).status, 404U);
}

TEST(References, OfAnOlderVigieAreKeptOnce) {
  Folder folder;
  const auto a = reference(0);
  {
    Back back(folder.path);
    Model model;
    model.number = 1, model.name = "m";
    ASSERT_TRUE(back.state->put(Follower::reference_of("m"), a));
    ASSERT_TRUE(back.state->commit(0, std::span(&model, 1)));
    EXPECT_TRUE(listed(back).empty());
  }
  Back back(folder.path);
  ASSERT_TRUE(back.follower->catch_up());
  const auto found = listed(back);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0]["made"], nullptr);
  EXPECT_EQ(found[0]["kind"], "posted");
  EXPECT_EQ(found[0]["in_use"], true);
}

}  // namespace
}  // namespace vigie::server
