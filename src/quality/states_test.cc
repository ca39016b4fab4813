// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>
#include <unordered_set>

#include "base/hash.h"
#include "quality/data_test_internal.h"
#include "quality/judge_internal.h"

namespace vigie::quality {
namespace {

template <class T>
std::string bytes_of(const T& state) {
  ByteWriter out;
  state.save(out);
  return out.take();
}

TEST(Repeats, ExactThenEstimatedWithinItsError) {
  for (const std::uint64_t values : {50U, 900U, 20000U, 200000U}) {
    Rng rng(values);
    Repeats all(1024), a(1024), b(1024);
    std::unordered_set<std::uint64_t> seen;
    std::int64_t repeated = 0;
    std::vector<std::uint64_t> hashes(100000);
    for (auto& h : hashes) {
      h = mix64(rng.below(values) + 1);
      repeated += !seen.insert(h).second;
    }
    all.update(hashes);
    b.update(std::span(hashes).first(30000));
    a.update(std::span(hashes).subspan(30000));
    a.merge(b);
    const double share = static_cast<double>(repeated) / 1e5;
    EXPECT_EQ(all.rows(), 100000);
    EXPECT_EQ(all.exact(), seen.size() <= 1024);
    EXPECT_NEAR(all.share(), share, all.exact() ? 1e-12 : .05) << values;
    EXPECT_EQ(a.followed(), all.followed());
    EXPECT_EQ(a.repeated(), all.repeated());
  }
}

std::vector<std::uint64_t> hashes_of(std::uint64_t from, std::uint64_t to, std::uint64_t every) {
  std::vector<std::uint64_t> out;
  for (std::uint64_t i = from; i < to; ++i) out.push_back(mix64(i + 1));
  for (std::uint64_t i = from; i < to; i += every) out.push_back(mix64(i + 1));
  return out;
}

Repeats stored(const Repeats& state, std::size_t most) {
  ByteWriter out;
  state.save(out, most);
  ByteReader in(out.bytes());
  auto loaded = Repeats::load(in);
  EXPECT_TRUE(loaded.has_value() && in.remaining() == 0);
  return std::move(*loaded);
}

TEST(Repeats, SavedOnesMergeAsIfAllHadBeenSeen) {
  // Many rows, of which a twentieth come again, and few, of which a half do: none of the one is in the other.
  Repeats many(4096), few(4096);
  many.update(hashes_of(0, 100000, 20));
  few.update(hashes_of(200000, 201000, 2));
  for (const bool live : {false, true}) {
    Repeats a = stored(many, 64), b = live ? few : stored(few, 64);
    EXPECT_EQ(a.share(), many.share());
    a.merge(b);
    b.merge(stored(many, 64));
    EXPECT_EQ(a.rows(), many.rows() + few.rows());
    EXPECT_GT(a.followed(), 2000);
    EXPECT_NEAR(a.share(), 5500. / 106500, .01);
    EXPECT_EQ(a.followed(), b.followed());
    EXPECT_EQ(a.repeated(), b.repeated());
  }
  // All of a table that is merged with itself come again.
  Repeats twice = stored(many, 256);
  twice.merge(stored(many, 256));
  EXPECT_LT(twice.followed(), 2000);
  EXPECT_NEAR(twice.share(), 110000. / 210000, .1);
  EXPECT_LE(bytes_of(stored(many, 64)).size(), 64 * 8 + 400U);
}

TEST(Distinct, WithinItsErrorAndOrderFree) {
  for (const std::uint64_t values : {1U, 100U, 2048U, 2049U, 100000U, 1000000U}) {
    Distinct forward(2048), backward(2048);
    for (std::uint64_t i = 0; i < values; ++i) forward.update(mix64(i + 1));
    for (std::uint64_t i = values; i-- > 0;) backward.update(mix64(i + 1));
    EXPECT_EQ(bytes_of(forward), bytes_of(backward));
    EXPECT_EQ(forward.exact(), values <= 2048);
    EXPECT_NEAR(forward.estimate() / static_cast<double>(values), 1, forward.exact() ? 0 : .1);
  }
}

TEST(RowOrder, AgreesWithBruteForceInAnyCut) {
  Rng rng(3);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<double> values(1 + rng.below(60));
    for (double& v : values) v = rng.below(5) == 0 ? kNaN : static_cast<double>(rng.below(10));
    std::int64_t broken = 0, pairs = 0;
    double last = kNaN;
    for (const double v : values) {
      if (std::isnan(v)) continue;
      if (!std::isnan(last)) ++pairs, broken += v < last;
      last = v;
    }
    std::vector<std::pair<std::size_t, std::size_t>> cuts;
    for (std::size_t at = 0; at < values.size();) {
      const std::size_t size = std::min<std::size_t>(1 + rng.below(7), values.size() - at);
      cuts.emplace_back(at, size);
      at += size;
    }
    for (std::size_t i = cuts.size(); i > 1; --i) std::swap(cuts[i - 1], cuts[rng.below(i)]);
    RowOrder states[2];
    for (const auto& [at, size] : cuts)
      states[rng.below(2)].update(static_cast<std::int64_t>(at), std::span(values).subspan(at, size));
    states[0].merge(states[1]);
    EXPECT_EQ(states[0].broken(), broken);
    EXPECT_EQ(states[0].pairs(), pairs);
  }
}

TEST(Times, GapsAreExactWhileFewAndKnownToTheResolutionAfter) {
  Rng rng(4);
  for (const std::size_t rows : {100U, 4000U, 100000U}) {
    std::vector<double> times;
    double at = 1.7e15;
    for (std::size_t i = 0; i < rows; ++i)
      times.push_back(at += std::floor(1 + 1e6 * rng.uniform()) + (i == rows / 2) * 9e9);
    std::vector<double> shuffled = times;
    for (std::size_t i = rows; i > 1; --i) std::swap(shuffled[i - 1], shuffled[rng.below(i)]);
    Times sorted, mixed;
    sorted.update(0, times);
    for (std::size_t i = 0; i < rows; i += 1000)
      mixed.update(static_cast<std::int64_t>(i), std::span(shuffled).subspan(i, std::min<std::size_t>(1000, rows - i)));
    const auto gaps = sorted.gaps();
    EXPECT_NEAR(gaps.largest.front(), 9e9 + 5e5, 5e5 + (rows > 4096 ? 2 * sorted.resolution() : 0));
    EXPECT_EQ(gaps.largest, mixed.gaps().largest);
    EXPECT_EQ(gaps.count, mixed.gaps().count);
    EXPECT_NEAR(gaps.after, times[rows / 2 - 1], 2 * sorted.resolution());
    EXPECT_EQ(sorted.order().broken(), 0);
    EXPECT_TRUE(rows > 4096 || sorted.resolution() == 1);
  }
}

// A share of p at or below the level that is more than the level allows, by five standard errors.
void expect_calibrated(const std::vector<double>& p, const char* what) {
  for (const double level : {.05, .01}) {
    const auto below = std::count_if(p.begin(), p.end(), [&](double x) { return x <= level; });
    const double n = static_cast<double>(p.size());
    EXPECT_LE(static_cast<double>(below), n * level + 5 * std::sqrt(n * level)) << what << " at " << level;
  }
}

TEST(Judge, ChancesHoldWhateverTheLaw) {
  Rng rng(5);
  std::vector<double> alone_now, alone_before, more;
  for (int t = 0; t < 3000; ++t) {
    const std::size_t n = 200, m = 20 + rng.below(600), k = 1 + rng.below(400);
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> counts;
    for (std::size_t i = 0; i < n; ++i) ++counts[test::zipf(rng, k)].first;
    for (std::size_t i = 0; i < m; ++i) ++counts[test::zipf(rng, k)].second;
    Pooled pooled;
    for (const auto& [name, both] : counts) pooled.push_back(both);
    alone_now.push_back(alone_p(pooled, true));
    alone_before.push_back(alone_p(pooled, false));
    Shares s{0, static_cast<std::int64_t>(m), 0, static_cast<std::int64_t>(n)};
    const double share = .05 * rng.uniform();
    for (std::size_t i = 0; i < n; ++i) s.k_before += rng.uniform() < share;
    for (std::size_t i = 0; i < m; ++i) s.k += rng.uniform() < share;
    more.push_back(more_p(s));
  }
  expect_calibrated(alone_now, "new categories");
  expect_calibrated(alone_before, "vanished categories");
  expect_calibrated(more, "share");
}

TEST(Judge, GapLimitHoldsForThinAndHeavyTails) {
  Rng rng(6);
  int beyond[2] = {};
  constexpr int kTrials = 1000;
  for (int t = 0; t < kTrials; ++t) {
    for (const int heavy : {0, 1}) {
      const auto gap = [&] { return heavy ? std::pow(1 - rng.uniform(), -1 / 1.5) : -std::log(1 - rng.uniform()); };
      Times::Gaps gaps;
      gaps.count = 300;
      for (int i = 0; i < 300; ++i) gaps.largest.push_back(gap());
      std::sort(gaps.largest.begin(), gaps.largest.end(), std::greater<>());
      gaps.largest.resize(Times::kLargest);
      double most = 0;
      for (int i = 0; i < 300; ++i) most = std::max(most, gap());
      beyond[heavy] += most > gap_limit(gaps, 300, .001, 3);
    }
  }
  EXPECT_LE(beyond[0], 5);
  EXPECT_LE(beyond[1], 15);
}

TEST(Judge, GapsOfOfficeHoursAndWeekendsAreNotThoseOfTheMinutes) {
  Times::Gaps gaps;
  gaps.count = 4000;
  constexpr double kHour = 3600e6;
  gaps.largest.assign(59, 16 * kHour);
  gaps.largest.resize(Times::kLargest, kHour / 12);
  EXPECT_EQ(gap_limit(gaps, 2000, .001, 3), 48 * kHour);
  std::fill_n(gaps.largest.begin(), 8, 64 * kHour);
  EXPECT_EQ(gap_limit(gaps, 2000, .001, 3), 192 * kHour);
}

TEST(Judge, HealthyWindowsThatWanderAreNoAlarm) {
  // 5 % missing on average, but from window to window 2 to 8: 8 % is usual, and rows alone would call it a change.
  const std::vector<double> windows = {.02, .05, .08, .03, .06, .07, .04, .05};
  const Shares s{800, 10000, 500, 10000};
  EXPECT_LT(judge_more(s, "missing", .01, .1).p_value, 1e-9);
  EXPECT_GT(judge_more(s, "missing", .01, .1, windows).p_value, .05);
  const Shares far{4000, 10000, 500, 10000};
  EXPECT_LT(judge_more(far, "missing", .01, .1, windows).p_value, .001);
}

TEST(TableState, HostileBytesAreRefused) {
  Rng rng(8);
  const std::string bytes = bytes_of(test::state_of(test::healthy(rng, 60)));
  for (std::size_t size = 0; size < bytes.size(); size += 37) {
    ByteReader in(std::string_view(bytes).substr(0, size));
    const auto loaded = TableState::load(in);
    ASSERT_FALSE(loaded.has_value()) << size;
    EXPECT_EQ(loaded.error().code, Code::kCorrupt);
  }
}

TEST(TableState, SavedSampleCanBeSmaller) {
  Rng rng(10);
  const TableState state = test::state_of(test::healthy(rng, 3000));
  ByteWriter out;
  state.save(out, {.sample_rows = 1024});
  ByteReader in(out.bytes());
  const auto loaded = TableState::load(in);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_LE(loaded->sample().rows, 1024U);
  EXPECT_GT(loaded->sample().rows, 400U);
  EXPECT_LT(out.bytes().size() / state.columns().size(), 40000U);
}

TEST(TableState, LesserDepthCountsTheSame) {
  Rng rng(20);
  const test::Table reference_rows = test::healthy(rng, 2000), rows = test::healthy(rng, 3000);
  const TableState reference = test::state_of(reference_rows), all = test::state_of(rows, &reference);
  for (const Depth depth : {Depth::kCounts, Depth::kSampled}) {
    TableState state(rows.specs(), &reference, depth);
    for (std::size_t at = 0; at < rows.rows(); at += 700) test::feed(state, rows, at, std::min(rows.rows(), at + 700));
    for (std::size_t i = 0; i < all.columns().size(); ++i) {
      const ColumnState &a = all.columns()[i], &b = state.columns()[i];
      SCOPED_TRACE(a.spec().name);
      EXPECT_EQ(a.rows(), b.rows());
      EXPECT_EQ(a.missing(), b.missing());
      EXPECT_EQ(a.below(), b.below());
      EXPECT_EQ(a.above(), b.above());
      EXPECT_EQ(a.outliers(), b.outliers());
      EXPECT_EQ(a.categories(), b.categories());
      EXPECT_EQ(a.varies(), b.varies());
      EXPECT_EQ(a.times().count(), b.times().count());
      if (a.spec().kind == Kind::kNumber) {
        EXPECT_EQ(a.low(), b.low());
        EXPECT_EQ(a.high(), b.high());
      }
      EXPECT_EQ(b.sample(), depth == Depth::kSampled ? a.sample() : std::vector<std::uint64_t>());
    }
    RunOptions options;
    const auto found = run_checks({state, &reference}, options);
    ASSERT_TRUE(found.has_value());
    for (const Finding& f : *found) EXPECT_FALSE(find_check(f.check)->takes & kNeedsRows) << f.check;
  }
}

TEST(TableState, LoweredIsAsIfItHadBeenSoFromTheFirstRow) {
  Rng rng(23);
  const test::Table rows = test::healthy(rng, 3000);
  const TableState all = test::state_of(rows);
  TableState low(rows.specs(), nullptr, Depth::kMany);
  for (std::size_t at = 0; at < rows.rows(); at += 700) test::feed(low, rows, at, std::min(rows.rows(), at + 700));
  for (const std::size_t first : {0U, 1U, 1400U, 3000U}) {
    TableState state(rows.specs());
    if (first > 0) test::feed(state, rows, 0, first);
    state.lower(Depth::kMany);
    if (first < rows.rows()) test::feed(state, rows, first, rows.rows());
    EXPECT_EQ(bytes_of(state), bytes_of(low)) << first;
  }
  EXPECT_EQ(low.row_repeats().repeated(), all.row_repeats().repeated());
  EXPECT_EQ(low.row_repeats().followed(), all.row_repeats().followed());
  for (std::size_t i = 0; i < all.columns().size(); ++i) {
    const ColumnState &a = all.columns()[i], &b = low.columns()[i];
    SCOPED_TRACE(a.spec().name);
    EXPECT_EQ(a.missing(), b.missing());
    EXPECT_EQ(a.numbers(), b.numbers());
    EXPECT_EQ(a.categories(), b.categories());
    EXPECT_EQ(a.sample(), b.sample());
    if (a.spec().kind == Kind::kNumber) {
      EXPECT_EQ(std::isnan(b.distinct()), !a.numbers());
    }
  }
}

TEST(TableState, RowsThatDifferInSmallNumbersDiffer) {
  TableState state({{"a", Kind::kNumber, Role::kFeature}, {"b", Kind::kNumber, Role::kFeature}});
  std::vector<double> a, b;
  for (int i = 0; i < 500; ++i)
    for (int j = 0; j < 400; ++j) a.push_back(i), b.push_back(j % 2 ? -j : j);
  const Values values[] = {{.numbers = a}, {.numbers = b}};
  state.update(0, a.size(), values);
  EXPECT_EQ(state.row_repeats().followed(), 200'000);
  EXPECT_EQ(state.row_repeats().repeated(), 0);
}

TEST(TableState, InfiniteNumbersAreNoEnds) {
  TableState state({{"x", Kind::kNumber, Role::kFeature}});
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<double> x = {3, -inf, 1, inf, 2, std::nan(""), 5};
  const Values values{.numbers = x};
  state.update(0, x.size(), std::span(&values, 1));
  EXPECT_EQ(state.columns()[0].low(), 1);
  EXPECT_EQ(state.columns()[0].high(), 5);
  EXPECT_EQ(state.columns()[0].infinite(), 2);
}

TEST(TableState, RowsAppendedComeAfter) {
  Rng rng(21);
  test::Table both = test::healthy(rng, 400), first = both, second = both;
  std::vector<std::size_t> head(150), tail(250);
  std::iota(head.begin(), head.end(), 0);
  std::iota(tail.begin(), tail.end(), 150);
  first.keep(head);
  second.keep(tail);
  TableState a = test::state_of(first);
  ASSERT_TRUE(a.append(test::state_of(second)));
  EXPECT_EQ(a.rows(), 400);
  const auto& order = a.find("at")->times().order();
  EXPECT_EQ(order.pairs(), 399);
  EXPECT_EQ(order.broken(), 0);
  // Rows of the same number do not hinder saving.
  const std::string bytes = bytes_of(a);
  ByteReader in(bytes);
  EXPECT_TRUE(TableState::load(in).has_value());
}

TEST(TableState, ABudgetBoundsTheBytes) {
  Rng rng(22);
  test::Table table = test::healthy(rng, 3000);
  for (std::string& text : table["many"].texts) text += std::string(100, 'x');
  const TableState state = test::state_of(table);
  ByteWriter out;
  state.save(out, {.sample_rows = 64, .distinct = 16, .category_bytes = 1000, .repeats = 16});
  EXPECT_LT(out.bytes().size() / state.columns().size(), 2500U);
  ByteReader in(out.bytes());
  const auto loaded = TableState::load(in);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_FALSE(loaded->find("many")->categories());
  EXPECT_TRUE(loaded->find("few")->categories());
  EXPECT_EQ(loaded->find("normal")->low(), state.find("normal")->low());
  EXPECT_NEAR(loaded->find("normal")->distinct() / 3000, 1, 1);
}

TEST(TableState, OthersColumnsCannotBeMerged) {
  TableState a({{"x", Kind::kNumber, Role::kFeature}}), b({{"y", Kind::kNumber, Role::kFeature}});
  EXPECT_FALSE(a.merge(b).has_value());
}

TEST(Run, UnknownNamesAreAnswered) {
  const TableState state({});
  RunOptions options;
  options.only = {"mising"};
  EXPECT_EQ(run_checks({state}, options).error().message, "unknown check \"mising\"; did you mean \"missing\"?");
  options = {};
  options.params["missing"]["wacth"] = 1;
  EXPECT_EQ(run_checks({state}, options).error().message,
            "missing: unknown parameter \"wacth\"; did you mean \"watch\"?");
  options.params = {{"missing", {{"watch", 7}}}};
  EXPECT_EQ(run_checks({state}, options).error().message, "missing.watch: expected 0..1, got 7");
}

TEST(Schema, NamesTheLikelyNewName) {
  Rng rng(12);
  const TableState reference = test::state_of(test::healthy(rng, 1000));
  test::Table table = test::healthy(rng, 1000);
  table["lognormal"].spec.name = "log_normal";
  table["few"].spec.name = "fewer";
  const TableState current = test::state_of(table, &reference);
  RunOptions options;
  options.only = {"schema"};
  std::map<std::string, Finding> found;
  const auto findings = run_checks({current, &reference}, options);
  ASSERT_TRUE(findings.has_value());
  for (const Finding& f : *findings) found[*f.column] = f;
  EXPECT_EQ(found["lognormal"].verdict, Verdict::kFail);
  EXPECT_NE(found["lognormal"].reason.find("\"log_normal\" may be its new name"), std::string::npos);
  EXPECT_NE(found["few"].reason.find("\"fewer\" may be its new name"), std::string::npos);
  EXPECT_EQ(found["log_normal"].verdict, Verdict::kWarn);
  EXPECT_EQ(found["cauchy"].verdict, Verdict::kPass);
}

}  // namespace
}  // namespace vigie::quality
