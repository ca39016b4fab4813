// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "engine/comparison.h"
#include "engine/scorecard.h"

namespace vigie::server {

/// What a model's last windows came to, as numbers that are drawn over time; of all rows, without segments.
struct Figures {
  struct Column {
    std::string name, test;
    double effect = 0, p_adjusted = 0;  ///< NaN where there is none
    double missing = 0;                 ///< share of rows; NaN of a window without rows
    engine::Verdict verdict = engine::Verdict::kNoData;
  };
  struct Metric {
    std::string name, part;
    double value = 0;
  };
  std::vector<Column> columns;  ///< of the last window, each test of a column once
  std::vector<Column> labels;   ///< the same of its labels, of the last one whose labels are there, …
  std::vector<Metric> metrics;  ///< … and of that one

  void take(const engine::WindowResult& window);
  void take(const engine::ScoreWindow* score, const std::vector<engine::ColumnResult>& labels);
};

}  // namespace vigie::server
