// SPDX-License-Identifier: Apache-2.0
#include "table/coco.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "base/file.h"
#include "base/text.h"
#include "table/cell_internal.h"

namespace vigie::table {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kMost = std::size_t{1} << 32;

std::optional<double> number(dom::object item, std::string_view key) {
  double value = 0;
  if (item[key].get(value) != simdjson::SUCCESS || !std::isfinite(value)) return std::nullopt;
  return value;
}

/// A whole number, also one written as 3.0.
std::optional<std::int64_t> whole(dom::object item, std::string_view key) {
  std::int64_t value = 0;
  if (item[key].get(value) == simdjson::SUCCESS) return value;
  const auto real = number(item, key);
  if (!real || std::floor(*real) != *real || std::fabs(*real) > 9e15) return std::nullopt;
  return static_cast<std::int64_t>(*real);
}

CocoImage read_image(dom::object image) {
  CocoImage out;
  out.id = *whole(image, "id");
  const auto height = whole(image, "height").value_or(0), width = whole(image, "width").value_or(0);
  constexpr std::int64_t kSide = 1 << 16;
  if (height > 0 && width > 0 && height <= kSide && width <= kSide && height * width < kSide * kSide)
    out.height = static_cast<std::uint32_t>(height), out.width = static_cast<std::uint32_t>(width);
  for (const auto [key, value] : image) {
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS)
      out.fields.emplace(key, text);
    else if (value.is_number() || value.is_bool())
      out.fields.emplace(key, simdjson::minify(value));
  }
  return out;
}

std::map<std::string, std::vector<double>> times_of(const std::vector<CocoImage>& images) {
  std::set<std::string> fields;
  for (const auto& image : images)
    for (const auto& [name, text] : image.fields) fields.insert(name);
  std::map<std::string, std::vector<double>> out;
  for (const auto& name : fields) {
    std::vector<double> times;
    const bool all = std::all_of(images.begin(), images.end(), [&](const CocoImage& image) {
      const auto it = image.fields.find(name);
      const auto time = it == image.fields.end() ? std::nullopt : parse_timestamp(it->second);
      times.push_back(time.value_or(std::numeric_limits<double>::quiet_NaN()));
      return time || it == image.fields.end();
    });
    if (all) out.emplace(name, std::move(times));
  }
  return out;
}

bool read_box(dom::object item, CocoItem& out) {
  dom::array box;
  if (item["bbox"].get(box) != simdjson::SUCCESS) return true;  // masks may stand alone
  std::size_t i = 0;
  for (const dom::element side : box) {
    double value = 0;
    if (i >= out.box.size() || side.get(value) != simdjson::SUCCESS) return false;
    out.box[i++] = value;
  }
  out.has_box = i == out.box.size();
  return out.has_box;
}

/// Empty when the polygons are sound, or why they are not.
std::string read_polygons(dom::array given, std::vector<std::vector<double>>& out) {
  for (const dom::element one : given) {
    dom::array corners;
    if (one.get(corners) != simdjson::SUCCESS) return "a polygon that is no list";
    auto& polygon = out.emplace_back();
    for (const dom::element corner : corners) {
      double value = 0;
      if (corner.get(value) != simdjson::SUCCESS || !std::isfinite(value))
        return "a polygon with a corner that is no number";
      polygon.push_back(value);
    }
    if (polygon.size() < 6 || polygon.size() % 2) return "a polygon without three corners";
  }
  return {};
}

/// Empty when the mask is sound, or why it is not.
std::string read_mask(dom::object item, CocoItem& to) {
  dom::element given;
  if (item["segmentation"].get(given) != simdjson::SUCCESS) return {};
  dom::object mask;
  dom::array polygons;
  if (given.get(polygons) == simdjson::SUCCESS) return read_polygons(polygons, to.polygons);
  if (given.get(mask) != simdjson::SUCCESS) return {};
  auto& out = to.mask;
  dom::array size;
  if (mask["size"].get(size) != simdjson::SUCCESS || size.size() != 2) return "a mask without its size";
  std::uint64_t sides[2] = {}, held = 0;
  for (std::size_t i = 0; i < 2; ++i)
    if (size.at(i).get(sides[i]) != simdjson::SUCCESS || sides[i] > 1U << 16) return "a mask without its size";
  out.height = static_cast<std::uint32_t>(sides[0]), out.width = static_cast<std::uint32_t>(sides[1]);
  std::string_view packed;
  dom::array counts;
  if (mask["counts"].get(packed) == simdjson::SUCCESS) {
    out.runs = unpack_runs(packed);
  } else if (mask["counts"].get(counts) == simdjson::SUCCESS) {
    for (const dom::element count : counts) {
      std::uint64_t run = 0;
      if (count.get(run) != simdjson::SUCCESS || run > std::numeric_limits<std::uint32_t>::max())
        return "a mask with a run that is no number";
      out.runs.push_back(static_cast<std::uint32_t>(run));
    }
  }
  for (const auto run : out.runs) held += run;
  return held == sides[0] * sides[1] ? std::string() : "a mask whose runs do not fill its size";
}

/// Empty when the item is sound, or what it lacks.
std::string read_item(dom::element element, bool detection, CocoItem& out) {
  dom::object item;
  if (element.get(item) != simdjson::SUCCESS) return "is no object";
  const auto image = whole(item, "image_id"), category = whole(item, "category_id");
  if (!image) return "no image_id";
  if (!category) return "no category_id";
  out.image = *image, out.category = *category;
  if (detection) {
    const auto score = number(item, "score");
    if (!score) return "no score";
    out.score = *score;
  }
  if (!read_box(item, out)) return "a bbox that is not four numbers";
  if (auto why = read_mask(item, out); !why.empty()) return why;
  if (!out.has_box && out.mask.runs.empty() && out.polygons.empty()) return "neither bbox nor segmentation";
  out.crowd = number(item, "iscrowd").value_or(0) != 0;
  return {};
}

}  // namespace

std::vector<std::uint32_t> unpack_runs(std::string_view packed) {
  // Six bits a character from '0' on, five of a number each, lowest first; from the third run on the difference to the
  // run two before.
  std::vector<std::uint32_t> runs;
  for (std::size_t at = 0; at < packed.size();) {
    std::int64_t value = 0;
    for (int shift = 0;; shift += 5) {
      if (at >= packed.size() || shift > 30) return {};
      const int bits = packed[at++] - '0';
      if (bits < 0 || bits > 63) return {};
      value |= static_cast<std::int64_t>(bits & 31) << shift;
      if (bits & 32) continue;
      if (bits & 16) value |= -(std::int64_t{1} << (shift + 5));
      break;
    }
    if (runs.size() > 2) value += runs[runs.size() - 2];
    if (value < 0 || value > std::numeric_limits<std::uint32_t>::max()) return {};
    runs.push_back(static_cast<std::uint32_t>(value));
  }
  return runs;
}

Result<CocoFile> read_coco(const std::string& path, bool detections, bool strict) {
  VIGIE_ASSIGN(auto text, read_file(path, kMost));
  return parse_coco(text, path, detections, strict);
}

Result<CocoFile> parse_coco(std::string_view bytes, const std::string& path, bool detections, bool strict) {
  dom::parser parser;
  dom::element root;
  if (const auto error = parser.parse(bytes.data(), bytes.size()).get(root); error != simdjson::SUCCESS)
    return fail(Code::kInput, fmt::format("{}: not JSON: {}", path, simdjson::error_message(error)));
  CocoFile out;
  dom::object object;
  dom::array list;
  const bool whole_file = root.get(object) == simdjson::SUCCESS;
  const auto what = detections ? "a list of detections" : "an object with \"images\" and \"annotations\"";
  if (whole_file ? object["annotations"].get(list) != simdjson::SUCCESS
                 : !detections || root.get(list) != simdjson::SUCCESS)
    return fail(Code::kInput, fmt::format("{}: expected {}, as COCO has it", path, what));
  if (!detections) {
    dom::array images, categories;
    if (object["images"].get(images) != simdjson::SUCCESS)
      return fail(Code::kInput, fmt::format("{}: expected {}, as COCO has it", path, what));
    for (const dom::element image : images) {
      dom::object one;
      if (image.get(one) == simdjson::SUCCESS && whole(one, "id")) out.images.push_back(read_image(one));
    }
    std::stable_sort(out.images.begin(), out.images.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    const auto same = [](const auto& a, const auto& b) { return a.id == b.id; };
    out.images.erase(std::unique(out.images.begin(), out.images.end(), same), out.images.end());
    out.times = times_of(out.images);
    if (object["categories"].get(categories) == simdjson::SUCCESS) {
      for (const dom::element category : categories) {
        dom::object one;
        std::string_view name;
        if (category.get(one) != simdjson::SUCCESS) continue;
        const auto id = whole(one, "id");
        if (id)
          out.categories[*id] = one["name"].get(name) == simdjson::SUCCESS ? std::string(name) : fmt::format("{}", *id);
      }
    }
  }
  std::size_t place = 0;
  for (const dom::element element : list) {
    CocoItem item;
    const auto why = read_item(element, detections, item);
    ++place;
    if (why.empty()) {
      out.items.push_back(std::move(item));
      continue;
    }
    auto message = fmt::format("{}: {} {}: {}", path, detections ? "detection" : "annotation", place, why);
    if (strict) return fail(Code::kInput, std::move(message));
    if (++out.problems.rejected <= 3) out.problems.messages.push_back(std::move(message));
  }
  if (out.items.empty() && out.problems.rejected > 0)
    return fail(Code::kInput, fmt::format("{}; nothing of it could be read", out.problems.messages[0]));
  return out;
}

}  // namespace vigie::table
