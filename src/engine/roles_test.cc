// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "engine/compare.h"
#include "engine/memory_input_internal.h"
#include "engine/tally.h"

namespace vigie::engine {
namespace {

std::vector<double> numbers(std::size_t n, double step = 1) {
  std::vector<double> v(n);
  for (std::size_t i = 0; i < n; ++i) v[i] = static_cast<double>(i % 97) * step;
  return v;
}

std::vector<std::string> letters(std::size_t n, const std::string& of) {
  std::vector<std::string> v(n);
  for (std::size_t i = 0; i < n; ++i) v[i] = std::string(1, of[i % of.size()]);
  return v;
}

Profile profile_of(MemoryInput& input, std::vector<SegmentBy> segments = {}) {
  ProfileOptions options;
  options.segments = std::move(segments);
  auto profile = make_profile(input, options);
  EXPECT_TRUE(profile) << (profile ? "" : profile.error().message);
  return std::move(*profile);
}

std::vector<std::string> names(const Profile& profile) {
  std::vector<std::string> all;
  for (const auto& c : profile.columns) all.push_back(c.name);
  return all;
}

Roles narrowed(std::vector<std::string> features, std::vector<std::string> ignore = {}) {
  Roles roles;
  roles.features = std::move(features), roles.ignore = std::move(ignore);
  return roles;
}

TEST(Roles, AreGivenToAProfileThatIsMadeAlready) {
  MemoryInput ref("ref");
  ref.add("a", numbers(400)).add("b", numbers(400)).add("y", letters(400, "ab")).add("id", numbers(400));
  auto profile = profile_of(ref);
  Roles roles;
  roles.label = "y", roles.id = "id", roles.features = {"b"};
  ASSERT_TRUE(apply_roles(profile, roles));
  EXPECT_EQ(names(profile), (std::vector<std::string>{"b", "y"}));
  EXPECT_EQ(profile.columns[1].role, Role::kLabel);
  // Narrowed again, the label stays what it is.
  ASSERT_TRUE(apply_roles(profile, narrowed({"b"})));
  EXPECT_EQ(names(profile), (std::vector<std::string>{"b", "y"}));

  auto wrong = apply_roles(profile, narrowed({}, {"bb"}));
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("--ignore: unknown column \"bb\" in "), std::string::npos);
  EXPECT_TRUE(wrong.error().message.ends_with("; did you mean \"b\"?")) << wrong.error().message;
  wrong = apply_roles(profile, narrowed({"a"}));
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("--features a"), std::string::npos) << wrong.error().message;
}

TEST(Roles, ASegmentationIsOneColumnOrTwo) {
  MemoryInput ref("ref"), cur("cur");
  ref.add("x", numbers(400)).add("a", letters(400, "ab")).add("b", letters(400, "cd"));
  for (const auto& by : {SegmentBy{}, SegmentBy{"a", "a"}, SegmentBy{"a", "b", "x"}}) {
    ProfileOptions options;
    options.segments = {by};
    auto made = make_profile(ref, options);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Code::kUsage);
    CompareOptions comparing;
    comparing.segments = {by};
    EXPECT_FALSE(compare(profile_of(ref), ref, comparing));
  }
}

TEST(Roles, ATimeMustBeOne) {
  MemoryInput ref("ref");
  ref.add("x", numbers(400)).add("c", letters(400, "ab"));
  auto profile = profile_of(ref);
  profile.timestamp = "c";
  CompareOptions options;
  options.window.kind = WindowSpec::Kind::kDay;
  auto compared = compare(profile, ref, options);
  ASSERT_FALSE(compared);
  EXPECT_NE(compared.error().message.find("is text, not a time"), std::string::npos) << compared.error().message;

  MemoryInput gone("gone");
  gone.add("x", numbers(400)).add("t", std::vector<double>(400, NAN), table::Type::kTimestamp);
  profile.timestamp = "t";
  compared = compare(profile, gone, options);
  ASSERT_FALSE(compared);
  EXPECT_NE(compared.error().message.find("no row has a time"), std::string::npos) << compared.error().message;
}

TEST(Tally, MoreWindowsThanMemoryIsGrantedForIsAnError) {
  MemoryInput ref("ref");
  ref.add("x", numbers(20'000));
  auto profile = profile_of(ref);
  TallyOptions options;
  options.window.kind = WindowSpec::Kind::kRows, options.window.rows = 1;
  options.most_bytes = 1 << 20;
  auto counted = tally(ref, profile, options);
  ASSERT_FALSE(counted);
  EXPECT_NE(counted.error().message.find("choose larger windows"), std::string::npos) << counted.error().message;
  options.window.rows = 1000;
  EXPECT_TRUE(tally(ref, profile, options));
}

TEST(Profile, AWindowLeavesATraceOnlyOfThePartsThatHaveRowsInIt) {
  MemoryInput ref("ref");
  auto g = letters(4000, "p");
  for (std::size_t i = 0; i < 400; ++i) g[i * 10] = "q";  // 10 of each 100 rows
  std::vector<std::string> many;
  for (int i = 0; i < 4000; ++i) many.push_back("category " + std::to_string(i % 900));
  ref.add("x", numbers(4000)).add("g", g).add("many", many);
  ProfileOptions options;
  options.window.kind = WindowSpec::Kind::kRows, options.window.rows = 100;
  options.segments = {{"g"}};
  auto profile = make_profile(ref, options);
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->window_count, 40);
  EXPECT_EQ(profile->columns[0].parts[0][0].windows.size(), 40U);
  ASSERT_EQ(profile->segments[1], (std::vector<std::string>{"g=p", "g=q"}));
  EXPECT_EQ(profile->columns[0].parts[1][0].windows.size(), 40U);
  EXPECT_EQ(profile->columns[0].parts[1][1].windows.size(), 0U);
}

TEST(Profile, AThousandWindowsOfAThousandCategoriesFit) {
  MemoryInput ref("ref");
  std::vector<std::string> many;
  for (int i = 0; i < 60'000; ++i) many.push_back("category " + std::to_string(i % 1500));
  ref.add("many", many);
  ProfileOptions options;
  options.window.kind = WindowSpec::Kind::kRows, options.window.rows = 50;
  auto profile = make_profile(ref, options);
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->window_count, 1000);
  EXPECT_LT(save_profile(*profile).size(), 50'000U);
}

// What one reference has by name and the other has pooled cannot be told apart afterwards: all of it is pooled.
TEST(Merge, ASegmentThatOneSidePooledIsPooled) {
  MemoryInput a("a"), b("b");
  a.add("x", numbers(1200)).add("g", letters(1200, "ppq"));  // p 800, q 400
  auto g = letters(1200, "p");
  for (std::size_t i = 0; i < 200; ++i) g[i] = i % 2 ? "q" : "r";  // p 1000, q and r 100 each
  b.add("x", numbers(1200)).add("g", g);
  auto merged = merge_profiles(profile_of(a, {{"g"}}), profile_of(b, {{"g"}}));
  ASSERT_TRUE(merged) << merged.error().message;
  ASSERT_EQ(merged->segments[1], (std::vector<std::string>{"g=p", "g=(other)"}));
  EXPECT_EQ(merged->columns[0].parts[1][0].counts.rows(), 1800);
  EXPECT_EQ(merged->columns[0].parts[1][1].counts.rows(), 600);
  // Where nothing was pooled, a name the other side lacks stands for no rows there.
  MemoryInput c("c");
  c.add("x", numbers(800)).add("g", letters(800, "s"));
  merged = merge_profiles(profile_of(a, {{"g"}}), profile_of(c, {{"g"}}));
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->segments[1], (std::vector<std::string>{"g=p", "g=q", "g=s"}));
}

}  // namespace
}  // namespace vigie::engine
