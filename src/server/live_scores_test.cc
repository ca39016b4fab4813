// SPDX-License-Identifier: Apache-2.0
#include "server/live_scores.h"

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/iso_time.h"
#include "base/rng.h"
#include "server/back_internal.h"
#include "server/watch.h"

namespace vigie::server {
namespace {

using Json = nlohmann::json;
constexpr std::int64_t kStart = 1'704'067'200'000'000, kDay = 86'400'000'000;  // 2024-01-01
constexpr int kRows = 100;                                                     // a day

struct Row {
  std::string id;
  Json prediction;
  bool label;
};

// The rows of a day; of those whose number `wrong` divides the score says nothing.
std::vector<Row> day(int number, Rng& rng, int wrong = 0, double positive = 0.4) {
  std::vector<Row> out;
  for (int i = 0; i < kRows; ++i) {
    const bool label = rng.uniform() < positive;
    const bool lost = wrong > 0 && i % wrong == 0;
    const double score = lost ? rng.uniform() : std::clamp((label ? .6 : .3) + .3 * (rng.uniform() - .5), 0., 1.);
    constexpr std::int64_t kEach = kDay / kRows;
    const auto time = static_cast<double>(kStart + number * kDay + i * kEach);
    Row row{fmt::format("{}\"-{}", number, i), {}, label};
    row.prediction = {
        {"id", row.id}, {"timestamp", iso_time(time)}, {"features", {{"x", rng.uniform()}}}, {"score", score}};
    out.push_back(std::move(row));
  }
  return out;
}

std::string predictions(const std::vector<Row>& rows) {
  std::string out;
  for (const auto& row : rows) out += row.prediction.dump() + "\n";
  return out;
}
std::string labels(const std::vector<Row>& rows, std::size_t from, std::size_t to, bool flipped = false) {
  std::string out;
  for (std::size_t i = from; i < to; ++i)
    out += Json{{"id", rows[i].id}, {"label", rows[i].label != flipped ? 1 : 0}}.dump() + "\n";
  return out;
}

std::string reference() {
  Rng rng(1);
  std::string out;
  for (int d = -30; d < 0; ++d)
    for (const auto& row : day(d, rng)) {
      auto json = row.prediction;
      json["label"] = row.label ? 1 : 0;
      out += json.dump() + "\n";
    }
  return engine::save_profile(reference_of_rows(out, "reference", "test", {}).value());
}

// The last window of model m that was scored, once it has so many labels.
Json scored(const Back& back, int labelled) {
  Json last;
  for (int i = 0; i < 400; ++i) {
    const auto windows = back.store->windows({.model = "m"}).value();
    if (!windows.empty() && !windows.front().score.empty()) {
      last = Json::parse(windows.front().score);
      if (last.value("labelled", 0) == labelled) return last;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  }
  return last;
}

double accuracy(const Json& score) {
  for (const auto& metric : score.at("metrics"))
    if (metric.at("metric") == "accuracy") return metric.at("value");
  return -1;
}

void say(Back& back, event::Kind kind, const std::string& body) {
  journal::Records records;
  records.add(event::encode({kind, "m", body}));
  std::promise<bool> done;
  back.journal->append(std::move(records), [&](const auto& written) { done.set_value(written.has_value()); });
  ASSERT_TRUE(done.get_future().get());
}

void set_reference(Back& back) {
  say(back, event::Kind::kReference, reference());
}

TEST(LiveScores, LabelsMayComeFirstLateOrBeCorrected) {
  Folder folder;
  Rng rng(2);
  const auto first = day(0, rng), second = day(1, rng);
  {
    Back back(folder.path);
    set_reference(back);
    EXPECT_EQ(back.add(labels(first, 0, 40, true), event::Kind::kLabels), "40 accepted, 0 there");
    back.follower->start();
    back.add(predictions(first));
    back.add(predictions(second));  // which ends the first day
    auto score = scored(back, 40);
    ASSERT_EQ(score.value("labelled", 0), 40) << score.dump();
    EXPECT_EQ(score.at("unlabelled"), 60);
    EXPECT_DOUBLE_EQ(score.at("coverage"), 0.4);
    EXPECT_LT(accuracy(score), 0.5);  // all of them are wrong
  }
  Back back(folder.path);
  back.follower->start();
  back.add(labels(first, 0, 40), event::Kind::kLabels);
  back.add(labels(first, 40, 100), event::Kind::kLabels);
  auto score = scored(back, 100);
  ASSERT_EQ(score.value("labelled", 0), 100) << score.dump();
  EXPECT_DOUBLE_EQ(score.at("coverage"), 1);
  EXPECT_GT(accuracy(score), 0.9);
}

// What the first labels did not show: looked at again with twice as many, and not before.
TEST(LiveScores, LabelsThatComeLaterMayOpenAnIncident) {
  Folder folder;
  Rng rng(2);
  const auto first = day(0, rng), second = day(1, rng);
  Back back(folder.path);
  set_reference(back);
  back.follower->start();
  back.add(predictions(first));
  back.add(predictions(second));
  back.add(labels(first, 0, 40), event::Kind::kLabels);
  EXPECT_EQ(scored(back, 40).value("labelled", 0), 40);
  back.add(labels(first, 40, 75, true), event::Kind::kLabels);
  const auto more = scored(back, 75);
  ASSERT_EQ(more.value("labelled", 0), 75);
  EXPECT_LT(accuracy(more), 0.8);
  EXPECT_TRUE(back.store->incidents({}).value().empty());
  back.add(labels(first, 75, 99, true), event::Kind::kLabels);
  EXPECT_EQ(scored(back, 99).value("labelled", 0), 99);
  std::vector<event::Incident> found;
  for (int i = 0; i < 200 && found.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
    found = back.store->incidents({}).value();
  }
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].since, kStart);
}

// A column may be called as the version of the model is.
TEST(LiveScores, ScoreByAFeatureThatIsCalledVersion) {
  Folder folder;
  Rng rng(5);
  const auto marked = [](std::vector<Row> rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      auto& features = rows[i].prediction["features"];
      features["version"] = i % 2 == 0 ? "a" : "b", features["region"] = i % 3 == 0 ? "north" : "south";
    }
    return rows;
  };
  std::string past;
  for (int d = -30; d < 0; ++d)
    for (auto& row : marked(day(d, rng))) {
      row.prediction["label"] = row.label ? 1 : 0;
      past += row.prediction.dump() + "\n";
    }
  const auto config = read_model_config(R"({"window": "day", "segments": ["version", "region"]})").value();
  Back back(folder.path);
  say(back, event::Kind::kReference,
      engine::save_profile(reference_of_rows(past, "reference", "test", config).value()));
  back.follower->start();
  const auto first = marked(day(0, rng));
  back.add(predictions(first));
  back.add(labels(first, 0, 100), event::Kind::kLabels);
  back.add(predictions(marked(day(1, rng))));
  const auto score = scored(back, 100);
  EXPECT_EQ(score.value("labelled", 0), 100) << score.dump();
  EXPECT_FALSE(score.contains("scores_by_version"));
  EXPECT_EQ(back.follower->trouble(), "");
}

TEST(LiveScores, FindTheDayOnWhichAModelIsWorse) {
  Folder folder;
  Rng rng(3);
  const auto bad = day(0, rng, 1);
  Back back(folder.path);
  set_reference(back);
  back.follower->start();
  back.add(predictions(bad));
  back.add(predictions(day(1, rng)));
  back.add(labels(bad, 0, 100), event::Kind::kLabels);
  const auto score = scored(back, 100);
  ASSERT_EQ(score.value("labelled", 0), 100) << score.dump();
  EXPECT_EQ(score.at("score_verdict"), "drift");
  for (int i = 0; i < 100 && back.models->all().at(0).state != "drift"; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  EXPECT_EQ(back.models->all().at(0).state, "drift");
}

// A model that is as good as ever, of rows of which others are true.
TEST(LiveScores, TellThatLabelsMoved) {
  for (const auto& [config, hidden] : {std::pair("{}", false), {R"({"privacy": {"label": "drop"}})", true}}) {
    Folder folder;
    Rng rng(6);
    const auto first = day(0, rng), moved = day(1, rng, 0, 0.9);
    Back back(folder.path);
    set_reference(back);
    say(back, event::Kind::kModel, config);
    back.follower->start();
    back.add(predictions(first)), back.add(labels(first, 0, 100), event::Kind::kLabels);
    back.add(predictions(moved)), back.add(predictions(day(2, rng)));
    back.add(labels(moved, 0, 60), event::Kind::kLabels);
    const auto score_of = [&](std::int64_t start) {
      const auto windows = back.store->windows({.model = "m"}).value();
      for (const auto& window : windows)
        if (window.start == start && !window.score.empty()) return Json::parse(window.score);
      return Json::object();
    };
    for (int i = 0; i < 400 && score_of(kStart + kDay).value("labelled", 0) < 60; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(25));
    const auto score = score_of(kStart + kDay);
    ASSERT_EQ(score.value("labelled", 0), 60) << score.dump();
    ASSERT_EQ(score.at("label_drift").size(), 1U);
    const auto drift = score.at("label_drift").at(0);
    EXPECT_EQ(drift.at("column"), "label");
    EXPECT_EQ(drift.at("role"), "label");
    EXPECT_EQ(drift.at("verdict"), "drift") << drift.dump();
    EXPECT_EQ(drift.at("n_current"), 60);
    const auto reason = drift.at("reason").get<std::string>();
    EXPECT_NE(reason.find("; 60 of 100 rows have a label"), std::string::npos) << reason;
    EXPECT_EQ(reason.starts_with("moved "), hidden) << reason;
    std::vector<event::Incident> incidents;
    for (int i = 0; i < 200 && incidents.empty(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(25));
      incidents = back.store->incidents({.model = "m"}).value();
    }
    ASSERT_EQ(incidents.size(), 1U);
    const auto& causes = incidents[0].causes;
    const auto of_label = std::ranges::find_if(causes, [](const auto& cause) { return cause.column == "label"; });
    ASSERT_NE(of_label, causes.end()) << drift.dump();
    EXPECT_EQ(of_label->severity, event::Severity::kCritical);
    EXPECT_EQ(of_label->what, "omnibus");
    EXPECT_EQ(of_label->reason, reason);
    const auto healthy = score_of(kStart).at("label_drift").at(0);
    EXPECT_EQ(healthy.at("verdict"), "ok") << healthy.dump();
    EXPECT_EQ(back.models->all().at(0).state, "drift");
  }
}

TEST(LiveScores, NameNoClassThatIsHidden) {
  const std::vector<std::pair<const char*, Json>> all{
      {"{}", {"0", "1"}},
      {R"({"privacy": {"label": "mask"}})", nullptr},
      {R"({"privacy": {"label": "drop"}})", nullptr},
      // As an older vigie accepted it: what is hidden is hidden.
      {R"({"privacy": {"label": "drop"}, "window": "never"})", nullptr}};
  for (const auto& [config, labels_named] : all) {
    Folder folder;
    Rng rng(5);
    const auto rows = day(0, rng);
    Back back(folder.path);
    set_reference(back);
    say(back, event::Kind::kModel, config);
    back.follower->start();
    back.add(predictions(rows));
    back.add(predictions(day(1, rng)));
    back.add(labels(rows, 0, 100), event::Kind::kLabels);
    const auto score = scored(back, 100);
    ASSERT_EQ(score.value("labelled", 0), 100) << score.dump();
    const auto& confusion = score.at("confusion");
    EXPECT_EQ(confusion.is_null() ? Json() : confusion.at("labels"), labels_named) << config;
  }
}

// Nor where each class has numbers of its own.
TEST(LiveScores, NameNoneOfManyClasses) {
  const std::vector<std::string> classes{"flu", "angina", "hepatitis"};
  constexpr std::int64_t kEach = kDay / kRows;
  const auto row = [&](int day, int i, bool labelled) {
    const auto& truth = classes.at(static_cast<std::size_t>(i % 3));
    const auto& said = i % 7 ? truth : classes.at(static_cast<std::size_t>((i + 1) % 3));
    Json out{{"id", fmt::format("{} {}", day, i)},
             {"timestamp", iso_time(static_cast<double>(kStart + day * kDay + i * kEach))},
             {"features", {{"x", i % 10}}},
             {"prediction", said}};
    if (labelled) out["label"] = truth;
    return out.dump() + "\n";
  };
  std::string past, rows, next, truths;
  for (int day = -30; day < 0; ++day)
    for (int i = 0; i < kRows; ++i) past += row(day, i, true);
  for (int i = 0; i < kRows; ++i) {
    rows += row(0, i, false), next += row(1, i, false);
    truths +=
        Json{{"id", fmt::format("0 {}", i)}, {"label", classes.at(static_cast<std::size_t>(i % 3))}}.dump() + "\n";
  }
  const auto profile = engine::save_profile(reference_of_rows(past, "reference", "test", {}).value());
  for (const auto& [config, told] :
       std::vector<std::pair<const char*, bool>>{{"{}", true},
                                                 {R"({"privacy": {"prediction": "drop"}})", false},
                                                 {R"({"privacy": {"label": "hash", "prediction": "drop"}})", false},
                                                 {R"({"privacy": {"label": "mask"}})", false}}) {
    Folder folder;
    Back back(folder.path);
    say(back, event::Kind::kReference, profile);
    say(back, event::Kind::kModel, config);
    back.follower->start();
    back.add(rows), back.add(next), back.add(truths, event::Kind::kLabels);
    const auto score = scored(back, kRows);
    ASSERT_EQ(score.value("labelled", 0), kRows) << score.dump();
    for (const auto& name : classes) EXPECT_EQ(score.dump().find(name) != std::string::npos, told) << config << name;
    EXPECT_GT(score.at("metrics").size(), 3U);
  }
}

}  // namespace
}  // namespace vigie::server
