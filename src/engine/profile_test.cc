// SPDX-License-Identifier: Apache-2.0
#include "engine/profile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "base/file.h"
#include "engine/compare.h"
#include "engine/memory_input_internal.h"
#include "engine/quality_reference.h"
#include "engine/score_reference.h"

namespace vigie::engine {
namespace {

Profile made(table::Input& input, const ProfileOptions& options = {}) {
  auto profile = make_profile(input, options);
  EXPECT_TRUE(profile) << (profile ? "" : profile.error().message);
  return std::move(*profile);
}

// 30,000 rows of 3000 names, some missing; `s` tells the tens of thousands.
struct Many {
  std::vector<std::string> names, thirds;
  explicit Many(int different = 3000) {
    std::mt19937_64 rng(1);
    std::geometric_distribution<int> law(3. / different);
    for (int i = 0; i < 30'000; ++i) {
      names.push_back(i % 50 == 7 ? "" : "n" + std::to_string(law(rng) % different));
      thirds.push_back(std::to_string(i / 10'000));
    }
  }
  Profile profile(std::int64_t batch, unsigned threads = 1) const {
    MemoryInput input("many", batch);
    input.add("c", names).add("s", thirds);
    ProfileOptions options;
    options.segments = {{"s"}}, options.roles.ignore = {"s"}, options.threads = threads;
    options.window = {.kind = WindowSpec::Kind::kRows, .rows = 5000, .zone = {}};
    return made(input, options);
  }
};

TEST(ProfileHalved, CountsAreThoseOfTheSecondHalf) {
  const Many many;
  auto profile = many.profile(10'000);
  const auto& c = profile.columns[0];
  ASSERT_TRUE(c.halved);
  std::map<std::string, std::int64_t> second;
  std::int64_t rows = 0, missing = 0, all_rows = 0, all_missing = 0;
  for (std::size_t i = 0; i < many.names.size(); ++i) {
    bool gone = many.names[i].empty(), counted = in_second_half(static_cast<std::int64_t>(i));
    all_rows += !gone, all_missing += gone;
    if (!counted) continue;
    rows += !gone, missing += gone;
    if (!gone) ++second[many.names[i]];
  }
  EXPECT_EQ(c.whole().rows(), rows);
  EXPECT_EQ(c.whole().missing, missing);
  EXPECT_EQ(c.whole().total_rows(), all_rows);
  EXPECT_EQ(c.whole().total_missing(), all_missing);
  EXPECT_NEAR(static_cast<double>(rows), static_cast<double>(all_rows) / 2, 300);
  std::int64_t named = 0;
  for (const auto& k : c.categories) {
    EXPECT_EQ(k.count, second[k.name]) << k.name;
    named += k.count;
  }
  EXPECT_EQ(c.other, rows - named);
  EXPECT_GT(c.other, 0);
  // Segments are counted in the same half.
  Counts sum;
  for (const auto& part : c.parts[1]) {
    EXPECT_EQ(part.counts.total_rows() + part.counts.total_missing(), 10'000);
    sum.merge(part.counts);
  }
  EXPECT_EQ(sum.cells, c.whole().cells);
  EXPECT_EQ(sum.missing, missing);
  EXPECT_EQ(sum.total_rows(), all_rows);
  EXPECT_EQ(sum.total_missing(), all_missing);
}

TEST(ProfileHalved, BatchesAndThreadsDoNotMatter) {
  const Many many;
  const auto want = save_profile(many.profile(10'000));
  for (std::int64_t batch : {63, 64, 65, 997, 30'000}) EXPECT_EQ(save_profile(many.profile(batch, 4)), want) << batch;
}

TEST(ProfileHalved, OrderWithinTheHalvesDoesNotMatter) {
  // Few enough names for all to be counted in the first pass.
  const Many many;
  auto turned = many;
  // Rows of one half and of one third change places.
  std::array<std::vector<std::size_t>, 6> alike;
  for (std::size_t i = 0; i < many.names.size(); ++i)
    alike[i / 10'000 * 2 + in_second_half(static_cast<std::int64_t>(i))].push_back(i);
  std::mt19937_64 rng(5);
  for (const auto& group : alike) {
    auto to = group;
    std::shuffle(to.begin(), to.end(), rng);
    for (std::size_t i = 0; i < group.size(); ++i) turned.names[to[i]] = many.names[group[i]];
  }
  auto a = many.profile(1000), b = turned.profile(1000);
  ASSERT_TRUE(a.columns[0].halved);
  ASSERT_EQ(a.columns[0].categories.size(), b.columns[0].categories.size());
  for (std::size_t i = 0; i < a.columns[0].categories.size(); ++i) {
    EXPECT_EQ(a.columns[0].categories[i].name, b.columns[0].categories[i].name);
    EXPECT_EQ(a.columns[0].categories[i].count, b.columns[0].categories[i].count);
  }
  for (std::size_t s = 0; s < 3; ++s)
    EXPECT_EQ(a.columns[0].parts[1][s].counts.cells, b.columns[0].parts[1][s].counts.cells);
}

TEST(ProfileHalved, MoreNamesThanAreCountedInOnePassAreCountedInASecond) {
  std::vector<std::string> names;
  for (int i = 0; i < 200'000; ++i) names.push_back("n" + std::to_string(i % 3 ? i % 70'001 : i % 9));
  MemoryInput input("huge");
  auto profile = made(input.add("c", names));
  const auto& c = profile.columns[0];
  ASSERT_TRUE(c.halved);
  std::int64_t rows = 0;
  std::map<std::string, std::int64_t> second;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (in_second_half(static_cast<std::int64_t>(i))) ++rows, ++second[names[i]];
  EXPECT_EQ(c.whole().rows(), rows);
  EXPECT_EQ(c.whole().total_rows(), 200'000);
  for (const auto& k : c.categories) EXPECT_EQ(k.count, second[k.name]) << k.name;
}

TEST(ProfileHalved, IsSavedAndLoadedAlike) {
  const auto profile = Many().profile(10'000);
  auto bytes = save_profile(profile);
  auto loaded = load_profile(bytes, "p");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(save_profile(*loaded), bytes);
  const auto &a = profile.columns[0], &b = loaded->columns[0];
  EXPECT_TRUE(b.halved);
  EXPECT_EQ(b.whole().cells, a.whole().cells);
  EXPECT_EQ(b.whole().total_rows(), a.whole().total_rows());
  EXPECT_EQ(b.whole().total_missing(), a.whole().total_missing());
  EXPECT_EQ(b.other, a.other);
}

TEST(ProfileHalved, AWholeColumnLeavesNothingUncounted) {
  MemoryInput input("few");
  auto profile = made(input.add("c", std::vector<std::string>{"a", "b", "", "a"}).add("x", {1, 2, 3, std::nan("")}));
  for (const auto& c : profile.columns) {
    EXPECT_FALSE(c.halved);
    EXPECT_EQ(c.whole().uncounted, 0);
    EXPECT_EQ(c.whole().total_rows(), 3);
    EXPECT_EQ(c.whole().total_missing(), 1);
  }
}

TEST(Profile, MoreRowsThanCanBeAddedUpAreAnError) {
  MemoryInput input("few");
  auto profile = made(input.add("c", std::vector<std::string>{"a", "b", "a"}));
  auto& counts = profile.columns[0].parts[0][0].counts;
  counts.cells = {1LL << 59, 1LL << 58, 0};
  EXPECT_TRUE(load_profile(save_profile(profile), "p"));
  counts.cells = {1LL << 60, 1LL << 60, 0};
  EXPECT_FALSE(load_profile(save_profile(profile), "p"));
  counts.cells = {1, 1, 0}, counts.uncounted = counts.uncounted_missing = counts.missing = 1LL << 59;
  EXPECT_FALSE(load_profile(save_profile(profile), "p"));
}

const ColumnProfile& column(const Profile& p, std::string_view name) {
  for (const auto& c : p.columns)
    if (c.name == name) return c;
  ADD_FAILURE() << name;
  return p.columns.front();
}

Result<std::string> golden(const std::string& name) {
  return read_file(std::string(VIGIE_GOLDEN) + name);
}

TEST(ProfileGolden, Version1IsToldToBeTooOld) {
  auto bytes = golden("version-1.vpf");
  ASSERT_TRUE(bytes) << bytes.error().message;
  EXPECT_TRUE(is_profile(*bytes));
  auto profile = load_profile(*bytes, "old.vpf");
  ASSERT_FALSE(profile);
  EXPECT_EQ(profile.error().code, Code::kCorrupt);
  EXPECT_EQ(profile.error().message, "old.vpf: made by an older vigie (format version 1); make it again");
}

TEST(ProfileGolden, Version2SaysWhatItSaid) {
  auto bytes = golden("version-2.vpf");
  ASSERT_TRUE(bytes) << bytes.error().message;
  auto p = load_profile(*bytes, "version-2.vpf");
  ASSERT_TRUE(p) << p.error().message;
  EXPECT_EQ(p->rows, 300);
  EXPECT_EQ(p->source, "input.csv");
  EXPECT_EQ(p->window.rows, 50);
  EXPECT_EQ(p->window_count, 6);
  EXPECT_EQ(p->timestamp, "at");
  ASSERT_EQ(p->columns.size(), 6U);
  ASSERT_EQ(p->segmentations.size(), 2U);
  EXPECT_EQ(p->segments[1], std::vector<std::string>{"kind=(other)"});
  const auto& x = column(*p, "x");
  EXPECT_EQ(x.type, ColumnType::kNumeric);
  EXPECT_EQ(x.whole().rows(), 287);
  EXPECT_EQ(x.whole().missing, 13);
  EXPECT_EQ(x.parts[0][0].windows.size(), 6U);
  EXPECT_NEAR(x.moments.mean(), -.242700, 1e-6);
  const auto& kind = column(*p, "kind");
  EXPECT_EQ(kind.categories[0].name, "rail");
  EXPECT_EQ(kind.categories[0].count, 185);
  const auto& place = column(*p, "place");
  EXPECT_TRUE(place.halved);
  EXPECT_EQ(place.whole().rows(), 143);
  EXPECT_EQ(place.whole().total_rows(), 300);
  EXPECT_EQ(column(*p, "ok").type, ColumnType::kBoolean);
  EXPECT_EQ(column(*p, "note").type, ColumnType::kText);
  EXPECT_TRUE(p->aspects.empty());
}

TEST(ProfileGolden, Version2HoldsNothingForChecksOfQuality) {
  auto bytes = golden("version-2.vpf");
  ASSERT_TRUE(bytes) << bytes.error().message;
  auto p = load_profile(*bytes, "version-2.vpf");
  ASSERT_TRUE(p) << p.error().message;
  EXPECT_FALSE(p->quality);
  const auto quality = quality_of(*p);
  EXPECT_EQ(quality.state->rows(), 0);
  EXPECT_TRUE(quality.state->find("place"));
  EXPECT_EQ(quality.notes,
            std::vector<std::string>{"input.csv: holds nothing for most checks of data quality, as what was "
                                     "counted in a cluster, or by an older vigie"});
}

TEST(ProfileGolden, Version3SaysWhatItSaid) {
  auto bytes = golden("version-3.vpf");
  ASSERT_TRUE(bytes) << bytes.error().message;
  auto p = load_profile(*bytes, "version-3.vpf");
  ASSERT_TRUE(p) << p.error().message;
  EXPECT_EQ(column(*p, "x").whole().rows(), 287);
  ASSERT_TRUE(p->quality);
  EXPECT_EQ(p->quality->rows(), 300);
  const auto* x = p->quality->find("x");
  ASSERT_TRUE(x);
  EXPECT_EQ(x->missing(), 13);
  EXPECT_EQ(x->spec().kind, quality::Kind::kNumber);
  const auto* kind = p->quality->find("kind");
  ASSERT_TRUE(kind && kind->categories());
  EXPECT_EQ(kind->categories()->front().name, "rail");
  const auto* at = p->quality->find("at");
  ASSERT_TRUE(at);
  EXPECT_EQ(at->spec().role, quality::Role::kFeature);
  EXPECT_EQ(at->times().order().broken(), 0);
  ASSERT_EQ(p->quality_windows.size(), 6U);
  EXPECT_EQ(p->quality_windows[0].rows, 50);
  EXPECT_EQ(p->quality_windows[0].missing.size(), p->quality->columns().size());
}

TEST(ProfileGolden, Version3HasAspectsAndNoScores) {
  auto bytes = golden("version-3.vpf");
  ASSERT_TRUE(bytes) << bytes.error().message;
  auto stored = load_profile(*bytes, "version-3.vpf");
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_EQ(stored->aspects[0].aspect, Aspect::kHourOfDay);
  EXPECT_EQ(stored->aspects[0].profile.name, "at");
  EXPECT_EQ(stored->aspects[0].profile.parts[0][0].windows.size(), 6U);
  EXPECT_FALSE(stored->scores);
}

TEST(ProfileGolden, Version4SaysWhatItSaid) {
  auto bytes = golden("version-4.vpf");
  ASSERT_TRUE(bytes) << bytes.error().message;
  auto p = load_profile(*bytes, "version-4.vpf");
  ASSERT_TRUE(p) << p.error().message;
  ASSERT_TRUE(p->scores);
  EXPECT_EQ(p->scores->options.task, metric::Task::kBinary);
  EXPECT_EQ(p->scores->options.label, "ok");
  EXPECT_EQ(p->scores->options.positive, "true");
  EXPECT_EQ(p->scores->options.window, p->window);
  const auto& reference = p->scores->reference;
  EXPECT_FALSE(reference.cut);
  EXPECT_EQ(reference.metrics[0].metric, &metric::binary_accuracy);
  EXPECT_EQ(reference.metrics[0].value.n, 300);
  EXPECT_EQ(reference.healthy[0].count, 6);
  EXPECT_EQ(reference.metrics.back().segment, "kind=sea");
}

TEST(ProfileGolden, Version5KnowsLongerWindowsAndTheWeight) {
  auto bytes = golden("version-5.vpf");
  ASSERT_TRUE(bytes) << bytes.error().message;
  auto p = load_profile(*bytes, "version-5.vpf");
  ASSERT_TRUE(p) << p.error().message;
  EXPECT_EQ(p->weight, "x");
  ASSERT_TRUE(p->scores);
  const auto& coarser = p->scores->reference.coarser;
  ASSERT_EQ(coarser.size(), coarser_than(WindowSpec::Kind::kDay).size());
  EXPECT_EQ(coarser[0][0].count, 3);  // weeks that are whole
  EXPECT_EQ(coarser[0].size(), p->scores->reference.metrics.size());
}

TEST(ProfileGolden, Version6KnowsThinWindows) {
  auto bytes = golden("version-6.vpf");
  ASSERT_TRUE(bytes) << bytes.error().message;
  auto p = load_profile(*bytes, "version-6.vpf");
  ASSERT_TRUE(p) << p.error().message;
  const auto& windows = p->quality_windows;
  EXPECT_EQ(p->window_count, std::count_if(windows.begin(), windows.end(), [](const auto& w) { return w.rows >= 30; }));
  EXPECT_GT(static_cast<std::int64_t>(windows.size()), p->window_count);
  for (const auto& w : windows) EXPECT_EQ(w.missing.empty(), w.rows < 30) << w.rows;
}

// A row each half a minute for so many days.
Profile of_quarters(int days) {
  MemoryInput input("quarters");
  std::vector<double> times, x;
  std::mt19937_64 rng(3);
  std::normal_distribution<double> law;
  for (int i = 0; i < days * 24 * 120; ++i)
    times.push_back(1'767'225'600e6 + i * 30e6), x.push_back(i % 9 == 0 ? NAN : law(rng));
  input.add("time", times, table::Type::kTimestamp).add("x", x);
  ProfileOptions options;
  options.roles.timestamp = "time", options.window = calendar_windows("15m").value(), options.sketches = false;
  return made(input, options);
}

TEST(Profile, WindowsOfMinutesAreKeptFromAllOfItsTime) {
  const auto profile = of_quarters(21);
  EXPECT_EQ(profile.window_count, 1000) << "of 2016";
  const auto& part = profile.columns.at(0).parts[0][0];
  // Fewer than all rows of a window have a value.
  EXPECT_EQ(part.windows.size(), 0U);
  EXPECT_EQ(part.missing_windows.size(), 250U);
  std::map<int, int> days, hours;
  for (const auto& window : part.missing_windows) ++days[window.weekday], ++hours[window.hour];
  EXPECT_EQ(days.size(), 7U);
  EXPECT_EQ(hours.size(), 24U);
  for (const auto& [day, count] : days) EXPECT_NEAR(count, 250 / 7, 4) << day;
  for (const auto& [hour, count] : hours) EXPECT_NEAR(count, 250 / 24, 4) << hour;
}

TEST(Profile, WindowsOfMinutesKnowHoursFromTwoWeeksOn) {
  const auto profile = of_quarters(6);
  const auto& windows = profile.columns.at(0).parts[0][0].missing_windows;
  ASSERT_EQ(windows.size(), 250U);
  for (const auto& window : windows) EXPECT_EQ(window.hour + window.weekday, -2);
}

// Of days whose hours differ by as much as rows do: a week of quarters of an hour against four weeks of them.
TEST(Profile, WindowsOfMinutesKnowWhatIsUsualAtTheirHour) {
  const auto fill = [](MemoryInput& input, int day, int days, double shift) {
    std::vector<double> times, x;
    std::mt19937_64 rng(static_cast<std::uint64_t>(100 * day + days));
    std::normal_distribution<double> law(shift);
    for (int i = 0; i < days * 24 * 180; ++i) {
      times.push_back(1'767'225'600e6 + (day * 86400. + i * 20) * 1e6);
      x.push_back(law(rng) + std::sin(i * std::acos(-1) / 2160));
    }
    input.add("time", times, table::Type::kTimestamp).add("x", x);
  };
  MemoryInput past("past");
  fill(past, 0, 28, 0);
  ProfileOptions options;
  options.roles.timestamp = "time", options.window = calendar_windows("15m").value(), options.sketches = false;
  const auto reference = made(past, options);
  CompareOptions by;
  by.window = options.window;
  const auto share = [&](double shift) {
    MemoryInput now("now");
    fill(now, 28, 7, shift);
    const auto windows = compare(reference, now, by).value().windows;
    EXPECT_EQ(windows.size(), 672U);
    return static_cast<double>(std::count_if(windows.begin(), windows.end(),
                                             [](const auto& w) { return w.verdict == Verdict::kDrift; })) /
           672;
  };
  const double same = share(0), moved = share(1);
  RecordProperty("same", std::to_string(same)), RecordProperty("moved", std::to_string(moved));
  EXPECT_LT(same, .05 + 3 * std::sqrt(.05 * .95 / 672));
  EXPECT_GT(moved, .6);
}

TEST(Profile, WindowsOfMinutesAreSaved) {
  const auto bytes = save_profile(of_quarters(1));
  EXPECT_EQ(bytes[4], 7) << "a vigie before this one says that a newer one made it";
  const auto loaded = load_profile(bytes, "p");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(to_string(loaded->window), "15m");
  EXPECT_EQ(loaded->window_count, 96);
  EXPECT_EQ(save_profile(*loaded), bytes);
}

// The bytes that this format version gives for these data, for ever: a change needs a new version.
TEST(ProfileGolden, Version6IsWrittenToTheByte) {
  auto bytes = golden("version-6.vpf");
  ASSERT_TRUE(bytes) << bytes.error().message;
  auto stored = load_profile(*bytes, "version-6.vpf");
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_TRUE(save_profile(*stored) == *bytes);
  auto input = table::open_input(std::string(VIGIE_GOLDEN) + "input.csv", {});
  ASSERT_TRUE(input) << input.error().message;
  ProfileOptions options;
  options.roles.label = "ok", options.roles.scores = {"n"};
  options.roles.timestamp = "at", options.roles.weight = "x";
  options.segments = {{"kind"}};
  options.window.kind = WindowSpec::Kind::kDay;
  for (unsigned threads : {1U, 3U}) {
    options.threads = threads;
    auto now = made(**input, options);
    now.version = stored->version, now.source = stored->source, now.notes = stored->notes;
    ScoreOptions scoring;
    scoring.task = *likely_task(now), scoring.label = "ok", scoring.scores = {"n"};
    scoring.window = options.window, scoring.segments = options.segments, scoring.threads = threads;
    scoring.timestamp = "at";
    auto scores = store_scores(**input, scoring);
    ASSERT_TRUE(scores) << scores.error().message;
    now.scores = *scores;
    EXPECT_TRUE(save_profile(now) == *bytes) << threads;
  }
}

}  // namespace
}  // namespace vigie::engine
