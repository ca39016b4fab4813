// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

#include "elastic/session.h"
#include "store/elastic.h"
#include "store/exchange.h"

namespace vigie::store {
namespace {

struct Folder {
  std::string path;
  Folder() {
    const char* tmp = std::getenv("TMPDIR");
    path = fmt::format("{}/vigie-store-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(path.data())) std::abort();
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

// Each store there is: a cluster is one that the environment names, as tests/service/store_nodes.py does.
class Stores : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (GetParam() == std::string("elastic") && !std::getenv("VIGIE_TEST_ELASTIC")) GTEST_SKIP() << "no cluster";
  }
  // The same one again, as after a start anew.
  std::unique_ptr<Store> open(std::function<std::int64_t()> now = {}) const {
    if (GetParam() == std::string("sqlite"))
      return open_sqlite(folder_.path + "/results.sqlite", {.now = std::move(now)}).value();
    return open_elastic({target(), "a", std::move(now)}).value();
  }
  elastic::Target target() const {
    auto name = folder_.path.substr(folder_.path.rfind('-') + 1);
    for (auto& c : name) c = static_cast<char>(std::tolower(c));
    elastic::Target out;
    if (const char* node = std::getenv("VIGIE_TEST_ELASTIC")) out.nodes = {node};
    out.prefix = "vigie-" + name;
    return out;
  }

 private:
  Folder folder_;
};
INSTANTIATE_TEST_SUITE_P(All, Stores, testing::Values("sqlite", "elastic"),
                         [](const auto& one) { return std::string(one.param); });
using Elastic = Stores;
INSTANTIATE_TEST_SUITE_P(Only, Elastic, testing::Values("elastic"));

Window window(const std::string& model, std::int64_t start, const std::string& verdict = "ok") {
  return {model, start, start + 10, std::to_string(start), verdict, fmt::format("{{\"start\":{}}}", start)};
}

std::string keys(const Store& store, const WindowQuery& query) {
  std::string out;
  const auto found = store.windows(query).value();
  for (const auto& w : found) out += w.key + w.verdict[0] + " ";
  return out;
}

TEST_P(Stores, KeepsWindowsAndReplacesThoseThatComeAgain) {
  {
    auto store = open();
    const Window some[] = {window("m", 20), window("m", 0), window("m", 10), window("n", 0, "drift")};
    ASSERT_TRUE(store->put(some));
    const Window again[] = {window("m", 10, "warning")};
    ASSERT_TRUE(store->put(again));
  }
  const auto store = open();
  EXPECT_EQ(keys(*store, {.model = "m"}), "0o 10w 20o ");
  EXPECT_EQ(keys(*store, {.model = "m", .from = 10, .to = 20}), "10w ");
  EXPECT_EQ(keys(*store, {.model = "m", .from = 9}), "0o 10w 20o ");
  EXPECT_EQ(keys(*store, {.model = "m", .most = 2}), "0o 10w ");
  EXPECT_EQ(keys(*store, {.model = "m", .most = 2, .after = "10"}), "20o ");
  EXPECT_EQ(keys(*store, {.model = "n"}), "0d ");
  EXPECT_EQ(keys(*store, {.model = "o"}), "");
  const auto last = store->latest("m", 2).value();
  ASSERT_EQ(last.size(), 2U);
  EXPECT_EQ(last[0].key + last[0].verdict + last[1].key, "10warning20");
  EXPECT_EQ(store->windows({.model = "n"}).value()[0], window("n", 0, "drift"));
}

TEST_P(Stores, KeepsTheScoreOfAWindowThatComesAgain) {
  const auto store = open();
  const Window some[] = {window("m", 0)};
  ASSERT_TRUE(store->put(some));
  const Score scores[] = {{"m", "0", "drift", "{\"n\":1}"}, {"m", "9", "ok", "{}"}};
  ASSERT_TRUE(store->put(scores));
  ASSERT_TRUE(store->put(some));
  const auto found = store->windows({.model = "m"}).value();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].score_verdict, "drift");
  EXPECT_EQ(found[0].score, "{\"n\":1}");
}

TEST_P(Stores, KeepsIncidentsAndWhatIsToBeToldOnceForEachTarget) {
  auto store = open();
  std::vector<event::Incident> incidents(3);
  for (int i = 0; i < 3; ++i) {
    auto& incident = incidents[static_cast<std::size_t>(i)];
    incident.id = std::to_string(i), incident.model = i < 2 ? "m" : "n", incident.since = 1'700'000'000'000'000 + i;
    incident.notices = 1;
  }
  const event::Notice notice{event::Notice::Kind::kOpened, incidents[0]};
  const Outgoing told[] = {{.target = "slack", .notice = notice}, {.target = "mail", .notice = notice}};
  for (int again = 0; again < 2; ++again) ASSERT_TRUE(store->put(incidents, told, {}));
  incidents[1].state = event::Incident::State::kResolved;
  ASSERT_TRUE(store->put(std::span(incidents).subspan(1, 1), {}, {}));
  const auto ids = [&](const IncidentQuery& query) {
    std::string out;
    const auto found = store->incidents(query).value();
    for (const auto& i : found) out += i.id;
    return out;
  };
  EXPECT_EQ(ids({}), "210");
  EXPECT_EQ(ids({.most = 2}), "21");
  EXPECT_EQ(ids({.after = "1"}), "0");
  EXPECT_EQ(ids({.model = "m"}), "10");
  EXPECT_EQ(ids({.state = event::Incident::State::kOpen}), "20");
  EXPECT_EQ(ids({.unresolved = true}), "20");
  EXPECT_EQ(store->incident("1").value(), incidents[1]);
  EXPECT_FALSE(store->incident("7").value());
  // Behind one that is not there any more are those that began before it.
  EXPECT_EQ(ids({.after = "m-20231114T221320Z"}), "0");
  EXPECT_EQ(ids({.after = "m-20231114T221321Z"}), "210");
  EXPECT_EQ(ids({.after = "m-20231114T221319Z"}), "");
  EXPECT_EQ(ids({.after = "never"}), "");

  auto out = store->outgoing(0).value();
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out[0].target, "slack");
  EXPECT_EQ(out[0].notice.incident, incidents[0]);
  EXPECT_EQ(store->outgoing(out[0].id).value().size(), 1U);
  ASSERT_TRUE(store->settle(out[0], Store::Fate::kSent, "", {}));
  out[1].attempts = 2, out[1].due = 5;
  ASSERT_TRUE(store->settle(out[1], Store::Fate::kWaiting, "500", {}));
  ASSERT_TRUE(store->put(incidents, told, {}));  // it was
  store = open();
  out = store->outgoing(0).value();
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].attempts, 2);
  EXPECT_EQ(out[0].due, 5);
}

TEST_P(Stores, WhatWasGivenUpIsToldAgainWhenSomebodyWantsIt) {
  auto store = open();
  event::Incident incident;
  incident.id = "m-1", incident.model = "m", incident.notices = 1;
  const event::Notice notice{event::Notice::Kind::kOpened, incident};
  const Outgoing told[] = {
      {.target = "a", .notice = notice}, {.target = "b", .notice = notice}, {.target = "c", .notice = notice}};
  ASSERT_TRUE(store->put(std::span(&incident, 1), told, {}));
  auto out = store->outgoing(0).value();
  ASSERT_EQ(out.size(), 3U);
  using enum Store::Fate;
  ASSERT_TRUE(store->settle(out[0], kSent, "200", {}));
  out[1].attempts = 7, out[1].due = 1'700'000'000'000'000;
  ASSERT_TRUE(store->settle(out[1], kGivenUp, "404", {}));
  store = open();
  const auto listed = [&](std::optional<Store::Fate> fate, std::int64_t below, std::size_t most) {
    std::string all;
    const auto found = store->notices(fate, below, most).value();
    for (const auto& one : found) all += fmt::format("{}{}{} ", one.item.target, static_cast<int>(one.fate), one.why);
    return all;
  };
  constexpr auto kAll = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(listed({}, kAll, 10), "c0 b2404 a1200 ");
  EXPECT_EQ(listed({}, kAll, 1), "c0 ");
  EXPECT_EQ(listed({}, out[2].id, 10), "b2404 a1200 ");
  EXPECT_EQ(listed(kGivenUp, kAll, 10), "b2404 ");
  const auto dead = store->notices(kGivenUp, kAll, 1).value().at(0).item;
  EXPECT_EQ(dead.id, out[1].id);
  EXPECT_EQ(dead.attempts, 7);
  EXPECT_EQ(dead.due, 1'700'000'000'000'000);
  EXPECT_EQ(dead.notice.incident, incident);

  const event::AuditEntry entry{.time = 1, .happened = event::Happened::kNoticeResent, .model = "m", .key = "resent"};
  for (const auto id : {out[0].id, out[2].id, kAll}) EXPECT_FALSE(store->resend(id, std::span(&entry, 1)).value());
  EXPECT_EQ(store->check_audit().value().last, 0);
  EXPECT_TRUE(store->resend(dead.id, std::span(&entry, 1)).value());
  EXPECT_FALSE(store->resend(dead.id, std::span(&entry, 1)).value());
  EXPECT_EQ(store->last_audit().value()->happened, event::Happened::kNoticeResent);
  // Who read all there was finds it, as one that was never tried.
  const auto again = store->outgoing(out[2].id).value();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].target, "b");
  EXPECT_EQ(again[0].attempts + again[0].due, 0);
  EXPECT_EQ(listed({}, kAll, 10), "b0 c0 a1200 ");
  ASSERT_TRUE(store->put(std::span(&incident, 1), told, {}));  // it was
  EXPECT_EQ(store->notices({}, kAll, 10).value().size(), 3U);
}

TEST_P(Stores, KeepsOpsByTheMinuteInParts) {
  auto store = open();
  const std::string bytes("a\0b", 3);
  const OpsPane some[] = {
      {"model/m", 60, 2, "late"}, {"model/m", 0, 0, bytes}, {"model/m", 60, 1, "x"}, {"host", 60, 0, "h"}};
  ASSERT_TRUE(store->put(some));
  const OpsPane again[] = {{"model/m", 60, 1, "y"}};
  ASSERT_TRUE(store->put(again));
  store = open();
  const auto found = store->ops({.source = "model/m"}).value();
  EXPECT_EQ(found, (std::vector<OpsPane>{{"model/m", 0, 0, bytes}, again[0], some[0]}));
  const auto of = [&](const OpsQuery& query) {
    std::string out;
    const auto panes = store->ops(query).value();
    for (const auto& pane : panes) out += fmt::format("{}.{} ", pane.start, pane.part);
    return out;
  };
  EXPECT_EQ(of({.source = "model/m", .from = 1}), "60.1 60.2 ");
  EXPECT_EQ(of({.source = "model/m", .to = 60}), "0.0 ");
  EXPECT_EQ(of({.source = "model/m", .most = 2}), "0.0 60.1 ");
  EXPECT_EQ(of({.source = "model/m", .most = 2, .latest = true}), "60.1 60.2 ");
  EXPECT_EQ(of({.source = "model"}), "");
  EXPECT_EQ(store->ops_sources().value(), (std::vector<std::string>{"host", "model/m"}));
  ASSERT_TRUE(store->forget_ops(60));
  EXPECT_EQ(of({.source = "model/m"}), "60.1 60.2 ");
  ASSERT_TRUE(store->forget_ops(61));
  EXPECT_EQ(store->ops_sources().value(), std::vector<std::string>{});
}

std::vector<event::AuditEntry> entries(int from, int to) {
  std::vector<event::AuditEntry> out;
  for (int i = from; i < to; ++i) {
    auto& entry = out.emplace_back();
    entry.happened = i % 2 ? event::Happened::kAnswered : event::Happened::kModelChanged;
    entry.time = 1'700'000'000'000'000 + i, entry.model = i % 3 ? "m" : "n", entry.key = std::to_string(i);
  }
  return out;
}

std::string numbers(const Store& store, const AuditQuery& query) {
  std::string out;
  const auto found = store.audit(query).value();
  for (const auto& e : found) out += fmt::format("{}:{} ", e.number, e.key);
  return out;
}

TEST_P(Stores, AppendsToTheAuditLogOnce) {
  auto store = open();
  ASSERT_TRUE(store->put(entries(0, 3)));
  store = open();
  ASSERT_TRUE(store->put(entries(1, 5)));  // two of them came again
  EXPECT_EQ(numbers(*store, {}), "1:0 2:1 3:2 4:3 5:4 ");
  EXPECT_EQ(numbers(*store, {.model = "n"}), "1:0 4:3 ");
  EXPECT_EQ(numbers(*store, {.happened = event::Happened::kAnswered, .after = 2}), "4:3 ");
  EXPECT_EQ(numbers(*store, {.from = 1'700'000'000'000'001, .to = 1'700'000'000'000'003}), "2:1 3:2 ");
  EXPECT_EQ(numbers(*store, {.most = 2, .after = 1}), "2:1 3:2 ");
  const auto state = store->check_audit().value();
  EXPECT_EQ(state.broken, 0);
  EXPECT_EQ(state.last, 5);
  EXPECT_EQ(state.hash, store->last_audit().value()->hash);
}

// What somebody with the file could do to it.
void alter(const std::string& path, const std::string& statement) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, statement.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
}

TEST(Sqlite, NamesTheFirstEntryThatIsNotWhatWasWritten) {
  const std::pair<std::string, std::int64_t> cases[] = {
      {"UPDATE audit SET body = replace(body, '\"by\":null', '\"by\":\"me\"') WHERE number = 300", 300},
      {"UPDATE audit SET model = 'o' WHERE number = 7", 7},
      {"DELETE FROM audit WHERE number = 400", 400},
      {"DELETE FROM audit WHERE number = 1", 1},
      {"DELETE FROM audit WHERE number > 900", 901},
      {"DELETE FROM audit", 1},
      {"UPDATE audit SET body = 'nothing' WHERE number = 1000", 1000}};
  for (const auto& [statement, broken] : cases) {
    Folder folder;
    const auto path = folder.path + "/results.sqlite";
    auto store = open_sqlite(path).value();
    ASSERT_TRUE(store->put(entries(0, 1000)));
    EXPECT_EQ(store->check_audit().value().broken, 0);
    alter(path, statement);
    EXPECT_EQ(store->check_audit().value().broken, broken) << statement;
    // What is written later does not mend it.
    ASSERT_TRUE(store->put(entries(1000, 1010)));
    EXPECT_EQ(store->check_audit().value().broken, broken) << statement;
  }
}

TEST_P(Stores, WhatIsOldBecomesSmallAndThenGoes) {
  std::int64_t now = 1'700'000'000'000'000;
  const auto store = open([&] { return now; });
  const std::string details(20'000, 'x');
  std::vector<Window> windows;
  for (int i = 0; i < 30; ++i) {
    windows.push_back(window("m", i));
    windows.back().body = fmt::format(
        R"({{"index":{},"start":null,"rows":7,"verdict":"drift","columns":[{{"reason":"{}"}}],"quality":[{{"check":"a"}}]}})",
        i, details);
  }
  ASSERT_TRUE(store->put(windows));
  const Score scores[] = {
      {"m", "3", "ok",
       R"({"labelled":5,"score_verdict":"ok","metrics":[{"metric":"auc","value":0.5,"low":0.4,"high":0.6,"n":5,"reason":"r"},)"
       R"({"metric":"auc","segment":"a=b","value":1},{"metric":"recall","class":"a","value":1}],"confusion":{"labels":[]}})"}};
  ASSERT_TRUE(store->put(scores));
  const Sample samples[] = {{"m", "3", "", "[{}]"}, {"m", "3", "a=b", "[]"}};
  ASSERT_TRUE(store->put(samples));
  EXPECT_EQ(store->samples("m", "3").value().size(), 2U);
  const Retention keep{.details = 10 * Retention::kDay, .windows = 20 * Retention::kDay};
  EXPECT_FALSE(store->forget(keep, 10).value());
  EXPECT_EQ(store->windows({.model = "m"}).value()[3].body, windows[3].body);

  now += 11 * Retention::kDay;
  // The samples and eight windows, then ten, ten, and the rest.
  std::size_t turns = 1;
  while (store->forget(keep, 10).value()) ++turns;
  EXPECT_EQ(turns, 4U);
  EXPECT_TRUE(store->samples("m", "3").value().empty());
  const auto small = store->windows({.model = "m"}).value();
  ASSERT_EQ(small.size(), 30U);
  EXPECT_EQ(small[3].verdict, "ok");
  EXPECT_EQ(small[3].body,
            R"({"index":3,"start":null,"rows":7,"verdict":"drift","columns":[],"quality":[],"condensed":true})");
  EXPECT_EQ(small[3].score, R"({"labelled":5,"score_verdict":"ok","metrics":[{"metric":"auc","value":0.5,"low":0.4,)"
                            R"("high":0.6,"n":5}]})");
  EXPECT_EQ(small[4].score, "");
  EXPECT_FALSE(store->forget(keep, 10).value());

  now += 10 * Retention::kDay;
  while (store->forget(keep, 10).value()) {
  }
  EXPECT_TRUE(store->windows({.model = "m"}).value().empty());
}

Profile profile(const std::string& model, const std::string& bytes, std::int64_t made) {
  return {.model = model,
          .id = event::sha256(bytes),
          .made = made,
          .kind = "past",
          .from = 1'600'000'000'000'000,
          .to = 1'600'000'000'000'007,
          .rows = 9,
          .size = std::ssize(bytes),
          .body = fmt::format("{{\"made\":{}}}", made),
          .bytes = bytes};
}

TEST_P(Stores, KeepsProfilesByWhatTheyAre) {
  const std::int64_t at = 1'700'000'000'000'000;
  auto some = profile("m", std::string("VPF1\0\xff\n", 7), at);
  auto store = open();
  EXPECT_TRUE(store->profiles({.model = "m"}).value().empty());
  for (const auto& one : {some, profile("m", "b", at + 1), profile("m", "c", at + 1), profile("n", "b", at + 2)})
    ASSERT_TRUE(store->put(one));
  some.made = at + 5;  // again, which makes it the youngest
  ASSERT_TRUE(store->put(some));
  store = open();
  EXPECT_EQ(store->profile("m", some.id).value(), some);
  EXPECT_FALSE(store->profile("n", some.id).value());
  EXPECT_EQ(store->profile("n", event::sha256("b")).value(), profile("n", "b", at + 2));
  const auto ids = [&](const ProfileQuery& query) {
    std::string out;
    const auto found = store->profiles(query).value();
    for (const auto& p : found) out += p.id.substr(0, 2) + " ";
    return out;
  };
  EXPECT_EQ(event::sha256("b").substr(0, 2) + event::sha256("c").substr(0, 2), "3e2e");
  const auto first = some.id.substr(0, 2) + " ";
  EXPECT_EQ(ids({.model = "m"}), first + "3e 2e ");
  EXPECT_EQ(ids({.model = "m", .most = 2}), first + "3e ");
  EXPECT_EQ(ids({.model = "m", .after = event::sha256("b")}), "2e ");
  EXPECT_EQ(ids({.model = "m", .after = "gone"}), "");
  EXPECT_EQ(ids({.model = "m", .from = at + 2}), first);
  EXPECT_EQ(ids({.model = "m", .to = at + 2}), "3e 2e ");
  EXPECT_EQ(ids({.model = "o"}), "");
  some.bytes.clear();  // a list has none
  EXPECT_EQ(store->profiles({.model = "m", .most = 1}).value()[0], some);

  const auto large = profile("m", std::string(Store::kMostProfile + 1, 'x'), at + 9);
  EXPECT_EQ(store->put(large).error().message, "a profile of 33554433 bytes, and the store takes up to 33554432");
  EXPECT_EQ(ids({.model = "m", .most = 1}), first);
}

TEST_P(Stores, ProfilesThatWereReplacedGo) {
  std::int64_t now = 1'700'000'000'000'000;
  const auto store = open([&] { return now; });
  // "a" comes again, and is the last one of its model.
  for (const auto* bytes : {"a", "b", "c", "a"}) ASSERT_TRUE(store->put(profile("m", bytes, now++)));
  ASSERT_TRUE(store->put(profile("n", "b", now)));
  const auto left = [&] {
    std::string out;
    for (const auto* model : {"m", "n"})
      for (const auto* bytes : {"a", "b", "c"})
        if (store->profile(model, event::sha256(bytes)).value()) out += fmt::format("{}{} ", model, bytes);
    return out;
  };
  const Retention keep{.windows = 20 * Retention::kDay};
  EXPECT_FALSE(store->forget(keep, 10).value());
  EXPECT_EQ(left(), "ma mb mc nb ");
  now += 21 * Retention::kDay;
  EXPECT_TRUE(store->forget(keep, 1).value()) << "there is more of it";
  EXPECT_FALSE(store->forget(keep, 10).value());
  EXPECT_EQ(left(), "ma nb ");
  // What is in use counts from when it was put.
  ASSERT_TRUE(store->put(profile("m", "d", now)));
  EXPECT_FALSE(store->forget(keep, 10).value());
  EXPECT_EQ(left(), "nb ");
}

TEST_P(Stores, IncidentsThatAreOverGoLaterAndTheAuditLogStays) {
  std::int64_t now = 1'700'000'000'000'000;
  const auto store = open([&] { return now; });
  std::vector<event::Incident> incidents(3);
  for (int i = 0; i < 3; ++i) {
    auto& incident = incidents[static_cast<std::size_t>(i)];
    incident.id = std::to_string(i), incident.model = "m", incident.since = 1;  // of old data
    if (i < 2) incident.state = event::Incident::State::kResolved, incident.resolved = now + i * Retention::kDay;
  }
  const Outgoing told[] = {{.target = "slack", .notice = {event::Notice::Kind::kOpened, incidents[0]}}};
  ASSERT_TRUE(store->put(incidents, told, entries(0, 2)));
  ASSERT_TRUE(store->settle(store->outgoing(0).value()[0], Store::Fate::kSent, "", {}));
  const Retention keep{.incidents = 30 * Retention::kDay};
  now += 30 * Retention::kDay + Retention::kDay / 2;
  EXPECT_FALSE(store->forget(keep, 10).value());
  std::string left;
  const auto found = store->incidents({}).value();
  for (const auto& i : found) left += i.id;
  EXPECT_EQ(left, "21");
  EXPECT_EQ(store->check_audit().value().last, 2);
}

TEST_P(Elastic, NamesTheFirstEntryThatIsNotWhatWasWritten) {
  auto store = open();
  ASSERT_TRUE(store->put(entries(0, 20)));
  EXPECT_EQ(store->check_audit().value().last, 20);
  elastic::Session session(target().nodes, {});
  const auto index = target().prefix + "-audit";
  const elastic::Write altered{elastic::Write::Kind::kUpdate, index, "7", {{"vigie", {{"model", {{"id", "o"}}}}}}};
  ASSERT_TRUE(session.write(std::span(&altered, 1)));
  EXPECT_EQ(store->check_audit().value().broken, 7);
  for (const auto* gone : {"20", "19"}) {
    const elastic::Write write{elastic::Write::Kind::kDelete, index, gone};
    ASSERT_TRUE(session.write(std::span(&write, 1)));
  }
  const elastic::Write mended{elastic::Write::Kind::kUpdate, index, "7", {{"vigie", {{"model", {{"id", "n"}}}}}}};
  ASSERT_TRUE(session.write(std::span(&mended, 1)));
  EXPECT_EQ(store->check_audit().value().broken, 19);
  ASSERT_TRUE(store->put(entries(20, 22)));
  EXPECT_EQ(store->check_audit().value().broken, 19) << "what is written later does not mend it";
}

// Two processes, each with its own store: of what both put at the same time there is one.
TEST_P(Elastic, TwoAppendAtTheSameTimeAndTellOnce) {
  std::unique_ptr<Store> both[] = {open_elastic({target(), "a", {}}).value(),
                                   open_elastic({target(), "b", {}}).value()};
  event::Incident incident;
  incident.id = "m-1", incident.model = "m", incident.since = 1'700'000'000'000'000, incident.notices = 1;
  const Outgoing told[] = {{.target = "slack", .notice = {event::Notice::Kind::kOpened, incident}}};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i)
    threads.emplace_back([&, i] {
      for (int k = 0; k < 20; ++k) EXPECT_TRUE(both[i]->put(entries(k, k + 2 + i)));
      EXPECT_TRUE(both[i]->put(std::span(&incident, 1), told, {}));
    });
  for (auto& thread : threads) thread.join();
  const auto state = both[0]->check_audit().value();
  EXPECT_EQ(state.broken, 0) << state.why;
  EXPECT_EQ(state.entries, 22);
  EXPECT_EQ(both[0]->outgoing(0).value().size() + both[1]->outgoing(0).value().size(), 1U);
}

TEST_P(Elastic, WhatOneThatDiedDidNotTellAnotherTells) {
  std::int64_t now = 1'700'000'000'000'000;
  const auto clock = [&] { return now; };
  auto dead = open_elastic({target(), "a", clock}).value(), alive = open_elastic({target(), "b", clock}).value();
  event::Incident incident;
  incident.id = "m-1", incident.model = "m", incident.notices = 1;
  const Outgoing told[] = {{.target = "slack", .notice = {event::Notice::Kind::kOpened, incident}}};
  ASSERT_TRUE(dead->put(std::span(&incident, 1), told, {}));
  EXPECT_TRUE(alive->outgoing(0).value().empty());
  now += 301'000'000;
  const auto taken = alive->outgoing(0).value();
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_TRUE(dead->outgoing(0).value().empty());
  ASSERT_TRUE(alive->settle(taken[0], Store::Fate::kSent, "", {}));
  EXPECT_TRUE(alive->outgoing(0).value().empty());
}

TEST(Sqlite, DoesNotGrowWithTheYears) {
  Folder folder;
  const auto path = folder.path + "/results.sqlite";
  std::int64_t now = 1'700'000'000'000'000;
  const auto store = open_sqlite(path, {.now = [&] { return now; }}).value();
  const std::string details(4'000, 'x');
  const Retention keep{.details = 30 * Retention::kDay, .windows = 120 * Retention::kDay};
  std::uintmax_t after_one = 0;
  for (int turn = 0; turn < 6 * 73; ++turn, now += 5 * Retention::kDay) {
    std::vector<Window> windows;
    for (int k = 0; k < 20; ++k) {
      windows.push_back(window("m", turn * 20 + k));
      windows.back().body = fmt::format(R"({{"rows":7,"columns":[{{"reason":"{}"}}]}})", details);
    }
    ASSERT_TRUE(store->put(windows));
    while (store->forget(keep, 50).value()) {
    }
    if (turn == 73) after_one = std::filesystem::file_size(path);
  }
  EXPECT_EQ(store->latest("m", 10'000).value().size(), 25U * 20);
  EXPECT_LT(std::filesystem::file_size(path), after_one * 11 / 10);
}

TEST(Sqlite, TakesWindowsOfAnOlderFormatForNew) {
  Folder folder;
  const auto path = folder.path + "/results.sqlite";
  alter(
      path,
      "CREATE TABLE windows (model TEXT NOT NULL, key TEXT NOT NULL, start INTEGER NOT NULL, \"end\" INTEGER NOT NULL,"
      "verdict TEXT NOT NULL, body TEXT NOT NULL, score_verdict TEXT NOT NULL DEFAULT '', score TEXT NOT NULL DEFAULT "
      "'', PRIMARY KEY (model, key)) WITHOUT ROWID; INSERT INTO windows VALUES ('m', '1', 1, 2, 'ok', '{}', '', '');"
      "PRAGMA user_version = 1");
  std::int64_t now = 1'700'000'000'000'000;
  auto store = open_sqlite(path, {.now = [&] { return now; }}).value();
  EXPECT_FALSE(store->forget({}, 10).value());
  EXPECT_EQ(keys(*store, {.model = "m"}), "1o ");
  now += Retention().windows + 1;
  store = open_sqlite(path, {.now = [&] { return now; }}).value();
  EXPECT_FALSE(store->forget({}, 10).value());
  EXPECT_EQ(keys(*store, {.model = "m"}), "");
}

TEST(Sqlite, TellsOfAFileThatIsNoneOfIts) {
  Folder folder;
  const auto path = folder.path + "/results.sqlite";
  std::ofstream(path) << "no database, and longer than the hundred bytes that the head of a file of SQLite takes, "
                         "so that it is looked at";
  EXPECT_EQ(open_sqlite(path).error().message, path + ": cannot write: file is not a database");
  EXPECT_EQ(open_sqlite(folder.path + "/none/results.sqlite").error().code, Code::kIo);
}

TEST_P(Elastic, ServicesKnowOfEachOtherByIt) {
  const auto a = open_exchange({target(), "a", {}}), b = open_exchange({target(), "b", {}});
  EXPECT_TRUE(b->signs().value().empty());
  const std::vector<Exchange::Message> said{{8, "one"}, {9, std::string("\0\xff", 2)}, {16, ""}};
  ASSERT_TRUE(a->say(said));
  const std::vector<Exchange::Message> again{{9, "another"}, {17, "four"}};
  ASSERT_TRUE(a->say(again));
  const std::vector<Exchange::Part> parts{{"m", -3, 1, "x"}, {"n", 7, 2, "y"}};
  ASSERT_TRUE(a->put(parts));
  const std::vector<Exchange::Part> later{{"m", -3, 3, "more"}};
  ASSERT_TRUE(a->put(later));
  ASSERT_TRUE(a->put(Exchange::Sign{"a", 1, 17, 3, "here"}));
  ASSERT_TRUE(a->put(Exchange::Sign{"a", 2, 17, 3, "still here"}));

  // What is signed for is found.
  const auto signs = b->signs().value();
  ASSERT_EQ(signs.size(), 1U);
  EXPECT_EQ(signs[0].name, "a");
  EXPECT_EQ(signs[0].count, 2);
  EXPECT_EQ(signs[0].message, 17);
  EXPECT_EQ(signs[0].part, 3);
  EXPECT_EQ(signs[0].body, "still here");
  const auto heard = [](const std::vector<Exchange::Message>& messages) {
    std::string out;
    for (const auto& m : messages) out += fmt::format("{} {};", m.number, m.body);
    return out;
  };
  EXPECT_EQ(heard(b->said("a", 0, 10).value()), std::string("8 one;9 \0\xff;16 ;17 four;", 23));
  EXPECT_EQ(heard(b->said("a", 8, 2).value()), std::string("9 \0\xff;16 ;", 9));
  EXPECT_EQ(heard(b->said("b", 0, 10).value()), "");
  const auto counted = b->parts("a", 1, 10).value();
  ASSERT_EQ(counted.size(), 2U);
  EXPECT_EQ(counted[0].model + counted[0].body, "ny");
  EXPECT_EQ(counted[1].model + counted[1].body, "mmore");
  EXPECT_EQ(counted[1].window, -3);

  // Of two that alter the same at once one wins, and the other one knows it.
  auto mine = a->common("incidents m").value(), yours = b->common("incidents m").value();
  EXPECT_EQ(mine.body, "");
  EXPECT_TRUE(mine.same(yours));
  EXPECT_TRUE(a->replace("incidents m", "first", mine).value());
  EXPECT_FALSE(b->replace("incidents m", "second", yours).value());
  yours = b->common("incidents m").value();
  EXPECT_EQ(yours.body, "first");
  EXPECT_TRUE(mine.same(yours));
  EXPECT_TRUE(b->replace("incidents m", "second", yours).value());
  EXPECT_FALSE(a->replace("incidents m", "third", mine).value());
  EXPECT_EQ(a->common("incidents m").value().body, "second");

  // What is old goes, but what they have in common.
  ASSERT_TRUE(b->forget(std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(heard(b->said("a", 0, 10).value()), "");
  EXPECT_TRUE(b->parts("a", 0, 10).value().empty());
  EXPECT_TRUE(b->signs().value().empty());
  EXPECT_EQ(b->common("incidents m").value().body, "second");
}

TEST_P(Elastic, WritesThroughAliases) {
  elastic::Session session(target().nodes, target().access);
  for (const auto* name : {"window", "score"}) {
    const auto index = fmt::format("{}-{}", target().prefix, name);
    open();  // templates first
    ASSERT_TRUE(session.ask("PUT", "/" + index + "-1", {{"aliases", {{index, nlohmann::json::object()}}}}));
  }
  auto store = open();
  for (int i = 0; i < 2; ++i) {
    const Window some[] = {window("m", 0), window("m", 10)};
    ASSERT_TRUE(store->put(some));
    const Score scores[] = {{"m", "0", "drift", "{}"}};
    ASSERT_TRUE(store->put(scores));
    EXPECT_EQ(keys(*store, {.model = "m"}), "0o 10o ");
    EXPECT_EQ(store->windows({.model = "m"}).value().at(0).score_verdict, "drift");
  }
  EXPECT_EQ(session.ask("GET", fmt::format("/{}-window-1/_count", target().prefix)).value()["count"], 2);
}

// More than one request removes.
TEST_P(Elastic, ManyGoStepByStep) {
  auto store = open();
  std::vector<OpsPane> panes(11'000);
  for (std::size_t i = 0; i < panes.size(); ++i) panes[i] = {"host", static_cast<std::int64_t>(i), 0, "x"};
  ASSERT_TRUE(store->put(panes));
  ASSERT_TRUE(store->forget_ops(10'990));
  EXPECT_EQ(store->ops({.source = "host", .most = 100}).value().size(), 10U);
}

TEST_P(Elastic, WhatSomebodyElseAlteredIsEmpty) {
  const auto a = open_exchange({target(), "a", {}});
  const std::vector<Exchange::Message> said{{1, "one"}};
  ASSERT_TRUE(a->say(said));
  auto common = Exchange::Common();
  ASSERT_TRUE(a->replace("x", "body", common).value());
  elastic::Session session(target().nodes, {});
  const auto index = target().prefix + "-shared";
  session.refresh(index);
  const auto hits =
      session.search(index, {{"query", {{"match_all", nlohmann::json::object()}}}, {"sort", {"_doc"}}}, 10).value();
  ASSERT_EQ(hits.size(), 2U);
  for (const auto& hit : hits) {
    auto source = hit.source;
    source["body"] = source["kind"] == "common" ? nlohmann::json(7) : nlohmann::json("bm8genN0ZA==");
    const elastic::Write write{elastic::Write::Kind::kIndex, index, hit.id, std::move(source)};
    ASSERT_TRUE(session.write(std::span(&write, 1)));
  }
  a->signs().value();  // so that it is found
  const auto found = a->said("a", 0, 10).value();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].body, "");
  EXPECT_EQ(a->common("x").value().body, "");
}

}  // namespace
}  // namespace vigie::store
