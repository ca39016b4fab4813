// SPDX-License-Identifier: Apache-2.0
#include "server/model_streams.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "base/rng.h"
#include "engine/score_reference.h"
#include "server/back_internal.h"

namespace vigie::server {
namespace {

constexpr std::int64_t kMinute = 60'000'000, kHour = 60 * kMinute, kStart = 1'767'225'600'000'000;

std::shared_ptr<engine::Profile> profile(metric::Task task, const std::string& positive = "") {
  using engine::Role;
  using table::Type;
  auto out = std::make_shared<engine::Profile>();
  const auto add = [&](const char* name, Role role, Type type) {
    auto& column = out->columns.emplace_back();
    column.name = name, column.role = role, column.source = type;
    column.type = type == Type::kString ? engine::ColumnType::kCategorical : engine::ColumnType::kNumeric;
    column.parts = {{engine::Part()}};
  };
  add("prediction", Role::kPrediction, task == metric::Task::kRegression ? Type::kFloat : Type::kString);
  add("score", Role::kScore, Type::kFloat);
  add("income", Role::kFeature, Type::kFloat);
  add("country", Role::kFeature, Type::kString);
  auto scores = std::make_shared<engine::StoredScores>();
  scores->options.task = task, scores->options.prediction = "prediction", scores->options.scores = {"score"};
  if (!positive.empty()) scores->options.positive = positive;
  out->scores = scores;
  return out;
}

// A model's streams, as the follower feeds them; labels and what was kept of predictions are here.
struct Fed {
  Folder folder;
  std::unique_ptr<State> state = State::open(folder.path + "/state").value();
  ModelStreams streams{"m"};
  table::JsonRows rows;
  std::map<std::string, std::string, std::less<>> labels, answers;
  std::map<std::string, std::int64_t, std::less<>> times;
  std::vector<engine::Sighting> seen;

  explicit Fed(const StreamSpecs& specs, std::shared_ptr<const engine::Profile> reference = {}) {
    EXPECT_TRUE(streams.set(specs, std::move(reference), true));
    streams.bear(100);
  }
  void predict(std::string_view body, std::int64_t arrived = kStart) {
    rows.read(body, streams.shape());
    ASSERT_TRUE(streams.begin(rows, streams.shape(), arrived));
    const auto id = rows.column(event::kPredictionId).value();
    const auto name = [&](std::size_t row) { return id.dictionary[static_cast<std::size_t>(id.codes[row])]; };
    std::vector<std::size_t> which;
    for (std::size_t row = 0; row < static_cast<std::size_t>(rows.rows()); ++row) {
      which.push_back(row);
      answers[std::string(name(row))] = streams.answer(row);
      times[std::string(name(row))] = arrived;
    }
    const ModelStreams::LabelOf label_of = [&](std::size_t row) {
      const auto found = labels.find(name(row));
      return Result<std::optional<std::string_view>>(
          found == labels.end() ? std::nullopt : std::optional<std::string_view>(found->second));
    };
    ASSERT_TRUE(streams.add(which, label_of, seen));
  }
  void label(const std::string& id, const std::string& label, std::int64_t arrived = kStart) {
    labels[id] = label;
    const auto found = answers.find(id);
    std::optional<State::Predicted> predicted;
    if (found != answers.end()) predicted = {.time = times.at(id), .answer = found->second};
    streams.labelled(predicted, label, arrived, seen);
  }
  std::vector<engine::StreamDetector> kept() {
    EXPECT_TRUE(streams.save(*state));
    EXPECT_TRUE(state->commit(0, {}));
    return ModelStreams::kept(*state, "m").value();
  }
  // "values skipped level" of each.
  std::string told() {
    std::string out;
    for (const auto& s : kept())
      out += fmt::format("{}{} {} {:.3g}", out.empty() ? "" : ", ", s.values(), s.skipped(), s.level());
    return out;
  }
};

TEST(ModelStreams, ErrorsAreThereOnceBothCameWhicheverCameFirst) {
  Fed fed(StreamSpecs{{"error", "adwin"}});
  fed.predict(
      "{\"id\":\"a\",\"prediction\":\"yes\"}\n{\"id\":\"b\",\"prediction\":1}\n"
      "{\"id\":\"c\",\"prediction\":\"no\"}\n{\"id\":\"d\"}");
  EXPECT_EQ(fed.told(), "0 0 nan");
  fed.label("a", "Yes"), fed.label("b", "1.0"), fed.label("d", "yes");
  EXPECT_EQ(fed.told(), "2 0 0");
  fed.label("c", "yes"), fed.label("e", "no"), fed.label("f", "no");
  fed.predict(R"({"id":"e","prediction":"yes"})");
  EXPECT_EQ(fed.told(), "4 0 0.5");
  EXPECT_TRUE(fed.seen.empty());
}

TEST(ModelStreams, OfTwoClassesAScoreSaysWhich) {
  Fed fed({{"error", "adwin"}}, profile(metric::Task::kBinary, "late"));
  fed.predict(
      "{\"id\":\"a\",\"score\":0.9}\n{\"id\":\"b\",\"score\":0.2}\n"
      "{\"id\":\"c\",\"score\":0.5}\n{\"id\":\"d\",\"score\":null}");
  for (const auto* id : {"a", "b", "c", "d"}) fed.label(id, "late");
  EXPECT_EQ(fed.told(), "3 0 0.333");
  // What was decided on counts before it.
  fed.predict(R"({"id":"e","score":0.9,"prediction":"on time"})");
  fed.label("e", "late");
  EXPECT_EQ(fed.told(), "4 0 0.5");
}

TEST(ModelStreams, ResidualsScoresAndFeaturesAreNumbers) {
  Fed fed({{"residual", "adwin"}, {"score", "adwin"}, {"features.income", "adwin"}, {"kind", "adwin"}});
  fed.predict(R"({"id":"a","prediction":10,"score":0.5,"features":{"income":3,"kind":1}}
                 {"id":"b","prediction":20,"score":null,"features":{"income":5,"kind":"x"}})");
  fed.label("a", "12"), fed.label("b", "many");
  EXPECT_EQ(fed.told(), "1 1 2, 1 1 0.5, 2 0 4, 1 1 1");
}

TEST(ModelStreams, GoOnFromWhatWasCommitted) {
  const StreamSpecs specs{{"error", "adwin"}, {"score", "cusum"}};
  Fed whole(specs), first(specs);
  Rng rng(1);
  for (int i = 0; i < 3000; ++i) {
    const auto id = std::to_string(i);
    const auto body = fmt::format(R"({{"id":"{}","prediction":"a","score":{}}})", id, rng.uniform());
    const std::string label = rng.uniform() < (i < 2000 ? .1 : .5) ? "b" : "a";
    if (i == 2100) {
      first.kept();
      first.streams = ModelStreams("m");
      ASSERT_TRUE(first.streams.set(specs, {}, false));
      ASSERT_TRUE(first.streams.load(*first.state));
    }
    for (auto* fed : {&whole, &first}) {
      if (i % 3 == 0) fed->label(id, label);
      fed->predict(body, kStart + i * kMinute);
      if (i % 3 != 0) fed->label(id, label, kStart + i * kMinute);
    }
  }
  EXPECT_EQ(first.told(), whole.told());
  EXPECT_TRUE(whole.kept()[0].changed());
  EXPECT_EQ(first.state->get(ModelStreams::name_of("m")).value(), whole.state->get(ModelStreams::name_of("m")).value());
  EXPECT_EQ(first.seen.size(), whole.seen.size());
}

// An alarm is a sighting at once; each hour says whether it is so still.
TEST(ModelStreams, TellsWhenItBeganAndWhenItIsOver) {
  Fed fed(StreamSpecs{{"score", "adwin"}});
  fed.streams.bear(.1);
  Rng rng(1);
  std::string said;
  for (int i = 0; i < 100 * 60; ++i) {
    const bool bad = i >= 40 * 60 && i < 60 * 60;
    fed.predict(fmt::format(R"({{"id":"{}","score":{}}})", i, rng.uniform() + (bad ? .5 : 0)), kStart + i * kMinute);
    for (const auto& s : fed.seen) {
      EXPECT_EQ(s.track, engine::Sighting::Track::kStreams);
      const char now = s.still ? 's' : s.causes.empty() ? '-' : 'A';
      if (said.empty() || said.back() != now) said += now;
      if (now != 'A') continue;
      EXPECT_NEAR(static_cast<double>(s.start - kStart) / kHour, 40, 2);
    }
    fed.seen.clear();
  }
  EXPECT_EQ(said.substr(0, 3), "-As") << said;
  EXPECT_EQ(said.back(), '-') << said;
  EXPECT_FALSE(fed.kept()[0].changed());
}

// Hours of errors are those of the predictions that labels came for, however far behind they came.
TEST(ModelStreams, LabelsOfManyHoursAtOnceAreOfThoseHours) {
  const StreamSpecs specs{{"error", "adwin"}, {"score", "adwin"}};
  Fed soon(specs), late(specs);
  for (auto* fed : {&soon, &late}) {
    Rng rng(1);
    fed->streams.bear(.1);
    std::vector<std::function<void()>> behind;
    for (int i = 0; i < 60 * 60; ++i) {
      const auto id = std::to_string(i);
      const std::string label = rng.uniform() < (i < 50 * 60 ? .1 : .5) ? "b" : "a";
      fed->predict(fmt::format(R"({{"id":"{}","prediction":"a","score":{}}})", id, rng.uniform()),
                   kStart + i * kMinute);
      behind.emplace_back([=] { fed->label(id, label, kStart + i * kMinute); });
      if (fed == &late && i + 1 < 60 * 60) continue;
      for (const auto& come : behind) come();
      behind.clear();
    }
  }
  const auto soon_kept = soon.kept(), late_kept = late.kept();
  const auto &now = soon_kept[0], &then = late_kept[0];
  ASSERT_TRUE(now.changed() && then.changed());
  EXPECT_EQ(then.changed()->since, now.changed()->since);
  EXPECT_EQ(then.changed()->weight, now.changed()->weight);
  EXPECT_NEAR(static_cast<double>(then.changed()->since - kStart) / kHour, 50, 2);
}

TEST(ModelStreams, AnEarlierReferenceIsForgottenWhereItIsAnew) {
  const auto reference = profile(metric::Task::kBinary, "late");
  Fed fed({{"score", "adwin"}}, reference);
  fed.predict(R"({"id":"a","score":0.9})");
  ASSERT_TRUE(fed.streams.set(StreamSpecs{{"score", "adwin"}, {"income", "adwin"}}, reference, false));
  EXPECT_EQ(fed.told(), "1 0 0.9, 0 0 nan");
  ASSERT_TRUE(fed.streams.set(StreamSpecs{{"score", "adwin"}}, reference, true));
  EXPECT_EQ(fed.told(), "0 0 nan");
}

TEST(StreamSpecs, AreThoseThatTheReferenceHas) {
  const auto said = [](const std::string& on, metric::Task task = metric::Task::kBinary) {
    const auto fits = check_streams({{on, "adwin"}}, *profile(task));
    return fits ? "" : fits.error().message;
  };
  for (const auto* on : {"error", "score", "income", "features.income"}) EXPECT_EQ(said(on), "") << on;
  EXPECT_EQ(said("residual"),
            "detectors[0].on: residual wants a prediction that is a number, and the reference has none");
  EXPECT_EQ(said("residual", metric::Task::kRegression), "");
  EXPECT_EQ(said("incme"), "detectors[0].on: unknown numeric feature \"incme\"; did you mean \"income\"?");
  EXPECT_NE(said("country").find("unknown numeric feature \"country\""), std::string::npos) << said("country");
}

TEST(StreamSpecs, OfWhomNobodySaidAnyAreErrorsOrResiduals) {
  EXPECT_EQ(usual_streams(profile(metric::Task::kMulticlass).get()), (StreamSpecs{{"error", "adwin"}}));
  EXPECT_EQ(usual_streams(profile(metric::Task::kRegression).get()), (StreamSpecs{{"residual", "adwin"}}));
  EXPECT_TRUE(usual_streams(nullptr).empty());
  auto without = profile(metric::Task::kBinary);
  without->scores = nullptr;
  EXPECT_TRUE(usual_streams(without.get()).empty());
}

}  // namespace
}  // namespace vigie::server
