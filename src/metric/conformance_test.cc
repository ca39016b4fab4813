// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <set>

#include "base/rng.h"
#include "metric/binary.h"
#include "metric/detection.h"
#include "metric/fairness.h"
#include "metric/multiclass.h"
#include "metric/ranking.h"
#include "metric/regression.h"
#include "metric/segmentation.h"
#include "metric/text.h"

namespace vigie::metric {
namespace {

/// What the model of a data set does.
enum class Model { kUseful, kPerfect, kDummy, kMissing };

/// Rows of one task: row i enters a state at once, a state may see any of them.
struct Rows {
  std::size_t count = 0;
  /// The metrics of the rows of each part, in the given order, in states of their own that are merged; or of one state.
  std::function<std::vector<Entry>(const std::vector<std::vector<std::size_t>>& parts, bool by_bytes)> evaluate;
  std::function<std::string()> bytes;              ///< of a state of all rows
  std::function<bool(std::string_view)> readable;  ///< whether these are bytes of a state, which is then evaluated

  std::vector<Entry> of(std::size_t first, std::size_t last) const {
    std::vector<std::size_t> rows(last - first);
    std::iota(rows.begin(), rows.end(), first);
    return evaluate({rows}, false);
  }
  std::vector<Entry> all() const { return of(0, count); }
};

template <class State, class Add, class Summarize>
Rows rows_of(std::size_t count, const State& empty, Add add, Summarize summarize) {
  return {count,
          [=](const std::vector<std::vector<std::size_t>>& parts, bool by_bytes) {
            State whole = empty;
            for (const auto& part : parts) {
              State state = empty;
              for (const std::size_t row : part) add(state, row);
              if (by_bytes) {
                ByteWriter out;
                state.save(out);
                ByteReader in(out.bytes());
                auto loaded = State::load(in);
                EXPECT_TRUE(loaded && in.remaining() == 0);
                if (loaded) state = *std::move(loaded);
              }
              if constexpr (std::is_void_v<decltype(whole.merge(state))>) {
                whole.merge(state);
              } else {
                EXPECT_TRUE(whole.merge(state));
              }
            }
            return metric::evaluate(summarize(whole));
          },
          [=] {
            State state = empty;
            for (std::size_t row = 0; row < count; ++row) add(state, row);
            ByteWriter out;
            state.save(out);
            return out.take();
          },
          [=](std::string_view bytes) {
            ByteReader in(bytes);
            auto state = State::load(in);
            if (state) metric::evaluate(summarize(*state));
            return state.has_value();
          }};
}

constexpr auto kSummarize = [](auto& state) { return state.summarize(); };

/// A number for each row and use, the same whenever it is asked for.
double noise(std::size_t row, std::uint64_t use) {
  return Rng(row * 1000 + use).uniform();
}

/// 12 rows of each 40 are positive; of a dummy's half of them.
Rows binary(Model model, bool predictions) {
  const auto add = [=](BinaryState& state, std::size_t i) {
    // Every combination of label and prediction equally often.
    const std::uint8_t label = model == Model::kDummy ? i % 2 : i % 10 < 3, other = i / 2 % 2;
    if (predictions) {
      const std::uint8_t p = model == Model::kMissing   ? 2
                             : model == Model::kPerfect ? label
                             : model == Model::kDummy   ? other
                             : noise(i, 1) < .8         ? label
                                                        : 1 - label;
      return state.update_predictions(std::array{p}, std::array{label});
    }
    const double score = model == Model::kMissing   ? kNaN
                         : model == Model::kPerfect ? label
                         : model == Model::kDummy   ? .5
                                                    : std::floor(50 * (.6 * noise(i, 1) + .4 * label)) / 50;
    state.update(std::array{score}, std::array{label});
  };
  return rows_of(120, BinaryState(), add,
                 [](BinaryState& state) { return state.summarize(2, std::array{1., -2., -7., 5.}); });
}

Rows multiclass(Model model, bool predictions) {
  const auto add = [=](MulticlassState& state, std::size_t i) {
    const auto label = static_cast<std::uint32_t>(i % 3), other = static_cast<std::uint32_t>(i / 3 % 3);
    if (predictions) {
      const std::uint32_t p = model == Model::kMissing   ? 99
                              : model == Model::kPerfect ? label
                              : model == Model::kDummy   ? other
                              : noise(i, 1) < .7         ? label
                                                         : other;
      return state.update_predictions(std::array{p}, std::array{label});
    }
    std::array<double, 3> scores;
    double sum = 0;
    for (std::uint32_t c = 0; c < 3; ++c) {
      scores[c] = model == Model::kPerfect ? c == label : model == Model::kDummy ? 1 : noise(i, c) + (c == label);
      sum += scores[c];
    }
    for (double& score : scores) score = model == Model::kMissing ? kNaN : score / sum;
    const std::array columns = {std::span<const double>(&scores[0], 1), std::span<const double>(&scores[1], 1),
                                std::span<const double>(&scores[2], 1)};
    state.update(columns, std::array{label});
  };
  return rows_of(117, MulticlassState({.classes = {"a", "b", "c"}}), add, kSummarize);
}

double label_of(std::size_t i) {
  return 1 + static_cast<double>(i % 11) * static_cast<double>(i % 11);
}

/// `constant` is what a dummy predicts.
Rows regression(Model model, double constant = 0) {
  const auto add = [=](RegressionState& state, std::size_t i) {
    const double label = label_of(i);
    state.update(std::array{model == Model::kMissing   ? kNaN
                            : model == Model::kPerfect ? label
                            : model == Model::kDummy   ? constant
                                                       : label + 4 * noise(i, 1)},
                 std::array{label});
  };
  return rows_of(110, RegressionState(), add, kSummarize);
}

/// Lists of 24 items of which 12 are relevant.
Rows ranking(Model model) {
  const auto add = [=](RankingState& state, std::size_t i) {
    const double relevance = i % 2 ? static_cast<double>(1 + i % 3) : 0;
    state.update(std::array<std::uint64_t, 1>{i / 24},
                 std::array{model == Model::kMissing   ? kNaN
                            : model == Model::kPerfect ? relevance
                            : model == Model::kDummy   ? .5
                                                       : std::floor(4 * noise(i, 1)) + relevance},
                 std::array{relevance});
  };
  return rows_of(192, RankingState(), add, kSummarize);
}

Rows text(Model model) {
  const auto add = [=](TextState& state, std::size_t i) {
    std::string reference, hypothesis;
    for (std::size_t w = 0; w < 6 + i % 5; ++w) {
      const std::string word = "word" + std::to_string(static_cast<int>(20 * noise(i, w))) + " ";
      reference += word;
      hypothesis += model == Model::kPerfect || noise(i, 50 + w) < .7 ? word : "other ";
    }
    state.update(std::array{model == Model::kMissing ? std::string_view{} : std::string_view(hypothesis)},
                 std::array{std::string_view(reference)});
    if (model == Model::kMissing) return;
    state.update_log_probabilities(std::array{model == Model::kPerfect ? 0 : -3 * noise(i, 99)},
                                   std::array<std::int64_t, 1>{3});
  };
  return rows_of(60, TextState(), add, kSummarize);
}

Rows detection(Model model) {
  const auto add = [=](DetectionState& state, std::size_t i) {
    std::vector<Object> objects;
    std::vector<Detection> found;
    for (std::size_t o = 0; o < 1 + i % 4; ++o) {
      const Box box{100 * static_cast<double>(o), 10, 50, 40};
      const double moved = model == Model::kPerfect ? 0 : 30 * noise(i, o) - 10;
      const auto category = static_cast<std::uint32_t>(o % 2);
      objects.push_back({category, box});
      found.push_back(
          {category, {box.x + moved, 10, 50, 40}, model == Model::kMissing ? kNaN : .5 + noise(i, 20 + o) / 2});
    }
    state.update(i, objects, found);
  };
  return rows_of(40, DetectionState(), add, kSummarize);
}

Rows segmentation(Model model) {
  const auto add = [=](SegmentationState& state, std::size_t i) {
    std::vector<std::uint32_t> truth, predicted;
    for (std::size_t pixel = 0; pixel < 60; ++pixel) {
      truth.push_back(static_cast<std::uint32_t>((pixel + i) / 20 % 3));
      const bool right = model == Model::kPerfect || noise(i, pixel) < .8;
      predicted.push_back(model == Model::kMissing ? 99 : right ? truth.back() : (truth.back() + 1) % 3);
    }
    state.update(i, truth, predicted);
  };
  return rows_of(30, SegmentationState({"a", "b", "c"}), add, kSummarize);
}

Rows fairness(Model model) {
  const auto add = [=](FairnessState& state, std::size_t i) {
    const std::uint8_t label = i / 2 % 2;
    const std::uint8_t p = model == Model::kMissing                       ? 2
                           : model == Model::kPerfect || noise(i, 1) < .7 ? label
                                                                          : 1 - label;
    state.update(std::array{std::string_view(i % 2 ? "odd" : "even")}, std::array{p}, std::array{label});
  };
  return rows_of(120, FairnessState(), add, kSummarize);
}

/// All data sets of a task: of two classes and many, with scores and with predictions.
std::vector<Rows> data(Task task, Model model) {
  switch (task) {
    case Task::kBinary:
      return {binary(model, false), binary(model, true)};
    case Task::kMulticlass:
      return {multiclass(model, false), multiclass(model, true)};
    case Task::kRegression:
      return {regression(model)};
    case Task::kRanking:
      return {ranking(model)};
    case Task::kText:
      return {text(model)};
    case Task::kDetection:
      return {detection(model)};
    case Task::kSegmentation:
      return {segmentation(model)};
    case Task::kFairness:
      break;
  }
  return {fairness(model)};
}

class Conformance : public ::testing::TestWithParam<const Metric*> {
 protected:
  const Metric& metric() const { return *GetParam(); }
  std::vector<Rows> sets(Model model) const { return data(metric().task(), model); }
  /// The entries of this metric.
  std::vector<Entry> mine(std::vector<Entry> all) const {
    std::erase_if(all, [&](const Entry& e) { return e.metric != GetParam(); });
    return all;
  }
  void expect_sane(const std::vector<Entry>& entries) const {
    for (const Entry& e : entries) {
      const Value& v = e.value;
      EXPECT_EQ(std::isnan(v.value) || std::isnan(v.low), !v.reason.empty())
          << metric().name << " " << e.part << ": " << v.value << v.reason;
      EXPECT_TRUE(v.n >= 30 || v.low != v.high) << metric().name << " is known exactly from " << v.n;
      EXPECT_EQ(e.part.empty(), metric().key().empty());
      if (std::isnan(v.value)) continue;
      EXPECT_GE(v.value, metric().least);
      EXPECT_LE(v.value, metric().most + 1e-12);
      EXPECT_TRUE(std::isnan(v.low) || v.low <= v.value + 1e-12) << v.low << " " << v.value;
      EXPECT_TRUE(std::isnan(v.high) || v.high >= v.value - 1e-12) << v.high << " " << v.value;
      EXPECT_TRUE(std::isnan(v.low) || (v.low >= metric().least && v.high <= metric().most + 1e-12));
      EXPECT_TRUE(std::isnan(v.baseline) || (v.baseline >= metric().least && v.baseline <= metric().most));
      EXPECT_GT(v.n, 0);
    }
  }
};

void expect_same(const std::vector<Entry>& a, const std::vector<Entry>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Value &x = a[i].value, &y = b[i].value;
    EXPECT_EQ(a[i].part, b[i].part);
    EXPECT_EQ(x.reason, y.reason);
    EXPECT_EQ(x.n, y.n);
    for (const auto& [p, q] :
         {std::pair(x.value, y.value), {x.low, y.low}, {x.high, y.high}, {x.baseline, y.baseline}}) {
      EXPECT_EQ(std::isnan(p), std::isnan(q));
      if (!std::isnan(p)) {
        EXPECT_NEAR(p, q, 1e-11 * std::max(1.0, std::abs(p))) << a[i].metric->name;
      }
    }
  }
}

TEST_P(Conformance, DescriptorIsComplete) {
  EXPECT_FALSE(metric().summary.empty());
  EXPECT_LT(metric().least, metric().most);
  for (const Rows& rows : sets(Model::kUseful))
    for (const Entry& e : mine(rows.all()))
      EXPECT_EQ(std::isnan(e.value.baseline), std::isnan(e.value.value) || metric().baseline().empty())
          << "the summary says what the baseline is";
  const Metric* found = find_metric(metric().task(), metric().name);
  ASSERT_NE(found, nullptr);
  EXPECT_TRUE(found == &metric() || found->key() != metric().key()) << "two of one name";
}

TEST_P(Conformance, ValuesOfAUsefulModel) {
  bool any = false;
  for (const Rows& rows : sets(Model::kUseful)) {
    const auto entries = mine(rows.all());
    expect_sane(entries);
    for (const Entry& e : entries) {
      any = any || !std::isnan(e.value.value);
      // The interval holds the value, and is there, but for a maximum.
      EXPECT_TRUE(std::isnan(e.value.value) || std::isfinite(e.value.low) || &metric() == &regression_max_error);
    }
  }
  EXPECT_TRUE(any);
}

TEST_P(Conformance, MergeEqualsUnionThroughBytesAndInAnyOrder) {
  for (const Rows& rows : sets(Model::kUseful)) {
    Rng rng(7);
    std::vector<std::vector<std::size_t>> parts(4);  // the last one stays empty
    std::vector<std::size_t> order(rows.count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), rng);
    for (const std::size_t row : order) parts[rng.below(3)].push_back(row);
    expect_same(mine(rows.all()), mine(rows.evaluate(parts, true)));
    expect_same(mine(rows.all()), mine(rows.evaluate({order}, false)));
  }
}

TEST_P(Conformance, NoRowsAndNoNumbersGiveAReason) {
  for (const Rows& rows : sets(Model::kUseful)) {
    for (const Entry& e : mine(rows.of(0, 0))) {
      EXPECT_TRUE(std::isnan(e.value.value));
      EXPECT_FALSE(e.value.reason.empty());
      EXPECT_EQ(e.value.n, 0);
    }
  }
  if (metric().task() == Task::kDetection || metric().task() == Task::kSegmentation)
    return;  // what is missing is wrong
  for (const Rows& rows : sets(Model::kMissing)) {
    for (const Entry& e : mine(rows.all())) {
      EXPECT_TRUE(std::isnan(e.value.value));
      EXPECT_EQ(e.value.n, 0);
    }
  }
}

TEST_P(Conformance, OneRowAndFewRows) {
  for (const Model model : {Model::kUseful, Model::kPerfect, Model::kDummy}) {
    for (const Rows& rows : sets(model)) {
      for (std::size_t n = 1; n <= 12; ++n) {
        expect_sane(mine(rows.of(0, n)));
        expect_sane(mine(rows.of(n, n + 1)));
      }
    }
  }
}

TEST_P(Conformance, APerfectModelHasTheBestValue) {
  const std::map<std::string_view, double> known = {{"lift_10", 1 / .3},
                                                    {"selection_rate", .3},
                                                    {"business_value", 84 * 1. + 36 * 5},
                                                    {"recall_at_k", 5. / 12},
                                                    {"me", 0}};
  for (const Rows& rows : sets(Model::kPerfect)) {
    for (const Entry& e : mine(rows.all())) {
      if (std::isnan(e.value.value)) {
        EXPECT_TRUE(e.value.reason == "no scores were given" || &metric() == &fairness_fpr_ratio) << e.value.reason;
        continue;
      }
      double best = metric().better == Better::kLower ? metric().least : metric().most;
      if (known.contains(metric().name)) best = known.at(metric().name);
      if (metric().name == "recall_at_k" && e.part == "10") best *= 2;
      if (metric().task() == Task::kFairness && metric().better == Better::kNeither) {
        best = metric().name == "fpr" ? 0 : metric().name == "tpr" ? 1 : .5;
      }
      EXPECT_NEAR(e.value.value, best, 1e-12) << metric().name << " " << e.part;
    }
  }
}

TEST_P(Conformance, ADummyHasTheBaseline) {
  const Task task = metric().task();
  if (task == Task::kText || task == Task::kDetection || task == Task::kSegmentation || task == Task::kFairness) return;
  if (task == Task::kRegression) {
    // The best constant of each loss.
    std::vector<double> labels;
    for (std::size_t i = 0; i < 110; ++i) labels.push_back(label_of(i));
    std::sort(labels.begin(), labels.end());
    double mean = 0, log_mean = 0;
    for (const double y : labels) mean += y / 110, log_mean += std::log1p(y) / 110;
    const std::map<std::string_view, double> constants = {{"me", mean},
                                                          {"mse", mean},
                                                          {"rmse", mean},
                                                          {"r2", mean},
                                                          {"mape", 1},
                                                          {"rmsle", std::expm1(log_mean)},
                                                          {"pinball_10", labels[11]},
                                                          {"pinball_90", labels[99]},
                                                          {"max_error", (labels.front() + labels.back()) / 2}};
    const double constant =
        constants.contains(metric().name) ? constants.at(metric().name) : (labels[54] + labels[55]) / 2;
    const auto entries = mine(regression(Model::kDummy, constant).all());
    EXPECT_NEAR(entries.at(0).value.value, entries.at(0).value.baseline, 1e-10);
    return;
  }
  const auto sets_of_dummy = sets(Model::kDummy);
  // What is counted at the threshold is a matter of predictions, the rest of scores.
  const std::set<std::string_view> names_of_scores = {"roc_auc", "pr_auc", "log_loss", "brier",         "ece",
                                                      "ks",      "gini",   "lift_10",  "top_k_accuracy"};
  const bool of_scores = names_of_scores.contains(metric().name) || metric().name.starts_with("roc_auc");
  const auto entries = mine(sets_of_dummy[of_scores || sets_of_dummy.size() == 1 ? 0 : 1].all());
  ASSERT_FALSE(entries.empty());
  for (const Entry& e : entries) EXPECT_NEAR(e.value.value, e.value.baseline, 1e-12) << e.part;
}

std::string name_of(const ::testing::TestParamInfo<const Metric*>& info) {
  const Metric& m = *info.param;
  return std::string(to_string(m.task())) + "_" + std::string(m.name) +
         (m.key().empty() ? "" : "_per_" + std::string(m.key()));
}

INSTANTIATE_TEST_SUITE_P(Metrics, Conformance, ::testing::ValuesIn(metrics().begin(), metrics().end()), name_of);

class Bytes : public ::testing::TestWithParam<Task> {};

TEST_P(Bytes, TornOrAlteredOnesDoNoHarm) {
  for (const Rows& rows : data(GetParam(), Model::kUseful)) {
    const std::string bytes = rows.bytes();
    EXPECT_TRUE(rows.readable(bytes));
    const std::size_t step = 1 + bytes.size() / 500;
    for (std::size_t cut = 0; cut < bytes.size(); cut += step) {
      EXPECT_FALSE(rows.readable(std::string_view(bytes).substr(0, cut))) << cut << " of " << bytes.size();
    }
    for (std::size_t i = 0; i < bytes.size(); i += step) {
      std::string altered = bytes;
      altered[i] = static_cast<char>(altered[i] ^ (1 << i % 8));
      rows.readable(altered);  // may or may not be: a count of its own is not wrong
    }
  }
}

std::string task_name(const ::testing::TestParamInfo<Task>& info) {
  return std::string(to_string(info.param));
}

INSTANTIATE_TEST_SUITE_P(Tasks, Bytes,
                         ::testing::Values(Task::kBinary, Task::kMulticlass, Task::kRegression, Task::kRanking,
                                           Task::kText, Task::kDetection, Task::kSegmentation, Task::kFairness),
                         task_name);

TEST(Registry, HasEveryNameOfTheContract) {
  const std::map<Task, std::string> names = {
      {Task::kBinary,
       "accuracy balanced_accuracy precision recall specificity f1 f_beta mcc kappa roc_auc pr_auc log_loss brier ece "
       "ks "
       "gini lift_10 selection_rate business_value"},
      {Task::kMulticlass,
       "accuracy balanced_accuracy kappa mcc log_loss brier ece top_k_accuracy precision_macro precision_micro "
       "precision_weighted recall_macro recall_micro recall_weighted f1_macro f1_micro f1_weighted roc_auc_macro "
       "roc_auc_micro roc_auc_weighted precision recall f1 roc_auc"},
      {Task::kRegression, "me mae mape smape mse rmse rmsle r2 max_error medae pinball_10 pinball_50 pinball_90"},
      {Task::kRanking, "precision_at_k recall_at_k map_at_k mrr ndcg_at_k hit_rate_at_k"},
      {Task::kText, "bleu chrf rouge_1 rouge_2 rouge_l wer exact_match token_f1 perplexity"},
      {Task::kDetection, "map_50 map_50_95 precision_at_iou recall_at_iou mean_iou"},
      {Task::kSegmentation, "iou dice"},
      {Task::kFairness,
       "selection_rate tpr fpr selection_rate_difference selection_rate_ratio tpr_difference tpr_ratio fpr_difference "
       "fpr_ratio"}};
  std::size_t found = 0;
  for (const auto& [task, list] : names) {
    for (std::size_t from = 0, to = 0; from < list.size(); from = to + 1) {
      to = std::min(list.find(' ', from), list.size());
      EXPECT_NE(find_metric(task, list.substr(from, to - from)), nullptr) << list.substr(from, to - from);
      ++found;
    }
  }
  EXPECT_EQ(metrics().size(), found + 2) << "iou and dice stand twice: whole and by class";
  EXPECT_EQ(find_metric(Task::kText, "accuracy"), nullptr);
}

}  // namespace
}  // namespace vigie::metric
