// SPDX-License-Identifier: Apache-2.0
#include "metric/detection.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <sstream>

#include "metric/golden_test_internal.h"

namespace vigie::metric {
namespace {

using golden::value_of;

struct Image {
  std::vector<Object> objects;
  std::vector<Detection> detections;
};

std::map<std::uint64_t, Image> golden_images() {
  std::map<std::uint64_t, Image> images;
  for (const std::string& line : golden::lines("detection.in")) {
    std::istringstream in(line);
    char kind;
    std::uint64_t image;
    std::uint32_t category;
    Box box;
    double last;
    in >> kind >> image >> category >> box.x >> box.y >> box.width >> box.height >> last;
    kind == 'g' ? images[image].objects.push_back({category, box, last != 0})
                : images[image].detections.push_back({category, box, last});
  }
  return images;
}

TEST(DetectionMetrics, AsPycocotools) {
  DetectionState state;
  for (const auto& [id, image] : golden_images()) state.update(id, image.objects, image.detections);
  golden::check(evaluate(state.summarize()), "detection", 1e-9);
}

TEST(DetectionMetrics, OrderOfImagesDoesNotMatter) {
  DetectionState forth, back, half;
  const auto images = golden_images();
  for (const auto& [id, image] : images) forth.update(id, image.objects, image.detections);
  for (auto i = images.rbegin(); i != images.rend(); ++i) {
    (i->first % 2 ? back : half).update(i->first, i->second.objects, i->second.detections);
  }
  ASSERT_TRUE(back.merge(half));
  ByteWriter a, b;
  forth.save(a);
  back.save(b);
  EXPECT_EQ(a.bytes(), b.bytes());
  const auto one = evaluate(forth.summarize()), two = evaluate(back.summarize());
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_NEAR(one[i].value.value, two[i].value.value, 1e-12);
    EXPECT_NEAR(one[i].value.low, two[i].value.low, 1e-12);
  }
}

TEST(DetectionMetrics, ByHand) {
  EXPECT_NEAR(intersection_over_union({0, 0, 2, 2}, {1, 0, 2, 2}), 1. / 3, 1e-15);
  EXPECT_NEAR(intersection_over_union({0, 0, 2, 2}, {1, 0, 9, 9}, true), .5, 1e-15);
  EXPECT_EQ(intersection_over_union({0, 0, 1, 1}, {1, 1, 1, 1}), 0);
  DetectionState state;
  state.update(1, std::array<Object, 2>{{{1, {0, 0, 10, 10}}, {1, {50, 50, 10, 10}}}},
               std::array<Detection, 4>{{{1, {0, 0, 10, 8}, .9},     // IoU 0.8
                                         {1, {0, 0, 10, 10}, .8},    // the object is taken
                                         {1, {50, 50, 10, 10}, .3},  // below the score that counts
                                         {1, {NAN, 0, 1, 1}, .9}}});
  EXPECT_EQ(state.left_out(), 1);
  const auto entries = evaluate(state.summarize());
  EXPECT_NEAR(value_of(entries, "precision_at_iou").value, .5, 1e-12);
  EXPECT_NEAR(value_of(entries, "recall_at_iou").value, .5, 1e-12);
  EXPECT_NEAR(value_of(entries, "mean_iou").value, .8, 1e-12);
  EXPECT_NEAR(value_of(entries, "map_50").value, (51 + 50 * 2 / 3.) / 101, 1e-12);
}

TEST(DetectionMetrics, NothingThere) {
  DetectionState state;
  EXPECT_EQ(value_of(evaluate(state.summarize()), "map_50").reason, "no labelled images");
  state.update(1, {}, std::array<Detection, 1>{{{1, {0, 0, 1, 1}, .9}}});
  EXPECT_EQ(value_of(evaluate(state.summarize()), "map_50").reason, "no image has an object");
  EXPECT_EQ(value_of(evaluate(state.summarize()), "precision_at_iou").value, 0);
  EXPECT_FALSE(state.merge(DetectionState({.iou = .75})));
}

}  // namespace
}  // namespace vigie::metric
