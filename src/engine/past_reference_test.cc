// SPDX-License-Identifier: Apache-2.0
#include "engine/past_reference.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "engine/compare.h"
#include "engine/live_windows.h"
#include "engine/memory_input_internal.h"

namespace vigie::engine {
namespace {

constexpr std::int64_t kRows = 200;

WindowSpec by_rows() {
  WindowSpec spec;
  spec.kind = WindowSpec::Kind::kRows, spec.rows = kRows;
  return spec;
}

struct World {
  std::mt19937_64 rng{7};
  // Rows of one window, which `first` names stand in front of the usual ones.
  void fill(MemoryInput& input, int windows, double mean, const std::string& first = "") {
    std::normal_distribution<double> law(mean);
    std::vector<double> x;
    std::vector<std::string> colour, shop;
    for (std::int64_t i = 0; i < windows * kRows; ++i) {
      x.push_back(rng() % 20 == 0 ? NAN : law(rng));
      colour.push_back(!first.empty() && i % 3 == 0 ? first : rng() % 3 ? "red" : "blue");
      shop.push_back(rng() % 4 ? "north" : "south");
    }
    input.add("x", std::move(x)).add("colour", std::move(colour)).add("shop", std::move(shop));
  }
};

Profile posted() {
  World world;
  MemoryInput input("reference");
  world.fill(input, 20, 0);
  ProfileOptions options;
  options.window = by_rows(), options.segments = {{"shop"}};
  return make_profile(input, options).value();
}

TallyOptions counting() {
  TallyOptions options;
  options.segmentations = {1}, options.threads = 1;
  return options;
}

Tally counted(const Profile& axes, World& world, double mean, const std::string& first = "") {
  MemoryInput input("current");
  world.fill(input, 1, mean, first);
  return tally(input, axes, counting()).value();
}

const ColumnProfile& column(const Profile& profile, std::string_view name) {
  return *std::find_if(profile.columns.begin(), profile.columns.end(), [&](const auto& c) { return c.name == name; });
}

TEST(PastReference, SumsWhatWasCountedOfWindows) {
  const auto profile = posted();
  World world;
  PastReference kept(profile, by_rows()), at_hand(profile, by_rows());
  Counts whole, south;
  const auto c = static_cast<std::size_t>(&column(profile, "x") - profile.columns.data());
  for (std::int64_t w = 0; w < 6; ++w) {
    const auto t = counted(profile, world, 0.5);
    const PastReference::Window window{.key = w, .rows = t.rows, .part = w > 2, .usual = true};
    ASSERT_TRUE(kept.add(window, save_counts(t)));
    at_hand.add(window, t);
    if (w > 2) whole.merge(*t.at(c, 0, 0, 0)), south.merge(*t.at(c, 1, 0, 1));
  }
  for (const auto* past : {&kept, &at_hand}) {
    const auto reference = past->make();
    const auto& x = column(reference, "x");
    EXPECT_EQ(reference.rows, 3 * kRows);
    EXPECT_EQ(reference.window_count, 6);
    EXPECT_EQ(x.whole().cells, whole.cells);
    EXPECT_EQ(x.whole().missing, whole.missing);
    auto cells = south.cells;
    cells.resize(x.parts[1][1].counts.cells.size());
    EXPECT_EQ(x.parts[1][1].counts.cells, cells);
    EXPECT_EQ(x.parts[0][0].windows.size(), 6u);
    EXPECT_EQ(x.parts[0][0].missing_windows.size(), 6u);
    EXPECT_EQ(x.bins.cuts, column(profile, "x").bins.cuts);
    EXPECT_EQ(reference.quality_windows.size(), 6u);
  }
  EXPECT_FALSE(kept.add({}, "no counts"));
  auto torn = save_counts(counted(profile, world, 0));
  torn.pop_back();
  EXPECT_FALSE(kept.add({}, torn));
}

// The reference's own windows, put together, are the reference.
TEST(PastReference, OfTheReferencesOwnWindowsJudgesAsItDoes) {
  World world;
  MemoryInput input("reference");
  world.fill(input, 20, 0);
  ProfileOptions options;
  options.window = by_rows();
  const auto profile = make_profile(input, options).value();
  PastReference past(profile, by_rows());
  World again;
  MemoryInput whole("reference");
  again.fill(whole, 20, 0);
  auto asked = counting();
  asked.segmentations.clear(), asked.window = by_rows();
  const auto all = tally(whole, profile, asked).value();
  for (std::size_t w = 0; w < 20; ++w) {
    Tally one;
    one.widths = {1}, one.fresh = all.fresh, one.rows = kRows;
    for (const auto& cells : all.cells) one.cells.push_back({{cells[0][w]}});
    past.add({.key = static_cast<std::int64_t>(w), .rows = kRows, .part = true, .usual = true}, one);
  }
  const auto reference = past.make();
  CompareOptions comparing;
  comparing.window = by_rows(), comparing.threads = 1;
  for (double mean : {0., 0.2, 1.}) {
    MemoryInput current("current");
    world.fill(current, 1, mean);
    const auto a = compare(profile, current, comparing).value(), b = compare(reference, current, comparing).value();
    ASSERT_EQ(a.windows.at(0).columns.size(), b.windows.at(0).columns.size());
    for (std::size_t i = 0; i < a.windows[0].columns.size(); ++i) {
      const auto &x = a.windows[0].columns[i], &y = b.windows[0].columns[i];
      EXPECT_EQ(x.verdict, y.verdict) << x.column << " " << mean;
      EXPECT_NEAR(x.p_value, y.p_value, 1e-4) << x.column;  // a profile keeps what windows leave in single precision
      EXPECT_NEAR(x.effect, y.effect, 1e-9) << x.column;
    }
  }
}

TEST(PastReference, NamesThatWindowsMetAreKnown) {
  const auto profile = posted();
  World world;
  PastReference past(profile, by_rows());
  for (std::int64_t w = 0; w < 6; ++w) {
    const auto t = counted(profile, world, 0, "green");
    past.add({.key = w, .rows = t.rows, .part = true, .usual = true}, t);
  }
  const auto reference = past.make();
  const auto& colour = column(reference, "colour");
  ASSERT_EQ(colour.categories.size(), 3u);
  EXPECT_GE(colour.categories[0].count, colour.categories[1].count);
  EXPECT_GE(colour.categories[1].count, colour.categories[2].count);
  EXPECT_EQ(colour.whole().cells.size(), 4u);

  const auto judged = [&](const std::string& first) {
    auto t = counted(profile, world, 0, first);
    bring_to_axes(t, profile, reference);
    const auto at = static_cast<std::size_t>(&colour - reference.columns.data());
    EXPECT_EQ(t.fresh[at], first == "green" ? std::vector<std::string>() : std::vector<std::string>{first});
    CompareOptions options;
    options.window = by_rows(), options.segments = {{"shop"}}, options.threads = 1, options.quality = false;
    const auto comparer = Comparer::make(reference, options).value();
    CurrentData data{
        "current", {{"x", table::Type::kFloat}, {"colour", table::Type::kString}, {"shop", table::Type::kString}}, {}};
    data.cut_off = false;
    const auto found = comparer->judge(data, t).value();
    for (const auto& r : found.windows.at(0).columns)
      if (r.column == "colour" && !r.segment) return r.verdict;
    return Verdict::kNoData;
  };
  EXPECT_EQ(judged("green"), Verdict::kOk);
  EXPECT_EQ(judged("lilac"), Verdict::kDrift);
}

TEST(PastReference, SomeOfTheRowsAreTakenOut) {
  const auto profile = posted();
  std::vector<double> x;
  std::vector<std::string> colour, shop;
  for (std::int64_t i = 0; i < kRows; ++i) {
    x.push_back(i % 10 == 0 ? NAN : static_cast<double>(i) / 20 - 2);
    colour.push_back(i % 5 == 0 ? "green" : i % 7 == 0 ? "lilac" : "red"), shop.push_back(i % 3 ? "north" : "south");
  }
  const auto input = [&](std::size_t from, std::size_t to) {
    MemoryInput out("rows");
    const auto part = [&](const auto& list) {
      return std::remove_cvref_t<decltype(list)>(list.begin() + static_cast<std::ptrdiff_t>(from),
                                                 list.begin() + static_cast<std::ptrdiff_t>(to));
    };
    out.add("x", part(x)).add("colour", part(colour)).add("shop", part(shop));
    return tally(out, profile, counting()).value();
  };
  auto all = input(0, kRows);
  const auto some = input(37, kRows), rest = input(0, 37);
  take_out(all, some, profile);
  EXPECT_EQ(all.rows, 37);
  for (std::size_t c = 0; c < profile.counted(); ++c) {
    for (std::size_t k = 0; k < 2; ++k) {
      for (std::size_t s = 0; s < all.widths[k]; ++s) {
        const auto *left = all.at(c, k, 0, s), *wanted = rest.at(c, k, 0, s);
        ASSERT_TRUE(left && wanted);
        EXPECT_EQ(left->missing, wanted->missing);
        EXPECT_EQ(left->rows(), wanted->rows());
        EXPECT_NEAR(static_cast<double>(left->beyond), static_cast<double>(wanted->beyond), 200);
      }
    }
  }
  const auto at = static_cast<std::size_t>(&column(profile, "colour") - profile.columns.data());
  const auto base = column(profile, "colour").cells();
  ASSERT_EQ(all.fresh[at], (std::vector<std::string>{"green", "lilac"}));
  EXPECT_EQ(all.at(at, 0, 0, 0)->cells[base], 8);      // 0, 5, … 35
  EXPECT_EQ(all.at(at, 0, 0, 0)->cells[base + 1], 4);  // 7, 14, 21, 28
}

// What lies beyond the cells is where the windows before were, too: no effect is made of it.
TEST(PastReference, WindowsBeyondTheCellsAreUsualWhereAllAre) {
  const auto profile = posted();
  World world;
  PastReference past(profile, by_rows());
  for (std::int64_t w = 0; w < 6; ++w) {
    const auto t = counted(profile, world, 5);
    past.add({.key = w, .rows = t.rows, .part = true, .usual = true}, t);
  }
  const auto reference = past.make();
  const auto c = static_cast<std::size_t>(&column(reference, "x") - reference.columns.data());
  auto same = counted(profile, world, 5), farther = counted(profile, world, 8);
  bring_to_axes(same, profile, reference), bring_to_axes(farther, profile, reference);
  const auto beyond = [&](const Tally& t) {
    return 1e-6 * static_cast<double>(t.at(c, 0, 0, 0)->beyond) / static_cast<double>(t.at(c, 0, 0, 0)->rows()) *
           reference.columns[c].bins.sd;
  };
  EXPECT_NEAR(beyond(same), 0, 0.5);
  EXPECT_NEAR(beyond(farther), 3, 0.8);
}

}  // namespace
}  // namespace vigie::engine
