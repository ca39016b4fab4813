// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "base/bytes.h"
#include "engine/memory_input_internal.h"
#include "engine/score_images.h"
#include "engine/score_reference.h"
#include "engine/scoring.h"
#include "table/image_objects.h"

namespace vigie::engine {
namespace {

using metric::Task;

const std::string kGolden = std::string(VIGIE_GOLDEN) + "../metrics/";
const ImageFiles kFiles{kGolden + "masks_truth.json", kGolden + "masks_found.json"};

ScoreOptions options_of(Task task) {
  ScoreOptions options;
  options.task = task, options.label = "there", options.prediction = "found";
  return options;
}

// The two COCO files, a row an image.
MemoryInput rows_of(const ImageFiles& files, std::int64_t batch) {
  const auto truth = table::read_coco(files.ground_truth, false), found = table::read_coco(files.detections, true);
  std::map<std::int64_t, std::pair<std::vector<table::ImageObject>, std::vector<table::ImageObject>>> images;
  std::map<std::int64_t, const table::CocoImage*> by_id;
  for (const auto& image : truth->images) images[image.id], by_id[image.id] = &image;
  for (const auto* file : {&*truth, &*found})
    for (const auto& item : file->items) {
      if (!images.contains(item.image)) continue;
      auto& into = file == &*truth ? images[item.image].first : images[item.image].second;
      into.push_back({fmt::format("{}", item.category), item.box, item.has_box, item.score, item.crowd,
                      table::mask_of(item, *by_id[item.image])});
    }
  std::vector<std::string> there, was;
  for (const auto& [id, both] : images) {
    there.push_back(to_json(both.first, table::ObjectsOf::kLabel, true));
    was.push_back(to_json(both.second, table::ObjectsOf::kPrediction, true));
  }
  MemoryInput out("rows", batch);
  out.add("there", there).add("found", was);
  return out;
}

TEST(ScoreObjects, AsTheSameCocoFiles) {
  for (const auto task : {Task::kDetection, Task::kSegmentation}) {
    for (const std::int64_t batch : {1, 3, 1000}) {
      auto rows = rows_of(kFiles, batch);
      auto options = options_of(task);
      const auto mine = score(rows, {}, options);
      ASSERT_TRUE(mine) << mine.error().message;
      options.label.clear(), options.prediction.clear();
      const auto theirs = score_images(kFiles, std::nullopt, {}, options);
      ASSERT_TRUE(theirs) << theirs.error().message;
      const auto &a = mine->windows.at(0).metrics, &b = theirs->windows.at(0).metrics;
      ASSERT_EQ(a.size(), b.size());
      std::size_t values = 0;
      for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_EQ(a[i].metric, b[i].metric);
        EXPECT_EQ(a[i].value.n, b[i].value.n);
        for (const auto& [x, y] :
             {std::pair(a[i].value.value, b[i].value.value), std::pair(a[i].value.low, b[i].value.low),
              std::pair(a[i].value.high, b[i].value.high)})
          if (!std::isnan(x) || !std::isnan(y)) {
            EXPECT_NEAR(x, y, 1e-12) << a[i].metric->name << " of batches of " << batch;
            ++values;
          }
      }
      EXPECT_GE(values, 6U);
    }
  }
}

TEST(ScoreObjects, CountsImagesWithoutAnObjectALabelOrAPrediction) {
  const std::string box = R"([{"bbox":[0,0,9,9],"category":"a")", found = box + R"(,"score":0.9}])";
  MemoryInput rows("rows");
  rows.add("there", {box + "}]", "[]", "[]", "", box + "}]"}).add("found", {found, "[]", found, found, ""});
  const auto card = score(rows, {}, options_of(Task::kDetection));
  ASSERT_TRUE(card) << card.error().message;
  const auto& window = card->windows.at(0);
  EXPECT_EQ(window.rows.rows, 5);
  EXPECT_EQ(window.rows.labelled, 3);
  EXPECT_EQ(window.rows.unlabelled, 1);
  EXPECT_EQ(window.rows.unscored, 1);
  for (const auto& r : window.metrics) {
    if (r.metric->name == "precision_at_iou") {
      EXPECT_EQ(r.value.value, .5);
    }
  }
  MemoryInput odd("rows");
  odd.add("there", {std::string("[]"), std::string("cat")}).add("found", {found, found});
  const auto wrong = score(odd, {}, options_of(Task::kDetection));
  ASSERT_FALSE(wrong);
  EXPECT_TRUE(wrong.error().message.starts_with("rows: row 2: column \"there\": boxes: expected a list"));
}

TEST(ScoreObjects, AProfileKeepsThemAndDoesNotMerge) {
  auto rows = rows_of(kFiles, 1000);
  auto options = options_of(Task::kDetection);
  const auto stored = store_scores(rows, options);
  ASSERT_TRUE(stored) << stored.error().message;
  ByteWriter out;
  save_scores(out, stored->get(), std::size_t{1} << 20);
  ByteReader in(out.bytes());
  std::shared_ptr<const StoredScores> loaded;
  ASSERT_TRUE(load_scores(in, true, loaded));
  EXPECT_EQ(loaded->options.task, Task::kDetection);
  EXPECT_EQ(loaded->reference.metrics.size(), 5U);
  const auto known = known_labels(*loaded);
  EXPECT_TRUE(known("[]"));
  EXPECT_FALSE(known("cat"));
  std::size_t lost = 0;
  const auto both = merge_scores(*loaded, *loaded, lost);
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error().message, "of objects in images, and cannot be merged");
}

}  // namespace
}  // namespace vigie::engine
