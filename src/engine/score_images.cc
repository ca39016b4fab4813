// SPDX-License-Identifier: Apache-2.0
#include "engine/score_images.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/coco_input_internal.h"
#include "engine/roles.h"
#include "engine/scorer_group_internal.h"
#include "metric/detection.h"
#include "metric/segmentation.h"

namespace vigie::engine {
namespace {

using metric::DetectionState;
using metric::SegmentationState;
using metric::Task;
using table::CocoItem;
using table::CocoMask;

/// A state of images, which are counted beside it: of masks those without any leave no trace in it.
template <class State>
struct Images {
  State state;
  std::int64_t count = 0;
  void save(ByteWriter& out) { state.save(out); }
  Status merge(const Images& other) {
    count += other.count;
    return state.merge(other.state);
  }
};

template <class State>
class ImageScorer : public Scorer {
 public:
  ImageScorer(const CocoInput& input, ImageOptions options, ScoreOptions scoring, std::string truth)
      : input_(input), options_(options), scoring_(std::move(scoring)), truth_(std::move(truth)) {}

  const std::vector<Wanted>& wanted() const override { return wanted_; }
  Status read(std::span<const table::Column> columns, std::size_t) override {
    rows_ = columns[0].numbers;
    return {};
  }
  std::unique_ptr<GroupState> make(std::size_t) const override {
    return std::make_unique<Group<Images<State>>>(Images<State>{empty(), 0},
                                                  [](Images<State>& images, Finished& out, bool) {
                                                    out.entries = metric::evaluate(images.state.summarize());
                                                    out.rows = {images.count, images.count, 0, 0};
                                                  });
  }
  void update(GroupState& group, const RowSet& rows) const override {
    auto& images = state_of<Images<State>>(group);
    std::vector<double> buffer;
    for (const double row : take(rows_, rows, buffer)) {
      add(images.state, input_.images()[static_cast<std::size_t>(row)]);
      ++images.count;
    }
  }
  void describe(Scorecard& card) const override {
    card.unit = "image";
    card.options = {{"ground_truth", truth_}, {"min_score", scoring_.threshold}};
    if (scoring_.task == Task::kSegmentation) card.options.emplace_back("classes", input_.categories());
    if (options_.masks) card.options.emplace_back("overlap", std::string("masks"));
    card.rejected += input_.problems().rejected;
    card.problems.insert(card.problems.end(), input_.problems().messages.begin(), input_.problems().messages.end());
    card.notes.insert(card.notes.end(), input_.notes().begin(), input_.notes().end());
  }

 private:
  State empty() const;
  void add(State& state, const CocoInput::Image& image) const;

  const CocoInput& input_;
  ImageOptions options_;
  ScoreOptions scoring_;
  std::string truth_;
  std::vector<Wanted> wanted_ = {{CocoInput::kRow, table::Type::kFloat}};
  std::span<const double> rows_;
};

template <>
DetectionState ImageScorer<DetectionState>::empty() const {
  return DetectionState({.min_score = scoring_.threshold});
}

template <>
void ImageScorer<DetectionState>::add(DetectionState& state, const CocoInput::Image& image) const {
  const auto box_of = [](const CocoItem& item) {
    return metric::Box{item.box[0], item.box[1], item.box[2], item.box[3]};
  };
  std::vector<metric::Object> objects;
  std::vector<metric::Detection> found;
  for (const auto* t : image.truth) objects.push_back({input_.place(*t), box_of(*t), t->crowd});
  for (const auto* f : image.found) found.push_back({input_.place(*f), box_of(*f), f->score});
  const auto id = static_cast<std::uint64_t>(image.id);
  if (!options_.masks) return state.update(id, objects, found);
  state.update(id, objects, found, [&](std::size_t d, std::size_t o) {
    const auto &mine = image.found[d]->mask, &theirs = image.truth[o]->mask;
    const auto shared = shared_area(mine, theirs);
    if (shared == 0) return 0.;
    const auto all = image.truth[o]->crowd ? area(mine) : area(mine) + area(theirs) - shared;
    return static_cast<double>(shared) / static_cast<double>(all);
  });
}

template <>
SegmentationState ImageScorer<SegmentationState>::empty() const {
  return SegmentationState(input_.categories());
}

template <>
void ImageScorer<SegmentationState>::add(SegmentationState& state, const CocoInput::Image& image) const {
  std::map<std::uint32_t, std::pair<CocoMask, CocoMask>> masks;
  const auto join = [](CocoMask& into, const CocoMask& mask) { into = into.runs.empty() ? mask : united(into, mask); };
  for (const auto* t : image.truth) join(masks[input_.place(*t)].first, t->mask);
  for (const auto* f : image.found)
    if (f->score >= scoring_.threshold) join(masks[input_.place(*f)].second, f->mask);
  for (const auto& [category, both] : masks) {
    const metric::Area areas{shared_area(both.first, both.second), area(both.first), area(both.second)};
    if (areas.truth + areas.predicted > 0) state.update(static_cast<std::uint64_t>(image.id), category, areas);
  }
}

}  // namespace

Result<Scorecard> score_images(const ImageFiles& files, const std::optional<ImageFiles>& reference,
                               const ImageOptions& options, const ScoreOptions& scoring) {
  VIGIE_TRY(check_metrics(scoring.metrics, scoring.task, false));
  VIGIE_TRY(check_segments(scoring.segments));
  const bool detection = scoring.task == Task::kDetection, masks = options.masks || !detection;
  VIGIE_ASSIGN(const auto data, CocoInput::open(files, masks, options.strict));
  std::unique_ptr<CocoInput> healthy;
  if (reference) {
    VIGIE_ASSIGN(healthy, CocoInput::open(*reference, masks, options.strict));
  }
  VIGIE_TRY(check_columns(*data, scoring));
  if (healthy) VIGIE_TRY(check_columns(*healthy, scoring));
  const auto make = [&](table::Input& input, ScoreOptions& given, bool) -> Result<std::unique_ptr<Scorer>> {
    const auto& images = static_cast<const CocoInput&>(input);
    if (detection)
      return std::unique_ptr<Scorer>(new ImageScorer<DetectionState>(images, options, given, files.ground_truth));
    return std::unique_ptr<Scorer>(new ImageScorer<SegmentationState>(images, options, given, files.ground_truth));
  };
  return score_with(make, *data, {.rows = healthy.get(), .profile = nullptr, .name = {}}, scoring);
}

}  // namespace vigie::engine
