// SPDX-License-Identifier: Apache-2.0
#include "engine/live_windows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "engine/kept_counts.h"
#include "engine/memory_input_internal.h"

namespace vigie::engine {
namespace {

constexpr double kHour = 3600e6, kStart = 1'700'006'400e6;  // µs; 2023-11-15T00:00:00Z

struct Rows {
  std::vector<double> time, x;
  std::vector<std::string> colour;
};

// A row each 30 seconds; from `broken` hours on x is moved.
Rows rows_of(int hours, unsigned seed, int broken) {
  std::mt19937_64 rng(seed);
  std::normal_distribution<double> law;
  Rows rows;
  for (int i = 0; i < hours * 120; ++i) {
    rows.time.push_back(kStart + i * 30e6);
    rows.x.push_back(law(rng) + (i >= broken * 120 ? 3 : 0));
    rows.colour.push_back(rng() % 3 ? "red" : i % 50 == 7 ? "" : "blue");
  }
  return rows;
}

void fill(MemoryInput& input, const Rows& rows) {
  // In the order that LiveWindows asks for.
  input.add("x", rows.x).add("colour", rows.colour).add("time", rows.time, table::Type::kTimestamp);
}

std::shared_ptr<const Profile> reference_of(WindowSpec window) {
  MemoryInput input("reference");
  fill(input, rows_of(60, 1, 60));
  ProfileOptions options;
  options.roles.timestamp = "time";
  options.window = std::move(window);
  auto profile = make_profile(input, options);
  EXPECT_TRUE(profile) << (profile ? "" : profile.error().message);
  return std::make_shared<const Profile>(std::move(*profile));
}

// What a window came to, to the last digit.
std::string told(const WindowResult& window) {
  std::string out =
      fmt::format("{} {} {} {}:", window.start.value_or("-"), window.rows, to_string(window.verdict), window.partial);
  for (const auto& c : window.columns)
    out +=
        fmt::format(" {} {} {} {} {} {},", c.column, c.method, to_string(c.verdict), c.p_value, c.p_adjusted, c.effect);
  for (const auto& q : window.quality)
    if (q.verdict != "pass") out += fmt::format(" {} {} {} {},", q.check, q.column.value_or(""), q.verdict, q.value);
  return out;
}

// The batches of an input as they come; the clock is at the time of the last row.
struct Feed {
  std::unique_ptr<table::Reader> reader;
  std::unique_ptr<LiveWindows> live;
  std::vector<std::string> found;

  Feed(MemoryInput& input, std::shared_ptr<const Profile> profile, LiveOptions options)
      : live(LiveWindows::make(std::move(profile), std::move(options)).value()) {
    reader = input.open(live->schema()).value();
  }
  bool step(std::int64_t now) {
    auto batch = std::move(*reader->next());
    if (!batch) return false;
    EXPECT_TRUE(live->add(*batch, now));
    close(now);
    return true;
  }
  void close(std::int64_t now, bool all = false) {
    auto closed = live->close(now, all);
    EXPECT_TRUE(closed) << (closed ? "" : closed.error().message);
    for (const auto& one : *closed) found.push_back(told(one.result));
  }
};

std::vector<std::string> in_a_file(const Profile& profile, const Rows& rows, const CompareOptions& options) {
  MemoryInput input("current");
  fill(input, rows);
  auto whole = compare(profile, input, options).value();
  std::vector<std::string> out;
  for (const auto& window : whole.windows) out.push_back(told(window));
  return out;
}

TEST(LiveWindows, HaveTheVerdictsOfTheSameRowsInAFile) {
  WindowSpec hours;
  hours.kind = WindowSpec::Kind::kHour;
  const auto profile = reference_of(hours);
  const auto rows = rows_of(12, 2, 9);
  LiveOptions options;
  options.compare.window = hours;
  const auto want = in_a_file(*profile, rows, options.compare);
  ASSERT_EQ(want.size(), 12U);
  EXPECT_NE(want[10].find("drift"), std::string::npos) << want[10];
  EXPECT_EQ(want[3].find("drift"), std::string::npos) << want[3];
  for (std::int64_t batch : {1, 7, 50, 1000, 100'000}) {
    MemoryInput input("current", batch);
    fill(input, rows);
    options.again = [&] { return Result<std::shared_ptr<const Profile>>(profile); };
    if (batch == 50) options.again = {};
    Feed feed(input, profile, options);
    while (feed.step(static_cast<std::int64_t>(kStart + 12 * kHour)))
      if (batch == 7) feed.live->rest();
    EXPECT_EQ(feed.live->rests(), batch == 7);
    feed.live->rest();
    EXPECT_EQ(feed.live->rests(), batch != 50);
    if (batch < 1000) {
      EXPECT_EQ(feed.found.size(), 11U);
      EXPECT_EQ(feed.live->open(), 1U);
    }
    feed.close(0, true);
    EXPECT_EQ(feed.found, want) << batch;
  }
}

TEST(LiveWindows, OfMinutesHaveThemToo) {
  for (const std::int64_t length : {15, 20}) {
    WindowSpec minutes;
    minutes.kind = WindowSpec::Kind::kMinutes, minutes.minutes = length, minutes.zone = "Asia/Kathmandu";
    const auto profile = reference_of(minutes);
    const auto rows = rows_of(5, 2, 3);
    LiveOptions options;
    options.compare.window = minutes;
    const auto want = in_a_file(*profile, rows, options.compare);
    ASSERT_EQ(want.size(), length == 15 ? 20U : 16U);
    EXPECT_NE(want[14].find("drift"), std::string::npos) << want[14];
    MemoryInput input("current", 7);
    fill(input, rows);
    Feed feed(input, profile, options);
    while (feed.step(static_cast<std::int64_t>(kStart + 5 * kHour))) {
    }
    feed.close(0, true);
    EXPECT_EQ(feed.found, want) << length;
  }
}

TEST(LiveWindows, OfAMinuteAreOverASecondLater) {
  WindowSpec minute;
  minute.kind = WindowSpec::Kind::kMinutes, minute.minutes = 1;
  LiveOptions options;
  options.compare.window = minute;
  MemoryInput input("current", 2);  // a minute of rows
  fill(input, rows_of(1, 2, 1));
  Feed feed(input, reference_of(minute), options);
  const auto end = static_cast<std::int64_t>(kStart + 60e6);
  ASSERT_TRUE(feed.step(end - 30'000'000));
  feed.close(end - 1);
  EXPECT_TRUE(feed.found.empty());
  feed.close(end);
  ASSERT_EQ(feed.found.size(), 1U);
  EXPECT_TRUE(feed.found[0].starts_with("2023-11-15T00:00:00Z 2 ")) << feed.found[0];
}

TEST(LiveWindows, ThoseThatWereCountedElsewhereAreJudgedAlike) {
  WindowSpec hours;
  hours.kind = WindowSpec::Kind::kHour;
  const auto profile = reference_of(hours);
  LiveOptions options;
  options.compare.window = hours, options.compare.quality = false;
  MemoryInput input("current");
  fill(input, rows_of(6, 2, 3));
  Feed here(input, profile, options);
  std::vector<std::pair<std::int64_t, std::string>> saved;
  here.live->judge_by(
      [&](const auto& window, const auto& data, auto& counted, const auto*, const auto&, const auto& own) {
        saved.emplace_back(window.key, save_counts(counted));
        return own.judge(data, counted);
      });
  while (here.step(static_cast<std::int64_t>(kStart + 6 * kHour))) {
  }
  here.close(0, true);
  ASSERT_EQ(saved.size(), 6U);

  const auto now = static_cast<std::int64_t>(kStart + 7 * kHour);
  Feed there(input, profile, options);
  std::uint64_t place = 10;
  for (const auto& [key, counts] : saved) {
    there.live->at(place);
    EXPECT_TRUE(there.live->add_counts(key, read_counts(counts, *there.live->axes()).value(), now).value());
    static_cast<void>(there.live->keep(place + 1));  // which they are not in
    EXPECT_EQ(there.live->resume().place, place++);
    there.close(now);
    // One that comes again was told of.
    EXPECT_FALSE(there.live->add_counts(key, read_counts(counts, *there.live->axes()).value(), now).value());
    there.close(now);
  }
  EXPECT_EQ(there.found, here.found);
  EXPECT_EQ(there.live->resume().place, LiveWindows::Resume::kNowhere);

  options.compare.window.kind = WindowSpec::Kind::kRows, options.compare.window.rows = 10;
  const auto by_rows = LiveWindows::make(profile, options).value();
  EXPECT_EQ(by_rows->add_counts(0, read_counts(saved[0].second, *profile).value(), now).error().code, Code::kUsage);
}

TEST(LiveWindows, ByRowsCloseWhenTheyAreFull) {
  WindowSpec by_rows;
  by_rows.kind = WindowSpec::Kind::kRows, by_rows.rows = 100;
  const auto profile = reference_of(by_rows);
  const auto rows = rows_of(4, 2, 2);
  LiveOptions options;
  options.compare.window = by_rows;
  const auto want = in_a_file(*profile, rows, options.compare);
  MemoryInput input("current", 30);
  fill(input, rows);
  Feed feed(input, profile, options);
  while (feed.step(0)) {
  }
  EXPECT_EQ(feed.found.size(), 4U);
  feed.close(0, true);
  EXPECT_EQ(feed.found, want);
}

// Stopped at any batch and begun anew where it says, it finds the same windows, and each once.
WindowSpec hours_or(std::int64_t rows) {
  WindowSpec spec;
  spec.kind = WindowSpec::Kind::kHour, spec.rows = rows;
  return spec;
}

std::string cut_of(const LiveWindows::Closed& one) {
  return fmt::format("{}:{} {}..{} {} rows{}{}", one.key >> 20, one.part,
                     (one.start - std::llround(kStart)) / 1'000'000, (one.end - std::llround(kStart)) / 1'000'000,
                     one.result.rows, one.result.partial ? " partial" : "",
                     std::any_of(one.result.quality.begin(), one.result.quality.end(),
                                 [](const auto& q) { return q.check == "volume"; })
                         ? " volume"
                         : "");
}

TEST(LiveWindows, ByRowsOrTimeEndWithWhateverIsFirst) {
  const auto hour = std::llround(kStart / kHour);
  std::vector<std::string> want;
  for (int i = 0; i < 3; ++i)
    for (int part = 0; part < 3; ++part)
      want.push_back(part < 2 ? fmt::format("{}:{} {}..{} 50 rows", hour + i, part, i * 3600 + part * 1500,
                                            i * 3600 + part * 1500 + 1470)
                              : fmt::format("{}:2 {}..{} 20 rows", hour + i, i * 3600 + 3000, i * 3600 + 3600));
  for (const std::int64_t batch : {1, 7, 50, 1000}) {
    LiveOptions options;
    options.compare.window = hours_or(50), options.allowed_lateness = 7'200'000'000;
    MemoryInput input("current", batch);
    fill(input, rows_of(3, 2, 3));
    Feed feed(input, reference_of(hours_or(0)), options);
    feed.live->allow_lateness(7'200'000'000);
    std::vector<std::string> found;
    std::vector<std::string> starts;
    const auto take = [&](std::int64_t now, bool all) {
      const auto closed = feed.live->close(now, all).value();
      for (const auto& one : closed) found.push_back(cut_of(one)), starts.push_back(one.result.start.value());
    };
    const auto now = static_cast<std::int64_t>(kStart + 3 * kHour);
    while (auto rows = std::move(*feed.reader->next())) {
      ASSERT_TRUE(feed.live->add(*rows, now - 1'000'000));
      take(now - 1'000'000, false);
    }
    take(now + 1, false);
    EXPECT_EQ(found, want) << batch;
    EXPECT_EQ(starts.at(4), "2023-11-15T01:25:00Z");
    EXPECT_EQ(feed.live->open(), 0U);
    EXPECT_EQ(feed.live->astray(), LiveWindows::Astray());
  }
}

TEST(LiveWindows, ByRowsOrTimeWithFewRowsAreThoseOfTheCalendar) {
  const auto profile = reference_of(hours_or(0));
  const auto rows = rows_of(6, 2, 4);
  LiveOptions options;
  options.compare.window = hours_or(121);
  MemoryInput input("current", 50);
  fill(input, rows);
  Feed feed(input, profile, options);
  while (feed.step(static_cast<std::int64_t>(kStart + 6 * kHour))) {
  }
  feed.close(0, true);
  EXPECT_EQ(feed.found, in_a_file(*profile, rows, options.compare));
}

// A reference of whole hours says how much parts of them differ: those of unchanged data are no drift more often.
TEST(LiveWindows, ByRowsOrTimeFindNoMoreThanOthers) {
  LiveOptions options;
  options.compare.window = hours_or(50), options.compare.quality = false;
  const auto profile = reference_of(hours_or(0));
  MemoryInput input("current", 1000);
  fill(input, rows_of(280, 5, 280));
  Feed feed(input, profile, options);
  while (feed.step(static_cast<std::int64_t>(kStart + 280 * kHour))) {
  }
  const auto parts =
      std::count_if(feed.found.begin(), feed.found.end(), [](const auto& one) { return one.find(" 50 ") != one.npos; });
  const auto drift = std::count_if(feed.found.begin(), feed.found.end(),
                                   [](const auto& one) { return one.find(" 50 drift") != one.npos; });
  EXPECT_EQ(parts, 560);
  RecordProperty("drift", std::to_string(drift));
  EXPECT_LT(static_cast<double>(drift) / 560, .05 + 3 * std::sqrt(.05 * .95 / 560));
}

// What was kept, and what is read again, is cut alike.
TEST(LiveWindows, ByRowsOrTimeGoOnAfterAStartAnew) {
  const auto profile = reference_of(hours_or(0));
  const auto all = rows_of(3, 2, 3);
  const auto now = static_cast<std::int64_t>(kStart + 3 * kHour);
  LiveOptions options;
  options.compare.window = hours_or(50);
  const std::int64_t rows = std::ssize(all.time), batch = 7;
  const auto run = [&](std::int64_t stop, bool kept) {
    std::vector<std::string> found;
    std::string saved;
    LiveWindows::Resume from;
    const auto feed = [&](LiveWindows& live, std::int64_t first, std::int64_t last) {
      for (auto at = first; at < last; at += batch) {
        Rows some;
        for (auto i = at; i < std::min(at + batch, rows); ++i) {
          const auto k = static_cast<std::size_t>(i);
          some.time.push_back(all.time[k]), some.x.push_back(all.x[k]), some.colour.push_back(all.colour[k]);
        }
        MemoryInput input("current", batch);
        fill(input, some);
        auto reader = input.open(live.schema()).value();
        auto next = std::move(*reader->next());
        live.at(static_cast<std::uint64_t>(at));
        EXPECT_TRUE(live.add(*next, now - 1'000'000));
        if (kept && at == stop / 2 / batch * batch) saved = live.keep(static_cast<std::uint64_t>(at + batch));
        const auto closed = live.close(now - 1'000'000).value();
        for (const auto& one : closed) found.push_back(cut_of(one));
      }
    };
    {
      auto live = LiveWindows::make(profile, options).value();
      feed(*live, 0, stop);
      live->at(static_cast<std::uint64_t>(stop));
      from = live->resume();
    }
    auto live = LiveWindows::make(profile, options).value();
    if (kept) {
      EXPECT_TRUE(live->load(saved));
    }
    live->resume(from);
    feed(*live, from.place == LiveWindows::Resume::kNowhere ? stop : static_cast<std::int64_t>(from.place), rows);
    const auto closed = live->close(now + 1).value();
    for (const auto& one : closed) found.push_back(cut_of(one));
    EXPECT_EQ(live->astray(), LiveWindows::Astray()) << stop;
    return found;
  };
  const auto want = run(0, false);
  ASSERT_EQ(want.size(), 9U);
  for (std::int64_t stop = batch; stop < rows; stop += batch) {
    EXPECT_EQ(run(stop, false), want) << stop;
    EXPECT_EQ(run(stop, true), want) << stop << " kept";
  }
}

TEST(LiveWindows, ByRowsOrTimeAreNotRestated) {
  LiveOptions options;
  options.compare.window = hours_or(50);
  const auto rows = rows_of(2, 2, 2);
  MemoryInput input("current", 240), again("again", 120);
  fill(input, rows), fill(again, rows_of(1, 3, 1));
  Feed feed(input, reference_of(hours_or(0)), options);
  feed.live->allow_lateness(3'600'000'000);
  ASSERT_TRUE(feed.step(static_cast<std::int64_t>(kStart + 2 * kHour) + 1));
  const auto told = feed.found.size();
  feed.reader = again.open(feed.live->schema()).value();
  ASSERT_TRUE(feed.step(static_cast<std::int64_t>(kStart + 2 * kHour) + 2));
  EXPECT_EQ(feed.found.size(), told);
  EXPECT_EQ(feed.live->astray().late, 120);
  EXPECT_FALSE(feed.live->shares());
  EXPECT_TRUE(feed.live->parts(0, 0).empty());
}

TEST(LiveWindows, GoOnAfterAStartAnew) {
  WindowSpec by_rows, hours;
  by_rows.kind = WindowSpec::Kind::kRows, by_rows.rows = 100;
  hours.kind = WindowSpec::Kind::kHour;
  const auto rows = rows_of(4, 2, 2);
  for (const auto& spec : {by_rows, hours}) {
    const auto profile = reference_of(spec);
    LiveOptions options;
    options.compare.window = spec;
    const auto want = in_a_file(*profile, rows, options.compare);
    for (std::uint64_t stop = 1; stop < 16; ++stop) {
      std::vector<std::string> found;
      LiveWindows::Resume from;
      for (const bool first : {true, false}) {
        MemoryInput input("current", 30);
        fill(input, rows);
        Feed feed(input, profile, options);
        feed.live->resume(from);
        for (std::uint64_t skipped = 0; skipped < from.place; ++skipped) (void)feed.reader->next();
        for (auto place = from.place; !first || place < stop; ++place) {
          feed.live->at(place);
          if (!feed.step(static_cast<std::int64_t>(kStart + 4 * kHour))) break;
        }
        if (!first) feed.close(0, true);
        found.insert(found.end(), feed.found.begin(), feed.found.end());
        feed.live->at(stop);
        from = feed.live->resume();
      }
      EXPECT_EQ(found, want) << stop << " " << to_string(spec);
    }
  }
}

// Columns of every kind: texts, lists, names that the reference lacks, missing values. From `broken` rows on they
// differ.
void fill_all_kinds(MemoryInput& input, int rows, unsigned seed, int broken) {
  std::mt19937_64 rng(seed);
  std::normal_distribution<double> law;
  Rows known;
  std::vector<std::string> note;
  MemoryInput::Lists vectors{3, {}};
  constexpr std::array kWords{"late", "early", "a", "parcel", "was", "sent", "to", "nobody", "12,5", "again"};
  for (int i = 0; i < rows; ++i) {
    const bool bad = i >= broken;
    known.time.push_back(kStart + i * 30e6);
    known.x.push_back(rng() % 20 ? law(rng) + bad : std::nan(""));
    known.colour.push_back(rng() % 3 ? "red" : bad ? fmt::format("new{}", rng() % 9) : "blue");
    auto& text = note.emplace_back();
    for (auto words = 1 + rng() % 6; words > 0; --words)
      text += fmt::format("{} ", kWords[rng() % (bad ? kWords.size() : 6)]);
    for (int k = 0; k < 3; ++k) vectors.values.push_back(law(rng) + (bad ? .5 : 0));
  }
  input.add("x", known.x).add("colour", known.colour).add("note", note).add("v", vectors);
  input.add("time", known.time, table::Type::kTimestamp);
}

// What another one is told of what was kept finds what the first would have found, to the last digit.
TEST(LiveWindows, GoOnFromWhatWasKept) {
  WindowSpec by_rows, hours;
  by_rows.kind = WindowSpec::Kind::kRows, by_rows.rows = 100;
  hours.kind = WindowSpec::Kind::kHour;
  for (const auto& spec : {by_rows, hours}) {
    MemoryInput before("reference");
    fill_all_kinds(before, 4000, 1, 4000);
    ProfileOptions profiling;
    profiling.roles.timestamp = "time";
    profiling.window = spec;
    profiling.segments = {{"colour"}};
    const auto profile = std::make_shared<const Profile>(make_profile(before, profiling).value());
    LiveOptions options;
    options.compare.window = spec;
    options.compare.segments = {{"colour"}};
    options.allowed_lateness = static_cast<std::int64_t>(kHour);
    const auto now = static_cast<std::int64_t>(kStart + 5 * kHour);
    const auto feed_of = [&](MemoryInput& input) {
      fill_all_kinds(input, 500, 2, 250);
      return Feed(input, profile, options);
    };
    MemoryInput at_once("current", 30);
    auto whole = feed_of(at_once);
    while (whole.step(now)) {
    }
    whole.close(now, true);
    ASSERT_GE(whole.found.size(), 5U);
    EXPECT_TRUE(
        std::ranges::any_of(whole.found, [](const auto& window) { return window.find("drift") != window.npos; }));

    for (std::uint64_t stop = 1; stop < 17; stop += 5)
      for (std::uint64_t kept_at = 0; kept_at <= stop; kept_at += 3) {
        MemoryInput input("current", 30);
        auto first = feed_of(input);
        std::string kept;
        for (std::uint64_t place = 0; place <= stop; ++place) {
          if (place == kept_at) kept = first.live->keep(place);
          first.live->at(place);
          if (place < stop) {
            EXPECT_TRUE(first.step(now));
          }
        }
        const auto from = first.live->resume();
        if (kept_at == stop)
          EXPECT_EQ(from.place, LiveWindows::Resume::kNowhere);
        else
          EXPECT_GE(from.place, kept_at);

        MemoryInput again("current", 30);
        auto second = feed_of(again);
        ASSERT_TRUE(second.live->load(kept));
        second.live->resume(from);
        const auto begin = std::min(from.place, stop);
        for (std::uint64_t place = 0; place < begin; ++place) (void)second.reader->next();
        for (auto place = begin;; ++place) {
          second.live->at(place);
          if (!second.step(now)) break;
        }
        second.close(now, true);
        auto found = first.found;
        found.insert(found.end(), second.found.begin(), second.found.end());
        EXPECT_EQ(found, whole.found) << to_string(spec) << ", kept at " << kept_at << ", stopped at " << stop;
      }
  }
}

// Bytes that were cut off or altered are refused, or are those of other counts: nothing is read beyond them.
TEST(LiveWindows, RefuseWhatTheyDidNotKeep) {
  WindowSpec hours;
  hours.kind = WindowSpec::Kind::kHour;
  const auto profile = reference_of(hours);
  LiveOptions options;
  options.compare.window = hours;
  MemoryInput input("current", 50);
  fill(input, rows_of(1, 2, 1));
  Feed feed(input, profile, options);
  EXPECT_TRUE(feed.step(static_cast<std::int64_t>(kStart)));
  const auto kept = feed.live->keep(1);
  EXPECT_TRUE(LiveWindows::make(profile, options).value()->load(kept));
  for (std::size_t i = 0; i < kept.size(); i += 1 + i / 200)
    EXPECT_EQ(LiveWindows::make(profile, options).value()->load(kept.substr(0, i)).error().code, Code::kCorrupt) << i;
  std::mt19937_64 rng(3);
  int refused = 0;
  for (int i = 0; i < 300; ++i) {
    auto altered = kept;
    altered[rng() % altered.size()] ^= static_cast<char>(1 + rng() % 255);
    auto live = LiveWindows::make(profile, options).value();
    if (live->load(altered))
      (void)live->close(0, true);
    else
      ++refused;
  }
  EXPECT_GT(refused, 30);
}

TEST(LiveWindows, EndByTheClockAndCountWhatIsLate) {
  WindowSpec hours;
  hours.kind = WindowSpec::Kind::kHour;
  LiveOptions options;
  options.compare.window = hours;
  options.lateness = 60'000'000;
  auto rows = rows_of(2, 2, 9);
  rows.time[100] = kStart + 400 * kHour;  // a clock that jumped: it is in no window
  rows.time[200] = kStart;                // late, and so is what stands at the place of the last
  MemoryInput input("current", 20);
  fill(input, rows);
  Feed feed(input, reference_of(hours), options);
  const auto now = [&](double hour) { return static_cast<std::int64_t>(kStart + hour * kHour); };
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(feed.step(now(1)));
  EXPECT_TRUE(feed.found.empty());
  EXPECT_EQ(feed.live->open(), 1U);
  EXPECT_EQ(feed.live->astray().early, 1);
  feed.close(now(1.01));  // within its lateness
  EXPECT_TRUE(feed.found.empty());
  feed.live->at(7);
  feed.close(now(1.02));
  EXPECT_EQ(feed.found.size(), 1U);
  EXPECT_EQ(feed.live->astray().late, 0);
  while (feed.step(now(1.5))) {
  }
  EXPECT_EQ(feed.live->astray().late, 1);
  EXPECT_EQ(feed.live->open(), 1U);
  feed.close(now(500));
  EXPECT_EQ(feed.live->open(), 0U);
  EXPECT_EQ(feed.live->resume().place, 7U);
}

TEST(LiveWindows, GoOnOnceAClockThatWasWrongIsSetBack) {
  WindowSpec hours;
  hours.kind = WindowSpec::Kind::kHour;
  LiveOptions options;
  options.compare.window = hours;
  auto rows = rows_of(3, 2, 9);
  for (int i = 100; i < 120; ++i) rows.time[static_cast<std::size_t>(i)] += 400 * 24 * kHour;
  MemoryInput input("current", 20);
  fill(input, rows);
  Feed feed(input, reference_of(hours), options);
  const auto now = [&](double hour) { return static_cast<std::int64_t>(kStart + hour * kHour); };
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(feed.step(now(1)));
  EXPECT_TRUE(feed.step(now(1 + 400 * 24)));
  ASSERT_EQ(feed.found.size(), 1U);
  for (int i = 0; i < 12; ++i) EXPECT_TRUE(feed.step(now(3)));
  feed.close(0, true);
  ASSERT_EQ(feed.found.size(), 4U);
  for (const auto* start : {"2023-11-15T01:00:00Z 120 ", "2023-11-15T02:00:00Z 120 ", "2024-12-19T00:00:00Z 20 "})
    EXPECT_EQ(std::count_if(feed.found.begin(), feed.found.end(), [&](const auto& w) { return w.starts_with(start); }),
              1)
        << start << feed.found[3];
  EXPECT_EQ(feed.live->astray(), LiveWindows::Astray{});
}

// Rows that come when their hour is over restate it: what is then told is what compare() has of all of them. A start
// anew meanwhile tells of no window twice.
TEST(LiveWindows, AreRestatedByLateRows) {
  WindowSpec hours;
  hours.kind = WindowSpec::Kind::kHour;
  const auto profile = reference_of(hours);
  LiveOptions options;
  options.compare.window = hours;
  options.allowed_lateness = static_cast<std::int64_t>(kHour);
  options.ahead = static_cast<std::int64_t>(4 * kHour);
  const auto whole = rows_of(3, 2, 9);
  const auto want = in_a_file(*profile, whole, options.compare);
  auto rows = whole;
  // The last rows of the first hour come half an hour late, those of the second an hour and more.
  const auto move_behind = [&](int from, int to, int behind) {
    const auto move = [&](auto& values) {
      std::rotate(values.begin() + from, values.begin() + to, values.begin() + behind);
    };
    move(rows.time), move(rows.x), move(rows.colour);
  };
  move_behind(100, 120, 180);
  const auto now = static_cast<std::int64_t>(kStart);
  const auto second = [&](std::int64_t n) { return now + n * 1'000'000; };
  LiveWindows::Resume from;
  for (const bool anew : {false, true}) {
    MemoryInput input("current", 20);
    fill(input, rows);
    Feed feed(input, profile, options);
    feed.live->resume(from);
    std::uint64_t place = 0;
    const auto step = [&](std::int64_t clock) {
      feed.live->at(place++);
      return feed.step(clock);
    };
    while (place < 8) EXPECT_TRUE(step(second(0)));
    EXPECT_EQ(feed.found.size(), anew ? 0U : 1U);
    EXPECT_TRUE(step(second(1)));
    EXPECT_EQ(feed.live->open(), 1U);
    EXPECT_EQ(feed.found.size(), anew ? 0U : 1U);
    feed.close(second(2));
    if (!anew) {
      ASSERT_EQ(feed.found.size(), 2U);
      EXPECT_NE(feed.found[0], want[0]);
      EXPECT_EQ(feed.found[1], want[0]);
      feed.live->at(place);
      from = feed.live->resume();
      EXPECT_EQ(from.place, 0U);
      ASSERT_EQ(from.told.size(), 1U);
      EXPECT_EQ(from.told[0].at_first, 100);
      EXPECT_EQ(from.told[0].rows, 120);
      EXPECT_EQ(from.told[0].times, 2);
      continue;
    }
    EXPECT_TRUE(feed.found.empty());
    while (step(second(3))) {
    }
    feed.close(second(4), true);
    EXPECT_EQ(feed.found, std::vector(want.begin() + 1, want.end()));
    EXPECT_EQ(feed.live->astray().late, 0);
  }
}

TEST(LiveWindows, CountWhatComesLaterThanIsAllowed) {
  WindowSpec hours;
  hours.kind = WindowSpec::Kind::kHour;
  LiveOptions options;
  options.compare.window = hours;
  options.allowed_lateness = static_cast<std::int64_t>(kHour / 2);
  auto rows = rows_of(3, 2, 9);
  rows.time[130] = kStart;  // 5 minutes late
  rows.time[250] = kStart;  // an hour
  MemoryInput input("current", 10);
  fill(input, rows);
  Feed feed(input, reference_of(hours), options);
  while (feed.step(static_cast<std::int64_t>(kStart + 3 * kHour))) {
  }
  EXPECT_EQ(feed.live->astray().late, 1);
  feed.close(0, true);
  EXPECT_EQ(feed.found.size(), 4U);
}

// Half a day in hours, of which the last are others than the reference, and what they come to in a file.
struct HalfADay {
  std::shared_ptr<const Profile> profile;
  Rows rows;
  LiveOptions options;
  std::vector<std::string> want;
};
HalfADay half_a_day() {
  WindowSpec hours;
  hours.kind = WindowSpec::Kind::kHour;
  HalfADay out{reference_of(hours), rows_of(12, 2, 9), {}, {}};
  out.options.compare.window = hours;
  out.want = in_a_file(*out.profile, out.rows, out.options.compare);
  return out;
}

// Three that share their windows, each with every third row; none has told of any.
struct Three {
  static constexpr std::array<const char*, 3> kNames{"a", "b", "c"};
  static constexpr auto kNow = static_cast<std::int64_t>(kStart + 13 * kHour);
  bool told = false;  // each the others all that it has
  std::vector<Feed> feeds;

  Three(const std::shared_ptr<const Profile>& profile, const Rows& rows, const LiveOptions& options) {
    for (std::size_t k = 0; k < kNames.size(); ++k) {
      Rows some;
      for (std::size_t i = k; i < rows.x.size(); i += kNames.size())
        some.time.push_back(rows.time[i]), some.x.push_back(rows.x[i]), some.colour.push_back(rows.colour[i]);
      MemoryInput input("current");
      fill(input, some);
      auto& feed = feeds.emplace_back(input, profile, options);
      feed.live->share({.name = kNames[k], .complete = [this](auto, auto) { return told; }});
      while (feed.step(kNow - 2'000'000)) {
      }
    }
  }
  std::vector<LiveWindows::Part> parts(std::size_t of) { return feeds[of].live->parts(kNow, 0); }
  static void tell(LiveWindows& to, std::size_t by, const std::vector<LiveWindows::Part>& parts, std::int64_t now) {
    for (const auto& part : parts) EXPECT_EQ(to.add_part(kNames[by], part, now).value_or(false), true);
  }
};

TEST(LiveWindows, WhatThreeCountedTogetherIsWhatOneCounts) {
  const auto [profile, rows, options, want] = half_a_day();
  Three three(profile, rows, options);
  std::vector<std::vector<LiveWindows::Part>> parts;
  for (std::size_t k = 0; k < 3; ++k) {
    const auto& live = *three.feeds[k].live;
    const auto first = live.first_untold(Three::kNow);
    parts.push_back(three.parts(k));
    ASSERT_EQ(parts[k].size(), want.size());
    EXPECT_EQ(first, parts[k][0].key);
    EXPECT_EQ(live.first_untold(Three::kNow), std::nullopt);
    EXPECT_TRUE(three.parts(k).empty());
    three.feeds[k].close(Three::kNow);
    EXPECT_TRUE(three.feeds[k].found.empty());  // it waits for the others
  }
  for (std::size_t to = 0; to < 3; ++to)
    for (std::size_t by = 0; by < 3; ++by)
      if (by != to) Three::tell(*three.feeds[to].live, by, parts[by], Three::kNow);
  three.told = true;
  for (auto& feed : three.feeds) {
    feed.close(Three::kNow);
    EXPECT_EQ(feed.found, want);
  }
  // What was told before is no news, and what cannot be read alters nothing.
  auto& first = three.feeds[0];
  Three::tell(*first.live, 1, parts[1], Three::kNow);
  auto bad = parts[1][0];
  bad.counted.resize(bad.counted.size() / 2);
  const auto refused = first.live->add_part("b", bad, Three::kNow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kCorrupt);
  first.close(Three::kNow + 2'000'000);
  EXPECT_EQ(first.found, want);
  // After a while it waits for nothing more.
  first.close(Three::kNow + 400'000'000);
  EXPECT_EQ(first.live->add_part("b", parts[1][0], Three::kNow).value_or(true), false);
}

TEST(LiveWindows, APartThatComesLateRestatesItsWindow) {
  const auto [profile, rows, options, want] = half_a_day();
  Three three(profile, rows, options);
  auto& first = three.feeds[0];
  three.told = true;
  const std::array parts{three.parts(1), three.parts(2)};
  Three::tell(*first.live, 1, parts[0], Three::kNow);
  first.close(Three::kNow);
  EXPECT_EQ(first.found.size(), want.size());
  EXPECT_NE(first.found, want);
  // Over a start anew: windows as they were kept, and what others told as whoever keeps it tells it again.
  const auto kept = first.live->keep(0);
  const auto from = first.live->resume();
  auto anew = LiveWindows::make(profile, options).value();
  anew->share({.name = "a", .complete = [](auto, auto) { return true; }});
  ASSERT_TRUE(anew->load(kept));
  anew->resume(from);
  Three::tell(*anew, 1, parts[0], Three::kNow);
  first.live = std::move(anew), first.found.clear();
  first.close(Three::kNow + 2'000'000);
  EXPECT_TRUE(first.found.empty());
  Three::tell(*first.live, 2, parts[1], Three::kNow + 2'000'000);
  first.close(Three::kNow + 4'000'000);
  EXPECT_EQ(first.found, want);
}

TEST(LiveWindows, RowsThatComeAgainAreNotLateInWindowsThatWaitForOthers) {
  const auto [profile, rows, options, want] = half_a_day();
  Three three(profile, rows, options);
  three.told = true;
  const std::array parts{three.parts(1), three.parts(2)};
  auto& first = three.feeds[0];
  Three::tell(*first.live, 1, parts[0], Three::kNow);
  first.close(Three::kNow);
  const auto from = first.live->resume();
  // A start anew that kept nothing but what was told: what others said is there first, then its own rows come again.
  Three again(profile, {}, options);
  again.told = true;
  auto& anew = *again.feeds[0].live;
  anew.resume(from);
  Three::tell(anew, 1, parts[0], Three::kNow);
  Rows own;
  for (std::size_t i = 0; i < rows.x.size(); i += 3)
    own.time.push_back(rows.time[i]), own.x.push_back(rows.x[i]), own.colour.push_back(rows.colour[i]);
  MemoryInput input("current", 50);
  fill(input, own);
  auto reader = input.open(anew.schema()).value();
  while (auto batch = std::move(*reader->next())) ASSERT_TRUE(anew.add(*batch, Three::kNow - 2'000'000));
  EXPECT_EQ(anew.astray().late, 0);
  Three::tell(anew, 2, parts[1], Three::kNow + 2'000'000);
  again.feeds[0].close(Three::kNow + 4'000'000);
  EXPECT_EQ(again.feeds[0].found, want);
}

}  // namespace
}  // namespace vigie::engine
