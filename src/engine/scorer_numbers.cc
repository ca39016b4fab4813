// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <limits>

#include "base/hash.h"
#include "base/text.h"
#include "engine/scorer_group_internal.h"
#include "metric/curves.h"
#include "metric/ranking.h"
#include "metric/regression.h"

namespace vigie::engine {
namespace {

using metric::RankingState;
using metric::RegressionState;

class RegressionScorer : public Scorer {
 public:
  explicit RegressionScorer(const ScoreOptions& options)
      : wanted_{{options.label, table::Type::kFloat},
                {options.prediction.empty() ? options.scores[0] : options.prediction, table::Type::kFloat}} {}

  const std::vector<Wanted>& wanted() const override { return wanted_; }
  Status read(std::span<const table::Column> columns, std::size_t) override {
    labels_ = columns[0].numbers, predictions_ = columns[1].numbers;
    return {};
  }
  std::unique_ptr<GroupState> make(std::size_t limit) const override {
    return std::make_unique<Group<RegressionState>>(RegressionState(limit),
                                                    [](RegressionState& state, Finished& out, bool pictures) {
                                                      out.entries = metric::evaluate(state.summarize());
                                                      if (pictures)
                                                        out.pictures.residuals = metric::residual_curve(state);
                                                    });
  }
  void update(GroupState& group, const RowSet& rows) const override {
    std::vector<double> predictions, labels;
    state_of<RegressionState>(group).update(take(predictions_, rows, predictions), take(labels_, rows, labels));
  }

 private:
  std::vector<Wanted> wanted_;
  std::span<const double> labels_, predictions_;
};

class RankingScorer : public Scorer {
 public:
  explicit RankingScorer(const ScoreOptions& options)
      : ks_(options.ks),
        wanted_{{options.label, table::Type::kFloat},
                {options.scores.empty() ? options.prediction : options.scores[0], table::Type::kFloat},
                {options.group, table::Type::kString}} {}

  const std::vector<Wanted>& wanted() const override { return wanted_; }
  Status read(std::span<const table::Column> columns, std::size_t rows) override {
    relevance_ = columns[0].numbers;
    scores_.assign(columns[1].numbers.begin(), columns[1].numbers.end());
    std::vector<std::uint64_t> hashes;
    for (const auto name : columns[2].dictionary) hashes.push_back(hash64(name));
    lists_.resize(rows);
    for (std::size_t i = 0; i < rows; ++i) {
      const auto code = columns[2].codes[i];
      if (code < 0)
        scores_[i] = std::numeric_limits<double>::quiet_NaN();  // an item of no list is not scored
      else
        lists_[i] = hashes[static_cast<std::size_t>(code)];
    }
    return {};
  }
  std::unique_ptr<GroupState> make(std::size_t) const override {
    return std::make_unique<Group<RankingState>>(RankingState(ks_), [](RankingState& state, Finished& out, bool) {
      const auto summary = state.summarize();
      out.entries = metric::evaluate(summary);
      out.rows.without_relevant = summary.without_relevant;
    });
  }
  void describe(Scorecard& card) const override {
    if (const auto lists = card.all().rows.without_relevant.value_or(0); lists > 0)
      card.notes.push_back(fmt::format("{}: {} without a relevant item, which no order can serve, {} left out",
                                       card.source, plural(lists, "list"), lists == 1 ? "is" : "are"));
  }
  void update(GroupState& group, const RowSet& rows) const override {
    std::vector<std::uint64_t> lists;
    std::vector<double> scores, relevance;
    state_of<RankingState>(group).update(take(lists_, rows, lists), take(scores_, rows, scores),
                                         take(relevance_, rows, relevance));
  }

 private:
  std::vector<std::uint32_t> ks_;
  std::vector<Wanted> wanted_;
  std::vector<std::uint64_t> lists_;
  std::vector<double> scores_;
  std::span<const double> relevance_;
};

}  // namespace

std::unique_ptr<Scorer> make_regression_scorer(const ScoreOptions& options) {
  return std::make_unique<RegressionScorer>(options);
}

std::unique_ptr<Scorer> make_ranking_scorer(const ScoreOptions& options) {
  return std::make_unique<RankingScorer>(options);
}

}  // namespace vigie::engine
