// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <utility>

#include "metric/counts_internal.h"
#include "metric/segmentation.h"

namespace vigie::metric {
namespace {

/// Numerator and denominator of both scores.
std::pair<double, double> parts_of(const Area& a, bool dice) {
  const auto shared = static_cast<double>(a.shared), both = static_cast<double>(a.truth + a.predicted);
  return dice ? std::pair(2 * shared, both) : std::pair(shared, both - shared);
}

}  // namespace

void SegmentationState::update(std::uint64_t image, std::span<const std::uint32_t> truth,
                               std::span<const std::uint32_t> predicted) {
  std::vector<Area> areas(classes_.size());
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] >= areas.size()) {
      ++unlabelled_;
      continue;
    }
    ++areas[truth[i]].truth;
    areas[truth[i]].shared += truth[i] == predicted[i];
    if (predicted[i] < areas.size()) ++areas[predicted[i]].predicted;
  }
  images_[image];
  for (std::uint32_t c = 0; c < areas.size(); ++c) {
    if (areas[c].truth + areas[c].predicted) update(image, c, areas[c]);
  }
}

void SegmentationState::update(std::uint64_t image, std::uint32_t of_class, const Area& area) {
  if (of_class >= classes_.size()) return;
  Area& mine = images_[image][of_class];
  mine.shared += area.shared;
  mine.truth += area.truth;
  mine.predicted += area.predicted;
}

Status SegmentationState::move_to(std::vector<std::string> classes, std::span<const std::uint32_t> place) {
  if (!apart(place, classes_.size(), classes.size())) return fail(Code::kInput, "states of different classes");
  classes_ = std::move(classes);
  for (auto& [image, areas] : images_) {
    std::map<std::uint32_t, Area> moved;
    for (const auto& [of_class, area] : areas) moved.emplace(place[of_class], area);
    areas = std::move(moved);
  }
  return {};
}

Status SegmentationState::merge(const SegmentationState& other) {
  if (classes_ != other.classes_) return fail(Code::kInput, "states of different classes");
  if (&other == this) return merge(SegmentationState(other));
  unlabelled_ += other.unlabelled_;
  for (const auto& [image, areas] : other.images_) {
    images_[image];
    for (const auto& [of_class, area] : areas) update(image, of_class, area);
  }
  return {};
}

void SegmentationState::save(ByteWriter& out) const {
  out.varint(classes_.size());
  for (const std::string& name : classes_) out.string(name);
  out.varint(static_cast<std::uint64_t>(unlabelled_));
  out.varint(images_.size());
  for (const auto& [image, areas] : images_) {
    out.fixed(image);
    out.varint(areas.size());
    for (const auto& [of_class, area] : areas) {
      out.varint(of_class);
      for (const std::int64_t n : {area.shared, area.truth, area.predicted}) out.varint(static_cast<std::uint64_t>(n));
    }
  }
}

Result<SegmentationState> SegmentationState::load(ByteReader& in) {
  SegmentationState state;
  state.classes_.resize(in.count(1));
  for (std::string& name : state.classes_) name = in.string();
  CountReader read(in);
  state.unlabelled_ = read();
  bool good = true;
  for (std::uint64_t images = in.count(9); images > 0 && good; --images) {
    auto& areas = state.images_[in.fixed<std::uint64_t>()];
    for (std::uint64_t classes = in.count(4); classes > 0 && good; --classes) {
      const std::uint64_t of_class = in.varint();
      Area area;
      for (std::int64_t* n : {&area.shared, &area.truth, &area.predicted}) {
        *n = read();
      }
      good = good && in.ok() && of_class < state.classes_.size() &&
             area.shared <= std::min(area.truth, area.predicted) &&
             areas.emplace(static_cast<std::uint32_t>(of_class), area).second;
    }
  }
  if (!good || !in.ok()) return fail(Code::kCorrupt, "a segmentation state is damaged");
  return state;
}

SegmentationSummary SegmentationState::summarize() const {
  SegmentationSummary out;
  out.parts = classes_;
  out.images = static_cast<std::int64_t>(images_.size());
  std::vector<Area> whole(classes_.size());
  for (const auto& [image, areas] : images_) {
    for (const auto& [c, area] : areas) {
      whole[c].shared += area.shared;
      whole[c].truth += area.truth;
      whole[c].predicted += area.predicted;
    }
  }
  const double few = out.images > 1 ? static_cast<double>(out.images) / static_cast<double>(out.images - 1) : 0;
  for (const bool dice : {false, true}) {
    std::vector<SegmentationSummary::Score>& scores = dice ? out.dice : out.iou;
    SegmentationSummary::Score& mean = dice ? out.mean_dice : out.mean_iou;
    scores.resize(classes_.size());
    double sum = 0, occurring = 0;
    for (std::size_t c = 0; c < classes_.size(); ++c) {
      const auto [numerator, denominator] = parts_of(whole[c], dice);
      if (denominator == 0) continue;
      scores[c].value = numerator / denominator;
      sum += scores[c].value;
      ++occurring;
    }
    if (occurring > 0) mean.value = sum / occurring;
    for (const auto& [image, areas] : images_) {
      double moved = 0;
      for (const auto& [c, area] : areas) {
        const auto [numerator, denominator] = parts_of(area, dice);
        if (std::isnan(scores[c].value)) continue;
        const double one = (numerator - scores[c].value * denominator) / parts_of(whole[c], dice).second;
        scores[c].variance += few * one * one;
        moved += one / occurring;
      }
      mean.variance += few * moved * moved;
    }
  }
  return out;
}

}  // namespace vigie::metric
