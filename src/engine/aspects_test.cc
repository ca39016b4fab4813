// SPDX-License-Identifier: Apache-2.0
#include "engine/aspects.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "engine/aspect_values_internal.h"
#include "engine/compare.h"
#include "engine/memory_input_internal.h"
#include "engine/vocabulary.h"

namespace vigie::engine {
namespace {

constexpr double kHour = 3.6e9, kDay = 24 * kHour;

// Times of a service that people use by day, less on weekends, from `from` on; `late`: hours that all of it is shifted.
std::vector<double> visits(std::mt19937_64& rng, double from, double days, double per_day, double late = 0) {
  std::vector<double> times;
  std::exponential_distribution<double> gap(1);
  std::uniform_real_distribution<double> uniform;
  for (double t = from; (t += gap(rng) * kDay / (2.5 * per_day)) < from + days * kDay;) {
    const double local = t - late * kHour, hour = std::fmod(local, kDay) / kHour;
    const bool weekend = static_cast<std::int64_t>(local / kDay + 3) % 7 >= 5;
    const double rate = (1 - std::cos((hour - 4) * M_PI / 12)) * (weekend ? .6 : 1);
    if (uniform(rng) < rate / 2.5) times.push_back(t);
  }
  return times;
}

MemoryInput input_of(std::vector<double> times) {
  MemoryInput input("visits");
  std::vector<double> other(times.size());
  for (std::size_t i = 0; i < other.size(); ++i) other[i] = static_cast<double>(i * 7919 % 1009);
  input.add("at", std::move(times), table::Type::kTimestamp).add("x", std::move(other));
  return input;
}

Profile profile_of(std::vector<double> times, const WindowSpec& window = {}) {
  auto input = input_of(std::move(times));
  ProfileOptions options;
  options.window = window;
  auto profile = make_profile(input, options);
  EXPECT_TRUE(profile);
  return std::move(*profile);
}

Comparison compared(const Profile& reference, std::vector<double> times, const WindowSpec& window = {}) {
  auto input = input_of(std::move(times));
  CompareOptions options;
  options.window = window;
  auto found = compare(reference, input, options);
  EXPECT_TRUE(found);
  return std::move(*found);
}

const ColumnResult& result(const WindowResult& window, std::string_view method) {
  for (const auto& r : window.columns)
    if (r.column == "at" && r.method == method) return r;
  ADD_FAILURE() << method;
  return window.columns[0];
}

TEST(Aspects, HoursAndDaysAreCategoriesInTheZone) {
  std::vector<double> times;
  for (int i = 0; i < 24 * 14; ++i) times.push_back(i * kHour + 1e6);  // from Thursday 1970-01-01 on
  const auto utc = profile_of(times);
  ASSERT_EQ(utc.aspects.size(), 2U);
  EXPECT_EQ(info(utc.aspects[0].aspect).method->name, "hour_of_day");
  EXPECT_EQ(utc.aspects[0].profile.categories.size(), 24U);
  EXPECT_EQ(utc.aspects[1].profile.categories.size(), 7U);
  for (const auto& [zone, first] : {std::pair{"", "00 h"}, {"Asia/Kolkata", "05 h"}, {"America/New_York", "19 h"}}) {
    auto values = AspectValues::make(Aspect::kHourOfDay, zone);
    ASSERT_TRUE(values);
    const std::vector<double> one = {1e6, NAN};
    table::Column column;
    column.type = table::Type::kTimestamp, column.numbers = one;
    const auto coded = values->of(column);
    EXPECT_EQ(coded.dictionary[static_cast<std::size_t>(coded.codes[0])], first) << zone;
    EXPECT_EQ(coded.codes[1], -1);
  }
}

TEST(Aspects, DatesHaveNoHours) {
  std::vector<double> dates;
  for (int i = 0; i < 300; ++i) dates.push_back(i % 40 * kDay);
  const auto profile = profile_of(dates);
  ASSERT_EQ(profile.aspects.size(), 1U);
  EXPECT_EQ(profile.aspects[0].aspect, Aspect::kDayOfWeek);
}

TEST(Aspects, AFewHoursLackTheOthersByNature) {
  std::mt19937_64 rng(5);
  const auto reference = profile_of(visits(rng, 1000 * kDay, 60, 300));
  int judged = 0, loud = 0;
  for (double days : {.125, .5, 1., 3.5, 7., 7.5, 10., 14., 28.}) {
    for (int trial = 0; trial < 12; ++trial) {
      const auto found = compared(reference, visits(rng, (1100 + trial * 5) * kDay + (8 + trial) * kHour, days, 300));
      for (const auto* method : {"hour_of_day", "day_of_week"}) {
        const auto& r = result(found.windows[0], method);
        EXPECT_TRUE(r.verdict != Verdict::kNoData || std::isnan(r.effect)) << r.reason;
        judged += r.verdict != Verdict::kNoData;
        loud += r.verdict > Verdict::kOk;
        EXPECT_TRUE(days > 6 || r.verdict == Verdict::kNoData) << days;
      }
    }
  }
  EXPECT_GE(judged, 40);
  EXPECT_EQ(loud, 0);
}

TEST(Aspects, HealthyDaysSayWhatADayIs) {
  std::mt19937_64 rng(6);
  const WindowSpec days{.kind = WindowSpec::Kind::kRows, .rows = 400, .zone = {}};
  const auto reference = profile_of(visits(rng, 1000 * kDay, 60, 300), days);
  int loud = 0, judged = 0;
  const auto same = compared(reference, visits(rng, 1100 * kDay, 40, 300), days);
  for (const auto& w : same.windows) {
    const auto& r = result(w, "hour_of_day");
    judged += r.verdict != Verdict::kNoData;
    loud += r.verdict > Verdict::kOk;
  }
  EXPECT_GT(judged, 3);
  EXPECT_EQ(loud, 0);
}

TEST(Aspects, AnotherTimeOfDayIsDrift) {
  std::mt19937_64 rng(7);
  const auto reference = profile_of(visits(rng, 1000 * kDay, 60, 300));
  const auto found = compared(reference, visits(rng, 1100 * kDay, 14, 300, 5));
  const auto& r = result(found.windows[0], "hour_of_day");
  EXPECT_EQ(r.verdict, Verdict::kDrift) << r.reason;
  EXPECT_EQ(r.type, ColumnType::kTimestamp);
  EXPECT_EQ(r.effect_scale, "share of rows");
  EXPECT_NE(r.reason.find(" h\""), std::string::npos) << r.reason;
}

TEST(Aspects, AreSavedAndMerged) {
  std::mt19937_64 rng(8);
  const auto a = profile_of(visits(rng, 1000 * kDay, 30, 200)), b = profile_of(visits(rng, 1030 * kDay, 30, 200));
  const auto loaded = load_profile(save_profile(a), "a");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(save_profile(*loaded), save_profile(a));
  ASSERT_EQ(loaded->aspects.size(), 2U);
  const auto merged = merge_profiles(a, b);
  ASSERT_TRUE(merged);
  ASSERT_EQ(merged->aspects.size(), 2U);
  EXPECT_EQ(merged->aspects[0].profile.whole().rows(), a.rows + b.rows);
  const auto now = visits(rng, 1100 * kDay, 14, 200, 5);
  EXPECT_EQ(result(compared(*merged, now).windows[0], "hour_of_day").verdict, Verdict::kDrift);
}

// Sentences of a language whose words are as frequent as those of real ones; `shift` words of it are new.
std::vector<std::string> sentences(std::mt19937_64& rng, int rows, int words, int shift = 0) {
  std::vector<std::string> out;
  std::uniform_real_distribution<double> uniform;
  std::poisson_distribution<int> length(words);
  for (int i = 0; i < rows; ++i) {
    std::string text;
    for (int j = 1 + length(rng); j > 0; --j) {
      const auto word = static_cast<int>(std::pow(20'000, uniform(rng))) + shift;
      text += (text.empty() ? "W" : " w") + std::to_string(word) + (j % 5 == 0 ? "," : "");
    }
    out.push_back(text);
  }
  return out;
}

Comparison of_texts(const std::vector<std::string>& before, const std::vector<std::string>& now) {
  MemoryInput a("before", 300), b("now", 300);
  a.add("at", before), b.add("at", now);
  auto profile = make_profile(a, {});
  EXPECT_TRUE(profile);
  EXPECT_EQ(profile->columns[0].type, ColumnType::kText);
  auto loaded = load_profile(save_profile(*profile), "before");
  EXPECT_TRUE(loaded);
  auto found = compare(*loaded, b, {});
  EXPECT_TRUE(found);
  return std::move(*found);
}

TEST(Aspects, WordsAreRunsOfLettersInLowerCase) {
  std::vector<std::string> words;
  for_each_word("Don't — STOP, 3 times!", [&](std::string_view w) { words.emplace_back(w); });
  EXPECT_EQ(words, (std::vector<std::string>{"don't", "—", "stop", "3", "times"}));
}

TEST(Aspects, HealthyTextsAreQuiet) {
  std::mt19937_64 rng(9);
  int loud = 0, judged = 0;
  for (int trial = 0; trial < 40; ++trial) {
    const auto found = of_texts(sentences(rng, 800, 12), sentences(rng, 100 + 50 * (trial % 12), 12));
    for (const auto* method : {"words", "unseen_words"}) {
      const auto& r = result(found.windows[0], method);
      judged += r.verdict != Verdict::kNoData;
      loud += r.verdict > Verdict::kOk;
    }
  }
  EXPECT_GE(judged, 78);
  EXPECT_LE(loud, 2);
}

TEST(Aspects, TheSameTextsAreNotNew) {
  std::mt19937_64 rng(10);
  const auto texts = sentences(rng, 2000, 12);
  const auto r = result(of_texts(texts, texts).windows[0], "unseen_words");
  EXPECT_EQ(r.verdict, Verdict::kOk);
  EXPECT_EQ(r.effect, 0);
  EXPECT_EQ(r.n_reference, 2000);
}

TEST(Aspects, NewWordsAndLongerTextsAreDrift) {
  std::mt19937_64 rng(11);
  const auto before = sentences(rng, 2000, 12);
  const auto renewed = of_texts(before, sentences(rng, 400, 12, 500));
  EXPECT_EQ(result(renewed.windows[0], "unseen_words").verdict, Verdict::kDrift);
  EXPECT_EQ(result(renewed.windows[0], "words").verdict, Verdict::kOk);
  const auto longer = of_texts(before, sentences(rng, 400, 16));
  const auto& r = result(longer.windows[0], "words");
  EXPECT_EQ(r.verdict, Verdict::kDrift);
  EXPECT_EQ(r.type, ColumnType::kText);
  EXPECT_EQ(r.reason.find("words: median 13"), 0U) << r.reason;
}

TEST(Aspects, UnevennessIsThatOfTheLastCycle) {
  EXPECT_EQ(unevenness(7), 0);
  EXPECT_NEAR(unevenness(2.5), .1, 1e-12);
  EXPECT_NEAR(unevenness(.125), .875, 1e-12);
  EXPECT_EQ(unevenness(0), 1);
}

}  // namespace
}  // namespace vigie::engine
