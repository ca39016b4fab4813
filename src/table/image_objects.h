// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "table/coco.h"

namespace vigie::table {

/// An object in an image: one that a model found, or one that is there.
struct ImageObject {
  std::string category;         ///< its name, or its number as text
  std::array<double, 4> box{};  ///< left, top, width, height
  bool has_box = false;
  double score = 1;    ///< of one that was found
  bool crowd = false;  ///< of one that is there: a region of many
  CocoMask mask{};     ///< empty where none is given
};

enum class ObjectsOf : std::uint8_t { kPrediction, kLabel };

inline constexpr std::size_t kMostObjects = 2'000;           ///< of an image
inline constexpr std::size_t kMostMasks = 256 << 10;         ///< bytes of all masks of an image, as they are packed
inline constexpr std::size_t kMostCorners = 10'000;          ///< of all polygons of an image
inline constexpr std::int64_t kMostCrossed = 1 << 18;        ///< columns of pixels, by all edges of those together
inline constexpr std::int64_t kMostCrossedAtOnce = 1 << 24;  ///< of all images of a body
inline constexpr std::int64_t kMostPixels = 1 << 25;         ///< of an image that has polygons

/// The objects of one image as a list of JSON, each as COCO has results and annotations: "bbox", "category" or
/// "category_id", "score" of a prediction, "iscrowd" of a label, and "segmentation", run lengths or polygons; "id",
/// "image_id" and "area" are passed over. `size`: "[height, width]" of the image, as JSON, for polygons, which become
/// run lengths; or empty. Code::kInput, in one line with the index and the key: `boxes[2].bbox: expected …`; an empty
/// list is none. `may_cross`: how many columns of pixels the polygons of this and of what comes with it may still
/// cross; less by those of this one behind it. Cost: about 1 µs an object without a mask. Any thread.
Result<std::vector<ImageObject>> read_objects(std::string_view json, ObjectsOf of, std::string_view size = {},
                                              std::int64_t* may_cross = nullptr);

/// A list that read_objects() reads as these, as short as that can be said. `masks`: whether with them.
std::string to_json(std::span<const ImageObject> objects, ObjectsOf of, bool masks);

/// As pycocotools packs run lengths: what unpack_runs() reads.
std::string pack_runs(std::span<const std::uint32_t> runs);

}  // namespace vigie::table
