// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <boost/math/special_functions/beta.hpp>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "drift/alarm_rates_internal.h"
#include "drift/between.h"

/// What the tables of healthy windows share. For tests only.
namespace vigie::drift::simulation {

inline double normal(Rng& rng) {
  return std::normal_distribution<double>()(rng);
}

/// The p-value of the verdict: the larger of that of sampling noise, asked only where it matters, and that among the
/// healthy windows.
inline double verdict(const Pair& pair, std::span<const Counts> windows) {
  const Axis axis = pair.axis();
  const Sample reference = pair.reference_sample(), current = pair.current_sample();
  const Summarizer summarize(axis, reference);
  std::vector<WindowSummary> healthy;
  for (const auto& window : windows) healthy.push_back(summarize({window, {}}, true));
  const double between = HealthyWindows(axis, reference, healthy).test(summarize(current, false), .0025).p_value;
  if (between > .05) return between;
  return std::max(between, omnibus.run(axis, reference, current, {}).p_value);
}

/// One p-value per seeded trial; the same whatever the number of threads.
inline std::vector<double> simulate(std::size_t trials, const std::function<double(Rng&)>& one) {
  std::vector<double> p(trials);
  parallel_for((trials + 49) / 50, 0, [&](std::size_t block) {
    for (std::size_t t = block * 50; t < std::min(trials, block * 50 + 50); ++t) {
      Rng rng(0x51ed2701 * (t + 1));
      p[t] = one(rng);
    }
  });
  return p;
}
inline double share(const std::vector<double>& p, double level) {
  return static_cast<double>(at_most(p, level)) / static_cast<double>(p.size());
}

/// Fails when so many alarms would come with probability below 1e-6 at the permitted rate.
inline void expect_at_most(const std::vector<double>& p, double level, double permitted, const std::string& what) {
  const auto n = static_cast<double>(p.size()), k = static_cast<double>(at_most(p, level));
  if (k <= n * permitted) return;
  EXPECT_GT(boost::math::ibeta(k, n - k + 1, permitted), 1e-6)
      << what << ": " << k << " of " << n << " at " << level << ", permitted " << permitted;
}

}  // namespace vigie::drift::simulation
