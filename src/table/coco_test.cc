// SPDX-License-Identifier: Apache-2.0
#include "table/coco.h"

#include <gtest/gtest.h>

namespace vigie::table {
namespace {

using Runs = std::vector<std::uint32_t>;

// pycocotools.mask.encode of a 40 × 30 mask with ones in rows 5 to 19 of columns 3 to 5, and of 2 × 2 ones.
TEST(Coco, UnpacksWhatPycocotoolsPacks) {
  EXPECT_EQ(unpack_runs("m3?i0000km0"), (Runs{125, 15, 25, 15, 25, 15, 980}));
  EXPECT_EQ(unpack_runs("04"), (Runs{0, 4}));
  EXPECT_TRUE(unpack_runs("").empty());
  EXPECT_TRUE(unpack_runs("m").empty()) << "torn inside a number";
  EXPECT_TRUE(unpack_runs("\x01").empty());
}

// pycocotools.mask.frPyObjects and toBbox of polygons in an image of 6 rows and 5 columns.
TEST(Coco, FillsPolygonsAsPycocotools) {
  EXPECT_EQ(runs_of_polygon(std::array{1., 1., 4., 1., 4., 3., 1., 3.}, 6, 5), (Runs{7, 2, 4, 2, 4, 2, 9}));
  EXPECT_EQ(runs_of_polygon(std::array{0.3, 0.2, 4.8, 2.6, 1.1, 5.7}, 6, 5), (Runs{0, 1, 6, 4, 2, 4, 3, 2, 4, 1, 3}));
  EXPECT_EQ(runs_of_polygon(std::array{-3., -2., 9., -2., 9., 9., -3., 9.}, 6, 5), (Runs{0, 30}));
  EXPECT_EQ(runs_of_polygon(std::array{2., 2., 2., 2., 2., 2.}, 6, 5), (Runs{30}));
}

// Memory goes by the image, not by how far off the corners are.
TEST(Coco, FarCornersAreClipped) {
  const double far = 1e9;
  EXPECT_EQ(runs_of_polygon(std::array{-far, -far, far, -far, far, far, -far, far}, 6, 5), (Runs{0, 30}));
  EXPECT_EQ(runs_of_polygon(std::array{1., 1., far, 1., far, 3., 1., 3.}, 6, 5), (Runs{7, 2, 4, 2, 4, 2, 4, 2, 3}));
  EXPECT_EQ(runs_of_polygon(std::array{far, far, 2 * far, far, far, 2 * far}, 6, 5), (Runs{30}));
  EXPECT_EQ(runs_of_polygon(std::array{-1e300, -1e300, 1e300, -1e300, 1e300, 1e300, -1e300, 1e300}, 6, 5),
            (Runs{0, 30}));
  // There and back again a thousand times: two edges at one place are none.
  std::vector<double> zigzag;
  for (int i = 0; i < 2000; ++i) zigzag.insert(zigzag.end(), {i % 2 ? far : -far, i % 2 ? far : -far});
  EXPECT_EQ(runs_of_polygon(zigzag, 60, 50), (Runs{3000}));
}

// pycocotools.mask.frPyObjects of polygons with corners on all sides of an image of 7 rows and 9 columns.
TEST(Coco, PolygonsBeyondTheImageAsPycocotools) {
  struct Case {
    std::vector<double> polygon;
    Runs runs;
  };
  for (const auto& [polygon, runs] : std::vector<Case>{
           {{10.0, 7.2, 6.4, -6.7, 0.9, -5.4, -7.9, -9.5, -6.9, 10.3}, {0, 56, 1, 6}},
           {{13.9, 21.3, 22.8, -24.8, 6.4, 10.3, 0.4, -19.3, -1.6, -24.6}, {28, 1, 6, 6, 1, 7, 2, 5, 5, 1, 1}},
           {{764.6, 696.1, 16.7, -172.1, 197.8, -137.9, -677.4, -389.8, 625.2, -913.5}, {63}},
           {{89510.2, -54796.8, -15697.0, -53519.3, 23879.7, -40265.1, -25950.5, 44449.7, -32279.6, 10535.2}, {0, 63}},
       })
    EXPECT_EQ(runs_of_polygon(polygon, 7, 9), runs) << polygon[0];
}

TEST(Coco, UnitesAndIntersectsMasks) {
  const CocoMask a{2, 3, {1, 3, 2}}, b{2, 3, {0, 2, 3, 1}};
  EXPECT_EQ(area(a), 3);
  EXPECT_EQ(shared_area(a, b), 1);
  EXPECT_EQ(united(a, b).runs, (Runs{0, 4, 1, 1}));
  EXPECT_EQ(area(united(a, b)), 5);
}

TEST(Coco, ReadsTruthAndDetections) {
  const auto truth = parse_coco(
      R"({"images": [{"id": 2}, {"id": 1, "height": 4, "width": 5, "camera": "b", "taken": "2024-05-01 10:00:00"},
                     {"id": 1}], "categories": [{"id": 7, "name": "cat"}],
          "annotations": [{"image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4.5], "iscrowd": 1}]})",
      "t", false);
  ASSERT_TRUE(truth) << truth.error().message;
  ASSERT_EQ(truth->images.size(), 2U);
  EXPECT_EQ(truth->images[0].id, 1);
  EXPECT_EQ(truth->images[0].width, 5U);
  EXPECT_EQ(truth->images[0].fields.at("camera"), "b");
  EXPECT_EQ(truth->images[1].id, 2);
  ASSERT_TRUE(truth->times.contains("taken"));
  EXPECT_EQ(truth->times.at("taken")[0], 1714557600e6);
  EXPECT_FALSE(truth->times.contains("camera"));
  EXPECT_EQ(truth->categories.at(7), "cat");
  ASSERT_EQ(truth->items.size(), 1U);
  EXPECT_EQ(truth->items[0].box, (std::array<double, 4>{1, 2, 3, 4.5}));
  EXPECT_TRUE(truth->items[0].crowd);
  const auto found =
      parse_coco(R"([{"image_id": 1, "category_id": 7.0, "bbox": [1, 2, 3, 4], "score": 0.5}])", "d", true);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->items[0].score, .5);
}

TEST(Coco, LeavesOutAndNamesWhatCannotBeRead) {
  const std::string good = R"({"image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4], "score": 0.5})";
  struct Case {
    std::string item, why;
  };
  for (const auto& [item, why] : {
           Case{"3", "is no object"},
           Case{R"({"category_id": 7, "score": 1})", "no image_id"},
           Case{R"({"image_id": 1, "score": 1})", "no category_id"},
           Case{R"({"image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4]})", "no score"},
           Case{R"({"image_id": 1, "category_id": 7, "bbox": [1, 2], "score": 1})", "a bbox that is not four numbers"},
           Case{R"({"image_id": 1, "category_id": 7, "score": 1})", "neither bbox nor segmentation"},
           Case{R"({"image_id": 1, "category_id": 7, "score": 1, "segmentation": {"size": [2, 2], "counts": [1, 2]}})",
                "a mask whose runs do not fill its size"},
           Case{R"({"image_id": 1, "category_id": 7, "score": 1, "segmentation": {"counts": "04"}})",
                "a mask without its size"},
           Case{R"({"image_id": 1, "category_id": 7, "score": 1, "segmentation": [[1, 2, 3, 4]]})",
                "a polygon without three corners"},
           Case{R"({"image_id": 1, "category_id": 7, "score": 1, "segmentation": [[1, 2, 3, 4, 5, "6"]]})",
                "a polygon with a corner that is no number"},
       }) {
    const auto file = parse_coco("[" + good + ", " + item + "]", "d.json", true);
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file->items.size(), 1U);
    EXPECT_EQ(file->problems.rejected, 1);
    EXPECT_EQ(file->problems.messages[0], "d.json: detection 2: " + why);
    const auto strict = parse_coco("[" + good + ", " + item + "]", "d.json", true, true);
    ASSERT_FALSE(strict);
    EXPECT_EQ(strict.error().message, "d.json: detection 2: " + why);
  }
  EXPECT_FALSE(parse_coco("", "d", true));
  EXPECT_FALSE(parse_coco("{}", "d", true));
  EXPECT_FALSE(parse_coco("[]", "t", false));
}

}  // namespace
}  // namespace vigie::table
