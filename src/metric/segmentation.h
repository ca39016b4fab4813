// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "metric/metric.h"

namespace vigie::metric {

/// Pixels of one class in one image.
struct Area {
  std::int64_t shared = 0;  ///< in truth and prediction
  std::int64_t truth = 0, predicted = 0;
};

/// Images whose pixels each have a class. The areas of each image and class (40 bytes), so that intervals can be over
/// images.
class SegmentationState {
 public:
  explicit SegmentationState(std::vector<std::string> classes = {}) : classes_(std::move(classes)) {}

  /// The pixels of an image, or of a part of it. Classes are indices; a true class beyond them is a pixel that does not
  /// count, a predicted one is wrong wherever truth has a class. `image` is its number, or a stable hash of its name.
  /// The spans have one length. 5 ns a pixel.
  void update(std::uint64_t image, std::span<const std::uint32_t> truth, std::span<const std::uint32_t> predicted);
  /// Areas that were counted elsewhere (run-length masks); shared ≤ truth, predicted. An unknown class is ignored.
  void update(std::uint64_t image, std::uint32_t of_class, const Area& area);
  /// The same pixels among other classes: the class that was at i is at place[i] of `classes`, each at a place of its
  /// own; else Code::kInput, and nothing changes.
  Status move_to(std::vector<std::string> classes, std::span<const std::uint32_t> place);
  /// As if this had seen the other's pixels too. Other classes: Code::kInput, and nothing changes.
  Status merge(const SegmentationState& other);

  std::int64_t unlabelled() const { return unlabelled_; }  ///< pixels

  void save(ByteWriter& out) const;  ///< the same images give the same bytes
  /// Code::kCorrupt for bytes that no save() wrote.
  static Result<SegmentationState> load(ByteReader& in);

  SegmentationSummary summarize() const;

 private:
  std::vector<std::string> classes_;
  std::int64_t unlabelled_ = 0;
  std::map<std::uint64_t, std::map<std::uint32_t, Area>> images_;
};

/// What the metrics of segmentation read. Variances are over images.
struct SegmentationSummary {
  struct Score {
    double value = kNaN, variance = 0;
  };
  std::vector<std::string> parts;  ///< classes
  std::vector<Score> iou, dice;    ///< of each class, NaN where neither truth nor prediction has it
  Score mean_iou, mean_dice;       ///< over the classes that occur
  std::int64_t images = 0;
};

}  // namespace vigie::metric
