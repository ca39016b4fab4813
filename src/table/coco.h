// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
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
  CocoMask mask;  ///< empty where none is given
};

struct CocoFile {
  std::vector<std::int64_t> images;  ///< of the truth: all, in the order of their ids
  std::map<std::int64_t, std::string> categories;
  std::vector<CocoItem> items;  ///< in the order of the file
  Problems problems;            ///< items that could not be read
};

/// Reads a COCO file: the truth (an object with "images", "annotations", "categories") or, for `detections`, a list of
/// results or an object with "annotations". Masks are run lengths, as numbers or packed as pycocotools does; polygons
/// are no mask here and left out with a note. The whole file is held in memory while it is read.
Result<CocoFile> read_coco(const std::string& path, bool detections, bool strict = false);
/// The same of bytes in memory; `name` is for messages.
Result<CocoFile> parse_coco(std::string_view bytes, const std::string& name, bool detections, bool strict = false);

/// The runs of a packed mask; nothing when the text is damaged.
std::vector<std::uint32_t> unpack_runs(std::string_view packed);

}  // namespace vigie::table
