// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "metric/metric.h"

namespace vigie::metric::golden {

/// Lines of tests/golden/metrics/NAME.
inline std::vector<std::string> lines(const std::string& name) {
  std::ifstream in(std::string(VIGIE_GOLDEN "/") + name);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  EXPECT_FALSE(out.empty()) << name;
  return out;
}

/// The numbers of each line.
inline std::vector<std::vector<double>> numbers(const std::string& name) {
  std::vector<std::vector<double>> out;
  for (const std::string& line : lines(name)) {
    std::istringstream in(line);
    out.emplace_back();
    for (double x; in >> x;) out.back().push_back(x);
  }
  return out;
}

/// The value of a metric (and part), or a failure.
inline Value value_of(const std::vector<Entry>& entries, const std::string& name, const std::string& part = {}) {
  for (const Entry& entry : entries) {
    if (entry.metric->name == name && entry.part == part) return entry.value;
  }
  ADD_FAILURE() << "no " << name << " " << part;
  return {};
}

/// Everything that NAME.out says: lines "metric value" and "metric part value".
inline void check(const std::vector<Entry>& entries, const std::string& name, double relative = 1e-12) {
  for (const std::string& line : lines(name + ".out")) {
    std::istringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    ASSERT_GE(words.size(), 2U);
    const double expected = std::stod(words.back());
    const Value got = value_of(entries, words[0], words.size() == 3 ? words[1] : "");
    EXPECT_NEAR(got.value, expected, relative * std::max(1.0, std::abs(expected))) << name << ": " << line;
    EXPECT_TRUE(std::isnan(got.low) || (got.low <= got.value && got.value <= got.high)) << line;
  }
}

}  // namespace vigie::metric::golden
