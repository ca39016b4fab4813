// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <set>

#include "base/text.h"
#include "engine/class_names_internal.h"
#include "engine/scorer_group_internal.h"
#include "metric/binary.h"
#include "metric/curves.h"
#include "metric/fairness.h"

namespace vigie::engine {
namespace {

using metric::BinaryState;

constexpr double kBeta = 2;

/// What is kept of two classes: the scores, and where a sensitive column is given the counts of its groups.
struct TwoClasses {
  BinaryState scores;
  metric::FairnessState groups;

  std::int64_t rows() const { return scores.rows(); }
  std::int64_t unlabelled() const { return scores.unlabelled(); }
  std::int64_t unscored() const { return scores.unscored(); }
  void save(ByteWriter& out) {
    scores.save(out);
    groups.save(out);
  }
  Status merge(const TwoClasses& other) {
    groups.merge(other.groups);
    return scores.merge(other.scores);
  }
};

class BinaryScorer : public Scorer {
 public:
  BinaryScorer(const ScoreOptions& options, std::string source, ClassIndex classes, std::vector<Wanted> wanted)
      : options_(options), source_(std::move(source)), classes_(std::move(classes)), wanted_(std::move(wanted)) {}

  const std::vector<Wanted>& wanted() const override { return wanted_; }

  Status read(std::span<const table::Column> columns, std::size_t) override {
    VIGIE_TRY(read_classes(columns[0], labels_, [&](const std::string& name) {
      return fmt::format("--label: column {} of {} has more than two values ({}, {}, {}); --task multiclass takes them",
                         vigie::quoted(options_.label), source_, vigie::quoted(classes_.names()[0]),
                         vigie::quoted(classes_.names()[1]), vigie::quoted(name));
    }));
    std::size_t next = 1;
    if (by_score()) scores_ = columns[next++].numbers;
    if (by_prediction()) {
      VIGIE_TRY(read_classes(columns[next++], predictions_, [&](const std::string& name) {
        return fmt::format("--prediction: {} in column {} of {} is none of the labels {} and {} (scores go to --score)",
                           vigie::quoted(name), vigie::quoted(options_.prediction), source_,
                           vigie::quoted(classes_.names()[0]), vigie::quoted(classes_.names()[1]));
      }));
    }
    return options_.sensitive.empty() ? Status() : read_groups(columns[next]);
  }

  std::unique_ptr<GroupState> make(std::size_t limit) const override {
    return std::make_unique<Group<TwoClasses>>(
        TwoClasses{BinaryState({.threshold = options_.threshold, .limit = limit}), {}},
        [this](TwoClasses& state, Finished& out, bool pictures) { finish(state, out, pictures); });
  }

  void update(GroupState& group, const RowSet& rows) const override {
    auto& state = state_of<TwoClasses>(group);
    std::vector<std::uint8_t> labels, predictions;
    std::vector<double> scores;
    const auto truth = take(labels_, rows, labels);
    std::span<const std::uint8_t> predicted;
    if (by_prediction()) predicted = take(predictions_, rows, predictions);
    if (by_score()) {
      const auto given = take(scores_, rows, scores);
      state.scores.update(given, truth, predicted);
      if (!options_.sensitive.empty() && !by_prediction()) {
        // NaN is at no threshold, and infinite scores were left out.
        for (const double score : given)
          predictions.push_back(!std::isfinite(score) ? BinaryState::kUnlabelled : score >= options_.threshold);
        predicted = predictions;
      }
    } else {
      state.scores.update_predictions(predicted, truth);
    }
    if (options_.sensitive.empty()) return;
    std::vector<std::string_view> groups;
    state.groups.update(take(groups_, rows, groups), predicted, truth);
  }

  void describe(Scorecard& card) const override {
    card.options.emplace_back("positive", classes_.names()[1]);
    if (by_prediction())
      card.options.emplace_back("prediction", options_.prediction);
    else
      card.options.emplace_back("threshold", options_.threshold);
    card.options.emplace_back("beta", kBeta);
    for (const auto& r : card.all().metrics)
      if (r.metric == &metric::binary_roc_auc && !r.segment && r.value.high < .5)
        card.notes.push_back(fmt::format(
            "roc_auc {}: the higher the score, the rarer {}; if the scores are those of {}, give --positive {}",
            human(r.value.value, 2), vigie::quoted(classes_.names()[1]), vigie::quoted(classes_.names()[0]),
            classes_.names()[0]));
  }

 private:
  bool by_score() const { return !options_.scores.empty(); }
  /// Whether the model says what it decided on; else that is told by the threshold.
  bool by_prediction() const { return !options_.prediction.empty(); }

  template <class Message>
  Status read_classes(const table::Column& column, std::vector<std::uint8_t>& out, Message message) {
    std::string unknown;
    classes_.codes(column, codes_, unknown);
    if (!unknown.empty()) return fail(Code::kUsage, message(unknown));
    out.resize(codes_.size());
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = codes_[i] > 1 ? BinaryState::kUnlabelled : static_cast<std::uint8_t>(codes_[i]);
    return {};
  }

  Status read_groups(const table::Column& column) {
    for (const auto name : column.dictionary) met_.emplace(name);
    if (met_.size() > kMostClasses)
      return fail(Code::kUsage, fmt::format("--sensitive: column {} of {} has more than {} values, too many for groups",
                                            vigie::quoted(options_.sensitive), source_, kMostClasses));
    groups_.resize(column.codes.size());
    for (std::size_t i = 0; i < groups_.size(); ++i)
      groups_[i] =
          column.codes[i] < 0 ? std::string_view() : column.dictionary[static_cast<std::size_t>(column.codes[i])];
    return {};
  }

  void finish(TwoClasses& state, Finished& out, bool pictures) const {
    out.entries = metric::evaluate(state.scores.summarize(kBeta, options_.costs));
    if (!options_.sensitive.empty()) {
      auto fair = metric::evaluate(state.groups.summarize());
      std::move(fair.begin(), fair.end(), std::back_inserter(out.entries));
    }
    const auto& c = state.scores.counts();
    out.confusion = Confusion{classes_.names(), {c.tn, c.fp, c.fn, c.tp}};
    if (!pictures || !by_score()) return;
    out.pictures.roc = metric::roc_curve(state.scores);
    out.pictures.precision_recall = metric::precision_recall_curve(state.scores);
    out.pictures.reliability = metric::reliability_curve(state.scores);
    out.pictures.gain = metric::gain_curve(state.scores);
  }

  ScoreOptions options_;
  std::string source_;
  ClassIndex classes_;
  std::vector<Wanted> wanted_;
  std::vector<std::uint32_t> codes_;
  std::vector<std::uint8_t> labels_, predictions_;
  std::span<const double> scores_;
  std::vector<std::string_view> groups_;
  std::set<std::string, std::less<>> met_;  // groups so far
};

/// The two classes, no first. `met`: values of labels, or of labels and predictions.
Result<std::vector<std::string>> two_classes(std::vector<std::string> met, const ScoreOptions& options,
                                             const std::string& source) {
  if (met.empty()) met = {"0", "1"};  // no label has come yet
  if (met.size() > 2)
    return fail(
        Code::kUsage,
        fmt::format("--label: column {} of {} has more than two values ({}, {}, {}); --task multiclass takes them",
                    vigie::quoted(options.label), source, vigie::quoted(met[0]), vigie::quoted(met[1]),
                    vigie::quoted(met[2])));
  if (met.size() == 1 && !opposite(met[0]).empty()) {
    met.emplace_back(opposite(met[0]));
    if (says_yes(met[0])) std::swap(met[0], met[1]);
  }
  if (options.positive) {
    const ClassIndex known(met);
    const auto code = known.find(*options.positive);
    if (code == ClassIndex::kUnknown && met.size() == 2)
      return fail(Code::kUsage,
                  fmt::format("--positive: {}",
                              unknown_name("value", *options.positive, met,
                                           fmt::format(" in column {} of {}", vigie::quoted(options.label), source))));
    // One value alone, and it is not the positive one.
    if (code == ClassIndex::kUnknown)
      met.push_back(*options.positive);
    else if (met.size() == 1)
      met.insert(met.begin(), "not " + met[0]);
    else if (code == 0)
      std::swap(met[0], met[1]);
    return met;
  }
  if (met.size() == 1)
    return fail(Code::kUsage,
                fmt::format("--label: column {} of {} has one value, {}; --positive says which class is meant",
                            vigie::quoted(options.label), source, vigie::quoted(met[0])));
  positive_last(met);
  return met;
}

}  // namespace

Result<std::unique_ptr<Scorer>> make_binary_scorer(table::Input& data, ScoreOptions& options, bool text) {
  const bool by_score = !options.scores.empty(), by_prediction = !options.prediction.empty();
  std::vector<std::string> columns = {options.label};
  VIGIE_ASSIGN(auto label, find_classes(data, columns, 2, text));
  auto met = options.classes.empty() ? label[0].values : options.classes;
  const bool few = met.size() < 2 && (met.empty() || opposite(met[0]).empty());
  if (by_prediction) {
    VIGIE_ASSIGN(auto both, find_classes(data, {options.label, options.prediction}, few ? kMostClasses : 2, text));
    label = std::move(both);
    if (few && !met.empty()) {
      add_classes(met, label[1].values);
    }
  }
  VIGIE_ASSIGN(auto names, two_classes(std::move(met), options, data.name()));
  options.positive = names[1], options.classes = names;
  if (names[0] == "not " + names[1]) options.classes.erase(options.classes.begin());
  std::vector<Scorer::Wanted> wanted = {{options.label, label[0].type, true}};
  if (by_score) wanted.push_back({options.scores[0], table::Type::kFloat});
  if (by_prediction) wanted.push_back({options.prediction, label[1].type, true});
  if (!options.sensitive.empty()) wanted.push_back({options.sensitive, table::Type::kString});
  return std::unique_ptr<Scorer>(
      new BinaryScorer(options, data.name(), ClassIndex(std::move(names)), std::move(wanted)));
}

}  // namespace vigie::engine
