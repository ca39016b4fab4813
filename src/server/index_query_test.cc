// SPDX-License-Identifier: Apache-2.0
#include "server/index_query.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace vigie::server {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The cell that a cluster counts a number in.
std::size_t cell_of(const Ranges& ranges, double value) {
  for (std::size_t i = 0; i < ranges.json.size(); ++i) {
    const auto& range = ranges.json[i];
    if (value >= range.value("from", -kInfinity) && value < range.value("to", kInfinity)) return ranges.cells[i];
  }
  ADD_FAILURE() << value << " is in no range";
  return 0;
}

TEST(RangesOf, AreBoundsThatTheFieldCanHave) {
  const std::vector<double> cuts{-2.5, 0.1, std::nextafter(0.1, 1), 7, 7.2, 1e5, 1e300};
  for (const auto& range : ranges_of(cuts, "float").json)
    for (const auto* end : {"from", "to"})
      if (range.contains(end)) {
        const double bound = range[end];
        EXPECT_EQ(static_cast<float>(bound), bound);
      }
  // 1e5 and more is no half, so nothing can be beyond.
  const auto half = ranges_of(cuts, "half_float");
  EXPECT_EQ(half.cells, (std::vector<std::size_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(half.json[1]["to"], 0.0999755859375);
  EXPECT_EQ(half.json[2]["to"], 0.0999755859375 + std::ldexp(1, -14));
  EXPECT_FALSE(half.json[5].contains("to"));
  const auto whole = ranges_of(cuts, "long");
  EXPECT_EQ(whole.json[1]["from"], -2.);
  EXPECT_EQ(whole.json[1]["to"], 1.);
  EXPECT_EQ(whole.cells, (std::vector<std::size_t>{0, 1, 3, 4, 5, 6, 7}));  // no whole number is 0.1
}

// What was repeated in a file is in the cell of its own, however it was rounded when it was indexed.
TEST(RangesOf, KeepValuesTogetherThatAreRounded) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> draw(0, 4);
  for (int round = 0; round < 200; ++round) {
    std::vector<double> values, cuts;
    for (int i = 0; i < 20; ++i) values.push_back((i % 2 ? 1 : -1) * draw(random));
    std::sort(values.begin(), values.end());
    for (const auto value : values) cuts.push_back(value), cuts.push_back(std::nextafter(value, kInfinity));
    const auto ranges = ranges_of(cuts, "float");
    for (std::size_t i = 0; i < values.size(); ++i)
      EXPECT_EQ(cell_of(ranges, static_cast<double>(static_cast<float>(values[i]))), 2 * i + 1) << values[i];
  }
}

TEST(RangesOf, StayWhereManyValuesAreRoundedToOne) {
  std::vector<double> cuts;
  for (int value = 2'048; value < 2'080; ++value)
    cuts.push_back(value), cuts.push_back(std::nextafter(value, kInfinity));
  const auto ranges = ranges_of(cuts, "half_float");
  // 2,049 is 2,048 there, and 2,051 is 2,052.
  EXPECT_EQ(cell_of(ranges, 2'048), 1U);
  EXPECT_EQ(cell_of(ranges, 2'050), 5U);
  EXPECT_EQ(cell_of(ranges, 2'052), 7U);
  EXPECT_EQ(cell_of(ranges, 2'078), 61U);
}

TEST(RangesOf, HaveTheGreatestValueWithin) {
  const std::vector<double> cuts{1, 7.5, std::nextafter(20.1, kInfinity)};
  const auto greatest = static_cast<double>(static_cast<float>(20.1));
  EXPECT_EQ(cell_of(ranges_of(cuts, "float"), greatest), 2U);
  EXPECT_EQ(cell_of(ranges_of(cuts, "float"), std::nextafter(static_cast<float>(20.1), 30.F)), 3U);
  // What ends behind a value that the field has, ends there whatever is before.
  const std::vector<double> inner{1, std::nextafter(7.5, kInfinity), 30};
  EXPECT_EQ(cell_of(ranges_of(inner, "float"), 7.5), 1U);
}

TEST(RangesOf, AreTheCutsWhereThoseAreWhatTheFieldKeeps) {
  std::mt19937_64 random(11);
  std::lognormal_distribution<double> draw(0, 3);
  for (const auto* type : {"float", "half_float", "double"}) {
    std::vector<double> cuts;
    for (int i = 0; i < 200; ++i) cuts.push_back(kept((i % 2 ? 1 : -1) * draw(random), type));
    std::sort(cuts.begin(), cuts.end());
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    cuts.push_back(std::nextafter(cuts.back(), kInfinity));
    const auto ranges = ranges_of(cuts, type);
    for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
      EXPECT_EQ(cell_of(ranges, cuts[i]), i + 1) << type << ' ' << cuts[i];
      EXPECT_EQ(kept(cuts[i], type), cuts[i]);
    }
  }
}

TEST(RangesOf, RoundHalvesAsIndexesDo) {
  // Smallest, smallest normal and largest half, a tie to even each way, and what becomes 0.
  const std::vector<std::pair<double, double>> known{{std::ldexp(1, -24), std::ldexp(1, -24)},
                                                     {std::ldexp(1, -14), std::ldexp(1, -14)},
                                                     {65'504, 65'504},
                                                     {1 + std::ldexp(1, -11), 1},
                                                     {1 + 3 * std::ldexp(1, -11), 1 + std::ldexp(1, -9)},
                                                     {std::ldexp(1, -26), 0},
                                                     {-0.3, -0.300048828125}};
  for (const auto& [cut, bound] : known) {
    const std::vector<double> cuts{cut, 1e5};
    EXPECT_EQ(ranges_of(cuts, "half_float").json[0]["to"], bound) << cut;
  }
  const std::vector<double> low{-0.3, std::nextafter(-0.3, 0)};
  EXPECT_EQ(ranges_of(low, "half_float").json[1]["to"], -0.300048828125 + std::ldexp(1, -12));
}

}  // namespace
}  // namespace vigie::server
