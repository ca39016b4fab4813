// SPDX-License-Identifier: Apache-2.0
#include "notify/delivery.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "notify/example_test_internal.h"
#include "notify/schedule_internal.h"

namespace vigie::notify {
namespace {

constexpr std::int64_t kSecond = 1'000'000;

Item item(std::int64_t id, const std::string& to, const std::string& incident = "i") {
  Item out{.id = id, .target = to, .notice = notice()};
  out.notice.incident.id = incident;
  return out;
}

struct Fixture : testing::Test {
  std::vector<std::unique_ptr<Target>> targets;
  DeliveryOptions options;
  std::unique_ptr<Schedule> schedule;
  std::int64_t now = kTwo;

  Fixture() {
    targets.push_back(target("log(name=a, per_minute=60)"));
    targets.push_back(target("log(name=b, per_minute=6000)"));
    options.most_attempts = 3;
    schedule = std::make_unique<Schedule>(targets, options);
  }
  std::vector<std::int64_t> start() {
    std::vector<std::int64_t> out;
    for (const auto& s : schedule->start(now)) out.push_back(s.item.id);
    return out;
  }
  Schedule::End end(std::int64_t id, Outcome::Kind kind, std::int64_t retry_after = 0) {
    return schedule->ended(id, {kind, true, retry_after, "said so"}, now);
  }
};
using Ids = std::vector<std::int64_t>;
using enum Outcome::Kind;

TEST_F(Fixture, TargetsDoNotWaitForEachOther) {
  for (const auto& [id, to] : {std::pair{1, "a"}, {2, "a"}, {3, "b"}, {4, "b"}})
    EXPECT_TRUE(schedule->add(item(id, to)));
  EXPECT_FALSE(schedule->add(item(5, "c")));
  EXPECT_EQ(start(), (Ids{1, 3}));
  EXPECT_EQ(start(), Ids{});  // one at a time
  EXPECT_FALSE(schedule->next());
  end(3, kSent);
  now += kSecond / 10;
  EXPECT_EQ(start(), Ids{4});
}

TEST_F(Fixture, ARateIsKept) {
  for (const int id : {1, 2}) schedule->add(item(id, "a"));
  EXPECT_EQ(start(), Ids{1});
  end(1, kSent);
  EXPECT_EQ(start(), Ids{});
  EXPECT_EQ(schedule->next(), now + kSecond);
  now += kSecond;
  EXPECT_EQ(start(), Ids{2});
}

TEST_F(Fixture, NoticesOfAnIncidentStayInOrderAndOthersPass) {
  schedule->add(item(1, "b", "x")), schedule->add(item(2, "b", "x")), schedule->add(item(3, "b", "y"));
  EXPECT_EQ(start(), Ids{1});
  EXPECT_EQ(end(1, kLater).kind, Schedule::End::Kind::kLater);
  now += kSecond;
  EXPECT_EQ(start(), Ids{3});
  end(3, kSent);
  now += kSecond;
  EXPECT_EQ(start(), Ids{});  // 2 waits for 1
  now += 10 * kSecond;
  EXPECT_EQ(start(), Ids{1});
  end(1, kSent);
  now += kSecond;
  EXPECT_EQ(start(), Ids{2});
}

TEST_F(Fixture, WaitsDoubleAndThenItIsDead) {
  schedule->add(item(1, "a"));
  for (const std::int64_t most : {5, 10}) {
    ASSERT_EQ(start(), Ids{1});
    const auto later = end(1, kLater);
    EXPECT_EQ(later.kind, Schedule::End::Kind::kLater);
    EXPECT_GE(later.item.due, now + most * kSecond / 2);
    EXPECT_LE(later.item.due, now + most * kSecond);
    EXPECT_EQ(schedule->next(), later.item.due);
    EXPECT_EQ(schedule->states()[0].last_error, "said so");
    now = later.item.due;
  }
  ASSERT_EQ(start(), Ids{1});
  const auto dead = end(1, kLater);
  EXPECT_EQ(dead.kind, Schedule::End::Kind::kDead);
  EXPECT_EQ(dead.why, "said so, given up after 3 attempts");
  EXPECT_FALSE(schedule->next());
  EXPECT_EQ(schedule->states()[0].dead, 1);
}

TEST_F(Fixture, ARefusalIsDeadAtOnce) {
  schedule->add(item(1, "a"));
  start();
  EXPECT_EQ(end(1, kRefused).kind, Schedule::End::Kind::kDead);
}

TEST_F(Fixture, WhoAsksToBeLeftAloneIs) {
  schedule->add(item(1, "b", "x")), schedule->add(item(2, "b", "y"));
  start();
  EXPECT_EQ(end(1, kLater, 60 * kSecond).item.due, now + 60 * kSecond);
  now += 59 * kSecond;
  EXPECT_EQ(start(), Ids{});
  now += kSecond;
  EXPECT_EQ(start(), Ids{2});  // the one that is due for longer
}

TEST_F(Fixture, AClockPutBackKeepsNobodyWaiting) {
  schedule->add(item(1, "a"));
  start();
  const auto due = end(1, kLater).item.due - now;
  now -= 24 * kHour;
  EXPECT_EQ(start(), Ids{});
  EXPECT_EQ(schedule->next(), now + due);
}

// Keeps what is told of items, and lets a test wait for it.
class Memory : public Outbox {
 public:
  Result<std::vector<Item>> pending(std::int64_t after) override {
    const std::lock_guard lock(mutex_);
    ++asked;
    if (failing) return fail(failure, "disk is full");
    std::vector<Item> out;
    for (const auto& [id, each] : items)
      if (id > after) out.push_back(each);
    return out;
  }
  Status sent(const Item& i, std::string_view) override { return done(i, "sent"); }
  Status dead(const Item& i, std::string_view why) override { return done(i, "dead: " + std::string(why)); }
  Status later(const Item& i, std::string_view) override {
    const std::lock_guard lock(mutex_);
    items[i.id] = i;
    told_.notify_all();
    return {};
  }
  void add(Item i) {
    const std::lock_guard lock(mutex_);
    items[i.id] = std::move(i);
  }
  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return told_.wait_for(lock, std::chrono::seconds(60), condition);
  }
  std::map<std::int64_t, Item> items;
  std::map<std::int64_t, std::string> ends;
  std::atomic<bool> failing{false};
  Code failure = Code::kIo;
  std::atomic<int> asked{0};

 private:
  Status done(const Item& i, std::string how) {
    const std::lock_guard lock(mutex_);
    items.erase(i.id);
    ends[i.id] = std::move(how);
    told_.notify_all();
    return {};
  }
  std::mutex mutex_;
  std::condition_variable told_;
};

struct Clock {
  std::atomic<std::int64_t> now{kTwo};
};

TEST(Delivery, SendsWhatThereIsAndWhatComes) {
  Memory outbox;
  std::mutex mutex;
  std::vector<std::string> lines;
  DeliveryOptions options;
  options.log = [&](const std::string& line) {
    const std::lock_guard lock(mutex);
    lines.push_back(line);
  };
  outbox.add(item(1, "log")), outbox.add(item(2, "gone"));
  std::vector<std::unique_ptr<Target>> targets;
  targets.push_back(target("log(per_minute=6000)"));
  const auto delivery = Delivery::start(outbox, std::move(targets), options);
  ASSERT_TRUE(delivery) << delivery.error().message;
  ASSERT_TRUE(outbox.wait([&] { return outbox.ends.size() == 2; }));
  outbox.add(item(3, "log"));
  (*delivery)->wake();
  ASSERT_TRUE(outbox.wait([&] { return outbox.ends.size() == 3; }));
  EXPECT_EQ(outbox.ends[1], "sent");
  EXPECT_EQ(outbox.ends[2], "dead: there is no target of that name");
  EXPECT_EQ(outbox.ends[3], "sent");
  EXPECT_EQ((*delivery)->states()[0].sent, 2);
  EXPECT_EQ((*delivery)->states()[0].waiting, 0);
  const std::lock_guard lock(mutex);
  EXPECT_EQ(lines.size(), 3U);
}

TEST(Delivery, KeepsWhatReachesNobodyAndShowsNoSecret) {
  Memory outbox;
  Clock clock;
  DeliveryOptions options;
  std::mutex mutex;
  std::string log;
  options.now = [&] { return clock.now.load(); };
  options.log = [&](const std::string& line) {
    const std::lock_guard lock(mutex);
    log += line + "\n";
  };
  options.most_attempts = 2;
  outbox.add(item(1, "slack"));
  std::vector<std::unique_ptr<Target>> targets;
  targets.push_back(target("slack(url=http://127.0.0.1:9/hush)"));
  const auto delivery = Delivery::start(outbox, std::move(targets), options);
  ASSERT_TRUE(delivery) << delivery.error().message;
  ASSERT_TRUE(outbox.wait([&] { return outbox.items[1].attempts == 1; }));
  EXPECT_EQ((*delivery)->targets().size(), 1U);
  clock.now += 10 * kSecond;
  (*delivery)->wake();
  ASSERT_TRUE(outbox.wait([&] { return outbox.ends.contains(1); }));
  EXPECT_TRUE(outbox.ends[1].starts_with("dead: http://127.0.0.1:9: ")) << outbox.ends[1];
  const std::lock_guard lock(mutex);
  EXPECT_EQ(log.find("hush"), std::string::npos) << log;
}

TEST(Delivery, GoesOnOnceTheOutboxCanBeRead) {
  Memory outbox;
  Clock clock;
  outbox.failing = true;
  DeliveryOptions options;
  options.now = [&] { return clock.now.load(); };
  options.log = [&](const std::string& line) { outbox.failing = line.find("disk is full") == std::string::npos; };
  outbox.add(item(1, "log"));
  std::vector<std::unique_ptr<Target>> targets;
  targets.push_back(target("log()"));
  const auto delivery = Delivery::start(outbox, std::move(targets), options);
  ASSERT_TRUE(delivery);
  while (outbox.failing) std::this_thread::yield();
  clock.now += 5 * kSecond;
  (*delivery)->wake();
  EXPECT_TRUE(outbox.wait([&] { return outbox.ends.contains(1); }));
}

// Once until it can be read again; and not at all, where somebody else does.
TEST(Delivery, SaysOnceThatTheOutboxCannotBeRead) {
  for (const auto& [failure, said] : {std::pair{Code::kIo, 2}, {Code::kUnavailable, 0}}) {
    Memory outbox;
    Clock clock;
    outbox.failure = failure;
    std::atomic<int> lines = 0;
    DeliveryOptions options;
    options.now = [&] { return clock.now.load(); };
    options.log = [&](const std::string& line) { lines += line.find("cannot be read") != std::string::npos; };
    outbox.failing = true;
    const auto delivery = Delivery::start(outbox, {}, options);
    ASSERT_TRUE(delivery);
    for (const bool fails : {true, true, false, true}) {
      outbox.failing = fails;
      for (const int before = outbox.asked; outbox.asked < before + 2; std::this_thread::yield())
        clock.now += 5 * kSecond, (*delivery)->wake();
    }
    EXPECT_EQ(lines, said);
  }
}

TEST(Delivery, NamesAreNotGivenTwice) {
  Memory outbox;
  std::vector<std::unique_ptr<Target>> targets;
  targets.push_back(target("log()"));
  targets.push_back(target("log()"));
  const auto delivery = Delivery::start(outbox, std::move(targets), {});
  ASSERT_FALSE(delivery);
  EXPECT_EQ(delivery.error().message, "log: two targets of that name; give one another with name=");
}

}  // namespace
}  // namespace vigie::notify
