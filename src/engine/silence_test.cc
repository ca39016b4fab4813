// SPDX-License-Identifier: Apache-2.0
#include "engine/silence.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace vigie::engine {
namespace {

constexpr std::int64_t kSecond = 1'000'000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = Silence::kDay;
constexpr std::int64_t kBegin = 1'790'000'000 * kSecond;

std::optional<std::int64_t> never(std::int64_t /*from*/, std::int64_t /*to*/) {
  return {};
}

Silence again(const Silence& silence) {
  ByteWriter out;
  silence.save(out);
  ByteReader in(out.bytes());
  auto read = Silence::load(in);
  EXPECT_TRUE(read.has_value() && in.remaining() == 0);
  return read.value_or(Silence());
}

/// Something comes every `every` up to the end of so many days; what is told meanwhile is counted. When it last came.
std::int64_t fill(Silence& silence, int days, std::int64_t every, int* told = nullptr) {
  std::int64_t last = kBegin;
  for (auto t = kBegin; t < kBegin + days * kDay; t += every) {
    silence.came(last = t);
    if (silence.see(t + every / 2, never) && told) ++*told;
  }
  return last;
}

TEST(Silence, IsWhatLastsTwiceAsLongAsUsualAndFiveMinutes) {
  Silence silence;
  int told = 0;
  const auto last = fill(silence, 8, 10 * kMinute, &told);
  EXPECT_EQ(told, 0);
  EXPECT_FALSE(silence.see(last + 20 * kMinute - 1, never));
  const auto seen = again(silence).see(last + 20 * kMinute, never);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->start, last);
  EXPECT_TRUE(seen->firm && seen->judged);
  ASSERT_EQ(seen->causes.size(), 1U);
  EXPECT_EQ(seen->causes[0].what, "silence");
  EXPECT_EQ(seen->causes[0].severity, event::Severity::kCritical);
  EXPECT_EQ(seen->causes[0].reason, "no prediction came for 20 min; pauses of up to 10 min are usual");

  Silence often;
  const auto latest = fill(often, 8, kMinute);
  EXPECT_FALSE(often.see(latest + Silence::kLeast - 1, never));
  EXPECT_TRUE(often.see(latest + Silence::kLeast, never));
}

TEST(Silence, SaysNothingInItsFirstWeekUnlessSomebodyDid) {
  Silence silence;
  const auto last = fill(silence, 6, kMinute);
  EXPECT_FALSE(silence.see(last + 20 * kHour, never));
  silence.allow(15 * kMinute);
  EXPECT_FALSE(silence.see(last + 15 * kMinute - 1, never));
  EXPECT_TRUE(silence.see(last + 15 * kMinute, never));
  Silence unasked;
  unasked.allow(kMinute);
  EXPECT_FALSE(unasked.see(kBegin, never));
}

TEST(Silence, IsToldOfAgainAtTwiceAndIsOverWhenSomethingComes) {
  Silence silence;
  const auto last = fill(silence, 8, kMinute);
  const auto begins = silence.see(last + 6 * kMinute, never);
  ASSERT_TRUE(begins && silence.silent());
  silence = again(silence);
  EXPECT_FALSE(silence.see(last + 12 * kMinute - 1, never));
  const auto longer = silence.see(last + 12 * kMinute, never);
  ASSERT_TRUE(longer);
  EXPECT_EQ(longer->start, begins->start);
  EXPECT_GT(longer->causes[0].weight, begins->causes[0].weight);
  const auto back = last + 13 * kMinute;
  silence.came(back);
  EXPECT_FALSE(silence.silent());
  const auto first = silence.see(back, never);
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->causes.empty() && first->judged);
  EXPECT_FALSE(silence.see(back + Silence::kCalm - 1, never));
  silence = again(silence);
  const auto second = silence.see(back + Silence::kCalm, never);
  ASSERT_TRUE(second);
  EXPECT_NE(second->start, first->start);
  // What was told of is not usual.
  EXPECT_TRUE(silence.see(back + 6 * kMinute, never));
}

TEST(Silence, WhatIsTheSameEveryWeekIsUsual) {
  Silence silence;
  int told = 0;
  // Hours of offices: 8 to 18, Monday to Friday, for 12 weeks.
  for (int day = 0; day < 84; ++day)
    for (auto t = kBegin + day * kDay; t < kBegin + (day + 1) * kDay; t += kMinute) {
      const auto hour = (t - kBegin - day * kDay) / kHour;
      if (day % 7 < 5 && hour >= 8 && hour < 18) silence.came(t);
      if (silence.see(t, never)) ++told;
    }
  EXPECT_EQ(told, 0);
}

TEST(Silence, OneThatComesAThirdTimeIsUsual) {
  Silence silence;
  auto now = fill(silence, 8, kMinute);
  int told = 0;
  for (int i = 0; i < 6; ++i) {
    told += silence.see(now + 4 * kHour, never) && silence.silent();
    for (int k = 0; k < 600; ++k)
      silence.came(now + 4 * kHour + k * kMinute), silence.see(now + 4 * kHour + k * kMinute, never);
    now += 14 * kHour - kMinute;
  }
  EXPECT_EQ(told, Silence::kAccepted);
}

TEST(Silence, PausesOfAMemorylessStreamAreNone) {
  std::mt19937_64 rng(7);
  int told = 0;
  for (int model = 0; model < 40; ++model) {
    Silence silence;
    for (auto t = kBegin; t < kBegin + 30 * kDay;) {
      silence.came(t);
      const double u = (static_cast<double>(rng() >> 11) + .5) * 0x1p-53;
      const auto gap = static_cast<std::int64_t>(-std::log(u) * 20. * kMinute);
      told += silence.see(t + gap - 1, never) && silence.silent();
      t += gap;
    }
  }
  EXPECT_LE(told, 1);  // of 1,200 days
}

TEST(Silence, BeginsWhereSomethingCouldCome) {
  Silence silence;
  const auto last = fill(silence, 8, kMinute);
  auto deaf = again(silence);
  deaf.deaf_until(last + kHour);
  EXPECT_FALSE(deaf.see(last + kHour + 4 * kMinute, never));
  EXPECT_TRUE(deaf.see(last + kHour + 5 * kMinute, never));
  const auto worked = [&](std::int64_t from, std::int64_t to) -> std::optional<std::int64_t> {
    const auto begin = last + kMinute, end = last + 2 * kHour;
    return from < end && to > begin ? std::optional(end) : std::nullopt;
  };
  EXPECT_FALSE(silence.see(last + kHour, worked));
  EXPECT_FALSE(silence.see(last + 2 * kHour + 4 * kMinute, worked));
  EXPECT_TRUE(silence.see(last + 2 * kHour + 5 * kMinute, worked));
}

TEST(Silence, AClockThatWasWrongIsForgotten) {
  Silence silence;
  fill(silence, 8, kMinute);
  silence.came(kBegin + 3000 * kDay);
  const auto last = kBegin + 9 * kDay;
  silence.came(last);
  EXPECT_EQ(silence.last(), last);
  EXPECT_FALSE(silence.see(last + kDay, never));
}

TEST(Silence, CutOffIsNotRead) {
  Silence silence;
  fill(silence, 2, kHour);
  ByteWriter out;
  silence.save(out);
  const auto bytes = std::string(out.bytes());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ByteReader in(std::string_view(bytes).substr(0, size));
    EXPECT_FALSE(Silence::load(in).has_value());
  }
}

}  // namespace
}  // namespace vigie::engine
