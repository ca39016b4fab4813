// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/hash.h"
#include "base/text.h"
#include "engine/class_names_internal.h"
#include "engine/scorer_group_internal.h"
#include "metric/segmentation.h"

namespace vigie::engine {
namespace {

using metric::SegmentationState;
using table::Type;

struct Pixels {
  SegmentationState state;
  RowCounts rows_;
  void save(ByteWriter& out) const { state.save(out); }
  Status merge(const Pixels& other) {
    rows_ += other.rows_;
    return state.merge(other.state);
  }
};

/// A row is a pixel, or, where the columns hold lists, an image.
class SegmentationScorer : public Scorer {
 public:
  SegmentationScorer(const ScoreOptions& options, std::string source, std::vector<std::string> classes,
                     std::vector<Wanted> wanted)
      : options_(options), source_(std::move(source)), classes_(std::move(classes)), wanted_(std::move(wanted)) {}

  const std::vector<Wanted>& wanted() const override { return wanted_; }

  Status read(std::span<const table::Column> columns, std::size_t rows) override {
    std::string unknown;
    classes_.codes(columns[0], truth_, unknown);
    classes_.codes(columns[1], predicted_, unknown);
    lists_ = columns[0].type == Type::kList;
    offsets_ = columns[0].offsets;
    missing_[0] = columns[0].missing, missing_[1] = columns[1].missing;
    for (std::size_t i = 0; lists_ && i < rows; ++i) {
      const auto length = [&](const table::Column& c) { return c.offsets[i + 1] - c.offsets[i]; };
      // Of an image without a prediction the pixels have none.
      if (is_missing(0, i) || is_missing(1, i)) continue;
      if (length(columns[0]) != length(columns[1]))
        return fail(Code::kInput,
                    fmt::format("{}: row {}: {} has {} pixels and {} has {}", source_, first_ + i, options_.label,
                                length(columns[0]), options_.prediction, length(columns[1])));
    }
    starts_ = columns[1].offsets;
    images_.resize(rows);
    for (std::size_t i = 0; i < rows; ++i) images_[i] = lists_ ? mix64(first_ + i) : 0;
    if (columns.size() > 2) {
      for (std::size_t i = 0; i < rows; ++i)
        images_[i] =
            columns[2].codes[i] < 0 ? 0 : hash64(columns[2].dictionary[static_cast<std::size_t>(columns[2].codes[i])]);
    }
    first_ += rows;
    return {};
  }

  std::unique_ptr<GroupState> make(std::size_t) const override {
    return std::make_unique<Group<Pixels>>(Pixels{SegmentationState(classes_.names()), {}},
                                           [](Pixels& pixels, Finished& out, bool) {
                                             out.entries = metric::evaluate(pixels.state.summarize());
                                             out.rows = pixels.rows_;
                                           });
  }

  void update(GroupState& group, const RowSet& rows) const override {
    auto& pixels = state_of<Pixels>(group);
    std::vector<std::uint32_t> truth, predicted;
    std::uint64_t image = 0;
    const auto flush = [&] {
      if (!truth.empty()) pixels.state.update(image, truth, predicted);
      truth.clear(), predicted.clear();
    };
    for (std::size_t n = 0; n < rows.size(); ++n) {
      const std::size_t i = rows.whole() ? rows.begin + n : rows.picked[n];
      if (images_[i] != image) flush();
      image = images_[i];
      ++pixels.rows_.rows;
      const auto begin = static_cast<std::size_t>(lists_ ? offsets_[i] : static_cast<std::int64_t>(i));
      const auto other = static_cast<std::size_t>(lists_ ? starts_[i] : static_cast<std::int64_t>(i));
      const auto length = lists_ ? static_cast<std::size_t>(offsets_[i + 1]) - begin : 1;
      if (lists_ ? is_missing(0, i) : truth_[i] == ClassIndex::kMissing) {
        ++pixels.rows_.unlabelled;
      } else if (lists_ ? is_missing(1, i) : predicted_[i] == ClassIndex::kMissing) {
        ++pixels.rows_.unscored;
      } else {
        ++pixels.rows_.labelled;
        truth.insert(truth.end(), truth_.begin() + static_cast<std::ptrdiff_t>(begin),
                     truth_.begin() + static_cast<std::ptrdiff_t>(begin + length));
        predicted.insert(predicted.end(), predicted_.begin() + static_cast<std::ptrdiff_t>(other),
                         predicted_.begin() + static_cast<std::ptrdiff_t>(other + length));
      }
    }
    flush();
  }

  void describe(Scorecard& card) const override {
    card.options.emplace_back("classes", classes_.names());
    card.unit = lists_ ? "image" : "pixel";
  }

 private:
  bool is_missing(std::size_t side, std::size_t row) const {
    return !missing_[side].empty() && missing_[side][row] != 0;
  }

  ScoreOptions options_;
  std::string source_;
  ClassIndex classes_;
  std::vector<Wanted> wanted_;
  bool lists_ = false;
  std::uint64_t first_ = 1;
  std::vector<std::uint32_t> truth_, predicted_;
  std::span<const std::int64_t> offsets_, starts_;
  std::span<const std::uint8_t> missing_[2];
  std::vector<std::uint64_t> images_;
};

}  // namespace

Result<std::unique_ptr<Scorer>> make_segmentation_scorer(table::Input& data, ScoreOptions& options, bool text) {
  VIGIE_ASSIGN(auto met, find_classes(data, {options.label, options.prediction},
                                      options.classes.empty() ? kMostClasses + 1 : 0, text));
  if ((met[0].type == Type::kList) != (met[1].type == Type::kList))
    return fail(Code::kInput, fmt::format("{}: one of {} and {} is a list of pixels, the other is not", data.name(),
                                          vigie::quoted(options.label), vigie::quoted(options.prediction)));
  for (const auto& column : met)
    for (const auto& value : column.values)
      if (value.starts_with('[') && value.ends_with(']'))
        return fail(Code::kUsage, fmt::format("{}: column {} of {} holds {}, and a list of pixels is one of numbers",
                                              column.name == options.label ? "--label" : "--prediction",
                                              vigie::quoted(column.name), data.name(), vigie::quoted(value)));
  auto names = options.classes;
  if (names.empty()) {
    names = met[0].values;
    add_classes(names, met[1].values);
  }
  options.classes = names;
  std::vector<Scorer::Wanted> wanted = {{options.label, met[0].type, met[0].type != Type::kList},
                                        {options.prediction, met[1].type, met[1].type != Type::kList}};
  if (!options.group.empty()) wanted.push_back({options.group, Type::kString});
  return std::unique_ptr<Scorer>(new SegmentationScorer(options, data.name(), std::move(names), std::move(wanted)));
}

}  // namespace vigie::engine
