// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <set>

#include "base/text.h"
#include "engine/coco_input_internal.h"

namespace vigie::engine {
namespace {

using table::CocoItem;

bool sound(const CocoItem& item) {
  const auto& box = item.box;
  return item.has_box && box[2] >= 0 && box[3] >= 0 && std::isfinite(box[0] + box[1] + box[2] + box[3]);
}

}  // namespace

Result<std::unique_ptr<CocoInput>> CocoInput::open(const ImageFiles& files, bool masks, bool strict) {
  auto out = std::unique_ptr<CocoInput>(new CocoInput(files));
  VIGIE_ASSIGN(out->truth_, table::read_coco(files.ground_truth, false, strict));
  VIGIE_ASSIGN(out->found_, table::read_coco(files.detections, true, strict));
  if (out->truth_.images.empty()) return fail(Code::kInput, fmt::format("{}: no images", files.ground_truth));
  VIGIE_TRY(out->arrange(masks));
  return out;
}

Status CocoInput::arrange(bool masks) {
  std::map<std::int64_t, std::size_t> place;
  std::vector<double> rows;
  for (const auto& image : truth_.images) {
    place.emplace(image.id, images_.size());
    rows.push_back(static_cast<double>(images_.size()));
    images_.push_back({image.id, {}, {}});
  }
  std::int64_t strays = 0, shapeless = 0, odd = 0;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> sizes(images_.size());  // of the masks of an image
  for (auto* file : {&truth_, &found_}) {
    const bool detections = file == &found_;
    std::int64_t shaped = 0;
    for (auto& item : file->items) {
      const auto it = place.find(item.image);
      if (it == place.end()) {
        strays += detections;
        continue;
      }
      if (masks) item.mask = table::mask_of(item, truth_.images[it->second]);
      if (masks ? item.mask.runs.empty() : !sound(item)) {
        ++shapeless;
        continue;
      }
      ++shaped;
      auto& size = sizes[it->second];
      const std::pair own(item.mask.height, item.mask.width);
      if (size.first == 0) size = own;
      if (masks && size != own) {
        ++odd;
        continue;
      }
      (detections ? images_[it->second].found : images_[it->second].truth).push_back(&item);
    }
    const auto& path = detections ? files_.detections : files_.ground_truth;
    if (detections && strays > 0 && strays == static_cast<std::int64_t>(file->items.size()))
      return fail(Code::kInput, fmt::format("{}: no detection is in an image of {}", path, files_.ground_truth));
    if (masks && shaped == 0 && !file->items.empty())
      return fail(Code::kInput,
                  fmt::format("{}: no masks (\"segmentation\" with run lengths, or polygons in images with height and "
                              "width)",
                              path));
    problems_.rejected += file->problems.rejected;
    problems_.messages.insert(problems_.messages.end(), file->problems.messages.begin(), file->problems.messages.end());
    for (const auto& item : file->items) truth_.categories.try_emplace(item.category, fmt::format("{}", item.category));
  }
  for (const auto& [id, name] : truth_.categories)
    index_.emplace(id, static_cast<std::uint32_t>(names_.size())), names_.push_back(name);
  if (strays > 0)
    notes_.push_back(fmt::format("{}: {} in images that {} does not have are not counted", files_.detections,
                                 plural(strays, "detection"), files_.ground_truth));
  if (shapeless > 0)
    notes_.push_back(fmt::format("{} {} are not counted", plural(shapeless, masks ? "item" : "box"),
                                 masks ? "without a mask" : "of negative or infinite size, or missing,"));
  if (odd > 0)
    notes_.push_back(
        fmt::format("{} of another size than the others of their image are not counted", plural(odd, "mask")));

  add(kRow, std::move(rows));
  std::set<std::string> fields;
  for (const auto& image : truth_.images)
    for (const auto& [name, text] : image.fields) fields.insert(name);
  for (const auto& name : fields) {
    if (const auto it = truth_.times.find(name); it != truth_.times.end()) {
      add(name, it->second, table::Type::kTimestamp);
      continue;
    }
    std::vector<std::string> texts;
    for (const auto& image : truth_.images) {
      const auto it = image.fields.find(name);
      texts.push_back(it == image.fields.end() ? std::string() : it->second);
    }
    add(name, std::move(texts));
  }
  return {};
}

}  // namespace vigie::engine
