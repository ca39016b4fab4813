// SPDX-License-Identifier: Apache-2.0
#include "server/peers.h"

#include <gtest/gtest.h>

#include <map>

namespace vigie::server {
namespace {

// What services have in common, and where a sign may be refused or taken without a word.
struct Shared {
  std::map<std::string, store::Exchange::Sign> signs;
  bool refuses = false, silent = false;
};

class InMemory final : public store::Exchange {
 public:
  InMemory(std::string name, Shared& shared) : name_(std::move(name)), shared_(shared) {}
  const std::string& name() const override { return name_; }
  Status say(std::span<const Message>) override { return {}; }
  Result<std::vector<Message>> said(const std::string&, std::int64_t, std::size_t) override {
    return std::vector<Message>();
  }
  Status put(std::span<const Part>) override { return {}; }
  Result<std::vector<Part>> parts(const std::string&, std::int64_t, std::size_t) override {
    return std::vector<Part>();
  }
  Status put(const Sign& sign) override {
    if (!shared_.refuses) shared_.signs[sign.name] = sign;
    if (shared_.refuses || shared_.silent) return fail(Code::kUnavailable, "busy");
    return {};
  }
  Result<std::vector<Sign>> signs() override {
    std::vector<Sign> out;
    for (const auto& [name, sign] : shared_.signs) out.push_back(sign);
    return out;
  }
  Result<Common> common(const std::string&) override { return Common(); }
  Result<bool> replace(const std::string&, const std::string&, Common&) override { return true; }
  Status forget(std::int64_t) override { return {}; }

 private:
  std::string name_;
  Shared& shared_;
};

Peers one_of(Shared& shared) {
  return Peers(std::make_unique<InMemory>("a", shared));
}

TEST(Peers, GoOnAfterSignsThatWereRefusedOrHadNoAnswer) {
  Shared shared;
  auto peers = one_of(shared);
  ASSERT_TRUE(peers.hear());
  ASSERT_TRUE(peers.sign({}));
  shared.refuses = true;
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(peers.sign({}));
  EXPECT_TRUE(peers.hear());
  shared.refuses = false, shared.silent = true;
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(peers.sign({}));
  EXPECT_TRUE(peers.hear());
  shared.refuses = true;
  EXPECT_FALSE(peers.sign({}));
  EXPECT_TRUE(peers.hear());
  shared.refuses = shared.silent = false;
  ASSERT_TRUE(peers.sign({}));
  EXPECT_TRUE(peers.hear());
}

// Also where both are refused at times.
TEST(Peers, FindWhoHasACopyOfTheirFolder) {
  Shared shared;
  auto one = one_of(shared), copy = one_of(shared);
  ASSERT_TRUE(one.hear());
  ASSERT_TRUE(one.sign({}));
  ASSERT_TRUE(copy.hear());
  shared.refuses = true;
  EXPECT_FALSE(one.sign({}));
  shared.refuses = false;
  ASSERT_TRUE(copy.sign({}));
  const auto heard = one.hear();
  ASSERT_FALSE(heard);
  EXPECT_NE(heard.error().message.find("has a copy of this one's data folder"), std::string::npos);
}

}  // namespace
}  // namespace vigie::server
