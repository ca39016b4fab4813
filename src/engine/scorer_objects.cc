// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/call.h"
#include "base/text.h"
#include "engine/class_names_internal.h"
#include "engine/scorer_group_internal.h"
#include "metric/detection.h"
#include "metric/segmentation.h"
#include "table/image_objects.h"
#include "table/text_at.h"

namespace vigie::engine {
namespace {

using metric::DetectionState;
using metric::SegmentationState;
using metric::Task;
using table::CocoMask;
using table::ImageObject;
using table::ObjectsOf;
using table::Type;

using Objects = std::optional<std::vector<ImageObject>>;  // nothing where the cell is missing

constexpr ObjectsOf kOf[] = {ObjectsOf::kLabel, ObjectsOf::kPrediction};

Result<Objects> objects_at(const table::Column& column, std::size_t row, ObjectsOf of, const std::string& source,
                           const std::string& name, std::uint64_t number) {
  const auto text = text_at(column, row);
  if (text.empty()) return Objects();
  auto objects = table::read_objects(text, of);
  if (!objects)
    return fail(Code::kInput,
                fmt::format("{}: row {}: column {}: {}", source, number, vigie::quoted(name), objects.error().message));
  return Objects(std::move(*objects));
}

/// A state of images, which are counted beside it. What it would be merged with has the same numbers for other images,
/// so that nothing is kept of it.
template <class State>
struct Images {
  State state;
  RowCounts counted;
  void save(ByteWriter&) const {}
  Status merge(const Images& other) {
    counted += other.counted;
    return state.merge(other.state);
  }
};

/// A row is an image, and a cell the list of its objects, as table::read_objects() reads it.
template <class State>
class ObjectScorer : public Scorer {
 public:
  ObjectScorer(const ScoreOptions& options, std::string source)
      : options_(options),
        source_(std::move(source)),
        wanted_{{options.label, Type::kString}, {options.prediction, Type::kString}} {
    for (const auto& name : options.classes) place_.emplace(name, static_cast<std::uint32_t>(place_.size()));
  }

  const std::vector<Wanted>& wanted() const override { return wanted_; }
  Status read(std::span<const table::Column> columns, std::size_t rows) override {
    first_ += truth_.size();
    truth_.clear(), found_.clear();
    for (std::size_t i = 0; i < rows; ++i) {
      VIGIE_ASSIGN(auto truth, objects_at(columns[0], i, kOf[0], source_, options_.label, first_ + i + 1));
      VIGIE_ASSIGN(auto found, objects_at(columns[1], i, kOf[1], source_, options_.prediction, first_ + i + 1));
      truth_.push_back(std::move(truth)), found_.push_back(std::move(found));
    }
    return {};
  }
  std::unique_ptr<GroupState> make(std::size_t) const override {
    return std::make_unique<Group<Images<State>>>(Images<State>{empty(), {}},
                                                  [](Images<State>& images, Finished& out, bool) {
                                                    out.entries = metric::evaluate(images.state.summarize());
                                                    out.rows = images.counted;
                                                  });
  }
  void update(GroupState& group, const RowSet& rows) const override {
    auto& images = state_of<Images<State>>(group);
    for (std::size_t n = 0; n < rows.size(); ++n) {
      const std::size_t i = rows.whole() ? rows.begin + n : rows.picked[n];
      ++images.counted.rows;
      if (!truth_[i]) {
        ++images.counted.unlabelled;
      } else if (!found_[i]) {
        ++images.counted.unscored;
      } else {
        ++images.counted.labelled;
        add(images.state, first_ + i, *truth_[i], *found_[i]);
      }
    }
  }
  void describe(Scorecard& card) const override {
    card.unit = "image";
    card.options.emplace_back("min_score", options_.threshold);
    if (options_.task == Task::kSegmentation) card.options.emplace_back("classes", options_.classes);
  }

 private:
  State empty() const;
  void add(State& state, std::uint64_t image, const std::vector<ImageObject>& truth,
           const std::vector<ImageObject>& found) const;
  std::uint32_t place(const ImageObject& object) const { return place_.find(object.category)->second; }

  ScoreOptions options_;
  std::string source_;
  std::vector<Wanted> wanted_;
  std::map<std::string, std::uint32_t, std::less<>> place_;  // of categories
  std::uint64_t first_ = 0;
  std::vector<Objects> truth_, found_;
};

template <>
DetectionState ObjectScorer<DetectionState>::empty() const {
  return DetectionState({.min_score = options_.threshold});
}

template <>
void ObjectScorer<DetectionState>::add(DetectionState& state, std::uint64_t image,
                                       const std::vector<ImageObject>& truth,
                                       const std::vector<ImageObject>& found) const {
  const auto box_of = [](const ImageObject& o) { return metric::Box{o.box[0], o.box[1], o.box[2], o.box[3]}; };
  std::vector<metric::Object> objects;
  std::vector<metric::Detection> detections;
  for (const auto& t : truth)
    if (t.has_box) objects.push_back({place(t), box_of(t), t.crowd});
  for (const auto& f : found)
    if (f.has_box) detections.push_back({place(f), box_of(f), f.score});
  state.update(image, objects, detections);
}

template <>
SegmentationState ObjectScorer<SegmentationState>::empty() const {
  return SegmentationState(options_.classes);
}

template <>
void ObjectScorer<SegmentationState>::add(SegmentationState& state, std::uint64_t image,
                                          const std::vector<ImageObject>& truth,
                                          const std::vector<ImageObject>& found) const {
  std::map<std::uint32_t, std::pair<CocoMask, CocoMask>> masks;
  std::pair<std::uint32_t, std::uint32_t> size;
  const auto join = [&](CocoMask& into, const CocoMask& mask) {
    const std::pair own(mask.height, mask.width);
    if (size.first == 0) size = own;
    if (size != own) return;  // masks of two sizes have no pixels in common
    into = into.runs.empty() ? mask : united(into, mask);
  };
  for (const auto& t : truth)
    if (!t.mask.runs.empty()) join(masks[place(t)].first, t.mask);
  for (const auto& f : found)
    if (!f.mask.runs.empty() && f.score >= options_.threshold) join(masks[place(f)].second, f.mask);
  for (const auto& [category, both] : masks) {
    const metric::Area areas{shared_area(both.first, both.second), area(both.first), area(both.second)};
    if (areas.truth + areas.predicted > 0) state.update(image, category, areas);
  }
}

/// Calls `see` with the columns of labels and predictions as text, each with its place, its row in the batch and that
/// in the data, from 1, until it says false.
template <class F>
Status each_batch(table::Input& data, const ScoreOptions& options, F see) {
  const table::Schema types{{options.label, Type::kString}, {options.prediction, Type::kString}};
  VIGIE_ASSIGN(auto reader, data.open(types));
  const std::size_t at[] = {find_column(reader->schema(), options.label),
                            find_column(reader->schema(), options.prediction)};
  for (const auto i : at)
    if (i == std::string::npos) return {};  // score_pass() says so
  for (std::uint64_t first = 0;;) {
    VIGIE_ASSIGN(auto batch, reader->next());
    if (!batch) return {};
    for (std::size_t c = 0; c < 2; ++c) {
      VIGIE_ASSIGN(const auto column, batch->column(at[c]));
      for (std::size_t i = 0; i < static_cast<std::size_t>(batch->rows()); ++i) {
        VIGIE_ASSIGN(const bool more, see(column, c, i, first + i + 1));
        if (!more) return {};
      }
    }
    first += static_cast<std::uint64_t>(batch->rows());
  }
}

}  // namespace

Result<bool> holds_objects(table::Input& data, const ScoreOptions& options) {
  if (options.task == Task::kDetection) return true;
  if (options.task != Task::kSegmentation || options.prediction.empty()) return false;
  bool out = false;
  VIGIE_TRY(each_batch(data, options,
                       [&](const table::Column& column, std::size_t, std::size_t i, std::uint64_t) -> Result<bool> {
                         const auto text = trim(text_at(column, i));
                         out = text == "[]" || (text.starts_with('[') && trim(text.substr(1)).starts_with('{'));
                         return text.empty() || text == "[]";
                       }));
  return out;
}

Result<std::unique_ptr<Scorer>> make_object_scorer(table::Input& data, ScoreOptions& options) {
  std::set<std::string> names;
  VIGIE_TRY(each_batch(
      data, options,
      [&](const table::Column& column, std::size_t c, std::size_t i, std::uint64_t number) -> Result<bool> {
        VIGIE_ASSIGN(const auto objects,
                     objects_at(column, i, kOf[c], data.name(), c == 0 ? options.label : options.prediction, number));
        for (const auto& object : objects ? *objects : std::vector<ImageObject>()) names.insert(object.category);
        return true;
      }));
  names.insert(options.classes.begin(), options.classes.end());
  options.classes.assign(names.begin(), names.end());
  sort_classes(options.classes);
  if (options.task == Task::kDetection)
    return std::unique_ptr<Scorer>(new ObjectScorer<DetectionState>(options, data.name()));
  return std::unique_ptr<Scorer>(new ObjectScorer<SegmentationState>(options, data.name()));
}

}  // namespace vigie::engine
