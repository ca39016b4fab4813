// SPDX-License-Identifier: Apache-2.0
#include "server/model_ops.h"

#include <gtest/gtest.h>

#include "server/back_internal.h"

namespace vigie::server {
namespace {

constexpr std::int64_t kStart = 1'700'000'040'000'000;  // a whole minute

std::string row(int id, double second, const std::string& more) {
  return fmt::format(R"({{"id":"{}","timestamp":{:.0f}{}}})"
                     "\n",
                     id, static_cast<double>(kStart) / 1e6 + second, more);
}

std::string told(const ModelOps& ops, const store::Store& store) {
  std::string out;
  const auto found = ops.minutes({.source = {}}, store).value();
  for (const auto& [start, t] : found.minutes)
    out += fmt::format("{}: {} of which {} failed, {} refused, {} odd, at most {} ms; ", (start - kStart) / kMinute,
                       t.requests, t.failed, t.refused, t.odd, t.latency.quantile(1));
  return out;
}

TEST(ModelOps, CountsMinutesOfEventTimeOfWatchedModelsAndOthers) {
  Folder folder;
  Back back(folder.path);
  back.add(row(1, 0, R"(,"latency_ms":12.5,"status":200)") + row(2, 59, R"(,"latency_ms":30,"status":"503")") +
           row(3, 60, R"(,"latency_ms":"fast","status":404)") + row(4, 61, R"(,"status":"fine")") + row(1, 0, ""));
  ASSERT_TRUE(back.follower->catch_up());
  const auto said =
      "0: 2 of which 1 failed, 0 refused, 0 odd, at most 30 ms; "
      "1: 2 of which 0 failed, 1 refused, 1 odd, at most nan ms; ";
  EXPECT_EQ(told(ModelOps::load(*back.state, "m").value(), *back.store), said);
  EXPECT_EQ(told(ModelOps::load(*back.state, "n").value(), *back.store), "");
}

TEST(ModelOps, CountsNothingTwiceAfterACrash) {
  Folder folder;
  {
    Back back(folder.path);
    for (int minute = 0; minute < 40; ++minute) {
      back.add(row(minute, minute * 60, R"(,"latency_ms":1,"status":"error")"));
      if (minute != 20) continue;
      ASSERT_TRUE(back.follower->catch_up());
    }
    // As if the commit that was to forget them had not come through: they are in the store, and read again.
    auto ops = ModelOps::load(*back.state, "m").value();
    const auto gone = ops.take_over(std::numeric_limits<std::int64_t>::max());
    ASSERT_FALSE(gone.empty());
    ASSERT_TRUE(back.store->put(gone));
  }
  Back back(folder.path);
  ASSERT_TRUE(back.follower->catch_up());
  const auto ops = ModelOps::load(*back.state, "m").value();
  const auto all = ops.between(kStart, kStart + 40 * kMinute, *back.store).value();
  EXPECT_EQ(all.requests, 40);
  EXPECT_EQ(all.latency.count(), 40);
  // And late ones are one more part.
  back.add(row(100, 5, R"(,"latency_ms":7)"));
  ASSERT_TRUE(back.follower->catch_up());
  const auto now = ModelOps::load(*back.state, "m").value();
  EXPECT_EQ(now.between(kStart, kStart + kMinute, *back.store).value().requests, 2);
  EXPECT_EQ(now.between(kStart, kStart + 40 * kMinute, *back.store).value().latency.quantile(1), 7);
}

}  // namespace
}  // namespace vigie::server
