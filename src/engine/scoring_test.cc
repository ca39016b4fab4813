// SPDX-License-Identifier: Apache-2.0
#include "engine/scoring.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/rng.h"
#include "engine/memory_input_internal.h"
#include "engine/profile.h"
#include "engine/score_reference.h"
#include "metric/binary.h"
#include "stats/sampling.h"

namespace vigie::engine {
namespace {

using metric::Task;

/// Scores that are probabilities; `worse` of the labels are drawn without looking at them.
MemoryInput classified(std::uint64_t seed, std::size_t rows, double worse = 0, std::int64_t batch = 1000) {
  Rng rng(seed);
  std::vector<double> scores(rows), labels(rows), groups(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    scores[i] = rng.uniform();
    labels[i] = rng.uniform() < (rng.uniform() < worse ? .5 : scores[i]);
    groups[i] = static_cast<double>(i % 70);
  }
  std::vector<std::string> names(rows);
  for (std::size_t i = 0; i < rows; ++i) names[i] = "list " + std::to_string(i % 70);
  MemoryInput input("data", batch);
  input.add("y", labels, table::Type::kInteger)
      .add("s", scores)
      .add("g", groups, table::Type::kInteger)
      .add("list", names);
  return input;
}

ScoreOptions binary() {
  ScoreOptions options;
  options.task = Task::kBinary, options.label = "y", options.scores = {"s"};
  return options;
}

const MetricResult* find(const ScoreWindow& window, std::string_view name,
                         const std::optional<std::string>& segment = {}) {
  for (const auto& r : window.metrics)
    if (r.metric->name == name && r.segment == segment) return &r;
  return nullptr;
}

TEST(Scoring, IsWhatTheStateSaysWhateverTheBatches) {
  auto input = classified(1, 5000);
  auto reader = input.open();
  metric::BinaryState state;
  while (auto batch = (*reader)->next()) {
    if (!*batch) break;
    std::vector<std::uint8_t> labels;
    const auto truth = (*batch)->column(0), scores = (*batch)->column(1);
    ASSERT_TRUE(truth && scores);
    for (const double y : truth->numbers) labels.push_back(y != 0);
    state.update(scores->numbers, labels);
  }
  const auto card = score(input, {}, binary());
  ASSERT_TRUE(card) << card.error().message;
  EXPECT_EQ(card->windows.size(), 1U);
  EXPECT_EQ(card->windows[0].rows.labelled, 5000);
  EXPECT_EQ(find(card->windows[0], "roc_auc")->value.value, state.summarize().roc_auc);
  for (const std::int64_t batch : {7, 333, 5000}) {
    auto other = classified(1, 5000, 0, batch);
    const auto again = score(other, {}, binary());
    ASSERT_TRUE(again);
    EXPECT_EQ(find(again->windows[0], "roc_auc")->value.value, find(card->windows[0], "roc_auc")->value.value);
    EXPECT_EQ(again->windows[0].confusion->matrix, card->windows[0].confusion->matrix);
  }
}

TEST(Scoring, WindowsAndSegmentsPartTheRows) {
  auto input = classified(2, 5000);
  auto options = binary();
  options.window = {WindowSpec::Kind::kRows, 2000, {}};
  options.segments = {{"g"}};
  const auto card = score(input, {}, options);
  ASSERT_TRUE(card) << card.error().message;
  ASSERT_EQ(card->windows.size(), 3U);
  EXPECT_EQ(card->windows[1].rows.rows, 2000);
  EXPECT_TRUE(card->windows[2].partial);
  ASSERT_TRUE(card->whole);
  EXPECT_EQ(card->whole->rows.labelled, 5000);
  // Seventy segments: the fifty with the most rows keep their names.
  std::int64_t rows = 0, segments = 0;
  for (const auto& r : card->whole->metrics)
    if (r.segment && r.metric->name == "accuracy") rows += r.value.n, ++segments;
  EXPECT_EQ(rows, 5000);
  EXPECT_EQ(segments, 51);
  EXPECT_NE(find(*card->whole, "accuracy", "g=(other)"), nullptr);
}

TEST(Scoring, TheSameWhateverTheThreads) {
  std::vector<double> values;
  for (const unsigned threads : {1U, 2U, 5U}) {
    auto input = classified(3, 20000);
    auto options = binary();
    options.threads = threads;
    options.segments = {{"g"}};
    const auto card = score(input, {}, options);
    ASSERT_TRUE(card);
    std::vector<double> now;
    for (const auto& r : card->windows[0].metrics) now.push_back(std::isnan(r.value.value) ? -1 : r.value.value);
    if (values.empty()) values = now;
    EXPECT_EQ(now, values);
  }
}

TEST(Scoring, AChangeOfSizeIsDriftAndItsReverseIsNot) {
  auto good = classified(4, 4000), bad = classified(5, 4000, .5);
  const auto worse = score(bad, {.rows = &good}, binary());
  ASSERT_TRUE(worse) << worse.error().message;
  EXPECT_EQ(find(worse->windows[0], "roc_auc")->verdict, Verdict::kDrift);
  EXPECT_GT(find(worse->windows[0], "roc_auc")->effect, .25);
  EXPECT_EQ(find(worse->windows[0], "roc_auc")->effect_scale, "lead over the baseline");
  EXPECT_EQ(worse->summary.verdict, Verdict::kDrift);
  const auto better = score(good, {.rows = &bad}, binary());
  ASSERT_TRUE(better);
  EXPECT_EQ(find(better->windows[0], "roc_auc")->verdict, Verdict::kOk);
  EXPECT_LT(find(better->windows[0], "roc_auc")->effect, 0);
}

void expect_same(double a, double b, const MetricResult& r) {
  EXPECT_TRUE(a == b || (std::isnan(a) && std::isnan(b))) << r.metric->name << r.part << ": " << a << " " << b;
}

/// A reference, as rows and through the bytes of a profile, gives the same verdicts to the last digit.
void expect_same_verdicts(MemoryInput& reference, MemoryInput& current, const ScoreOptions& options) {
  Profile profile;
  profile.rows = 1, profile.segmentations.push_back({}), profile.segments.push_back({});
  profile.columns.resize(20);  // room for twenty
  for (auto& c : profile.columns) c.parts = {{Part{}}};
  auto stored = store_scores(reference, options);
  ASSERT_TRUE(stored) << stored.error().message;
  profile.scores = *stored;
  const auto loaded = load_profile(save_profile(profile), "ref.vpf");
  ASSERT_TRUE(loaded) << loaded.error().message;
  ASSERT_TRUE(loaded->scores);
  const auto by_rows = score(current, {.rows = &reference}, options);
  const auto by_profile = score(current, {.profile = &*loaded, .name = "ref.vpf"}, options);
  ASSERT_TRUE(by_rows) << by_rows.error().message;
  ASSERT_TRUE(by_profile) << by_profile.error().message;
  ASSERT_EQ(by_rows->windows.size(), by_profile->windows.size());
  for (std::size_t w = 0; w < by_rows->windows.size(); ++w) {
    const auto &x = by_rows->windows[w].metrics, &y = by_profile->windows[w].metrics;
    ASSERT_EQ(x.size(), y.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (const auto number : {&MetricResult::reference, &MetricResult::p_value, &MetricResult::p_adjusted,
                                &MetricResult::effect, &MetricResult::detectable_effect})
        expect_same(x[i].*number, y[i].*number, x[i]);
      EXPECT_EQ(x[i].verdict, y[i].verdict);
      EXPECT_EQ(x[i].reason, y[i].reason);
    }
  }
  EXPECT_EQ(by_rows->summary.verdict, by_profile->summary.verdict);
}

TEST(Scoring, AProfileIsAsGoodAsItsRows) {
  auto reference = classified(31, 4000), current = classified(32, 1500, .3);
  expect_same_verdicts(reference, current, binary());
  auto options = binary();
  options.segments = {{"g"}};
  options.window = {WindowSpec::Kind::kRows, 500, {}};
  expect_same_verdicts(reference, current, options);
  options = binary();
  options.sensitive = "list", options.costs = {0., -1., -5., 10.};
  expect_same_verdicts(reference, current, options);
  options = {};
  options.task = Task::kMulticlass, options.label = "g", options.prediction = "g";
  expect_same_verdicts(reference, current, options);
  options.task = Task::kRegression, options.label = "y", options.prediction = "s";
  expect_same_verdicts(reference, current, options);
  options = {};
  options.task = Task::kRanking, options.label = "y", options.scores = {"s"}, options.group = "list";
  expect_same_verdicts(reference, current, options);
}

// However far ahead of the dummy a model is: who is wrong twice as much is not well.
TEST(Scoring, LossesThatDoubleAreSeen) {
  const auto data = [](std::uint64_t seed, double error, double miscalibrated) {
    Rng rng(seed);
    MemoryInput input("data");
    std::vector<double> y, p, happened, chance;
    for (int i = 0; i < 20000; ++i) {
      y.push_back(100 * rng.uniform());
      p.push_back(y.back() + error * (rng.uniform() - .5));
      chance.push_back(rng.uniform());
      happened.push_back(rng.uniform() < std::pow(chance.back(), miscalibrated));
    }
    input.add("y", y).add("p", p).add("happened", happened, table::Type::kInteger).add("chance", chance);
    return input;
  };
  auto then = data(41, 1, 1.2), now = data(42, std::sqrt(2.), 1.45), same = data(43, 1.05, 1.2);
  ScoreOptions numbers;
  numbers.task = Task::kRegression, numbers.label = "y", numbers.prediction = "p";
  const auto worse = score(now, {.rows = &then}, numbers), well = score(same, {.rows = &then}, numbers);
  ASSERT_TRUE(worse && well);
  const auto* mse = find(worse->windows[0], "mse");
  EXPECT_NEAR(mse->value.value / mse->reference, 2, .1);
  EXPECT_EQ(mse->effect_scale, "reference value");
  EXPECT_NE(mse->verdict, Verdict::kOk);
  EXPECT_NE(find(worse->windows[0], "mae")->verdict, Verdict::kDrift) << "grew by 40 %";
  EXPECT_EQ(well->summary.verdict, Verdict::kOk);
  ScoreOptions classes;
  classes.label = "happened", classes.scores = {"chance"};
  const auto off = score(now, {.rows = &then}, classes);
  ASSERT_TRUE(off) << off.error().message;
  const auto* ece = find(off->windows[0], "ece");
  EXPECT_NEAR(ece->value.value / ece->reference, 2, .2);
  EXPECT_EQ(ece->verdict, Verdict::kWarning);
  // The caller may say what matters.
  numbers.levels = Levels{2, 3};
  const auto lenient = score(now, {.rows = &then}, numbers);
  ASSERT_TRUE(lenient);
  EXPECT_EQ(lenient->summary.verdict, Verdict::kOk);
  EXPECT_EQ(find(lenient->windows[0], "mse")->watch, 2);
}

TEST(Scoring, MergedScoresAreThoseOfAllRows) {
  auto options = binary();
  options.sensitive = "list";
  auto first = classified(35, 800), second = classified(36, 500, .3);
  MemoryInput both("both");
  std::vector<double> labels, scores;
  std::vector<std::string> names;
  for (const auto& [seed, rows, worse] : {std::tuple{35, 800, 0.}, std::tuple{36, 500, .3}}) {
    Rng rng(static_cast<std::uint64_t>(seed));
    for (int i = 0; i < rows; ++i) {
      scores.push_back(rng.uniform());
      labels.push_back(rng.uniform() < (rng.uniform() < worse ? .5 : scores.back()));
      names.push_back("list " + std::to_string(i % 70));
    }
  }
  both.add("y", labels, table::Type::kInteger).add("s", scores).add("list", names);
  const auto a = store_scores(first, options), b = store_scores(second, options), all = store_scores(both, options);
  ASSERT_TRUE(a && b && all);
  std::size_t lost = 0;
  const auto merged = merge_scores(**a, **b, lost);
  ASSERT_TRUE(merged) << merged.error().message;
  const auto &x = (*merged)->reference.metrics, &y = (*all)->reference.metrics;
  ASSERT_EQ(x.size(), y.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_EQ(x[i].metric, y[i].metric);
    const double got = x[i].value.value, expected = y[i].value.value;
    EXPECT_TRUE(std::abs(got - expected) <= 1e-12 || (std::isnan(got) && std::isnan(expected))) << x[i].metric->name;
  }
  options.threshold = .7;
  const auto other = store_scores(second, options);
  EXPECT_FALSE(merge_scores(**a, **other, lost));
}

TEST(Scoring, MergedScoresAreOfTheClassesOfBoth) {
  const auto data = [](const std::string& name, std::vector<std::string> labels, std::vector<std::string> answers) {
    MemoryInput input(name);
    input.add("y", std::move(labels)).add("p", std::move(answers));
    return input;
  };
  ScoreOptions options;
  options.task = Task::kMulticlass, options.label = "y", options.prediction = "p";
  auto first = data("first", {"1", "1", "eel", "1"}, {"1", "eel", "eel", "1"}),
       second = data("second", {"ant", "yes", "yes"}, {"ant", "yes", "ant"}),
       all = data("all", {"1", "1", "eel", "1", "ant", "1", "1"}, {"1", "eel", "eel", "1", "ant", "1", "ant"});
  const auto a = store_scores(first, options), b = store_scores(second, options), whole = store_scores(all, options);
  ASSERT_TRUE(a && b && whole);
  std::size_t lost = 0;
  const auto merged = merge_scores(**a, **b, lost);
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_EQ((*merged)->options.classes, (std::vector<std::string>{"1", "ant", "eel"}));
  EXPECT_EQ((*merged)->state, (*whole)->state);
  const auto &x = (*merged)->reference.metrics, &y = (*whole)->reference.metrics;
  ASSERT_EQ(x.size(), y.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_EQ(x[i].part, y[i].part);
    expect_same(x[i].value.value, y[i].value.value, x[i]);
  }
  // Two classes of three are not two.
  options.task = Task::kBinary;
  auto cats = data("cats", {"cat", "dog"}, {"cat", "dog"}), eels = data("eels", {"dog", "eel"}, {"dog", "eel"});
  const auto c = store_scores(cats, options);
  options.positive = "dog";
  const auto e = store_scores(eels, options);
  ASSERT_TRUE(c && e);
  const auto none = merge_scores(**c, **e, lost);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "of other classes (cat, dog and eel, dog)");
}

TEST(Scoring, LongNamesOfClassesLeaveAProfileItsSize) {
  std::vector<std::string> names;
  for (int i = 0; i < 60; ++i) names.push_back(std::string(4000, 'x') + std::to_string(i % 30));
  MemoryInput input("long");
  input.add("y", names).add("p", names);
  ScoreOptions options;
  options.task = Task::kMulticlass, options.label = "y", options.prediction = "p";
  const auto scores = store_scores(input, options);
  ASSERT_TRUE(scores) << scores.error().message;
  ByteWriter out;
  constexpr std::size_t kRoom = 40'000;
  save_scores(out, scores->get(), kRoom);
  EXPECT_LE(out.bytes().size(), kRoom);
  std::shared_ptr<const StoredScores> kept;
  const auto bytes = out.take();
  ByteReader in(bytes);
  ASSERT_TRUE(load_scores(in, true, kept));
  ASSERT_TRUE(kept);
  EXPECT_TRUE(kept->options.classes.empty() && kept->state.empty());
  EXPECT_EQ(kept->reference.metrics[0].value.value, 1);
}

TEST(Scoring, AProfileOfOtherOptionsIsRefused) {
  auto reference = classified(33, 500);
  auto options = binary();
  const auto stored = store_scores(reference, options);
  ASSERT_TRUE(stored);
  Profile profile;
  profile.scores = *stored;
  const auto told = [&](const ScoreOptions& now) {
    const auto card = score(reference, {.profile = &profile, .name = "ref.vpf"}, now);
    return card ? std::string() : card.error().message;
  };
  EXPECT_EQ(told(options), "");
  options.threshold = .7;
  EXPECT_EQ(
      told(options),
      "--reference ref.vpf: was made with --threshold 0.5, not with --threshold 0.7; make it again so, or give the "
      "labelled data");
  options = binary(), options.segments = {{"g"}};
  EXPECT_NE(told(options).find("was made without --segment g"), std::string::npos);
  options = binary(), options.positive = "0";
  EXPECT_NE(told(options).find("was made with --positive 1, not with --positive 0"), std::string::npos);
  options = binary(), options.task = Task::kRegression;
  EXPECT_NE(told(options).find("was made for --task binary"), std::string::npos);
}

TEST(Scoring, MostMetricsBelowTheDummyAreAWarning) {
  auto turned = classified(34, 400);
  auto options = binary();
  options.positive = "0";
  const auto card = score(turned, {}, options);
  ASSERT_TRUE(card);
  EXPECT_EQ(card->summary.verdict, Verdict::kWarning);
  EXPECT_EQ(find(card->windows[0], "roc_auc")->verdict, Verdict::kWarning);
  ASSERT_EQ(card->notes.size(), 1U);
  EXPECT_NE(card->notes[0].find("give --positive 1"), std::string::npos) << card->notes[0];
  const auto right = score(turned, {}, binary());
  EXPECT_EQ(right->summary.verdict, Verdict::kOk);
  EXPECT_TRUE(right->notes.empty());
}

TEST(Scoring, TooFewRowsAreNoData) {
  auto reference = classified(6, 1000), few = classified(7, 29);
  const auto card = score(few, {.rows = &reference}, binary());
  ASSERT_TRUE(card);
  EXPECT_EQ(card->summary.verdict, Verdict::kNoData);
  EXPECT_EQ(find(card->windows[0], "accuracy")->reason, "29 in the window, 30 are needed for a verdict");
  EXPECT_TRUE(std::isfinite(find(card->windows[0], "accuracy")->value.value));
}

TEST(Scoring, ADummyIsNoModel) {
  metric::Value value{.value = .6, .low = .55, .high = .65, .baseline = .5};
  MetricResult r;
  r.metric = metric::find_metric(Task::kBinary, "roc_auc"), r.value = value;
  EXPECT_EQ(beside_dummy(r), "better");
  r.value.baseline = .6;
  EXPECT_EQ(beside_dummy(r), "like");
  r.value.baseline = .7;
  EXPECT_EQ(beside_dummy(r), "worse");
  r.metric = metric::find_metric(Task::kBinary, "log_loss");
  EXPECT_EQ(beside_dummy(r), "better");
  // No model is calibrated better than one that always says the share of the positives.
  r.metric = metric::find_metric(Task::kBinary, "ece"), r.value.baseline = 0;
  EXPECT_EQ(beside_dummy(r), "");
}

/// What a healthy model of a task gives.
struct World {
  std::string_view name;
  ScoreOptions options;
  void (*draw)(Rng& rng, std::size_t rows, MemoryInput& input);
};

ScoreOptions options_of(Task task, std::string prediction, std::vector<std::string> scores = {}) {
  ScoreOptions options;
  options.task = task, options.label = "y";
  options.prediction = std::move(prediction), options.scores = std::move(scores);
  return options;
}

void draw_binary(Rng& rng, std::size_t rows, MemoryInput& input, double useful) {
  std::vector<double> scores(rows), labels(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    scores[i] = rng.uniform();
    labels[i] = rng.uniform() < (rng.uniform() < useful ? scores[i] : .5);
  }
  input.add("y", labels, table::Type::kInteger).add("s", scores);
}

void draw_groups(Rng& rng, std::size_t rows, MemoryInput& input) {
  std::vector<double> predictions(rows), labels(rows);
  std::vector<std::string> groups(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    labels[i] = rng.uniform() < .5, predictions[i] = rng.uniform() < .3 + .3 * labels[i];
    groups[i] = "g" + std::to_string(rng.below(20));
  }
  input.add("y", labels, table::Type::kInteger).add("p", predictions, table::Type::kInteger).add("g", groups);
}

void draw_classes(Rng& rng, std::size_t rows, MemoryInput& input) {
  constexpr std::size_t kClasses = 3;
  std::vector<double> labels(rows), scores[kClasses];
  for (auto& of_class : scores) of_class.resize(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    labels[i] = static_cast<double>(rng.below(kClasses));
    double sum = 0;
    for (std::size_t c = 0; c < kClasses; ++c)
      sum += scores[c][i] = rng.uniform() + (static_cast<double>(c) == labels[i] ? .4 : 0);
    for (auto& of_class : scores) of_class[i] /= sum;
  }
  input.add("y", labels, table::Type::kInteger);
  for (std::size_t c = 0; c < kClasses; ++c) input.add("s" + std::to_string(c), scores[c]);
}

void draw_numbers(Rng& rng, std::size_t rows, MemoryInput& input) {
  std::vector<double> labels(rows), predictions(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    labels[i] = std::exp(stats::draw_normal(rng));
    predictions[i] = labels[i] * (1 + .3 * (rng.uniform() - .5)) + .2 * stats::draw_normal(rng);
  }
  input.add("y", labels).add("p", predictions);
}

void draw_lists(Rng& rng, std::size_t rows, MemoryInput& input) {
  std::vector<double> labels(rows), scores(rows);
  std::vector<std::string> lists(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    labels[i] = rng.uniform() < .3, scores[i] = rng.uniform() + .3 * labels[i];
    lists[i] = std::to_string(i / 10);
  }
  input.add("y", labels).add("s", scores).add("q", lists);
}

std::vector<World> worlds() {
  auto groups = options_of(Task::kBinary, "p"), lists = options_of(Task::kRanking, "", {"s"});
  groups.sensitive = "g", lists.group = "q";
  return {{"useful scores", options_of(Task::kBinary, "", {"s"}),
           [](Rng& rng, std::size_t rows, MemoryInput& input) { draw_binary(rng, rows, input, 1); }},
          {"weak scores", options_of(Task::kBinary, "", {"s"}),
           [](Rng& rng, std::size_t rows, MemoryInput& input) { draw_binary(rng, rows, input, .1); }},
          {"twenty groups", groups, draw_groups},
          {"three classes", options_of(Task::kMulticlass, "", {"s0", "s1", "s2"}), draw_classes},
          {"numbers", options_of(Task::kRegression, "p"), draw_numbers},
          {"lists", lists, draw_lists}};
}

/// Windows of the reference's own law, by all metrics together and by each alone: at most alpha of them may alarm, at
/// p < 1e-6.
TEST(SlowScoring, FalseAlarmsAreFew) {
  constexpr int kTrials = 200, kMost = 27;  // of Binomial(200, .05), above which it is with probability 1e-6
  for (const auto& world : worlds()) {
    for (const auto& [healthy, rows] :
         {std::pair<std::size_t, std::size_t>{100, 60}, {100, 4000}, {2000, 60}, {2000, 400}, {2000, 2000}}) {
      int alarms = 0;
      std::map<std::string, int> alone;
      for (int t = 0; t < kTrials; ++t) {
        Rng rng(10'000 * healthy + 100 * rows + static_cast<std::uint64_t>(t));
        MemoryInput reference("reference"), current("current");
        world.draw(rng, healthy, reference), world.draw(rng, rows, current);
        const auto card = score(current, {.rows = &reference}, world.options);
        ASSERT_TRUE(card) << card.error().message;
        alarms += card->summary.verdict >= Verdict::kWarning;
        for (const auto& r : card->windows[0].metrics)
          alone[std::string(r.metric->name) + " " + r.part] += r.p_value <= .05 && r.effect >= r.watch;
      }
      EXPECT_LE(alarms, kMost) << world.name << ", " << healthy << " and " << rows << " rows";
      for (const auto& [name, count] : alone)
        EXPECT_LE(count, kMost) << name << " alone, of " << world.name << ", " << healthy << " and " << rows << " rows";
    }
  }
}

/// Days of ten rows tell nothing of how healthy days differ, and 40 of them tell as little.
TEST(Scoring, WindowsOfFewRowsAreNoHealthyWindows) {
  constexpr double kDay = 86'400e6;
  const auto days = [&](std::uint64_t seed, double first, std::size_t rows, std::size_t of_day, double worse) {
    auto input = classified(seed, rows, worse);
    std::vector<double> times(rows);
    for (std::size_t i = 0; i < rows; ++i)
      times[i] = (first + (static_cast<double>(i) + .5) / static_cast<double>(of_day)) * kDay;
    input.add("t", times, table::Type::kTimestamp);
    return input;
  };
  auto options = binary();
  options.timestamp = "t", options.window.kind = WindowSpec::Kind::kDay;
  auto bad = days(31, 18'100, 3000, 1000, .8);
  for (const std::size_t of_day : {10, 100}) {
    auto good = days(30, 18'000, 40 * of_day, of_day, 0);
    const auto card = score(bad, {.rows = &good}, options);
    ASSERT_TRUE(card) << card.error().message;
    const auto* auc = find(card->windows[1], "roc_auc");
    EXPECT_EQ(auc->verdict, of_day == 10 ? Verdict::kWarning : Verdict::kDrift) << auc->reason;
    EXPECT_EQ(auc->reason.find("held to a warning") != std::string::npos, of_day == 10) << auc->reason;
    EXPECT_EQ(card->wanted, of_day == 10 ? "five whole windows of 30 labelled rows" : "");
    EXPECT_EQ(std::count_if(card->notes.begin(), card->notes.end(),
                            [](const auto& n) { return n.find("independent") != std::string::npos; }),
              of_day == 10);
  }
}

/// Classes on so many days of so many rows each.
MemoryInput dated(std::uint64_t seed, std::size_t days, std::size_t of_day, double worse) {
  auto input = classified(seed, days * of_day, worse);
  std::vector<double> times(days * of_day);
  for (std::size_t i = 0; i < times.size(); ++i)
    times[i] = (18'000 + (static_cast<double>(i) + .5) / static_cast<double>(of_day)) * 86'400e6;
  input.add("t", times, table::Type::kTimestamp);
  return input;
}

TEST(Scoring, AProfileOfDaysJudgesWeeksAsOneOfWeeksDoes) {
  auto good = dated(40, 60, 25, 0), bad = dated(41, 21, 25, .6);
  auto options = binary();
  options.timestamp = "t", options.window.kind = WindowSpec::Kind::kWeek;
  const auto rows = score(bad, {.rows = &good}, options);
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(rows->summary.verdict, Verdict::kDrift);
  auto daily = options;
  daily.window.kind = WindowSpec::Kind::kDay;
  Profile profile;
  profile.scores = *store_scores(good, daily);
  const auto card = score(bad, {.rows = nullptr, .profile = &profile, .name = "days.vpf"}, options);
  ASSERT_TRUE(card) << card.error().message;
  EXPECT_TRUE(card->wanted.empty());
  ASSERT_EQ(card->windows.size(), rows->windows.size());
  for (std::size_t w = 0; w < card->windows.size(); ++w)
    for (std::size_t i = 0; i < card->windows[w].metrics.size(); ++i) {
      EXPECT_EQ(card->windows[w].metrics[i].verdict, rows->windows[w].metrics[i].verdict);
      EXPECT_EQ(card->windows[w].metrics[i].reason, rows->windows[w].metrics[i].reason);
    }
  // Shorter windows than the profile's are not in it, and the note says what to do.
  auto hourly = options;
  hourly.window.kind = WindowSpec::Kind::kWeek;
  profile.scores = *store_scores(good, hourly);
  const auto shorter = score(bad, {.rows = nullptr, .profile = &profile, .name = "weeks.vpf"}, daily);
  ASSERT_TRUE(shorter) << shorter.error().message;
  EXPECT_NE(
      std::find(shorter->notes.begin(), shorter->notes.end(),
                "weeks.vpf: has windows of a week, not windows of a day, so rows are taken for independent and no "
                "verdict is worse than a warning; make it again with --window day, or score with --window week"),
      shorter->notes.end());
}

/// Days by their number since 1970, each of 40 rows, whatever other days there are.
MemoryInput days_between(std::uint64_t from, std::uint64_t to) {
  constexpr double kRows = 40;
  MemoryInput input("days");
  std::vector<double> scores, labels, times;
  for (auto day = from; day < to; ++day) {
    Rng rng(day);
    for (int i = 0; i < static_cast<int>(kRows); ++i) {
      scores.push_back(rng.uniform()), labels.push_back(rng.uniform() < scores.back());
      times.push_back((static_cast<double>(day) + (i + .5) / kRows) * 86'400e6);
    }
  }
  input.add("y", labels, table::Type::kInteger).add("s", scores).add("t", times, table::Type::kTimestamp);
  return input;
}

/// As a profile's file holds them.
StoredScores stored(const StoredScores& scores, std::size_t room = 400'000) {
  ByteWriter out;
  save_scores(out, &scores, room);
  ByteReader in(out.bytes());
  std::shared_ptr<const StoredScores> read;
  EXPECT_TRUE(load_scores(in, true, read));
  return *read;
}

TEST(Scoring, ProfilesMergedAtAnyDayHaveTheWholesWeeksAndMonths) {
  auto options = binary();
  options.timestamp = "t", options.window.kind = WindowSpec::Kind::kDay;
  const auto scores_of = [&](std::uint64_t from, std::uint64_t to) {
    auto input = days_between(from, to);
    return stored(**store_scores(input, options));
  };
  constexpr std::uint64_t kFirst = 18'000, kLast = 18'120;
  const auto whole = scores_of(kFirst, kLast);
  EXPECT_EQ(whole.reference.coarser[0][0].count, 17);
  EXPECT_EQ(whole.reference.coarser[1][0].count, 3);
  for (const std::uint64_t days : {1, 5, 60})
    for (const bool in_order : {true, false}) {
      std::vector<StoredScores> parts;
      // Or first every third one, so that some have no neighbour yet.
      const std::uint64_t each = in_order ? 1 : 3;
      for (std::uint64_t from = 0; from < each; ++from)
        for (auto day = kFirst + from * days; day < kLast; day += each * days)
          parts.push_back(scores_of(day, day + days));
      auto sum = parts[0];
      std::size_t lost = 0;
      for (std::size_t i = 1; i < parts.size(); ++i) {
        auto merged = merge_scores(sum, parts[i], lost);
        ASSERT_TRUE(merged) << merged.error().message;
        EXPECT_EQ(lost, 0U);
        sum = stored(**merged);
      }
      ASSERT_EQ(sum.reference.metrics.size(), whole.reference.metrics.size());
      ASSERT_EQ(sum.reference.coarser.size(), 2U);
      for (std::size_t k = 0; k < 2; ++k) {
        for (std::size_t i = 0; i < whole.reference.metrics.size(); ++i) {
          const auto &got = sum.reference.coarser[k][i], &expected = whole.reference.coarser[k][i];
          EXPECT_EQ(got.count, expected.count) << days << " days, " << whole.reference.metrics[i].metric->name;
          EXPECT_NEAR(got.sum, expected.sum, 1e-9 * std::abs(expected.sum));
          EXPECT_NEAR(got.squares, expected.squares, 1e-9 * std::abs(expected.squares));
        }
        EXPECT_EQ(sum.cut[k].size(), whole.cut[k].size());
      }
    }
}

TEST(Scoring, WeeksThatMergingLosesAreCounted) {
  auto options = binary();
  options.timestamp = "t", options.window.kind = WindowSpec::Kind::kDay;
  auto first = days_between(18'000, 18'030), second = days_between(18'030, 18'060);
  auto a = **store_scores(first, options);
  const auto b = **store_scores(second, options);
  std::size_t lost = 0;
  const auto full = merge_scores(a, b, lost);
  ASSERT_TRUE(full);
  EXPECT_EQ(lost, 0U);
  for (auto& window : a.cut[0]) window.state.clear();
  const auto less = merge_scores(a, b, lost);
  ASSERT_TRUE(less);
  EXPECT_EQ(lost, 1U);
  EXPECT_EQ((*less)->reference.coarser[0][0].count + 1, (*full)->reference.coarser[0][0].count);
  // An older vigie's profile knows no longer windows, and what is merged with it does not either.
  a.reference.coarser.clear(), a.cut.clear();
  const auto old = merge_scores(a, b, lost);
  ASSERT_TRUE(old);
  EXPECT_TRUE(stored(**old).reference.coarser.empty());
}

bool has_note(const Scorecard& card, std::string_view part) {
  return std::ranges::any_of(card.notes, [&](const auto& note) { return note.find(part) != std::string::npos; });
}

TEST(Scoring, TheNoteOnWindowsOfAnotherZoneNamesIt) {
  auto good = dated(40, 20, 40, 0), bad = dated(41, 5, 40, .6);
  auto options = binary();
  options.timestamp = "t", options.window.kind = WindowSpec::Kind::kDay;
  Profile profile;
  profile.scores = *store_scores(good, options);
  options.window.zone = "Europe/Paris";
  const auto card = score(bad, {.rows = nullptr, .profile = &profile, .name = "r.vpf"}, options);
  ASSERT_TRUE(card) << card.error().message;
  EXPECT_TRUE(has_note(*card, "r.vpf: has windows of UTC, not windows of Europe/Paris, so rows")) << card->notes[0];
  EXPECT_TRUE(has_note(*card,
                       "make it again with --window day --timezone Europe/Paris, or score with --window day "
                       "--timezone UTC"));
}

TEST(Scoring, AllWindowsTogetherAreSpokenOfWhereTheyAreTold) {
  auto options = binary();
  options.timestamp = "t", options.window.kind = WindowSpec::Kind::kDay;
  for (const int rows : {25, 90}) {
    auto good = dated(44, 30, rows, 0), bad = dated(45, 20, rows, .6);
    const auto card = score(bad, {.rows = &good}, options);
    ASSERT_TRUE(card) << card.error().message;
    ASSERT_TRUE(std::ranges::any_of(card->whole->metrics, &MetricResult::held));
    EXPECT_EQ(card->summary.verdict, rows == 25 ? Verdict::kNoData : Verdict::kDrift);
    EXPECT_EQ(has_note(*card, "verdicts on all windows together are held to warnings"), rows == 25);
  }
}

TEST(Scoring, SaysWhereWindowsHaveTooFewLabels) {
  auto good = dated(42, 60, 25, 0), bad = dated(43, 21, 25, .6);
  auto options = binary();
  options.timestamp = "t", options.window.kind = WindowSpec::Kind::kDay;
  const auto card = score(bad, {.rows = &good}, options);
  ASSERT_TRUE(card) << card.error().message;
  EXPECT_EQ(card->summary.verdict, Verdict::kNoData);
  ASSERT_FALSE(card->notes.empty());
  EXPECT_EQ(card->notes.front(),
            "few whole windows have the 30 labelled rows that a verdict needs: 0 of 21; longer windows (--window "
            "week), or none, would have more");
}

TEST(Scoring, KnowsMetricsByTheirOtherNames) {
  auto input = classified(8, 100);
  auto options = binary();
  options.metrics = {"auc", "sensitivity"};
  const auto card = score(input, {}, options);
  ASSERT_TRUE(card) << card.error().message;
  ASSERT_EQ(card->windows[0].metrics.size(), 2U);
  EXPECT_EQ(card->windows[0].metrics[0].metric->name, "recall");
  EXPECT_EQ(card->windows[0].metrics[1].metric->name, "roc_auc");
}

TEST(Scoring, ABiasIsMeasuredInTheLabelsWhereErrorsDoNotVary) {
  const auto data = [](double error) {
    std::vector<double> labels(100), predictions(100);
    for (std::size_t i = 0; i < labels.size(); ++i)
      labels[i] = 1 + static_cast<double>(i % 2), predictions[i] = labels[i] + error;
    MemoryInput input("data");
    input.add("y", labels).add("p", predictions);
    return input;
  };
  auto good = data(0), same = data(1e-9), off = data(.3);
  const auto options = options_of(Task::kRegression, "p");
  const auto small = score(same, {.rows = &good}, options), large = score(off, {.rows = &good}, options);
  ASSERT_TRUE(small && large);
  EXPECT_EQ(find(small->windows[0], "me")->verdict, Verdict::kOk) << find(small->windows[0], "me")->reason;
  EXPECT_EQ(small->summary.verdict, Verdict::kOk);
  const auto& me = *find(large->windows[0], "me");
  EXPECT_EQ(me.verdict, Verdict::kDrift) << me.reason;
  EXPECT_NEAR(me.effect, .6, 1e-9);
  EXPECT_EQ(me.effect_scale, "sd of the labels");
}

// Rows that are all alike but for rounding are no measure of what others are worth.
TEST(Scoring, WhatIsAlikeInEachRowHasNoScaleOfItsOwn) {
  const auto data = [](std::size_t rows, std::size_t wrong) {
    std::vector<std::string> labels, predictions;
    for (std::size_t i = 0; i < rows; ++i) {
      predictions.push_back(fmt::format("a b c d e{}", i % 7));
      labels.push_back(i < wrong ? "foo bar" : predictions.back() + " x");
    }
    MemoryInput input("data");
    input.add("y", labels).add("p", predictions);
    return input;
  };
  auto good = data(2400, 0), bad = data(120, 120);
  const auto card = score(bad, {.rows = &good}, options_of(Task::kText, "p"));
  ASSERT_TRUE(card) << card.error().message;
  for (const auto& r : card->windows[0].metrics) {
    EXPECT_FALSE(std::abs(r.effect) > 1000) << r.metric->name << ": " << r.reason;
    EXPECT_EQ(r.reason.find("e+"), std::string::npos) << r.metric->name << ": " << r.reason;
  }
}

TEST(Scoring, RandomScoresAreNotBetterThanADummy) {
  int better = 0;
  for (std::uint64_t t = 0; t < 100; ++t) {
    Rng rng(t);
    MemoryInput input("data");
    draw_binary(rng, 60, input, 0);
    const auto card = score(input, {}, binary());
    ASSERT_TRUE(card);
    better += beside_dummy(*find(card->windows[0], "ks")) == "better";
  }
  EXPECT_LE(better, 18);  // Binomial(100, .05) is above it with probability 1e-6
}

TEST(Scoring, NamesWhatTheTaskLacks) {
  auto input = classified(8, 100);
  auto options = binary();
  options.group = "g";
  EXPECT_EQ(score(input, {}, options).error().message,
            "--group: --task binary has no use for it, ranking or segmentation has");
  options = binary();
  options.label = "s";
  EXPECT_NE(score(input, {}, options).error().message.find("more than two values"), std::string::npos);
  options = binary();
  options.metrics = {"roc_acu"};
  EXPECT_NE(score(input, {}, options).error().message.find("did you mean \"roc_auc\""), std::string::npos);
  // Other names are as near.
  for (const auto& [given, near] : {std::pair("AUC", "auc"), std::pair("f1score", "f1_score")}) {
    options.metrics = {given};
    EXPECT_NE(score(input, {}, options).error().message.find(fmt::format("did you mean \"{}\"", near)),
              std::string::npos)
        << score(input, {}, options).error().message;
  }
}

}  // namespace
}  // namespace vigie::engine
