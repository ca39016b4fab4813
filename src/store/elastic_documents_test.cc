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
                                {"column": "plan", "verdict": "ok", "segment": null}],
                    "distributions": [{"column": "age", "cells": ["1", "2"], "reference": [0.5, 0.5], "current": [0, 1]}]})";
  const auto found = findings_of(window);
  ASSERT_EQ(found.size(), 3U);
  const auto& drift = found[0]["vigie"]["drift"];
  EXPECT_EQ(drift["drawn"], "m age");
  EXPECT_EQ(drift["distribution"]["current"], nlohmann::json::array({0, 1}));
  for (const auto i : {1U, 2U}) EXPECT_FALSE(found[i]["vigie"].contains("drift")) << i;
  // What is worked on is in no picture.
  window.verdict = "maintenance";
  EXPECT_FALSE(findings_of(window)[0]["vigie"].contains("drift"));
}

}  // namespace
}  // namespace vigie::store
