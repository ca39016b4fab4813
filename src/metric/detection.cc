// SPDX-License-Identifier: Apache-2.0
#include "metric/detection.h"

#include "metric/interval_internal.h"

namespace vigie::metric {
namespace {

Value average_precision(const DetectionSummary& s, double value, double variance) {
  if (s.objects == 0) return none(s.images ? "no image has an object" : "no labelled images", s.images);
  return some(value, share_interval(value, variance, static_cast<double>(s.images)), kNaN, s.images);
}

Value map_50(const DetectionSummary& s) {
  return average_precision(s, s.map_50, s.map_50_variance);
}

Value map_50_95(const DetectionSummary& s) {
  return average_precision(s, s.map, s.map_variance);
}

/// A ratio in 0..1 of sums over images; where no variance shows, as many boxes stand behind it.
Value boxes(const DetectionSummary& s, const Sums<2>& sums, std::string_view reason) {
  if (s.images == 0) return none("no labelled images", 0);
  if (sums.sum[1] == 0) return none(std::string(reason), s.images);
  const Ratio r = ratio(sums);
  return some(r.value, share_interval(r.value, r.variance, sums.sum[1]), kNaN, s.images);
}

Value precision_at_iou(const DetectionSummary& s) {
  return boxes(s, s.precision, "nothing was detected");
}

Value recall_at_iou(const DetectionSummary& s) {
  return boxes(s, s.recall, "no image has an object");
}

Value mean_iou(const DetectionSummary& s) {
  return boxes(s, s.iou, "no object was found");
}

constexpr Metric metric(std::string_view name, std::string_view summary, std::string_view reference,
                        Whole<DetectionSummary> run) {
  return {name, summary, reference, Better::kHigher, 0, 1, run};
}

constexpr std::string_view kCoco = "Lin et al. 2014 (COCO); interval: bootstrap of images",
                           kRatio = "interval: delta method over images";

}  // namespace

constinit const Metric detection_map_50 =
    metric("map_50", "mean over categories of the average precision at IoU 0.5", kCoco, map_50);
constinit const Metric detection_map_50_95 =
    metric("map_50_95", "the same, mean over IoU 0.5 to 0.95 in ten steps", kCoco, map_50_95);
constinit const Metric detection_precision_at_iou =
    metric("precision_at_iou", "share of the detections that score enough (default 0.5) that are an object (IoU 0.5)",
           kRatio, precision_at_iou);
constinit const Metric detection_recall_at_iou =
    metric("recall_at_iou", "share of objects that were detected so", kRatio, recall_at_iou);
constinit const Metric detection_mean_iou =
    metric("mean_iou", "mean intersection over union of the objects that were detected so", kRatio, mean_iou);

}  // namespace vigie::metric
