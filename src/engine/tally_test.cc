// SPDX-License-Identifier: Apache-2.0
#include "engine/tally.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

#include "engine/compare.h"
#include "engine/memory_input_internal.h"

namespace vigie::engine {
namespace {

constexpr auto kMost = std::numeric_limits<std::int64_t>::max();

Profile profile_of(MemoryInput& input, const ProfileOptions& options = {}) {
  auto profile = make_profile(input, options);
  EXPECT_TRUE(profile) << (profile ? "" : profile.error().message);
  return std::move(*profile);
}

// 0 … 999, each twice: their sd is about 288.7.
std::vector<double> ramp() {
  std::vector<double> v;
  for (int i = 0; i < 1000; ++i) v.insert(v.end(), 2, i);
  return v;
}

Counts counted(const Profile& profile, const std::vector<double>& values, std::int64_t batch) {
  MemoryInput input("current", batch);
  input.add("x", values);
  auto t = tally(input, profile, {});
  EXPECT_TRUE(t) << (t ? "" : t.error().message);
  return *t->at(0, 0, 0, 0);
}

TEST(Tally, DistanceBeyondTheBinsDoesNotDependOnOrderOrBatches) {
  MemoryInput reference("reference");
  auto profile = profile_of(reference.add("x", ramp()));
  std::mt19937_64 rng(1);
  std::normal_distribution<double> law(500, 2000);
  std::vector<double> values(3000);
  for (auto& v : values) v = law(rng);
  values[7] = 1e300, values[8] = -1e300, values[9] = std::numeric_limits<double>::quiet_NaN();
  const auto want = counted(profile, values, 10'000);
  EXPECT_GT(want.beyond, 2 * kFarthest);
  for (std::int64_t batch : {1, 7, 64, 1000}) {
    std::shuffle(values.begin(), values.end(), rng);
    auto got = counted(profile, values, batch);
    EXPECT_EQ(got.beyond, want.beyond) << batch;
    EXPECT_EQ(got.cells, want.cells);
    EXPECT_EQ(got.missing, 1);
  }
}

TEST(Tally, DistanceIsThatOfEachRowUpToAThousandSd) {
  MemoryInput reference("reference");
  auto profile = profile_of(reference.add("x", ramp()));
  const double sd = profile.columns[0].bins.sd, low = profile.columns[0].bins.cuts.front(),
               high = profile.columns[0].bins.centers.back();
  for (double distance : {.5, 1., 2., 10., 999.}) {
    EXPECT_NEAR(static_cast<double>(counted(profile, {high + distance * sd}, 10).beyond), distance * 1e6, 1);
    EXPECT_NEAR(static_cast<double>(counted(profile, {low - distance * sd}, 10).beyond), distance * 1e6, 1);
  }
  EXPECT_EQ(counted(profile, {500}, 10).beyond, 0);
  for (double far : {1010., 1e6, 1e12, 1e290})
    EXPECT_EQ(counted(profile, {far * sd, -far * sd}, 10).beyond, 2 * kFarthest);
}

TEST(Tally, EffectGrowsWithTheDistance) {
  MemoryInput reference("reference");
  auto profile = profile_of(reference.add("x", ramp()));
  auto effect = [&](double by) {
    auto values = ramp();
    for (auto& v : values) v += by * profile.columns[0].bins.sd;
    MemoryInput current("current");
    auto result = compare(profile, current.add("x", values), {});
    EXPECT_TRUE(result);
    return result->windows[0].columns[0].effect;
  };
  for (double by : {5., 50., 500., 900.}) EXPECT_NEAR(effect(by), by, .01 * by);
}

TEST(Tally, SumsOfDistancesSaturate) {
  Counts a, b;
  a.beyond = kMost - 5, b.beyond = 4;
  a.merge(b);
  EXPECT_EQ(a.beyond, kMost - 1);
  a.merge(b);
  EXPECT_EQ(a.beyond, kMost);
  a.merge(a);
  EXPECT_EQ(a.beyond, kMost);
  EXPECT_EQ(saturating_add(kMost, 0), kMost);
  EXPECT_EQ(saturating_add(0, kMost), kMost);
  // The rows of any real data do not come near: nine billion of them as far as can be.
  EXPECT_GT(kMost / kFarthest, 9'000'000'000);
}

// Of one kind of file, whatever its rows are.
class KindOf : public MemoryInput {
 public:
  KindOf(std::string_view kind, std::vector<std::string> values) : MemoryInput("data"), kind_(kind) {
    add("price", std::move(values));
  }
  std::string_view kind() const override { return kind_; }

 private:
  std::string_view kind_;
};

std::vector<std::string> prices(char mark) {
  std::vector<std::string> v;
  for (int i = 0; i < 200; ++i) v.push_back(std::to_string(i * i) + mark + std::to_string(10 + i % 90));
  return v;
}

std::vector<std::string> sentences() {
  std::vector<std::string> v;
  for (int i = 0; i < 200; ++i) v.push_back("sentence number " + std::to_string(i * i));
  return v;
}

bool reported(KindOf reference, KindOf current, bool forced = false) {
  ProfileOptions options;
  if (forced) options.schema = {{"price", table::Type::kString, ColumnType::kText}};
  auto made = profile_of(reference, options);
  auto profile = load_profile(save_profile(made), "stored");
  EXPECT_TRUE(profile) << (profile ? "" : profile.error().message);
  EXPECT_EQ(profile->columns[0].type, ColumnType::kText);
  auto t = tally(current, *profile, {});
  EXPECT_TRUE(t) << (t ? "" : t.error().message);
  return t->only_numbers[0];
}

TEST(Tally, TextsThatAreNumbersAreReportedWhereTheyAreNotMeant) {
  // Read with the wrong decimal mark, both sides alike.
  EXPECT_TRUE(reported({"CSV", prices(',')}, {"CSV", prices(',')}));
  EXPECT_TRUE(reported({"TSV", prices(',')}, {"TSV", prices(',')}));
  EXPECT_TRUE(reported({"CSV", sentences()}, {"CSV", prices(',')}));
  EXPECT_TRUE(reported({"NDJSON", sentences()}, {"NDJSON", prices('.')}));
  EXPECT_FALSE(reported({"CSV", sentences()}, {"CSV", sentences()}));
  // In JSON a number in quotes is a text because somebody wrote it so.
  EXPECT_FALSE(reported({"NDJSON", prices('.')}, {"NDJSON", prices('.')}));
  EXPECT_FALSE(reported({"Parquet", prices(',')}, {"NDJSON", prices(',')}));
  EXPECT_FALSE(reported({"NDJSON", prices('.')}, {"CSV", prices('.')}));
  // And --schema says what it is.
  EXPECT_FALSE(reported({"CSV", prices(',')}, {"CSV", prices(',')}, true));
}

}  // namespace
}  // namespace vigie::engine
