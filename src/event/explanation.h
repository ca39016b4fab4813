// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "table/json_rows.h"

namespace vigie::event {

/// Records that say what explained an answer, `{"id": …, "timestamp": …, "attributions": {"age": 0.12}}`, of whatever
/// features: names are taken as they come, and remembered for the next body. Other keys are passed over, so a
/// prediction may be one. Its memory is kept; one thread uses it. Cost: about 1 µs a record of 20 features, twice that
/// of a body with new names.
class ExplanationRows {
 public:
  static constexpr std::size_t kMostFeatures = 1'000;  ///< of a body
  static constexpr double kLargest = 1e100;            ///< what is farther from 0 is no attribution

  ExplanationRows();
  /// Code::kInput: it names more features than that.
  Status read(std::string_view body, table::JsonForm form = table::JsonForm::kAny);

  /// Of what read() found: the rows, with columns "id" and "timestamp" at the places of PredictionKey.
  table::JsonRows& rows() { return rows_; }
  /// The features that some row has an attribution of, or something that is none.
  const std::vector<std::string>& features() const { return features_; }
  /// The row's attributions by features(); NaN where it has none.
  void of_row(std::size_t row, std::vector<double>& out) const;
  /// Whether the row has any attribution, or something that is none.
  bool any(std::size_t row) const;
  /// What is wrong with the row as an explanation; empty where nothing is.
  std::string wrong(std::size_t row) const;

 private:
  void shape(std::vector<table::JsonShape::Key> keys);
  table::JsonRows rows_;
  std::unique_ptr<table::JsonShape> shape_;
  std::vector<std::string> features_;
  std::vector<table::Column> columns_;  // of features_
};

}  // namespace vigie::event
