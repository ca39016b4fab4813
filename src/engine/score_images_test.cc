// SPDX-License-Identifier: Apache-2.0
#include "engine/score_images.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <set>

#include "table/coco.h"

namespace vigie::engine {
namespace {

const std::string kGolden = std::string(VIGIE_GOLDEN) + "../metrics/";
const ImageFiles kFiles{kGolden + "masks_truth.json", kGolden + "masks_found.json"};

ScoreOptions detection() {
  ScoreOptions options;
  options.task = metric::Task::kDetection;
  return options;
}

double value_of(const ScoreWindow& window, std::string_view name, std::optional<std::string> segment = {}) {
  for (const auto& r : window.metrics)
    if (r.metric->name == name && r.segment == segment) return r.value.value;
  ADD_FAILURE() << name;
  return 0;
}

TEST(ScoreImages, MasksOfPolygonsAndRunLengthsAsPycocotools) {
  const auto card = score_images(kFiles, std::nullopt, {.masks = true}, detection());
  ASSERT_TRUE(card) << card.error().message;
  const auto truth = table::read_coco(kFiles.ground_truth, false);
  ASSERT_TRUE(truth);
  std::ifstream in(kGolden + "masks.out");
  std::string name;
  int seen = 0;
  for (double value = 0; in >> name; ++seen) {
    if (name != "area") {
      in >> value;
      EXPECT_NEAR(value_of(card->windows[0], name), value, 1e-9) << name;
      continue;
    }
    std::size_t id = 0;
    in >> id >> value;
    const auto& item = truth->items[id - 1];
    EXPECT_EQ(
        static_cast<double>(table::area(table::mask_of(item, truth->images[static_cast<std::size_t>(item.image - 1)]))),
        value)
        << id;
  }
  EXPECT_GT(seen, 12);
}

// COCO has run lengths of crowds, and polygons of the others.
TEST(ScoreImages, BoxesCountWhateverTheirMasks) {
  const auto truth = table::read_coco(kFiles.ground_truth, false);
  ASSERT_TRUE(truth);
  std::set<bool> forms;
  for (const auto& item : truth->items) forms.insert(item.polygons.empty());
  ASSERT_EQ(forms.size(), 2U);
  const auto boxes = score_images(kFiles, std::nullopt, {}, detection());
  ASSERT_TRUE(boxes) << boxes.error().message;
  for (const auto& note : boxes->notes) EXPECT_EQ(note.find("of another size"), note.npos) << note;
}

TEST(ScoreImages, WindowsSegmentsAndAReference) {
  auto options = detection();
  options.segments = {{"camera"}};
  options.window = {WindowSpec::Kind::kDay, 0, {}};
  options.timestamp = "date_captured";
  auto card = score_images(kFiles, kFiles, {.masks = true}, options);
  ASSERT_TRUE(card) << card.error().message;
  EXPECT_EQ(card->windows.size(), 12U);
  EXPECT_EQ(card->windows[0].start, "2024-03-01T00:00:00Z");
  EXPECT_EQ(card->whole->rows.labelled, 12);
  EXPECT_EQ(card->unit, "image");
  EXPECT_TRUE(std::isfinite(value_of(*card->whole, "map_50", "camera=a")));
  options.window = {WindowSpec::Kind::kRows, 6, {}};
  card = score_images(kFiles, kFiles, {.masks = true}, options);
  ASSERT_TRUE(card) << card.error().message;
  EXPECT_EQ(card->windows.size(), 2U);
  EXPECT_EQ(card->reference, kFiles.detections);
  options.segments = {{"camra"}};
  card = score_images(kFiles, std::nullopt, {.masks = true}, options);
  ASSERT_FALSE(card);
  EXPECT_NE(card.error().message.find("did you mean \"camera\"?"), std::string::npos) << card.error().message;
}

TEST(ScoreImages, PixelsOfSegmentationByClassAndSegment) {
  ScoreOptions options;
  options.task = metric::Task::kSegmentation;
  options.segments = {{"camera"}};
  const auto card = score_images(kFiles, std::nullopt, {}, options);
  ASSERT_TRUE(card) << card.error().message;
  const double all = value_of(card->windows[0], "iou");
  EXPECT_GT(all, .1);
  EXPECT_LT(all, 1);
  EXPECT_TRUE(std::isfinite(value_of(card->windows[0], "iou", "camera=b")));
}

}  // namespace
}  // namespace vigie::engine
