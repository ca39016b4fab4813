// SPDX-License-Identifier: Apache-2.0
#include "server/counted_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "server/index_quality.h"

namespace vigie::server {
namespace {

using table::Type;

CountedRows some() {
  CountedRows rows("the window", {{"label", Type::kString}, {"score", Type::kFloat}, {"time", Type::kTimestamp}});
  const auto time = rows.number(2, 5e6);
  rows.add({rows.text(0, "yes"), rows.number(1, .25), time}, 100'000);
  rows.add({rows.text(0, "no"), rows.number(1, .75), time}, 3);
  rows.add({CountedRows::kMissing, rows.number(1, NAN), time}, 2);
  rows.end_with(2, rows.number(2, 9e6));
  return rows;
}

TEST(CountedRows, AreReadAsOftenAsTheyWereCounted) {
  auto rows = some();
  ByteWriter out;
  rows.save(out);
  ByteReader in(out.bytes());
  auto again = CountedRows::load(in, "again");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(in.remaining(), 0U);
  for (auto* of : {&rows, &*again}) {
    EXPECT_EQ(of->rows(), 100'005);
    EXPECT_EQ(of->present(0), 100'003);
    EXPECT_EQ(of->different(), 4U);
    auto reader = of->open();
    ASSERT_TRUE(reader);
    std::int64_t all = 0, yes = 0, missing = 0, last = 0;
    double sum = 0;
    while (true) {
      auto batch = (*reader)->next();
      ASSERT_TRUE(batch);
      if (!*batch) break;
      EXPECT_LE((*batch)->rows(), 65'536);
      const auto label = *(*batch)->column(0), score = *(*batch)->column(1), time = *(*batch)->column(2);
      all += (*batch)->rows();
      for (std::size_t i = 0; i < label.codes.size(); ++i) {
        missing += label.codes[i] < 0 && std::isnan(score.numbers[i]);
        yes += label.codes[i] >= 0 && label.dictionary[static_cast<std::size_t>(label.codes[i])] == "yes";
        sum += std::isnan(score.numbers[i]) ? 0 : score.numbers[i];
        last += time.numbers[i] == 9e6;
      }
    }
    EXPECT_EQ(all, 100'005);
    EXPECT_EQ(yes, 100'000);
    EXPECT_EQ(missing, 2);
    EXPECT_EQ(last, 1);
    EXPECT_DOUBLE_EQ(sum, 25'002.25);
  }
}

TEST(CountedRows, AreReadAsAnotherType) {
  auto rows = some();
  auto reader = rows.open(table::Schema{{"score", Type::kString}, {"label", Type::kFloat}, {"none", Type::kFloat}});
  ASSERT_TRUE(reader);
  ASSERT_EQ((*reader)->schema().size(), 2U);
  auto batch = std::move(*(*reader)->next());
  const auto label = *batch->column(0), score = *batch->column(1);
  EXPECT_EQ(label.misfits.size(), static_cast<std::size_t>(batch->rows()));  // none is a number
  EXPECT_EQ(score.dictionary[static_cast<std::size_t>(score.codes[0])], "0.25");
}

TEST(CountedRows, OfDamagedBytesAreNone) {
  auto rows = some();
  ByteWriter out;
  rows.save(out);
  for (std::size_t size = 0; size < out.bytes().size(); ++size) {
    ByteReader in(std::string_view(out.bytes()).substr(0, size));
    EXPECT_FALSE(CountedRows::load(in, "cut")) << size;
  }
}

TEST(CountedValues, LieToTheReferenceAsThoseOfTheRowsDo) {
  const std::vector<double> reference{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  quality::TableState before({{.name = "x", .kind = quality::Kind::kNumber}});
  before.begin(0, reference.size());
  before.column(0, {.numbers = reference});
  before.end();
  for (const auto& values : {std::vector<double>{-100, -3, 4, 5, 12, 900, 901}, {3, 3}, {7}, {-5}, {}, {2, 11}}) {
    quality::TableState rows({{.name = "x", .kind = quality::Kind::kNumber}}, &before, quality::Depth::kCounts);
    auto counted = rows.copy();
    const auto& fences = rows.columns()[0].fences();
    CountedBeyond beyond;
    for (const auto v : values) {
      if (v < fences.low) ++beyond.below;
      if (v > fences.high) ++beyond.above;
      if (v < fences.outlier_low) ++beyond.far_below;
      if (v > fences.outlier_high) ++beyond.far_above;
    }
    auto all = values;
    all.insert(all.end(), 4, NAN);
    rows.begin(0, all.size());
    rows.column(0, {.numbers = all});
    rows.end();
    const auto n = static_cast<std::int64_t>(values.size());
    const auto [low, high] =
        std::pair(n ? *std::ranges::min_element(values) : 0, n ? *std::ranges::max_element(values) : 0);
    add_counted(counted, n + 4, {counted_numbers(n, low, high, beyond, fences)});
    const auto &a = counted.columns()[0], &b = rows.columns()[0];
    EXPECT_EQ(a.rows(), b.rows());
    EXPECT_EQ(a.missing(), b.missing());
    EXPECT_EQ(a.below(), b.below());
    EXPECT_EQ(a.above(), b.above());
    EXPECT_EQ(a.outliers(), b.outliers());
    EXPECT_EQ(a.varies(), b.varies());
    if (n > 0) {
      EXPECT_EQ(a.low(), b.low());
      EXPECT_EQ(a.high(), b.high());
    }
  }
}

}  // namespace
}  // namespace vigie::server
