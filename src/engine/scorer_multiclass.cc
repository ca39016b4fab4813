// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "engine/class_names_internal.h"
#include "engine/scorer_group_internal.h"
#include "metric/multiclass.h"

namespace vigie::engine {
namespace {

using metric::MulticlassState;

constexpr std::uint32_t kTop = 2;

/// Names of the classes, in the order of the score columns where there are such.
struct Classes {
  std::vector<std::string> names;
  std::string how;  ///< by what score columns were given their classes
};

class MulticlassScorer : public Scorer {
 public:
  MulticlassScorer(const ScoreOptions& options, std::string source, Classes classes, std::vector<Wanted> wanted)
      : options_(options),
        source_(std::move(source)),
        how_(std::move(classes.how)),
        index_(std::move(classes.names)),
        wanted_(std::move(wanted)) {}

  const std::vector<Wanted>& wanted() const override { return wanted_; }

  Status read(std::span<const table::Column> columns, std::size_t) override {
    VIGIE_TRY(read_classes(columns[0], labels_, "--label"));
    scores_.clear();
    for (const auto& column : columns.subspan(1, options_.scores.size())) scores_.push_back(column.numbers);
    return by_prediction() ? read_classes(columns.back(), predictions_, "--prediction") : Status();
  }

  std::unique_ptr<GroupState> make(std::size_t limit) const override {
    return std::make_unique<Group<MulticlassState>>(
        MulticlassState({.classes = index_.names(), .top_k = kTop, .limit = limit}),
        [](MulticlassState& state, Finished& out, bool) {
          const auto summary = state.summarize();
          out.entries = metric::evaluate(summary);
          out.confusion = Confusion{summary.parts, summary.matrix};
        });
  }

  void update(GroupState& group, const RowSet& rows) const override {
    auto& state = state_of<MulticlassState>(group);
    std::vector<std::uint32_t> labels, predictions;
    if (options_.scores.empty())
      return state.update_predictions(take(predictions_, rows, predictions), take(labels_, rows, labels));
    std::vector<std::vector<double>> buffers(scores_.size());
    std::vector<std::span<const double>> scores;
    for (std::size_t c = 0; c < scores_.size(); ++c) scores.push_back(take(scores_[c], rows, buffers[c]));
    std::span<const std::uint32_t> predicted;
    if (by_prediction()) predicted = take(predictions_, rows, predictions);
    state.update(scores, take(labels_, rows, labels), predicted);
  }

  void describe(Scorecard& card) const override {
    card.options.emplace_back("classes", index_.names());
    if (by_prediction()) card.options.emplace_back("prediction", options_.prediction);
    card.options.emplace_back("top_k", static_cast<double>(kTop));
    if (!how_.empty()) card.notes.push_back(how_);
  }

 private:
  bool by_prediction() const { return !options_.prediction.empty(); }

  Status read_classes(const table::Column& column, std::vector<std::uint32_t>& out, std::string_view option) {
    std::string unknown;
    index_.codes(column, out, unknown);
    if (unknown.empty()) return {};
    return fail(Code::kUsage, fmt::format("{}: {} in {} has no score column; --score takes one a class, here {}",
                                          option, vigie::quoted(unknown), source_, fmt::join(options_.scores, ",")));
  }

  ScoreOptions options_;
  std::string source_, how_;
  ClassIndex index_;
  std::vector<Wanted> wanted_;
  std::vector<std::uint32_t> labels_, predictions_;
  std::vector<std::span<const double>> scores_;
};

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c));
}

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c));
}

/// Whether a column is named after a class: "cat", "p_cat", "score.cat", "p3" after 3.
bool named_after(const std::string& column, const std::string& name) {
  if (column == name) return true;
  if (name.empty() || column.size() <= name.size() || !column.ends_with(name)) return false;
  const char before = column[column.size() - name.size() - 1];
  return !is_word(before) || is_digit(before) != is_digit(name[0]);
}

/// The classes of score columns: by the columns' names where every label has one, else by the order of the labels.
Result<Classes> classes_of(const ScoreOptions& options, const std::vector<std::string>& labels,
                           const std::string& source) {
  const auto& columns = options.scores;
  if (labels.empty()) return Classes{columns, "score columns name the classes, for no label has come yet"};
  std::vector<std::string> names(columns.size());
  bool all = true;
  std::size_t before = std::string::npos;  // characters in front of a class's name
  for (const auto& label : labels) {
    // Of "a" and "b_a" the column p_b_a is of the latter: where it is a label, it is taken first.
    std::size_t best = columns.size();
    for (std::size_t c = 0; c < columns.size(); ++c)
      if (named_after(columns[c], label) && label.size() > names[c].size() &&
          (best == columns.size() || columns[c].size() < columns[best].size()))
        best = c;
    all = all && best < columns.size();
    if (best == columns.size()) continue;
    names[best] = label;
    before = columns[best].size() - label.size();
  }
  for (const auto& label : labels) all = all && std::find(names.begin(), names.end(), label) != names.end();
  if (all) {
    for (std::size_t c = 0; c < columns.size(); ++c)
      if (names[c].empty()) names[c] = columns[c].substr(std::min(before, columns[c].size() - 1));
    return Classes{names, "score columns are of the classes that they are named after"};
  }
  if (columns.size() == labels.size())
    return Classes{labels, fmt::format("score columns are of the classes in their order: {}", fmt::join(labels, ", "))};
  return fail(Code::kUsage,
              fmt::format("--score: {} columns for the {} classes of column {} of {} ({}): one a class, named after it",
                          columns.size(), labels.size(), vigie::quoted(options.label), source,
                          fmt::join(std::span(labels).first(std::min<std::size_t>(labels.size(), 5)), ", ")));
}

}  // namespace

Result<std::unique_ptr<Scorer>> make_multiclass_scorer(table::Input& data, ScoreOptions& options, bool text) {
  std::vector<std::string> columns = {options.label};
  const bool by_prediction = !options.prediction.empty();
  if (by_prediction) columns.push_back(options.prediction);
  VIGIE_ASSIGN(auto met, find_classes(data, columns, options.classes.empty() ? kMostClasses + 1 : 0, text));
  auto values = options.classes.empty() ? met[0].values : options.classes;
  Classes classes;
  std::vector<Scorer::Wanted> wanted = {{options.label, met[0].type, true}};
  if (options.scores.empty()) {
    if (options.classes.empty()) add_classes(values, met[1].values);
    sort_classes(values);
    classes.names = std::move(values);
  } else {
    for (const auto& s : options.scores) wanted.push_back({s, table::Type::kFloat});
    VIGIE_ASSIGN(classes, classes_of(options, values, data.name()));
  }
  if (by_prediction) wanted.push_back({options.prediction, met[1].type, true});
  if (classes.names.empty())
    return fail(Code::kInput, fmt::format("{}: neither column {} nor column {} has a value", data.name(),
                                          vigie::quoted(options.label), vigie::quoted(options.prediction)));
  if (classes.names.size() < 2)
    return fail(Code::kUsage, fmt::format("--label: column {} of {} has one value, {}, and so has the prediction",
                                          vigie::quoted(options.label), data.name(), vigie::quoted(classes.names[0])));
  options.classes = classes.names;
  return std::unique_ptr<Scorer>(new MulticlassScorer(options, data.name(), std::move(classes), std::move(wanted)));
}

}  // namespace vigie::engine
