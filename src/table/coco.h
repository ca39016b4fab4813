// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "table/table.h"

namespace vigie::table {

/// Runs of pixels that are not and are in the mask, by turns, column by column from the top left.
struct CocoMask {
  std::uint32_t height = 0, width = 0;
  std::vector<std::uint32_t> runs;  ///< they fill height × width
};

/// One object of the truth, or one detection.
struct CocoItem {
  std::int64_t image = 0, category = 0;
  std::array<double, 4> box{};  ///< left, top, width, height
  bool has_box = false;
  double score = 1;  ///< of a detection
  bool crowd = false;
  CocoMask mask;                              ///< empty where no run lengths are given
  std::vector<std::vector<double>> polygons;  ///< in their place: x, y, x, y, …
};

struct CocoImage {
  std::int64_t id = 0;
  std::uint32_t height = 0, width = 0;        ///< 0 where not given
  std::map<std::string, std::string> fields;  ///< all that are numbers or texts: "file_name", "date_captured", …
};

struct CocoFile {
  std::vector<CocoImage> images;  ///< of the truth: all, in the order of their ids
  /// Of those fields of images that are times wherever they are given: µs since 1970 UTC, one an image, else NaN.
  std::map<std::string, std::vector<double>> times;
  std::map<std::int64_t, std::string> categories;
  std::vector<CocoItem> items;  ///< in the order of the file
  Problems problems;            ///< items that could not be read
};

/// Reads a COCO file: the truth (an object with "images", "annotations", "categories") or, for `detections`, a list of
/// results or an object with "annotations". Masks are run lengths, as numbers or packed as pycocotools does, or
/// polygons. The whole file is held in memory while it is read.
Result<CocoFile> read_coco(const std::string& path, bool detections, bool strict = false);
/// The same of bytes in memory; `name` is for messages.
Result<CocoFile> parse_coco(std::string_view bytes, const std::string& name, bool detections, bool strict = false);

/// The runs of a packed mask; nothing when the text is damaged.
std::vector<std::uint32_t> unpack_runs(std::string_view packed);

/// The runs of the pixels inside a polygon, as pycocotools (rleFrPoly) has them, clipped to the image.
/// height · width < 2³²; corners are finite. Memory: of the corners and 4 bytes a pixel at most; time: corners × width.
std::vector<std::uint32_t> runs_of_polygon(std::span<const double> polygon, std::uint32_t height, std::uint32_t width);
/// The mask of an item: its run lengths, or its polygons in an image of known size; else empty.
CocoMask mask_of(const CocoItem& item, const CocoImage& image);

std::int64_t area(const CocoMask& mask);
/// Of masks of one size: pixels that are in both, and a mask of those that are in either.
std::int64_t shared_area(const CocoMask& a, const CocoMask& b);
CocoMask united(const CocoMask& a, const CocoMask& b);

}  // namespace vigie::table
