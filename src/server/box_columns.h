// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/profile.h"
#include "table/table.h"

namespace vigie::server {

/// What "boxes" of a record, the objects of an image, are among its columns: how many there are, their mean score and
/// area (NaN of none), and all of them as text, by which they are scored.
inline constexpr std::string_view kBoxCount = "boxes.count", kBoxScore = "boxes.score", kBoxArea = "boxes.area",
                                  kBoxObjects = "boxes.objects";
/// Likewise those of a label.
inline constexpr std::string_view kLabelObjects = "label.objects";

/// Whether it is one of those but the label's.
bool made_of_boxes(std::string_view column);

/// Whether a reference was made of rows that have boxes.
bool has_boxes(const engine::Profile& reference);

/// The boxes of a label as they are kept; empty where the row has none that can be read. `boxes`, `size`: the columns
/// of event::keys_of().
std::string label_of_boxes(const table::Column& boxes, const table::Column& size, std::size_t row);

/// Rows of a reference in any form of JsonRows, one a line and with the columns above beside what they have; the
/// objects that are there are a list in "label". Code::kInput names the record, from 0, the index and the key.
Result<std::string> with_box_columns(std::string_view body);

/// Rows that have those columns, made of their columns `boxes` and `size`. Cost: about 1 µs an object.
class BoxRows final : public table::Batch {
 public:
  struct Columns {
    std::size_t boxes = 0, size = 0;
    std::vector<std::pair<std::size_t, std::string>> made{};  ///< where they are, and which
    bool masks = false;                                       ///< whether kBoxObjects has them
  };
  /// Both must live as long.
  static Result<BoxRows> read(table::Batch& rows, const Columns& columns);
  std::int64_t rows() const override { return rows_->rows(); }
  Result<table::Column> column(std::size_t i) override;
  void release(std::size_t i) override { rows_->release(i); }

 private:
  BoxRows(table::Batch& rows, const Columns& columns) : rows_(&rows), columns_(&columns) {}
  table::Batch* rows_;
  const Columns* columns_;
  std::vector<double> count_, score_, area_;
  std::vector<std::int32_t> codes_;
  std::vector<std::string> texts_;
  std::vector<std::string_view> dictionary_;
};

}  // namespace vigie::server
