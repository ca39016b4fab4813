// SPDX-License-Identifier: Apache-2.0
#include "elastic/shipper.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "elastic/documents.h"

namespace vigie::elastic {
namespace {

constexpr std::int64_t kSecond = 1'000'000;

struct Course {
  explicit Course(ShipperOptions options = {}) : shipper(options, 1) {}

  void add(int from, int to) {
    for (int i = from; i < to; ++i)
      shipper.add({"id" + std::to_string(i), "logs", R"({"a":1})", {}, 0, static_cast<std::uint64_t>(i)});
  }
  std::vector<Shipper::Order> orders(bool all = true) {
    std::vector<Shipper::Order> out;
    while (auto order = shipper.next(now, all)) out.push_back(*order);
    return out;
  }
  static Outcome items(const Shipper::Order& order, const std::function<Told(const std::string& id)>& told) {
    Outcome out{Whole::kItems, {}, {}, 0};
    for (const auto& item : order.bulk->items()) out.items.push_back(told(item.id));
    return out;
  }
  static Outcome stored(const Shipper::Order& order) {
    return items(order, [](const auto&) { return Told{Fate::kStored, 201}; });
  }
  static std::vector<std::string> ids(const Shipper::Order& order) {
    std::vector<std::string> out;
    for (const auto& item : order.bulk->items()) out.push_back(item.id);
    return out;
  }
  // Goes on until nothing is left, a minute at most each.
  void finish() {
    for (int turns = 0; turns < 200 && !shipper.empty(); ++turns) {
      for (const auto& order : orders()) shipper.settle(order.id, stored(order), now);
      now += kSecond * 60;
    }
  }

  Shipper shipper;
  std::int64_t now = 5 * kSecond;
};

TEST(Shipper, SendsWhatIsFull) {
  Course c({.most_documents = 10});
  c.add(0, 25);
  EXPECT_TRUE(c.shipper.full());
  const auto sent = c.orders(false);
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].bulk->items().size(), 10U);
  EXPECT_FALSE(c.shipper.full());
  for (const auto& order : sent) c.shipper.settle(order.id, Course::stored(order), c.now);
  EXPECT_TRUE(c.orders(false).empty());
  EXPECT_EQ(c.shipper.left(), 5);
  c.finish();
  EXPECT_EQ(c.shipper.counts().stored, 25);
  EXPECT_EQ(c.shipper.counts().again, 0);
}

TEST(Shipper, BytesCountBeforeTheyArePacked) {
  Course c({.most_bytes = 1000});
  const std::string source = "{\"a\":\"" + std::string(300, 'x') + "\"}";
  for (int i = 0; i < 6; ++i) c.shipper.add({"id" + std::to_string(i), "logs", source});
  EXPECT_EQ(c.orders(false).size(), 2U);
}

TEST(Shipper, OnlyBusyItemsGoAgainWithTheSameId) {
  Course c;
  c.add(0, 4);
  const auto first = c.orders().at(0);
  c.shipper.settle(first.id,
                   Course::items(first,
                                 [](const auto& id) {
                                   return id == "id1" || id == "id3" ? Told{Fate::kAgain, 429, "rejected", "queue"}
                                                                     : Told{Fate::kStored, 201};
                                 }),
                   c.now);
  EXPECT_TRUE(c.orders().empty());
  EXPECT_EQ(c.shipper.trouble(), "429: rejected: queue");
  const auto due = c.shipper.due().value();
  EXPECT_GE(due, c.now + 50'000);
  EXPECT_LE(due, c.now + 100'000);
  c.now = due;
  const auto second = c.orders().at(0);
  EXPECT_EQ(Course::ids(second), (std::vector<std::string>{"id1", "id3"}));
  c.shipper.settle(
      second.id,
      Course::items(second, [](const auto& id) { return Told{id == "id1" ? Fate::kThere : Fate::kStored, 409}; }),
      c.now);
  EXPECT_TRUE(c.shipper.empty());
  EXPECT_EQ(c.shipper.counts().stored, 3);
  EXPECT_EQ(c.shipper.counts().there, 1);
  EXPECT_EQ(c.shipper.counts().again, 2);
  EXPECT_EQ(c.shipper.trouble(), "");
}

// A node with little room takes some of them each time: the others need not wait longer and longer.
TEST(Shipper, OnceSomeAreTakenTheOthersComeSoonAgain) {
  Course c;
  c.add(0, 4);
  std::int64_t wait = 0;
  for (int i = 0; i < 8; ++i) {
    const auto order = c.orders().at(0);
    c.shipper.settle(order.id, Course::items(order, [](const auto&) { return Told{Fate::kAgain, 429}; }), c.now);
    wait = c.shipper.due().value() - c.now;
    c.now += wait;
  }
  EXPECT_GE(wait, 100'000 << 6);
  for (const auto* taken : {"id0", "id1", "id2", "id3"}) {
    const auto order = c.orders().at(0);
    c.shipper.settle(
        order.id,
        Course::items(order,
                      [&](const auto& id) { return id == taken ? Told{Fate::kStored, 201} : Told{Fate::kAgain, 429}; }),
        c.now);
    wait = c.shipper.due().value_or(c.now) - c.now;
    EXPECT_LE(wait, 100'000) << taken;
    c.now += wait;
  }
  EXPECT_EQ(c.shipper.counts().stored, 4);
  EXPECT_TRUE(c.shipper.empty());
}

TEST(Shipper, RejectedOnesAreHandedOver) {
  Course c;
  c.add(0, 2);
  const auto order = c.orders().at(0);
  c.shipper.settle(order.id,
                   Course::items(order,
                                 [](const auto& id) {
                                   return id == "id1"
                                              ? Told{Fate::kRejected, 400, "mapper_parsing_exception", "no number"}
                                              : Told{Fate::kDiverted, 201};
                                 }),
                   c.now);
  const auto rejected = c.shipper.take_rejected();
  ASSERT_EQ(rejected.size(), 1U);
  EXPECT_EQ(rejected[0].id, "id1");
  EXPECT_EQ(rejected[0].number, 1U);
  EXPECT_EQ(rejected[0].source, R"({"a":1})");
  EXPECT_EQ(rejected[0].reason, "no number");
  EXPECT_TRUE(c.shipper.take_rejected().empty());
  EXPECT_TRUE(c.shipper.empty());
  EXPECT_EQ(c.shipper.counts().settled(), 2);
}

TEST(Shipper, WhatIsTooLargeIsHalved) {
  Course c;
  c.add(0, 5);
  std::set<std::string> stored;
  for (int turns = 0; turns < 30 && !c.shipper.empty(); ++turns)
    for (const auto& order : c.orders()) {
      const auto ids = Course::ids(order);
      // One of them is too large by itself.
      const bool bad = std::find(ids.begin(), ids.end(), "id3") != ids.end();
      if (bad || ids.size() > 2) {
        c.shipper.settle(order.id, {Whole::kHalve, {}, "413", 0}, c.now);
        continue;
      }
      stored.insert(ids.begin(), ids.end());
      c.shipper.settle(order.id, Course::stored(order), c.now);
    }
  EXPECT_EQ(stored, (std::set<std::string>{"id0", "id1", "id2", "id4"}));
  const auto rejected = c.shipper.take_rejected();
  ASSERT_EQ(rejected.size(), 1U);
  EXPECT_EQ(rejected[0].id, "id3");
  EXPECT_EQ(rejected[0].status, 413U);
  EXPECT_EQ(rejected[0].reason, "it alone is too large for a request");
}

// A node that never has room for a request so large says 429 of it, as often as it comes.
TEST(Shipper, WhatIsRefusedAgainAndAgainIsHalved) {
  Course c;
  c.add(0, 8);
  int requests = 0;
  while (requests < 200 && !c.shipper.empty()) {
    for (const auto& order : c.orders()) {
      ++requests;
      if (order.bulk->items().size() > 2)
        c.shipper.settle(order.id, {Whole::kAgain, {}, "429: no room", 0, 429}, c.now);
      else
        c.shipper.settle(order.id, Course::stored(order), c.now);
    }
    c.now = std::max(c.now, c.shipper.due().value_or(c.now));
  }
  EXPECT_EQ(c.shipper.counts().stored, 8);
  EXPECT_EQ(requests, 5 + 2 * 5 + 4);
  // What fails for other reasons stays as it is.
  c.add(8, 10);
  for (int i = 0; i < 20; ++i) {
    const auto order = c.orders().at(0);
    EXPECT_EQ(order.bulk->items().size(), 2U);
    c.shipper.settle(order.id, {Whole::kAgain, {}, "503", 0, 503}, c.now);
    c.now = c.shipper.due().value();
  }
}

// As a proxy does that knows no bulk requests: they are not to end in a file of what was rejected.
TEST(Shipper, WhoRefusesEachDocumentAloneStopsIt) {
  Course c;
  c.add(0, 1000);
  for (int turns = 0; turns < 5000 && c.shipper.stopped().empty(); ++turns)
    for (const auto& order : c.orders())
      c.shipper.settle(order.id, {Whole::kHalve, {}, "400: no such thing", 0}, c.now);
  EXPECT_EQ(c.shipper.stopped(),
            "20 requests of one document each were refused, and none was taken: 400: no such thing");
  EXPECT_EQ(c.shipper.take_rejected().size(), 20U);
  EXPECT_EQ(c.shipper.left(), 980);
}

TEST(Shipper, AFailingNodeIsLeftAloneLongerEachTime) {
  Course c;
  c.add(0, 3);
  std::int64_t longest = 0;
  for (int i = 0; i < 15; ++i) {
    const auto order = c.orders().at(0);
    c.shipper.settle(order.id, {Whole::kAgain, {}, "503", 0}, c.now);
    EXPECT_TRUE(c.orders().empty());
    const auto wait = c.shipper.due().value() - c.now;
    const auto most = std::min<std::int64_t>(100'000LL << i, 60 * kSecond);
    EXPECT_GE(wait, most / 2) << i;
    EXPECT_LE(wait, most) << i;
    longest = std::max(longest, wait);
    c.now += wait;
  }
  EXPECT_GT(longest, 30 * kSecond);
  // Once it takes something, it is as at first.
  const auto order = c.orders().at(0);
  c.shipper.settle(order.id, Course::stored(order), c.now);
  c.add(3, 4);
  const auto next = c.orders().at(0);
  c.shipper.settle(next.id, {Whole::kAgain, {}, "503", 0}, c.now);
  EXPECT_LE(c.shipper.due().value() - c.now, 100'000);
  c.finish();
  EXPECT_EQ(c.shipper.counts().stored, 4);
}

TEST(Shipper, RetryAfterIsHeeded) {
  Course c;
  c.add(0, 1);
  const auto order = c.orders().at(0);
  c.shipper.settle(order.id, {Whole::kAgain, {}, "429", 7}, c.now);
  EXPECT_EQ(c.shipper.due().value(), c.now + 7 * kSecond);
}

TEST(Shipper, ABusyServerGetsFewerRequests) {
  Course c({.most_documents = 1, .most_requests = 4});
  const auto under_way = [&] {
    c.add(0, 8);
    const auto sent = c.orders();
    for (const auto& order : sent) c.shipper.settle(order.id, Course::stored(order), c.now);
    return sent.size();
  };
  EXPECT_EQ(under_way(), 2U);
  for (int i = 0; i < 10; ++i) under_way();
  EXPECT_EQ(under_way(), 4U);
  c.finish();
  c.add(0, 1);
  const auto order = c.orders().at(0);
  c.shipper.settle(order.id, Course::items(order, [](const auto&) { return Told{Fate::kAgain, 429}; }), c.now);
  c.add(1, 9);
  EXPECT_EQ(c.orders().size(), 2U);
}

TEST(Shipper, OtherNodesTakeOver) {
  Course c({.nodes = 3, .most_documents = 1});
  c.add(0, 3);
  auto sent = c.orders();
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_EQ((std::set<std::size_t>{sent[0].node, sent[1].node, sent[2].node}), (std::set<std::size_t>{0, 1, 2}));
  c.shipper.settle(sent[1].id, {Whole::kAgain, {}, "refused", 0}, c.now);
  const auto again = c.orders();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_NE(again[0].node, sent[1].node);
  EXPECT_EQ(Course::ids(again[0]), Course::ids(sent[1]));
}

TEST(Shipper, WhoMayNotStopsAndLosesNothing) {
  for (const auto whole : {Whole::kForbidden, Whole::kRefused}) {
    Course c({.most_documents = 2});
    c.add(0, 5);
    const auto sent = c.orders();
    c.shipper.settle(sent[0].id, {whole, {}, "401: no", 0}, c.now);
    EXPECT_EQ(c.shipper.stopped(), "401: no");
    EXPECT_TRUE(c.orders().empty());
    EXPECT_EQ(c.shipper.left(), 5);
    EXPECT_EQ(c.shipper.counts().settled(), 0);
  }
}

TEST(Shipper, ABlockIsTriedSlowly) {
  Course c;
  c.add(0, 2);
  auto order = c.orders().at(0);
  c.shipper.settle(order.id,
                   Course::items(order,
                                 [](const auto& id) {
                                   return id == "id0"
                                              ? Told{Fate::kBlocked, 403, "cluster_block_exception", "flood-stage"}
                                              : Told{Fate::kStored, 201};
                                 }),
                   c.now);
  EXPECT_EQ(c.shipper.trouble(), "403: cluster_block_exception: flood-stage");
  EXPECT_GE(c.shipper.due().value() - c.now, 5 * kSecond / 2);
  // Others are kept from nothing by it.
  c.add(2, 3);
  order = c.orders().at(0);
  EXPECT_EQ(Course::ids(order), std::vector<std::string>{"id2"});
  c.shipper.settle(order.id, Course::stored(order), c.now);
  c.now += 5 * kSecond;
  order = c.orders().at(0);
  EXPECT_EQ(Course::ids(order), std::vector<std::string>{"id0"});
  c.shipper.settle(order.id, Course::stored(order), c.now);
  EXPECT_TRUE(c.shipper.empty());
}

Told told_of(const Shipper::Order& order, std::size_t item) {
  const bool blocked = order.bulk->action(item).find("\"closed\"") != std::string_view::npos;
  return blocked ? Told{Fate::kBlocked, 403, "cluster_block_exception", "closed"} : Told{Fate::kStored, 201};
}

// However much of one index waits, all of another one goes; and once there is room for it, all of the first.
TEST(Shipper, ABlockedIndexKeepsNoOthersBack) {
  Course c({.most_documents = 10, .most_blocked = 20'000});
  std::int64_t added = 0, others = 0;
  const auto turn = [&](bool blocked) {
    while (auto order = c.shipper.next(c.now, false)) {
      Outcome out{Whole::kItems, {}, {}, 0};
      for (std::size_t i = 0; i < order->bulk->items().size(); ++i)
        out.items.push_back(blocked ? told_of(*order, i) : Told{Fate::kStored, 201});
      c.shipper.settle(order->id, out, c.now);
    }
  };
  for (; added < 400; ++added) {
    ASSERT_FALSE(c.shipper.full()) << added;
    const bool closed = added % 2 == 0;
    others += !closed;
    c.shipper.add({"id" + std::to_string(added), closed ? "closed" : "open", R"({"a":1})"});
    turn(true);
  }
  EXPECT_EQ(c.shipper.counts().stored, others);
  EXPECT_EQ(c.shipper.blocked(), added - others);
  EXPECT_EQ(c.shipper.left(), c.shipper.blocked());
  EXPECT_EQ(c.shipper.trouble(), "403: cluster_block_exception: closed");
  // Of these there is an end.
  for (; !c.shipper.full() && added < 10'000; ++added)
    c.shipper.add({"id" + std::to_string(added), "closed", R"({"a":1})"}), turn(true);
  EXPECT_GT(added, 450);
  EXPECT_LT(added, 1'000);
  // They are put together, and not asked for one by one.
  const auto fewest = (c.shipper.blocked() + 9) / 10;
  c.now += 60 * kSecond;
  std::int64_t requests = 0;
  for (auto sent = c.orders(false); !sent.empty(); sent = c.orders(false))
    for (const auto& order : sent) c.shipper.settle(order.id, Course::stored(order), c.now), ++requests;
  EXPECT_EQ(requests, fewest);
  EXPECT_EQ(c.shipper.blocked(), 0);
  EXPECT_EQ(c.shipper.trouble(), "");
}

TEST(Shipper, TroubleEndsWithWhatItWasOf) {
  Course c;
  c.add(0, 1);
  auto order = c.orders().at(0);
  c.shipper.settle(order.id, {Whole::kAgain, {}, "http://es: refused", 0}, c.now);
  EXPECT_EQ(c.shipper.trouble(), "http://es: refused");
  EXPECT_TRUE(c.shipper.away());
  // It is not asked again at once, but when it is known to be back.
  EXPECT_TRUE(c.orders().empty());
  c.shipper.retry(c.now);
  order = c.orders().at(0);
  c.shipper.settle(order.id, {Whole::kHalve, {}, "413", 0, 413}, c.now);
  EXPECT_TRUE(c.shipper.empty());
  EXPECT_EQ(c.shipper.trouble(), "");
  EXPECT_FALSE(c.shipper.away());
  // Who is busy has said so, and is left alone.
  c.add(1, 2);
  order = c.orders().at(0);
  c.shipper.settle(order.id, {Whole::kAgain, {}, "429", 0, 429}, c.now);
  c.shipper.retry(c.now);
  EXPECT_TRUE(c.orders().empty());
}

TEST(Rejects, SayWhenTheFileIsFull) {
  const auto path = std::filesystem::temp_directory_path() / ("vigie-rejects-" + std::to_string(::getpid()));
  Rejects rejects(path, 300);
  const std::vector<Shipper::Rejected> one{{"id", "{}", R"({"a":1})", 0, 1, 400, "t", "r"}};
  ASSERT_TRUE(rejects.add(one, {"f"}));
  EXPECT_FALSE(rejects.full());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(rejects.add(one, {"f"}));
  EXPECT_TRUE(rejects.full());
  EXPECT_LE(std::filesystem::file_size(path), 300U);
  std::filesystem::remove(path);
}

TEST(Shipper, AnIdThatCannotBeOneIsRejectedAlone) {
  Course c;
  c.add(0, 2);
  c.shipper.add({std::string(513, 'x'), "logs", "{}"});
  c.add(2, 3);
  const auto rejected = c.shipper.take_rejected();
  ASSERT_EQ(rejected.size(), 1U);
  EXPECT_EQ(rejected[0].reason, "an id of 513 bytes, 512 are the most");
  EXPECT_EQ(Course::ids(c.orders().at(0)), (std::vector<std::string>{"id0", "id1", "id2"}));
}

// Whatever comes: each document is settled once, and none is left.
TEST(Shipper, NothingIsLostOrDoubledInAnyCourse) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Rng rng(seed);
    Shipper shipper({.nodes = 1 + rng.below(3), .most_documents = 1 + rng.below(20)}, seed);
    std::map<std::string, int> stored;
    std::int64_t now = 0, added = 0, total = 200;
    std::vector<Shipper::Order> under_way;
    std::set<std::string> rejected;
    for (int turns = 0; turns < 100'000 && (added < total || !shipper.empty()); ++turns) {
      while (added < total && !shipper.full()) shipper.add({"id" + std::to_string(added++), "logs", "{}"});
      while (auto order = shipper.next(now, added == total)) under_way.push_back(*order);
      now += static_cast<std::int64_t>(rng.below(500'000));
      if (under_way.empty()) continue;
      const auto at = rng.below(under_way.size());
      const auto order = under_way[at];
      under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(at));
      const auto dice = rng.below(10);
      if (dice < 3) {
        // Lost on the way back: it was stored all the same.
        if (dice == 0)
          for (const auto& item : order.bulk->items()) stored[item.id] |= 1;
        shipper.settle(order.id, {Whole::kAgain, {}, "reset", 0}, now);
      } else if (dice == 3 && order.bulk->items().size() > 1) {
        shipper.settle(order.id, {Whole::kHalve, {}, "413", 0}, now);
      } else {
        shipper.settle(order.id,
                       Course::items(order,
                                     [&](const std::string& id) {
                                       if (stored[id] != 0) return Told{Fate::kThere, 409};
                                       const auto one = rng.below(10);
                                       if (one < 3) return Told{one == 0 ? Fate::kBlocked : Fate::kAgain, 429};
                                       if (one == 3) return Told{Fate::kRejected, 400};
                                       stored[id] = 1;
                                       return Told{Fate::kStored, 201};
                                     }),
                       now);
      }
      for (const auto& r : shipper.take_rejected()) EXPECT_TRUE(rejected.insert(r.id).second);
    }
    EXPECT_TRUE(shipper.empty()) << seed;
    EXPECT_EQ(shipper.counts().settled(), total) << seed;
    EXPECT_EQ(shipper.left(), 0);
    for (std::int64_t i = 0; i < total; ++i) {
      const auto id = "id" + std::to_string(i);
      EXPECT_EQ(stored[id] + static_cast<int>(rejected.contains(id)), 1) << seed << " " << id;
    }
  }
}

}  // namespace
}  // namespace vigie::elastic
