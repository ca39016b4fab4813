// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "detect/streams_test_internal.h"

namespace vigie::detect {
namespace {

using namespace streams;

// As tests/golden/river-0.26.1/make.py draws it.
Series stream_of(const std::string& kind, std::uint32_t seed) {
  Python random(seed);
  Series out;
  for (int part = 0; part < 4; ++part) {
    const double level = random.uniform();
    append(out, 800, [&] {
      if (kind == "errors") return random.uniform() < level * level ? 1. : 0.;
      const double first = 3 * level + random.uniform();
      return first + random.uniform();
    });
  }
  return out;
}

TEST(Golden, RiversAlarms) {
  const auto folder = std::filesystem::path(VIGIE_GOLDEN);
  std::ifstream file(folder / "alarms.txt");
  int lines = 0, alarms = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    const std::size_t first = line.find('\t'), second = line.find('\t', first + 1);
    std::istringstream what(line.substr(first + 1, second - first - 1)), wanted(line.substr(second + 1));
    std::string kind;
    std::uint32_t seed = 0;
    what >> kind >> seed;
    std::vector<std::int64_t> indices;
    for (std::int64_t index; wanted >> index; ++alarms) indices.push_back(index);
    EXPECT_EQ(drifts(line.substr(0, first), stream_of(kind, seed)), indices) << line.substr(0, second);
  }
  EXPECT_EQ(lines, 144);
  EXPECT_GT(alarms, 300);
}

}  // namespace
}  // namespace vigie::detect
