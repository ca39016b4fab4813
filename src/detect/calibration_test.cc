// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/rng.h"
#include "detect/streams_test_internal.h"
#include "stats/distributions.h"

namespace vigie::detect {
namespace {

using streams::Series;

std::vector<const Detector*> tuned() {
  std::vector<const Detector*> out;
  for (const Detector* detector : detectors())
    if (least_target(*detector) > 0) out.push_back(detector);
  return out;
}

// Seeds of its own: what the table was made with would only say again what made it.
struct Level {
  double rate = .1, mean = 0, sd = 1;
};
double share_of_runs_with_an_alarm(const Detector& detector, const Level& level, int target, int runs) {
  const auto [rate, mean, sd] = level;
  auto monitor = std::move(*make_monitor(detector, std::array<Setting, 1>{{{"target_arl", std::to_string(target)}}}));
  std::vector<Alarm> alarms;
  int alarmed = 0;
  for (int run = 0; run < runs; ++run) {
    Rng rng(static_cast<std::uint64_t>(run) * 2654435761U + 99);
    Series series;
    streams::append(series, target, [&] {
      const double u = rng.uniform();
      if (detector.stream == Stream::kErrors) return u < rate ? 1. : 0.;
      // Both classes as often, and as often wrong.
      if (detector.stream == Stream::kOutcomes) return u < rate / 2 ? 1. : u < rate ? 2. : u < .5 + rate / 2 ? 0. : 3.;
      return mean + sd * stats::normal_quantile((static_cast<double>(rng() >> 11) + .5) * 0x1p-53);
    });
    monitor->reset();
    alarms.clear();
    monitor->update(series, alarms);
    alarmed += monitor->drifts() > 0;
  }
  return static_cast<double>(alarmed) / runs;
}

// At most 1 − 1/e, by three standard errors of the runs at hand.
TEST(SlowCalibration, RunLengthsAreAtLeastTheTarget) {
  EXPECT_GE(tuned().size(), 10U);
  const double most = 1 - std::exp(-1.0);
  for (const Detector* detector : tuned()) {
    for (const auto& [target, runs] : {std::pair{1000, 1000}, std::pair{10000, 300}}) {
      if (target < least_target(*detector)) continue;
      const double slack = 3 * std::sqrt(most * (1 - most) / runs);
      const bool errors = detector->stream != Stream::kValues;
      double worst = 0;
      for (const double rate : {.03, .1, .4})
        if (errors || rate == .1)
          worst = std::max(worst, share_of_runs_with_an_alarm(*detector, {.rate = rate}, target, runs));
      EXPECT_LE(worst, most + slack) << detector->name << ' ' << target;
    }
  }
}

// Values of any mean and spread are as good as standard normal ones, and their alarms as many.
TEST(SlowCalibration, RunLengthsKnowNoLevelAndNoScale) {
  for (const Detector* detector : tuned()) {
    if (detector->stream != Stream::kValues) continue;
    const int target = static_cast<int>(least_target(*detector)), runs = target > 1000 ? 100 : 300;
    const double standard = share_of_runs_with_an_alarm(*detector, {}, target, runs);
    EXPECT_GT(standard, .25) << detector->name;
    for (const Level& level : {Level{.mean = 1000, .sd = 50}, Level{.mean = 0, .sd = .01}})
      EXPECT_NEAR(share_of_runs_with_an_alarm(*detector, level, target, runs), standard, .03)
          << detector->name << ' ' << level.mean << ' ' << level.sd;
  }
}

// A sensor's largest number among the rest must not make everything after it look small.
TEST(Calibration, OneHugeValueBlindsNoStandardisedDetector) {
  for (const auto* text : {"gma(target_arl=1000)", "page_hinkley(target_arl=1000)", "bocd(target_arl=1000)"}) {
    for (const std::size_t at : {10U, 500U}) {
      auto monitor = std::move(*make_monitor(text));
      Rng rng(5);
      Series series;
      streams::append(series, 2000,
                      [&] { return stats::normal_quantile((static_cast<double>(rng() >> 11) + .5) * 0x1p-53); });
      for (std::size_t i = 1500; i < 2000; ++i) series[i] += 10;
      series[at] = 1.797e308;
      std::vector<Alarm> alarms;
      monitor->update(series, alarms);
      EXPECT_TRUE(
          std::any_of(alarms.begin(), alarms.end(), [](const Alarm& a) { return a.index >= 1500 && a.index < 1520; }))
          << text << " at " << at;
    }
  }
}

TEST(Calibration, IsInterpolatedBetweenRunLengths) {
  for (const Detector* detector : tuned()) {
    const double least = least_target(*detector), low = calibrated(*detector, least),
                 middle = calibrated(*detector, 3 * least), high = calibrated(*detector, 10 * least);
    EXPECT_TRUE((low <= middle && middle <= high) || (low >= middle && middle >= high)) << detector->name;
    EXPECT_NE(low, high) << detector->name;
    EXPECT_TRUE(make_monitor(*detector, std::array<Setting, 1>{{{"target_arl", "15000"}}}).has_value());
  }
}

TEST(Calibration, GoesOnBeyondTheTable) {
  for (const Detector* detector : tuned()) {
    const double at = calibrated(*detector, 1e5), above = calibrated(*detector, 1e6);
    EXPECT_EQ(at > calibrated(*detector, 1e4), above > at) << detector->name;
    EXPECT_NEAR(above / at, at / calibrated(*detector, 1e4), 1e-9) << detector->name;
  }
}

TEST(Calibration, SetsTheWarningToo) {
  const auto warning = [](const Detector& detector, double value) {
    std::vector<double> params;
    std::size_t at = 0;
    for (const Param& param : detector.params) {
      if (param.name.starts_with("warning_")) at = params.size();
      if (param.name == "warning_limit") at = 1;
      params.push_back(param.fallback);
    }
    tune(detector, value, params);
    return params[at];
  };
  EXPECT_DOUBLE_EQ(warning(rddm, 2 * 2.258), 2 * 1.773);
  EXPECT_DOUBLE_EQ(warning(ddm, 6), 4);
  EXPECT_EQ(warning(hddm_a, .02), .02);
  EXPECT_EQ(warning(hddm_a, .001), .005);
  EXPECT_EQ(warning(ecdd, 3), .5);  // a share of the limit
}

TEST(Calibration, BadTargetsAreAnswered) {
  const auto message = [](std::string_view text) {
    auto monitor = make_monitor(text);
    return monitor ? std::string("made") : monitor.error().message;
  };
  EXPECT_EQ(message("hddm_a(target_arl=1000)"), "made");
  EXPECT_EQ(message("page_hinkley(target_arl=1000, mode=up)"), "made");
  EXPECT_EQ(message("hddm_a(target_arl=10)"), "hddm_a.target_arl: expected 1000..100000, got \"10\"");
  EXPECT_EQ(message("hddm_a(target_arl=often)"), "hddm_a.target_arl: \"often\" is not a number");
  EXPECT_EQ(message("cvm_online(target_arl=1000)"), "cvm_online.target_arl: expected 10000..100000, got \"1000\"");
  EXPECT_EQ(message("ecdd(target_arl=1000)"), "made");
  EXPECT_EQ(message("sprt(target_arl=1000)"), "sprt.target_arl: this detector has no table of run lengths");
  EXPECT_EQ(message("hddm_a(parity=river, target_arl=1000)"), "hddm_a.target_arl: goes with no parity");
  EXPECT_EQ(message("page_hinkley(target_arl=1000, delta=0.1)"),
            "page_hinkley: target_arl holds for the defaults of the other parameters");
  EXPECT_EQ(message("pelt"), "pelt: works on a whole series, not on a stream");
  EXPECT_EQ(segment(ddm, Series{1}).error().message, "ddm: works on a stream");
}

}  // namespace
}  // namespace vigie::detect
