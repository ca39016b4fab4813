// SPDX-License-Identifier: Apache-2.0
// Live windows that are judged by explicit rules: what they find is what inspect() finds of the same rows.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "engine/incidents.h"
#include "engine/inspection.h"
#include "engine/live_windows.h"
#include "engine/memory_input_internal.h"
#include "quality/rules.h"

namespace vigie::engine {
namespace {

using Rule = Expectation;
constexpr double kHour = 3600e6, kStart = 1'700'006'400e6;  // µs; 2023-11-15T00:00:00Z
constexpr auto kNow = static_cast<std::int64_t>(kStart + 13 * kHour);

struct Rows {
  std::vector<double> time, x, y;
  std::vector<std::string> colour;
};

// A row each 30 seconds, in parts of so many a row that is out of order.
Rows rows_of(int hours, unsigned seed, int out_of_order = 1'000'000) {
  std::mt19937_64 rng(seed);
  std::normal_distribution<double> law;
  Rows rows;
  for (int i = 0; i < hours * 120; ++i) {
    rows.time.push_back(kStart + (i % out_of_order == out_of_order - 1 ? i - 3 : i) * 30e6);
    rows.x.push_back(i % 40 == 11 ? std::nan("") : law(rng));
    rows.y.push_back(std::abs(law(rng)));
    rows.colour.push_back(rng() % 3 ? "red" : i % 50 == 7 ? "" : "blue");
  }
  return rows;
}

void fill(MemoryInput& input, const Rows& rows) {
  input.add("x", rows.x).add("y", rows.y).add("colour", rows.colour);
  input.add("time", rows.time, table::Type::kTimestamp);
}

std::vector<Rule> rules() {
  return {{.kind = Rule::Kind::kNotNull, .column = "x", .at_most = .01},
          {.kind = Rule::Kind::kRange, .column = "x", .low = -2, .high = 2, .at_most = .06},
          {.kind = Rule::Kind::kRange, .column = "y", .low = 0, .warn = true},
          {.kind = Rule::Kind::kSet, .column = "colour", .texts = {"red"}, .at_most = .35, .warn = true},
          {.kind = Rule::Kind::kRegex, .column = "colour", .texts = {"[a-z]+"}},
          {.kind = Rule::Kind::kUnique, .column = "time"},
          {.kind = Rule::Kind::kMonotone, .column = "time"},
          {.kind = Rule::Kind::kRelation, .column = "x", .order = Rule::Order::kLess, .other = "y", .at_most = .3}};
}

WindowSpec hours_of() {
  WindowSpec out;
  out.kind = WindowSpec::Kind::kHour;
  return out;
}

std::shared_ptr<const Profile> reference() {
  static const auto profile = [] {
    MemoryInput input("reference");
    fill(input, rows_of(60, 1));
    ProfileOptions options;
    options.roles.timestamp = "time", options.window = hours_of();
    return std::make_shared<const Profile>(make_profile(input, options).value());
  }();
  return profile;
}

// What rules say of a window.
std::string said(const WindowResult& window) {
  auto out = fmt::format("{} {}:\n", window.start.value_or("-"), window.rows);
  for (const auto& q : window.quality)
    if (std::ranges::count(quality::rule_names(), q.check) > 0)
      out +=
          fmt::format("{} {} {} {} {} {}\n", q.check, q.column.value_or("-"), q.value, q.expected, q.verdict, q.reason);
  return out;
}

std::vector<std::string> in_a_file(const Rows& rows, const WindowSpec& window) {
  MemoryInput input("current");
  fill(input, rows);
  InspectOptions options;
  options.roles.timestamp = "time", options.window = window, options.rules = rules();
  const auto known = quality_of(*reference());
  std::vector<std::string> out;
  const auto found = inspect(input, &known, options).value();
  for (const auto& one : found.windows) out.push_back(said(one));
  return out;
}

struct Feed {
  std::unique_ptr<table::Reader> reader;
  std::unique_ptr<LiveWindows> live;
  std::vector<std::string> found;
  std::vector<WindowResult> windows;

  Feed(MemoryInput& input, LiveOptions options, std::vector<Rule> by = rules()) {
    live = LiveWindows::make(reference(), std::move(options)).value();
    EXPECT_TRUE(live->check_by(std::move(by)));
    reader = input.open(live->schema()).value();
  }
  bool step(std::int64_t now = kNow) {
    auto batch = std::move(*reader->next());
    if (!batch) return false;
    EXPECT_TRUE(live->add(*batch, now));
    close(now);
    return true;
  }
  void close(std::int64_t now, bool all = false) {
    auto closed = live->close(now, all).value();
    for (auto& one : closed) found.push_back(said(one.result)), windows.push_back(std::move(one.result));
  }
};

LiveOptions options_of(WindowSpec window) {
  LiveOptions out;
  out.compare.window = std::move(window);
  return out;
}

TEST(LiveRules, FindWhatTheyFindInAFile) {
  auto by_rows = hours_of();
  by_rows.kind = WindowSpec::Kind::kRows, by_rows.rows = 100;
  for (const auto& window : {hours_of(), by_rows}) {
    const auto rows = rows_of(5, 2, 50);
    auto want = in_a_file(rows, window);
    // Of windows by rows no time is known.
    if (!window.calendar())
      for (auto& one : want) {
        std::string kept;
        for (std::size_t at = 0, end; at < one.size(); at = end + 1)
          if (end = one.find('\n', at); one.substr(at, end - at).find(" time ") == one.npos)
            kept += one.substr(at, end + 1 - at);
        one = kept;
      }
    MemoryInput input("current", 37);
    fill(input, rows);
    auto by = rules();
    if (!window.calendar()) std::erase_if(by, [](const auto& rule) { return rule.column == "time"; });
    Feed feed(input, options_of(window), by);
    while (feed.step()) {
    }
    feed.close(kNow, true);
    EXPECT_EQ(feed.found, want) << to_string(window);
  }
}

TEST(LiveRules, MakeTheVerdictWorseAndAreCauses) {
  const auto judged = [](const Rule& rule) {
    MemoryInput input("current");
    fill(input, rows_of(1, 2));
    Feed feed(input, options_of(hours_of()), {rule});
    while (feed.step()) {
    }
    feed.close(kNow, true);
    return feed.windows.at(0);
  };
  const auto causes = [](const WindowResult& window) { return sighting_of(window, 0, 3'600'000'000, 1e-6); };
  const auto kept = judged({.kind = Rule::Kind::kRange, .column = "x", .low = -9, .high = 9});
  EXPECT_EQ(kept.verdict, Verdict::kOk);
  EXPECT_TRUE(causes(kept).causes.empty());
  const auto failed = judged({.kind = Rule::Kind::kRange, .column = "x", .low = 0, .high = 9});
  EXPECT_EQ(failed.verdict, Verdict::kDrift);
  ASSERT_EQ(causes(failed).causes.size(), 1U);
  EXPECT_TRUE(causes(failed).firm);
  EXPECT_EQ(causes(failed).causes[0].column, "x");
  EXPECT_EQ(causes(failed).causes[0].what, "range");
  EXPECT_EQ(causes(failed).causes[0].severity, event::Severity::kCritical);
  EXPECT_EQ(causes(failed).causes[0].reason, "expected 0 to 9: " + failed.quality.back().reason);
  const auto warned = judged({.kind = Rule::Kind::kRange, .column = "x", .low = 0, .high = 9, .warn = true});
  EXPECT_EQ(warned.verdict, Verdict::kWarning);
  ASSERT_EQ(causes(warned).causes.size(), 1U);
  EXPECT_FALSE(causes(warned).firm);
  EXPECT_EQ(causes(warned).causes[0].severity, event::Severity::kWarning);
}

TEST(LiveRules, GoOnFromWhatWasKept) {
  const auto rows = rows_of(3, 2, 50);
  const auto want = in_a_file(rows, hours_of());
  for (const std::uint64_t stop : {1U, 4U, 9U}) {
    MemoryInput input("current", 31), again("current", 31);
    fill(input, rows), fill(again, rows);
    Feed first(input, options_of(hours_of()));
    for (std::uint64_t place = 0; place < stop; ++place) {
      first.live->at(place);
      EXPECT_TRUE(first.step());
    }
    const auto kept = first.live->keep(stop);
    first.live->at(stop);
    const auto from = first.live->resume();
    // Other rules are those of windows that begin later.
    Feed second(again, options_of(hours_of()), {});
    ASSERT_TRUE(second.live->load(kept));
    second.live->resume(from);
    for (std::uint64_t place = 0; place < stop; ++place) (void)second.reader->next();
    while (second.step()) {
    }
    second.close(kNow, true);
    auto found = first.found;
    found.insert(found.end(), second.found.begin(), second.found.end());
    ASSERT_EQ(found.size(), want.size());
    for (std::size_t w = 0; w < want.size(); ++w) {
      const bool begun = w * 120 < stop * 31;
      EXPECT_EQ(found[w], begun ? want[w] : want[w].substr(0, want[w].find('\n') + 1)) << stop;
    }
    // Without rules nothing more is kept than before there were any.
    MemoryInput none("current", 31);
    fill(none, rows);
    Feed without(none, options_of(hours_of()), {});
    EXPECT_TRUE(without.step());
    const auto bytes = without.live->keep(1);
    EXPECT_EQ(bytes.back(), '\0');
    for (std::size_t size = 0; size < kept.size(); size += 1 + size / 50)
      EXPECT_EQ(second.live->load(kept.substr(0, size)).error().code, Code::kCorrupt) << size;
  }
}

TEST(LiveRules, OfLateRowsRestateTheirWindow) {
  const auto whole = rows_of(3, 2);
  auto rows = whole;
  for (auto* values : {&rows.time, &rows.x, &rows.y})
    std::rotate(values->begin() + 100, values->begin() + 120, values->begin() + 180);
  std::rotate(rows.colour.begin() + 100, rows.colour.begin() + 120, rows.colour.begin() + 180);
  MemoryInput input("current", 20);
  fill(input, rows);
  auto options = options_of(hours_of());
  options.allowed_lateness = static_cast<std::int64_t>(kHour), options.ahead = static_cast<std::int64_t>(4 * kHour);
  Feed feed(input, options);
  const auto now = static_cast<std::int64_t>(kStart);
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(feed.step(now));
  feed.close(now + 2'000'000);
  ASSERT_EQ(feed.found.size(), 2U);
  const auto want = in_a_file(rows, hours_of());
  EXPECT_NE(feed.found[0], want[0]);
  EXPECT_EQ(feed.found[1], want[0]);
}

// All but the order of rows, of which nobody knows, and how a row is called that is among others elsewhere.
std::string without_order(std::string_view window) {
  std::string out;
  for (std::size_t at = 0, end; at < window.size(); at = end + 1) {
    end = window.find('\n', at);
    auto line = window.substr(at, end - at);
    if (line.starts_with("monotone")) continue;
    out += std::string(line.substr(0, line.find(", row "))) + "\n";
  }
  return out;
}

TEST(LiveRules, OfPanesAreThoseOfTheHourTheyMake) {
  auto window = hours_of();
  window.every = 10;
  const auto rows = rows_of(4, 2, 50);
  const auto want = in_a_file(rows, hours_of());
  MemoryInput input("current", 23);
  fill(input, rows);
  Feed feed(input, options_of(window));
  while (feed.step()) {
  }
  feed.close(kNow, true);
  std::size_t same = 0;
  for (const auto& one : feed.found)
    for (const auto& hour : want) {
      if (one.substr(0, one.find('\n')) != hour.substr(0, hour.find('\n'))) continue;
      ++same;
      std::string found = one, whole = hour;
      for (auto* text : {&found, &whole}) *text = without_order(*text);
      EXPECT_EQ(found, whole);
    }
  EXPECT_EQ(same, 4U);
}

TEST(LiveRules, OfSeveralThatCountAreThoseOfOne) {
  const auto rows = rows_of(12, 2, 50);
  const auto want = in_a_file(rows, hours_of());
  std::vector<Feed> feeds;
  std::vector<std::vector<LiveWindows::Part>> parts;
  bool told = false;
  const std::vector<std::string> names{"a", "b", "c"};
  for (std::size_t k = 0; k < 3; ++k) {
    Rows some;
    for (std::size_t i = k; i < rows.x.size(); i += 3)
      some.time.push_back(rows.time[i]), some.x.push_back(rows.x[i]), some.y.push_back(rows.y[i]),
          some.colour.push_back(rows.colour[i]);
    MemoryInput input("current");
    fill(input, some);
    auto& feed = feeds.emplace_back(input, options_of(hours_of()));
    feed.live->share({.name = names[k], .complete = [&told](auto, auto) { return told; }});
    while (feed.step(kNow - 2'000'000)) {
    }
    parts.push_back(feed.live->parts(kNow, 0));
  }
  for (std::size_t to = 0; to < 3; ++to)
    for (std::size_t by = 0; by < 3; ++by)
      for (const auto& part : parts[by])
        if (by != to) {
          EXPECT_TRUE(feeds[to].live->add_part(names[by], part, kNow).value_or(false));
        }
  told = true;
  for (auto& feed : feeds) {
    feed.close(kNow);
    ASSERT_EQ(feed.found.size(), want.size());
    EXPECT_EQ(feed.found, feeds[0].found);
    for (std::size_t w = 0; w < want.size(); ++w) EXPECT_EQ(without_order(feed.found[w]), without_order(want[w]));
  }
  auto bad = parts[1][0];
  for (std::size_t i = 0; i < bad.counted.size(); i += 1 + i / 100) {
    auto cut = bad;
    cut.counted.resize(i);
    EXPECT_EQ(feeds[0].live->add_part("d", cut, kNow).error().code, Code::kCorrupt) << i;
  }
}

TEST(LiveRules, SayWhatRowsCannotBeHeldTo) {
  const auto live = LiveWindows::make(reference(), options_of(hours_of())).value();
  EXPECT_TRUE(live->check_by(rules()));
  EXPECT_TRUE(live->unfit()->empty());
  EXPECT_TRUE(live->check_by({{.kind = Rule::Kind::kNotNull, .column = "colours"}}));
  ASSERT_EQ(live->unfit()->size(), 1U);
  EXPECT_EQ(live->unfit()->at(0), "columns.colours.not_null: unknown column \"colours\"; did you mean \"colour\"?");
  EXPECT_EQ(live->check_by({{.kind = Rule::Kind::kRegex, .column = "colour", .texts = {"["}}}).error().code,
            Code::kUsage);
}

}  // namespace
}  // namespace vigie::engine
