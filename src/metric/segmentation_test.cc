// SPDX-License-Identifier: Apache-2.0
#include "metric/segmentation.h"

#include <gtest/gtest.h>

#include <array>

#include "metric/golden_test_internal.h"

namespace vigie::metric {
namespace {

using golden::value_of;

TEST(Segmentation, AsScikitLearn) {
  SegmentationState state({"0", "1", "2", "3"});
  const auto lines = golden::numbers("segmentation.in");
  for (std::size_t i = 0; i < lines.size(); i += 2) {
    const std::vector<std::uint32_t> truth(lines[i].begin(), lines[i].end()),
        predicted(lines[i + 1].begin(), lines[i + 1].end());
    state.update(i, truth, predicted);
  }
  const auto entries = evaluate(state.summarize());
  golden::check(entries, "segmentation");
  EXPECT_EQ(value_of(entries, "iou").n, 6);
}

TEST(Segmentation, AreasAndPixelsThatDoNotCount) {
  SegmentationState state({"sky", "sea"}), areas({"sky", "sea"});
  state.update(1, std::array<std::uint32_t, 5>{0, 0, 1, 255, 1}, std::array<std::uint32_t, 5>{0, 1, 1, 0, 255});
  EXPECT_EQ(state.unlabelled(), 1);
  areas.update(1, 0, {.shared = 1, .truth = 2, .predicted = 1});
  areas.update(1, 1, {.shared = 1, .truth = 2, .predicted = 2});
  for (SegmentationState* s : {&state, &areas}) {
    const auto entries = evaluate(s->summarize());
    EXPECT_NEAR(value_of(entries, "iou", "sky").value, .5, 1e-15);
    EXPECT_NEAR(value_of(entries, "iou", "sea").value, 1. / 3, 1e-15);
    EXPECT_NEAR(value_of(entries, "dice").value, (2. / 3 + .5) / 2, 1e-15);
  }
}

TEST(Segmentation, NothingThere) {
  SegmentationState state({"sky"});
  EXPECT_EQ(value_of(evaluate(state.summarize()), "iou").reason, "no labelled images");
  state.update(1, std::array<std::uint32_t, 1>{9}, std::array<std::uint32_t, 1>{0});
  EXPECT_EQ(value_of(evaluate(state.summarize()), "iou", "sky").reason, "neither truth nor prediction has a pixel");
}

}  // namespace
}  // namespace vigie::metric
