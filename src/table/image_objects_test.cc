// SPDX-License-Identifier: Apache-2.0
#include "table/image_objects.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace vigie::table {
namespace {

using enum ObjectsOf;
using Runs = std::vector<std::uint32_t>;

std::string wrong(std::string_view json, ObjectsOf of = kPrediction, std::string_view size = {}) {
  const auto objects = read_objects(json, of, size);
  return objects ? "" : objects.error().message;
}

TEST(ImageObjects, AreReadAndWritten) {
  const auto found = read_objects(
      R"([{"bbox": [1, 2.5, 3, 4e1], "category": "a \"car\"", "score": 1}, {"category_id": 7, "bbox": [-1, 0, 0, 0],
          "score": -0.5, "id": 1, "image_id": "x", "area": 12, "segmentation": {"size": [2, 2], "counts": "04"}}])",
      kPrediction);
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ((*found)[0].category, "a \"car\"");
  EXPECT_EQ((*found)[1].category, "7");
  EXPECT_EQ((*found)[1].mask.runs, (Runs{0, 4}));
  const auto text = to_json(*found, kPrediction, true);
  EXPECT_EQ(text, R"([{"category":"a \"car\"","bbox":[1,2.5,3,40],"score":1},{"category":"7","bbox":[-1,0,0,0],)"
                  R"("score":-0.5,"segmentation":{"size":[2,2],"counts":"04"}}])");
  const auto again = read_objects(text, kPrediction);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(to_json(*again, kPrediction, true), text);
  EXPECT_EQ(to_json(*found, kPrediction, false).find("counts"), std::string::npos);
  const auto none = read_objects(" [] ", kLabel);
  ASSERT_TRUE(none);
  EXPECT_EQ(to_json(*none, kLabel, true), "[]");
  const auto crowd = read_objects(R"([{"bbox":[0,0,1,1],"category":"a","iscrowd":true}])", kLabel);
  ASSERT_TRUE(crowd);
  EXPECT_EQ(to_json(*crowd, kLabel, true), R"([{"category":"a","bbox":[0,0,1,1],"iscrowd":1}])");
}

TEST(ImageObjects, PolygonsBecomeRunsOfTheImage) {
  const std::string_view square = R"([{"category":"a","segmentation":[[1,1,4,1,4,3,1,3]]}])";
  EXPECT_EQ(wrong(square, kLabel),
            "boxes[0].segmentation: polygons need \"image_size\": [height, width] of the record");
  const auto there = read_objects(square, kLabel, "[6, 5]");
  ASSERT_TRUE(there) << there.error().message;
  EXPECT_EQ((*there)[0].mask.runs, (Runs{7, 2, 4, 2, 4, 2, 9}));
  EXPECT_EQ(wrong(square, kLabel, "[6]"),
            "image_size: expected [height, width], of 33,554,432 pixels at most, got [6]");
  EXPECT_NE(wrong(square, kLabel, "[60000, 60000]"), "");
  // Any number of them as the same items of a COCO file, in whatever order they are united.
  std::string text = R"([{"category":"a","segmentation":[)";
  CocoItem item;
  for (int i = 0; i < 7; ++i) {
    const double x = 3 * i % 11, y = 5 * i % 13;
    item.polygons.push_back({x, y, x + 6, y + 1, x + 2, y + 7.5});
    text += fmt::format("{}[{}]", i ? "," : "", fmt::join(item.polygons.back(), ","));
  }
  const auto several = read_objects(text + "]}]", kLabel, "[24, 20]");
  ASSERT_TRUE(several) << several.error().message;
  EXPECT_EQ((*several)[0].mask.runs, mask_of(item, {.id = 0, .height = 24, .width = 20, .fields = {}}).runs);
  std::string zigzag;
  for (int i = 0; i < 1'000; ++i) zigzag += fmt::format("{}0,{},9000,{}", i ? "," : "", i, i);
  EXPECT_EQ(wrong(R"([{"category":"a","segmentation":[[)" + zigzag + "]]}]", kLabel, "[1000,9000]"),
            "boxes[0].segmentation: the edges of the polygons of an image cross at most 262,144 columns of pixels "
            "together");
  EXPECT_NE(wrong(square, kLabel, "[0, 5]"), "");

  // What comes together shares what it may cross: the first takes it, the next does not find enough.
  std::int64_t may_cross = 200;
  ASSERT_TRUE(read_objects(text + "]}]", kLabel, "[24, 20]", &may_cross));
  EXPECT_EQ(may_cross, 200 - 7 * 12);
  may_cross = 7 * 12 - 1;
  const auto refused = read_objects(text + "]}]", kLabel, "[24, 20]", &may_cross);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("polygons of a body cross at most"), std::string::npos)
      << refused.error().message;
}

TEST(ImageObjects, ErrorsAreCutBetweenCharacters) {
  std::string text = "\"";
  for (int i = 0; i < 40; ++i) text += "é";
  const auto said = wrong(text + "\"", kLabel);
  EXPECT_TRUE(is_utf8(said)) << said;
  EXPECT_TRUE(said.ends_with("é…")) << said;
}

TEST(ImageObjects, PackedAsPycocotools) {
  EXPECT_EQ(pack_runs(Runs{125, 15, 25, 15, 25, 15, 980}), "m3?i0000km0");
  for (const auto& runs : {Runs{0, 4}, Runs{4294967295U, 0, 1}, Runs{5, 1, 4000000000U, 16, 3, 31, 0, 32}, Runs{1}})
    EXPECT_EQ(unpack_runs(pack_runs(runs)), runs);
}

TEST(ImageObjects, WhatIsNoneIsToldByIndexAndKey) {
  const std::string box = R"("bbox":[0,0,1,1],"category":"a","score":1)";
  const auto many = [&](std::size_t n) {
    std::string out = "[";
    for (std::size_t i = 0; i < n; ++i) out += fmt::format("{}{{{}}}", i ? "," : "", box);
    return out + "]";
  };
  EXPECT_EQ(wrong(many(kMostObjects)), "");
  EXPECT_EQ(wrong(many(kMostObjects + 1)), "boxes: an image has at most 2,000");
  EXPECT_EQ(wrong(fmt::format("[{{{}}},{{{},\"iscrowd\":0}}]", box, box)).substr(0, 32),
            "boxes[1]: unknown key \"iscrowd\"");
  EXPECT_EQ(wrong(R"([{"bbox":[0,0,1,1e999],"category":"a","score":1}])").substr(0, 6), "boxes:");
  EXPECT_EQ(wrong(R"([{"bbox":[0,0,1,1],"category":"","score":1}])"),
            "boxes[0].category: expected a name of at most 200 bytes, or a whole number, got \"\"");
  EXPECT_EQ(wrong(R"([{"bbox":[0,0,1,1],"category_id":1.5,"score":1}])"),
            "boxes[0].category_id: expected a name of at most 200 bytes, or a whole number, got 1.5");
  EXPECT_EQ(wrong(R"({"bbox":[0,0,1,1]})").substr(0, 30), "boxes: expected a list of obje");
  EXPECT_EQ(wrong(R"([{"category":"a","segmentation":{"size":[2,2],"counts":[4]}},)"
                  R"({"category":"a","segmentation":{"size":[2,3],"counts":[6]}}])",
                  kLabel),
            "boxes[1].segmentation: the masks of an image have one size, 2 × 2 and 2 × 3 are two");
  std::string runs;
  for (int i = 0; i < 150'000; ++i) runs += "900,";
  EXPECT_EQ(wrong(R"([{"category":"a","segmentation":{"size":[50000,2700],"counts":[)" + runs + R"(0]}}])", kLabel),
            "");
  const auto half = R"({"category":"a","segmentation":{"size":[50000,2700],"counts":[)" + runs + R"(0]}})";
  EXPECT_EQ(wrong("[" + half + "," + half + "]", kLabel),
            "boxes[1].segmentation: the masks of an image have at most 262,144 bytes, packed");
  std::string corners;
  for (std::size_t i = 0; i <= kMostCorners; ++i) corners += i ? ",1,1" : "1,1";
  EXPECT_EQ(wrong(R"([{"category":"a","segmentation":[[)" + corners + "]]}]", kLabel, "[9,9]"),
            "boxes[0].segmentation: the polygons of an image have at most 10,000 corners");
}

}  // namespace
}  // namespace vigie::table
