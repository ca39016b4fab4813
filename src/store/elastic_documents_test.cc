// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "store/elastic_internal.h"

namespace vigie::store {
namespace {

TEST(FindingsOf, HaveAPictureWhereThereIsOneOfAllRows) {
  Window window;
  window.model = "m", window.verdict = "drift";
  window.body = R"({"columns": [{"column": "age", "verdict": "drift", "segment": null},
                                {"column": "age", "verdict": "ok", "segment": "plan=pro"},
                                {"column": "plan", "verdict": "ok", "segment": null, "n_current": 7, "missing_current": 1},
                                {"column": "plan", "verdict": "ok", "segment": null, "n_current": 7, "missing_current": 1,
                                 "method": "missing_share"}],
                    "distributions": [{"column": "age", "cells": ["1", "2"], "reference": [0.5, 0.5], "current": [0, 1]}]})";
  const auto found = findings_of(window);
  ASSERT_EQ(found.size(), 4U);
  const auto& drift = found[0]["vigie"]["drift"];
  EXPECT_EQ(drift["drawn"], "m/age");
  EXPECT_EQ(drift["all_rows"], true);
  EXPECT_EQ(drift["distribution"]["current"], nlohmann::json::array({0, 1}));
  EXPECT_EQ(found[1]["vigie"]["drift"], nlohmann::json({{"all_rows", false}}));
  EXPECT_EQ(found[2]["vigie"]["drift"], nlohmann::json({{"all_rows", true}, {"missing", 1}}));
  EXPECT_EQ(found[2]["vigie"]["rows"], 7);
  EXPECT_EQ(found[3]["vigie"]["drift"], nlohmann::json({{"all_rows", true}, {"method", "missing_share"}}));
  EXPECT_FALSE(found[3]["vigie"].contains("rows"));
  // What is worked on is in no picture.
  window.verdict = "maintenance";
  EXPECT_FALSE(findings_of(window)[0]["vigie"]["drift"].contains("drawn"));
  window.model = "m/merged";
  EXPECT_EQ(findings_of(window)[0]["vigie"]["drift"]["all_rows"], false);
}

}  // namespace
}  // namespace vigie::store
