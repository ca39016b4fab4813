// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "engine/scorecard.h"
#include "engine/scoring.h"

namespace vigie::engine {

/// Two COCO files.
struct ImageFiles {
  std::string ground_truth, detections;
};

struct ImageOptions {
  bool masks = false;  ///< detection: how far masks overlap, in place of boxes
  bool strict = false;
};

/// Scores detections of objects, or the pixels of their masks, in images. An image is a row: windows are of images by
/// their ids or by a field that is a time ("date_captured"), segments by the value of a field ("camera"). Of `scoring`
/// counts what is not of columns; detections below its threshold count for average precision only, and their pixels not
/// at all. The pixels of one category and image are one mask; truth and detection must have one size. Errors: files
/// that are no COCO, detections of which none is in an image of the truth, and those of score().
Result<Scorecard> score_images(const ImageFiles& files, const std::optional<ImageFiles>& reference,
                               const ImageOptions& options, const ScoreOptions& scoring);

}  // namespace vigie::engine
