// SPDX-License-Identifier: Apache-2.0
#include "engine/sliding_windows.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "engine/incidents.h"
#include "engine/live_windows.h"
#include "engine/memory_input_internal.h"

namespace vigie::engine {
namespace {

constexpr double kMinute = 60e6, kHour = 60 * kMinute, kStart = 1'700'006'400e6;  // µs; 2023-11-15T00:00:00Z
constexpr int kEvery = 10, kPanes = 6;                                            // minutes

WindowSpec windows_of(std::string_view time, std::int64_t every, std::string zone = "") {
  auto out = calendar_windows(time).value();
  out.every = every, out.zone = std::move(zone);
  return out;
}
WindowSpec hours() {
  return calendar_windows("hour").value();
}
WindowSpec sliding_hours() {
  return windows_of("hour", kEvery);
}

struct Rows {
  std::vector<double> time, x;
  std::vector<std::string> colour;
  void keep(const auto& which) {
    Rows out;
    for (std::size_t i = 0; i < time.size(); ++i)
      if (which(time[i])) out.time.push_back(time[i]), out.x.push_back(x[i]), out.colour.push_back(colour[i]);
    *this = std::move(out);
  }
};

// A row each 20 seconds; x is moved by `shift` in the minutes from `from` to `to`.
Rows rows_of(int hours, unsigned seed, double shift = 0, double from = 0, double to = 0) {
  std::mt19937_64 rng(seed);
  std::normal_distribution<double> law;
  Rows rows;
  for (int i = 0; i < hours * 180; ++i) {
    const double minute = i / 3.;
    rows.time.push_back(kStart + i * 20e6);
    rows.x.push_back(law(rng) + (minute >= from && minute < to ? shift : 0));
    rows.colour.push_back(rng() % 3 ? "red" : i % 50 == 7 ? "" : "blue");
  }
  return rows;
}

void fill(MemoryInput& input, const Rows& rows) {
  input.add("x", rows.x).add("colour", rows.colour).add("time", rows.time, table::Type::kTimestamp);
}

std::shared_ptr<const Profile> reference() {
  static const auto profile = [] {
    MemoryInput input("reference");
    fill(input, rows_of(100, 1));
    ProfileOptions options;
    options.roles.timestamp = "time";
    options.window = hours();
    return std::make_shared<const Profile>(make_profile(input, options).value());
  }();
  return profile;
}

// What a window came to, to the last digit, but for when it was; `order`: of its rows.
std::string told(const WindowResult& window, bool order = true) {
  auto out = fmt::format("{} {} {}:", window.rows, to_string(window.verdict), window.partial);
  for (const auto& c : window.columns)
    out += fmt::format(" {} {} {} {} {} {} {},", c.column, c.method, to_string(c.verdict), c.p_value, c.p_adjusted,
                       c.effect, c.reason);
  for (const auto& q : window.quality)
    if (order || q.check != "order_violations")
      out += fmt::format(" {} {} {} {} {},", q.check, q.column.value_or(""), q.verdict, q.value, q.reason);
  return out;
}

LiveOptions options_of(WindowSpec window) {
  LiveOptions options;
  options.compare.window = std::move(window), options.compare.threads = 1;
  return options;
}

using Kept = std::map<std::int64_t, std::string>;

// Rows as they come, by batches.
struct Feed {
  std::unique_ptr<LiveWindows> live;
  std::unique_ptr<table::Reader> reader;
  std::vector<LiveWindows::Closed> closed;

  Feed(MemoryInput& input, LiveOptions options, Kept* kept = nullptr)
      : live(LiveWindows::make(reference(), std::move(options)).value()) {
    reader = input.open(live->schema()).value();
    if (kept)
      live->keep_panes({[kept](auto key, auto bytes) { return (*kept)[key] = bytes, Status(); },
                        [kept](auto key) { return Result<std::string>((*kept)[key]); },
                        [kept](auto key) { return kept->erase(key), Status(); }});
  }
  bool step(std::int64_t now) {
    auto batch = std::move(*reader->next());
    if (!batch) return false;
    EXPECT_TRUE(live->add(*batch, now));
    close(now);
    return true;
  }
  void close(std::int64_t now, bool all = false) {
    auto found = live->close(now, all);
    ASSERT_TRUE(found) << found.error().message;
    std::ranges::move(*found, std::back_inserter(closed));
  }
};

std::vector<LiveWindows::Closed> all_of(const Rows& rows, const LiveOptions& options, std::int64_t batch = 30) {
  MemoryInput input("current", batch);
  fill(input, rows);
  Feed feed(input, options);
  const auto now = static_cast<std::int64_t>(rows.time.back()) + 1;
  while (feed.step(now)) {
  }
  feed.close(now, true);
  return std::move(feed.closed);
}

TEST(SlidingWindows, AreOfPanesThatDivideThem) {
  struct Case {
    std::string_view time;
    std::int64_t every, panes;
    std::string name;
  };
  for (const auto& c : {Case{"hour", 5, 12, "hour each 5m"}, Case{"15m", 1, 15, "15m each 1m"},
                        Case{"day", 60, 24, "day each hour"}, Case{"week", 1440, 7, "week each day (Europe/Paris)"},
                        Case{"month", 1440, 30, "month each day (Europe/Paris)"}, Case{"day", 5, 288, "day each 5m"}}) {
    const auto spec = windows_of(c.time, c.every, c.name.ends_with(')') ? "Europe/Paris" : "");
    EXPECT_TRUE(check_panes(spec)) << c.name;
    EXPECT_EQ(panes_of(spec).count, c.panes);
    EXPECT_EQ(to_string(spec), c.name);
    auto profile = *reference();
    profile.window = spec;
    const auto again = load_profile(save_profile(profile), "it").value().window;
    EXPECT_EQ(to_string(again), c.name);
  }
  const auto why = [](const WindowSpec& spec) { return check_panes(spec).error().message; };
  EXPECT_EQ(why(windows_of("10m", 4)), "4m does not divide 10m");
  EXPECT_EQ(why(windows_of("hour", 60)), "hour does not divide hour");
  EXPECT_EQ(why(windows_of("15m", 60)), "hour does not divide 15m");
  EXPECT_EQ(why(windows_of("day", 1)), "1m divides day into 1,440 parts, of which 300 are the most");
}

TEST(SlidingWindows, HaveTheVerdictsOfTheSameRowsInAFile) {
  const auto rows = rows_of(8, 2, 2, 300, 330);
  CompareOptions options;
  options.window = hours();
  MemoryInput input("current");
  fill(input, rows);
  const auto want = compare(*reference(), input, options).value();
  const auto found = all_of(rows, options_of(sliding_hours()), 7);
  std::vector<std::string> whole;
  for (const auto& one : found)
    if (!one.overlaps) whole.push_back(one.result.start.value() + told(one.result));
  ASSERT_EQ(want.windows.size(), 8U);
  ASSERT_EQ(whole.size(), 8U);
  for (std::size_t i = 0; i < whole.size(); ++i)
    EXPECT_EQ(whole[i], want.windows[i].start.value() + told(want.windows[i]));
  // The others are as hours would be that begin when they do; the first ones are of what came by then.
  EXPECT_EQ(found.size(), 8U * kPanes - 4);
  for (const int minutes : {10, 30, 50}) {
    auto moved = rows;
    for (auto& time : moved.time) time -= minutes * kMinute;
    moved.keep([](double time) { return time >= kStart && time < kStart + 7 * kHour; });
    const auto tumbling = all_of(moved, options_of(hours()));
    std::size_t seen = 0;
    for (const auto& one : found) {
      const auto from = (static_cast<double>(one.start) - kStart) / kMinute - minutes;
      if (from < 0 || std::fmod(from, 60) != 0) continue;
      const auto at = static_cast<std::size_t>(from / 60);
      ASSERT_LT(at, tumbling.size());
      EXPECT_EQ(told(one.result), told(tumbling[at].result)) << minutes;
      EXPECT_TRUE(one.overlaps);
      EXPECT_EQ(one.end - one.start, static_cast<std::int64_t>(kHour));
      ++seen;
    }
    EXPECT_EQ(seen, 7U);
  }
  EXPECT_EQ(found[1].result.start, "2023-11-15T00:00:00Z");
  EXPECT_EQ(found[2].result.start, "2023-11-15T00:10:00Z");
  EXPECT_EQ(found[2].result.end, "2023-11-15T01:10:00Z");
}

TEST(SlidingWindows, BeginOnceThreeQuartersOfOneHaveRows) {
  auto rows = rows_of(7, 3);
  // Begins within a pane, lacks three hours, and in the last one two panes.
  rows.keep([](double time) {
    const double minute = (time - kStart) / kMinute;
    return minute >= 5 && !(minute >= 120 && minute < 300) && !(minute >= 370 && minute < 390);
  });
  const auto found = all_of(rows, options_of(sliding_hours()));
  std::map<int, bool> partial;  // by the minute of their end
  for (const auto& one : found)
    partial[static_cast<int>((static_cast<double>(one.end) - kStart) / kMinute)] = one.result.partial;
  const std::map<int, bool> want{{50, true},   {60, false},  {70, false},  {80, false}, {90, false},
                                 {100, false}, {110, false}, {120, false}, {350, true}, {360, false},
                                 {370, false}, {400, false}, {410, false}, {420, false}};
  EXPECT_EQ(partial, want);
  for (const auto& one : found) {
    // A pause within it is what its volume tells of; what came before it is nobody's.
    const auto volume = std::ranges::find_if(one.result.quality, [](const auto& q) { return q.check == "volume"; });
    if (one.result.partial && volume != one.result.quality.end()) {
      EXPECT_EQ(volume->verdict, "no_data");
    }
  }
}

TEST(SlidingWindows, GoOnAfterAStartAnewAtAnyPane) {
  const auto rows = rows_of(3, 4, 2, 100, 130);
  const auto options = options_of(sliding_hours());
  const auto want = all_of(rows, options, 10);
  const auto now = static_cast<std::int64_t>(rows.time.back()) + 1;
  for (std::uint64_t stop = 1; stop < 54; stop += 1) {
    Kept kept;
    LiveWindows::Resume from;
    std::string open;
    std::vector<LiveWindows::Closed> found;
    for (const bool anew : {false, true}) {
      MemoryInput input("current", 10);
      fill(input, rows);
      Feed feed(input, options, &kept);
      std::uint64_t place = 0;
      if (anew) {
        if (!open.empty()) {
          ASSERT_TRUE(feed.live->load(open));
        }
        feed.live->resume(from);
        const auto first = std::min(stop, from.place);
        while (place < first) ++place, static_cast<void>(*feed.reader->next());
      }
      while (place < (anew ? 1000 : stop)) {
        feed.live->at(place++);
        if (!feed.step(now)) break;
        if (!anew && stop % 2 == 0 && place == stop - 1) open = feed.live->keep(place);
      }
      if (anew) {
        feed.close(now, true);
      } else {
        feed.live->at(place);
        from = feed.live->resume();
        EXPECT_LE(kept.size(), 2U * kPanes);
      }
      std::ranges::move(feed.closed, std::back_inserter(found));
    }
    ASSERT_EQ(found.size(), want.size()) << stop;
    for (std::size_t i = 0; i < want.size(); ++i) {
      EXPECT_EQ(told(found[i].result), told(want[i].result)) << stop;
      EXPECT_EQ(found[i].restated, 0);
    }
  }
}

TEST(SlidingWindows, AreRestatedByLateRowsOfTheirPanes) {
  auto rows = rows_of(4, 5);
  auto options = options_of(sliding_hours());
  options.allowed_lateness = static_cast<std::int64_t>(40 * kMinute);
  const auto want = all_of(rows, options, 15);
  // Ten rows of minutes 70 to 80 come half an hour late, and some of minute 0 hours late.
  const auto move_behind = [&](int from, int to, int behind) {
    const auto move = [&](auto& values) {
      std::rotate(values.begin() + from, values.begin() + to, values.begin() + behind);
    };
    move(rows.time), move(rows.x), move(rows.colour);
  };
  move_behind(215, 225, 330), move_behind(0, 3, 600);
  MemoryInput input("current", 15);
  fill(input, rows);
  Kept kept;
  Feed feed(input, options, &kept);
  auto now = static_cast<std::int64_t>(kStart + 4 * kHour) + 1;
  while (feed.step(now)) now += 1'500'000;
  feed.close(now += 60'000'000, true);
  EXPECT_EQ(feed.live->astray().late, 3);
  std::map<std::int64_t, std::vector<const LiveWindows::Closed*>> by_end;
  for (const auto& one : feed.closed) by_end[one.end].push_back(&one);
  ASSERT_EQ(by_end.size(), want.size());
  int restated = 0;
  for (const auto& one : want) {
    const auto& all = by_end[one.end];
    const auto minute = (static_cast<double>(one.end) - kStart) / kMinute;
    const auto& last = *all.back();
    EXPECT_EQ(last.restated, static_cast<int>(all.size()) - 1);
    // Three rows are gone from the first ones.
    if (minute > 60) {
      EXPECT_EQ(told(last.result, false), told(one.result, false)) << minute;
    }
    if (all.size() == 1) continue;
    ++restated;
    EXPECT_GE(minute, 80);
    EXPECT_LE(minute, 130);
    EXPECT_EQ(last.late_rows, minute < 110 ? 10 : last.late_rows);
    EXPECT_NE(told(all.front()->result), told(one.result));
  }
  EXPECT_GE(restated, 3);
  EXPECT_LE(restated, kPanes);
  // What no window needs any more is not kept.
  EXPECT_LE(kept.size(), 2U * kPanes);
}

TEST(SlidingWindows, FindAShiftOfTwentyMinutesAndWhenItBegan) {
  const auto rows = rows_of(8, 6, 2.5, 314, 334);
  const auto level = level_of(1, static_cast<std::int64_t>(kEvery * kMinute));
  MemoryInput input("current", 3);
  fill(input, rows);
  Feed feed(input, options_of(sliding_hours()));
  std::vector<std::pair<double, double>> found;  // minutes: end of the window, when it began
  std::size_t seen = 0;
  const auto now = static_cast<std::int64_t>(rows.time.back()) + 1;
  while (feed.step(now))
    for (; seen < feed.closed.size(); ++seen) {
      const auto& one = feed.closed[seen];
      const auto sighting = sighting_of(one.result, one.start, one.end, level);
      if (sighting.causes.empty()) continue;
      const auto began = feed.live->began(one.key).value();
      found.emplace_back((static_cast<double>(one.end) - kStart) / kMinute,
                         (static_cast<double>(began.at("x")) - kStart) / kMinute);
    }
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front(), std::pair(330., 310.));
  EXPECT_LE(found.back().first, 390);
}

TEST(SlidingWindows, ChangeOfCounts) {
  using Counts = std::vector<std::vector<std::int64_t>>;
  EXPECT_EQ(change_of(Counts{{50, 50}, {52, 48}, {10, 90}, {12, 88}}), 2U);
  EXPECT_EQ(change_of(Counts{{50, 50}, {52, 48}, {49, 51}}), std::nullopt);
  EXPECT_EQ(change_of(Counts{{0, 0}, {}, {0}}), std::nullopt);
  EXPECT_EQ(change_of(Counts{}), std::nullopt);
  EXPECT_EQ(change_of(Counts{{100}, {0, 100}}), 1U);
}

// Each window is judged at the level of a pane: of as much time together no more are false than of windows that do not
// overlap, at their own.
TEST(SlowSlidingWindows, FindNoMoreThanOthers) {
  int false_hours = 0, false_sliding = 0, windows = 0;
  for (unsigned seed = 0; seed < 8; ++seed) {
    const auto rows = rows_of(60, 100 + seed);
    for (const auto& one : all_of(rows, options_of(hours()), 1000))
      false_hours += !sighting_of(one.result, one.start, one.end, .05).causes.empty();
    for (const auto& one : all_of(rows, options_of(sliding_hours()), 1000))
      false_sliding += !sighting_of(one.result, one.start, one.end, .05 / kPanes).causes.empty(), ++windows;
  }
  RecordProperty("hours", false_hours), RecordProperty("sliding", false_sliding);
  EXPECT_GT(windows, 480 * kPanes - 50);
  // At a level of 0.05 24 of 480 are expected at most.
  EXPECT_LE(false_hours, 24);
  EXPECT_LE(false_sliding, false_hours);
}

}  // namespace
}  // namespace vigie::engine
