// SPDX-License-Identifier: Apache-2.0
#include "engine/attribution.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/alarms_internal.h"
#include "stats/binomial.h"
#include "stats/sampling.h"

namespace vigie::engine {
namespace {

constexpr std::int64_t kHour = 3'600'000'000;

/// A linear model: what a feature has of an answer is its weight times how far the row is from the mean.
struct World {
  std::vector<double> weights{4, 2, 1.2, 1, .8, .5, .3, .1};
  std::int64_t rows = 200;
  double wander = 0;   ///< ln of how widely a feature spreads, from window to window
  double rho = 0;      ///< from one window to the next
  bool heavy = false;  ///< Student's t with 3 degrees of freedom
};

class Windows {
 public:
  Windows(const World& world, std::uint64_t seed) : world_(world), rng_(seed), states_(world.weights.size()) {
    for (std::size_t i = 0; i < states_.size(); ++i) names_.push_back(fmt::format("f{}", i));
  }
  Attributions next() {
    for (auto& state : states_)
      state = world_.rho * state + std::sqrt(1 - world_.rho * world_.rho) * stats::draw_normal(rng_);
    std::vector<double> values;
    for (std::int64_t row = 0; row < world_.rows; ++row)
      for (std::size_t i = 0; i < states_.size(); ++i) {
        const double scale = world_.heavy ? 1 / std::sqrt(stats::draw_gamma(rng_, 1.5) / 1.5) : 1;
        values.push_back(world_.weights[i] * std::exp(world_.wander * states_[i]) * scale * stats::draw_normal(rng_));
      }
    Attributions out;
    out.add(names_, values);
    return out;
  }
  World world_;

 private:
  Rng rng_;
  std::vector<double> states_;
  std::vector<std::string> names_;
};

AttributionReference reference_of(Windows& windows, int count = 15) {
  AttributionReference out;
  for (int i = 0; i < count; ++i) out.add(windows.next());
  out.given();
  return out;
}

template <class T>
T reread(const T& value) {
  ByteWriter out;
  value.save(out);
  const auto bytes = out.take();
  ByteReader in(bytes);
  auto back = T::load(in);
  EXPECT_EQ(in.remaining(), 0U);
  return back.value();
}

// ndcg_score([gains], [scores]) of scikit-learn 1.9.1; the first is the example of SageMaker's manual, a ranking
// reversed.
TEST(Attribution, NdcgIsThatOfScikitLearn) {
  const auto of = [](std::vector<double> gains, std::vector<double> scores) { return ndcg(gains, scores); };
  EXPECT_DOUBLE_EQ(of({.7, .5, .05}, {.1, .2, .7}), 0.687639624122622);
  EXPECT_DOUBLE_EQ(of({.4, .3, .2, .1}, {.4, .3, .2, .1}), 1);
  EXPECT_DOUBLE_EQ(of({.4, .3, .2, .1}, {.2, .2, .5, .1}), 0.8723916863492697);
  EXPECT_DOUBLE_EQ(of({.5, .25, .125, .0625, .0625, 0}, {.05, .3, .3, .2, .1, .05}), 0.712707947009778);
  EXPECT_DOUBLE_EQ(of({1, 1, 0, 0}, {0, 0, 1, 1}), 0.57064171895532);
  EXPECT_TRUE(std::isnan(of({0, 0}, {1, 2})));
  EXPECT_TRUE(std::isnan(of({}, {})));
}

TEST(Attribution, SumsAreThoseOfTheRows) {
  const std::vector<std::string> names{"a", "b"};
  const double none = std::nan("");
  Attributions all, first, second;
  const std::vector<double> rows{1, -3, -2, none, 4, 1, 0, 2};
  all.add(names, rows);
  first.add(names, std::span(rows).first(4));
  second.add(names, std::span(rows).subspan(4));
  first.merge(second);
  first = reread(first);
  for (const auto* sums : {&all, &first}) {
    EXPECT_EQ(sums->rows(), 4);
    EXPECT_DOUBLE_EQ(sums->share("a"), 7. / 13);
    EXPECT_DOUBLE_EQ(sums->share("b"), 6. / 13);
    EXPECT_DOUBLE_EQ(sums->share("c"), 0);
    EXPECT_DOUBLE_EQ(sums->mean("a"), .75);
    // Of a ratio of means: the variance of |a| − share · all, over n and the mean of all squared.
    double squares = 0;
    for (const auto& [a, sum] : {std::pair(1., 4.), {2., 2.}, {4., 5.}, {0., 2.}})
      squares += std::pow(a - 7. / 13 * sum, 2);
    EXPECT_NEAR(sums->noise("a"), squares / 3 / 4 / (13. / 4 * 13 / 4), 1e-15);
  }
  Attributions many;
  for (std::size_t i = 0; i < Attributions::kMostFeatures + 5; ++i)
    many.add(std::vector<std::string>{fmt::format("f{}", i)}, std::vector<double>{1});
  EXPECT_EQ(many.features().size(), Attributions::kMostFeatures);
}

TEST(Attribution, SaysWhatFellAndWhatRose) {
  Windows windows({}, 1);
  auto reference = reread(reference_of(windows));
  auto healthy = reference.judge(windows.next(), .05);
  EXPECT_EQ(healthy.verdict, Verdict::kOk);
  EXPECT_GT(healthy.ndcg, .99);
  EXPECT_EQ(healthy.features[0].feature, "f0");

  windows.world_.weights = {.4, 2, 4, 1, .8, .5, .3, .1};
  const auto window = windows.next();
  const auto found = reference.judge(window, .05);
  EXPECT_EQ(found.verdict, Verdict::kDrift);
  EXPECT_LT(found.ndcg, .9);
  EXPECT_LE(found.ndcg, found.upper);
  EXPECT_EQ(found.reason.substr(0, found.reason.find(", with")), "\"f0\" fell from 1st to 6th in what explains answers")
      << found.reason;
  EXPECT_NE(found.reason.find("; \"f2\" rose from 3rd to 1st; NDCG "), std::string::npos) << found.reason;
  const auto sighting = reference.sighting(window, 0, kHour, 1e-4);
  EXPECT_TRUE(sighting.judged && sighting.firm);
  ASSERT_EQ(sighting.causes.size(), 1U);
  EXPECT_EQ(sighting.causes[0].what, "attribution_drift");
  EXPECT_EQ(sighting.causes[0].severity, event::Severity::kWarning);
  EXPECT_GT(sighting.causes[0].weight, 1);
}

TEST(Attribution, FewRowsAndFewWindowsAreTold) {
  Windows windows({}, 2);
  AttributionReference learnt;
  for (int i = 0; i < AttributionReference::kWindows; ++i) {
    EXPECT_EQ(learnt.judge(windows.next(), .05).verdict, Verdict::kNoData);
    learnt.add(windows.next());
  }
  EXPECT_EQ(learnt.judge(windows.next(), .05).verdict, Verdict::kOk);
  // A reference without windows: nobody knows how much healthy ones differ.
  auto one = reference_of(windows, 1);
  windows.world_.weights = {.1, .2, .3, .4, .5, .6, .7, 8};
  const auto held = one.judge(windows.next(), .05);
  EXPECT_EQ(held.verdict, Verdict::kWarning);
  EXPECT_NE(held.reason.find("held to a warning: the reference has 1 window"), std::string::npos) << held.reason;
  EXPECT_NE(learnt.judge(windows.next(), .05).reason.find("against the first 15 windows"), std::string::npos);
  windows.world_.rows = 29;
  const auto few = one.judge(windows.next(), .05);
  EXPECT_EQ(few.verdict, Verdict::kNoData);
  EXPECT_EQ(few.reason, "29 explanations: fewer than 30");
  windows.world_.rows = 40, windows.world_.weights = std::vector<double>(8);
  EXPECT_EQ(one.judge(windows.next(), .05).reason, "all attributions are 0");
}

TEST(Attribution, FeaturesComeAndGo) {
  Windows windows({}, 3);
  const auto reference = reference_of(windows);
  Attributions other;
  std::vector<double> values;
  for (int i = 0; i < 100; ++i) values.push_back(i % 7 - 3.);
  other.add(std::vector<std::string>{"new"}, values);
  const auto found = reference.judge(other, .05);
  EXPECT_EQ(found.verdict, Verdict::kDrift);
  EXPECT_EQ(found.features.size(), 9U);
  EXPECT_EQ(found.features[0].feature, "new");
  EXPECT_EQ(found.features[0].reference_rank, 9);
}

// Windows of which something is said though nothing changed.
void expect_at_most(World world, double level, const char* what) {
  const auto trials = alarms::trials_of(400, 40);
  std::int64_t windows = 0, alarms = 0;
  for (std::size_t trial = 0; trial < trials; ++trial) {
    Windows next(world, trial + 1);
    const auto reference = reference_of(next, 20);
    for (int i = 0; i < 50; ++i) {
      const auto seen = reference.sighting(next.next(), 0, kHour, level);
      windows += seen.judged, alarms += !seen.causes.empty();
    }
  }
  fmt::print("{}: {} of {} windows at {}\n", what, alarms, windows, level);
  ASSERT_GT(windows, 1'500);
  EXPECT_GT(stats::binomial_tail(alarms, windows, level), 1e-6) << what << ": " << alarms << " of " << windows;
}

TEST(SlowAlarms, AttributionsOfHealthyWindows) {
  const std::vector<double> alike(12, 1.), steep{8, 4, 2, 1, .5, .25};
  for (const double level : {.05, .001}) {
    expect_at_most({.rows = 30}, level, "few rows");
    expect_at_most({.rows = 30, .heavy = true}, level, "few rows with heavy tails");
    expect_at_most({.weights = alike, .rows = 30}, level, "features that are alike");
    expect_at_most({.weights = steep, .rows = 50, .heavy = true}, level, "steep");
    expect_at_most({.rows = 500, .wander = .3}, level, "windows that differ");
    expect_at_most({.rows = 500, .wander = .6}, level, "windows that differ much");
    expect_at_most({.rows = 500, .wander = .3, .rho = .7}, level, "windows that hang together");
  }
}

// At the level of hourly windows that share one false alarm a month with three others.
TEST(Attribution, SeesWeightsThatChangedAtTheLevelThatWakes) {
  World world{.rows = 100, .wander = .1};
  Windows windows(world, 5);
  const auto reference = reference_of(windows, 20);
  windows.world_.weights = {1, 2, 4, 1.2, .8, .5, .3, .1};
  int seen = 0;
  for (int i = 0; i < 20; ++i) seen += !reference.sighting(windows.next(), 0, kHour, 3.5e-4).causes.empty();
  EXPECT_GE(seen, 18);
}

}  // namespace
}  // namespace vigie::engine
