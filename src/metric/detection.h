// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "metric/metric.h"
#include "metric/sums.h"

namespace vigie::metric {

/// Left, top, width, height, in any unit, as in COCO.
struct Box {
  double x, y, width, height;
};
/// Intersection over union; over the area of `a` alone when `b` is a crowd. 0 where they do not meet.
double intersection_over_union(const Box& a, const Box& b, bool crowd = false);

struct Object {
  std::uint32_t category;
  Box box;
  bool crowd = false;  ///< a region of many: takes any number of detections, which then do not count
};
struct Detection {
  std::uint32_t category;
  Box box;
  double score;
};

struct DetectionOptions {
  double iou = .5;        ///< of precision_at_iou, recall_at_iou and mean_iou
  double min_score = .5;  ///< detections below it do not count there; average precision takes all
};

/// Boxes in images, matched as COCO does (Lin et al. 2014; pycocotools: all areas, the 100 highest scores of an image
/// and category). 40 bytes a detection, 16 a category of an image.
class DetectionState {
 public:
  explicit DetectionState(DetectionOptions options = {}) : options_(options) {}

  /// All objects and detections of one image, at once. `image` is its number, or a stable hash of its name; detections
  /// of equal score count in the order of images, and within an image as they came. Boxes and scores that are NaN or
  /// infinite, or of negative size, are left out. Costs objects × detections of each category.
  void update(std::uint64_t image, std::span<const Object> objects, std::span<const Detection> detections);
  /// The same of things that have no boxes, as masks: `overlap` gives what intersection_over_union() gives of boxes, of
  /// a detection and an object by their places in the spans. Their boxes are not looked at.
  using Overlap = std::function<double(std::size_t detection, std::size_t object)>;
  void update(std::uint64_t image, std::span<const Object> objects, std::span<const Detection> detections,
              const Overlap& overlap);
  /// As if this had seen the other's images too. Other options: Code::kInput, and nothing changes.
  Status merge(const DetectionState& other);

  std::int64_t images() const { return static_cast<std::int64_t>(images_.size()); }
  std::int64_t left_out() const { return left_out_; }  ///< boxes

  void save(ByteWriter& out);  ///< the same images give the same bytes
  /// Code::kCorrupt for bytes that no save() wrote.
  static Result<DetectionState> load(ByteReader& in);

  /// Intervals of average precision are from `replicates` bootstrap samples of images: 1 µs a detection and sample.
  DetectionSummary summarize(std::uint64_t seed = 1, int replicates = 100);

  static constexpr std::size_t kThresholds = 10;  ///< 0.5, 0.55, … 0.95

 private:
  struct Found {
    std::uint64_t image;
    double score, iou;             // iou: with the object matched at options_.iou, 0 without one
    std::uint32_t category, rank;  // rank: within image and category
    std::uint16_t right, ignored;  // a bit for each threshold, and one for options_.iou
  };
  struct Objects {
    std::uint64_t image;
    std::uint32_t category, count;  // without crowds
  };
  void sort();
  DetectionOptions options_;
  std::int64_t left_out_ = 0;
  std::vector<std::uint64_t> images_;
  std::vector<Found> found_;
  std::vector<Objects> objects_;
};

/// What the metrics of detection read. Variances are over images.
struct DetectionSummary {
  std::int64_t images = 0, objects = 0;
  double map_50 = kNaN, map_50_variance = 0;
  double map = kNaN, map_variance = 0;  ///< mean over the ten thresholds
  Sums<2> precision, recall, iou;       ///< right of counted; right of objects; summed IoU of right
};

}  // namespace vigie::metric
