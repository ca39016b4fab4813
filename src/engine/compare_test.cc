// SPDX-License-Identifier: Apache-2.0
#include "engine/compare.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "engine/label_drift.h"
#include "engine/memory_input_internal.h"

namespace vigie::engine {
namespace {

std::vector<double> normal(std::int64_t n, std::uint64_t seed, double shift = 0, double scale = 1) {
  std::mt19937_64 rng(seed);
  std::normal_distribution<double> law(shift, scale);
  std::vector<double> v(static_cast<std::size_t>(n));
  for (auto& x : v) x = law(rng);
  return v;
}

std::vector<std::string> pick(std::int64_t n, std::uint64_t seed, std::vector<double> weights) {
  std::mt19937_64 rng(seed);
  std::discrete_distribution<int> law(weights.begin(), weights.end());
  std::vector<std::string> v;
  for (std::int64_t i = 0; i < n; ++i) v.push_back(std::string(1, static_cast<char>('a' + law(rng))));
  return v;
}

Profile profile_of(MemoryInput& input, WindowSpec window = {}, std::vector<SegmentBy> segments = {}, Roles roles = {}) {
  ProfileOptions options;
  options.window = std::move(window), options.segments = std::move(segments), options.roles = std::move(roles);
  auto profile = make_profile(input, options);
  EXPECT_TRUE(profile) << (profile ? "" : profile.error().message);
  return std::move(*profile);
}

Comparison compared(const Profile& reference, MemoryInput& current, WindowSpec window = {},
                    std::vector<SegmentBy> segments = {}) {
  CompareOptions options;
  options.window = std::move(window), options.segments = std::move(segments);
  auto result = compare(reference, current, options);
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  return std::move(*result);
}

const ColumnResult& row(const WindowResult& w, const std::string& column, const std::string& method = "omnibus",
                        const std::optional<std::string>& segment = {}) {
  for (const auto& r : w.columns)
    if (r.column == column && r.method == method && r.segment == segment) return r;
  ADD_FAILURE() << "no result for " << column;
  return w.columns.front();
}

WindowSpec rows(std::int64_t n) {
  WindowSpec w;
  w.kind = WindowSpec::Kind::kRows, w.rows = n;
  return w;
}

// As they come, labels are compared as they are in a file.
TEST(Compare, TellsOfLabelsAlone) {
  MemoryInput ref("ref"), cur("cur"), alone("alone");
  const auto spec = rows(200);
  ref.add("x", normal(4000, 1)).add("label", pick(4000, 2, {5, 5}));
  const auto x = normal(200, 3);
  const auto label = pick(200, 4, {95, 5});
  cur.add("x", x).add("label", label), alone.add("label", label);
  Roles roles;
  roles.label = "label";
  const auto profile = profile_of(ref, spec, {}, roles);
  const auto both = compared(profile, cur, spec);
  const auto labels = labels_of(profile);
  ASSERT_TRUE(labels);
  EXPECT_EQ(labels->columns.size(), 1U);
  const auto found = compare_labels(*labels, alone, spec, false);
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->size(), 1U);
  const auto& one = found->front();
  const auto& same = row(both.windows.at(0), "label");
  EXPECT_EQ(one.role, Role::kLabel);
  EXPECT_EQ(one.verdict, Verdict::kDrift);
  EXPECT_EQ(one.statistic, same.statistic);
  EXPECT_EQ(one.p_value, same.p_value);
  EXPECT_EQ(one.effect, same.effect);
  EXPECT_EQ(one.null, "between-window");
  MemoryInput again("again");
  again.add("x", x);
  EXPECT_FALSE(labels_of(profile_of(again)));
}

TEST(Compare, TellsWhatMovedFromWhatDidNot) {
  MemoryInput ref("ref"), cur("cur");
  ref.add("moved", normal(2000, 1)).add("same", normal(2000, 2)).add("cat", pick(2000, 3, {5, 3, 2}));
  cur.add("moved", normal(1000, 4, 0.5)).add("same", normal(1000, 5)).add("cat", pick(1000, 6, {2, 3, 5}));
  auto c = compared(profile_of(ref), cur);
  ASSERT_EQ(c.windows.size(), 1U);
  const auto& w = c.windows[0];
  EXPECT_EQ(row(w, "moved").verdict, Verdict::kDrift);
  EXPECT_NEAR(row(w, "moved").effect, 0.5, 0.1);
  EXPECT_EQ(row(w, "moved").effect_scale, "reference sd");
  EXPECT_EQ(row(w, "same").verdict, Verdict::kOk);
  EXPECT_EQ(row(w, "cat").verdict, Verdict::kDrift);
  EXPECT_NEAR(row(w, "cat").effect, 0.3, 0.06);
  EXPECT_EQ(c.summary.drift, 2);
  EXPECT_EQ(c.summary.ok, 1);
  EXPECT_EQ(c.summary.verdict, Verdict::kDrift);
}

TEST(Compare, StoredProfileGivesTheSameToTheLastDigit) {
  MemoryInput ref("ref"), cur("cur");
  ref.add("x", normal(20'000, 1)).add("g", pick(20'000, 2, {5, 3, 2}));
  cur.add("x", normal(9'000, 3, 0.1)).add("g", pick(9'000, 4, {5, 3, 3}));
  auto direct = profile_of(ref, rows(1000), {{"g"}});
  auto stored = load_profile(save_profile(direct), "p.vpf");
  ASSERT_TRUE(stored) << stored.error().message;
  auto a = compared(direct, cur, rows(1000), {{"g"}}), b = compared(*stored, cur, rows(1000), {{"g"}});
  ASSERT_EQ(a.windows.size(), b.windows.size());
  for (std::size_t w = 0; w < a.windows.size(); ++w) {
    ASSERT_EQ(a.windows[w].columns.size(), b.windows[w].columns.size());
    for (std::size_t i = 0; i < a.windows[w].columns.size(); ++i) {
      const auto &p = a.windows[w].columns[i], &q = b.windows[w].columns[i];
      EXPECT_EQ(p.p_value, q.p_value);
      EXPECT_EQ(p.effect, q.effect);
      EXPECT_EQ(p.verdict, q.verdict);
      EXPECT_EQ(p.reason, q.reason);
    }
  }
}

TEST(Compare, ThreadsDoNotChangeAnything) {
  MemoryInput ref("ref"), cur("cur");
  for (int i = 0; i < 6; ++i) {
    ref.add("x" + std::to_string(i), normal(50'000, 10U + static_cast<unsigned>(i)));
    cur.add("x" + std::to_string(i), normal(30'000, 20U + static_cast<unsigned>(i)));
  }
  ProfileOptions one, many;
  one.threads = 1, many.threads = 4;
  EXPECT_EQ(save_profile(*make_profile(ref, one)), save_profile(*make_profile(ref, many)));
}

TEST(Compare, MissingShareIsATestOfItsOwn) {
  MemoryInput ref("ref"), cur("cur");
  auto holes = [](std::vector<double> v, std::size_t every) {
    for (std::size_t i = 0; i < v.size(); i += every) v[i] = NAN;
    return v;
  };
  ref.add("x", holes(normal(3000, 1), 50));
  cur.add("x", holes(normal(3000, 2), 3));
  auto c = compared(profile_of(ref), cur);
  EXPECT_EQ(row(c.windows[0], "x").verdict, Verdict::kOk);
  EXPECT_EQ(row(c.windows[0], "x", "missing_share").verdict, Verdict::kDrift);
  EXPECT_EQ(row(c.windows[0], "x", "missing_share").missing_current, 1000);
  EXPECT_EQ(c.summary.columns, 1);
  EXPECT_EQ(c.summary.drift, 1);
}

TEST(Compare, ALabelThatIsNotThereIsNotKnownYet) {
  MemoryInput ref("ref"), cur("cur");
  auto holes = [](std::vector<double> v, std::size_t every) {
    for (std::size_t i = 0; i < v.size(); i += every) v[i] = NAN;
    return v;
  };
  ref.add("paid", holes(normal(3000, 1), 50)).add("score", holes(normal(3000, 2), 50));
  cur.add("paid", holes(normal(3000, 3), 3)).add("score", holes(normal(3000, 4), 3));
  Roles roles;
  roles.label = "paid", roles.scores = {"score"};
  auto c = compared(profile_of(ref, {}, {}, roles), cur);
  const auto& w = c.windows[0];
  EXPECT_EQ(row(w, "score", "missing_share").verdict, Verdict::kDrift);
  EXPECT_EQ(row(w, "paid").verdict, Verdict::kOk);
  for (const auto& r : w.columns) EXPECT_FALSE(r.column == "paid" && r.method == "missing_share");
  for (const auto& q : w.quality) {
    if (q.check != "missing") continue;
    EXPECT_EQ(q.verdict, q.column == "paid" ? "pass" : "fail");
  }
  EXPECT_NE(std::find(c.notes.begin(), c.notes.end(), "label \"paid\": 33.3 % of the rows have none yet"),
            c.notes.end());
}

TEST(Compare, NothingToDecideIsAVerdictAndNotAnError) {
  MemoryInput ref("ref"), cur("cur");
  ref.add("few", normal(1000, 1))
      .add("constant", std::vector<double>(1000, 3))
      .add("empty", std::vector<double>(1000, NAN))
      .add("gone", normal(1000, 2));
  std::vector<double> few(500, NAN);
  for (std::size_t i = 0; i < 10; ++i) few[i] = 1;
  cur.add("few", few).add("constant", std::vector<double>(500, 3)).add("empty", std::vector<double>(500, NAN));
  auto c = compared(profile_of(ref), cur);
  for (const char* name : {"few", "constant", "empty", "gone"}) {
    EXPECT_EQ(row(c.windows[0], name).verdict, Verdict::kNoData) << name;
    EXPECT_FALSE(row(c.windows[0], name).reason.empty()) << name;
  }
}

TEST(Compare, AConstantReferenceThatStartsToVaryIsAChange) {
  MemoryInput ref("ref"), cur("cur");
  ref.add("x", std::vector<double>(1000, 3));
  auto v = std::vector<double>(1000, 3);
  for (std::size_t i = 0; i < v.size(); i += 2) v[i] = 4;
  cur.add("x", v);
  auto c = compared(profile_of(ref), cur);
  EXPECT_EQ(row(c.windows[0], "x").verdict, Verdict::kDrift);
  EXPECT_EQ(row(c.windows[0], "x").effect_scale, "share of rows");
}

TEST(Compare, InfinityCountsAsMissing) {
  MemoryInput ref("ref"), cur("cur");
  ref.add("x", normal(1000, 1));
  auto v = normal(1000, 2);
  for (std::size_t i = 0; i < 400; ++i) v[i] = i % 2 ? INFINITY : -INFINITY;
  cur.add("x", v);
  auto c = compared(profile_of(ref), cur);
  EXPECT_EQ(row(c.windows[0], "x").missing_current, 400);
  EXPECT_EQ(row(c.windows[0], "x").verdict, Verdict::kOk);
}

TEST(Compare, NewCategoriesAreCategories) {
  MemoryInput ref("ref"), cur("cur");
  ref.add("c", pick(2000, 1, {5, 5}));
  cur.add("c", pick(2000, 2, {5, 5, 5}));
  auto c = compared(profile_of(ref), cur);
  EXPECT_EQ(row(c.windows[0], "c").verdict, Verdict::kDrift);
  EXPECT_NEAR(row(c.windows[0], "c").effect, 1.0 / 3, 0.05);
  EXPECT_NE(row(c.windows[0], "c").reason.find("new value"), std::string::npos);
}

TEST(Compare, SegmentsShowAChangeThatTheWholeHides) {
  MemoryInput ref("ref"), cur("cur");
  auto build = [](MemoryInput& to, std::uint64_t seed, double shift) {
    auto g = pick(6000, seed, {1, 1, 0.01});
    auto x = normal(6000, seed + 1);
    for (std::size_t i = 0; i < x.size(); ++i)
      if (g[i] == "a") x[i] += shift;
    to.add("x", x).add("g", g);
  };
  build(ref, 1, 0), build(cur, 5, 0.6);
  auto profile = profile_of(ref, {}, {{"g"}});
  EXPECT_EQ(profile.segments[1].back(), "g=(other)");
  auto c = compared(profile, cur, {}, {{"g"}});
  EXPECT_EQ(row(c.windows[0], "x", "omnibus", "g=a").verdict, Verdict::kDrift);
  EXPECT_EQ(row(c.windows[0], "x", "omnibus", "g=b").verdict, Verdict::kOk);
}

TEST(Compare, RowWindowsFindWhenItBegan) {
  MemoryInput ref("ref"), cur("cur");
  ref.add("x", normal(20'000, 1));
  auto v = normal(10'000, 2);
  for (std::size_t i = 6000; i < v.size(); ++i) v[i] += 0.5;
  cur.add("x", v);
  auto c = compared(profile_of(ref, rows(1000)), cur, rows(1000));
  ASSERT_EQ(c.windows.size(), 10U);
  for (std::size_t w = 0; w < 10; ++w) EXPECT_EQ(c.windows[w].verdict, w < 6 ? Verdict::kOk : Verdict::kDrift) << w;
  EXPECT_EQ(c.reference.windows, 20);
  EXPECT_EQ(c.summary.windows_with_drift, 4);
}

TEST(Compare, AMissingShareThatWandersIsNoAlarmUntilItLeavesItsRange) {
  constexpr std::int64_t kRows = 1000;
  auto column = [](int windows, std::uint64_t seed, double jump) {
    auto v = normal(windows * kRows, seed);
    std::mt19937_64 rng(seed + 1);
    std::uniform_real_distribution<double> share(0.02, 0.10), uniform(0, 1);
    for (int w = 0; w < windows; ++w) {
      double missing = share(rng) + (w == windows - 1 ? jump : 0);
      for (std::int64_t i = 0; i < kRows; ++i)
        if (uniform(rng) < missing) v[static_cast<std::size_t>(w * kRows + i)] = NAN;
    }
    return v;
  };
  MemoryInput ref("ref"), cur("cur");
  ref.add("x", column(30, 1, 0)), cur.add("x", column(10, 7, 0.5));
  auto c = compared(profile_of(ref, rows(kRows)), cur, rows(kRows));
  for (std::size_t w = 0; w < 9; ++w) {
    const auto& r = row(c.windows[w], "x", "missing_share");
    EXPECT_EQ(r.verdict, Verdict::kOk) << w;
    EXPECT_EQ(r.null, "between-window") << w;
  }
  EXPECT_EQ(row(c.windows[9], "x", "missing_share").verdict, Verdict::kDrift);
}

TEST(Compare, CalendarWindowsAndThePartialOne) {
  MemoryInput ref("ref"), cur("cur");
  auto times = [](std::int64_t n, double step) {
    std::vector<double> t;
    for (std::int64_t i = 0; i < n; ++i) t.push_back(1.767225600e15 + step * static_cast<double>(i));  // 2026-01-01
    return t;
  };
  ref.add("t", times(2400, 3.6e8), table::Type::kTimestamp).add("x", normal(2400, 1));  // 240 a day: ten days
  cur.add("t", times(600, 3.6e8), table::Type::kTimestamp).add("x", normal(600, 2));    // two days and a half
  WindowSpec day;
  day.kind = WindowSpec::Kind::kDay;
  Roles roles;
  roles.timestamp = "t";
  auto c = compared(profile_of(ref, day, {}, roles), cur, day);
  ASSERT_EQ(c.windows.size(), 3U);
  EXPECT_EQ(c.windows[0].start, "2026-01-01T00:00:00Z");
  EXPECT_EQ(c.windows[0].end, "2026-01-02T00:00:00Z");
  EXPECT_FALSE(c.windows[1].partial);
  EXPECT_TRUE(c.windows[2].partial);
  EXPECT_EQ(c.windows[2].verdict, Verdict::kNoData);
  EXPECT_EQ(c.reference.windows, 10);
  // But that all is missing, where a whole day had nothing missing, is no matter of the time of day.
  MemoryInput gone("gone");
  auto x = normal(600, 2);
  std::fill(x.begin() + 480, x.end(), NAN);
  gone.add("t", times(600, 3.6e8), table::Type::kTimestamp).add("x", x);
  auto d = compared(profile_of(ref, day, {}, roles), gone, day);
  const auto missing = std::find_if(d.windows[2].quality.begin(), d.windows[2].quality.end(),
                                    [](const auto& q) { return q.check == "missing" && q.column == "x"; });
  ASSERT_NE(missing, d.windows[2].quality.end());
  EXPECT_EQ(missing->verdict, "fail");
  EXPECT_EQ(missing->value, 1);
}

TEST(Compare, NoCommonColumnIsAnError) {
  MemoryInput ref("ref"), cur("cur");
  ref.add("x", normal(100, 1));
  cur.add("y", normal(100, 15));
  auto result = compare(profile_of(ref), cur, {});
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("no column in common"), std::string::npos);
}

TEST(Compare, MergedProfileStandsForTheWhole) {
  auto a = normal(8000, 1), b = normal(6000, 2, 0.3), all = a;
  all.insert(all.end(), b.begin(), b.end());
  auto ca = pick(8000, 3, {5, 3, 2}), cb = pick(6000, 4, {4, 3, 3}), call = ca;
  call.insert(call.end(), cb.begin(), cb.end());
  MemoryInput ia("a"), ib("b"), iall("all"), cur("cur");
  ia.add("x", a).add("c", ca), ib.add("x", b).add("c", cb), iall.add("x", all).add("c", call);
  cur.add("x", normal(5000, 5, 0.5)).add("c", pick(5000, 6, {2, 3, 5}));
  auto merged = merge_profiles(profile_of(ia), profile_of(ib));
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_EQ(merged->rows, 14'000);
  auto p = compared(*merged, cur), q = compared(profile_of(iall), cur);
  for (const char* name : {"x", "c"}) {
    EXPECT_EQ(row(p.windows[0], name).verdict, row(q.windows[0], name).verdict);
    EXPECT_NEAR(row(p.windows[0], name).effect, row(q.windows[0], name).effect, 0.01);
  }
  EXPECT_EQ(row(p.windows[0], "c").exact, true);
  EXPECT_LT(row(p.windows[0], "x").error_bound, 0.05);
}

TEST(Profile, ATornOrFlippedFileIsAnError) {
  MemoryInput ref("ref");
  ref.add("x", normal(500, 1)).add("c", pick(500, 2, {5, 3, 2}));
  auto bytes = save_profile(profile_of(ref));
  for (std::size_t size = 0; size < bytes.size(); size += 97) EXPECT_FALSE(load_profile(bytes.substr(0, size), "p"));
  for (std::size_t i = 0; i < bytes.size(); i += 13) {
    auto bad = bytes;
    bad[i] = static_cast<char>(bad[i] ^ 0x20);
    EXPECT_FALSE(load_profile(bad, "p")) << i;
  }
}

TEST(Profile, IsSmallWhateverTheRows) {
  MemoryInput ref("ref");
  std::vector<std::string> many;
  for (int i = 0; i < 200'000; ++i) many.push_back("category number " + std::to_string(i % 50'000));
  ref.add("x", normal(200'000, 1)).add("c", many);
  EXPECT_LT(save_profile(profile_of(ref, rows(1000))).size(), 2 * 50'000U);
}

TEST(Profile, FreeTextIsComparedByItsLength) {
  MemoryInput ref("ref"), cur("cur");
  std::vector<std::string> s, t;
  for (int i = 0; i < 2000; ++i) s.push_back(std::to_string(i) + std::string(static_cast<std::size_t>(i % 40), 'x'));
  for (int i = 0; i < 2000; ++i) t.push_back(std::to_string(i) + std::string(static_cast<std::size_t>(i % 90), 'x'));
  ref.add("s", s), cur.add("s", t);
  auto profile = profile_of(ref);
  EXPECT_EQ(profile.columns[0].type, ColumnType::kText);
  EXPECT_EQ(row(compared(profile, cur).windows[0], "s").verdict, Verdict::kDrift);
}

// A large move that sampling noise cannot explain, beside few healthy windows that wander: neither drift nor ok.
TEST(Compare, FewHealthyWindowsCannotSayWhatIsUsual) {
  std::vector<double> reference;
  const double level[] = {-.3, .1, .35, -.15, .25};
  for (std::size_t w = 0; w < 5; ++w)
    for (auto x : normal(1000, w + 1, level[w])) reference.push_back(x);
  MemoryInput ref("ref"), now("now");
  ref.add("x", std::move(reference));
  auto profile = profile_of(ref, rows(1000));
  now.add("x", normal(1000, 99, .6));
  auto result = compared(profile, now);
  const auto& r = row(result.windows[0], "x");
  EXPECT_EQ(r.verdict, Verdict::kNoData);
  EXPECT_GT(r.effect, .25);
  EXPECT_GT(r.detectable_effect, r.effect);
  EXPECT_NE(r.reason.find("to tell if it is usual"), std::string::npos) << r.reason;
}

// A level that changed once among many of them leaves little to go by.
TEST(Compare, HealthyWindowsThatChangeSlowlyCannotSayWhatIsUsual) {
  std::vector<double> reference;
  for (std::size_t w = 0; w < 20; ++w)
    for (auto x : normal(1000, w + 1, w < 6 ? .15 : 0)) reference.push_back(x);
  MemoryInput ref("ref");
  ref.add("x", std::move(reference));
  const auto profile = profile_of(ref, rows(1000));
  const auto judged = [&](double mean) {
    MemoryInput now("now");
    now.add("x", normal(1000, 99, mean));
    CompareOptions options;
    options.alpha = .001;
    return row(compare(profile, now, options)->windows[0], "x");
  };
  EXPECT_EQ(judged(.04).verdict, Verdict::kOk);
  const auto some = judged(.5), far = judged(1.5);
  EXPECT_EQ(some.verdict, Verdict::kNoData);
  EXPECT_NE(some.reason.find("to tell if it is usual"), std::string::npos) << some.reason;
  EXPECT_EQ(far.verdict, Verdict::kWarning);
  EXPECT_NE(far.reason.find("outside all healthy windows by"), std::string::npos) << far.reason;
}

TEST(Compare, ASegmentWithoutHealthyWindowsOfItsOwnIsWarnedOfAtMost) {
  // Twenty windows of 500 rows, of which the rare segment has 20 each: its windows leave no trace.
  MemoryInput ref("ref"), cur("cur");
  auto places = [](std::int64_t n) {
    std::vector<std::string> v;
    for (std::int64_t i = 0; i < n; ++i) v.push_back(i % 25 ? "often" : "rare");
    return v;
  };
  auto holes = [](std::vector<double> v, std::size_t every) {
    for (std::size_t i = 0; i < v.size(); i += every) v[i] = NAN;
    return v;
  };
  ref.add("x", normal(10'000, 1)).add("y", holes(normal(10'000, 2), 49)).add("place", places(10'000));
  cur.add("x", normal(10'000, 3, 3)).add("y", holes(normal(10'000, 4), 3)).add("place", places(10'000));
  auto c = compared(profile_of(ref, rows(500), {{"place"}}), cur, {}, {{"place"}});
  const auto& w = c.windows[0];
  EXPECT_EQ(row(w, "x").verdict, Verdict::kDrift);
  EXPECT_EQ(row(w, "x", "omnibus", "place=often").verdict, Verdict::kDrift);
  for (const auto& r : {row(w, "x", "omnibus", "place=rare"), row(w, "y", "missing_share", "place=rare")}) {
    EXPECT_EQ(r.verdict, Verdict::kWarning) << r.reason;
    EXPECT_NE(r.reason.find("fewer than five healthy windows have 30 rows of this segment"), std::string::npos)
        << r.reason;
  }
}

TEST(Compare, ColumnsThatCannotBeComparedFailTheSchema) {
  MemoryInput ref("ref"), now("now");
  ref.add("x", normal(100, 1)), ref.add("y", normal(100, 15));
  now.add("x", normal(100, 3));
  auto profile = profile_of(ref);
  auto result = compared(profile, now);
  const auto& quality = result.windows[0].quality;
  auto q = std::find_if(quality.begin(), quality.end(),
                        [](const auto& found) { return found.check == "schema" && found.column == "y"; });
  ASSERT_NE(q, quality.end());
  EXPECT_EQ(q->verdict, "fail");
  EXPECT_EQ(std::count_if(quality.begin(), quality.end(), [](const auto& found) { return found.verdict == "fail"; }),
            1);
  EXPECT_EQ(result.summary.verdict, Verdict::kOk);
}

// Checks that compare() makes say what they say where all are made.
TEST(Compare, QualityIsThatOfTheChecks) {
  MemoryInput ref("ref"), now("now");
  auto current = normal(2000, 3);
  for (std::size_t i = 0; i < 400; ++i) current[5 * i] = std::nan("");
  current[1] = std::numeric_limits<double>::infinity();
  ref.add("x", normal(2000, 1)), now.add("x", current).add("fresh", normal(2000, 4));
  const auto result = compared(profile_of(ref), now);
  std::map<std::string, QualityResult> found;
  for (const auto& q : result.windows[0].quality) found[q.check + " " + q.column.value_or("")] = q;
  EXPECT_EQ(found["missing x"].verdict, "fail");
  EXPECT_EQ(found["missing x"].reason, "20 % missing, 0 % in the reference");
  EXPECT_NEAR(found["infinite x"].value, 1 / 1600., 1e-9);
  EXPECT_EQ(found["schema x"].verdict, "pass");
  EXPECT_EQ(found["schema fresh"].verdict, "warn");
  EXPECT_FALSE(found.contains("isolation_forest "));
}

TEST(Compare, AColumnThatStandsStillIsSaidToDoSo) {
  MemoryInput ref("ref"), now("now");
  auto tenths = [](std::vector<double> v) {
    for (auto& x : v) x = std::round(10 * x) / 10;
    return v;
  };
  ref.add("x", tenths(normal(5000, 1)));
  now.add("x", std::vector<double>(500, .5));
  auto profile = profile_of(ref);
  auto result = compared(profile, now);
  const auto& r = row(result.windows[0], "x");
  EXPECT_EQ(r.verdict, Verdict::kDrift);
  EXPECT_TRUE(r.reason.starts_with("the value 0.5: ")) << r.reason;
  EXPECT_NE(r.reason.find("→ 100 %"), std::string::npos) << r.reason;
}

TEST(Compare, AProfileWithMoreRowsThanCanBeCountedIsAnError) {
  MemoryInput ref("ref");
  ref.add("x", normal(1000, 1));
  auto profile = profile_of(ref, rows(100));
  EXPECT_TRUE(load_profile(save_profile(profile), "p"));
  profile.columns[0].parts[0][0].windows[0].rows = 1.8e19;
  EXPECT_FALSE(load_profile(save_profile(profile), "p"));
}

// 900 rare values of which none comes back: too sparse for the test, and not to be called unchanged.
TEST(Compare, ManyCategoriesCountEveryRowOfTheReference) {
  auto codes = [](std::int64_t n, std::uint64_t seed) {
    std::mt19937_64 rng(seed);
    std::vector<std::string> v;
    for (std::int64_t i = 0; i < n; ++i) v.push_back(i % 10 == 0 ? "" : "c" + std::to_string(rng() % 1500));
    return v;
  };
  MemoryInput ref("ref"), cur("cur");
  ref.add("c", codes(30'000, 1)), cur.add("c", codes(30'000, 2));
  ProfileOptions options;
  options.schema = {{"c", table::Type::kString, ColumnType::kCategorical}};
  auto profile = make_profile(ref, options);
  ASSERT_TRUE(profile);
  auto c = compared(*profile, cur);
  const auto& r = row(c.windows[0], "c");
  EXPECT_EQ(r.n_reference, 27'000);
  EXPECT_EQ(r.missing_reference, 3'000);
  EXPECT_NEAR(static_cast<double>(r.untested_reference), 13'500, 500);
  const auto& missing = row(c.windows[0], "c", "missing_share");
  EXPECT_EQ(missing.n_reference, 27'000);
  EXPECT_EQ(missing.missing_reference, 3'000);
  EXPECT_EQ(missing.statistic, 0);
}

TEST(Compare, ManyCategoriesDoNotDifferFromThemselves) {
  std::mt19937_64 rng(1);
  std::vector<std::string> codes;
  for (std::int64_t i = 0; i < 30'000; ++i) codes.push_back("c" + std::to_string(rng() % 3000));
  MemoryInput data("data");
  data.add("c", codes).add("place", pick(30'000, 2, {1, 1}));
  ProfileOptions options;
  options.schema = {{"c", table::Type::kString, ColumnType::kCategorical}};
  options.segments = {{"place"}};
  auto profile = make_profile(data, options);
  ASSERT_TRUE(profile);
  for (const auto& window : {WindowSpec{}, rows(15'000)}) {
    for (const auto& w : compared(*profile, data, window, {{"place"}}).windows) {
      for (const auto& r : w.columns)
        if (r.column == "c") {
          EXPECT_EQ(r.verdict, Verdict::kOk) << r.reason;
        }
      if (w.rows < 30'000) continue;
      EXPECT_EQ(row(w, "c").effect, 0);
      EXPECT_EQ(row(w, "c").n_current, 30'000);
    }
  }
  // Fewer rows, all of them counted: of the same law, and no change either.
  std::vector<std::string> fresh;
  for (std::int64_t i = 0; i < 29'999; ++i) fresh.push_back("c" + std::to_string(rng() % 3000));
  MemoryInput others("others");
  others.add("c", fresh).add("place", pick(29'999, 3, {1, 1}));
  EXPECT_EQ(row(compared(*profile, others).windows[0], "c").verdict, Verdict::kOk);
}

TEST(Compare, WhatHealthyWindowsDoNotFollowIsNotCalledUsual) {
  // Days of 100 rows cannot say how often one of 300 categories comes; a week in which one has grown is no usual one.
  auto codes = [](std::int64_t n, std::uint64_t seed, bool grown) {
    std::mt19937_64 rng(seed);
    std::vector<std::string> v;
    for (std::int64_t i = 0; i < n; ++i) v.push_back("c" + std::to_string(grown && i % 8 == 0 ? 0 : rng() % 300));
    return v;
  };
  ProfileOptions options;
  options.schema = {{"c", table::Type::kString, ColumnType::kCategorical}};
  options.window = rows(100);
  MemoryInput ref("ref"), cur("cur"), same("same");
  ref.add("c", codes(9'000, 1, false)), cur.add("c", codes(700, 2, true)), same.add("c", codes(700, 3, false));
  auto profile = make_profile(ref, options);
  ASSERT_TRUE(profile);
  const auto r = row(compared(*profile, cur).windows[0], "c");
  EXPECT_NE(r.verdict, Verdict::kOk) << r.reason;
  EXPECT_EQ(row(compared(*profile, same).windows[0], "c").verdict, Verdict::kOk);
}

TEST(Compare, AColumnOfManyCategoriesThatBecameOneIsDrift) {
  MemoryInput ref("ref"), cur("cur");
  std::mt19937_64 rng(1);
  std::vector<std::string> codes;
  for (std::int64_t i = 0; i < 2'000; ++i) codes.push_back("c" + std::to_string(rng() % 900));
  ref.add("c", codes), cur.add("c", std::vector<std::string>(300, "c0"));
  ProfileOptions options;
  options.schema = {{"c", table::Type::kString, ColumnType::kCategorical}};
  auto profile = make_profile(ref, options);
  ASSERT_TRUE(profile);
  const auto r = row(compared(*profile, cur).windows[0], "c");
  EXPECT_EQ(r.verdict, Verdict::kDrift) << r.reason;
}

TEST(Compare, OfColumnsWithoutAnyValueNothingIsSaid) {
  MemoryInput ref("ref"), cur("cur");
  ref.add("x", std::vector<double>(100, NAN)).add("y", normal(100, 11));
  cur.add("x", std::vector<double>(100, NAN)).add("y", normal(100, 15));
  auto c = compared(profile_of(ref), cur);
  EXPECT_EQ(c.summary.no_data, 1);
  EXPECT_EQ(c.summary.ok, 1);
}

TEST(Compare, SegmentsThatNoWindowCouldJudgeAreNamed) {
  MemoryInput ref("ref"), cur("cur");
  std::vector<std::string> places;
  for (int i = 0; i < 10'000; ++i) places.push_back(i % 25 ? "often" : "rare");
  ref.add("x", normal(10'000, 1)).add("place", places), cur.add("x", normal(10'000, 2)).add("place", places);
  auto c = compared(profile_of(ref, rows(500), {{"place"}}), cur, rows(500), {{"place"}});
  EXPECT_EQ(std::count_if(c.notes.begin(), c.notes.end(),
                          [](const auto& n) { return n.starts_with("segment place=rare was not judged: 20 rows"); }),
            1);
}

Comparison with_methods(MemoryInput& ref, MemoryInput& cur, std::vector<MethodChoice> methods, bool rows = true) {
  CompareOptions options;
  options.methods = std::move(methods);
  if (rows) options.reference_rows = &ref;
  auto result = compare(profile_of(ref), cur, options);
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  return std::move(*result);
}

TEST(Methods, ThoseAskedForAreRunAndShareOneMemberOfTheFamily) {
  MemoryInput ref("ref"), cur("cur");
  ref.add("x", normal(2000, 1)).add("y", normal(2000, 2)).add("c", pick(2000, 3, {5, 3, 2}));
  cur.add("x", normal(500, 4, .4)).add("y", normal(500, 5)).add("c", pick(500, 6, {5, 3, 2}));
  auto c = with_methods(ref, cur, {{"", "all"}, {"y", "ks"}});
  const auto& w = c.windows[0];
  std::vector<std::string> of_y;
  for (const auto& r : w.columns)
    if (r.column == "y") of_y.push_back(r.method);
  EXPECT_EQ(of_y, std::vector<std::string>{"ks"});
  const auto& ks = row(w, "x", "ks");
  EXPECT_TRUE(ks.exact);
  EXPECT_EQ(ks.verdict, Verdict::kDrift);
  EXPECT_EQ(ks.effect, row(w, "x").effect);
  const auto several = std::count_if(w.columns.begin(), w.columns.end(), [](const auto& r) { return r.column == "x"; });
  EXPECT_GE(ks.p_adjusted, std::min(1., static_cast<double>(several) * ks.p_value));
  EXPECT_EQ(row(w, "c", "chi2").verdict, Verdict::kOk);
  EXPECT_EQ(c.summary.columns, 3);
  EXPECT_EQ(c.summary.drift, 1);
}

TEST(Methods, GoByTheProfileWhereTheRowsAreGone) {
  MemoryInput ref("ref"), cur("cur");
  ref.add("x", normal(2000, 1)), cur.add("x", normal(500, 4, .1));
  const auto exact = row(with_methods(ref, cur, {{"", "ks"}}).windows[0], "x", "ks");
  const auto binned = row(with_methods(ref, cur, {{"", "ks"}}, false).windows[0], "x", "ks");
  EXPECT_TRUE(exact.exact);
  EXPECT_EQ(exact.error_bound, 0);
  EXPECT_FALSE(binned.exact);
  EXPECT_GT(binned.error_bound, 0);
  EXPECT_LE(binned.statistic, exact.statistic);
  EXPECT_NEAR(binned.statistic, exact.statistic, binned.error_bound);
}

TEST(Methods, AColumnThatTheMethodDoesNotTakeKeepsTheDefaultOrIsAnError) {
  MemoryInput ref("ref"), cur("cur");
  ref.add("c", pick(500, 3, {5, 3, 2})), cur.add("c", pick(500, 6, {5, 3, 2}));
  EXPECT_EQ(with_methods(ref, cur, {{"", "ks"}}).windows[0].columns[0].method, "omnibus");
  CompareOptions options;
  options.methods = {{"c", "ks"}};
  auto result = compare(profile_of(ref), cur, options);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "--method c=ks: ks does not take categorical columns");
}

TEST(Methods, AChangeThatAMethodIsBlindToIsSaidToBeOneAndHasNoPower) {
  MemoryInput ref("ref"), cur("cur");
  auto wide = normal(3000, 1);
  for (auto& x : wide) x *= 2.5;
  ref.add("x", normal(3000, 1)), cur.add("x", wide);
  const auto r = row(with_methods(ref, cur, {{"", "welch_t"}}).windows[0], "x", "welch_t");
  EXPECT_EQ(r.verdict, Verdict::kOk);
  EXPECT_NE(r.reason.find("which welch_t does not tell from chance"), std::string::npos) << r.reason;
  EXPECT_TRUE(std::isnan(r.detectable_effect));
}

TEST(Compare, RowsOfSegmentsThatTheReferenceHasNotAreCounted) {
  MemoryInput ref("ref"), cur("cur");
  ref.add("x", normal(1000, 1)).add("g", std::vector<std::string>(1000, "a"));
  std::vector<std::string> names(600, "a");
  std::fill(names.begin() + 400, names.end(), "d");
  cur.add("x", normal(600, 2)).add("g", names);
  auto c = compared(profile_of(ref, {}, {{"g"}}), cur, {}, {{"g"}});
  EXPECT_NE(std::find(c.notes.begin(), c.notes.end(),
                      "cur: 200 rows of segments that the reference has not, such as g=d, in no segment"),
            c.notes.end());
}

TEST(Compare, SparseCategoriesThatAllChangedAreNotOk) {
  MemoryInput ref("ref"), now("now");
  std::vector<std::string> before, after;
  for (int i = 0; i < 4500; ++i) before.push_back("s" + std::to_string(i % 900));
  for (int i = 0; i < 900; ++i) after.push_back("n" + std::to_string(i));
  ref.add("sku", before), now.add("sku", after);
  auto result = compared(profile_of(ref), now);
  const auto& r = row(result.windows[0], "sku");
  EXPECT_GT(r.effect, .5);
  EXPECT_NE(r.verdict, Verdict::kOk) << r.reason;
}

}  // namespace
}  // namespace vigie::engine
