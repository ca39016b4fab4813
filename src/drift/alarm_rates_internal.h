// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "drift/simulation_internal.h"

/// What the measured tables of false alarms and power share. For tests only.
namespace vigie::drift::simulation {

/// VIGIE_FULL=1: the number of trials that the published tables have.
inline bool full() {
  return std::getenv("VIGIE_FULL") != nullptr;
}

/// Appends lines to the markdown file named by VIGIE_TABLE, under a heading given once.
inline void report(const std::string& heading, const std::string& line) {
  const char* path = std::getenv("VIGIE_TABLE");
  if (path == nullptr) return;
  static std::map<std::string, std::string> sections;
  sections.try_emplace(heading, heading).first->second += line;
  std::ofstream out(path);
  for (const auto& [key, text] : sections) out << text << "\n";
}

/// p-values of `trials` seeded pairs; the same whatever the number of threads.
inline std::vector<double> p_values(const Method& method, std::size_t trials, const std::function<Pair(Rng&)>& draw) {
  std::vector<double> out(trials);
  parallel_for((trials + 99) / 100, 0, [&](std::size_t block) {
    for (std::size_t t = block * 100; t < std::min(trials, block * 100 + 100); ++t) {
      Rng rng(0x9e3779b9 * (t + 1));
      const Pair pair = draw(rng);
      const Args args{.seed = t, .params = {}};
      out[t] = method.run(pair.axis(), pair.reference_sample(), pair.current_sample(), args).p_value;
    }
  });
  return out;
}

/// How many are at or below the level.
inline std::int64_t at_most(const std::vector<double>& p, double level) {
  return std::count_if(p.begin(), p.end(), [&](double v) { return v <= level; });
}

}  // namespace vigie::drift::simulation
