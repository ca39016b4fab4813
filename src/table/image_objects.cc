// SPDX-License-Identifier: Apache-2.0
#include "table/image_objects.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>

#include "base/text.h"

namespace vigie::table {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kLongestCategory = 200;
constexpr std::int64_t kSide = 1 << 16;

// Short enough for one line.
// As much of it as a line bears, in whole characters.
std::string shortened(std::string text) {
  constexpr std::size_t kTold = 60;
  if (text.size() > kTold) {
    auto end = kTold;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    text.resize(end), text += "…";
  }
  return text;
}

std::string told(dom::element value) {
  return shortened(simdjson::minify(value));
}

Error wrong(std::string_view key, std::string_view expected, dom::element got) {
  return fail(Code::kInput, fmt::format(".{}: expected {}, got {}", key, expected, told(got)));
}

std::optional<double> finite(dom::element value) {
  double number = 0;
  if (value.get(number) != simdjson::SUCCESS || !std::isfinite(number)) return std::nullopt;
  return number;
}

struct Size {
  std::uint32_t height = 0, width = 0;
};

Result<Size> size_of(std::string_view json) {
  if (json.empty()) return Size();
  thread_local dom::parser parser;
  dom::element root;
  dom::array sides;
  std::int64_t side[2] = {};
  bool good = parser.parse(json.data(), json.size()).get(root) == simdjson::SUCCESS &&
              root.get(sides) == simdjson::SUCCESS && sides.size() == 2;
  for (std::size_t i = 0; good && i < 2; ++i)
    good = sides.at(i).get(side[i]) == simdjson::SUCCESS && side[i] > 0 && side[i] <= kSide;
  if (!good || side[0] * side[1] > kMostPixels)
    return fail(Code::kInput, fmt::format("image_size: expected [height, width], of {} pixels at most, got {}",
                                          with_commas(kMostPixels), shortened(std::string(json))));
  return Size{static_cast<std::uint32_t>(side[0]), static_cast<std::uint32_t>(side[1])};
}

// What the objects of an image have together.
struct Together {
  std::size_t mask_bytes = 0, corners = 0;
  double crossed = 0;
  double left = std::numeric_limits<double>::infinity();  // of what all images of a body may cross
  Size masks{};
};

Result<CocoMask> run_lengths(dom::object given, dom::element whole) {
  constexpr std::string_view kKey = "segmentation";
  CocoMask out;
  dom::array size;
  std::int64_t sides[2] = {};
  bool sized = given["size"].get(size) == simdjson::SUCCESS && size.size() == 2;
  for (std::size_t i = 0; sized && i < 2; ++i)
    sized = size.at(i).get(sides[i]) == simdjson::SUCCESS && sides[i] > 0 && sides[i] < kSide;
  if (!sized) return wrong(kKey, "\"size\": [height, width] beside \"counts\"", whole);
  out.height = static_cast<std::uint32_t>(sides[0]), out.width = static_cast<std::uint32_t>(sides[1]);
  std::string_view packed;
  dom::array counts;
  if (given["counts"].get(packed) == simdjson::SUCCESS) {
    if (packed.size() > kMostMasks) return wrong(kKey, fmt::format("at most {} bytes", kMostMasks), whole);
    out.runs = unpack_runs(packed);
  } else if (given["counts"].get(counts) == simdjson::SUCCESS) {
    for (const dom::element count : counts) {
      std::uint64_t run = 0;
      if (count.get(run) != simdjson::SUCCESS || run > std::numeric_limits<std::uint32_t>::max())
        return wrong(kKey, "run lengths that are whole numbers", count);
      out.runs.push_back(static_cast<std::uint32_t>(run));
    }
  } else {
    return wrong(kKey, "\"counts\", run lengths as a list or packed", whole);
  }
  std::uint64_t held = 0;
  for (const auto run : out.runs) held += run;
  if (held != static_cast<std::uint64_t>(sides[0] * sides[1]))
    return wrong(kKey, fmt::format("runs that fill {} × {} pixels", sides[0], sides[1]), whole);
  return out;
}

Result<CocoMask> polygons(dom::array given, dom::element whole, const Size& size, Together& together) {
  constexpr std::string_view kKey = "segmentation";
  std::vector<std::vector<double>> all;
  for (const dom::element one : given) {
    dom::array corners;
    if (one.get(corners) != simdjson::SUCCESS) return wrong(kKey, "polygons, each a list x, y, x, y, …", whole);
    auto& polygon = all.emplace_back();
    for (const dom::element corner : corners) {
      const auto number = finite(corner);
      if (!number || std::fabs(*number) > kSide) return wrong(kKey, "corners inside an image", corner);
      polygon.push_back(*number);
    }
    if (polygon.size() < 6 || polygon.size() % 2) return wrong(kKey, "polygons of three corners or more", one);
    together.corners += polygon.size() / 2;
    for (std::size_t i = 0; i < polygon.size(); i += 2)
      together.crossed += std::min<double>(size.width, std::fabs(polygon[i] - polygon[(i + 2) % polygon.size()]));
  }
  if (together.corners > kMostCorners)
    return fail(Code::kInput,
                fmt::format(".{}: the polygons of an image have at most {} corners", kKey, with_commas(kMostCorners)));
  if (all.empty()) return CocoMask();
  if (size.height == 0)
    return fail(Code::kInput, fmt::format(".{}: polygons need \"image_size\": [height, width] of the record", kKey));
  if (together.crossed > static_cast<double>(kMostCrossed))
    return fail(Code::kInput, fmt::format(".{}: the edges of the polygons of an image cross at most {} columns of "
                                          "pixels together",
                                          kKey, with_commas(kMostCrossed)));
  if (together.crossed > together.left)
    return fail(Code::kInput,
                fmt::format(".{}: the edges of the polygons of a body cross at most {} columns of pixels together: "
                            "send fewer images at once, or run lengths",
                            kKey, with_commas(kMostCrossedAtOnce)));
  std::vector<CocoMask> masks;
  for (const auto& polygon : all)
    masks.push_back({size.height, size.width, runs_of_polygon(polygon, size.height, size.width)});
  // By twos: of one after the other each would cost what all before it have.
  for (std::size_t step = 1; step < masks.size(); step *= 2)
    for (std::size_t i = 0; i + step < masks.size(); i += 2 * step) masks[i] = united(masks[i], masks[i + step]);
  return std::move(masks.front());
}

// Errors begin behind the index.
Result<ImageObject> read_object(dom::element element, ObjectsOf of, const Size& size, Together& together) {
  dom::object object;
  if (element.get(object) != simdjson::SUCCESS)
    return fail(Code::kInput,
                fmt::format(": expected an object with \"bbox\" and \"category\", got {}", told(element)));
  const bool predicted = of == ObjectsOf::kPrediction;
  ImageObject out;
  bool scored = false, masked = false;
  std::string number;
  for (const auto [key, value] : object) {
    if (key == "bbox") {
      dom::array sides;
      std::size_t i = 0;
      bool good = value.get(sides) == simdjson::SUCCESS && sides.size() == out.box.size();
      for (; good && i < out.box.size(); ++i) {
        const auto side = finite(sides.at(i).value_unsafe());
        good = side && (i < 2 || *side >= 0);
        if (good) out.box[i] = *side + 0.;  // −0 is 0
      }
      if (!good)
        return wrong(key, "[left, top, width, height], finite numbers and neither width nor height below 0", value);
      out.has_box = true;
    } else if (key == "category" || key == "category_id") {
      std::string_view text;
      std::int64_t whole = 0;
      auto& into = key == "category" ? out.category : number;
      if (value.get(text) == simdjson::SUCCESS)
        into = text;
      else if (value.get(whole) == simdjson::SUCCESS)
        into = fmt::format("{}", whole);
      if (into.empty() || into.size() > kLongestCategory)
        return wrong(key, fmt::format("a name of at most {} bytes, or a whole number", kLongestCategory), value);
    } else if (key == "score" && predicted) {
      const auto score = finite(value);
      if (!score) return wrong(key, "a number", value);
      out.score = *score + 0., scored = true;
    } else if (key == "iscrowd" && !predicted) {
      bool crowd = false;
      const auto flag = value.get(crowd) == simdjson::SUCCESS ? std::optional(crowd ? 1. : 0.) : finite(value);
      if (!flag || (*flag != 0 && *flag != 1)) return wrong(key, "0 or 1", value);
      out.crowd = *flag == 1;
    } else if (key == "segmentation") {
      dom::object runs;
      dom::array lists;
      if (value.is_null()) continue;
      if (value.get(runs) == simdjson::SUCCESS) {
        VIGIE_ASSIGN(out.mask, run_lengths(runs, value));
      } else if (value.get(lists) == simdjson::SUCCESS) {
        VIGIE_ASSIGN(out.mask, polygons(lists, value, size, together));
      } else {
        return wrong(key, "run lengths or polygons, as COCO has them", value);
      }
      masked = !out.mask.runs.empty();
      if (masked && together.masks.height == 0) together.masks = {out.mask.height, out.mask.width};
      if (masked && (out.mask.height != together.masks.height || out.mask.width != together.masks.width))
        return fail(Code::kInput,
                    fmt::format(".{}: the masks of an image have one size, {} × {} and {} × {} are two", key,
                                together.masks.height, together.masks.width, out.mask.height, out.mask.width));
      together.mask_bytes += masked ? pack_runs(out.mask.runs).size() : 0;
      if (together.mask_bytes > kMostMasks)
        return fail(Code::kInput, fmt::format(".{}: the masks of an image have at most {} bytes, packed", key,
                                              with_commas(kMostMasks)));
    } else if (key != "id" && key != "image_id" && key != "area") {
      std::vector<std::string> known{"bbox",         "category", "category_id", predicted ? "score" : "iscrowd",
                                     "segmentation", "id",       "image_id",    "area"};
      return fail(Code::kInput, fmt::format(": {}", unknown_name("key", std::string(key), known)));
    }
  }
  if (out.category.empty()) out.category = std::move(number);
  if (out.category.empty()) return fail(Code::kInput, ".category: is missing, as is category_id");
  if (predicted && !scored) return fail(Code::kInput, ".score: is missing");
  if (!out.has_box && !masked) return fail(Code::kInput, ".bbox: is missing, as is segmentation");
  return out;
}

}  // namespace

Result<std::vector<ImageObject>> read_objects(std::string_view json, ObjectsOf of, std::string_view size,
                                              std::int64_t* may_cross) {
  VIGIE_ASSIGN(const auto sides, size_of(size));
  thread_local dom::parser parser;
  dom::element root;
  dom::array list;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS || root.get(list) != simdjson::SUCCESS)
    return fail(Code::kInput, fmt::format("boxes: expected a list of objects with \"bbox\" and \"category\", got {}",
                                          shortened(std::string(json))));
  if (list.size() > kMostObjects)
    return fail(Code::kInput, fmt::format("boxes: an image has at most {}", with_commas(kMostObjects)));
  std::vector<ImageObject> out;
  out.reserve(list.size());
  Together together;
  if (may_cross) together.left = static_cast<double>(*may_cross);
  for (const dom::element element : list) {
    auto object = read_object(element, of, sides, together);
    if (!object) return fail(Code::kInput, fmt::format("boxes[{}]{}", out.size(), object.error().message));
    out.push_back(std::move(*object));
  }
  if (may_cross) *may_cross -= std::llround(together.crossed);
  return out;
}

std::string to_json(std::span<const ImageObject> objects, ObjectsOf of, bool masks) {
  std::string out = "[";
  const auto into = std::back_inserter(out);
  for (const auto& o : objects) {
    out += out.size() > 1 ? ",{\"category\":" : "{\"category\":";
    append_json(out, o.category);
    if (o.has_box) fmt::format_to(into, ",\"bbox\":[{},{},{},{}]", o.box[0], o.box[1], o.box[2], o.box[3]);
    if (of == ObjectsOf::kPrediction) fmt::format_to(into, ",\"score\":{}", o.score);
    if (o.crowd) out += ",\"iscrowd\":1";
    if (masks && !o.mask.runs.empty()) {
      fmt::format_to(into, ",\"segmentation\":{{\"size\":[{},{}],\"counts\":", o.mask.height, o.mask.width);
      append_json(out, pack_runs(o.mask.runs));
      out += '}';
    }
    out += '}';
  }
  return out += ']';
}

std::string pack_runs(std::span<const std::uint32_t> runs) {
  std::string out;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    auto value = static_cast<std::int64_t>(runs[i]);
    if (i > 2) value -= runs[i - 2];
    for (bool more = true; more;) {
      auto bits = static_cast<int>(value & 31);
      value >>= 5;
      more = bits & 16 ? value != -1 : value != 0;
      out += static_cast<char>('0' + (bits | (more ? 32 : 0)));
    }
  }
  return out;
}

}  // namespace vigie::table
