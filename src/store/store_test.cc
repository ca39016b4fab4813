// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

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

Window window(const std::string& model, std::int64_t start, const std::string& verdict = "ok") {
  return {model, start, start + 10, std::to_string(start), verdict, fmt::format("{{\"start\":{}}}", start)};
}

std::string keys(const Store& store, const WindowQuery& query) {
  std::string out;
  const auto found = store.windows(query).value();
  for (const auto& w : found) out += w.key + w.verdict[0] + " ";
  return out;
}

TEST(Sqlite, KeepsWindowsAndReplacesThoseThatComeAgain) {
  Folder folder;
  const auto path = folder.path + "/results.sqlite";
  {
    auto store = open_sqlite(path).value();
    const Window some[] = {window("m", 20), window("m", 0), window("m", 10), window("n", 0, "drift")};
    ASSERT_TRUE(store->put(some));
    const Window again[] = {window("m", 10, "warning")};
    ASSERT_TRUE(store->put(again));
  }
  const auto store = open_sqlite(path).value();
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

TEST(Sqlite, KeepsTheScoreOfAWindowThatComesAgain) {
  Folder folder;
  const auto store = open_sqlite(folder.path + "/results.sqlite").value();
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

TEST(Sqlite, KeepsIncidentsAndWhatIsToBeToldOnceForEachTarget) {
  Folder folder;
  const auto path = folder.path + "/results.sqlite";
  auto store = open_sqlite(path).value();
  std::vector<event::Incident> incidents(3);
  for (int i = 0; i < 3; ++i) {
    auto& incident = incidents[static_cast<std::size_t>(i)];
    incident.id = std::to_string(i), incident.model = i < 2 ? "m" : "n", incident.since = 1'700'000'000'000'000 + i;
    incident.notices = 1;
  }
  const event::Notice notice{event::Notice::Kind::kOpened, incidents[0]};
  const Outgoing told[] = {{.target = "slack", .notice = notice}, {.target = "mail", .notice = notice}};
  for (int again = 0; again < 2; ++again) ASSERT_TRUE(store->put(incidents, told));
  incidents[1].state = event::Incident::State::kResolved;
  ASSERT_TRUE(store->put(std::span(incidents).subspan(1, 1), {}));
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

  auto out = store->outgoing(0).value();
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out[0].target, "slack");
  EXPECT_EQ(out[0].notice.incident, incidents[0]);
  EXPECT_EQ(store->outgoing(out[0].id).value().size(), 1U);
  ASSERT_TRUE(store->settle(out[0], Store::Fate::kSent, ""));
  out[1].attempts = 2, out[1].due = 5;
  ASSERT_TRUE(store->settle(out[1], Store::Fate::kWaiting, "500"));
  ASSERT_TRUE(store->put(incidents, told));  // it was
  store = open_sqlite(path).value();
  out = store->outgoing(0).value();
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].attempts, 2);
  EXPECT_EQ(out[0].due, 5);
}

TEST(Sqlite, KeepsOpsByTheMinuteInParts) {
  Folder folder;
  auto store = open_sqlite(folder.path + "/results.sqlite").value();
  const std::string bytes("a\0b", 3);
  const OpsPane some[] = {
      {"model/m", 60, 2, "late"}, {"model/m", 0, 0, bytes}, {"model/m", 60, 1, "x"}, {"host", 60, 0, "h"}};
  ASSERT_TRUE(store->put(some));
  const OpsPane again[] = {{"model/m", 60, 1, "y"}};
  ASSERT_TRUE(store->put(again));
  store = open_sqlite(folder.path + "/results.sqlite").value();
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

TEST(Sqlite, TellsOfAFileThatIsNoneOfIts) {
  Folder folder;
  const auto path = folder.path + "/results.sqlite";
  std::ofstream(path) << "no database, and longer than the hundred bytes that the head of a file of SQLite takes, "
                         "so that it is looked at";
  EXPECT_EQ(open_sqlite(path).error().message, path + ": cannot write: file is not a database");
  EXPECT_EQ(open_sqlite(folder.path + "/none/results.sqlite").error().code, Code::kIo);
}

}  // namespace
}  // namespace vigie::store
