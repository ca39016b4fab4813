// SPDX-License-Identifier: Apache-2.0
// Values far from 1, and one far from all others.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/rng.h"
#include "detect/streams_test_internal.h"

namespace vigie::detect {
namespace {

using streams::Series;

// Detectors of values, each at its defaults and with a target.
std::vector<std::string> of_values(bool defaults) {
  std::vector<std::string> out;
  for (const Detector* detector : detectors()) {
    if (detector->stream != Stream::kValues || !detector->make) continue;
    const std::string name(detector->name);
    if (defaults || detector->tuned.empty()) out.push_back(name);
    if (!detector->tuned.empty()) out.push_back(name + "(target_arl=100000)");
  }
  return out;
}

Series scaled(Series series, int exponent) {
  for (double& value : series) value = std::ldexp(value, exponent);
  return series;
}

// What a sensor makes up, in a calm stream whose level changes later. It may be an alarm or not; what comes after it is
// seen, also by who was saved and loaded in between.
TEST(Magnitude, NoSingleValueBlinds) {
  Series series = streams::gaussian_steps(6, {{0, 3000}, {10, 400}});
  for (const double value : {1e300, -1e99, 1e30, -1e9}) {
    series[2000] = value;
    for (const auto& text : of_values(true)) {
      auto monitor = std::move(*make_monitor(text));
      std::vector<Alarm> rest, after_loading;
      for (std::size_t i = 0; i < 2010; ++i) monitor->update(series[i]);
      EXPECT_EQ(monitor->skipped(), std::abs(value) > kLargest) << text;
      auto loaded = load_monitor(monitor->save());
      ASSERT_TRUE(loaded.has_value()) << text << ' ' << value << ": " << loaded.error().message;
      monitor->update(std::span(series).subspan(2010), rest);
      (*loaded)->update(std::span(series).subspan(2010), after_loading);
      EXPECT_TRUE(std::any_of(rest.begin(), rest.end(),
                              [](const Alarm& a) { return a.state == State::kDrift && a.index >= 3000; }))
          << text << " after " << value;
      EXPECT_EQ(rest.size(), after_loading.size()) << text << ' ' << value;
      EXPECT_EQ(monitor->save(), (*loaded)->save()) << text << ' ' << value;
    }
  }
}

// A target holds on any scale: powers of two change no digit.
TEST(Magnitude, ScaleMovesNoAlarm) {
  const Series series = streams::gaussian_steps(7, {{0, 2500}, {2, 1500}});
  for (const auto& text : of_values(false)) {
    const auto wanted = streams::alarms(text, series);
    for (const int exponent : {-300, 300}) {
      const auto found = streams::alarms(text, scaled(series, exponent));
      ASSERT_EQ(found.size(), wanted.size()) << text << ' ' << exponent;
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        EXPECT_EQ(found[i].index, wanted[i].index) << text << ' ' << exponent;
        EXPECT_EQ(found[i].onset, wanted[i].onset) << text << ' ' << exponent;
        EXPECT_NEAR(std::ldexp(found[i].after, -exponent), wanted[i].after, 1e-9) << text << ' ' << exponent;
      }
    }
  }
}

// No sum of squares holds these, and none of them is an alarm that means nothing.
TEST(Magnitude, WhatNoSquareHoldsIsNoValue) {
  const Series series = streams::gaussian_steps(7, {{0, 2500}, {2, 500}});
  for (const auto& text : of_values(true)) {
    for (const int exponent : {-700, 700}) {
      auto monitor = std::move(*make_monitor(text));
      for (const double value : scaled(series, exponent)) monitor->update(value);
      EXPECT_EQ(monitor->drifts(), 0) << text << ' ' << exponent;
      EXPECT_EQ(monitor->skipped(), exponent > 0 ? 3000 : 0) << text << ' ' << exponent;
    }
  }
}

TEST(Magnitude, OfAWholeSeries) {
  Series series = streams::gaussian_steps(8, {{0, 300}, {10, 300}});
  for (const char* cost : {"l2", "normal"}) {
    const std::array<Setting, 1> settings{{{"cost", cost}}};
    for (const int exponent : {-300, 0, 300}) {
      Series here = scaled(series, exponent);
      here[100] = 1e300;
      const auto found = segment(pelt, here, settings);
      ASSERT_EQ(found->size(), 1U) << cost << ' ' << exponent;
      EXPECT_EQ((*found)[0].index, 300) << cost << ' ' << exponent;
    }
  }
}

// One value, whatever its size, is at most a segment of its own; nothing else is found in a calm series.
TEST(Magnitude, ASpikeMakesNoOtherSegments) {
  const Series calm = streams::gaussian_steps(9, {{0, 2000}});
  for (const char* cost : {"l2", "normal"}) {
    const std::array<Setting, 1> settings{{{"cost", cost}}};
    for (const double value : {1e6, 1e9, -1e12, 1e17, 1e99}) {
      Series series = calm;
      series[1000] = value;
      const auto found = segment(pelt, series, settings);
      EXPECT_LE(found->size(), 2U) << cost << ' ' << value;
      for (const Alarm& alarm : *found) {
        EXPECT_TRUE(alarm.index >= 998 && alarm.index <= 1002) << cost << ' ' << value << ' ' << alarm.index;
        EXPECT_GT(alarm.statistic, alarm.threshold) << cost << ' ' << value;
      }
    }
  }
}

TEST(Magnitude, BocdTellsOfAnOutlierByItselfAndWhatCameBefore) {
  Series series = streams::gaussian_steps(6, {{0, 300}});
  series[200] = 1e6;
  const auto found = streams::alarms("bocd", series);
  const auto at = std::find_if(found.begin(), found.end(), [](const Alarm& a) { return a.index == 200; });
  ASSERT_NE(at, found.end());
  EXPECT_EQ(at->after, 1e6);
  EXPECT_NEAR(at->before, 0, .5);
  EXPECT_EQ(at->direction, Direction::kUp);
}

// ADWIN tells of a value beyond a million standard deviations at once, with what it was.
TEST(Magnitude, AdwinLetsNothingSoFarOffIn) {
  Series series = streams::gaussian_steps(6, {{5, 3000}});
  series[2000] = 1e30;
  for (const char* text : {"adwin", "adwin(target_arl=100000)"}) {
    const auto found = streams::alarms(text, series);
    ASSERT_EQ(found.size(), 1U) << text;
    EXPECT_EQ(found[0].index, 2000) << text;
    EXPECT_EQ(found[0].onset, 2000) << text;
    EXPECT_EQ(found[0].after, 1e30) << text;
    EXPECT_NEAR(found[0].before, 5, .1) << text;
    EXPECT_GT(found[0].statistic, found[0].threshold) << text;
  }
}

// Events that are rare and large are part of a stream.
TEST(Magnitude, AdwinTakesRareEvents) {
  Series series(20000, 0.0);
  for (std::size_t i = 150; i < series.size(); i += 150) series[i] = 5e6;
  for (const char* text : {"adwin", "adwin(target_arl=100000)"}) EXPECT_LE(streams::drifts(text, series).size(), 1U);
}

// Also above a noise that is not quite zero: only the first may be news by itself.
TEST(Magnitude, AdwinTakesRareEventsAboveAFloorOfNoise) {
  for (const std::uint32_t seed : {1, 2, 3}) {
    Rng rng(seed);
    Series series = streams::gaussian_steps(seed, {{0, 60000}});
    for (double& value : series) value = rng.uniform() < .004 ? -std::log(1 - rng.uniform()) : value * 1e-9;
    const auto found = streams::alarms("adwin(target_arl=100000)", series);
    EXPECT_LE(std::count_if(found.begin(), found.end(), [](const Alarm& a) { return a.onset == a.index; }), 2) << seed;
  }
}

}  // namespace
}  // namespace vigie::detect
