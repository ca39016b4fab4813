// SPDX-License-Identifier: Apache-2.0
#include "engine/stream_detector.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/rng.h"
#include "base/text.h"
#include "engine/alarms_internal.h"
#include "engine/bins.h"
#include "stats/binomial.h"
#include "stats/sampling.h"

namespace vigie::engine {
namespace {

constexpr std::int64_t kMinute = 60'000'000, kHour = StreamDetector::kHour, kStart = 1'704'067'200'000'000;

StreamDetector made(const std::string& on, const std::string& detector = "adwin", StreamReference reference = {}) {
  auto out = StreamDetector::make({on, detector}, std::move(reference));
  if (!out) throw std::runtime_error(out.error().message);
  return std::move(*out);
}

// Values a minute each; the causes.
std::vector<event::Cause> feed(StreamDetector& stream, int from, int to, const std::function<double()>& value) {
  std::vector<event::Cause> out;
  for (int i = from; i < to; ++i) {
    if (i % 60 == 0 && i > 0) static_cast<void>(stream.end_hour(kStart + i * kMinute));
    if (auto cause = stream.add(value(), kStart + i * kMinute)) out.push_back(*cause);
  }
  return out;
}

TEST(StreamDetector, SaysWhatRoseFromWhatToWhatSinceWhen) {
  auto stream = made("error");
  stream.bear(5);
  Rng rng(1);
  const auto errors = [&](double rate) { return [&rng, rate] { return rng.uniform() < rate ? 1. : 0.; }; };
  EXPECT_TRUE(feed(stream, 0, 6000, errors(.1)).empty());
  EXPECT_FALSE(stream.changed());
  const auto causes = feed(stream, 6000, 7500, errors(.25));
  ASSERT_FALSE(causes.empty());
  const auto& last = causes.back();
  EXPECT_EQ(last.what, "error");
  EXPECT_EQ(last.column, "");
  EXPECT_EQ(last.severity, event::Severity::kCritical);
  EXPECT_NEAR(static_cast<double>(last.since - kStart) / kMinute, 6000, 200);
  EXPECT_NEAR(stream.last()->before, .1, .02);
  EXPECT_NEAR(stream.last()->after, .25, .06);
  EXPECT_EQ(last.reason.find("its rate rose from 0.1"), 0U) << last.reason;
  EXPECT_NE(last.reason.find(" UTC (adwin, "), std::string::npos) << last.reason;
  // It is so until it is as before: fewer errors are nothing to be told of.
  EXPECT_TRUE(stream.changed());
  EXPECT_TRUE(feed(stream, 7500, 9000, errors(.1)).empty());
  EXPECT_FALSE(stream.changed());
}

TEST(StreamDetector, WhatIsTooSmallToMatterIsNoCause) {
  auto stream = made("error");
  stream.bear(100);
  Rng rng(2);
  feed(stream, 0, 40'000, [&] { return rng.uniform() < .001 ? 1. : 0.; });
  feed(stream, 40'000, 120'000, [&] { return rng.uniform() < .005 ? 1. : 0.; });
  ASSERT_GT(stream.alarms(), 0);
  EXPECT_FALSE(stream.changed());
  EXPECT_FALSE(stream.last()->counts);
}

// As a loss is in a score: half as many again as before is a warning, twice as many critical, from one in a hundred on.
TEST(StreamDetector, OfFewErrorsFewMoreMatter) {
  struct Case {
    double from, to;
    event::Severity severity;
  };
  for (const auto& [from, to, severity] :
       {Case{.02, .035, event::Severity::kWarning}, Case{.01, .03, event::Severity::kCritical}}) {
    auto stream = made("error");
    stream.bear(100);
    Rng rng(2);
    feed(stream, 0, 40'000, [&] { return rng.uniform() < from ? 1. : 0.; });
    const auto causes = feed(stream, 40'000, 44'000, [&] { return rng.uniform() < to ? 1. : 0.; });
    ASSERT_FALSE(causes.empty()) << from;
    EXPECT_EQ(causes.back().severity, severity) << causes.back().reason;
  }
}

TEST(StreamDetector, ANewLevelIsTheUsualOneAfterAWhile) {
  auto stream = made("income");
  stream.bear(1);
  Rng rng(3);
  feed(stream, 0, 5000, [&] { return 10 + stats::draw_normal(rng); });
  const auto causes = feed(stream, 5000, 7000, [&] { return 12 + stats::draw_normal(rng); });
  ASSERT_FALSE(causes.empty());
  EXPECT_EQ(causes.back().column, "income");
  EXPECT_EQ(causes.back().severity, event::Severity::kWarning);
  EXPECT_TRUE(stream.changed());
  feed(stream, 7000, 5000 + 13 * 24 * 60, [&] { return 12 + stats::draw_normal(rng); });
  EXPECT_TRUE(stream.changed());
  feed(stream, 5000 + 13 * 24 * 60, 5000 + 15 * 24 * 60, [&] { return 12 + stats::draw_normal(rng); });
  EXPECT_FALSE(stream.changed());
}

TEST(StreamDetector, GoesOnFromWhatWasSaved) {
  for (const auto* detector : {"adwin", "cusum", "cvm_online", "sprt", "any(adwin, cusum)"}) {
    Rng rng(4);
    std::vector<double> values;
    for (int i = 0; i < 4000; ++i) values.push_back(stats::draw_normal(rng) + (i > 3000 ? 3 : 0));
    auto whole = made("score", detector), first = made("score", detector);
    whole.bear(.5), first.bear(.5);
    int at = 0;
    const auto next = [&] { return values[static_cast<std::size_t>(at++)]; };
    const auto all = feed(whole, 0, 4000, next);
    at = 0;
    auto some = feed(first, 0, 3010, next);
    ByteWriter out;
    first.save(out);
    EXPECT_LT(out.bytes().size(), StreamDetector::kMostBytes);
    ByteReader in(out.bytes());
    auto second = StreamDetector::load(in);
    ASSERT_TRUE(second) << second.error().message;
    for (const auto& cause : feed(*second, 3010, 4000, next)) some.push_back(cause);
    ASSERT_EQ(some.size(), all.size()) << detector;
    EXPECT_GT(all.size(), 0U) << detector;
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(some[i].reason, all[i].reason) << detector;
    EXPECT_EQ(second->last(), whole.last()) << detector;
  }
}

TEST(StreamDetector, TakesWhatIsKeptOnlyWhole) {
  auto stream = made("error");
  feed(stream, 0, 1000, [] { return 0.; });
  ByteWriter out;
  stream.save(out);
  for (std::size_t cut = 0; cut < out.bytes().size(); cut += 7) {
    const auto torn = out.bytes().substr(0, cut);
    ByteReader in(torn);
    EXPECT_FALSE(StreamDetector::load(in)) << cut;
  }
}

TEST(StreamDetector, ItsShareBecomesARunLengthByTheRateOfTheValues) {
  // 43,200 values in 30 days.
  auto stream = made("score", "adwin", {.bins = {}, .rate = 43'200});
  stream.bear(.5);
  EXPECT_EQ(stream.block(), 1);
  EXPECT_NEAR(stream.target_arl(), 2.5 * 86'400, 1);
  stream.bear(.1);
  EXPECT_NEAR(stream.target_arl(), 2.5 * 432'000, 1);
  // Nearly the same: what it learnt is worth more.
  stream.bear(.09);
  EXPECT_NEAR(stream.target_arl(), 2.5 * 432'000, 1);
  stream.bear(.001);
  EXPECT_EQ(stream.block(), 11);
  EXPECT_NEAR(stream.target_arl(), 2.5 * 43'200'000 / 11, 1);
  // Below the table's least: rarer alarms than are borne with.
  stream.bear(500);
  EXPECT_EQ(stream.target_arl(), 1000);
  // Without a rate the longest, until an hour of it was seen.
  auto fresh = made("score");
  fresh.bear(1);
  EXPECT_EQ(fresh.target_arl(), 10'000'000);
  feed(fresh, 0, 300, [] { return 1.; });
  EXPECT_NEAR(fresh.target_arl(), 2.5 * 43'200, 1250);
  // What was given stays.
  auto own = made("score", "cusum(h=5)");
  own.bear(.001);
  EXPECT_TRUE(std::isnan(own.target_arl()));
}

TEST(StreamDetector, RefusesWhatItCannotBe) {
  const auto said = [](const char* on, const char* detector) {
    const auto out = StreamDetector::make({on, detector});
    return out ? "" : out.error().message;
  };
  EXPECT_EQ(said("error", "hddm_a"), "");
  EXPECT_EQ(said("score", "ddm"), "ddm: is for errors of 0 and 1, and score is a stream of numbers");
  EXPECT_EQ(said("error", "lfr"), "lfr: is for outcomes of a classifier, and error is a stream of errors");
  EXPECT_EQ(said("score", "any(adwin(on_drift=hold))"), "any: on_drift=hold would end it");
  EXPECT_EQ(said("score", "cusm"), "unknown detector \"cusm\"; did you mean \"cusum\"?");
  EXPECT_NE(said("score", "kswin(window_size=100000)").find("bytes, at most 65,536"), std::string::npos)
      << said("score", "kswin(window_size=100000)");
}

// Errors by night and day, which a detector takes for changes each morning: none counts once it knows them, and what is
// beyond them does.
TEST(StreamDetector, HoursThatDifferAreNoCause) {
  auto stream = made("error");
  stream.bear(1);
  Rng rng(6);
  int minute = 0;
  const auto errors = [&](double more) {
    return [&, more] {
      const double day = std::sin(2 * M_PI * minute++ / (24 * 60));
      return rng.uniform() < .1 + .04 * day + more ? 1. : 0.;
    };
  };
  const int days = 30 * 24 * 60;
  EXPECT_TRUE(feed(stream, 0, days, errors(0)).empty()) << stream.last()->before << " " << stream.last()->after;
  EXPECT_GT(stream.alarms(), 10);
  EXPECT_FALSE(feed(stream, days, days + 6 * 60, errors(.2)).empty());
}

// A model whose data do not change: what its detectors, which share `share` alarms in 30 days, say in so many months.
struct Model {
  struct Stream {
    const char* on;
    const char* detector;
    std::function<double(Rng&, double hour)> draw;
    StreamReference reference{};
  };
  const char* what;
  int a_day;
  double share;
  std::vector<Stream> streams;
  bool wander = false;  // the level does, by hours: what counts is bounded, and not each alarm
};

void expect_at_most_its_share(alarms::Table& table, const Model& model, std::size_t months) {
  const double each = model.share / static_cast<double>(model.streams.size());
  const std::int64_t apart = 24 * kHour / model.a_day;
  std::int64_t alarms = 0, causes = 0;
  for (std::size_t month = 0; month < months; ++month)
    for (std::size_t i = 0; i < model.streams.size(); ++i) {
      const auto& [on, detector, draw, reference] = model.streams[i];
      Rng rng(month * 100 + i + 1);
      auto stream = made(on, detector, {reference.bins, 30. * model.a_day});
      stream.bear(each);
      for (std::int64_t at = 0; at < 30 * model.a_day; ++at) {
        causes += stream.add(draw(rng, static_cast<double>(at * apart) / kHour), kStart + at * apart).has_value();
        if (at * apart / kHour < (at + 1) * apart / kHour) static_cast<void>(stream.end_hour(kStart + at * apart));
      }
      alarms += stream.alarms();
    }
  const double borne = model.share * static_cast<double>(months);
  table.row(fmt::format("| {} | {} | {} | {} | {:.2f} | {:.2f} |", model.what, with_commas(model.a_day), model.share,
                        months, static_cast<double>(alarms) / borne, static_cast<double>(causes) / borne));
  // In each thousandth of a month there is one or none.
  const auto parts = static_cast<std::int64_t>(1000 * months * model.streams.size());
  const auto bounded = model.wander ? causes : alarms;
  EXPECT_GT(stats::binomial_tail(bounded, parts, each / 1000), 1e-6)
      << model.what << ": " << bounded << " of " << borne;
}

TEST(SlowAlarms, DetectorsOfAModelKeepTheirShare) {
  alarms::Table table(
      "### Detectors of a model: false alarms in shares of what it bears with\n\n"
      "| streams | values a day | borne in 30 days | months | alarms | of them told |\n|---|---|---|---|---|---|\n");
  std::vector<Tie> ties;
  Rng rng(5);
  std::vector<double> values;
  for (int i = 0; i < 5000; ++i) values.push_back(std::exp(stats::draw_normal(rng)));
  std::sort(values.begin(), values.end());
  for (const double value : values) ties.push_back({value, 1});
  const StreamReference incomes{make_bins(ties)};
  const auto errors = [](double rate, double by_day = 0) {
    return [=](Rng& r, double hour) { return r.uniform() < rate + by_day * std::sin(2 * M_PI * hour / 24) ? 1. : 0.; };
  };
  const auto normal = [](Rng& r, double) { return 5 + 2 * stats::draw_normal(r); };
  const auto by_day = [](Rng& r, double hour) { return std::sin(2 * M_PI * hour / 24) + 2 * stats::draw_normal(r); };
  const auto income = [](Rng& r, double) { return std::exp(stats::draw_normal(r)); };
  const auto score = [](Rng& r, double) { return r.uniform() * r.uniform(); };
  const auto months = [](std::size_t most) { return alarms::trials_of(most, most / 20); };
  // Of one false alarm a model bears a quarter: data, scores and requests have the others.
  expect_at_most_its_share(table, {"error, one in ten", 1440, .25, {{"error", "adwin", errors(.1)}}}, months(2000));
  expect_at_most_its_share(table, {"error, one in fifty", 1440, .25, {{"error", "adwin", errors(.02)}}}, months(2000));
  expect_at_most_its_share(table, {"error, a third", 144, .25, {{"error", "adwin", errors(.33)}}}, months(10'000));
  expect_at_most_its_share(table, {"error of many", 14'400, .25, {{"error", "adwin", errors(.05)}}}, months(400));
  expect_at_most_its_share(table, {"error of very many", 2'000'000, .25, {{"error", "adwin", errors(.05)}}},
                           months(20));
  expect_at_most_its_share(table, {"error by hddm_a", 1440, .25, {{"error", "hddm_a", errors(.1)}}}, months(2000));
  expect_at_most_its_share(table, {"residual", 1440, .25, {{"residual", "adwin", normal}}}, months(2000));
  expect_at_most_its_share(table, {"residual of many", 14'400, .25, {{"residual", "adwin", normal}}}, months(400));
  expect_at_most_its_share(table,
                           {"six on four streams",
                            1440,
                            1,
                            {{"error", "adwin", errors(.1)},
                             {"error", "ddm", errors(.1)},
                             {"score", "adwin", score},
                             {"income", "adwin", income, incomes},
                             {"income", "cusum", income, incomes},
                             {"age", "page_hinkley", normal}}},
                           months(400));
  expect_at_most_its_share(table, {"error by day", 1440, .25, {{"error", "adwin", errors(.1, .04)}}, true},
                           months(1000));
  expect_at_most_its_share(table, {"error of many by day", 14'400, .25, {{"error", "adwin", errors(.1, .04)}}, true},
                           months(400));
  expect_at_most_its_share(table, {"residual by day", 1440, .25, {{"residual", "adwin", by_day}}, true}, months(1000));
  expect_at_most_its_share(table, {"more than a thousand values", 1440, 200, {{"age", "adwin", normal}}}, months(100));
}

}  // namespace
}  // namespace vigie::engine
