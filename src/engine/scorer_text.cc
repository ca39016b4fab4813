// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <tuple>

#include "base/text.h"
#include "engine/scorer_group_internal.h"
#include "engine/tally.h"
#include "metric/text.h"

namespace vigie::engine {
namespace {

using metric::TextState;
using table::Type;

/// NaN for what is no logarithm of a probability.
double logarithm(double value) {
  return value <= 0 ? value : std::nan("");
}

/// Sum and number of the logarithms in a text such as "[-0.1, -2]"; what is none makes the sum NaN.
std::pair<double, std::int64_t> sum_of(std::string_view text) {
  double sum = 0;
  std::int64_t count = 0;
  constexpr std::string_view kBetween = " ,;|[]()\t";
  for (std::size_t at = 0; (at = text.find_first_not_of(kBetween, at)) != std::string_view::npos; ++count) {
    const auto end = std::min(text.find_first_of(kBetween, at), text.size());
    double value = std::nan("");
    const auto [stop, error] = std::from_chars(text.data() + at, text.data() + end, value);
    sum += error == std::errc() && stop == text.data() + end ? logarithm(value) : std::nan("");
    at = end;
  }
  return {sum, count};
}

class TextScorer : public Scorer {
 public:
  TextScorer(const std::vector<std::string>& metrics, std::string source, std::vector<Wanted> wanted)
      : wanted_(std::move(wanted)), source_(std::move(source)), parts_(parts_of(metrics)) {}

  const std::vector<Wanted>& wanted() const override { return wanted_; }

  Status read(std::span<const table::Column> columns, std::size_t rows) override {
    read_texts(columns[0], references_);
    read_texts(columns[1], hypotheses_);
    if (columns.size() < 3) return {};
    const auto& tokens = columns[2];
    sums_.assign(rows, std::nan("")), counts_.assign(rows, 0);
    std::vector<std::pair<double, std::int64_t>> of_text;
    for (const auto text : tokens.dictionary) of_text.push_back(sum_of(text));
    for (std::size_t i = 0; i < rows; ++i) {
      if (tokens.type == Type::kString) {
        if (tokens.codes[i] >= 0) std::tie(sums_[i], counts_[i]) = of_text[static_cast<std::size_t>(tokens.codes[i])];
      } else if (tokens.type == Type::kList) {
        sums_[i] = 0, counts_[i] = tokens.offsets[i + 1] - tokens.offsets[i];
        for (auto v = tokens.offsets[i]; v < tokens.offsets[i + 1]; ++v)
          sums_[i] += logarithm(tokens.values[static_cast<std::size_t>(v)]);
      } else {
        sums_[i] = logarithm(tokens.numbers[i]), counts_[i] = 1;
      }
      if (counts_[i] > 0) ++(std::isfinite(sums_[i]) ? usable_ : unusable_);
    }
    return {};
  }

  Status check() const override {
    if (usable_ > 0 || unusable_ == 0) return {};
    return fail(Code::kUsage,
                fmt::format("--token-logprob: column {} of {} holds no logarithms of probabilities, as \"-0.1 -2.3\"",
                            vigie::quoted(wanted_[2].column), source_));
  }
  void describe(Scorecard& card) const override {
    if (unusable_ > 0)
      card.notes.push_back(fmt::format("{}: {} of column {} are no logarithms of probabilities and do not count",
                                       source_, plural(unusable_, "cell"), vigie::quoted(wanted_[2].column)));
  }

  std::unique_ptr<GroupState> make(std::size_t) const override {
    return std::make_unique<Group<TextState>>(TextState(parts_), [](TextState& state, Finished& out, bool) {
      out.entries = metric::evaluate(state.summarize());
    });
  }

  void update(GroupState& group, const RowSet& rows) const override {
    auto& state = state_of<TextState>(group);
    std::vector<std::string_view> hypotheses, references;
    state.update(take(hypotheses_, rows, hypotheses), take(references_, rows, references));
    if (wanted_.size() < 3) return;
    std::vector<double> sums;
    std::vector<std::int64_t> counts;
    state.update_log_probabilities(take(sums_, rows, sums), take(counts_, rows, counts));
  }

 private:
  static void read_texts(const table::Column& column, std::vector<std::string_view>& out) {
    out.resize(column.codes.size());
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = column.codes[i] < 0 ? std::string_view() : column.dictionary[static_cast<std::size_t>(column.codes[i])];
  }

  /// What the metrics asked for need; all metrics, where none is named.
  static metric::TextParts parts_of(const std::vector<std::string>& metrics) {
    const auto any = [&](std::initializer_list<std::string_view> of) {
      return metrics.empty() || std::any_of(metrics.begin(), metrics.end(), [&](const auto& name) {
               return std::find(of.begin(), of.end(), name) != of.end();
             });
    };
    return {.bleu = any({"bleu"}),
            .chrf = any({"chrf"}),
            .wer = any({"wer"}),
            .rouge = any({"rouge_1", "rouge_2", "rouge_l"}),
            .answers = any({"exact_match", "token_f1"})};
  }

  std::vector<Wanted> wanted_;
  std::string source_;
  metric::TextParts parts_;
  std::int64_t usable_ = 0, unusable_ = 0;  // cells with logarithms, and with other things
  std::vector<std::string_view> references_, hypotheses_;
  std::vector<double> sums_;
  std::vector<std::int64_t> counts_;
};

}  // namespace

Result<std::unique_ptr<Scorer>> make_text_scorer(table::Input& data, const ScoreOptions& options) {
  std::vector<Scorer::Wanted> wanted = {{options.label, Type::kString}, {options.prediction, Type::kString}};
  if (!options.token_logprob.empty()) {
    VIGIE_ASSIGN(auto guess, data.open());
    const auto type = guess->schema()[find_column(guess->schema(), options.token_logprob)].type;
    wanted.push_back({options.token_logprob,
                      type == Type::kList || type == Type::kInteger || type == Type::kFloat ? type : Type::kString});
    if (wanted.back().type == Type::kInteger) wanted.back().type = Type::kFloat;
  }
  return std::unique_ptr<Scorer>(new TextScorer(options.metrics, data.name(), std::move(wanted)));
}

}  // namespace vigie::engine
