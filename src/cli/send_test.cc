// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <string>

#include "base/file.h"
#include "cli/send_records_internal.h"
#include "table/json_rows.h"

namespace vigie::cli {
namespace {

using table::Type;

// The records of a file, and their labels, a line each; an error in its words.
struct Lines {
  std::string predictions, labels;
};

Lines lines_of(const std::string& text, RecordOptions options, const std::string& name = "rows.csv",
               double delay = std::nan("")) {
  const auto path = testing::TempDir() + fmt::format("vigie_send_{}_{}", ::getpid(), name);
  if (auto written = write_file(path, text); !written) return {written.error().message, {}};
  auto input = table::open_input(path, {}).value();
  auto head = input->open().value();
  while (head->next().value()) {
  }
  auto made = Records::make(head->schema(), std::move(options), name);
  if (!made) return {made.error().message, {}};
  auto reader = input->open(made->types()).value();
  Lines out;
  std::int64_t first = 1;
  while (auto batch = reader->next().value()) {
    EXPECT_TRUE(made->load(*batch, reader->schema(), first));
    for (std::size_t i = 0; i < static_cast<std::size_t>(batch->rows()); ++i) {
      made->prediction(i, out.predictions);
      made->label(i, made->time(i) + delay, out.labels);
    }
    first += batch->rows();
  }
  std::remove(path.c_str());
  return out;
}

TEST(SendRecords, EachRoleHasItsPlace) {
  RecordOptions options{.roles = {.timestamp = "ts",
                                  .prediction = "answer",
                                  .label = "truth",
                                  .id = "key",
                                  .weight = "w",
                                  .scores = {"risk"},
                                  .features = {},
                                  .ignore = {"note"}},
                        .tags = {"shop", "note"},
                        .ids = {},
                        .as_written = true};
  const auto lines = lines_of(
      "key,ts,age,member,shop,note,w,risk,answer,truth\n"
      "007,2026-05-01 07:00:00,41,True,\"a \"\"b\"\"\",x,2,0.25,yes,no\n"
      "8,,,false,,,,,,\n",
      options);
  EXPECT_EQ(lines.predictions,
            "{\"id\":\"007\",\"timestamp\":\"2026-05-01T07:00:00Z\",\"features\":{\"age\":41,\"member\":true,"
            "\"shop\":\"a \\\"b\\\"\"},\"prediction\":\"yes\",\"score\":0.25,\"tags\":{\"shop\":\"a \\\"b\\\"\","
            "\"note\":\"x\"}}\n"
            "{\"id\":\"8\",\"features\":{\"member\":false},\"tags\":{}}\n");
  EXPECT_EQ(lines.labels, "{\"id\":\"007\",\"label\":\"no\"}\n");
}

TEST(SendRecords, ALabelThatComesLaterHasItsTime) {
  RecordOptions options{.roles = {}, .tags = {}, .ids = "rows", .as_written = true};
  options.roles.timestamp = "ts", options.roles.label = "truth";
  EXPECT_EQ(lines_of("ts,x,truth\n2026-05-01,1,1\n", options, "rows.csv", 7'200e6).labels,
            "{\"id\":\"rows-1\",\"label\":1,\"timestamp\":\"2026-05-01T02:00:00Z\"}\n");
}

TEST(SendRecords, TimesAreShiftedAndMoreIsSaid) {
  RecordOptions options;
  options.roles.timestamp = "ts", options.roles.label = "y", options.shift = 7 * 86'400e6;
  options.more = [](std::int64_t row, std::string& out) { out += fmt::format(",\"version\":\"{}\"", row); };
  const auto lines = lines_of("ts,age,y\n2013-12-31T10:00:00Z,3,1\n", options, "rows.csv", 3600e6);
  EXPECT_NE(lines.predictions.find("\"timestamp\":\"2014-01-07T10:00:00Z\""), std::string::npos) << lines.predictions;
  EXPECT_TRUE(lines.predictions.ends_with(",\"version\":\"1\"}\n")) << lines.predictions;
  EXPECT_NE(lines.labels.find("\"timestamp\":\"2014-01-07T11:00:00Z\""), std::string::npos) << lines.labels;
}

TEST(SendRecords, ScoresAreNamedWhereThereAreSeveral) {
  RecordOptions options{.roles = {}, .tags = {}, .ids = "r", .as_written = true};
  options.roles.scores = {"scores.yes", "no"};
  EXPECT_EQ(lines_of("scores.yes,no\n0.5,0.50\n", options).predictions,
            "{\"id\":\"r-1\",\"scores\":{\"yes\":0.5,\"no\":0.50}}\n");
}

TEST(SendRecords, NumbersGoAsTheyAreWrittenWhereJsonKnowsThem) {
  RecordOptions options{.roles = {}, .tags = {}, .ids = "r", .as_written = true};
  EXPECT_EQ(lines_of("a,b,c,d\n1,1.50,9007199254740993,1e-5\n007,+2,-0,1e999\n-1,.5,NA, 3 \n", options).predictions,
            "{\"id\":\"r-1\",\"features\":{\"a\":1,\"b\":1.50,\"c\":9007199254740993,\"d\":1e-5}}\n"
            "{\"id\":\"r-2\",\"features\":{\"a\":\"007\",\"b\":\"+2\",\"c\":-0,\"d\":\"1e999\"}}\n"
            "{\"id\":\"r-3\",\"features\":{\"a\":-1,\"b\":\".5\",\"d\":3}}\n");
}

TEST(SendRecords, OtherNumbersAreTheShortestThatReadBackTheSame) {
  RecordOptions options{.roles = {}, .tags = {}, .ids = "r", .as_written = false};
  EXPECT_EQ(lines_of("a,b,t,v\n4503599627370497,0.1,2026-05-01T00:00:00.5Z,\"[1, null, 2.5]\"\n,inf,,\n", options)
                .predictions,
            "{\"id\":\"r-1\",\"features\":{\"a\":4503599627370497,\"b\":0.1,\"t\":\"2026-05-01T00:00:00.5Z\",\"v\":[1,"
            "null,2.5]}}\n{\"id\":\"r-2\",\"features\":{\"b\":\"Infinity\"}}\n");
}

TEST(SendRecords, AReaderOfRecordsSeesTheTable) {
  RecordOptions options{.roles = {}, .tags = {}, .ids = "r", .as_written = true};
  const auto lines =
      lines_of("n,t,s,b\n007,2026-05-01,x,True\n+1.5,2026-05-02 06:00,\"a\nb\",False\ninf,,,\n", options);
  const table::JsonShape shape({{{"n", Type::kFloat}, {"features", "n"}},
                                {{"t", Type::kTimestamp}, {"features", "t"}},
                                {{"s", Type::kString}, {"features", "s"}},
                                {{"b", Type::kBoolean}, {"features", "b"}}},
                               table::OtherKeys::kChecked);
  table::JsonRows rows;
  rows.read(lines.predictions, shape);
  ASSERT_EQ(rows.rows(), 3) << lines.predictions;
  const auto n = rows.column(0)->numbers, t = rows.column(1)->numbers, b = rows.column(3)->numbers;
  const auto s = *rows.column(2);
  EXPECT_EQ(n[0], 7);
  EXPECT_EQ(n[1], 1.5);
  EXPECT_EQ(n[2], INFINITY);
  EXPECT_EQ(t[1] - t[0], 30 * 3'600e6);
  EXPECT_TRUE(std::isnan(t[2]));
  EXPECT_EQ(s.dictionary[static_cast<std::size_t>(s.codes[1])], "a\nb");
  EXPECT_EQ(s.codes[2], -1);
  EXPECT_EQ(b[0], 1);
  EXPECT_EQ(b[1], 0);
  EXPECT_TRUE(std::isnan(b[2]));
}

TEST(SendRecords, UnknownNamesAreAnsweredWithTheNearest) {
  RecordOptions options{.roles = {}, .tags = {}, .ids = "r", .as_written = true};
  options.roles.prediction = "anser";
  EXPECT_EQ(lines_of("answer,x\n1,2\n", options).predictions,
            "--prediction: unknown column \"anser\" in rows.csv; did you mean \"answer\"?");
  options = {.roles = {}, .tags = {"anwser"}, .ids = "r", .as_written = true};
  EXPECT_EQ(lines_of("answer,x\n1,2\n", options).predictions,
            "--tag: unknown column \"anwser\" in rows.csv; did you mean \"answer\"?");
  options.tags.clear(), options.roles.timestamp = "x";
  EXPECT_NE(lines_of("answer,x\n1,monday\n", options).predictions.find("\"x\""), std::string::npos);
}

}  // namespace
}  // namespace vigie::cli
