// SPDX-License-Identifier: Apache-2.0
#include "engine/score_images.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/parallel.h"
#include "base/text.h"
#include "engine/scorer_internal.h"
#include "metric/detection.h"
#include "metric/segmentation.h"
#include "table/coco.h"

namespace vigie::engine {
namespace {

using metric::Task;
using table::CocoFile;
using table::CocoItem;
using table::CocoMask;

constexpr std::size_t kLanes = 8;

/// What is in each image, in the order of both files.
struct Image {
  std::int64_t id;
  std::vector<const CocoItem*> truth, found;
};

std::vector<Image> by_image(const CocoFile& truth, const CocoFile& found, std::int64_t& strays) {
  std::vector<Image> images;
  std::map<std::int64_t, std::size_t> place;
  for (const auto& image : truth.images) place.emplace(image.id, images.size()), images.push_back({image.id, {}, {}});
  for (const auto& item : truth.items)
    if (const auto it = place.find(item.image); it != place.end()) images[it->second].truth.push_back(&item);
  strays = 0;
  for (const auto& item : found.items) {
    const auto it = place.find(item.image);
    if (it != place.end())
      images[it->second].found.push_back(&item);
    else
      ++strays;
  }
  return images;
}

metric::Box box_of(const CocoItem& item) {
  return {item.box[0], item.box[1], item.box[2], item.box[3]};
}

/// The pixels of the masks of one category of an image, as one bitmap.
std::vector<bool> pixels(const std::vector<const CocoItem*>& items, std::int64_t category, double threshold,
                         std::pair<std::uint32_t, std::uint32_t> size) {
  std::vector<bool> out(std::size_t{size.first} * size.second);
  for (const auto* item : items) {
    const auto& mask = item->mask;
    if (item->category != category || item->score < threshold || std::pair(mask.height, mask.width) != size) continue;
    std::size_t at = 0;
    bool inside = false;
    for (const auto run : mask.runs) {
      if (inside) std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(at), run, true);
      at += run, inside = !inside;
    }
  }
  return out;
}

/// Size of the masks of an image; 0 × 0 without any. Detections whose masks have another one are counted.
std::pair<std::uint32_t, std::uint32_t> size_of(const Image& image, std::int64_t& misfits) {
  std::pair<std::uint32_t, std::uint32_t> size{};
  for (const auto* list : {&image.truth, &image.found}) {
    for (const auto* item : *list) {
      if (item->mask.runs.empty()) continue;
      const std::pair<std::uint32_t, std::uint32_t> own(item->mask.height, item->mask.width);
      if (size.first == 0) size = own;
      misfits += size != own;
    }
  }
  return size;
}

std::vector<metric::Entry> detect(const std::vector<Image>& images, const std::map<std::int64_t, std::uint32_t>& index,
                                  const ImageOptions& options, std::int64_t& left_out) {
  std::vector<metric::DetectionState> lanes(kLanes, metric::DetectionState({.min_score = options.threshold}));
  parallel_for(kLanes, options.threads, [&](std::size_t lane) {
    std::vector<metric::Object> objects;
    std::vector<metric::Detection> found;
    for (auto i = lane; i < images.size(); i += kLanes) {
      objects.clear(), found.clear();
      for (const auto* t : images[i].truth)
        if (t->has_box) objects.push_back({index.at(t->category), box_of(*t), t->crowd});
      for (const auto* f : images[i].found)
        if (f->has_box) found.push_back({index.at(f->category), box_of(*f), f->score});
      lanes[lane].update(static_cast<std::uint64_t>(images[i].id), objects, found);
    }
  });
  metric::DetectionState all({.min_score = options.threshold});
  for (const auto& lane : lanes) static_cast<void>(all.merge(lane));
  left_out = all.left_out();
  return metric::evaluate(all.summarize());
}

std::vector<metric::Entry> segment(const std::vector<Image>& images, const std::vector<std::string>& names,
                                   const std::map<std::int64_t, std::uint32_t>& index, const ImageOptions& options,
                                   std::int64_t& misfits) {
  std::vector<metric::SegmentationState> lanes(kLanes, metric::SegmentationState(names));
  std::vector<std::int64_t> odd(kLanes);
  parallel_for(kLanes, options.threads, [&](std::size_t lane) {
    for (auto i = lane; i < images.size(); i += kLanes) {
      const auto size = size_of(images[i], odd[lane]);
      std::set<std::int64_t> categories;
      for (const auto* list : {&images[i].truth, &images[i].found})
        for (const auto* item : *list)
          if (!item->mask.runs.empty()) categories.insert(item->category);
      for (const auto category : categories) {
        const auto truth = pixels(images[i].truth, category, 0, size),
                   found = pixels(images[i].found, category, options.threshold, size);
        metric::Area area;
        for (std::size_t p = 0; p < truth.size(); ++p) {
          area.truth += truth[p], area.predicted += found[p];
          area.shared += truth[p] && found[p];
        }
        if (area.truth + area.predicted > 0)
          lanes[lane].update(static_cast<std::uint64_t>(images[i].id), index.at(category), area);
      }
    }
  });
  metric::SegmentationState all(names);
  for (const auto& lane : lanes) static_cast<void>(all.merge(lane));
  for (const auto n : odd) misfits += n;
  return metric::evaluate(all.summarize());
}

}  // namespace

Result<Scorecard> score_images(const ImageOptions& options) {
  VIGIE_TRY(check_metrics(options.metrics, options.task, false));
  VIGIE_ASSIGN(const auto truth, table::read_coco(options.ground_truth, false, options.strict));
  VIGIE_ASSIGN(const auto found, table::read_coco(options.detections, true, options.strict));
  if (truth.images.empty()) return fail(Code::kInput, fmt::format("{}: no images", options.ground_truth));
  const bool detection = options.task == Task::kDetection;
  const auto masked = [](const CocoFile& file) {
    return std::any_of(file.items.begin(), file.items.end(), [](const CocoItem& i) { return !i.mask.runs.empty(); });
  };
  for (const auto& [file, path] : {std::pair{&truth, &options.ground_truth}, std::pair{&found, &options.detections}})
    if (!detection && !file->items.empty() && !masked(*file))
      return fail(
          Code::kInput,
          fmt::format("{}: no masks (\"segmentation\" with run lengths), which --task segmentation needs", *path));

  std::int64_t strays = 0, left_out = 0, misfits = 0;
  const auto images = by_image(truth, found, strays);
  if (strays > 0 && strays == static_cast<std::int64_t>(found.items.size()))
    return fail(Code::kInput,
                fmt::format("{}: no detection is in an image of {}", options.detections, options.ground_truth));
  std::map<std::int64_t, std::string> categories = truth.categories;
  for (const auto* file : {&truth, &found})
    for (const auto& item : file->items) categories.try_emplace(item.category, fmt::format("{}", item.category));
  std::vector<std::string> names;
  std::map<std::int64_t, std::uint32_t> index;
  for (const auto& [id, name] : categories)
    index.emplace(id, static_cast<std::uint32_t>(names.size())), names.push_back(name);

  auto entries = detection ? detect(images, index, options, left_out) : segment(images, names, index, options, misfits);
  Scorecard card;
  card.version = options.version, card.task = options.task, card.source = options.detections;
  card.unit = "image";
  card.options = {{"ground_truth", options.ground_truth}, {"min_score", options.threshold}};
  if (!detection) card.options.emplace_back("classes", names);
  auto& window = card.windows.emplace_back();
  const auto count = static_cast<std::int64_t>(images.size());
  window.rows = {count, count, 0, 0};
  for (auto& entry : entries) {
    auto& r = window.metrics.emplace_back();
    r.metric = entry.metric, r.part = std::move(entry.part), r.value = std::move(entry.value);
  }
  keep_metrics(window, options.metrics);
  judge_metrics_alone(window);
  for (const auto* file : {&truth, &found}) {
    card.rejected += file->problems.rejected;
    card.problems.insert(card.problems.end(), file->problems.messages.begin(), file->problems.messages.end());
    if (!detection) card.notes.insert(card.notes.end(), file->problems.notes.begin(), file->problems.notes.end());
  }
  if (strays > 0)
    card.notes.push_back(fmt::format("{}: {} in images that {} does not have are not counted", options.detections,
                                     plural(strays, "detection"), options.ground_truth));
  if (left_out > 0)
    card.notes.push_back(fmt::format("{} of negative or infinite size are not counted", plural(left_out, "box")));
  if (misfits > 0)
    card.notes.push_back(
        fmt::format("{} of another size than the others of their image are not counted", plural(misfits, "mask")));
  summarise(card, card.alpha);
  return card;
}

}  // namespace vigie::engine
