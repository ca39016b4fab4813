// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/memory_input_internal.h"
#include "engine/score_images.h"
#include "table/coco.h"

namespace vigie::engine {

/// Two COCO files as a table: a row an image, in the order of ids, a column a field of images, and kRow, its number.
class CocoInput : public MemoryInput {
 public:
  static constexpr const char* kRow = "(image)";
  /// What is in an image, in the order of both files.
  struct Image {
    std::int64_t id;
    std::vector<const table::CocoItem*> truth, found;
  };
  /// `masks`: whether items need masks, which are made of polygons here, or else boxes; those without are counted.
  static Result<std::unique_ptr<CocoInput>> open(const ImageFiles& files, bool masks, bool strict);

  const std::vector<Image>& images() const { return images_; }
  const std::vector<std::string>& categories() const { return names_; }
  std::uint32_t place(const table::CocoItem& item) const { return index_.at(item.category); }
  const table::Problems& problems() const { return problems_; }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  explicit CocoInput(const ImageFiles& files) : MemoryInput(files.detections), files_(files) {}
  Status arrange(bool masks);
  ImageFiles files_;
  table::CocoFile truth_, found_;
  std::vector<Image> images_;
  std::vector<std::string> names_, notes_;
  std::map<std::int64_t, std::uint32_t> index_;
  table::Problems problems_;
};

}  // namespace vigie::engine
