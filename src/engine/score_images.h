// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "engine/scorecard.h"
#include "engine/scoring.h"

namespace vigie::engine {

struct ImageOptions {
  metric::Task task = metric::Task::kDetection;  ///< or kSegmentation
  std::string ground_truth, detections;          ///< COCO files
  double threshold = .5;  ///< detections below it count for average precision only, and their masks not at all
  std::vector<std::string> metrics;  ///< only these; empty: all of the task
  bool strict = false;
  unsigned threads = 0;
  std::string version;
};

/// Scores detections of objects, or masks of them, in images: one window, without reference. The masks of one category
/// and image are one; truth and detection must have one size. Errors: files that are no COCO, detections of which none
/// is in an image of the truth.
Result<Scorecard> score_images(const ImageOptions& options);

}  // namespace vigie::engine
