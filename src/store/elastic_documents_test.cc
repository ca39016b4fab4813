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

TEST(FindingsOf, SayWhatIsOfAllRows) {
  Window window;
  window.model = "m";
  Score score;
  score.body = R"({"metrics": [{"metric": "accuracy", "value": 0.8, "low": 0.7, "high": 0.9, "n": 5, "segment": null},
                               {"metric": "accuracy", "value": 0.5, "segment": {"column": "kind", "value": "a"}},
                               {"metric": "accuracy", "value": 0.5, "segment": "kind=a"},
                               {"metric": "recall_of_class", "class": "x", "value": 0.1, "segment": null},
                               {"metric": "selection_rate", "group": "f", "value": 0.2, "segment": null},
                               {"metric": "ndcg_at_k", "k": 5, "value": 0.3, "segment": null},
                               {"metric": "auc", "value": null, "segment": null}]})";
  const auto found = findings_of(window, score);
  std::vector<std::string> said;
  for (const auto& one : found) {
    const auto& p = one["vigie"]["performance"];
    said.push_back(p["metric"].get<std::string>() + (p["all_rows"] == true ? " all" : ""));
  }
  EXPECT_EQ(said, (std::vector<std::string>{"accuracy all", "accuracy", "accuracy", "recall_of_class", "selection_rate",
                                            "ndcg_at_5 all"}));
  EXPECT_EQ(found[0]["vigie"]["performance"]["low"], 0.7);
  EXPECT_EQ(found[4]["vigie"]["group"], "f");
  window.model = "m/merged";
  EXPECT_EQ(findings_of(window, score)[0]["vigie"]["performance"]["all_rows"], false);
}

}  // namespace
}  // namespace vigie::store
