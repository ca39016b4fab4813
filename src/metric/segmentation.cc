// SPDX-License-Identifier: Apache-2.0
#include "metric/segmentation.h"

#include <cmath>

#include "metric/interval_internal.h"

namespace vigie::metric {
namespace {

Value of(const SegmentationSummary& s, const SegmentationSummary::Score& score) {
  if (s.images == 0) return none("no labelled images", 0);
  if (std::isnan(score.value)) return none("neither truth nor prediction has a pixel", s.images);
  const auto images = static_cast<double>(s.images);
  // Within-image likeness differs, so the images do not bound how well the value is known, unless no variance shows.
  const double most = score.variance > 0 ? kInfinity : images;
  return some(score.value, share_interval(score.value, score.variance, most), kNaN, s.images);
}

Value iou(const SegmentationSummary& s) {
  return of(s, s.mean_iou);
}

Value dice(const SegmentationSummary& s) {
  return of(s, s.mean_dice);
}

Value class_iou(const SegmentationSummary& s, std::size_t c) {
  return of(s, s.iou[c]);
}

Value class_dice(const SegmentationSummary& s, std::size_t c) {
  return of(s, s.dice[c]);
}

constexpr std::string_view kSource = "interval: delta method over images";

}  // namespace

constinit const Metric segmentation_iou{
    .name = "iou",
    .summary = "intersection over union of the pixels, mean over the classes that occur",
    .reference = kSource,
    .better = Better::kHigher,
    .least = 0,
    .most = 1,
    .run = iou};
constinit const Metric segmentation_dice{
    .name = "dice",
    .summary = "twice the intersection over the sum of both areas, mean over the classes that occur",
    .reference = kSource,
    .better = Better::kHigher,
    .least = 0,
    .most = 1,
    .run = dice};
constinit const Metric segmentation_class_iou{.name = "iou",
                                              .summary = "intersection over union of the pixels of the class",
                                              .reference = kSource,
                                              .better = Better::kHigher,
                                              .least = 0,
                                              .most = 1,
                                              .run = class_iou};
constinit const Metric segmentation_class_dice{
    .name = "dice",
    .summary = "twice the intersection over the sum of both areas of the class",
    .reference = kSource,
    .better = Better::kHigher,
    .least = 0,
    .most = 1,
    .run = class_dice};

}  // namespace vigie::metric
