// SPDX-License-Identifier: Apache-2.0
#include "server/maintenance.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/iso_time.h"
#include "server/held_notices.h"
#include "server/outside_work.h"
#include "table/json_rows.h"

namespace vigie::server {
namespace {

std::int64_t at(std::string_view time) {
  return static_cast<std::int64_t>(table::parse_time(time).value());
}

std::string said(const std::optional<PlannedWork::Time>& time) {
  if (!time) return "none";
  return iso_time(static_cast<double>(time->from)) + " to " + iso_time(static_cast<double>(time->to));
}

PlannedWork work(std::string_view json, const std::string& zone = {}) {
  return read_planned_work(json, "maintenance[0]", zone).value();
}

std::string wrong(std::string_view json) {
  const auto read = read_planned_work(json, "maintenance[0]", {});
  return read ? "" : read.error().message;
}

TEST(PlannedWork, OnceIsFromATimeToAnother) {
  const auto move = work(R"({"from": "2026-12-24T18:00:00Z", "for": "2h", "note": "move"})");
  EXPECT_EQ(said(move.touching(at("2026-12-24T17:00:00Z"), at("2026-12-24T18:00:00Z"))), "none");
  EXPECT_EQ(said(move.touching(at("2026-12-24T19:00:00Z"), at("2026-12-24T21:00:00Z"))),
            "2026-12-24T18:00:00Z to 2026-12-24T20:00:00Z");
  EXPECT_EQ(said(move.touching(at("2026-12-24T20:00:00Z"), at("2026-12-24T21:00:00Z"))), "none");
}

TEST(PlannedWork, WeeklyIsByTheClockOfItsZone) {
  const auto nights = work(R"({"days": ["sat", "sun"], "at": "23:00", "for": "4h"})", "Europe/Paris");
  // Friday has none; Saturday's is until Sunday, and Sunday's until Monday.
  EXPECT_EQ(said(nights.touching(at("2026-11-27T00:00:00Z"), at("2026-11-28T00:00:00Z"))), "none");
  EXPECT_EQ(said(nights.touching(at("2026-11-29T01:00:00Z"), at("2026-11-29T02:00:00Z"))),
            "2026-11-28T22:00:00Z to 2026-11-29T02:00:00Z");
  EXPECT_EQ(said(nights.touching(at("2026-11-30T01:59:00Z"), at("2026-12-04T00:00:00Z"))),
            "2026-11-29T22:00:00Z to 2026-11-30T02:00:00Z");
  EXPECT_EQ(said(nights.touching(at("2026-11-30T02:00:00Z"), at("2026-12-05T22:00:00Z"))), "none");
  // However long the time is, the first is found; and summer's clock is another.
  EXPECT_EQ(said(nights.touching(at("2026-06-01T02:00:00Z"), at("2030-06-01T00:00:00Z"))),
            "2026-06-06T21:00:00Z to 2026-06-07T01:00:00Z");
  // The clock was put back at 3: 2:30 was twice, and begins the first time.
  const auto change = work(R"({"at": "02:30", "for": "30m", "timezone": "Europe/Paris"})");
  EXPECT_EQ(said(change.touching(at("2026-10-25T00:00:00Z"), at("2026-10-25T04:00:00Z"))),
            "2026-10-25T00:30:00Z to 2026-10-25T01:00:00Z");
  EXPECT_EQ(said(change.touching(at("2026-03-29T00:30:00Z"), at("2026-03-29T04:00:00Z"))),
            "2026-03-29T01:00:00Z to 2026-03-29T01:30:00Z");
}

TEST(PlannedWork, LongOnesReachIntoTheWeek) {
  const auto week = work(R"({"days": "mon", "at": "00:00", "for": "7d"})");
  EXPECT_EQ(said(week.touching(at("2026-11-29T23:00:00Z"), at("2026-11-29T23:30:00Z"))),
            "2026-11-23T00:00:00Z to 2026-11-30T00:00:00Z");
}

TEST(PlannedWork, SaysWhatIsWrong) {
  EXPECT_EQ(wrong(R"({"from": "2026-12-24"})"), "maintenance[0]: lacks one of to and for");
  EXPECT_EQ(wrong(R"({"note": "x"})"), "maintenance[0]: lacks from and to, or at and for");
  EXPECT_EQ(wrong(R"({"from": "soon", "for": "2h"})"),
            R"(maintenance[0].from: expected a time, as ISO 8601 or an epoch number, got "soon")");
  EXPECT_EQ(wrong(R"({"from": "2026-12-24", "to": "2026-12-23"})"),
            R"(maintenance[0].to: expected a time behind its beginning, got "2026-12-23")");
  EXPECT_EQ(wrong(R"({"at": "24:00", "for": "2h"})"),
            R"(maintenance[0].at: expected a time of day, as 02:30, got "24:00")");
  EXPECT_EQ(wrong(R"({"days": ["sunday"], "at": "02:00", "for": "2h"})"),
            R"(maintenance[0].days: expected days, of mon, tue, wed, thu, fri, sat and sun, got "sunday")");
  EXPECT_EQ(wrong(R"({"at": "02:00", "for": "8d"})"),
            R"(maintenance[0].for: expected at most 7d of what comes again, got "8d")");
  EXPECT_EQ(wrong(R"({"at": "02:00", "for": "1h", "timezone": "Mars"})"),
            R"(maintenance[0].timezone: there is no "Mars")");
  EXPECT_EQ(wrong(R"({"at": "02:00", "fro": "1h"})"), R"(maintenance[0]: unknown key "fro"; did you mean "for"?)");
  EXPECT_EQ(read_work_said(R"({"to": "2026-01-01"})", at("2026-06-01T00:00:00Z")).error().message,
            R"(to: expected a time behind its beginning, got "2026-01-01")");
  EXPECT_EQ(read_work_said(R"({"from": "2026-01-01", "for": "2h"})", at("2026-06-01T00:00:00Z")).error().message,
            "for: it is over already");
}

TEST(Maintenance, IsWhatAllSaidTogether) {
  Maintenance maintenance;
  maintenance.plan_for_all({work(R"({"days": ["sun"], "at": "02:00", "for": "1h", "note": "backups"})")});
  maintenance.plan("credit", {work(R"({"from": "2026-11-28", "to": "2026-11-29", "note": "move"})")});
  auto now = read_work_said(R"({"for": "2h", "by": "ana"})", at("2026-11-27T12:00:00Z")).value();
  ASSERT_TRUE(maintenance.say("credit", Maintenance::begun(now)));
  ASSERT_TRUE(maintenance.say("credit", Maintenance::begun(now)));  // read again
  const auto from = at("2026-11-27T00:00:00Z"), to = at("2026-12-01T00:00:00Z");
  const auto credit = maintenance.within("credit", from, to, 10);
  ASSERT_EQ(credit.size(), 3u);
  EXPECT_EQ(credit[0].by + credit[1].note + credit[2].note, "anamovebackups");
  EXPECT_EQ(maintenance.within("other", from, to, 10).size(), 1u);
  EXPECT_TRUE(maintenance.at("credit", at("2026-11-27T13:59:59Z")));
  EXPECT_FALSE(maintenance.at("other", at("2026-11-27T13:59:59Z")));

  // What was said lasts as bytes do, and ends when that is said.
  Maintenance after;
  ASSERT_TRUE(after.load("credit", maintenance.save("credit")));
  EXPECT_TRUE(after.at("credit", at("2026-11-27T13:59:59Z")));
  ASSERT_TRUE(after.say("credit", Maintenance::ended(at("2026-11-27T13:00:00Z"))));
  EXPECT_FALSE(after.at("credit", at("2026-11-27T13:59:59Z")));
  EXPECT_TRUE(after.at("credit", at("2026-11-27T12:59:59Z")));
  EXPECT_FALSE(after.load("credit", "[{}]"));
}

TEST(Maintenance, KeepsNotMoreThanItSays) {
  Maintenance maintenance;
  for (std::size_t i = 0; i < 2 * Maintenance::kMostSaid; ++i) {
    PlannedWork one;
    one.from = static_cast<std::int64_t>(10 * i), one.to = one.from + 5;
    ASSERT_TRUE(maintenance.say("m", Maintenance::begun(one)));
  }
  EXPECT_EQ(maintenance.within("m", 0, 1'000'000, 1000).size(), Maintenance::kMostSaid);
  EXPECT_TRUE(maintenance.at("m", 10 * (2 * Maintenance::kMostSaid - 1)));
}

event::Notice notice(const std::string& id, event::Notice::Kind kind, std::int64_t number) {
  event::Notice out;
  out.kind = kind, out.incident.id = id, out.incident.model = "m", out.incident.notices = number;
  return out;
}

std::string told(const std::vector<event::Notice>& notices) {
  std::string out;
  for (const auto& n : notices) out += fmt::format("{} {} {}; ", n.incident.id, to_string(n.kind), n.incident.notices);
  return out;
}

TEST(HeldNotices, OfEachIncidentOneIsToldAfterwards) {
  using enum event::Notice::Kind;
  HeldNotices held;
  EXPECT_EQ(told(held.pass({notice("a", kOpened, 1)}, false)), "a opened 1; ");
  EXPECT_EQ(told(held.pass({notice("a", kReminder, 2), notice("b", kOpened, 1), notice("c", kOpened, 1)}, true)), "");
  EXPECT_EQ(told(held.pass({notice("a", kWorse, 3), notice("b", kResolved, 2), notice("c", kWorse, 2)}, true)), "");
  HeldNotices after;
  ASSERT_TRUE(after.load(held.save()));
  EXPECT_EQ(told(after.pass({notice("a", kResolved, 4)}, true)), "");
  // Nobody knows of b; of a they do.
  EXPECT_EQ(told(after.pass({notice("d", kOpened, 1)}, false)), "a resolved 4; c opened 2; d opened 1; ");
  EXPECT_TRUE(after.empty());
  EXPECT_EQ(told(after.pass({}, false)), "");
  EXPECT_FALSE(after.load("\x01\x01"));
}

std::string rows_of(int days, int hours_a_day) {
  std::string out;
  for (int day = 0; day < days; ++day)
    for (int hour = 0; hour < hours_a_day; ++hour)
      out += fmt::format(R"({{"id":"{}-{}","timestamp":{}}})"
                         "\n",
                         day, hour, 1'767'225'600 + day * 86'400 + hour * 3'600);
  return out;
}

TEST(OutsideWork, LeavesOutWholeWindows) {
  const auto first = at("2026-01-01T00:00:00Z");
  const auto body = rows_of(20, 24);
  const auto nothing = outside_work(body, {}, [](auto, auto) { return false; }).value();
  EXPECT_EQ(nothing.body, body);
  EXPECT_EQ(nothing.window.kind, engine::WindowSpec::Kind::kNone);
  // Of one day out of 20 enough are left to go by days; of half an hour each day only hours are.
  const Planned day_three = [&](auto from, auto to) {
    const auto begins = first + 2 * 86'400'000'000;
    return from < begins + 1'000'000 && to > begins;
  };
  const auto days = outside_work(body, {}, day_three).value();
  EXPECT_EQ(days.left_out, 24);
  EXPECT_EQ(days.window.kind, engine::WindowSpec::Kind::kDay);
  Maintenance nightly;
  nightly.plan("m", {work(R"({"at": "02:15", "for": "30m"})")});
  const Planned at_night = [&](auto from, auto to) { return nightly.touching("m", from, to).has_value(); };
  const auto hours = outside_work(body, {}, at_night).value();
  EXPECT_EQ(hours.left_out, 20);
  EXPECT_EQ(hours.window.kind, engine::WindowSpec::Kind::kHour);
  EXPECT_EQ(hours.body.find("-2\""), std::string::npos);
  engine::WindowSpec by_day;
  by_day.kind = engine::WindowSpec::Kind::kDay;
  EXPECT_EQ(outside_work(body, by_day, at_night).error().message, "all rows are in windows of planned maintenance");
  engine::WindowSpec by_rows;
  by_rows.kind = engine::WindowSpec::Kind::kRows, by_rows.rows = 10;
  EXPECT_EQ(outside_work(body, by_rows, at_night).value().left_out, 0);  // none came in that half hour
}

}  // namespace
}  // namespace vigie::server
